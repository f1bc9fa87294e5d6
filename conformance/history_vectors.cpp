// history: parameters of version 2, the operator's journal and its heads, challenges and outcomes
// of version 2.
#include "conformance/vector_file.hpp"
#include "core/merkle.hpp"
#include "proofs/availability_verify.hpp"
#include "proofs/evidence_verify.hpp"
#include "proofs/journal.hpp"

namespace holdfast::conformance {
namespace {

void check_parameters(Checker& check, const Value& v, const Network&) {
    const Bytes body = v["body"].bytes();
    const NetworkParams params = check.need(v["body"].where(), NetworkParams::decode(body));
    check.equal(v["body"], params.encode());
    check.equal(v["network_id"], params.id());
    check.refusals_if_any(v, "refused", body,
                          [](ByteView bytes) { return verdict_of(NetworkParams::decode(bytes)); });
}

// --- the journal ---------------------------------------------------------------------------------

void check_journal(Checker& check, const Value& v) {
    std::vector<Digest> leaves;
    for (const Value& told : v["entries"].items()) {
        const HistoryEntry entry = check.need(told.where(), decode_entry(told.bytes()));
        check.equal(told, encode_entry(entry));
        leaves.push_back(entry_hash(told.bytes()));
    }
    check.equal(v["leaves"], leaves);
    for (const Value& told : v["refused_entries"].items()) {
        check.refused(told.where(), verdict_of(decode_entry(told.bytes())));
    }
    const Value roots = v["roots"];
    if (roots.size() != leaves.size() + 1) roots.malformed("should be one for each size");
    const MerkleTree whole(leaves);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        check.equal(v["paths"][i], whole.path(i));
        JournalHead head;
        head.size = leaves.size();
        head.root = Root(roots[leaves.size()].digest());
        check.accepted(v["paths"][i].where(),
                       check_entry(head, i, v["entries"][i].bytes(), v["paths"][i].digests()));
    }
    for (std::size_t n = 0; n <= leaves.size(); ++n) {
        const MerkleTree tree(std::vector<Digest>(leaves.begin(), leaves.begin() + n));
        check.equal(roots[n], tree.root());
        for (std::size_t m = 0; m <= n; ++m) {
            const Value told = v["consistency"][n][m];
            check.equal(told, check.need(told.where(), make_consistency(tree, m)));
            check.accepted(told.where(), check_consistency(m, roots[m].digest(), n,
                                                           roots[n].digest(), told.digests()));
        }
    }
}

void check_heads(Checker& check, const Value& v, const Network& network) {
    const KeyPair key = KeyPair::from_secret(view(v["secret_key"].digest()));
    JournalHead head;
    head.height = v["height"].height();
    head.block_hash = v["block_hash"].id<BlockHash>();
    head.global = v["global"].id<GlobalDigest>();
    head.state = v["state"].digest();
    head.size = v["size"].u64();
    head.root = v["root"].id<Root>();
    head = sign_head(network.id, head, key).value();
    check.equal(v["signed"], head.digest(network.id));
    check.equal(v["body"], head.encode());
    check.refusals_if_any(v, "refused", v["body"].bytes(), [&](ByteView body) -> Verdict {
        const auto decoded = JournalHead::decode(body);
        if (!decoded) return decoded.error();
        return check_head(network.params, network.id, *decoded);
    });
}

void check_head_conflict(Checker& check, const Value& v, const Network& network) {
    const Bytes body = v["body"].bytes();
    const std::string where = v["body"].where() + " (" + v["offence"].text() + ")";
    const Evidence evidence = check.need(where, Evidence::decode(body));
    check.equal(v["body"], evidence.encode());
    check.equal(v["offence_id"], accused_offence(network.id, evidence).id(network.id));
    const EvidenceFacts facts{network.params, network.id, {}, {}, {}, {}, {}};
    check.refusals_if_any(v, "refused", body, [&](ByteView bytes) -> Verdict {
        const auto decoded = Evidence::decode(bytes);
        if (!decoded) return decoded.error();
        return judge_without_fill(facts, *decoded);
    });
}

// --- availability --------------------------------------------------------------------------------

void check_outcome_case(Checker& check, const Value& v, const Network& network,
                        const Challenge2& challenge, const Reveal& commitment) {
    // The challenger's base is the height itself, so that the reveal is the commitment.
    const Outcome2Context context{network.params,   network.id,
                                  challenge,        v["prover_pk"].fixed<PublicKey>(),
                                  challenge.height, {0, commitment}};
    const Bytes body = v["body"].bytes();
    const Outcome2 outcome = check.need(v["body"].where(), Outcome2::decode(body));
    check.equal(v["body"], outcome.encode());
    check.equal(v["outcome"], static_cast<std::uint64_t>(outcome.outcome));
    check.refusals_if_any(v, "refused", body, [&](ByteView bytes) -> Verdict {
        const auto decoded = Outcome2::decode(bytes);
        if (!decoded) return decoded.error();
        return check_outcome(context, *decoded);
    });
}

void check_challenges(Checker& check, const Value& v, const Network& network) {
    std::vector<ChallengerPart> in_force;
    for (const Value& c : v["challengers"].items()) {
        in_force.push_back({c["challenger_pk"].fixed<PublicKey>(), c["part"].u64()});
    }
    const ChallengerDraw draw(std::move(in_force));
    const Challenge2Context known{network.params,
                                  network.id,
                                  v["chain_id"].id<ChainId>(),
                                  v["height"].height(),
                                  v["block_hash"].id<BlockHash>(),
                                  v["y"].id<VdfOutput>(),
                                  draw};
    check.equal(v["assigned"],
                draw.assigned(network.id, known.y, known.chain_id).value_or(PublicKey()));
    const KeyPair key = KeyPair::from_secret(view(v["secret_key"].digest()));
    const auto reveal = v["reveal"].id<Reveal>();
    Challenge2 challenge{known.chain_id,
                         known.height,
                         known.block_hash,
                         known.y,
                         key.public_key(),
                         challenge_nonce(reveal, known.chain_id),
                         {}};
    challenge.signature = key.sign(view(challenge.id(network.id))).value();
    check.equal(v["nonce"], challenge.nonce);
    check.equal(v["id"], challenge.id(network.id));
    check.equal(v["body"], challenge.encode());
    check.refusals_if_any(v, "refused", v["body"].bytes(), [&](ByteView body) -> Verdict {
        const auto decoded = Challenge2::decode(body);
        if (!decoded) return decoded.error();
        return check_challenge(known, *decoded);
    });
    for (const Value& outcome : v["outcomes"].items()) {
        check_outcome_case(check, outcome, network, challenge, reveal);
    }
}

void check_audit(Checker& check, const Value& v, const Network& network) {
    check.flag(v["drawn"],
               audit_is_drawn(network.id, v["y"].id<VdfOutput>(), v["id"].id<ChallengeId>()));
}

}  // namespace

void check_history(Checker& check, const Network& network, const Value& cases) {
    check_cases(check, cases["parameters"], network, check_parameters);
    const Value journal = cases["journal"];
    check.run_case(journal, [&] { check_journal(check, journal); });
    check_cases(check, cases["heads"], network, check_heads);
    check_cases(check, cases["head_conflicts"], network, check_head_conflict);
    check_cases(check, cases["challenges"], network, check_challenges);
    check_cases(check, cases["audits"], network, check_audit);
}

}  // namespace holdfast::conformance
