// The book of bonds: what the host chain has said of each, and the parts that chains, challengers,
// submitters, evaluators and the operator hold of them.
//
// A view on the writing transaction of one entry, internal to this room: what it changes is durable
// with the entry, or not at all. The parts of a bond never exceed what it holds; releasing and
// taking act on one part and record a decision for the host. Nobody's answer enters. Threading: as
// its transaction. Spec: docs/spec.md section 15.4.
#pragma once

#include <optional>

#include "core/listed_block.hpp"
#include "hierarchy/decision.hpp"
#include "hierarchy/registry_records.hpp"
#include "storage/lmdb_store.hpp"

namespace holdfast {

/// A tenth of what an offence cost goes to whoever has shown it.
inline constexpr std::uint32_t kAccuserPerMille = 100;

class BondBook {
  public:
    BondBook(const NetworkParams& params, const NetworkId& network_id, Transaction& txn,
             MachineState& machine)
        : params_(params), network_id_(network_id), txn_(txn), machine_(machine) {}

    /// A fact that a final block lists. Created bonds of an evaluator or of the operator claim
    /// their part at once; a deposit is found by its subject from then on.
    [[nodiscard]] Status take_event(const BondEvent& event, Height at);

    [[nodiscard]] Result<std::optional<BondRecord>> bond(const BondId& id) const;
    [[nodiscard]] Result<std::optional<PartRecord>> part(BondPurpose role,
                                                         const Digest& holder) const;
    /// The deposit for this evidence that still holds something.
    [[nodiscard]] Result<std::optional<BondId>> deposit_for(const Digest& subject) const;

    enum class Claim { kLeast, kEverything };
    /// Reserves the least part of the role for the holder, or everything that is free: then what it
    /// holds there already grows. kNoBond (unknown, of another owner or purpose), kBondTaken (less
    /// than the least part is free, or the holder's part is in another bond), kAlreadyRemoved (the
    /// part is ending). Ok and no change for a holder that has its least part there.
    [[nodiscard]] Result<Verdict> claim(BondPurpose role, const Digest& holder,
                                        const PublicKey& owner, const BondId& id, Claim how,
                                        Height at);
    /// The part is given back, or taken for a case; how much it was, 0 where there is none.
    /// `accuser`: gets a tenth.
    [[nodiscard]] Result<std::uint64_t> release(BondPurpose role, const Digest& holder,
                                                const CaseId& id, CaseKind kind);
    [[nodiscard]] Result<std::uint64_t> take(BondPurpose role, const Digest& holder,
                                             const CaseId& id, CaseKind kind,
                                             const std::optional<PublicKey>& accuser = {});
    /// At most `most` of the part; the rest stays.
    [[nodiscard]] Result<std::uint64_t> take_some(BondPurpose role, const Digest& holder,
                                                  std::uint64_t most, const CaseId& id,
                                                  CaseKind kind);
    /// What is free of a bond goes back to its owner; how much.
    [[nodiscard]] Result<std::uint64_t> release_free(const BondId& id, const CaseId& case_id,
                                                     CaseKind kind);
    [[nodiscard]] Result<std::uint64_t> take_free(const BondId& id, const CaseId& case_id,
                                                  CaseKind kind);
    /// From `until` on the holder is not in its role any more.
    [[nodiscard]] Status end_part(BondPurpose role, const Digest& holder, Height until);

    [[nodiscard]] std::uint64_t least(BondPurpose role) const;
    [[nodiscard]] Status decide(const Decision& decision);

  private:
    Status save_bond(const BondId& id, const BondRecord& record);
    Result<std::uint64_t> shrink(BondPurpose role, const Digest& holder, std::uint64_t most,
                                 const CaseId& id, CaseKind kind, DecidedStep::Kind how,
                                 const std::optional<PublicKey>& accuser);
    Result<std::uint64_t> move_free(const BondId& id, const CaseId& case_id, CaseKind kind,
                                    DecidedStep::Kind how);

    const NetworkParams& params_;
    const NetworkId& network_id_;
    Transaction& txn_;
    MachineState& machine_;
};

/// Under which the part of a role, or (role 0) what is free of a bond, is decided.
[[nodiscard]] CaseId bond_case(const NetworkId& network_id, const BondId& bond, std::uint8_t role,
                               Height height);
/// A chain's part at the digest of g.
enum class ChainCase : std::uint8_t { kVoided = 1, kForfeited = 2, kReleased = 3 };
[[nodiscard]] CaseId chain_case(const NetworkId& network_id, const ChainId& chain_id, Height g,
                                ChainCase what);
[[nodiscard]] CaseId deposit_case(const NetworkId& network_id, const BondId& bond);

}  // namespace holdfast
