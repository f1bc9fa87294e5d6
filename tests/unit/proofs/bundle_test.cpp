#include "proofs/bundle_verify.hpp"

#include <gtest/gtest.h>

#include "support/evidence_world.hpp"

namespace holdfast {
namespace {

using namespace test;

std::vector<BundleEntry> entries(std::size_t n) {
    std::vector<BundleEntry> out;
    for (std::uint64_t i = 0; i < n; ++i) {
        out.push_back({ChainId(tagged_hash("test/chain", i)), Link(tagged_hash("test/link", i))});
    }
    return out;
}

KnownHeight known_height() {
    KnownHeight known;
    known.height = evidence_world().height;
    known.block_hash = evidence_world().block_hash;
    known.anchor = evidence_world().anchor;
    return known;
}

Result<Bundle> bundle_of(std::vector<BundleEntry> members,
                         const KeyPair& key = evidence_world().prover) {
    const EvidenceWorld& w = evidence_world();
    return make_bundle(w.network_id, w.block_hash, w.height, w.anchor, std::move(members), key);
}

TEST(Bundle, MembersComeInOneOrderAndEveryOneStandsAlone) {
    std::vector<BundleEntry> backwards = entries(37);
    std::reverse(backwards.begin(), backwards.end());
    const Bundle bundle = *bundle_of(entries(37));
    EXPECT_EQ(bundle, *bundle_of(backwards));
    EXPECT_EQ(bundle.encode().size(), 140U + 64 * 37);
    EXPECT_EQ(verify_bundle(evidence_world().network_id, known_height(), bundle), Verdict::ok());
    const BundleTree tree(bundle);
    for (std::uint32_t i = 0; i < 37; ++i) {
        const Member member = tree.member(i);
        EXPECT_EQ(member.encode().size(), 176 + 32 * path_length(37, i));
        KnownChain chain;
        chain.id = member.chain_id;
        chain.prover = evidence_world().prover.public_key();
        EXPECT_EQ(verify_member(evidence_world().network_id, chain, known_height(), member),
                  Verdict::ok());
        chain.prover = key_of("another").public_key();
        EXPECT_EQ(verify_member(evidence_world().network_id, chain, known_height(), member),
                  Reason::kBadSignature);
        chain.id = ChainId{};
        EXPECT_EQ(verify_member(evidence_world().network_id, chain, known_height(), member),
                  Reason::kWrongChain);
    }
}

TEST(Bundle, HasOneTo16384Members) {
    EXPECT_EQ(bundle_of({}).error().verdict, Reason::kBadField);
    EXPECT_TRUE(bundle_of(entries(kBundleMaxMembers)));
    EXPECT_EQ(bundle_of(entries(kBundleMaxMembers + 1)).error().verdict, Reason::kTooLarge);
    Bundle bundle = *bundle_of(entries(1));
    bundle.members.clear();
    EXPECT_EQ(Bundle::decode(bundle.encode()).error(), Reason::kBadField);
    Bytes body = bundle_of(entries(2))->encode();
    body[72 + 3] = 0x80;  // n of more than 2^31 allocates nothing
    EXPECT_EQ(Bundle::decode(body).error(), Reason::kTooLarge);
    body[72 + 3] = 0;
    body[72] = 3;  // the third member would take the signature's place
    EXPECT_EQ(Bundle::decode(body).error(), Reason::kTruncated);
}

TEST(Bundle, OneChainStandsInItOnce) {
    std::vector<BundleEntry> twice = entries(3);
    twice.push_back({twice[1].chain_id, Link{}});
    EXPECT_EQ(bundle_of(twice).error().verdict.reason, Reason::kMemberOrder);
    Bundle bundle = *bundle_of(entries(3));
    std::swap(bundle.members[1], bundle.members[2]);
    EXPECT_EQ(Bundle::decode(bundle.encode()).error(), Verdict(Reason::kMemberOrder, 2));
}

TEST(Bundle, EachRefusalHasItsReason) {
    const EvidenceWorld& w = evidence_world();
    const Bundle bundle = *bundle_of(entries(3));
    const auto moved = [&](void (*change)(KnownHeight&)) {
        KnownHeight known = known_height();
        change(known);
        return verify_bundle(w.network_id, known, bundle).reason;
    };
    EXPECT_EQ(moved([](KnownHeight& k) { k.height = k.height + 1; }), Reason::kWrongHeight);
    EXPECT_EQ(moved([](KnownHeight& k) { k.anchor[0] ^= 1; }), Reason::kWrongAnchor);
    EXPECT_EQ(moved([](KnownHeight& k) { k.block_hash[0] ^= 1; }), Reason::kBadSignature);
    EXPECT_EQ(verify_bundle(NetworkId{}, known_height(), bundle), Reason::kBadSignature);
    Bundle small_order = bundle;
    small_order.prover = PublicKey{};
    EXPECT_EQ(verify_bundle(w.network_id, known_height(), small_order), Reason::kBadKey);
}

TEST(Member, LengthsFollowFromNAndIndex) {
    const Bundle bundle = *bundle_of(entries(5));
    const Member member = BundleTree(bundle).member(4);
    EXPECT_EQ(member.bundled.path.size(), 1U);
    Member other = member;
    other.bundled.index = 5;
    EXPECT_EQ(Member::decode(other.encode()).error(), Reason::kBadIndex);
    other.bundled.index = 3;
    EXPECT_EQ(Member::decode(other.encode()).error(), Reason::kTruncated);
    other.bundled.n = kBundleMaxMembers + 1;
    EXPECT_EQ(Member::decode(other.encode()).error(), Reason::kTooLarge);
    other.bundled.n = 0;
    EXPECT_EQ(Member::decode(other.encode()).error(), Reason::kBadField);
}

// --- evidence with bundles -----------------------------------------------------------------------

/// A member of a bundle of five in which the world's chain stands with this link.
BundledLink bundled(const Link& link) {
    const EvidenceWorld& w = evidence_world();
    std::vector<BundleEntry> members = entries(4);
    members.push_back({w.chain_id, link});
    const Bundle bundle = *bundle_of(std::move(members));
    for (std::uint32_t i = 0; i < 5; ++i) {
        if (bundle.members[i].chain_id == w.chain_id) return BundleTree(bundle).member(i).bundled;
    }
    return {};
}

TEST(EvidenceOfBundles, AnEquivocationIsOneOffenceInEveryForm) {
    const EvidenceWorld& w = evidence_world();
    const Link a(sha256(view("a")));
    const Link b(sha256(view("b")));
    const Evidence receipts =
        make_equivocation(w.chain_id, w.block_hash, w.receipt("a"), w.receipt("b"));
    EXPECT_EQ(receipts.kind(), EvidenceKind::kEquivocation);
    const LinkStatement forms[][2] = {
        {w.receipt("a"), bundled(b)}, {bundled(a), w.receipt("b")}, {bundled(a), bundled(b)}};
    for (const auto& pair : forms) {
        const Evidence evidence = make_equivocation(w.chain_id, w.block_hash, pair[0], pair[1]);
        EXPECT_EQ(evidence, make_equivocation(w.chain_id, w.block_hash, pair[1], pair[0]));
        EXPECT_EQ(evidence.kind(), EvidenceKind::kBundledEquivocation);
        const Judgement judgement = w.judged(evidence);
        EXPECT_EQ(judgement.verdict, Verdict::ok());
        EXPECT_EQ(judgement.offence, (Offence{EvidenceKind::kEquivocation, w.chain_id, w.height}));
        EXPECT_EQ(judgement.id, w.judged(receipts).id);
        expect_flips_refused(evidence);
    }
}

TEST(EvidenceOfBundles, TheSameLinkInTwoFormsIsNoOffence) {
    const EvidenceWorld& w = evidence_world();
    EXPECT_EQ(w.reason(make_equivocation(w.chain_id, w.block_hash, w.receipt("a"),
                                         bundled(Link(sha256(view("a")))))),
              Reason::kEvidenceOrder);
}

TEST(EvidenceOfBundles, TwoReceiptsAreRefusedAsKind9) {
    const EvidenceWorld& w = evidence_world();
    Writer inner;
    inner.fixed(w.chain_id).fixed(w.block_hash);
    for (const char* link : {"a", "b"}) {
        inner.u8(1).raw(w.receipt(link).encode());
    }
    Writer body;
    body.u8(9).u64(inner.bytes().size()).raw(inner.bytes());
    EXPECT_EQ(Evidence::decode(body.bytes()).error(), Reason::kBadKind);
}

TEST(EvidenceOfBundles, ABadOpeningIsOneOffenceInBothForms) {
    const EvidenceWorld& w = evidence_world();
    const Entropy e = w.honest_e();
    auto openings = w.honest_openings(e);
    openings[7][0] ^= 1;
    Evidence evidence = w.accuse_opening(e, openings, 7);
    const OffenceId by_receipt = w.judged(evidence).id;
    auto& claim = std::get<FalseOpening>(evidence.body).claim;
    claim.statement = bundled(link_of(claim.statement));
    EXPECT_EQ(evidence.kind(), EvidenceKind::kBundledBadOpening);
    const Judgement judgement = w.judged(evidence);
    EXPECT_EQ(judgement.verdict, Verdict::ok());
    EXPECT_EQ(judgement.id, by_receipt);
    expect_flips_refused(evidence, 7);

    Evidence honest = w.accuse_opening(e, w.honest_openings(e), 7);
    auto& own = std::get<FalseOpening>(honest.body).claim;
    own.statement = bundled(link_of(own.statement));
    EXPECT_EQ(w.reason(honest), Reason::kNoOffence);
}

TEST(EvidenceOfBundles, AFalseEIsJudgedWithTheVerifiersOwnY) {
    const EvidenceWorld& w = evidence_world();
    LinkClaim claim = w.claim(Entropy{}, Digest{});
    claim.statement = bundled(link_of(claim.statement));
    const Evidence evidence = make_false_entropy(claim, w.reveal());
    EXPECT_EQ(evidence.kind(), EvidenceKind::kBundledBadOpening);
    EXPECT_EQ(w.reason(evidence), Reason::kOk);
    EvidenceKnowledge knowledge = w.knowledge();
    knowledge.y = [](Height) -> Result<std::optional<VdfOutput>> {
        return std::optional<VdfOutput>{};
    };
    EXPECT_EQ(judge_evidence(knowledge, evidence)->verdict, Reason::kNoEntropy);
}

}  // namespace
}  // namespace holdfast
