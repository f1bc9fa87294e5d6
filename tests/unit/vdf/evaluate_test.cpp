// Evaluation: stopping and resuming anywhere, several inputs at once, errors.
#include <gtest/gtest.h>

#include "support/vdf_world.hpp"

namespace holdfast::test {
namespace {

TEST(Evaluate, ResumesAtEveryCheckpointWithTheSameBytes) {
    const VdfWorld world;
    const std::vector<Digest> whole = world.checkpoints();
    ASSERT_EQ(whole.size(), 6U);
    for (std::size_t kept = 0; kept <= whole.size(); ++kept) {
        VdfJob job{world.height, world.input, {whole.begin(), whole.begin() + kept}};
        std::vector<std::uint32_t> computed;
        VdfEvaluateOptions options;
        options.on_checkpoint = [&](std::size_t, std::uint32_t i, const Digest& d) -> Status {
            EXPECT_EQ(d, whole[i]);
            computed.push_back(i);
            return {};
        };
        const auto d =
            evaluate(world.arena->view(), world.params.vdf, world.network_id, job, options);
        ASSERT_TRUE(d.has_value());
        EXPECT_EQ(*d, whole);
        EXPECT_EQ(computed.size(), whole.size() - kept);
    }
}

TEST(Evaluate, StoppedAnywhereLosesAtMostOneCheckpoint) {
    // Two slices a segment, so that a stop also falls inside segments.
    const VdfWorld world({64, 1, 4, 100'000, 3});
    const std::vector<Digest> whole = world.checkpoints();
    for (int questions = 0; questions < 6; ++questions) {
        std::vector<Digest> kept;
        int asked = 0;
        std::uint64_t last_done = 0;
        VdfEvaluateOptions options;
        options.stop = [&] { return asked++ == questions; };
        options.progress = [&](std::uint64_t done, std::uint64_t total) {
            EXPECT_EQ(total, 300'000U);
            EXPECT_GT(done, last_done);
            last_done = done;
        };
        options.on_checkpoint = [&](std::size_t, std::uint32_t, const Digest& d) -> Status {
            kept.push_back(d);
            return {};
        };
        VdfJob job{world.height, world.input, {}};
        const auto stopped =
            evaluate(world.arena->view(), world.params.vdf, world.network_id, job, options);
        ASSERT_FALSE(stopped.has_value());
        EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
        EXPECT_EQ(kept.size(), static_cast<std::size_t>(1 + questions / 2));
        EXPECT_LT(last_done - (kept.size() - 1) * 100'000, 100'000U);
        job.resume = kept;
        const auto resumed = evaluate(world.arena->view(), world.params.vdf, world.network_id, job);
        ASSERT_TRUE(resumed.has_value());
        EXPECT_EQ(*resumed, whole);
    }
}

TEST(Evaluate, ManyInputsAtOnceAreIndependent) {
    const VdfWorld world;
    std::vector<VdfJob> jobs;
    std::vector<std::vector<Digest>> alone;
    for (std::size_t j = 0; j < 37; ++j) {
        const Seed input{digest_of("input " + std::to_string(j))};
        jobs.push_back({Height(j), input, {}});
        const auto d = evaluate(world.arena->view(), world.params.vdf, world.network_id, jobs[j]);
        ASSERT_TRUE(d.has_value());
        alone.push_back(*d);
        // Some begin in the middle, some are finished already.
        jobs[j].resume.assign(d->begin(), d->begin() + static_cast<std::ptrdiff_t>(j % 7));
    }
    for (const WalkKernel& kernel : walk_kernels()) {
        if (!kernel.usable()) continue;
        VdfEvaluateOptions options;
        options.kernel = &kernel;
        const auto together =
            evaluate_many(world.arena->view(), world.params.vdf, world.network_id, jobs, options);
        ASSERT_TRUE(together.has_value());
        EXPECT_EQ(*together, alone) << kernel.name;
    }
    const auto none = evaluate_many(world.arena->view(), world.params.vdf, world.network_id, {});
    ASSERT_TRUE(none.has_value());
    EXPECT_TRUE(none->empty());
}

TEST(Evaluate, RefusesForeignCheckpointsAndArenas) {
    const VdfWorld world;
    const std::vector<Digest> whole = world.checkpoints();
    const auto code = [&](const VdfJob& job, const VdfParams& params) {
        const auto d = evaluate(world.arena->view(), params, world.network_id, job);
        return d.has_value() ? ErrorCode::kTimeout : d.error().code;
    };
    VdfJob job{world.height, Seed{digest_of("other")}, whole};
    EXPECT_EQ(code(job, world.params.vdf), ErrorCode::kInvalidArgument);
    job.input = world.input;
    job.resume.push_back(whole.back());
    EXPECT_EQ(code(job, world.params.vdf), ErrorCode::kInvalidArgument);
    job.resume.clear();
    VdfParams other = world.params.vdf;
    other.arena_kib = 128;
    EXPECT_EQ(code(job, other), ErrorCode::kInvalidArgument);
    other = world.params.vdf;
    other.checkpoints = 0;
    EXPECT_EQ(code(job, other), ErrorCode::kInvalidArgument);
}

TEST(Evaluate, AnErrorOfTheCheckpointCallbackEndsIt) {
    const VdfWorld world;
    VdfEvaluateOptions options;
    int calls = 0;
    options.on_checkpoint = [&](std::size_t, std::uint32_t i, const Digest&) -> Status {
        ++calls;
        if (i == 2) return fail(ErrorCode::kOutOfSpace, "disk full");
        return {};
    };
    const auto d = evaluate(world.arena->view(), world.params.vdf, world.network_id,
                            {world.height, world.input, {}}, options);
    ASSERT_FALSE(d.has_value());
    EXPECT_EQ(d.error().code, ErrorCode::kOutOfSpace);
    EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace holdfast::test
