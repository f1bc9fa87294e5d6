#include "proofs/journal.hpp"

#include <gtest/gtest.h>

#include "core/merkle.hpp"
#include "support/evidence_world.hpp"

namespace holdfast {
namespace {

using namespace test;

/// A network of version 2 with an operator, and a journal of a few entries.
struct Operator {
    KeyPair key = key_of("operator");
    NetworkParams params = NetworkParams::preset(kParamsVersion2);
    NetworkId id;
    std::vector<Bytes> entries;

    Operator() {
        params.operator_key = key.public_key();
        id = params.id();
        for (std::uint64_t i = 0; i < 11; ++i) {
            entries.push_back(encode_entry(OutputEntry{Height(i), VdfOutput(tagged_hash("y", i))}));
        }
    }
    [[nodiscard]] MerkleTree tree(std::size_t size) const {
        std::vector<Digest> leaves;
        for (std::size_t i = 0; i < size; ++i) leaves.push_back(entry_hash(entries[i]));
        return MerkleTree(std::move(leaves));
    }
    [[nodiscard]] JournalHead head(std::uint64_t size, std::string_view block = "block",
                                   std::string_view global = "global") const {
        JournalHead h;
        h.height = Height(7);
        h.block_hash = BlockHash(sha256(view(block)));
        h.global = GlobalDigest(sha256(view(global)));
        h.size = size;
        h.root = Root(tree(size).root());
        return sign_head(id, h, key).value();
    }
    [[nodiscard]] Reason reason(const Evidence& evidence) const {
        const auto decoded = Evidence::decode(evidence.encode());
        EXPECT_TRUE(decoded);
        const EvidenceFacts facts{params, id, {}, {}, {}, {}, {}};
        return judge_without_fill(facts, *decoded).reason;
    }
};

TEST(JournalEntry, FormsAndSizes) {
    EXPECT_EQ(encode_entry(BlockEntry{Height(1), {}, 2}).size(), 49U);
    EXPECT_EQ(encode_entry(OutputEntry{Height(1), {}}).size(), 41U);
    const Bytes object = wrap_object(Kind::kReceipt, Bytes(136));
    EXPECT_EQ(encode_entry(ObjectEntry{object}).size(), 1 + object.size());
    EXPECT_EQ(decode_entry({}).error(), Reason::kTruncated);
    for (const Bytes& other : {Bytes{0, 1, 4}, Bytes{4, 1, 4}, Bytes{255, 1, 4}}) {
        EXPECT_EQ(decode_entry(other).error(), Reason::kBadField);
    }
    EXPECT_EQ(decode_entry(Bytes(48, 1)).error(), Reason::kTruncated);
    EXPECT_EQ(decode_entry(Bytes(50, 1)).error(), Reason::kTrailingBytes);
    EXPECT_EQ(decode_entry(Bytes{3, 2, 4}).error(), Reason::kBadVersion);
    EXPECT_EQ(decode_entry(Bytes{3, 1, 30}).error(), Reason::kBadKind);
    EXPECT_EQ(decode_entry(Bytes{3, 1}).error(), Reason::kTruncated);
    Bytes large{3, 1, 22};
    large.resize(1 + kMaxEntryObjectBytes);
    EXPECT_TRUE(decode_entry(large));
    large.push_back(0);
    EXPECT_EQ(decode_entry(large).error(), Reason::kTooLarge);
}

TEST(JournalHead, IsTheOperatorsAlone) {
    const Operator o;
    const JournalHead head = o.head(11);
    EXPECT_EQ(head.encode().size(), 240U);
    EXPECT_EQ(check_head(o.params, o.id, head), Verdict::ok());
    EXPECT_EQ(check_head(o.params, NetworkId{}, head), Reason::kBadSignature);
    EXPECT_EQ(check_head(o.params, o.id, sign_head(o.id, head, key_of("another")).value()),
              Reason::kNotOperator);
    NetworkParams without = o.params;
    without.operator_key = {};
    JournalHead nobody = head;
    nobody.operator_key = {};
    EXPECT_EQ(check_head(without, without.id(), nobody), Reason::kNotOperator);
}

TEST(JournalHead, ShowsItsEntriesAndTheHeadsBeforeIt) {
    const Operator o;
    const JournalHead head = o.head(11);
    for (std::uint64_t i = 0; i < 11; ++i) {
        const auto path = o.tree(11).path(i);
        EXPECT_EQ(check_entry(head, i, o.entries[i], path), Verdict::ok());
        EXPECT_EQ(check_entry(head, i, o.entries[(i + 1) % 11], path), Reason::kBadPath);
        EXPECT_EQ(check_entry(head, 11, o.entries[i], path), Reason::kBadIndex);
        EXPECT_EQ(check_entry(head, i, o.entries[i], std::span(path).first(path.size() - 1)),
                  Reason::kProofLength);
    }
    for (std::uint64_t older = 0; older <= 11; ++older) {
        const auto proof = *make_consistency(o.tree(11), older);
        EXPECT_EQ(check_extension(o.head(older), head, proof), Verdict::ok());
    }
    Operator rewritten;
    rewritten.entries[2][1] ^= 1;
    EXPECT_EQ(
        check_extension(o.head(5), rewritten.head(11), *make_consistency(rewritten.tree(11), 5)),
        Reason::kBadPath);
    EXPECT_EQ(check_extension(head, o.head(5), {}), Reason::kBadIndex);
}

TEST(HeadConflict, TwoHeadsOfOneBlockAreAnOffence) {
    const Operator o;
    const JournalHead a = o.head(11, "block", "a");
    const JournalHead b = o.head(11, "block", "b");
    const Evidence evidence = make_head_conflict(a, b);
    EXPECT_EQ(evidence, make_head_conflict(b, a));
    EXPECT_EQ(evidence.kind(), EvidenceKind::kHeadConflict);
    EXPECT_EQ(evidence.encode().size(), 9U + 480);
    EXPECT_EQ(o.reason(evidence), Reason::kOk);
    const Offence offence = accused_offence(o.id, evidence);
    EXPECT_EQ(offence.id(o.id), OffenceId(tagged_hash("offence", o.id, std::uint8_t{11},
                                                      o.key.public_key(), Height(7))));
    EXPECT_FALSE(evidence_needs(o.id, evidence).block_hash);

    Bytes body = evidence.encode();
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
        body[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        if (const auto flipped = Evidence::decode(body)) {
            EXPECT_NE(o.reason(*flipped), Reason::kOk) << "bit " << bit;
        }
        body[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
}

TEST(HeadConflict, EachRefusalHasItsReason) {
    const Operator o;
    const JournalHead a = o.head(11, "block", "a");
    EXPECT_EQ(o.reason(make_head_conflict(a, o.head(11, "branch", "b"))), Reason::kNoOffence);
    JournalHead signed_again = a;
    signed_again.signature[0] ^= 1;
    EXPECT_EQ(o.reason(make_head_conflict(a, signed_again)), Reason::kNoOffence);
    HeadConflict swapped =
        std::get<HeadConflict>(make_head_conflict(a, o.head(11, "block", "b")).body);
    std::swap(swapped.smaller, swapped.larger);
    EXPECT_EQ(o.reason({swapped}), Reason::kEvidenceOrder);
    // A stranger may sign what it likes.
    const KeyPair stranger = key_of("stranger");
    EXPECT_EQ(
        o.reason(make_head_conflict(sign_head(o.id, a, stranger).value(),
                                    sign_head(o.id, o.head(11, "block", "b"), stranger).value())),
        Reason::kNotOperator);
}

}  // namespace
}  // namespace holdfast
