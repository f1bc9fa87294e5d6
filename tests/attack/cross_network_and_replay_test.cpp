// Attack 20: one sealed file registered on two networks, and every object taken to another height,
// chain, network, block, anchor, key or format than the one that it was made for.
//
// Cost: nothing. Bound: network_id is in the keystream and in everything that is hashed or signed;
// what the verifier knows itself is compared, never read from the object. The tables say with which
// verdict each move is refused. The naive schemes beside it leave the network out of the keystream,
// and sign a link alone.
#include <gtest/gtest.h>

#include "proofs/seal_proof_verify.hpp"
#include "support/link_world.hpp"
#include "support/registry_world.hpp"
#include "support/signed_objects.hpp"

namespace holdfast::test {
namespace {

// --- one sealed file twice -----------------------------------------------------------------------

/// Naive: the proof opens what was sealed, and whether the keystream is that of this network, key
/// and nonce is not looked at.
bool naive_accepts(const NetworkParams& params, const NetworkId& network_id,
                   const Registration& registration, const SealContext& known, ByteView body) {
    return check_seal_proof(params, network_id, registration, known, body).has_value();
}

Bytes proof_body(const EvidenceWorld& w, const NetworkParams& params, const Registration& r,
                 const VdfOutput& y, const KeyPair& key) {
    SealProof proof = signed_objects::unsigned_seal_proof(w, params, r, y);
    proof.signature = key.sign(view(proof.digest(params.id()))).value();
    return proof.encode();
}

TEST(AttackCrossNetwork, ASealedFileServesOneNetworkOneKeyAndOneNonce) {
    const EvidenceWorld& w = evidence_world();
    struct Row {
        const char* what;
        std::function<void(NetworkParams&, Registration&)> change;
        const KeyPair& key;
        Reason reason;
    };
    const KeyPair other_key = key_of("other prover");
    const Row rows[] = {
        {"as sealed", [](NetworkParams&, Registration&) {}, w.prover, Reason::kOk},
        {"another network", [](NetworkParams& p, Registration&) { p.name = "second"; }, w.prover,
         Reason::kBadSealing},
        {"another key",
         [&](NetworkParams&, Registration& r) { r.header.prover = other_key.public_key(); },
         other_key, Reason::kBadSealing},
        {"another nonce", [](NetworkParams&, Registration& r) { r.header.nonce += 1; }, w.prover,
         Reason::kBadSealing},
    };
    for (const Row& row : rows) {
        NetworkParams params = w.params;
        Registration r = w.registration;
        row.change(params, r);
        const NetworkId id = params.id();
        r = sign_registration(id, r, row.key).value();
        ASSERT_EQ(check_registration(params, id, r), Verdict::ok()) << row.what;
        const Bytes body = proof_body(w, params, r, w.y, row.key);
        const SealContext known{w.height, w.y};
        const Verdict v = must(verify_seal_proof(params, id, r, known, body));
        EXPECT_EQ(v.reason, row.reason) << row.what;
        EXPECT_TRUE(naive_accepts(params, id, r, known, body)) << row.what;
        if (row.reason == Reason::kOk) continue;
        // At the first cell that is compared: nothing of the keystream agrees.
        const SealChallenge drawn = draw_seal_challenge(params, id, r, w.y, SealProofKind::kSeal);
        ASSERT_TRUE(v.index);
        const auto& first = drawn.windows.front();
        EXPECT_EQ(*v.index, first.window.first_cell().value + first.drawn.front()) << row.what;
        // The cell is evidence of its own.
        const auto pending = check_seal_proof(params, id, r, known, body);
        ASSERT_TRUE(pending);
        EXPECT_TRUE(make_bad_seal(r, *pending, CellIndex(*v.index)));
    }
}

// --- every signed object, moved ------------------------------------------------------------------

/// One column of the table: how the verifier's world differs from the one in which the object is
/// true.
struct Move {
    const char* name;
    std::function<void(VerifierView&)> change;
};
const std::vector<Move>& moves() {
    static const std::vector<Move> all = {
        {"network",
         [](VerifierView& v) {
             v.params.name = "another";
             v.network_id = v.params.id();
         }},
        {"chain", [](VerifierView& v) { v.chain_id[0] ^= 1; }},
        {"height", [](VerifierView& v) { v.height = v.height + 101; }},
        {"block",
         [](VerifierView& v) {
             v.block_hash[0] ^= 1;
             v.seed[0] ^= 1;  // what a VDF proof has of the block
         }},
        {"anchor", [](VerifierView& v) { v.anchor[0] ^= 1; }},
        {"key", [](VerifierView& v) { v.signer = key_of("somebody else").public_key(); }},
    };
    return all;
}

constexpr Reason kSig = Reason::kBadSignature;
constexpr Reason kVdf = Reason::kVdfSignature;
constexpr Reason kNone = Reason::kOk;  // the object says nothing of that, or proves it itself

/// In the order of all_signed_objects() and moves().
struct Refusals {
    std::string_view object;
    Reason network, chain, height, block, anchor, key;
};
const Refusals kTable[] = {
    {"registration", kSig, kNone, Reason::kGenesisTooOld, Reason::kWrongBlock, kNone, kNone},
    {"update", kSig, Reason::kWrongChain, Reason::kTooEarly, kNone, kNone, kSig},
    {"removal", kSig, Reason::kWrongChain, Reason::kTooLate, kNone, kNone, kSig},
    // Whose chain it is decides how many hashes there must be, so that the length is what shows.
    {"seal proof", Reason::kTruncated, Reason::kTrailingBytes, Reason::kWrongHeight, kNone, kNone,
     Reason::kTruncated},
    {"receipt", kSig, kSig, Reason::kWrongHeight, kSig, Reason::kWrongAnchor, kSig},
    {"vdf proof", kVdf, kNone, Reason::kWrongHeight, Reason::kVdfInput, kNone, kNone},
    {"vdf segment", kVdf, kNone, kNone, Reason::kVdfInput, kNone, kNone},
    {"vdf end", kVdf, kNone, kNone, Reason::kVdfInput, kNone, kNone},
    {"challenger", kSig, kNone, kNone, kNone, kNone, kNone},
    {"challenge", kSig, Reason::kWrongChain, Reason::kWrongHeight, Reason::kWrongBlock, kNone,
     Reason::kNotAssigned},
    {"response", Reason::kWrongChallenge, Reason::kWrongChallenge, Reason::kWrongChallenge,
     Reason::kWrongChallenge, kNone, kSig},
    {"outcome", Reason::kWrongChallenge, Reason::kWrongChallenge, Reason::kWrongChallenge,
     Reason::kWrongChallenge, kNone, Reason::kWrongChallenge},
    {"checkpoint", kSig, kNone, kNone, Reason::kWrongBlock, kNone, kNone},
    {"equivocation", kSig, Reason::kWrongChain, kNone, kNone, kNone, kSig},
    {"false opening", Reason::kBadLink, Reason::kWrongChain, kNone, Reason::kWrongBlock, kNone,
     kSig},
    {"bad response", kSig, Reason::kWrongChain, kNone, Reason::kWrongBlock, kNone, kSig},
    {"bad response, challenge", kSig, Reason::kWrongChain, kNone, Reason::kWrongBlock, kNone,
     kNone},
    {"checkpoint conflict", kSig, kNone, kNone, kNone, kNone, kNone},
};

TEST(AttackCrossReplay, EverySignedObjectStaysWhereItWasMade) {
    const EvidenceWorld& w = evidence_world();
    const KeyPair key = key_of("whoever signs");
    const SignWith sign = [&](const Digest& d) { return key.sign(view(d)).value(); };
    ASSERT_EQ(std::size(kTable), all_signed_objects().size());
    std::size_t refused = 0;
    for (std::size_t i = 0; i < std::size(kTable); ++i) {
        const SignedObject& object = all_signed_objects()[i];
        const Refusals& row = kTable[i];
        ASSERT_EQ(row.object, object.name);
        const VerifierView home = VerifierView::at(w, key.public_key());
        ASSERT_EQ(object.examine(w, key.public_key(), sign, home), Verdict::ok()) << object.name;
        const Reason expected[] = {row.network, row.chain,  row.height,
                                   row.block,   row.anchor, row.key};
        for (std::size_t m = 0; m < moves().size(); ++m) {
            VerifierView moved = home;
            moves()[m].change(moved);
            EXPECT_EQ(object.examine(w, key.public_key(), sign, moved).reason, expected[m])
                << object.name << " to another " << moves()[m].name;
            refused += expected[m] != kNone ? 1 : 0;
        }
    }
    std::printf("%zu objects, %zu moves that concern them: all refused\n", std::size(kTable),
                refused);
}

// --- links and their proofs ----------------------------------------------------------------------

/// What a verifier of links knows, for a row to change.
struct LinkView {
    NetworkParams params;
    NetworkId network_id;
    KnownChain chain;
    KnownHeight known;
};

TEST(AttackCrossReplay, EveryFieldOfATranscriptIsRefusedWhenItIsFlipped) {
    const LinkWorld world(0);
    const LinkHeight& here = world.heights[world.rich()];
    ASSERT_TRUE(here.has_link());
    const Bytes a_body = here.body("receipt");
    const Bytes b_body = here.body("compact");
    const Bytes c_body = here.body("full");
    const Bytes d_body = here.body("path");
    struct Row {
        const char* field;
        std::function<void(LinkView&)> flip;
        Reason receipt, compact, full, path;
    };
    const Row rows[] = {
        {"nothing", [](LinkView&) {}, kNone, kNone, kNone, kNone},
        {"network", [](LinkView& v) { v.network_id[0] ^= 1; }, kSig, kSig, kSig,
         Reason::kGlobalMismatch},
        {"chain", [](LinkView& v) { v.chain.id[0] ^= 1; }, kSig, Reason::kWrongChain,
         Reason::kWrongChain, kNone},
        {"key", [](LinkView& v) { v.chain.prover = key_of("else").public_key(); }, kSig, kSig, kSig,
         kNone},
        {"height", [](LinkView& v) { v.known.height = v.known.height + 1; }, Reason::kWrongHeight,
         Reason::kWrongHeight, Reason::kWrongHeight, Reason::kGlobalMismatch},
        {"block", [](LinkView& v) { v.known.block_hash[0] ^= 1; }, kSig, kSig, kSig,
         Reason::kGlobalMismatch},
        {"anchor", [](LinkView& v) { v.known.anchor[0] ^= 1; }, Reason::kWrongAnchor,
         Reason::kWrongAnchor, Reason::kWrongAnchor, kNone},
        {"link before", [](LinkView& v) { (*v.known.link_before)[0] ^= 1; }, kNone,
         Reason::kBadLinkBefore, Reason::kBadLinkBefore, kNone},
        {"y", [](LinkView& v) { (*v.known.y)[0] ^= 1; }, kNone, Reason::kSealedMismatch,
         Reason::kSealedMismatch, Reason::kGlobalMismatch},
        {"sealed root", [](LinkView& v) { v.chain.sealed_root[0] ^= 1; }, kNone,
         Reason::kSealedMismatch, Reason::kSealedMismatch, kNone},
        {"reveal", [](LinkView& v) { v.chain.reveals->known.a[0] ^= 1; }, kNone, Reason::kBadReveal,
         Reason::kBadReveal, kNone},
        {"replica", [](LinkView& v) { v.chain.replica_id[0] ^= 1; }, kNone, Reason::kBadReveal,
         Reason::kBadReveal, kNone},
        {"digest", [](LinkView& v) { (*v.known.global)[0] ^= 1; }, kNone, Reason::kGlobalMismatch,
         kNone, Reason::kGlobalMismatch},
        {"digest before", [](LinkView& v) { (*v.known.previous_global)[0] ^= 1; }, kNone,
         Reason::kGlobalMismatch, kNone, Reason::kGlobalMismatch},
        {"no y", [](LinkView& v) { v.known.y.reset(); }, kNone, Reason::kNoEntropy,
         Reason::kNoEntropy, Reason::kGlobalMismatch},
        {"no y of the draw", [](LinkView& v) { v.known.y_compact.reset(); }, kNone,
         Reason::kNoEntropy, kNone, kNone},
        {"no digest", [](LinkView& v) { v.known.global.reset(); }, kNone, Reason::kDigestUnknown,
         kNone, Reason::kDigestUnknown},
    };
    for (const Row& row : rows) {
        LinkView v{world.network.params, world.network.id, world.chain, here.known};
        ASSERT_TRUE(v.chain.reveals && v.known.link_before);
        row.flip(v);
        EXPECT_EQ(verify_receipt(v.network_id, v.chain, v.known, *Receipt::decode(a_body)).reason,
                  row.receipt)
            << row.field;
        EXPECT_EQ(verify_compact(v.params, v.network_id, v.chain, v.known, *Compact::decode(b_body))
                      .reason,
                  row.compact)
            << row.field;
        EXPECT_EQ(
            verify_full(v.params, v.network_id, v.chain, v.known, *Full::decode(c_body)).reason,
            row.full)
            << row.field;
        EXPECT_EQ(verify_path(v.params, v.network_id, v.known, *PathProof::decode(d_body)).reason,
                  row.path)
            << row.field;
    }
}

TEST(AttackCrossReplay, ALinkServesItsOwnHeightAndNoOther) {
    const LinkWorld world(0);
    std::size_t naive = 0;
    std::size_t tried = 0;
    for (const LinkHeight& made : world.heights) {
        if (!made.has_link()) continue;
        for (const LinkHeight& shown : world.heights) {
            if (made.known.height == shown.known.height) continue;
            ++tried;
            const Reason reason = world.receipt(shown.known, made.body("receipt")).reason;
            EXPECT_EQ(reason, Reason::kWrongHeight);
            // With the height rewritten the signature is of another one.
            Receipt moved = *Receipt::decode(made.body("receipt"));
            moved.height = shown.known.height;
            moved.anchor = shown.known.anchor;
            EXPECT_EQ(world.receipt(shown.known, moved.encode()).reason, Reason::kBadSignature);
            // Naive: a signature over the link alone is as good at any height.
            const KeyPair key = key_of("naive");
            const Signature once = key.sign(view(moved.link)).value();
            naive += verify_signature(key.public_key(), view(moved.link), once) ? 1 : 0;
            EXPECT_EQ(world.compact(shown.known, made.body("compact")).reason,
                      Reason::kWrongHeight);
            EXPECT_EQ(world.full(shown.known, made.body("full")).reason, Reason::kWrongHeight);
        }
    }
    std::printf("%zu links at another height: 0 taken; naive scheme: %zu\n", tried, naive);
    EXPECT_GT(tried, 0U);
    EXPECT_EQ(naive, tried);
}

TEST(AttackCrossReplay, ABodyIsOfOneFormat) {
    const LinkWorld world(0);
    const LinkHeight& here = world.heights[world.rich()];
    const std::pair<Kind, Bytes> bodies[] = {{Kind::kReceipt, here.body("receipt")},
                                             {Kind::kCompact, here.body("compact")},
                                             {Kind::kFull, here.body("full")},
                                             {Kind::kPath, here.body("path")}};
    const auto decodes = [](Kind kind, ByteView body) -> bool {
        switch (kind) {
            case Kind::kReceipt:
                return Receipt::decode(body).has_value();
            case Kind::kCompact:
                return Compact::decode(body).has_value();
            case Kind::kFull:
                return Full::decode(body).has_value();
            default:
                return PathProof::decode(body).has_value();
        }
    };
    for (const auto& [made, body] : bodies) {
        const Bytes object = wrap_object(made, body);
        for (const auto& [read, unused] : bodies) {
            EXPECT_EQ(decodes(read, body), made == read);
            const Checked<ByteView> unwrapped = unwrap_object(read, object);
            EXPECT_EQ(unwrapped.has_value(), made == read);
            if (!unwrapped) {
                EXPECT_EQ(unwrapped.error().reason, Reason::kBadKind);
            }
        }
    }
}

}  // namespace
}  // namespace holdfast::test
