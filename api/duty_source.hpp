// Where a prover learns what it owes, and where it hands over what it has made: the registry of its
// own process, or a node that it follows from afar (node/follow_duties.hpp).
//
// BlockProcessor and ProverSet ask nobody else. Every list ascends by chain id. What a source says
// of y has been verified in full, or as the settings of its owner trust it; everything else is the
// word of the registry behind it.
//
// Threading: one call at a time, and for `registration` any number. Spec: docs/spec.md sections 5,
// 7, 10.3 and 15.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "core/types.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast {

/// A chain of the key that is asked about.
struct OwnedChain {
    ChainId chain_id;
    ReplicaId replica_id;
    Root sealed_root;  // as registered
    ChainPhase phase = ChainPhase::kPending;
    std::optional<ChainStatus> status;  // in the newest digest
    friend bool operator==(const OwnedChain&, const OwnedChain&) = default;
    /// Pending or sealed: links or a seal proof fall due.
    [[nodiscard]] bool owes() const {
        return phase == ChainPhase::kPending || phase == ChainPhase::kSealed;
    }
};

/// What provers owe, asked of whoever knows it.
class DutySource {
  public:
    /// Chains that are asked about; none given: all that the source knows of.
    using Wanted = Registry::Wanted;

    DutySource() = default;
    DutySource(const DutySource&) = delete;
    DutySource& operator=(const DutySource&) = delete;
    virtual ~DutySource() = default;

    // What stands in the registry; as the functions of Registry with the same names. A source that
    // cannot be reached gives kUnavailable, kTimeout or kIo: nothing is owed less, ask again.

    [[nodiscard]] virtual Result<std::optional<Height>> tip() = 0;
    [[nodiscard]] virtual Result<std::vector<Height>> open_heights() = 0;
    [[nodiscard]] virtual Result<std::vector<Height>> proof_heights() = 0;
    /// y and y_compact stay empty until they are verified.
    [[nodiscard]] virtual Result<KnownHeight> known_height(Height height) = 0;
    [[nodiscard]] virtual Result<std::vector<DueLink>> due_links(Height height,
                                                                 const Wanted& wanted) = 0;
    [[nodiscard]] virtual Result<std::vector<DueProof>> due_proofs(Height height,
                                                                   const Wanted& wanted) = 0;
    [[nodiscard]] virtual Result<std::vector<SealDuty>> due_seal_proofs(const Wanted& wanted) = 0;
    [[nodiscard]] virtual Result<std::vector<DueUpdate>> due_updates(const Wanted& wanted) = 0;
    /// Empty: never registered there.
    [[nodiscard]] virtual Result<std::optional<Registration>> registration(
        const ChainId& chain_id) = 0;
    [[nodiscard]] virtual Result<std::optional<OwnedChain>> chain_of_replica(
        const ReplicaId& replica_id) = 0;
    /// Every chain that was ever registered with this key.
    [[nodiscard]] virtual Result<std::vector<OwnedChain>> chains_of(const PublicKey& prover) = 0;

    // What the prover has made.

    /// Objects of the kinds that no block lists, standing alone: one outcome each. `check`: of seal
    /// proofs, where this process judges them.
    [[nodiscard]] virtual Result<std::vector<ObjectOutcome>> accept(
        std::span<const ByteView> objects, const SealCheck& check) = 0;
    /// An object that a block of the host chain lists (registration, update, removal).
    [[nodiscard]] virtual Status list(Kind kind, ByteView object) = 0;

    /// Before each block, by whoever drives it: hands over again, byte for byte, what was handed
    /// over and not acknowledged while it may still be taken, and fetches, in as few round trips as
    /// possible, what the functions above are then asked. Nothing to do where the registry is at
    /// hand.
    [[nodiscard]] virtual Status begin_pass() { return {}; }
};

/// A registry of this process, which must outlive it.
class RegistryDuties : public DutySource {
  public:
    /// Hands an object to the host chain.
    using List = std::function<Status(Kind kind, ByteView object)>;

    /// In networks without an operator `list` is the only way in, for all objects.
    explicit RegistryDuties(Registry& registry, List list = {});

    [[nodiscard]] Result<std::optional<Height>> tip() override;
    [[nodiscard]] Result<std::vector<Height>> open_heights() override;
    [[nodiscard]] Result<std::vector<Height>> proof_heights() override;
    [[nodiscard]] Result<KnownHeight> known_height(Height height) override;
    [[nodiscard]] Result<std::vector<DueLink>> due_links(Height height,
                                                         const Wanted& wanted) override;
    [[nodiscard]] Result<std::vector<DueProof>> due_proofs(Height height,
                                                           const Wanted& wanted) override;
    [[nodiscard]] Result<std::vector<SealDuty>> due_seal_proofs(const Wanted& wanted) override;
    [[nodiscard]] Result<std::vector<DueUpdate>> due_updates(const Wanted& wanted) override;
    [[nodiscard]] Result<std::optional<Registration>> registration(
        const ChainId& chain_id) override;
    [[nodiscard]] Result<std::optional<OwnedChain>> chain_of_replica(
        const ReplicaId& replica_id) override;
    [[nodiscard]] Result<std::vector<OwnedChain>> chains_of(const PublicKey& prover) override;
    [[nodiscard]] Result<std::vector<ObjectOutcome>> accept(std::span<const ByteView> objects,
                                                            const SealCheck& check) override;
    /// kUnsupported without a way to the host chain.
    [[nodiscard]] Status list(Kind kind, ByteView object) override;

  protected:
    [[nodiscard]] Registry& registry() const { return registry_; }

  private:
    Registry& registry_;
    List list_;
};

}  // namespace holdfast
