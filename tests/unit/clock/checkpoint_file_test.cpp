// Durable checkpoints: nothing acknowledged is lost, any tear is cut, a killed evaluation ends in
// the same bytes.
#include "clock/checkpoint_file.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "core/codec.hpp"
#include "storage/begun.hpp"
#include "support/temp_folder.hpp"
#include "support/vdf_world.hpp"

namespace holdfast::test {
namespace {

class CheckpointFile : public ::testing::Test {
  protected:
    [[nodiscard]] std::filesystem::path path() const { return folder_ / "heights.vdf"; }
    [[nodiscard]] VdfJob job() const { return {world_.height, world_.input, {}}; }
    Result<std::vector<std::vector<Digest>>> evaluate_with(VdfCheckpointFile& file,
                                                           std::span<const VdfJob> jobs,
                                                           const VdfEvaluateOptions& options = {}) {
        return evaluate_durably(file, world_.arena->view(), world_.params.vdf, world_.network_id,
                                jobs, options);
    }

    const VdfWorld world_{{64, 1, 4, 2'000, 6}};
    const TempFolder folder_;
};

TEST_F(CheckpointFile, KeepsEveryCheckpointOfSeveralEvaluations) {
    const std::vector<VdfJob> jobs{
        job(), {world_.height, Seed{digest_of("fork")}, {}}, {world_.height + 1, world_.input, {}}};
    std::vector<std::vector<Digest>> wanted;
    {
        auto file = VdfCheckpointFile::open(path());
        ASSERT_TRUE(file.has_value());
        const auto d = evaluate_with(*file, jobs);
        ASSERT_TRUE(d.has_value());
        wanted = *d;
    }
    EXPECT_EQ(wanted[0], world_.checkpoints());
    EXPECT_EQ(std::filesystem::file_size(path()), 3U * 7 * (40 + 76));
    auto file = VdfCheckpointFile::open(path());
    ASSERT_TRUE(file.has_value());
    for (std::size_t j = 0; j < jobs.size(); ++j) {
        EXPECT_EQ(file->checkpoints(jobs[j].height, jobs[j].input), wanted[j]);
    }
    EXPECT_TRUE(file->checkpoints(world_.height + 2, world_.input).empty());
    // Finished evaluations are read, not walked or written again.
    VdfEvaluateOptions options;
    options.on_checkpoint = [](std::size_t, std::uint32_t, const Digest&) -> Status {
        return fail(ErrorCode::kIo, "nothing should be computed");
    };
    EXPECT_EQ(evaluate_with(*file, jobs, options).value(), wanted);
}

TEST_F(CheckpointFile, BodiesAreThoseOfTheSpec) {
    auto file = VdfCheckpointFile::open(path());
    ASSERT_TRUE(file.has_value());
    const Digest d = digest_of("d");
    ASSERT_TRUE(file->append(Height(5), world_.input, 0, d).has_value());
    const auto raw = read_file(path(), 4096);
    ASSERT_TRUE(raw.has_value());
    Writer body;
    body.u64(5).fixed(world_.input).u32(0).fixed(d);
    EXPECT_EQ(*raw, encode_record(Digest{}, body.bytes()));
}

TEST_F(CheckpointFile, CutAnywhereItGoesOnToTheSameBytes) {
    const std::vector<Digest> wanted = world_.checkpoints();
    {
        auto file = VdfCheckpointFile::open(path());
        ASSERT_TRUE(file.has_value() && evaluate_with(*file, {{job()}}).has_value());
    }
    const Bytes whole = read_file(path(), 1U << 20).value();
    for (std::size_t n = 1; n <= whole.size(); n += n % 116 < 3 || n % 116 > 112 ? 1 : 17) {
        ASSERT_TRUE(write_file(path(), ByteView(whole).first(n), true).has_value());
        auto file = VdfCheckpointFile::open(path());
        ASSERT_TRUE(file.has_value());
        EXPECT_EQ(file->recovery().cut_bytes, n % 116);
        EXPECT_EQ(file->checkpoints(world_.height, world_.input).size(), n / 116);
        const auto d = evaluate_with(*file, {{job()}});
        ASSERT_TRUE(d.has_value());
        EXPECT_EQ(d->front(), wanted);
        EXPECT_EQ(read_file(path(), 1U << 20).value(), whole);
    }
}

TEST_F(CheckpointFile, AnotherEpochOrOtherParametersBeginAnew) {
    {
        auto file = VdfCheckpointFile::open(path());
        ASSERT_TRUE(file.has_value());
        ASSERT_TRUE(
            file->append(world_.height, world_.input, 0, digest_of("old epoch")).has_value());
        ASSERT_TRUE(file->append(world_.height, world_.input, 1, digest_of("old d_1")).has_value());
        EXPECT_EQ(evaluate_with(*file, {{job()}}).value().front(), world_.checkpoints());
    }
    auto file = VdfCheckpointFile::open(path());
    ASSERT_TRUE(file.has_value());
    EXPECT_EQ(file->checkpoints(world_.height, world_.input), world_.checkpoints());
}

TEST_F(CheckpointFile, RefusesGapsAndForeignRecords) {
    {
        auto file = VdfCheckpointFile::open(path());
        ASSERT_TRUE(file.has_value());
        EXPECT_EQ(file->append(Height(1), {}, 1, {}).error().code, ErrorCode::kInvalidArgument);
        ASSERT_TRUE(file->append(Height(1), {}, 0, {}).has_value());
        EXPECT_EQ(file->append(Height(1), {}, 2, {}).error().code, ErrorCode::kInvalidArgument);
        ASSERT_TRUE(file->append(Height(1), {}, 1, {}).has_value());
        // One writer at a time.
        EXPECT_EQ(VdfCheckpointFile::open(path()).error().code, ErrorCode::kBusy);
    }
    Writer gap;
    gap.u64(1).fixed(Seed{}).u32(3).fixed(Digest{});
    for (const Bytes& body : {gap.bytes(), Bytes(75, 0), Bytes{1}}) {
        ASSERT_TRUE(remove_store_file(path()));
        {
            auto log = RecordLog::open(path());
            ASSERT_TRUE(log.has_value() && log->append(body).has_value());
        }
        const auto file = VdfCheckpointFile::open(path());
        ASSERT_FALSE(file.has_value());
        EXPECT_EQ(file.error().code, ErrorCode::kCorrupt);
    }
}

TEST_F(CheckpointFile, AFailureToKeepEndsTheEvaluation) {
    auto file = VdfCheckpointFile::open(path());
    ASSERT_TRUE(file.has_value());
    VdfEvaluateOptions options;
    options.on_checkpoint = [&](std::size_t, std::uint32_t i, const Digest& d) -> Status {
        // Kept before anybody hears of it.
        EXPECT_EQ(file->checkpoints(world_.height, world_.input).at(i), d);
        if (i == 3) return fail(ErrorCode::kOutOfSpace, "full");
        return {};
    };
    EXPECT_EQ(evaluate_with(*file, {{job()}}, options).error().code, ErrorCode::kOutOfSpace);
    EXPECT_EQ(file->checkpoints(world_.height, world_.input).size(), 4U);
}

TEST_F(CheckpointFile, KilledAtAnyMomentLosesAtMostOneCheckpoint) {
    const std::vector<Digest> wanted = world_.checkpoints();
    for (int round = 0; round < 12; ++round) {
        ASSERT_TRUE(remove_store_file(path()));
        int acknowledged[2];
        ASSERT_EQ(pipe(acknowledged), 0);
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            auto file = VdfCheckpointFile::open(path());
            VdfEvaluateOptions options;
            options.on_checkpoint = [&](std::size_t, std::uint32_t i, const Digest&) -> Status {
                const auto told = static_cast<std::uint8_t>(i);
                if (write(acknowledged[1], &told, 1) != 1) _exit(2);
                return {};
            };
            static_cast<void>(evaluate_with(*file, {{job()}}, options));
            _exit(0);
        }
        close(acknowledged[1]);
        // Killed some time after the n-th acknowledgement: within a segment, a write, an fsync.
        std::uint8_t last = 0xff;
        for (int heard = 0; heard <= round % 6; ++heard) {
            ASSERT_EQ(read(acknowledged[0], &last, 1), 1);
        }
        usleep(static_cast<useconds_t>(37 * round));
        kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        while (read(acknowledged[0], &last, 1) == 1) {
        }
        close(acknowledged[0]);

        auto file = VdfCheckpointFile::open(path());
        ASSERT_TRUE(file.has_value());
        const std::size_t kept = file->checkpoints(world_.height, world_.input).size();
        EXPECT_GE(kept, std::size_t{last} + 1);
        EXPECT_LE(kept, std::size_t{last} + 2);
        EXPECT_EQ(evaluate_with(*file, {{job()}}).value().front(), wanted);
    }
}

}  // namespace
}  // namespace holdfast::test
