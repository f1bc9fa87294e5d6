#include "proofs/availability_verify.hpp"

#include "core/keys.hpp"
#include "core/merkle.hpp"
#include "core/selection.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kResponseFixedBytes = kDigestBytes + Signature::size();

/// H(tag; network_id, y, chain, challenger, nonce): the draw and the chunks differ in their tag
/// only.
Digest draw_hash(std::string_view tag, const NetworkId& network_id, const VdfOutput& y,
                 const ChainId& chain_id, const PublicKey& challenger,
                 const ChallengeNonce& nonce) {
    return tagged_hash(tag, network_id, y, chain_id, challenger, nonce);
}

void encode_unsigned(Writer& w, const Challenge& c) {
    w.fixed(c.chain_id).height(c.height).fixed(c.block_hash).fixed(c.challenger).fixed(c.nonce);
}

void encode_unsigned(Writer& w, const Challenge2& c) {
    w.fixed(c.chain_id).height(c.height).fixed(c.block_hash).fixed(c.y);
    w.fixed(c.challenger).fixed(c.nonce);
}

void encode_unsigned(Writer& w, const Challenger& c) {
    w.fixed(c.key).fixed(c.commitment).height(c.base).fixed(c.bond_id);
}

void encode_unsigned(Writer& w, const Outcome& o) {
    w.fixed(o.id).fixed(o.reveal).u8(static_cast<std::uint8_t>(o.outcome));
    w.u32(o.service_us).u32(o.ping_us);
}

void encode_unsigned(Writer& w, const Outcome2& o) {
    w.fixed(o.id).fixed(o.reveal).u8(static_cast<std::uint8_t>(o.outcome));
    w.u32(o.service_us).u32(o.ping_us).fixed(o.response_hash).fixed(o.response_signature);
}

/// What a prover's signature under a response is over.
Digest response_digest(const ChallengeId& id, const Digest& hash) {
    return tagged_hash("availability/response", id, hash);
}

std::optional<OutcomeKind> outcome_kind(std::uint8_t byte) {
    if (byte < 1 || byte > 4) return std::nullopt;
    return static_cast<OutcomeKind>(byte);
}

/// The reveal of `height` must hash down to the known one of the challenger. At the base itself it
/// is the commitment: i = 0.
Verdict check_reveal_of(const NetworkParams& params, const NetworkId& network_id,
                        const PublicKey& challenger, Height base, const KnownReveal& known,
                        Height height, const Reveal& reveal) {
    if (height < base) return Reason::kRevealExhausted;
    return check_reveal(network_id, view(challenger), known, height.since(base), reveal,
                        reveal_limit(params));
}

/// What both kinds of challenge are compared with: chain, height and block.
template <class Context, class ChallengeOf>
Verdict check_challenged_place(const Context& context, const ChallengeOf& challenge) {
    if (challenge.chain_id != context.chain_id) return Reason::kWrongChain;
    if (challenge.height != context.height) return Reason::kWrongHeight;
    return challenge.block_hash == context.block_hash ? Reason::kOk : Reason::kWrongBlock;
}

std::vector<std::uint64_t> ascending_chunks(const ResponseContext& context) {
    std::vector<std::uint64_t> chunks = context.selected;
    std::sort(chunks.begin(), chunks.end());
    return chunks;
}

}  // namespace

// --- challengers ---------------------------------------------------------------------------------

// Spec 8, challengers (kind 21).
Bytes Challenger::encode() const {
    Writer w(kChallengerBytes);
    encode_unsigned(w, *this);
    w.fixed(signature);
    return w.take();
}

Checked<Challenger> Challenger::decode(ByteView body) {
    Reader r(body);
    Challenger c;
    c.key = r.fixed<PublicKey>();
    c.commitment = r.fixed<Reveal>();
    c.base = r.height();
    c.bond_id = r.fixed<BondId>();
    c.signature = r.fixed<Signature>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return c;
}

Digest Challenger::digest(const NetworkId& network_id) const {
    Writer w(kChallengerBytes);
    encode_unsigned(w, *this);
    return tagged_hash("challenger", network_id, ByteView(w.bytes()));
}

// Spec 8, challengers: key and signature.
Verdict check_challenger(const NetworkId& network_id, const Challenger& challenger) {
    HOLDFAST_REQUIRE_OK(check_registrable_key(challenger.key));
    return verify_signature(challenger.key, view(challenger.digest(network_id)),
                            challenger.signature);
}

// Spec 8, challengers: base.
Verdict check_challenger_base(const NetworkParams& params, const Challenger& challenger,
                              Height accepted, std::optional<Height> newest_base) {
    if (challenger.base < accepted + params.seal_delay) return Reason::kTooEarly;
    if (newest_base && challenger.base <= *newest_base) return Reason::kTooEarly;
    return Verdict::ok();
}

// Spec 8, challengers: the newest base of each key.
std::vector<Challenger> challengers_in_force(std::span<const Challenger> registered, Height h) {
    std::vector<Challenger> newest_first;
    for (const Challenger& c : registered) {
        if (c.base <= h) newest_first.push_back(c);
    }
    std::sort(newest_first.begin(), newest_first.end(),
              [](const Challenger& a, const Challenger& b) {
                  return a.key != b.key ? a.key < b.key : b.base < a.base;
              });
    const auto same_key = [](const Challenger& a, const Challenger& b) { return a.key == b.key; };
    newest_first.erase(std::unique(newest_first.begin(), newest_first.end(), same_key),
                       newest_first.end());
    return newest_first;
}

// --- drawing -------------------------------------------------------------------------------------

// Spec 8, draw: assigned.
std::optional<PublicKey> assigned_challenger(const NetworkId& network_id, const VdfOutput& y,
                                             const ChainId& chain_id,
                                             std::span<const PublicKey> challengers) {
    std::optional<PublicKey> assigned;
    Digest lowest;
    for (const PublicKey& key : challengers) {
        const Digest rank = tagged_hash("availability/assign", network_id, y, chain_id, key);
        if (!assigned || rank < lowest) {
            assigned = key;
            lowest = rank;
        }
    }
    return assigned;
}

// Spec 8, networks of version 2: weight_i.
ChallengerDraw::ChallengerDraw(std::vector<ChallengerPart> in_force) {
    std::sort(in_force.begin(), in_force.end(),
              [](const ChallengerPart& a, const ChallengerPart& b) { return a.key < b.key; });
    std::uint64_t sum = 0;
    for (const ChallengerPart& c : in_force) {
        sum += std::min(c.part, kMaxSelectionRange / in_force.size());
        keys_.push_back(c.key);
        ends_.push_back(sum);
    }
}

// Spec 8, networks of version 2: assigned.
std::optional<PublicKey> ChallengerDraw::assigned(const NetworkId& network_id, const VdfOutput& y,
                                                  const ChainId& chain_id) const {
    if (ends_.empty() || ends_.back() == 0) return std::nullopt;
    const Digest e = tagged_hash("availability/assign", network_id, y, chain_id);
    const auto drawn = select_v2(e, ends_.back(), 1);
    HOLDFAST_CHECK(drawn.has_value());
    const auto owner = std::upper_bound(ends_.begin(), ends_.end(), drawn->front());
    return keys_[static_cast<std::size_t>(owner - ends_.begin())];
}

// Spec 8, draw: nonce.
ChallengeNonce challenge_nonce(const Reveal& reveal, const ChainId& chain_id) {
    return ChallengeNonce(tagged_hash("availability/nonce", reveal, chain_id));
}

// Spec 8, draw.
bool challenge_is_drawn(const NetworkParams& params, const NetworkId& network_id,
                        const VdfOutput& y, const ChainId& chain_id, const PublicKey& challenger,
                        const ChallengeNonce& nonce) {
    return hits(draw_hash("availability", network_id, y, chain_id, challenger, nonce),
                params.availability_n, params.availability_d);
}

// Spec 8, draw: chunks.
std::vector<std::uint64_t> challenged_chunks(const NetworkParams& params,
                                             const NetworkId& network_id, const VdfOutput& y,
                                             const ChainId& chain_id, const PublicKey& challenger,
                                             const ChallengeNonce& nonce, ChunkCount chunks) {
    const Digest e = draw_hash("availability/chunks", network_id, y, chain_id, challenger, nonce);
    auto selected = select_v2(e, chunks.value, params.availability_chunks);
    HOLDFAST_CHECK(selected.has_value());
    return std::move(*selected);
}

// --- challenge -----------------------------------------------------------------------------------

// Spec 8, challenge (kind 11).
void Challenge::encode(Writer& w) const {
    encode_unsigned(w, *this);
    w.fixed(signature);
}

Bytes Challenge::encode() const {
    Writer w(kChallengeBytes);
    encode(w);
    return w.take();
}

Challenge Challenge::decode(Reader& r) {
    Challenge c;
    c.chain_id = r.fixed<ChainId>();
    c.height = r.height();
    c.block_hash = r.fixed<BlockHash>();
    c.challenger = r.fixed<PublicKey>();
    c.nonce = r.fixed<ChallengeNonce>();
    c.signature = r.fixed<Signature>();
    return c;
}

Checked<Challenge> Challenge::decode(ByteView body) {
    Reader r(body);
    const Challenge c = decode(r);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return c;
}

// Spec 8, challenge: id.
ChallengeId Challenge::id(const NetworkId& network_id) const {
    Writer w(kChallengeBytes);
    encode_unsigned(w, *this);
    return ChallengeId(tagged_hash("availability/challenge", network_id, ByteView(w.bytes())));
}

// Spec 8, challenge (2) to (5).
Verdict check_challenge(const ChallengeContext& context, const Challenge& challenge) {
    HOLDFAST_REQUIRE_OK(check_challenged_place(context, challenge));
    const auto assigned =
        assigned_challenger(context.network_id, context.y, context.chain_id, context.challengers);
    if (assigned != challenge.challenger) return Reason::kNotAssigned;
    if (!challenge_is_drawn(context.params, context.network_id, context.y, context.chain_id,
                            challenge.challenger, challenge.nonce)) {
        return Reason::kNotDrawn;
    }
    return verify_signature(challenge.challenger, view(challenge.id(context.network_id)),
                            challenge.signature);
}

Verdict check_challenge_signature(const NetworkId& network_id, const Challenge2& challenge) {
    return verify_signature(challenge.challenger, view(challenge.id(network_id)),
                            challenge.signature);
}

namespace {

Verdict check_named(const Challenge2Context& context, const Challenge2& challenge) {
    HOLDFAST_REQUIRE_OK(check_challenged_place(context, challenge));
    return challenge.y == context.y ? Reason::kOk : Reason::kWrongOutput;
}

Verdict check_draw(const Challenge2Context& context, const Challenge2& challenge) {
    const auto assigned =
        context.challengers.assigned(context.network_id, context.y, context.chain_id);
    if (assigned != challenge.challenger) return Reason::kNotAssigned;
    const bool drawn = challenge_is_drawn(context.params, context.network_id, context.y,
                                          context.chain_id, challenge.challenger, challenge.nonce);
    return drawn ? Reason::kOk : Reason::kNotDrawn;
}

}  // namespace

// Spec 8, challenge of kind 29 (2) to (6).
Verdict check_challenge(const Challenge2Context& context, const Challenge2& challenge) {
    HOLDFAST_REQUIRE_OK(check_named(context, challenge));
    HOLDFAST_REQUIRE_OK(check_challenge_signature(context.network_id, challenge));
    return check_draw(context, challenge);
}

Verdict check_challenge_unsigned(const Challenge2Context& context, const Challenge2& challenge) {
    HOLDFAST_REQUIRE_OK(check_named(context, challenge));
    return check_draw(context, challenge);
}

// Spec 8: one that arrives while the tip is not h + 1 need not be answered.
Verdict check_challenge_arrival(Height challenge_height, Height final_tip) {
    if (final_tip < challenge_height + 1) return Reason::kTooEarly;
    return final_tip == challenge_height + 1 ? Reason::kOk : Reason::kTooLate;
}

// Spec 8, challenge of kind 29.
void Challenge2::encode(Writer& w) const {
    encode_unsigned(w, *this);
    w.fixed(signature);
}

Bytes Challenge2::encode() const {
    Writer w(kChallenge2Bytes);
    encode(w);
    return w.take();
}

Challenge2 Challenge2::decode(Reader& r) {
    Challenge2 c;
    c.chain_id = r.fixed<ChainId>();
    c.height = r.height();
    c.block_hash = r.fixed<BlockHash>();
    c.y = r.fixed<VdfOutput>();
    c.challenger = r.fixed<PublicKey>();
    c.nonce = r.fixed<ChallengeNonce>();
    c.signature = r.fixed<Signature>();
    return c;
}

Checked<Challenge2> Challenge2::decode(ByteView body) {
    Reader r(body);
    const Challenge2 c = decode(r);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return c;
}

ChallengeId Challenge2::id(const NetworkId& network_id) const {
    Writer w(kChallenge2Bytes);
    encode_unsigned(w, *this);
    return ChallengeId(tagged_hash("availability/challenge2", network_id, ByteView(w.bytes())));
}

// --- response ------------------------------------------------------------------------------------

// Spec 8, response (kind 12).
void Response::encode(Writer& w) const { w.fixed(id).raw(chunks_and_siblings).fixed(signature); }

Bytes Response::encode() const {
    Writer w(kResponseFixedBytes + chunks_and_siblings.size());
    encode(w);
    return w.take();
}

Checked<Response> Response::decode(ByteView body) {
    if (body.size() < kResponseFixedBytes) return refuse(Reason::kTruncated);
    Reader r(body);
    Response response;
    response.id = r.fixed<ChallengeId>();
    const ByteView payload = r.raw(body.size() - kResponseFixedBytes);
    response.chunks_and_siblings.assign(payload.begin(), payload.end());
    response.signature = r.fixed<Signature>();
    return response;
}

Digest Response::digest() const { return response_digest(id, response_hash(*this)); }

Digest response_hash(const Response& response) { return sha256(response.chunks_and_siblings); }

std::uint64_t response_payload_bytes(const ResponseContext& context) {
    const std::vector<std::uint64_t> chunks = ascending_chunks(context);
    return chunks.size() * kChunkBytes +
           multiproof_length(context.chunks.value, chunks) * kDigestBytes;
}

// Spec 8, response (3) and (4).
Verdict check_response_payload(const ResponseContext& context, ByteView payload) {
    const std::vector<std::uint64_t> chunks = ascending_chunks(context);
    if (payload.size() != response_payload_bytes(context)) return Reason::kProofLength;
    // All 16 cells of each chunk are opened, so the multiproof over cells is that over chunk roots.
    std::vector<Digest> roots(chunks.size());
    chunk_roots(payload.data(), roots);
    Reader r(payload.subspan(chunks.size() * kChunkBytes));
    std::vector<Digest> siblings(r.remaining() / kDigestBytes);
    for (Digest& sibling : siblings) sibling = r.fixed<Digest>();
    const auto root = root_from_multiproof(context.chunks.value, chunks, roots, siblings);
    if (!root) return root.error();
    return *root == context.sealed_root ? Reason::kOk : Reason::kBadMultiproof;
}

// Spec 8, response (1) to (4).
Verdict check_response(const ResponseContext& context, const Response& response) {
    if (response.id != context.id) return Reason::kWrongChallenge;
    HOLDFAST_REQUIRE_OK(
        verify_signature(context.prover, view(response.digest()), response.signature));
    return check_response_payload(context, response.chunks_and_siblings);
}

// Spec 8: signed, and failing (3) or (4).
bool response_is_evidence(const Verdict& verdict) {
    return verdict.reason == Reason::kProofLength || verdict.reason == Reason::kBadMultiproof;
}

// --- outcome -------------------------------------------------------------------------------------

// Spec 8, outcome (kind 13).
Bytes Outcome::encode() const {
    Writer w(kOutcomeBytes);
    encode_unsigned(w, *this);
    w.fixed(signature);
    return w.take();
}

Checked<Outcome> Outcome::decode(ByteView body) {
    Reader r(body);
    Outcome o;
    o.id = r.fixed<ChallengeId>();
    o.reveal = r.fixed<Reveal>();
    const std::uint8_t kind = r.u8();
    o.service_us = r.u32();
    o.ping_us = r.u32();
    o.signature = r.fixed<Signature>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    const auto outcome = outcome_kind(kind);
    if (!outcome) return refuse(Reason::kBadOutcome);
    o.outcome = *outcome;
    return o;
}

Digest Outcome::digest() const {
    Writer w(kOutcomeBytes);
    encode_unsigned(w, *this);
    return tagged_hash("availability/outcome", ByteView(w.bytes()));
}

// Spec 8, outcome (4).
Verdict check_challenger_reveal(const OutcomeContext& context, const Reveal& reveal) {
    return check_reveal_of(context.params, context.network_id, context.challenge.challenger,
                           context.base, context.known, context.challenge.height, reveal);
}

// Spec 8, outcome (2) to (4).
Verdict check_outcome(const OutcomeContext& context, const Outcome& outcome) {
    const Challenge& challenge = context.challenge;
    if (outcome.id != challenge.id(context.network_id)) return Reason::kWrongChallenge;
    if (challenge_nonce(outcome.reveal, challenge.chain_id) != challenge.nonce) {
        return Reason::kBadNonce;
    }
    HOLDFAST_REQUIRE_OK(
        verify_signature(challenge.challenger, view(outcome.digest()), outcome.signature));
    return check_challenger_reveal(context, outcome.reveal);
}

// Spec 8, outcome of kind 27.
Bytes Outcome2::encode() const {
    Writer w(kOutcome2Bytes);
    encode_unsigned(w, *this);
    w.fixed(signature);
    return w.take();
}

Checked<Outcome2> Outcome2::decode(ByteView body) {
    Reader r(body);
    Outcome2 o;
    o.id = r.fixed<ChallengeId>();
    o.reveal = r.fixed<Reveal>();
    const std::uint8_t kind = r.u8();
    o.service_us = r.u32();
    o.ping_us = r.u32();
    o.response_hash = r.fixed<Digest>();
    o.response_signature = r.fixed<Signature>();
    o.signature = r.fixed<Signature>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    const auto outcome = outcome_kind(kind);
    if (!outcome) return refuse(Reason::kBadOutcome);
    o.outcome = *outcome;
    const bool nothing = o.response_hash.is_zero() && o.response_signature.is_zero();
    if (!o.has_response() && !nothing) return refuse(Reason::kNotCanonical);
    return o;
}

Digest Outcome2::digest() const {
    Writer w(kOutcome2Bytes);
    encode_unsigned(w, *this);
    return tagged_hash("availability/outcome2", ByteView(w.bytes()));
}

Verdict check_outcome_signatures(const NetworkId& network_id, const Challenge2& challenge,
                                 const PublicKey& prover, const Outcome2& outcome) {
    if (outcome.id != challenge.id(network_id)) return Reason::kWrongChallenge;
    if (challenge_nonce(outcome.reveal, challenge.chain_id) != challenge.nonce) {
        return Reason::kBadNonce;
    }
    HOLDFAST_REQUIRE_OK(
        verify_signature(challenge.challenger, view(outcome.digest()), outcome.signature));
    if (!outcome.has_response()) return Verdict::ok();
    return verify_signature(prover, view(response_digest(outcome.id, outcome.response_hash)),
                            outcome.response_signature);
}

Verdict check_outcome_reveal(const Outcome2Context& context, const Reveal& reveal) {
    return check_reveal_of(context.params, context.network_id, context.challenge.challenger,
                           context.base, context.known, context.challenge.height, reveal);
}

// Spec 8, outcome of kind 27 (2) to (6).
Verdict check_outcome(const Outcome2Context& context, const Outcome2& outcome) {
    HOLDFAST_REQUIRE_OK(
        check_outcome_signatures(context.network_id, context.challenge, context.prover, outcome));
    return check_outcome_reveal(context, outcome.reveal);
}

// Spec 8, audit of an outcome.
bool audit_is_drawn(const NetworkId& network_id, const VdfOutput& y, const ChallengeId& id) {
    return hits(tagged_hash("availability/audit", network_id, y, id), 1, 16);
}

// Spec 8, audit of an outcome (1) to (3).
Verdict check_audited_response(const ResponseContext& context, const Outcome2& outcome,
                               const Response& response) {
    if (outcome.id != context.id) return Reason::kWrongChallenge;
    const bool named = outcome.has_response() && outcome.response_hash == response_hash(response);
    if (!named) return Reason::kWrongResponse;
    const Verdict v = check_response(context, response);
    if (outcome.outcome == OutcomeKind::kServed) return v;
    if (v.accepted()) return Reason::kNoOffence;
    return response_is_evidence(v) ? Verdict::ok() : v;
}

// --- suspension ----------------------------------------------------------------------------------

namespace {

/// Of each challenger its newest outcome.
void keep_newest_of_each(std::vector<OutcomeRecord>& outcomes) {
    // The newest first, so that unique() keeps it; the outcome breaks ties, which a registry that
    // takes one challenge per chain and height never has.
    std::sort(outcomes.begin(), outcomes.end(), [](const OutcomeRecord& a, const OutcomeRecord& b) {
        if (a.challenger != b.challenger) return a.challenger < b.challenger;
        return a.height != b.height ? b.height < a.height : a.outcome < b.outcome;
    });
    const auto same = [](const OutcomeRecord& a, const OutcomeRecord& b) {
        return a.challenger == b.challenger;
    };
    outcomes.erase(std::unique(outcomes.begin(), outcomes.end(), same), outcomes.end());
}

}  // namespace

// Spec 8 and 15.8.
bool suspended_by_quorum(const NetworkParams& params, Height h,
                         std::span<const OutcomeRecord> outcomes) {
    std::vector<OutcomeRecord> newest;
    for (const OutcomeRecord& o : outcomes) {
        if (o.height <= h && o.height + params.quorum_window > h) newest.push_back(o);
    }
    // In version 2 the draw has weighed the challengers already, by what they have at stake.
    if (params.version == kParamsVersion1) keep_newest_of_each(newest);
    std::sort(newest.begin(), newest.end(), [](const OutcomeRecord& a, const OutcomeRecord& b) {
        return a.height != b.height ? b.height < a.height : a.challenger < b.challenger;
    });
    if (newest.size() > params.quorum_of) newest.resize(params.quorum_of);
    const auto accuses = [](const OutcomeRecord& o) {
        return o.outcome == OutcomeKind::kLate || o.outcome == OutcomeKind::kUnreachable;
    };
    return static_cast<std::uint64_t>(std::count_if(newest.begin(), newest.end(), accuses)) >=
           params.quorum;
}

}  // namespace holdfast
