// availability: exchanges with every outcome, drawing, suspension, latency and places.
#include <map>

#include "availability/exchange.hpp"
#include "conformance/replica_case.hpp"
#include "conformance/vector_file.hpp"
#include "core/hash.hpp"
#include "proofs/latency.hpp"
#include "proofs/reveal.hpp"

namespace holdfast::conformance {
namespace {

/// Reveal chains of challengers; one takes 2^20 hashes, and exchanges share their challengers.
class RevealChains {
  public:
    RevealChain& of(const Network& network, const PublicKey& owner, Height base,
                    const KeyPair& key) {
        Digest owner_digest;
        owner_digest.bytes = owner.bytes;
        const auto name = std::tuple{network.id, owner_digest, base};
        const auto found = chains_.find(name);
        if (found != chains_.end()) return found->second;
        return chains_.emplace(name, RevealChain::make(network.id, owner_digest, base, key).value())
            .first->second;
    }

  private:
    std::map<std::tuple<NetworkId, Digest, Height>, RevealChain> chains_;
};

/// The challengers of a case: registrations in force, and the one assigned with its key.
struct Assigned {
    std::vector<PublicKey> in_force;
    Challenger challenger;
    std::optional<KeyPair> key;
    Reveal reveal;
};

Assigned check_challengers(Checker& check, const Value& v, const Network& network,
                           const ChainId& chain_id, Height height, const VdfOutput& y,
                           RevealChains& reveals) {
    std::vector<Challenger> registered;
    for (const Value& c : v["challengers"].items()) {
        const KeyPair key = KeyPair::from_secret(view(c["secret_key"].digest()));
        check.equal(c["public_key"], key.public_key());
        const Height base = c["base"].height();
        const Reveal commitment = reveals.of(network, key.public_key(), base, key).commitment();
        check.equal(c["commitment"], commitment);
        registered.push_back(make_challenger(network.id, commitment, base, BondId{}, key).value());
        check.accepted(c.where(), check_challenger(network.id, registered.back()));
    }
    Assigned out;
    const std::vector<Challenger> in_force = challengers_in_force(registered, height);
    for (const Challenger& c : in_force) out.in_force.push_back(c.key);
    const auto assigned = assigned_challenger(network.id, y, chain_id, out.in_force);
    if (!assigned) v["challengers"].malformed("holds nobody who is in force");
    check.equal(v["assigned"], *assigned);
    for (const Challenger& c : in_force) {
        if (c.key == *assigned) out.challenger = c;
    }
    for (const Value& c : v["challengers"].items()) {
        if (c["public_key"].fixed<PublicKey>() == *assigned) {
            out.key = KeyPair::from_secret(view(c["secret_key"].digest()));
        }
    }
    if (!out.key) v["challengers"].malformed("lacks the key of the one assigned");
    RevealChain& chain = reveals.of(network, *assigned, out.challenger.base, *out.key);
    const std::uint64_t i = height.since(out.challenger.base);
    check.equal(v["reveal_i"], i);
    if (i > kRevealChainLength) v["reveal_i"].malformed("is over 2^20");
    out.reveal = chain.at(i);
    check.equal(v["reveal"], out.reveal);
    return out;
}

struct Exchange {
    const Network& network;
    const SealedCase& sealed;
    Challenge challenge;
    ChallengeId id;
};

void check_challenge_object(Checker& check, const Value& v, const Exchange& x,
                            const Assigned& assigned, const VdfOutput& y) {
    const ChallengeContext context{x.network.params,   x.network.id,           x.challenge.chain_id,
                                   x.challenge.height, x.challenge.block_hash, y,
                                   assigned.in_force};
    check.equal(v["nonce"], x.challenge.nonce);
    check.equal(v["challenge"], x.challenge.encode());
    check.equal(v["id"], x.id);
    check.refusals(v["refused_challenges"], v["challenge"].bytes(), [&](ByteView body) -> Verdict {
        const auto challenge = Challenge::decode(body);
        if (!challenge) return challenge.error();
        return check_challenge(context, *challenge);
    });
}

void check_response_object(Checker& check, const Value& v, const Exchange& x, const VdfOutput& y) {
    const Registration& registration = x.sealed.chain.registration;
    const ResponseContext context{
        x.id, registration.header.prover, registration.sealed_root, registration.header.chunks,
        challenged_chunks(x.network.params, x.network.id, y, x.challenge.chain_id,
                          x.challenge.challenger, x.challenge.nonce, registration.header.chunks)};
    check.equal(v["chunks_selected"], context.selected);
    const Response response = check.need(
        v["response"].where(), make_response(context, x.sealed.replica, x.sealed.chain.key));
    check.equal(v["response"], response.encode());
    check.equal(v["response_sha256"], sha256(v["response"].bytes()));
    check.refusals(v["refused_responses"], v["response"].bytes(), [&](ByteView body) -> Verdict {
        const auto decoded = Response::decode(body);
        if (!decoded) return decoded.error();
        return check_response(context, *decoded);
    });
}

void check_outcomes(Checker& check, const Value& v, const Exchange& x, const Assigned& assigned) {
    const OutcomeContext context{x.network.params, x.network.id, x.challenge,
                                 assigned.challenger.base,
                                 KnownReveal{0, assigned.challenger.commitment}};
    check.refusals(v["refused_reveals"], v["reveal"].bytes(), [&](ByteView bytes) -> Verdict {
        if (bytes.size() != kDigestBytes) return Reason::kTruncated;
        Reader r(bytes);
        return check_challenger_reveal(context, r.fixed<Reveal>());
    });
    for (const Value& o : v["outcomes"].items()) {
        const std::uint8_t kind = o["outcome"].u8();
        if (kind < 1 || kind > 4) o["outcome"].malformed("should be 1 to 4");
        const Outcome own = make_outcome(x.id, assigned.reveal, static_cast<OutcomeKind>(kind),
                                         o["service_us"].u32(), o["ping_us"].u32(), *assigned.key)
                                .value();
        check.equal(o["body"], own.encode());
        check.refusals_if_any(o, "refused", o["body"].bytes(), [&](ByteView body) -> Verdict {
            const auto decoded = Outcome::decode(body);
            if (!decoded) return decoded.error();
            return check_outcome(context, *decoded);
        });
    }
}

void check_exchange(Checker& check, const Value& v, const Network& network, RevealChains& reveals) {
    const SealedCase sealed = check_sealed_chain(check, v, network);
    const Value block = v["block"];
    const Height height = block["height"].height();
    const auto y = block["y"].id<VdfOutput>();
    const Assigned assigned =
        check_challengers(check, v, network, sealed.chain.chain_id, height, y, reveals);
    const Challenge challenge =
        make_challenge(network.id, sealed.chain.chain_id, height,
                       block["block_hash"].id<BlockHash>(), assigned.reveal, *assigned.key)
            .value();
    const Exchange x{network, sealed, challenge, challenge.id(network.id)};
    check_challenge_object(check, v, x, assigned, y);
    check_response_object(check, v, x, y);
    check_outcomes(check, v, x, assigned);
}

void check_drawing(Checker& check, const Value& v, const Network& network) {
    const auto y = v["y"].id<VdfOutput>();
    std::vector<PublicKey> challengers;
    for (const Value& c : v["challengers"].items()) challengers.push_back(c.fixed<PublicKey>());
    for (const Value& draw : v["draws"].items()) {
        const auto chain_id = draw["chain_id"].id<ChainId>();
        const auto nonce = draw["nonce"].id<ChallengeNonce>();
        const auto assigned = assigned_challenger(network.id, y, chain_id, challengers);
        if (!assigned) v["challengers"].malformed("should not be empty");
        check.equal(draw["assigned"], *assigned);
        check.flag(draw["challenged"],
                   challenge_is_drawn(network.params, network.id, y, chain_id, *assigned, nonce));
        check.equal(draw["of_2^20_chunks"],
                    challenged_chunks(network.params, network.id, y, chain_id, *assigned, nonce,
                                      ChunkCount(kMaxChunks)));
    }
}

void check_suspension(Checker& check, const Value& v, const Network& network) {
    std::vector<OutcomeRecord> outcomes;
    for (const Value& o : v["outcomes"].items()) {
        const std::uint8_t kind = o["outcome"].u8();
        if (kind < 1 || kind > 4) o["outcome"].malformed("should be 1 to 4");
        outcomes.push_back({o["height"].height(), o["challenger_pk"].fixed<PublicKey>(),
                            static_cast<OutcomeKind>(kind)});
    }
    const Height h = v["height"].height();
    check.flag(v["suspended"], suspended_by_quorum(network.params, h, outcomes));
    std::reverse(outcomes.begin(), outcomes.end());
    check.flag(v["suspended"], suspended_by_quorum(network.params, h, outcomes));
}

void check_latency(Checker& check, const Value& v) {
    for (const Value& s : v["samples"].items()) {
        const LatencySummary summary =
            check.need(s.where(), summarize_latency(s["samples"].u64s()));
        check.equal(s["minimum"], summary.minimum);
        check.equal(s["median"], summary.median);
        check.flag(s["spread_within"], summary.spread_within);
    }
    for (const Value& s : v["refused_samples"].items()) {
        check.refused(s.where(), verdict_of(summarize_latency(s.u64s())));
    }
    for (const Value& p : v["places"].items()) {
        check.flag(p["possible"], place_possible(p["rtt_ns"].u64(), p["distance_m"].u64()));
    }
}

}  // namespace

void check_availability(Checker& check, const Network& file_network, const Value& cases) {
    RevealChains reveals;
    for (const Value& v : cases["exchanges"].items()) {
        check.run_case(
            v, [&] { check_exchange(check, v, check.network_or(v, file_network), reveals); });
    }
    for (const Value& v : cases["drawing"].items()) {
        check.run_case(v, [&] { check_drawing(check, v, check.network_or(v, file_network)); });
    }
    for (const Value& v : cases["suspension"].items()) {
        check.run_case(v, [&] { check_suspension(check, v, check.network_or(v, file_network)); });
    }
    const Value latency = cases["latency"];
    check.run_case(latency, [&] { check_latency(check, latency); });
}

}  // namespace holdfast::conformance
