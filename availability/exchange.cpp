#include "availability/exchange.hpp"

namespace holdfast {

Result<Challenger> make_challenger(const NetworkId& network_id, const Reveal& commitment,
                                   Height base, const BondId& bond_id, const KeyPair& key) {
    Challenger challenger{key.public_key(), commitment, base, bond_id, {}};
    HOLDFAST_ASSIGN(signature, key.sign(view(challenger.digest(network_id))));
    challenger.signature = signature;
    return challenger;
}

Result<Challenge> make_challenge(const NetworkId& network_id, const ChainId& chain_id,
                                 Height height, const BlockHash& block_hash, const Reveal& reveal,
                                 const KeyPair& key) {
    Challenge challenge{
        chain_id, height, block_hash, key.public_key(), challenge_nonce(reveal, chain_id), {}};
    HOLDFAST_ASSIGN(signature, key.sign(view(challenge.id(network_id))));
    challenge.signature = signature;
    return challenge;
}

Result<Challenge2> make_challenge2(const NetworkId& network_id, const ChainId& chain_id,
                                   Height height, const BlockHash& block_hash, const VdfOutput& y,
                                   const Reveal& reveal, const KeyPair& key) {
    Challenge2 challenge{
        chain_id, height, block_hash, y, key.public_key(), challenge_nonce(reveal, chain_id), {}};
    HOLDFAST_ASSIGN(signature, key.sign(view(challenge.id(network_id))));
    challenge.signature = signature;
    return challenge;
}

// Spec 8, draw: at most one challenge per chain and height.
Verdict ChallengesSeen::admit(const Challenge2& challenge, Height final_tip) {
    HOLDFAST_REQUIRE_OK(check_challenge_arrival(challenge.height, final_tip));
    if (challenge.height != height_) {  // one height at a time is challenged
        height_ = challenge.height;
        chains_.clear();
    }
    return chains_.insert(challenge.chain_id).second ? Reason::kOk : Reason::kDuplicateChallenge;
}

Result<Response> sign_response(const ChallengeId& id, Bytes chunks_and_siblings,
                               const KeyPair& key) {
    Response response{id, std::move(chunks_and_siblings), {}};
    HOLDFAST_ASSIGN(signature, key.sign(view(response.digest())));
    response.signature = signature;
    return response;
}

Result<Response> make_response(const ResponseContext& context, const Replica& replica,
                               const KeyPair& key) {
    const bool same = replica.header().sealed_root == context.sealed_root &&
                      replica.chunks() == context.chunks && key.public_key() == context.prover;
    if (!same) {
        return fail(ErrorCode::kInvalidArgument,
                    replica.path().string() + " is not the replica that was challenged");
    }
    std::vector<std::uint64_t> chunks = context.selected;
    std::sort(chunks.begin(), chunks.end());
    HOLDFAST_ASSIGN(opening, replica.open_chunks(chunks));
    Writer payload(opening.data.size() + opening.siblings.size() * kDigestBytes);
    payload.raw(opening.data).digests(opening.siblings);
    return sign_response(context.id, payload.take(), key);
}

Result<Outcome> make_outcome(const ChallengeId& id, const Reveal& reveal, OutcomeKind outcome,
                             std::uint32_t service_us, std::uint32_t ping_us, const KeyPair& key) {
    Outcome o{id, reveal, outcome, service_us, ping_us, {}};
    HOLDFAST_ASSIGN(signature, key.sign(view(o.digest())));
    o.signature = signature;
    return o;
}

Result<Outcome2> make_outcome2(const ChallengeId& id, const Reveal& reveal, OutcomeKind outcome,
                               std::uint32_t service_us, std::uint32_t ping_us,
                               const Response* response, const KeyPair& key) {
    Outcome2 o{id, reveal, outcome, service_us, ping_us, {}, {}, {}};
    HOLDFAST_CHECK(o.has_response() == (response != nullptr));
    if (response != nullptr) {
        o.response_hash = response_hash(*response);
        o.response_signature = response->signature;
    }
    HOLDFAST_ASSIGN(signature, key.sign(view(o.digest())));
    o.signature = signature;
    return o;
}

}  // namespace holdfast
