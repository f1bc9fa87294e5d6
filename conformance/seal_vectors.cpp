// seal: replicas and their windows, registrations, seal proofs, audits, updates, removals.
#include "api/seal_prover.hpp"
#include "conformance/replica_case.hpp"
#include "conformance/vector_file.hpp"
#include "core/hash.hpp"
#include "core/keystream.hpp"
#include "proofs/reveal.hpp"
#include "proofs/seal_proof.hpp"
#include "proofs/seal_proof_verify.hpp"

namespace holdfast::conformance {
namespace {

void check_windows(Checker& check, const Value& list, const ChainCase& chain) {
    const ReplicaHeader& header = chain.registration.header;
    const WindowPlan plan(header.chunks, header.seal);
    const std::vector<Value> windows = list.items();
    check.holds(list.where(), windows.size() == plan.count(),
                "computed " + std::to_string(plan.count()) + " windows");
    for (std::size_t w = 0; w < windows.size() && w < plan.count(); ++w) {
        const Value& v = windows[w];
        const Window window = plan.window(w);
        check.equal(v["first_chunk"], window.first.value);
        check.equal(v["chunks"], window.chunks.value);
        check.equal(v["passes"], std::uint64_t{window.passes});
        const FillMemory memory = check.need(v.where(), FillMemory::allocate(window.bytes()));
        const MutByteView bytes{memory.data(), static_cast<std::size_t>(memory.size())};
        FillOptions options;
        options.stop = check.stop();
        check.need(v.where(), fill_keystream(chain.replica_id, window, bytes, options));
        check.equal(v["keystream_sha256"], sha256(bytes));
    }
}

Verdict verify(Checker& check, const Value& v, const Network& network, const ChainCase& chain,
               const SealContext& known, ByteView body) {
    FillOptions options;
    options.stop = check.stop();
    return check.need(v.where(), verify_seal_proof(network.params, network.id, chain.registration,
                                                   known, body, options));
}

/// A seal proof (SealProofKind::kSeal) or an answer to an audit.
void check_proof(Checker& check, const Value& v, const Network& network, const SealedCase& sealed,
                 SealProofKind kind) {
    const SealContext known{v["height"].height(), v["y"].id<VdfOutput>(), kind};
    const SealChallenge challenge =
        draw_seal_challenge(network.params, network.id, sealed.chain.registration, known.y, kind);
    check.equal(v["s"], challenge.s);
    check.equal(v["s"], seal_entropy(network.id, sealed.chain.chain_id, known.y));
    std::vector<std::uint64_t> windows;
    for (const auto& drawn : challenge.windows) windows.push_back(drawn.window.index);
    check.equal(v["windows"], windows);
    const std::vector<Value> cells = v["cells"].items();
    check.holds(v["cells"].where(), cells.size() == challenge.windows.size(),
                "should have a list of cells per window");
    for (std::size_t i = 0; i < cells.size() && i < challenge.windows.size(); ++i) {
        // The file counts from the replica's first cell.
        std::vector<std::uint64_t> of_replica = challenge.windows[i].drawn;
        for (std::uint64_t& cell : of_replica) {
            cell += challenge.windows[i].window.first_cell().value;
        }
        check.equal(cells[i], of_replica);
    }
    const SealProof proof =
        check.need(v.where(), make_seal_proof(network.params, network.id, sealed.chain.registration,
                                              sealed.replica, known.y_height, known.y, kind,
                                              sealed.chain.key));
    check.equal(v["body"], proof.encode());
    check.refusals_if_any(v, "refused", v["body"].bytes(), [&](ByteView body) {
        return verify(check, v, network, sealed.chain, known, body);
    });
}

void check_registrations(Checker& check, const Value& v, const Network& network) {
    check.refusals(v["refused_registrations"], v["registration"].bytes(),
                   [&](ByteView body) -> Verdict {
                       const auto decoded = Registration::decode(body);
                       if (!decoded) return decoded.error();
                       return check_registration(network.params, network.id, *decoded);
                   });
}

void check_acceptances(Checker& check, const Value& list, const Registration& registration) {
    for (const Value& v : list.items()) {
        const Verdict verdict =
            check_acceptance(registration, v["block_hash"].id<BlockHash>(), v["height"].height());
        check.flag(v["accepted"], verdict.accepted());
    }
}

void check_updates(Checker& check, const Value& v, const Network& network, const ChainCase& chain) {
    const Height accepted = v["accepted_height"].height();
    const Height effective = v["effective_height"].height();
    const ChainHistory history{chain.chain_id, chain.key.public_key(), v["last_sequence"].u32(),
                               chain.registration.genesis_height};
    RevealChain reveals =
        RevealChain::make(network.id, chain.replica_id, effective, chain.key).value();
    const std::vector<Value> elements = v["a"].items();
    if (elements.size() > kRevealChainLength) v["a"].malformed("has more than 2^20 elements");
    for (std::size_t i = 0; i < elements.size(); ++i) check.equal(elements[i], reveals.at(i));

    const Update update = make_update(network.id, chain.chain_id, history.last_sequence + 1,
                                      effective, reveals.commitment(), chain.key)
                              .value();
    check.equal(v["update"], update.encode());
    check.refusals(v["refused_updates"], v["update"].bytes(), [&](ByteView body) -> Verdict {
        const auto decoded = Update::decode(body);
        if (!decoded) return decoded.error();
        return check_update(network.params, network.id, *decoded, history, accepted);
    });

    const Removal removal =
        make_removal(network.id, chain.chain_id, history.last_sequence + 1,
                     check.need(v["removal"].where(), Removal::decode(v["removal"].bytes())).height,
                     chain.key)
            .value();
    check.equal(v["removal"], removal.encode());
    check.refusals(v["refused_removals"], v["removal"].bytes(), [&](ByteView body) -> Verdict {
        const auto decoded = Removal::decode(body);
        if (!decoded) return decoded.error();
        return check_removal(network.id, *decoded, history, accepted);
    });
}

void check_replica(Checker& check, const Value& v, const Network& network) {
    const SealedCase sealed = check_sealed_chain(check, v, network);
    check_windows(check, v["windows"], sealed.chain);
    check.equal(v["sealed_sha256"], sha256(read_sealed(check, v, sealed.replica)));
    check_proof(check, v["proof"], network, sealed, SealProofKind::kSeal);
    check_proof(check, v["audit"], network, sealed, SealProofKind::kAudit);
    if (v.has("refused_registrations")) check_registrations(check, v, network);
    if (v.has("acceptances")) {
        check_acceptances(check, v["acceptances"], sealed.chain.registration);
    }
    if (v.has("update")) check_updates(check, v, network, sealed.chain);
}

/// A signed proof over a replica that is not what it should be: only the fill can tell.
void check_unsealed_replica(Checker& check, const Value& v, const Network& network) {
    const ChainCase chain = check_chain(check, v, network);
    const SealContext known{v["height"].height(), v["y"].id<VdfOutput>(), SealProofKind::kSeal};
    const Verdict verdict = verify(check, v, network, chain, known, v["body"].bytes());
    check.holds(v["body"].where() + " (" + v["why"].text() + ")",
                verdict.reason == Reason::kBadSealing,
                "expected refusal for its sealing, got \"" + to_string(verdict) + "\"");
}

void check_audits(Checker& check, const Value& v, const Network& network) {
    const std::vector<Digest> chains = v["chain_ids"].digests();
    for (const Value& draw : v["draws"].items()) {
        const std::vector<Value> audited = draw["audited"].items();
        check.holds(draw.where(), audited.size() == chains.size(), "should tell every chain");
        for (std::size_t i = 0; i < audited.size() && i < chains.size(); ++i) {
            check.flag(audited[i], is_audited(network.params, network.id, draw["y"].id<VdfOutput>(),
                                              ChainId(chains[i]), draw["total_chains"].u64()));
        }
    }
}

}  // namespace

void check_seal(Checker& check, const Network& file_network, const Value& cases) {
    for (const Value& v : cases["replicas"].items()) {
        check.run_case(v, [&] { check_replica(check, v, check.network_or(v, file_network)); });
    }
    const Value unsealed = cases["unsealed"];
    check.run_case(unsealed, [&] {
        check_unsealed_replica(check, unsealed, check.network_or(unsealed, file_network));
    });
    const Value audits = cases["audits"];
    check.run_case(audits,
                   [&] { check_audits(check, audits, check.network_or(audits, file_network)); });
}

}  // namespace holdfast::conformance
