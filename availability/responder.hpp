// The prover's side of availability: answers the challenges that must be answered, and no others.
//
// Brings no transport: bytes of a challenge come in with the key of the peer that the transport has
// authenticated, bytes of the response go out. The host tells it what becomes final. What is
// ignored is ignored with a reason (kRefused, with the verdict):
//
//   kTruncated, kBadKind, …   not a challenge
//   kUnknownChain             of no chain that this prover has
//   kTooEarly, kTooLate       the tip is not height + 1
//   kNoEntropy                y of the height is not known here
//   kWrongBlock, kWrongOutput, kBadKey, kBadSignature, kNotAssigned, kNotDrawn
//                             see check_challenge
//   kDuplicateChallenge       this chain and height have been answered, or are being answered
//   kBusy                     the peer has sent too much that was bad, or too many answers are
//                             in flight
//
// The order is from cheap to expensive, so that a flood costs what looking at its bytes costs: a
// peer whose challenges were bad pays for each of them from a budget that refills with time, and no
// signature is verified for a peer whose budget is empty. A damaged chunk is kCorrupt and nothing
// is signed: a late answer is testimony, a false one is an offence.
//
// Threading: any thread; nothing is locked while a disk is read. Memory is bounded by the
// heights kept (3), the chains added and the ceilings in the options.
// Spec: docs/spec.md section 8.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "availability/exchange.hpp"
#include "availability/peer_budget.hpp"
#include "chunking/replica.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"

namespace holdfast {

struct ResponderOptions {
    std::size_t answers_at_once = 64;  // reading and signing in flight
    /// Bad challenges that a peer may send.
    BudgetLimits bad{.per_second = 2, .burst = 20};
};

struct ResponderStatistics {
    std::uint64_t answered = 0;
    std::uint64_t failed = 0;                 // a replica could not be read, or is damaged
    std::map<Reason, std::uint64_t> ignored;  // by why
};

class AvailabilityResponder {
  public:
    AvailabilityResponder(const NetworkParams& params, MonotonicNs clock,
                          const ResponderOptions& options = {});
    ~AvailabilityResponder();

    /// kAlreadyExists; kInvalidArgument when the key is not the replica's. All three are kept.
    [[nodiscard]] Status add_chain(const ChainId& chain_id, std::shared_ptr<const Replica> replica,
                                   std::shared_ptr<const KeyPair> key);
    [[nodiscard]] Status remove_chain(const ChainId& chain_id);

    /// The next final block, with a y that this prover may use (spec 15.8): one that it verified in
    /// full, or that a head of the operator covers; heights that need not be answered any more are
    /// forgotten.
    void on_final_block(const ChallengeHeight& block);
    /// y of a height that came without; nothing happens for a height that is not kept.
    void note_y(Height height, const VdfOutput& y);

    /// The response, standing alone. Errors: kRefused as above, kCorrupt, kIo.
    [[nodiscard]] Result<Bytes> respond(const PublicKey& from, ByteView object);

    [[nodiscard]] ResponderStatistics statistics() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
