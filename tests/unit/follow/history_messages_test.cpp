// The messages about a network's history: every one comes back, nothing else is taken for one, and
// a client refuses pages that are no answer to its question.
#include <gtest/gtest.h>

#include "follow/history_client.hpp"
#include "support/follow_world.hpp"

namespace holdfast::test {
namespace {

JournalHead history_head(Height height) {
    JournalHead head;
    head.height = height;
    head.block_hash = test_hash(height);
    head.size = 10 * height.value;
    return head;
}

std::vector<HistoryQuestion> history_questions() {
    return {EntriesQuestion{3, 1},
            EntryHashesQuestion{4, kMaxHistoryHashes},
            HeadsQuestion{Height(7), kMaxHistoryHeads},
            ConsistencyQuestion{5, 9},
            InclusionQuestion{5, 9},
            BlocksQuestion{Height(7), 2, kMaxHistoryPage},
            StatesQuestion{},
            StatePieceQuestion{Height(8), 100, 7},
            LedgerQuestion{},
            LedgerPieceQuestion{Digest(tagged_hash("copy")), 4, 5}};
}

std::vector<HistoryAnswer> history_answers() {
    const std::vector<Digest> hashes{Digest(tagged_hash("a")), Digest(tagged_hash("b"))};
    return {EntriesPage{3, 5, {Bytes(49, 1), Bytes(1, 2)}},
            EntriesPage{5, 5, {}},
            EntryHashesPage{3, 6, hashes},
            HeadsPage{Height(7), Height(9), {history_head(Height(7)), history_head(Height(9))}},
            HeadsPage{Height(7), std::nullopt, {}},
            ConsistencyPath{5, 9, hashes},
            InclusionPath{5, 9, Digest(tagged_hash("leaf")), hashes},
            BlocksPage{Height(7),
                       1,
                       Height(9),
                       {{test_hash(Height(7)), 5, 2, {Bytes(9, 3)}},
                        {test_hash(Height(8)), 6, 0, {}},
                        {test_hash(Height(9)), 7, 4, {Bytes(1, 4)}}}},
            StatesList{{{Height(4), 100}, {Height(8), 200}}},
            StatePiece{Height(8), 100, Bytes(7, 5)},
            LedgerCopy{Digest(tagged_hash("copy")), 4'096},
            LedgerPiece{Digest(tagged_hash("copy")), 4, Bytes(5, 6)}};
}

TEST(HistoryMessages, EveryMessageComesBackAndNothingElseIsTaken) {
    for (const HistoryQuestion& q : history_questions()) {
        const Bytes bytes = encode_question(q);
        EXPECT_EQ(decode_question(bytes).value(), FollowQuestion(q));
        for (std::size_t n = 0; n < bytes.size(); ++n) {
            EXPECT_FALSE(decode_question(ByteView(bytes).first(n)).has_value());
        }
    }
    for (const HistoryAnswer& a : history_answers()) {
        Bytes bytes = encode_answer(a);
        EXPECT_EQ(decode_answer(bytes).value(), FollowAnswer(a)) << a.index();
        for (std::size_t n = 0; n < bytes.size(); ++n) {
            EXPECT_FALSE(decode_answer(ByteView(bytes).first(n)).has_value()) << a.index();
        }
        bytes.push_back(0);
        EXPECT_FALSE(decode_answer(bytes).has_value()) << a.index();
    }
}

Reason history_reason(const HistoryQuestion& question) {
    const auto decoded = decode_question(encode_question(question));
    return decoded ? Reason::kOk : decoded.error().reason;
}
Reason history_reason(const HistoryAnswer& answer) {
    const auto decoded = decode_answer(encode_answer(answer));
    return decoded ? Reason::kOk : decoded.error().reason;
}

TEST(HistoryMessages, BoundsAndOrdersAreHeld) {
    EXPECT_EQ(history_reason(EntriesQuestion{0, 0}), Reason::kBadField);
    EXPECT_EQ(history_reason(EntriesQuestion{0, kMaxHistoryPage + 1}), Reason::kTooLarge);
    EXPECT_EQ(history_reason(HeadsQuestion{Height(1), kMaxHistoryHeads + 1}), Reason::kTooLarge);
    EXPECT_EQ(history_reason(EntryHashesQuestion{0, kMaxHistoryHashes + 1}), Reason::kTooLarge);
    EXPECT_EQ(history_reason(EntriesPage{4, 5, {Bytes(1, 1), Bytes(1, 1)}}), Reason::kBadIndex);
    EXPECT_EQ(history_reason(EntriesPage{6, 5, {}}), Reason::kBadIndex);
    EXPECT_EQ(history_reason(EntriesPage{0, 5, {Bytes()}}), Reason::kBadField);
    EXPECT_EQ(history_reason(EntriesPage{0, 5, {Bytes(kMaxEntryObjectBytes + 2, 1)}}),
              Reason::kTooLarge);
    EXPECT_EQ(history_reason(HeadsPage{
                  Height(7), Height(9), {history_head(Height(9)), history_head(Height(8))}}),
              Reason::kNotCanonical);
    EXPECT_EQ(history_reason(HeadsPage{Height(7), Height(9), {history_head(Height(6))}}),
              Reason::kWrongHeight);
    EXPECT_EQ(history_reason(HeadsPage{Height(7), Height(8), {history_head(Height(9))}}),
              Reason::kWrongHeight);
    EXPECT_EQ(history_reason(StatesList{{{Height(8), 1}, {Height(8), 2}}}), Reason::kNotCanonical);
    // A block in the middle that is not whole, more than it lists, and blocks above the tip.
    const ListedPage part{test_hash(Height(7)), 5, 2, {Bytes(9, 3)}};
    EXPECT_EQ(history_reason(BlocksPage{Height(7), 0, Height(9), {part, part}}), Reason::kBadIndex);
    EXPECT_EQ(history_reason(BlocksPage{Height(7), 2, Height(9), {part}}), Reason::kBadIndex);
    EXPECT_EQ(history_reason(BlocksPage{Height(9), 0, Height(9), {{{}, 5, 0, {}}, {{}, 5, 0, {}}}}),
              Reason::kWrongHeight);
    // A count of hashes that nothing follows.
    Bytes bytes = encode_answer(HistoryAnswer(ConsistencyPath{5, 9, {}}));
    store_le32(bytes.data() + bytes.size() - 4, kMaxHistoryPath);
    EXPECT_EQ(decode_answer(bytes).error().reason, Reason::kTruncated);
    store_le32(bytes.data() + bytes.size() - 4, UINT32_MAX);
    EXPECT_EQ(decode_answer(bytes).error().reason, Reason::kTooLarge);
}

TEST(HistoryMessages, AClientTakesNoAnswerToAnotherQuestion) {
    HistoryAnswer told;
    HistoryClient client([&](ByteView) -> Result<Bytes> { return encode_answer(told); });
    const auto reason = [](const auto& result) {
        return result ? Reason::kOk : result.error().verdict.reason;
    };
    told = EntriesPage{3, 5, {Bytes(2, 1)}};
    EXPECT_EQ(reason(client.entries(3)), Reason::kOk);
    EXPECT_EQ(reason(client.entries(2)), Reason::kBadIndex);
    told = EntriesPage{3, 5, {Bytes(2, 1), Bytes(2, 1)}};
    EXPECT_EQ(reason(client.entries(3, 3)), Reason::kTooLarge);
    told = EntriesPage{3, 5, {}};
    EXPECT_EQ(reason(client.entries(3)), Reason::kBadIndex);
    told = EntriesPage{3, 4, {Bytes(2, 1)}};
    EXPECT_EQ(reason(client.entries(3)), Reason::kBadIndex) << "it had five";
    told = HeadsPage{Height(7), std::nullopt, {}};
    EXPECT_EQ(reason(client.heads(Height(8))), Reason::kWrongHeight);
    told = BlocksPage{Height(7), 0, Height(9), {}};
    EXPECT_EQ(reason(client.blocks(Height(7))), Reason::kBadIndex);
    told = BlocksPage{Height(7), 1, Height(9), {{test_hash(Height(7)), 5, 2, {}}}};
    EXPECT_EQ(reason(client.blocks(Height(7), 1)), Reason::kBadIndex);
    told = InclusionPath{4, 9, {}, {}};
    EXPECT_EQ(reason(client.inclusion(5, 9)), Reason::kBadIndex);
    told = LedgerPiece{Digest(tagged_hash("another")), 0, Bytes(1, 1)};
    EXPECT_EQ(reason(client.ledger_piece(Digest(tagged_hash("copy")), 0)), Reason::kBadIndex);
    told = StatesList{};
    EXPECT_EQ(reason(client.ledger()), Reason::kBadKind);
}

}  // namespace
}  // namespace holdfast::test
