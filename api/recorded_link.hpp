// Proofs of links that a prover has on record, made and signed again on demand.
//
// Whoever asks brings everything public that the proof is made of, and is believed in nothing: what
// the prover makes of these facts is the link on record for this chain, height, block and anchor,
// or nothing is signed. So there is never a second link; and since signatures are deterministic the
// receipt of a link is the same however often it is made, also where its link left in a bundle.
//
// Errors: kRefused with kTooLate (nothing on record: never made, or older than what is kept),
// kUnknownChain (not this prover's), kBadLink (the facts are not those of the recorded link); those
// of reading the replica. Spec: docs/spec.md sections 7 and 14.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "api/prover.hpp"
#include "api/prover_set.hpp"
#include "core/result.hpp"
#include "proofs/formats.hpp"

namespace holdfast {

/// What a proof of one link is made of beside the replica, all of it public.
struct RecordedLink {
    ChainId chain_id;
    LinkRequest request;
    std::optional<VdfOutput> y_compact;  // y_c; empty: a full proof
    std::optional<PathProof> path;       // under the digest of the link's own height
};

/// The proof that counts: compact where y_c and the path are known and one cell is enough, full
/// elsewhere. One call at a time with all others on the prover.
[[nodiscard]] Result<AnyProof> prove_recorded(Prover& prover, const RecordedLink& link);

/// The same for the members of a set, which must outlive it, beside the block that is worked at:
/// nobody waits for the network, for the device, or for another's cells. Any thread. Memory: the
/// reveal chains of the members that were asked for last, 32 KiB each.
class RecordedLinks {
  public:
    RecordedLinks(const NetworkParams& params, const ProverSet& set) : params_(params), set_(set) {}

    [[nodiscard]] Result<AnyProof> prove(const RecordedLink& link);

  private:
    static constexpr std::size_t kKeptReveals = 64;
    [[nodiscard]] Result<Reveal> reveal(const ReplicaId& replica, Height base, Height height);

    const NetworkParams& params_;
    const ProverSet& set_;
    std::mutex mutex_;  // guards the next; held while a chain is made, a million hashes
    std::map<std::pair<ReplicaId, Height>, RevealChain> reveals_;
};

}  // namespace holdfast
