// kill -9 at random moments of a repair: no good byte is ever lost, what is left is the damage or
// less of it, and the next repair goes on and ends with the bytes that were sealed.
#include <unistd.h>

#include <chrono>
#include <random>

#include "support/damaged_replica.hpp"
#include "support/killed_child.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kWindows = 10;

/// A forked child has no threads of TBB.
Result<RepairReport> repair_alone(DamagedReplica& replica) {
    RepairOptions options;
    options.workers = 1;
    const auto source = replica.original();
    return repair(replica.files(), replica.network(), source.get(), options);
}

struct RepairKill : ::testing::Test {
    DamagedReplica replica{kWindows * 16 * kChunkBytes - 77};
    Bytes tree = slurp(replica.files().tree);
    Bytes replica_before;  // as the damage left them
    Bytes tree_before;
    std::mt19937_64 random{7};

    /// Chunks in half of the windows and nodes of both trees; now and then the end of the replica
    /// or the whole tree file as well.
    void damage() {
        for (std::uint64_t window = 0; window < kWindows; window += 2) {
            replica.flip_chunk(window * 16 + random() % 16);
        }
        replica.flip_node(TreeKind::kRaw, 0, random() % (kWindows * 16));
        replica.flip_node(TreeKind::kSealed, 1, random() % (kWindows * 8));
        const auto kind = random() % 4;
        if (kind == 0) std::filesystem::resize_file(replica.files().replica, 400'000);
        if (kind == 1) std::filesystem::remove(replica.files().tree);
        replica_before = slurp(replica.files().replica);
        tree_before = kind == 1 ? Bytes() : slurp(replica.files().tree);
        replica_before.resize(replica.replica_bytes().size());
        tree_before.resize(tree.size());
    }

    /// Every byte is as the damage left it or as it was sealed: good ones are both.
    static void expect_no_worse(const std::filesystem::path& file, const Bytes& before,
                                const Bytes& sealed) {
        if (!std::filesystem::exists(file)) return;  // was lost, and is not yet made again
        const Bytes now = slurp(file);
        ASSERT_LE(now.size(), sealed.size());
        for (std::size_t i = 0; i < now.size(); ++i) {
            ASSERT_TRUE(now[i] == before[i] || now[i] == sealed[i]) << file << " at " << i;
        }
    }
    [[nodiscard]] bool pristine() {
        return std::filesystem::exists(replica.files().tree) &&
               slurp(replica.files().replica) == replica.replica_bytes() &&
               slurp(replica.files().tree) == tree;
    }
};

TEST_F(RepairKill, LeavesTheOldStateOrOneThatGoesOn) {
    const int points = test::kill_points(200);
    damage();
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(repair_alone(replica).has_value());
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begin);
    replica.expect_pristine();

    int at_work = 0;
    int half_repaired = 0;
    damage();
    for (int killed = 1; killed <= points; ++killed) {
        test::KilledChild child([&](int, int) {
            const auto repaired = repair_alone(replica);
            if (!repaired || !repaired->whole()) ::_exit(2);
        });
        ::usleep(static_cast<useconds_t>(random() % static_cast<std::uint64_t>(took.count())));
        const bool interrupted = child.kill();
        if (interrupted) ++at_work;
        ASSERT_NO_FATAL_FAILURE(
            expect_no_worse(replica.files().replica, replica_before, replica.replica_bytes()));
        ASSERT_NO_FATAL_FAILURE(expect_no_worse(replica.files().tree, tree_before, tree));
        const bool begun = slurp(replica.files().replica) != replica_before;
        if (begun && !pristine()) ++half_repaired;
        if (killed % 3 != 0 && interrupted) continue;  // killed again in that state
        const auto repaired = repair_alone(replica);
        ASSERT_TRUE(repaired.has_value()) << repaired.error().message;
        EXPECT_TRUE(repaired->whole());
        replica.expect_pristine();
        ASSERT_FALSE(HasFailure()) << "after kill " << killed;
        damage();
    }
    EXPECT_GE(at_work, points / 3);
    EXPECT_GT(half_repaired, points / 20);
}

}  // namespace
}  // namespace holdfast::test
