// What a follower is told of the node it follows, and when, in a clock of the test's own.

#include "node/host_follower.hpp"

#include <gtest/gtest.h>

#include "support/follow_world.hpp"
#include "support/quiet_log.hpp"

namespace holdfast::node {
namespace {

using test::FollowWorld;

class HostFollowerTest : public ::testing::Test {
  protected:
    struct Told {
        Height height;
        bool seen;
        friend bool operator==(const Told&, const Told&) = default;
    };

    void SetUp() override {
        params.block_ms = 8'000;  // margin 1,000 ms, interval 125 ms
        log = test::quiet_log();
        follower = std::make_unique<HostFollower>(
            params, world.client, [this] { return now_ms * 1'000'000; }, *log,
            FollowerHooks{
                [this](const FollowHeight& h, bool seen) { told.push_back({h.height, seen}); },
                [this](Height h, const VdfOutput& y) {
                    EXPECT_EQ(y, test::test_y(h));
                    late_y.push_back(h);
                }});
    }
    void block(std::uint64_t height) {
        world.tip = Height(height);
        test::must(world.service.refresh());
    }
    std::vector<Told> poll(std::uint64_t pass_ms = 125) {
        told.clear();
        now_ms += pass_ms;
        wait_ms = follower->poll();
        return told;
    }

    NetworkParams params;
    FollowWorld world;
    std::unique_ptr<Log> log;
    std::uint64_t now_ms = 1'000;
    std::unique_ptr<HostFollower> follower;
    std::vector<Told> told;
    std::vector<Height> late_y;
    std::uint32_t wait_ms = 0;
};

TEST_F(HostFollowerTest, OnlyABlockWhoseArrivalWasSeenIsDrawn) {
    using All = std::vector<Told>;
    block(120);
    // At first nobody knows how old the tip is; the height below may still be challenged.
    EXPECT_EQ(poll(), (All{{Height(119), false}, {Height(120), false}}));
    EXPECT_EQ(wait_ms, 125U);
    EXPECT_EQ(poll(), All{});
    block(121);
    EXPECT_EQ(poll(1'000), (All{{Height(121), true}}));
    EXPECT_EQ(follower->status().tip, Height(121));
    block(122);
    EXPECT_EQ(poll(1'001), (All{{Height(122), false}}));  // it may be older than a margin
    block(123);
    EXPECT_EQ(poll(), (All{{Height(123), true}}));
    block(125);  // 124 went by unseen
    EXPECT_EQ(poll(), (All{{Height(124), false}, {Height(125), false}}));
    block(140);  // only what can still matter is told
    EXPECT_EQ(poll(), (All{{Height(138), false}, {Height(139), false}, {Height(140), false}}));
}

TEST_F(HostFollowerTest, ANodeThatIsAwayIsAskedLessAndLessOftenAndBelievedAgain) {
    block(120);
    (void)poll();
    EXPECT_TRUE(follower->status().reachable);
    world.down = true;
    for (const std::uint32_t expected : {250U, 500U, 1'000U, 1'000U}) {
        (void)poll(wait_ms);
        EXPECT_EQ(wait_ms, expected);
    }
    const FollowerStatus away = follower->status();
    EXPECT_FALSE(away.reachable);
    EXPECT_EQ(away.failures, 4U);
    EXPECT_NE(away.error, "");
    EXPECT_EQ(away.tip, Height(120));
    world.down = false;
    block(121);
    EXPECT_EQ(poll(wait_ms), (std::vector<Told>{{Height(121), false}}));
    EXPECT_EQ(wait_ms, 125U);
    EXPECT_TRUE(follower->status().reachable);
    EXPECT_EQ(follower->status().error, "");
}

TEST_F(HostFollowerTest, YThatComesLateIsToldOnceAndNotWaitedForForEver) {
    world.without_y = {Height(119), Height(120), Height(121)};
    block(120);
    (void)poll();
    EXPECT_TRUE(late_y.empty());
    world.without_y.erase(Height(120));
    test::must(world.service.refresh());
    (void)poll();
    EXPECT_EQ(late_y, std::vector<Height>{Height(120)});
    (void)poll();
    EXPECT_EQ(late_y.size(), 1U);
    // 119 never gets its y; it is forgotten when it cannot matter any more.
    block(122);
    (void)poll();
    world.without_y.clear();
    test::must(world.service.refresh());
    (void)poll();
    EXPECT_EQ(late_y, (std::vector<Height>{Height(120), Height(121)}));
}

TEST_F(HostFollowerTest, ALieEndsNothingButItsOwnHeight) {
    block(120);
    (void)poll();
    world.falsify = [](FollowAnswer& a) {
        if (auto* t = std::get_if<FollowTip>(&a)) t->height = Height(110);
    };
    EXPECT_EQ(poll(), std::vector<Told>{});
    EXPECT_FALSE(follower->status().reachable);
    world.falsify = nullptr;
    block(121);
    EXPECT_EQ(poll(), (std::vector<Told>{{Height(121), true}}));
}

}  // namespace
}  // namespace holdfast::node
