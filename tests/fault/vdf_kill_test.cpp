// kill -9 at random moments of a durable evaluation of several heights: nothing acknowledged is
// lost or walked again, at most the segment in progress is, and what is gone on with ends in the
// bytes of an undisturbed run.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "clock/checkpoint_file.hpp"
#include "storage/begun.hpp"
#include "support/killed_child.hpp"
#include "support/temp_folder.hpp"
#include "support/vdf_world.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kJobs = 3;

/// A checkpoint that is durable, as a child tells its parent.
struct Told {
    std::uint32_t job = 0;
    std::uint32_t i = 0;
};

struct VdfKill : ::testing::Test {
    const test::VdfWorld world{{64, 1, 4, 4'000, 12}};
    const test::TempFolder folder;
    const std::vector<VdfJob> jobs{{world.height, world.input, {}},
                                   {world.height, Seed{test::digest_of("fork")}, {}},
                                   {world.height + 1, world.input, {}}};

    [[nodiscard]] std::filesystem::path path() const { return folder / "heights.vdf"; }
    Result<std::vector<std::vector<Digest>>> evaluate_in(
        VdfCheckpointFile& file, const VdfEvaluateOptions& options = {}) const {
        return evaluate_durably(file, world.arena->view(), world.params.vdf, world.network_id, jobs,
                                options);
    }
    [[noreturn]] void be_child(int pipe) const {
        auto file = VdfCheckpointFile::open(path());
        if (!file) ::_exit(2);
        VdfEvaluateOptions options;
        options.on_checkpoint = [&](std::size_t job, std::uint32_t i, const Digest&) -> Status {
            const Told told{static_cast<std::uint32_t>(job), i};
            if (::write(pipe, &told, sizeof told) != sizeof told) ::_exit(3);
            return {};
        };
        ::_exit(evaluate_in(*file, options) ? 0 : 4);
    }
    /// Runs a child for `lifetime`; whether it was killed at work, and what it told.
    bool kill_after(std::chrono::microseconds lifetime, std::vector<Told>& told) const {
        test::KilledChild child([&](int, int out) { be_child(out); });
        ::usleep(static_cast<useconds_t>(lifetime.count()));
        const bool at_work = child.kill();
        while (const auto t = child.heard<Told>()) told.push_back(*t);
        return at_work;
    }
};

TEST_F(VdfKill, LosesNothingAcknowledgedAndEndsInTheSameBytes) {
    const int points = test::kill_points(100);
    std::vector<std::vector<Digest>> wanted;
    const auto begin = std::chrono::steady_clock::now();
    {
        auto file = VdfCheckpointFile::open(path());
        ASSERT_TRUE(file.has_value());
        auto d = evaluate_in(*file);
        ASSERT_TRUE(d.has_value());
        wanted = *d;
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begin);
    ASSERT_TRUE(remove_store_file(path()));
    ASSERT_EQ(wanted[0], world.checkpoints());

    std::mt19937_64 random(11);
    int at_work = 0;
    int finished = 0;
    std::vector<std::size_t> kept(kJobs, 0);
    for (int point = 0; point < points; ++point) {
        std::vector<Told> told;
        // Several of these make an evaluation: most children go on where another was killed.
        const std::chrono::microseconds lifetime(
            random() % static_cast<std::uint64_t>(took.count() / 2 + 1'000));
        if (kill_after(lifetime, told)) ++at_work;
        // Each job's checkpoints come in order, from where the one before left it.
        std::vector<std::size_t> acknowledged = kept;
        for (const Told& t : told) ASSERT_EQ(t.i, acknowledged.at(t.job)++) << "walked again";
        auto file = VdfCheckpointFile::open(path());
        ASSERT_TRUE(file.has_value()) << file.error().message;
        std::size_t unheard = 0;
        for (std::size_t j = 0; j < kJobs; ++j) {
            const auto& now = file->checkpoints(jobs[j].height, jobs[j].input);
            ASSERT_GE(now.size(), acknowledged[j]) << "an acknowledged checkpoint is gone";
            unheard += now.size() - acknowledged[j];
            ASSERT_TRUE(std::equal(now.begin(), now.end(), wanted[j].begin()));
            kept[j] = now.size();
        }
        ASSERT_LE(unheard, 1U) << "kept, but nobody heard of it in time";
        const bool all = std::all_of(kept.begin(), kept.end(), [&](std::size_t n) {
            return n == world.params.vdf.checkpoints + std::size_t{1};
        });
        if (!all && point % 4 != 3) continue;
        ASSERT_EQ(evaluate_in(*file).value(), wanted);
        ++finished;
        ASSERT_TRUE(remove_store_file(path()));
        kept.assign(kJobs, 0);
    }
    EXPECT_GE(at_work, points / 3);
    EXPECT_GE(finished, points / 5);
}

}  // namespace
}  // namespace holdfast
