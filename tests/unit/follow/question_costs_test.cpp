// What each question costs the peer that asks it (spec 14): a budget that is used up is told with
// the time to wait, and others are served.
#include <gtest/gtest.h>

#include "support/follow_world.hpp"

namespace holdfast::test {
namespace {

struct Priced {
    const char* name;
    FollowQuestion question;
    std::uint64_t units;
};

std::vector<Priced> priced_questions() {
    const PublicKey key = follow_key(1);
    const Height h(7);
    const OwnedRange range{key, {}, 256};
    constexpr std::uint32_t kMiB = std::uint32_t{1} << 20;
    return {{"the tip", TipQuestion{}, 1},
            {"a height without challengers", HeightQuestion{h}, 1},
            {"chains", ChainsQuestion{h, 0, 512}, 3},
            {"open audits", AuditsQuestion{key}, 64},
            {"what y is made of", OutputQuestion{h}, 16},
            {"heights that matter", DutyHeightsQuestion{}, 1},
            {"links due", LinksDueQuestion{range, h}, 3},
            {"proofs due", ProofsDueQuestion{range, h}, 3},
            {"seal proofs due", SealDutiesQuestion{range}, 3},
            {"a key's chains", OwnedChainsQuestion{range}, 3},
            {"a registration", RegistrationQuestion{}, 1},
            {"entries", HistoryQuestion(EntriesQuestion{0, kMiB}), 5},
            {"hashes of entries", HistoryQuestion(EntryHashesQuestion{0, 4'096}), 3},
            {"heads", HistoryQuestion(HeadsQuestion{h, 128}), 3},
            {"consistency", HistoryQuestion(ConsistencyQuestion{1, 2}), 2},
            {"inclusion", HistoryQuestion(InclusionQuestion{1, 2}), 2},
            {"blocks", HistoryQuestion(BlocksQuestion{h, 0, kMiB}), 5},
            {"states", HistoryQuestion(StatesQuestion{}), 8},
            {"a piece of a state", HistoryQuestion(StatePieceQuestion{h, 0, kMiB / 2}), 3},
            {"a copy of the ledger", HistoryQuestion(LedgerQuestion{}), 64},
            {"a piece of it", HistoryQuestion(LedgerPieceQuestion{{}, 0, kMiB / 2}), 3},
            {"heights", PublicQuestion(HeightsQuestion{h, 32}), 3},
            {"a chain", PublicQuestion(ChainQuestion{}), 4},
            {"a path", PublicQuestion(PathQuestion{{}, h}), 4},
            {"a head", PublicQuestion(HeadQuestion{h, 0}), 4},
            {"a proof of a link", PublicQuestion(LinkProofQuestion{{}, h}), 64},
            {"segments", PublicQuestion(SegmentsQuestion{h, {1, 2}}), 16}};
}

TEST(QuestionCosts, ABudgetThatIsUsedUpIsToldAndOthersAreServed) {
    for (const Priced& one : priced_questions()) {
        FollowServiceOptions options;
        options.questions = {.per_second = 1, .burst = static_cast<std::uint32_t>(2 * one.units)};
        FollowWorld world(options);
        const Bytes message = encode_question(one.question);
        ASSERT_TRUE(decode_question(message)) << one.name;
        const auto busy_ms = [&](const PublicKey& peer) -> std::optional<std::uint32_t> {
            const Result<Bytes> answer = world.service.handle(peer, message);
            if (!answer) return std::nullopt;  // asked for, and this world has no such thing
            const FollowAnswer said = FollowWorld::must_decode(*answer);
            const auto* busy = std::get_if<FollowBusy>(&said);
            return busy == nullptr ? std::nullopt : std::optional(busy->retry_ms);
        };
        const PublicKey greedy = follow_key(5);
        EXPECT_FALSE(busy_ms(greedy)) << one.name;
        EXPECT_FALSE(busy_ms(greedy)) << one.name << " costs more";
        // Nothing is left: the whole price is waited for, at a unit a second.
        EXPECT_EQ(busy_ms(greedy), 1'000 * one.units) << one.name;
        EXPECT_EQ(world.service.statistics().refused.at(Reason::kBusy), 1U) << one.name;
        EXPECT_FALSE(busy_ms(follow_key(6))) << one.name << ": another peer is not served";
        world.now_ns += 1'000'000'000 * one.units;
        EXPECT_FALSE(busy_ms(greedy)) << one.name << " is not answered again";
    }
}

TEST(QuestionCosts, AHeightCountsAsMoreWithManyChallengers) {
    FollowServiceOptions options;
    options.questions = {.per_second = 1, .burst = 3};
    FollowWorld world(options);
    for (std::uint64_t n = 0; n < 512; ++n) world.challengers.push_back({follow_key(n), 1});
    std::sort(world.challengers.begin(), world.challengers.end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
    world.tip = Height(120);
    must(world.service.refresh());
    const Bytes message = encode_question(HeightQuestion{Height(120)});
    must(world.service.handle(follow_key(5), message));
    const FollowAnswer said =
        FollowWorld::must_decode(must(world.service.handle(follow_key(5), message)));
    EXPECT_EQ(std::get<FollowBusy>(said).retry_ms, 3'000U);
}

}  // namespace
}  // namespace holdfast::test
