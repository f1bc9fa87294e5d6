// The clock follows the host: what it evaluates, what it takes from others, what a reorganisation
// costs, epochs and their arenas.
#include "clock/vdf_clock.hpp"

#include <atomic>
#include <thread>

#include "clock/vdf_clock_service.hpp"
#include "support/clock_world.hpp"

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;

class VdfClockTest : public ClockWorld {};

TEST_F(VdfClockTest, FollowsTheHostToItsTip) {
    chain_.append(9);
    VdfClock clock = open(options());
    EXPECT_EQ(must(clock.status()).behind, 9U);
    EXPECT_EQ(must(clock.status()).behind_tip, 10U);
    const VdfClockReport report = must(clock.advance());
    EXPECT_EQ(report.evaluated.size(), 10U);
    EXPECT_TRUE(report.waiting.empty());
    const VdfClockStatus status = must(clock.status());
    EXPECT_EQ(status.behind, 0U);
    EXPECT_EQ(status.behind_tip, 0U);
    EXPECT_EQ(status.settled, Height(8));
    EXPECT_EQ(status.segments_evaluated, 10 * segments());
    EXPECT_TRUE(status.in_progress.empty());
    EXPECT_GT(status.steps_per_second, 0);
    for (Height h(0); h <= Height(9); ++h) {
        const VdfProof proof = must(clock.proof(h));
        EXPECT_EQ(proof.y, must(clock.at(h)).y);
        EXPECT_EQ(verify_vdf_claim(must(clock.context(h)), proof), Verdict::ok());
    }
    EXPECT_EQ(must(clock.at(Height(3))).y, plain_y(Height(3), first_epoch()));
    EXPECT_TRUE(must(clock.advance()).evaluated.empty());
    EXPECT_EQ(must(clock.status()).segments_evaluated, 10 * segments());
}

TEST_F(VdfClockTest, StartsWhereItIsToldAndWithFinalBlocksOnly) {
    chain_.append(4);
    VdfClockOptions with = options();
    with.first = Height(2);
    with.from_tip = false;
    VdfClock clock = open(with);
    const VdfClockReport report = must(clock.advance());
    EXPECT_EQ(report.evaluated, (std::vector<Height>{Height(3), Height(2)}));
    EXPECT_EQ(must(clock.status()).behind_tip, 1U);
}

TEST_F(VdfClockTest, AReorganisationCostsItsOwnHeightsOnly) {
    chain_.append(5);
    VdfClock clock = open(options());
    must(clock.advance());
    const VdfOutput kept = must(clock.at(Height(4))).y;
    const VdfOutput old = must(clock.at(Height(5))).y;
    const std::uint64_t before = must(clock.status()).segments_evaluated;
    chain_.replace(5, 1);
    const VdfClockReport report = must(clock.advance());
    EXPECT_EQ(report.evaluated, std::vector<Height>{Height(5)});
    EXPECT_EQ(must(clock.status()).segments_evaluated, before + segments());
    EXPECT_EQ(must(clock.at(Height(4))).y, kept);
    EXPECT_NE(must(clock.at(Height(5))).y, old);
    // The first branch comes back: it has been verified before.
    chain_.replace(5, 0);
    EXPECT_TRUE(must(clock.advance()).evaluated.empty());
    EXPECT_EQ(must(clock.at(Height(5))).y, old);
    EXPECT_EQ(must(clock.status()).segments_evaluated, before + segments());
}

TEST_F(VdfClockTest, AReorganisationDuringTheEvaluationStopsOnlyWhatItReplaced) {
    params_ = clock_network({64, 1, 4, 64, 40});
    chain_.append(3);
    VdfClock clock = open(options());
    std::atomic<bool> replaced{false};
    VdfClockWork work;
    work.progress = [&](const char* what, std::uint64_t done, std::uint64_t total) {
        if (std::string_view(what) != "evaluating" || done < total / 4) return;
        if (!replaced.exchange(true)) chain_.replace(3, 10);
    };
    EXPECT_EQ(must(clock.advance(work)).evaluated.size(), 4U);
    const VdfClockStatus status = must(clock.status());
    EXPECT_EQ(status.abandoned, 1U);
    // Everything but the replaced height was walked exactly once. What was walked of that one still
    // lies in the folder.
    ASSERT_EQ(status.in_progress.size(), 1U);
    EXPECT_EQ(status.in_progress[0].height, Height(3));
    EXPECT_LT(status.in_progress[0].segments, segments());
    EXPECT_EQ(status.segments_evaluated, 4 * segments() + status.in_progress[0].segments);
    EXPECT_EQ(must(clock.at(Height(3))).y, plain_y(Height(3), first_epoch()));
}

TEST_F(VdfClockTest, ANewBlockJoinsTheEvaluationsUnderWay) {
    params_ = clock_network({64, 1, 4, 64, 40});
    VdfClock clock = open(options());
    std::atomic<bool> grown{false};
    VdfClockWork work;
    work.progress = [&](const char*, std::uint64_t, std::uint64_t) {
        if (!grown.exchange(true)) chain_.append(2);
    };
    EXPECT_EQ(must(clock.advance(work)).evaluated.size(), 3U);
    EXPECT_EQ(must(clock.status()).segments_evaluated, 3 * segments());
}

TEST_F(VdfClockTest, CatchesUpOnOthersProofs) {
    chain_.append(9);
    VdfClock evaluator = open(options());
    must(evaluator.advance());
    VdfClockOptions with = options("follower");
    bool lying = true;
    int asked = 0;
    with.proofs = [&](Height height, const Seed& input) -> Result<VdfProof> {
        ++asked;
        EXPECT_EQ(input, seed(height));
        HOLDFAST_ASSIGN(proof, evaluator.proof(height));
        if (!lying || height != Height(2)) return proof;
        proof.checkpoints[2].bytes[0] ^= 1;
        return make_vdf_proof(proof.params, params_.id(), height, proof.input, proof.checkpoints,
                              key_of(9))
            .value();
    };
    VdfClock follower = open(with, false);
    VdfClockReport report = must(follower.advance());
    ASSERT_FALSE(report.refused.empty());
    EXPECT_EQ(report.refused[0].height, Height(2));
    EXPECT_EQ(report.refused[0].verdict, Verdict(Reason::kVdfSegment, 1));
    EXPECT_EQ(follower.at(Height(2)).error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(follower.proof(Height(2)).error().code, ErrorCode::kNotFound);
    const std::uint64_t refused = must(follower.status()).refused;
    EXPECT_EQ(refused, 1U) << "the same lie is verified once";
    // Height 2 is the source of epoch 1: nothing beyond can be known without it.
    EXPECT_EQ(must(follower.status()).behind_tip, 5U);
    lying = false;
    report = must(follower.advance());
    EXPECT_TRUE(report.waiting.empty());
    EXPECT_EQ(must(follower.status()).behind_tip, 0U);
    EXPECT_EQ(must(follower.status()).heights_verified, 10U);
    EXPECT_EQ(must(follower.status()).segments_evaluated, 0U);
    for (Height h(0); h <= Height(9); ++h) {
        EXPECT_EQ(must(follower.at(h)).y, must(evaluator.at(h)).y);
        EXPECT_EQ(must(follower.proof(h)), must(evaluator.proof(h)));
    }
    EXPECT_GE(asked, 10);
}

TEST_F(VdfClockTest, OfAnOutsideEvaluatorOnlyWhatHoldsIsSigned) {
    chain_.append(3);
    VdfClockOptions with = options();
    with.fill_ahead = false;
    with.outside = [&](const VdfContext& context,
                       const VdfClockWork&) -> Result<std::vector<Digest>> {
        std::vector<Digest> d =
            plain_checkpoints(context.height, context.input, context.epoch_seed);
        if (context.height == Height(1)) d[3].bytes[5] ^= 1;
        if (context.height == Height(2)) d.pop_back();
        if (context.height == Height(3)) return fail(ErrorCode::kUnavailable, "no card");
        return d;
    };
    VdfClock clock = open(with);
    const VdfClockReport report = must(clock.advance());
    ASSERT_EQ(report.refused.size(), 2U);
    EXPECT_EQ(report.refused[0].verdict, Verdict(Reason::kVdfSegment, 2));
    EXPECT_EQ(report.refused[1].verdict, Verdict(Reason::kBadField));
    EXPECT_EQ(report.evaluated.size(), 4U);
    EXPECT_EQ(must(clock.status()).segments_evaluated, 3 * segments());
    for (Height h(0); h <= Height(3); ++h) {
        EXPECT_EQ(must(clock.at(h)).y, plain_y(h, first_epoch()));
    }
    EXPECT_EQ(try_open(with, false).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(VdfClockTest, EpochsFollowTheirSourcesAndAreFilledAhead) {
    chain_.append(8);  // epochs 0 and 1; the source of epoch 2 is height 8
    VdfClock clock = open(options());
    must(clock.advance());
    const EpochSeed second = epoch_seed(params_.id(), 1, plain_y(Height(2), first_epoch()));
    EXPECT_EQ(must(clock.at(Height(7))).y, plain_y(Height(7), second));
    for (int i = 0; i < 2'000 && must(clock.status()).arena_fills < 3; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(must(clock.status()).arena_fills, 3U) << "epochs 0, 1 and, ahead of time, 2";
    chain_.append(6);
    must(clock.advance());
    const EpochSeed third = epoch_seed(params_.id(), 2, must(clock.at(Height(8))).y);
    EXPECT_EQ(must(clock.at(Height(13))).y, plain_y(Height(13), third));
    EXPECT_LE(must(clock.status()).arena_bytes, 2 * params_.vdf.arena_bytes());
    EXPECT_EQ(must(clock.context(Height(13))).epoch_seed, third);
}

TEST_F(VdfClockTest, AReplacedSourceReplacesTheEpoch) {
    chain_.append(6);
    VdfClock clock = open(options());
    must(clock.advance());
    const VdfOutput before = must(clock.at(Height(6))).y;
    // Deeper than any final block may be: a new network history for another clock of the folder.
    chain_.replace(2, 5);
    EXPECT_EQ(clock.advance().error().verdict.reason, Reason::kWrongBlock);
    const EpochSeed second = epoch_seed(params_.id(), 1, plain_y(Height(2), first_epoch()));
    EXPECT_EQ(must(clock.at(Height(6))).y, plain_y(Height(6), second));
    EXPECT_NE(must(clock.at(Height(6))).y, before);
}

TEST_F(VdfClockTest, AnEpochWhoseSourceClosedWithoutYUsesTheHeightBefore) {
    chain_.append(7);
    VdfClockOptions with = options();
    std::set<Height> without{Height(2)};
    with.closed_without_y = [&](Height h) -> Result<std::optional<bool>> {
        return std::optional(without.count(h) > 0);
    };
    VdfClock clock = open(with);
    must(clock.advance());
    EpochSeed second = epoch_seed(params_.id(), 1, plain_y(Height(1), first_epoch()));
    EXPECT_EQ(must(clock.at(Height(6))).y, plain_y(Height(6), second));
    EXPECT_EQ(must(clock.status()).heights_evaluated, 7U);
    // None down to the first: y of epoch 0.
    without = {Height(0), Height(1), Height(2)};
    second = epoch_seed(params_.id(), 1, genesis_output(params_.id()));
    EXPECT_EQ(must(clock.at(Height(6))).y, plain_y(Height(6), second));
}

TEST_F(VdfClockTest, TheCeilingIsKept) {
    VdfClockOptions with = options();
    with.arena_ceiling_bytes = params_.vdf.arena_bytes() - 1;
    EXPECT_EQ(try_open(with).error().code, ErrorCode::kInvalidArgument);
    with.arena_ceiling_bytes = params_.vdf.arena_bytes();
    chain_.append(13);
    VdfClock clock = open(with);
    must(clock.advance());
    EXPECT_EQ(must(clock.status()).behind_tip, 0U);
    EXPECT_EQ(must(clock.status()).arena_fills, 3U);  // none ahead of its time
    EXPECT_EQ(must(clock.status()).arena_bytes, params_.vdf.arena_bytes());
    // While somebody holds the only arena that there is room for, another epoch has to wait.
    const auto held = must(clock.arena(must(clock.context(Height(13)))));
    EXPECT_EQ(clock.arena(must(clock.context(Height(0)))).error().code, ErrorCode::kBusy);
}

TEST_F(VdfClockTest, OldProofsGoAndSourcesOfEpochsStay) {
    VdfClockOptions with = options();
    with.keep_proofs = 4;
    VdfClock clock = open(with);
    chain_.append(20);
    must(clock.advance());
    std::vector<std::uint64_t> kept;
    for (Height h(0); h <= Height(20); ++h) {
        if (clock.proof(h)) kept.push_back(h.value);
        EXPECT_TRUE(clock.at(h).has_value()) << "y stays";
    }
    EXPECT_EQ(kept, (std::vector<std::uint64_t>{2, 8, 14, 16, 17, 18, 19, 20}));
    EXPECT_EQ(must(clock.status()).heights_evaluated, 21U);
}

TEST_F(VdfClockTest, ATroubledHostLosesNothing) {
    chain_.append(3);
    VdfClock clock = open(options());
    must(clock.advance());
    chain_.append(2);
    chain_.fail_with(ErrorCode::kTimeout);
    EXPECT_EQ(clock.advance().error().code, ErrorCode::kTimeout);
    EXPECT_EQ(clock.at(Height(1)).error().code, ErrorCode::kTimeout);
    EXPECT_EQ(clock.status().error().code, ErrorCode::kTimeout);
    chain_.fail_with(std::nullopt);
    // Silent in the middle of an evaluation: it goes on.
    VdfClockWork work;
    work.progress = [&](const char*, std::uint64_t, std::uint64_t) {
        chain_.fail_with(ErrorCode::kUnavailable);
    };
    EXPECT_EQ(clock.advance(work).error().code, ErrorCode::kUnavailable);
    chain_.fail_with(std::nullopt);
    EXPECT_EQ(must(clock.status()).behind_tip, 0U);
    EXPECT_EQ(must(clock.status()).segments_evaluated, 6 * segments());

    chain_.lie_about_heights(true);
    EXPECT_EQ(clock.at(Height(1)).error().verdict.reason, Reason::kWrongBlock);
    chain_.lie_about_heights(false);
    EXPECT_EQ(clock.at(Height(99)).error().code, ErrorCode::kNotFound);
    chain_.replace(3, 7);  // a final block
    EXPECT_EQ(clock.advance().error().verdict.reason, Reason::kWrongBlock);
}

TEST_F(VdfClockTest, AHostThatNeverSettlesGetsControlBack) {
    params_ = clock_network({64, 1, 4, 64, 200});
    chain_.append(1);
    VdfClock clock = open(options());
    std::uint64_t branch = 1;
    VdfClockWork work;
    work.progress = [&](const char* what, std::uint64_t, std::uint64_t) {
        if (std::string_view(what) == "evaluating") chain_.replace(0, ++branch);
    };
    const VdfClockReport report = must(clock.advance(work));
    EXPECT_TRUE(report.evaluated.empty());
    ASSERT_FALSE(report.waiting.empty());
    EXPECT_EQ(report.waiting.back().error.code, ErrorCode::kUnavailable);
}

TEST_F(VdfClockTest, TheServiceFollowsUntilItIsStopped) {
    params_ = clock_network({64, 1, 4, 256, 8});
    VdfClock clock = open(options());
    std::atomic<std::uint64_t> evaluated{0};
    ClockServiceOptions service_options;
    service_options.wait_ms = 60'000;
    service_options.on_round = [&](const Result<VdfClockReport>& round) {
        if (round) evaluated += round->evaluated.size();
    };
    const auto service = must(VdfClockService::start(clock, service_options));
    for (std::uint64_t h = 1; h <= 6; ++h) {
        chain_.append(1);
        service->wake();
        // Asked from here while the service works on it.
        EXPECT_EQ(must(clock.at(Height(h))).seed, seed(Height(h)));
    }
    // Asking from here may have done all the work: a round of the service's own is to end as well.
    const auto busy = [&] { return must(clock.status()).behind_tip > 0 || service->rounds() == 0; };
    for (int i = 0; i < 20'000 && busy(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    service->stop();
    service->stop();
    EXPECT_EQ(must(clock.status()).behind_tip, 0U);
    EXPECT_EQ(must(clock.status()).segments_evaluated, 7 * segments()) << "no height twice";
    EXPECT_FALSE(service->last_error());
    EXPECT_GE(service->rounds(), 1U);
    const std::uint64_t rounds = service->rounds();
    chain_.append(1);
    service->wake();
    EXPECT_EQ(service->rounds(), rounds);
}

TEST_F(VdfClockTest, AStoppedServiceEndsInTheMiddleOfAnEvaluation) {
    params_ = clock_network({64, 1, 4, 1U << 20, 1'000});
    VdfClock clock = open(options());
    std::atomic<bool> walking{false};
    ClockServiceOptions service_options;
    service_options.progress = [&](const char* what, std::uint64_t, std::uint64_t) {
        if (std::string_view(what) == "evaluating") walking = true;
    };
    const auto service = must(VdfClockService::start(clock, service_options));
    while (!walking) std::this_thread::yield();
    service->stop();
    EXPECT_EQ(must(clock.status()).heights_evaluated, 0U);
    ASSERT_EQ(must(clock.status()).in_progress.size(), 1U);
}

}  // namespace
}  // namespace holdfast::test
