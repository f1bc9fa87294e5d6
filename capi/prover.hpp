// A prover behind its handle: the replicas of one key, what they are registered as, and what is
// answered for them.
//
// Threading: one call at a time (`taken`), but for the responder, which any thread may ask; what it
// shares with the others is guarded by `mutex` and never asked of anybody while that is held.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "api/duty_source.hpp"
#include "api/prover_set.hpp"
#include "api/recorded_link.hpp"
#include "availability/responder.hpp"
#include "capi/border.hpp"
#include "capi/signer.hpp"

namespace holdfast::capi {

/// Where a prover learns the chains of its replicas: from what its caller tells it. Everything else
/// that a source can say comes with each call.
class ToldChains final : public DutySource {
  public:
    void tell(const ReplicaId& replica, const OwnedChain& chain) { chains_[replica] = chain; }

    Result<std::optional<OwnedChain>> chain_of_replica(const ReplicaId& replica) override {
        const auto found = chains_.find(replica);
        return found == chains_.end() ? std::nullopt : std::optional(found->second);
    }
    Result<std::optional<Height>> tip() override { return untold(); }
    Result<std::vector<Height>> open_heights() override { return untold(); }
    Result<std::vector<Height>> proof_heights() override { return untold(); }
    Result<KnownHeight> known_height(Height) override { return untold(); }
    Result<std::vector<DueLink>> due_links(Height, const Wanted&) override { return untold(); }
    Result<std::vector<DueProof>> due_proofs(Height, const Wanted&) override { return untold(); }
    Result<std::vector<SealDuty>> due_seal_proofs(const Wanted&) override { return untold(); }
    Result<std::vector<DueUpdate>> due_updates(const Wanted&) override { return untold(); }
    Result<std::optional<Registration>> registration(const ChainId&) override { return untold(); }
    Result<std::vector<OwnedChain>> chains_of(const PublicKey&) override { return untold(); }
    Result<std::vector<ObjectOutcome>> accept(std::span<const ByteView>,
                                              const SealCheck&) override {
        return untold();
    }
    Status list(Kind, ByteView) override { return untold(); }

  private:
    static tl::unexpected<Error> untold() {
        return fail(ErrorCode::kUnsupported, "this prover is told what is due with each call");
    }
    std::map<ReplicaId, OwnedChain> chains_;
};

}  // namespace holdfast::capi

struct holdfast_prover : holdfast::capi::Handle<0x7265766f72706668> {
    holdfast_prover(const holdfast::NetworkParams& from,
                    std::shared_ptr<const holdfast::KeyPair> key, holdfast::ProverSet members,
                    std::uint32_t wanted_threads, std::size_t responses_at_once);

    /// A chain with its member of the set and, if it was told, its registration.
    struct Chain {
        std::uint32_t member = 0;
        std::filesystem::path replica;
    };
    [[nodiscard]] holdfast::capi::Got<Chain> chain(const holdfast::ChainId& id) const;
    [[nodiscard]] holdfast::capi::Got<holdfast::Registration> registration(
        const holdfast::ChainId& id) const;
    [[nodiscard]] holdfast::Result<holdfast::Replica> open(
        const std::filesystem::path& replica) const;
    /// Zeros without a base.
    [[nodiscard]] holdfast::capi::Got<holdfast::Reveal> reveal(std::uint32_t member,
                                                               std::optional<holdfast::Height> base,
                                                               holdfast::Height height);

    const holdfast::NetworkParams params;
    const holdfast::NetworkId id;
    const std::shared_ptr<const holdfast::KeyPair> signer;
    const std::uint32_t threads;
    holdfast::ProverSet set;
    holdfast::RecordedLinks proofs{params, set};
    holdfast::capi::ToldChains told;
    mutable std::atomic<bool> taken{false};

    holdfast::AvailabilityResponder responder;
    mutable std::mutex mutex;  // guards the rest
    std::map<holdfast::ChainId, holdfast::Registration> registrations;
    std::map<holdfast::ChainId, std::filesystem::path> replicas;  // of chains that are told
    std::set<holdfast::ChainId> answered_for;                     // in the responder
};
