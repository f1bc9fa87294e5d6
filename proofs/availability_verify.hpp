// Availability: who challenges which chain, what is asked, what counts as an answer and as
// testimony.
//
// Pure functions of bytes and of what the verifier brings itself; any thread; part of the trusted
// rooms. Malformed or foreign objects get a Verdict with their own Reason. Spec: docs/spec.md
// section 8.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/codec.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/reveal.hpp"

namespace holdfast {

using ChallengeNonce = DigestOf<struct ChallengeNonceTag>;

// --- challengers ---------------------------------------------------------------------------------

/// Registration of a challenger (kind 21, 168 bytes). Counts from `base` on.
struct Challenger {
    PublicKey key;
    Reveal commitment;  // a_0 of its reveal chain
    Height base;
    BondId bond_id;
    Signature signature;
    friend bool operator==(const Challenger&, const Challenger&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<Challenger> decode(ByteView body);
    /// What the signature is over.
    [[nodiscard]] Digest digest(const NetworkId& network_id) const;
};

/// kBadKey (not canonical, or of small order), kBadSignature.
[[nodiscard]] Verdict check_challenger(const NetworkId& network_id, const Challenger& challenger);
/// The registry's rule at acceptance: kTooEarly unless base >= accepted + seal_delay and above
/// `newest_base`, the highest base that this key has registered before.
[[nodiscard]] Verdict check_challenger_base(const NetworkParams& params,
                                            const Challenger& challenger, Height accepted,
                                            std::optional<Height> newest_base);
/// Of each key the registration with the newest base <= h; ascending by key.
[[nodiscard]] std::vector<Challenger> challengers_in_force(std::span<const Challenger> registered,
                                                           Height h);

// --- drawing -------------------------------------------------------------------------------------

/// The challenger assigned to a chain at the height of `y`; empty where there are no challengers.
[[nodiscard]] std::optional<PublicKey> assigned_challenger(const NetworkId& network_id,
                                                           const VdfOutput& y,
                                                           const ChainId& chain_id,
                                                           std::span<const PublicKey> challengers);
/// A challenger in force and its part of a bond, which is its weight in the draw.
struct ChallengerPart {
    PublicKey key;
    std::uint64_t part = 0;
    friend bool operator==(const ChallengerPart&, const ChallengerPart&) = default;
};

/// Who is assigned in networks of version 2: each challenger in force as often as its part says.
/// Made once a height; a draw costs one hash and a search.
class ChallengerDraw {
  public:
    /// In any order, each key once. A part counts as at most 2^63 / their number, so that the sum
    /// stays in the range of the draw.
    explicit ChallengerDraw(std::vector<ChallengerPart> in_force);
    /// Empty where there is nobody to draw.
    [[nodiscard]] std::optional<PublicKey> assigned(const NetworkId& network_id, const VdfOutput& y,
                                                    const ChainId& chain_id) const;

  private:
    std::vector<PublicKey> keys_;      // ascending
    std::vector<std::uint64_t> ends_;  // the sum of the weights up to each key, its own included
};

/// The nonce that the challenger's reveal of this height gives for this chain.
[[nodiscard]] ChallengeNonce challenge_nonce(const Reveal& reveal, const ChainId& chain_id);
/// Whether the availability probability is hit: the challenger challenges this chain at this
/// height.
[[nodiscard]] bool challenge_is_drawn(const NetworkParams& params, const NetworkId& network_id,
                                      const VdfOutput& y, const ChainId& chain_id,
                                      const PublicKey& challenger, const ChallengeNonce& nonce);
/// The chunks that the challenge asks for, in the order of selection. `chunks`: the replica's,
/// >= 1.
[[nodiscard]] std::vector<std::uint64_t> challenged_chunks(
    const NetworkParams& params, const NetworkId& network_id, const VdfOutput& y,
    const ChainId& chain_id, const PublicKey& challenger, const ChallengeNonce& nonce,
    ChunkCount chunks);

// --- challenge -----------------------------------------------------------------------------------

/// Kind 11, 200 bytes.
struct Challenge {
    ChainId chain_id;
    Height height;
    BlockHash block_hash;
    PublicKey challenger;
    ChallengeNonce nonce;
    Signature signature;
    friend bool operator==(const Challenge&, const Challenge&) = default;

    [[nodiscard]] Bytes encode() const;
    void encode(Writer& w) const;
    static Challenge decode(Reader& r);
    static Checked<Challenge> decode(ByteView body);
    /// Also what the signature is over.
    [[nodiscard]] ChallengeId id(const NetworkId& network_id) const;
};

/// Kind 29, 232 bytes: the challenge of networks of version 2. It names the y that its draw was
/// made from, so that what a prover answers to a false y is no offence of the prover's.
struct Challenge2 {
    ChainId chain_id;
    Height height;
    BlockHash block_hash;
    VdfOutput y;  // of `height`
    PublicKey challenger;
    ChallengeNonce nonce;
    Signature signature;
    friend bool operator==(const Challenge2&, const Challenge2&) = default;

    [[nodiscard]] Bytes encode() const;
    void encode(Writer& w) const;
    static Challenge2 decode(Reader& r);
    static Checked<Challenge2> decode(ByteView body);
    /// Also what the signature is over.
    [[nodiscard]] ChallengeId id(const NetworkId& network_id) const;
};

/// What the challenged prover (or anybody who checks a challenge) knows itself.
struct ChallengeContext {
    const NetworkParams& params;
    NetworkId network_id;
    ChainId chain_id;
    Height height;         // of a final block with y
    BlockHash block_hash;  // of that block on the verifier's branch
    VdfOutput y;
    std::span<const PublicKey> challengers;  // in force at `height`
};

/// kWrongChain, kWrongHeight, kWrongBlock, kNotAssigned, kNotDrawn, kBadKey, kBadSignature.
[[nodiscard]] Verdict check_challenge(const ChallengeContext& context, const Challenge& challenge);

/// The same in networks of version 2.
struct Challenge2Context {
    const NetworkParams& params;
    NetworkId network_id;
    ChainId chain_id;
    Height height;
    BlockHash block_hash;
    VdfOutput y;
    const ChallengerDraw& challengers;  // in force at `height`
};
/// The signature comes before the rank: kWrongChain, kWrongHeight, kWrongBlock, kWrongOutput,
/// kBadKey, kBadSignature, kNotAssigned, kNotDrawn.
[[nodiscard]] Verdict check_challenge(const Challenge2Context& context,
                                      const Challenge2& challenge);
/// Its two halves, for whoever checks many signatures in parallel: what the bytes alone say, and
/// the rest.
[[nodiscard]] Verdict check_challenge_signature(const NetworkId& network_id,
                                                const Challenge2& challenge);
[[nodiscard]] Verdict check_challenge_unsigned(const Challenge2Context& context,
                                               const Challenge2& challenge);

/// A challenge for height h must be answered when it arrives while h + 1 is the newest final block:
/// kTooEarly before, kTooLate after.
[[nodiscard]] Verdict check_challenge_arrival(Height challenge_height, Height final_tip);

// --- response ------------------------------------------------------------------------------------

/// Kind 12. The chunks and siblings stay one run of bytes: a signed response of any length is
/// evidence, so decoding does not judge the length.
struct Response {
    ChallengeId id;
    Bytes chunks_and_siblings;
    Signature signature;
    friend bool operator==(const Response&, const Response&) = default;

    [[nodiscard]] Bytes encode() const;
    void encode(Writer& w) const;
    /// kTruncated below 96 bytes.
    static Checked<Response> decode(ByteView body);
    /// What the signature is over.
    [[nodiscard]] Digest digest() const;
};

/// SHA-256(chunks || siblings): what an outcome of version 2 names a response by.
[[nodiscard]] Digest response_hash(const Response& response);

/// What whoever checks a response knows: the challenge it sent, and the challenged chain.
struct ResponseContext {
    ChallengeId id;
    PublicKey prover;
    Root sealed_root;
    ChunkCount chunks;                    // of the replica
    std::vector<std::uint64_t> selected;  // challenged_chunks(), in any order
};

/// Bytes of chunks and siblings in a response to this challenge.
[[nodiscard]] std::uint64_t response_payload_bytes(const ResponseContext& context);
/// The selected chunks, ascending, and the siblings of their multiproof lead to sealed_root:
/// kProofLength, kBadMultiproof.
[[nodiscard]] Verdict check_response_payload(const ResponseContext& context, ByteView payload);
/// First id and signature (kWrongChallenge, kBadKey, kBadSignature: nobody can be blamed), then the
/// payload. response_is_evidence() tells which refusals the prover has signed for.
[[nodiscard]] Verdict check_response(const ResponseContext& context, const Response& response);
[[nodiscard]] bool response_is_evidence(const Verdict& verdict);

// --- outcome -------------------------------------------------------------------------------------

enum class OutcomeKind : std::uint8_t { kServed = 1, kLate = 2, kInvalid = 3, kUnreachable = 4 };

/// Kind 13, 137 bytes: what the challenger publishes after final block h + 2.
struct Outcome {
    ChallengeId id;
    Reveal reveal;
    OutcomeKind outcome = OutcomeKind::kServed;
    std::uint32_t service_us = 0;
    std::uint32_t ping_us = 0;
    Signature signature;
    friend bool operator==(const Outcome&, const Outcome&) = default;

    [[nodiscard]] Bytes encode() const;
    /// kBadOutcome besides the usual.
    static Checked<Outcome> decode(ByteView body);
    /// What the signature is over.
    [[nodiscard]] Digest digest() const;
};

/// The challenge that the outcome is about, and the newest reveal of its challenger that the
/// verifier knows (at first the commitment, i = 0).
struct OutcomeContext {
    const NetworkParams& params;
    NetworkId network_id;
    const Challenge& challenge;  // already accepted by check_challenge
    Height base;                 // of the challenger's registration in force
    KnownReveal known;
};

/// The reveal of `height` must hash down to the known one: kBadReveal, kRevealTooFar,
/// kRevealExhausted.
[[nodiscard]] Verdict check_challenger_reveal(const OutcomeContext& context, const Reveal& reveal);
/// kWrongChallenge, kBadKey, kBadSignature, kBadNonce (the reveal does not give the challenge's
/// nonce), then the reveal.
[[nodiscard]] Verdict check_outcome(const OutcomeContext& context, const Outcome& outcome);

/// Kind 27, 233 bytes: the outcome of networks of version 2. It names the response it speaks of, in
/// the prover's own signature, and is paid only after an audit that a later y draws.
struct Outcome2 {
    ChallengeId id;
    Reveal reveal;
    OutcomeKind outcome = OutcomeKind::kServed;
    std::uint32_t service_us = 0;
    std::uint32_t ping_us = 0;
    Digest response_hash;          // zeros unless served or invalid
    Signature response_signature;  // the prover's; zeros unless served or invalid
    Signature signature;           // the challenger's
    friend bool operator==(const Outcome2&, const Outcome2&) = default;

    [[nodiscard]] Bytes encode() const;
    /// kBadOutcome, and kNotCanonical for a response where there can be none.
    static Checked<Outcome2> decode(ByteView body);
    /// What the challenger's signature is over.
    [[nodiscard]] Digest digest() const;
    /// Whether it speaks of a response that the prover has signed.
    [[nodiscard]] bool has_response() const {
        return outcome == OutcomeKind::kServed || outcome == OutcomeKind::kInvalid;
    }
};

/// As OutcomeContext, and the key of the challenged chain's prover.
struct Outcome2Context {
    const NetworkParams& params;
    NetworkId network_id;
    const Challenge2& challenge;  // already accepted by check_challenge
    PublicKey prover;
    Height base;
    KnownReveal known;
};
/// kWrongChallenge, kBadNonce, kBadKey, kBadSignature (the challenger's, then the prover's over the
/// response that it names), then the reveal as check_outcome.
[[nodiscard]] Verdict check_outcome(const Outcome2Context& context, const Outcome2& outcome);
/// Its two halves: all but the reveal, which needs nothing but the challenge and its prover, and
/// the reveal.
[[nodiscard]] Verdict check_outcome_signatures(const NetworkId& network_id,
                                               const Challenge2& challenge, const PublicKey& prover,
                                               const Outcome2& outcome);
[[nodiscard]] Verdict check_outcome_reveal(const Outcome2Context& context, const Reveal& reveal);

/// One outcome in sixteen, by the y of the first height that settles after it stands in the
/// journal.
[[nodiscard]] bool audit_is_drawn(const NetworkId& network_id, const VdfOutput& y,
                                  const ChallengeId& id);
/// The whole response that an audited outcome speaks of: kWrongChallenge, kWrongResponse (another
/// one, or there can be none), the reasons of check_response; kNoOffence where the outcome says
/// `invalid` of a right one.
[[nodiscard]] Verdict check_audited_response(const ResponseContext& context,
                                             const Outcome2& outcome, const Response& response);

// --- suspension ----------------------------------------------------------------------------------

/// An accepted outcome of one chain, as the registry keeps it.
struct OutcomeRecord {
    Height height;  // of the challenge
    PublicKey challenger;
    OutcomeKind outcome = OutcomeKind::kServed;
};

/// Whether the quorum suspends the chain in the digest of `h`: of the quorum_of newest outcomes
/// with h - quorum_window < height <= h at least `quorum` say late or unreachable. In networks of
/// version 1 only the newest outcome of each challenger counts. Does not depend on the order of
/// `outcomes`.
[[nodiscard]] bool suspended_by_quorum(const NetworkParams& params, Height h,
                                       std::span<const OutcomeRecord> outcomes);

}  // namespace holdfast
