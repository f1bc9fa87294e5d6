#include "proofs/seal_proof.hpp"

#include "api/seal_prover.hpp"
#include "core/merkle.hpp"
#include "proofs/seal_proof_verify.hpp"
#include "support/sealed_case.hpp"

namespace holdfast {
namespace {

using nlohmann::json;
using test::fixed;
using test::hex;

struct SealVectors {
    json file = test::load_vectors("seal.json");
    json cases = file["cases"];
    test::VectorNetwork network = test::network_of(file);
};

SealContext context_of(const json& proof, SealProofKind kind) {
    return {Height(proof["height"].get<std::uint64_t>()), fixed<VdfOutput>(proof["y"]), kind};
}

Verdict verify(const SealVectors& v, const Registration& registration, const SealContext& known,
               ByteView body) {
    const auto verdict =
        verify_seal_proof(v.network.params, v.network.id, registration, known, body);
    EXPECT_TRUE(verdict) << verdict.error().message;
    return *verdict;
}

void check_vector_proof(const SealVectors& v, const test::SealedCase& sealed, const json& proof,
                        SealProofKind kind) {
    const SealContext known = context_of(proof, kind);
    const SealChallenge challenge =
        draw_seal_challenge(v.network.params, v.network.id, sealed.registration, known.y, kind);
    EXPECT_EQ(challenge.s, fixed<Entropy>(proof["s"]));
    ASSERT_EQ(challenge.windows.size(), proof["windows"].size());
    for (std::size_t n = 0; n < challenge.windows.size(); ++n) {
        auto [window, drawn] = challenge.windows[n];
        EXPECT_EQ(window.index, proof["windows"][n].get<std::uint64_t>());
        for (std::uint64_t& cell : drawn) cell += window.first_cell().value;
        EXPECT_EQ(drawn, proof["cells"][n].get<std::vector<std::uint64_t>>());
    }
    const Bytes body = hex(proof["body"]);
    EXPECT_EQ(challenge.body_bytes(), body.size());

    const auto made = make_seal_proof(v.network.params, v.network.id, sealed.registration,
                                      *sealed.replica, known.y_height, known.y, kind, sealed.key);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->encode(), body);
    EXPECT_EQ(*SealProof::decode(body, challenge), *made);
    test::expect_refused(proof["refused"], body, [&](ByteView bytes) {
        return verify(v, sealed.registration, known, bytes);
    });
}

TEST(SealProof, ProofsAndAuditsOfTheVectors) {
    const SealVectors v;
    for (const auto& c : v.cases["replicas"]) {
        const test::SealedCase sealed(v.network, c);
        ASSERT_TRUE(sealed.replica);
        EXPECT_EQ(sealed.replica->header().sealed_root, fixed<Root>(c["sealed_root"]));
        check_vector_proof(v, sealed, c["proof"], SealProofKind::kSeal);
        check_vector_proof(v, sealed, c["audit"], SealProofKind::kAudit);
    }
}

TEST(SealProof, UnsealedCellsAreFoundByTheFillAlone) {
    const SealVectors v;
    const json& c = v.cases["unsealed"];
    const Registration registration = *Registration::decode(hex(c["registration"]));
    const SealContext known = context_of(c, SealProofKind::kSeal);
    ASSERT_TRUE(check_registration(v.network.params, v.network.id, registration));
    const Bytes body = hex(c["body"]);
    const auto pending =
        check_seal_proof(v.network.params, v.network.id, registration, known, body);
    ASSERT_TRUE(pending) << "signature and multiproofs hold";
    const Verdict verdict = verify(v, registration, known, body);
    EXPECT_EQ(verdict.reason, Reason::kBadSealing);

    // The cell that the verdict names is the first bad one in the order of selection.
    ASSERT_TRUE(verdict.index.has_value());
    const auto& drawn = pending->challenge.windows.at(0);
    auto memory = FillMemory::allocate(drawn.window.bytes());
    ASSERT_TRUE(memory);
    const MutByteView window(memory->data(), drawn.window.bytes());
    const auto again = check_sealed_window(*pending, 0, window);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, verdict);
    for (const std::uint64_t cell : drawn.drawn) {
        const std::uint64_t of_replica = drawn.window.first_cell().value + cell;
        if (of_replica == *verdict.index) break;
        const auto& cells = pending->challenge.cells;
        const auto at = static_cast<std::size_t>(
            std::lower_bound(cells.begin(), cells.end(), of_replica) - cells.begin());
        for (std::size_t i = 0; i < kCellBytes; ++i) {
            ASSERT_EQ(pending->proof.raw_cells[at * kCellBytes + i] ^ window[cell * kCellBytes + i],
                      pending->proof.sealed_cells[at * kCellBytes + i]);
        }
    }
}

TEST(SealProof, ChecksComeInTheOrderOfTheSpec) {
    const SealVectors v;
    const json& c = v.cases["replicas"][1];
    const test::SealedCase sealed(v.network, c);
    const SealContext known = context_of(c["proof"], SealProofKind::kSeal);
    const Registration& registration = sealed.registration;
    const SealChallenge challenge =
        draw_seal_challenge(v.network.params, v.network.id, registration, known.y, known.kind);
    const SealProof good = *SealProof::decode(hex(c["proof"]["body"]), challenge);
    const auto reason = [&](SealProof bad, const SealContext& at, bool sign) {
        if (sign) bad.signature = sealed.key.sign(view(bad.digest(v.network.id))).value();
        return verify(v, registration, at, bad.encode()).reason;
    };
    const auto change = [&](auto apply) {
        SealProof bad = good;
        apply(bad);
        return bad;
    };
    EXPECT_EQ(reason(good, known, true), Reason::kOk);

    Registration foreign = registration;
    foreign.header.seal.work_blocks = UINT64_MAX;
    EXPECT_EQ(verify(v, foreign, known, {}).reason, Reason::kSealPolicy);
    EXPECT_EQ(verify(v, registration, known, {}).reason, Reason::kTruncated);
    EXPECT_EQ(reason(change([](auto& p) { p.sealed_siblings.emplace_back(); }), known, true),
              Reason::kTrailingBytes);
    EXPECT_EQ(reason(change([](auto& p) { p.chain_id[0] ^= 1; }), known, true),
              Reason::kWrongChain);
    EXPECT_EQ(reason(change([](auto& p) { ++p.y_height; }), known, true), Reason::kWrongHeight);
    const auto flip_all = [](auto& p) {
        p.raw_cells[0] ^= 1;
        p.sealed_cells[0] ^= 1;
    };
    EXPECT_EQ(reason(change(flip_all), known, false), Reason::kBadSignature);
    EXPECT_EQ(reason(change(flip_all), known, true), Reason::kRawMismatch);
    EXPECT_EQ(reason(change([](auto& p) { p.sealed_cells[0] ^= 1; }), known, true),
              Reason::kSealedMismatch);
    EXPECT_EQ(reason(change([](auto& p) { p.sealed_siblings[0][0] ^= 1; }), known, true),
              Reason::kSealedMismatch);
    SealContext other = known;
    other.y[0] ^= 1;
    EXPECT_FALSE(verify(v, registration, other, good.encode()));
    other = known;
    other.kind = SealProofKind::kAudit;
    EXPECT_EQ(verify(v, registration, other, good.encode()).reason, Reason::kTrailingBytes);
}

TEST(SealProof, TheMakerRefusesWhatDoesNotBelongTogether) {
    const SealVectors v;
    const test::SealedCase sealed(v.network, v.cases["replicas"][0]);
    const auto make = [&](const Registration& registration, const KeyPair& key) {
        return make_seal_proof(v.network.params, v.network.id, registration, *sealed.replica,
                               Height(1), VdfOutput(), SealProofKind::kAudit, key);
    };
    EXPECT_TRUE(make(sealed.registration, sealed.key));
    const KeyPair stranger = KeyPair::from_secret(Bytes(32, 9));
    EXPECT_EQ(make(sealed.registration, stranger).error().code, ErrorCode::kInvalidArgument);
    Registration other = sealed.registration;
    other.sealed_root[0] ^= 1;
    EXPECT_EQ(make(other, sealed.key).error().code, ErrorCode::kInvalidArgument);
    other = sealed.registration;
    other.header.seal.work_blocks += 1;
    EXPECT_EQ(make(other, sealed.key).error().verdict.reason, Reason::kSealPolicy);
}

TEST(SealProof, AStoppedFillIsAnErrorAndNoVerdict) {
    const SealVectors v;
    const json& c = v.cases["replicas"][0];
    const Registration registration = *Registration::decode(hex(c["registration"]));
    FillOptions options;
    options.stop = [] { return true; };
    const auto stopped = verify_seal_proof(v.network.params, v.network.id, registration,
                                           context_of(c["proof"], SealProofKind::kSeal),
                                           hex(c["proof"]["body"]), options);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
}

TEST(SealProof, AuditsOfTheVectors) {
    const SealVectors v;
    const json& audits = v.cases["audits"];
    for (const auto& draw : audits["draws"]) {
        for (std::size_t i = 0; i < audits["chain_ids"].size(); ++i) {
            EXPECT_EQ(is_audited(v.network.params, v.network.id, fixed<VdfOutput>(draw["y"]),
                                 fixed<ChainId>(audits["chain_ids"][i]),
                                 draw["total_chains"].get<std::uint64_t>()),
                      draw["audited"][i].get<bool>());
        }
    }
}

}  // namespace
}  // namespace holdfast
