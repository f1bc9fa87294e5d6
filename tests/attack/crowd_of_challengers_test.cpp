// Attack: make drawing, settling and following dear by registering very many challengers.
#include <chrono>

#include "follow/messages.hpp"
#include "support/challenger_world.hpp"

namespace holdfast::test {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

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
    FollowHeight told;
    told.challengers = crowd.w.in_force(crowd.w.tip());
    ASSERT_EQ(told.challengers.size(), 4'096U);
    for (const ChallengerPart& c : told.challengers) EXPECT_GE(c.part, 1'000U + 976 - 62);
    const auto back = decode_answer(encode_answer(told));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(std::get<FollowHeight>(*back), told);
}

}  // namespace
}  // namespace holdfast::test
