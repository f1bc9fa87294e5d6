// kill -9 at random moments of sealing: nothing half-made ever stands under a final name, nothing
// that is left blocks the next attempt, and that ends with the bytes of an undisturbed sealing.
#include <unistd.h>

#include <chrono>
#include <random>

#include "support/killed_child.hpp"
#include "support/seal_world.hpp"

namespace holdfast {
namespace {

using test::slurp;

/// A forked child has no threads of TBB.
SealOptions one_worker() {
    SealOptions options;
    options.workers = 1;
    return options;
}

struct SealKill : ::testing::Test {
    test::SealWorld world;
    Bytes replica;
    Bytes tree;

    void remove_result() const {
        std::filesystem::remove(world.folder / "x.replica");
        std::filesystem::remove(world.folder / "x.tree");
    }
    /// Whatever has a final name is whole.
    void expect_no_half_made() const {
        if (std::filesystem::exists(world.folder / "x.replica")) {
            ASSERT_EQ(slurp(world.folder / "x.replica"), replica);
            ASSERT_EQ(slurp(world.folder / "x.tree"), tree);
        } else if (std::filesystem::exists(world.folder / "x.tree")) {
            ASSERT_EQ(slurp(world.folder / "x.tree"), tree);
        }
    }
};

TEST_F(SealKill, LeavesTheOldStateOrOneThatGoesOn) {
    const int points = test::kill_points(200);
    const Bytes data =
        test::some_bytes(8'000'000);  // 8 windows, long enough for a kill to fall between two
    test::spill(world.folder / "x", data);
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(seal(world.request("x", kSealDev), one_worker()).has_value());
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begin);
    replica = slurp(world.folder / "x.replica");
    tree = slurp(world.folder / "x.tree");
    remove_result();

    std::mt19937_64 random(3);
    int at_work = 0;
    std::uint64_t taken_over = 0;
    for (int killed = 1; killed <= points; ++killed) {
        test::KilledChild child([&](int, int) {
            if (!seal(world.request("x", kSealDev), one_worker())) ::_exit(2);
        });
        ::usleep(static_cast<useconds_t>(random() % static_cast<std::uint64_t>(took.count())));
        if (child.kill()) ++at_work;
        expect_no_half_made();
        if (std::filesystem::exists(world.folder / "x.replica")) {
            remove_result();
        } else if (killed % 3 == 0) {
            const auto sealed = seal(world.request("x", kSealDev), one_worker());
            ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
            taken_over += sealed->windows_taken_over;
            expect_no_half_made();
            ASSERT_EQ(world.names(), (std::vector<std::string>{"x", "x.replica", "x.tree"}));
            remove_result();
        }
    }
    EXPECT_GE(at_work, points / 3);
    EXPECT_GT(taken_over, 0U);
}

}  // namespace
}  // namespace holdfast
