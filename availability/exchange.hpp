// The two sides of an availability challenge: the challenger's and the prover's signed objects.
//
// Any thread; a Replica may serve several at once. What is checked is in availability_verify.hpp.
// Times are those of the challenger's own monotonic clock: from the last byte of the challenge
// handed over to the last byte of the response. Spec: docs/spec.md section 8.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "chunking/replica.hpp"
#include "core/keys.hpp"
#include "proofs/availability_verify.hpp"

namespace holdfast {

/// A height as challenged provers and challengers must know it.
struct ChallengeHeight {
    Height height;
    BlockHash block_hash;
    std::optional<VdfOutput> y;               // empty: not known yet, or never
    std::vector<ChallengerPart> challengers;  // in force at `height`, ascending by key
    friend bool operator==(const ChallengeHeight&, const ChallengeHeight&) = default;
};

/// A signed registration of the key's owner; `commitment` is a_0 of its reveal chain from `base`.
[[nodiscard]] Result<Challenger> make_challenger(const NetworkId& network_id,
                                                 const Reveal& commitment, Height base,
                                                 const BondId& bond_id, const KeyPair& key);

/// The challenge of the key's owner to a chain; `reveal` is the owner's of this height.
[[nodiscard]] Result<Challenge> make_challenge(const NetworkId& network_id, const ChainId& chain_id,
                                               Height height, const BlockHash& block_hash,
                                               const Reveal& reveal, const KeyPair& key);

/// The same in networks of version 2; `y` is that of the height.
[[nodiscard]] Result<Challenge2> make_challenge2(const NetworkId& network_id,
                                                 const ChainId& chain_id, Height height,
                                                 const BlockHash& block_hash, const VdfOutput& y,
                                                 const Reveal& reveal, const KeyPair& key);

/// Of the height that is challenged now: which chains have been, so that a second challenge of one
/// chain and height is not answered. Memory is bounded by the chains of one height. One thread at a
/// time.
class ChallengesSeen {
  public:
    /// A challenge that check_challenge has accepted (a forged one must not shut a true one out),
    /// while `final_tip` is the newest final block. kTooEarly and kTooLate as
    /// check_challenge_arrival, kDuplicateChallenge; otherwise it is to be answered.
    [[nodiscard]] Verdict admit(const Challenge2& challenge, Height final_tip);

  private:
    Height height_;
    std::set<ChainId> chains_;
};

/// Signs chunks and siblings as they are.
[[nodiscard]] Result<Response> sign_response(const ChallengeId& id, Bytes chunks_and_siblings,
                                             const KeyPair& key);

/// The prover's answer, from chunks that were checked against the sealed root first: a damaged
/// chunk is kCorrupt and nothing is signed. kInvalidArgument when the replica is not the one
/// challenged.
[[nodiscard]] Result<Response> make_response(const ResponseContext& context, const Replica& replica,
                                             const KeyPair& key);

/// What the challenger publishes after final block h + 2.
[[nodiscard]] Result<Outcome> make_outcome(const ChallengeId& id, const Reveal& reveal,
                                           OutcomeKind outcome, std::uint32_t service_us,
                                           std::uint32_t ping_us, const KeyPair& key);
/// The same in networks of version 2. `response`: the one that was received, for served and invalid
/// outcomes; null otherwise.
[[nodiscard]] Result<Outcome2> make_outcome2(const ChallengeId& id, const Reveal& reveal,
                                             OutcomeKind outcome, std::uint32_t service_us,
                                             std::uint32_t ping_us, const Response* response,
                                             const KeyPair& key);

}  // namespace holdfast
