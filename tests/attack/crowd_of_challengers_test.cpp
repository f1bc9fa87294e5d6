// Attack: make drawing, settling and following dear by registering very many challengers.
#include <chrono>

#include "follow/service.hpp"
#include "support/challenger_world.hpp"
#include "transport/frame.hpp"

namespace holdfast::test {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A host chain that nobody asks here.
struct NoChain final : Blockchain {
    static tl::unexpected<Error> none() { return fail(ErrorCode::kUnavailable, "no chain"); }
    Result<Height> current_height() override { return none(); }
    Result<BlockInfo> block_by_height(Height) override { return none(); }
    Status submit(Kind, ByteView) override { return none(); }
    Result<std::vector<Submission>> submissions_at(Height) override { return none(); }
    Result<std::vector<BondEvent>> bond_events_at(Height) override { return none(); }
};

/// Registers `count` keys whose parts differ, without their signatures, and moves on to their base.
struct Crowd {
    explicit Crowd(std::uint64_t count) : w(params()) {
        w.blocks_until(Height(2));
        w.in_entry([&](AvailabilityState& state, BondBook& bonds) -> Status {
            for (std::uint64_t n = 0; n < count; ++n) {
                Challenger c{};
                c.key.bytes = numbered("key", n).bytes;
                c.bond_id = BondId(numbered("bond", n));
                c.base = Height(8);
                HOLDFAST_TRY(bonds.take_event(
                    BondEvent::created(c.bond_id, c.key, 1'000 + n % 977, BondPurpose::kChallenger),
                    w.tip()));
                HOLDFAST_ASSIGN(v, state.take_challenger(c, Verdict::ok()));
                EXPECT_EQ(v, Verdict());
            }
            return {};
        });
        w.blocks_until(Height(8));
    }
    static NetworkParams params() {
        NetworkParams p = challenger_network();
        p.max_challengers = 4'096;
        p.quorum_window = 500;
        return p;
    }
    ChallengerWorld w;
};

TEST(CrowdOfChallengers, OfTenThousandDrawsAHundredThousandChainsInUnderASecond) {
    Crowd crowd(10'000);
    const auto block_began = Clock::now();
    crowd.w.block();
    EXPECT_LT(seconds_since(block_began), 1.0);
    const auto began = Clock::now();
    const ChallengerDraw draw(crowd.w.in_force(Height(9)));
    std::uint64_t assigned = 0;
    for (std::uint64_t n = 0; n < 100'000; ++n) {
        const ChainId chain(numbered("chain", n));
        const auto who = draw.assigned(crowd.w.network_id, ChallengerWorld::y_of(Height(9)), chain);
        assigned += who ? 1 : 0;
    }
    EXPECT_EQ(assigned, 100'000U);
    EXPECT_LT(seconds_since(began), 1.0);
}

TEST(CrowdOfChallengers, OfMoreThanAnAnswerNamesEndsNobodysFollowing) {
    Crowd crowd(65'537);
    const Height tip = crowd.w.tip();
    FollowSource source;
    source.tip = [&]() -> Result<std::optional<Height>> { return tip; };
    source.facts = [&](Height h) -> Result<FollowFacts> {
        FollowFacts facts;
        facts.block.height = h;
        facts.challengers = crowd.w.in_force(h);
        return facts;
    };
    source.chains = [](Height) { return Result<std::vector<ChallengedChain>>(); };
    NoChain chain;
    FollowService service(std::move(source), chain, [] { return std::uint64_t{1}; }, {});
    ASSERT_TRUE(service.refresh());
    const auto answered = service.handle(PublicKey{}, encode_question(HeightQuestion{tip}));
    ASSERT_TRUE(answered.has_value());
    const auto told = decode_answer(*answered);
    ASSERT_TRUE(told.has_value());
    const std::vector<ChallengerPart>& named = std::get<FollowHeight>(*told).challengers;
    ASSERT_EQ(named.size(), 4'096U);  // as many as are ever in force, and those with most
    for (const ChallengerPart& c : named) EXPECT_GE(c.part, 1'000U + 976 - 62);
    // The largest number that parameters allow is told as well.
    FollowHeight most;
    most.challengers.resize(kMaxFollowChallengers);
    for (std::uint32_t n = 0; n < kMaxFollowChallengers; ++n) {
        most.challengers[n].key.bytes[0] = static_cast<std::uint8_t>(n >> 8);
        most.challengers[n].key.bytes[1] = static_cast<std::uint8_t>(n);
    }
    EXPECT_TRUE(decode_answer(encode_answer(most)).has_value());
    EXPECT_LE(encode_answer(most).size(), FrameBounds{}.max_response_bytes);
}

}  // namespace
}  // namespace holdfast::test
