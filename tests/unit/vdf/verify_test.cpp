// Verification: every reason reachable, the first bad segment named whatever the order of work,
// every bit of a small proof guarded, evidence only where there is an offence.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "support/vdf_world.hpp"

namespace holdfast::test {
namespace {

class VdfVerify : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { world_ = new VdfWorld({64, 1, 4, 8, 200}); }
    static void TearDownTestSuite() {
        delete world_;
        world_ = nullptr;
    }
    static const VdfWorld& world() { return *world_; }

    static Verdict claim(const VdfProof& p) { return verify_vdf_claim(world().context(), p); }
    static Verdict full(const VdfProof& p, const VdfVerifyOptions& options = {}) {
        const auto v = verify_vdf_full(world().context(), p, world().arena->view(), options);
        EXPECT_TRUE(v.has_value());
        return v.has_value() ? *v : Verdict(Reason::kBusy);
    }

  private:
    static inline VdfWorld* world_ = nullptr;
};

std::vector<const WalkKernel*> usable_kernels() {
    std::vector<const WalkKernel*> out;
    for (const WalkKernel& kernel : walk_kernels()) {
        if (kernel.usable()) out.push_back(&kernel);
    }
    return out;
}

TEST_F(VdfVerify, AcceptsAnHonestProof) {
    const VdfProof p = world().proof();
    EXPECT_EQ(claim(p), Verdict::ok());
    EXPECT_EQ(full(p), Verdict::ok());
}

TEST_F(VdfVerify, EveryReasonIsReached) {
    const VdfProof honest = world().proof();
    VdfProof p = honest;
    p.params.steps_per_checkpoint = 9;
    EXPECT_EQ(claim(p).reason, Reason::kVdfPolicy);

    p = honest;
    p.height = p.height + 1;
    world().resign(p);
    EXPECT_EQ(claim(p).reason, Reason::kWrongHeight);

    p = honest;
    p.input = Seed{digest_of("another block")};
    world().resign(p);
    EXPECT_EQ(claim(p).reason, Reason::kVdfInput);

    p = honest;
    p.checkpoints.pop_back();
    world().resign(p);
    EXPECT_EQ(claim(p).reason, Reason::kBadField);

    p = honest;
    p.evaluator.bytes.fill(0xff);
    EXPECT_EQ(claim(p).reason, Reason::kBadKey);

    p = honest;
    p.signature.bytes[0] ^= 1;
    EXPECT_EQ(claim(p).reason, Reason::kVdfSignature);

    p = honest;
    p.checkpoints[0] = digest_of("a kinder start");
    world().resign(p);
    EXPECT_EQ(claim(p).reason, Reason::kVdfStart);

    p = honest;
    p.y = VdfOutput{digest_of("a kinder output")};
    world().resign(p);
    EXPECT_EQ(claim(p).reason, Reason::kVdfOutputMismatch);

    std::vector<Digest> d = honest.checkpoints;
    d[7] = digest_of("a skipped segment");
    p = world().sign(d);
    EXPECT_EQ(claim(p), Verdict::ok());
    EXPECT_EQ(full(p), Verdict(Reason::kVdfSegment, 6));

    NetworkParams without = world().params;
    without.has_vdf = false;
    const VdfContext context{without, world().network_id, world().height, world().input, 0, {}};
    EXPECT_EQ(verify_vdf_claim(context, honest).reason, Reason::kVdfPolicy);
}

TEST_F(VdfVerify, AnotherNetworkOrEpochIsRefused) {
    const VdfProof p = world().proof();
    VdfContext context = world().context();
    context.network_id = NetworkId{digest_of("elsewhere")};
    EXPECT_EQ(verify_vdf_claim(context, p).reason, Reason::kVdfSignature);
    VdfContext later = world().context();
    later.epoch_seed = EpochSeed{digest_of("another epoch")};
    EXPECT_EQ(verify_vdf_claim(later, p).reason, Reason::kVdfStart);
    // The arena must be the context's.
    const auto v = verify_vdf_full(later, p, world().arena->view());
    ASSERT_FALSE(v.has_value());
    EXPECT_EQ(v.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(VdfVerify, NamesTheFirstBadSegmentForEveryKernelAndOrderOfWork) {
    const VdfProof honest = world().proof();
    // Backwards, forwards, and truly at once.
    const ParallelFor backwards = [](std::size_t count, const auto& body) {
        for (std::size_t i = count; i-- > 0;) body(i);
    };
    const ParallelFor sixteen_threads = [](std::size_t count, const auto& body) {
        std::atomic<std::size_t> next{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 16; ++t) {
            threads.emplace_back([&] {
                for (std::size_t i = next++; i < count; i = next++) body(i);
            });
        }
        for (std::thread& t : threads) t.join();
    };
    const std::vector<ParallelFor> orders{{}, backwards, pool_parallel(), sixteen_threads};
    for (const auto& bad : std::vector<std::vector<std::size_t>>{
             {1}, {200}, {100, 150}, {64, 65, 129}, {63, 128}, {190, 40, 199}}) {
        std::vector<Digest> d = honest.checkpoints;
        for (const std::size_t i : bad) d[i].bytes[31] ^= 0x80;
        const VdfProof p = world().sign(d);
        const std::uint64_t first = *std::min_element(bad.begin(), bad.end()) - 1;
        for (const WalkKernel& kernel : walk_kernels()) {
            if (!kernel.usable()) continue;
            for (const ParallelFor& order : orders) {
                VdfVerifyOptions options;
                options.kernel = &kernel;
                options.parallel = order;
                EXPECT_EQ(full(p, options), Verdict(Reason::kVdfSegment, first)) << kernel.name;
            }
        }
    }
}

TEST_F(VdfVerify, EverySingleBadSegmentIsFound) {
    const VdfProof honest = world().proof();
    for (std::uint32_t i = 1; i <= world().params.vdf.checkpoints; ++i) {
        std::vector<Digest> d = honest.checkpoints;
        d[i].bytes[i % 32] ^= 1;
        EXPECT_EQ(full(world().sign(d)), Verdict(Reason::kVdfSegment, i - 1));
    }
}

TEST_F(VdfVerify, SwappedCheckpointsAreRefused) {
    std::vector<Digest> d = world().checkpoints();
    std::swap(d[3], d[4]);
    EXPECT_EQ(full(world().sign(d)), Verdict(Reason::kVdfSegment, 2));
}

TEST_F(VdfVerify, SkippedStepsAreAlwaysRefused) {
    // An evaluator that leaves out one step in twenty of one segment, the last too.
    const VdfParams& params = world().params.vdf;
    for (const std::uint32_t lazy : {0U, 77U, params.checkpoints - 1}) {
        std::vector<Digest> d = world().checkpoints();
        d.resize(std::size_t{lazy} + 1);
        while (d.size() <= params.checkpoints) {
            const std::uint64_t skipped = d.size() == std::size_t{lazy} + 1 ? 1 : 0;
            WalkState x = vdf_expand(d.back());
            vdf_walk(x, world().arena->view(), params.steps_per_checkpoint - skipped);
            d.push_back(vdf_gate(x, d.size()));
        }
        for (const WalkKernel* kernel : usable_kernels()) {
            VdfVerifyOptions options;
            options.kernel = kernel;
            EXPECT_EQ(full(world().sign(d), options), Verdict(Reason::kVdfSegment, lazy))
                << kernel->name;
        }
    }
}

TEST_F(VdfVerify, SpotLooksExactlyWhereItIsTold) {
    std::vector<Digest> d = world().checkpoints();
    d[120].bytes[0] ^= 1;  // spoils segments 119 and 120
    const VdfProof p = world().sign(d);
    for (const WalkKernel* kernel : usable_kernels()) {
        const auto spot = [&](std::vector<std::uint32_t> segments) {
            VdfVerifyOptions options;
            options.kernel = kernel;
            const auto v =
                verify_vdf_spot(world().context(), p, segments, world().arena->view(), options);
            EXPECT_TRUE(v.has_value());
            return *v;
        };
        EXPECT_EQ(spot({0, 5, 118, 121, 199}), Verdict::ok()) << kernel->name;
        EXPECT_EQ(spot({199, 120, 5, 120}), Verdict(Reason::kVdfSegment, 120)) << kernel->name;
        EXPECT_EQ(spot({120, 119}), Verdict(Reason::kVdfSegment, 119)) << kernel->name;
    }
    for (const std::vector<std::uint32_t>& bad :
         std::vector<std::vector<std::uint32_t>>{{}, {200}, {3, UINT32_MAX}}) {
        const auto v = verify_vdf_spot(world().context(), p, bad, world().arena->view());
        ASSERT_FALSE(v.has_value());
        EXPECT_EQ(v.error().code, ErrorCode::kInvalidArgument);
    }
    VdfProof other = p;
    other.height = other.height + 1;
    const std::vector<std::uint32_t> one{1};
    const auto v = verify_vdf_spot(world().context(), other, one, world().arena->view());
    ASSERT_TRUE(v.has_value());
    EXPECT_EQ(v->reason, Reason::kWrongHeight);
}

TEST_F(VdfVerify, SpotSegmentsAreDistinctAscendingAndEven) {
    std::vector<int> drawn(10, 0);
    for (int round = 0; round < 2'000; ++round) {
        const auto picked = pick_spot_segments(digest_of("r" + std::to_string(round)), 10, 3);
        ASSERT_EQ(picked.size(), 3U);
        EXPECT_TRUE(picked[0] < picked[1] && picked[1] < picked[2] && picked[2] < 10);
        for (const std::uint32_t i : picked) ++drawn[i];
    }
    // 600 expected each, standard deviation 20.5.
    for (const int n : drawn) EXPECT_NEAR(n, 600, 90);
    EXPECT_EQ(pick_spot_segments({}, 4, 9), (std::vector<std::uint32_t>{0, 1, 2, 3}));
    EXPECT_TRUE(pick_spot_segments({}, 4, 0).empty());
}

TEST_F(VdfVerify, StopsWhenAskedAndReportsProgress) {
    const VdfProof p = world().proof();
    VdfVerifyOptions options;
    options.stop = [] { return true; };
    const auto stopped = verify_vdf_full(world().context(), p, world().arena->view(), options);
    ASSERT_FALSE(stopped.has_value());
    EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);

    VdfVerifyOptions told;
    std::atomic<std::uint64_t> last{0};
    told.progress = [&](std::uint64_t done, std::uint64_t total) {
        EXPECT_EQ(total, 200U);
        last = std::max<std::uint64_t>(last, done);
    };
    EXPECT_EQ(full(p, told), Verdict::ok());
    EXPECT_EQ(last, 200U);
}

TEST(VdfForm, EveryBitOfASmallProofIsGuarded) {
    const VdfWorld world({64, 1, 4, 4, 2});
    const Bytes body = world.proof().encode();
    ASSERT_EQ(body.size(), 25U + 8 + 32 + 3 * 32 + 32 + 32 + 64);
    std::set<Reason> seen;
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
        Bytes flipped = body;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        const auto p = VdfProof::decode(flipped);
        if (!p) {
            seen.insert(p.error().reason);
            continue;
        }
        ASSERT_EQ(p->encode(), flipped);
        const auto v = verify_vdf_full(world.context(), *p, world.arena->view());
        ASSERT_TRUE(v.has_value());
        EXPECT_FALSE(v->accepted()) << "bit " << bit;
        seen.insert(v->reason);
    }
    for (const Reason r : {Reason::kBadVersion, Reason::kVdfPolicy, Reason::kWrongHeight,
                           Reason::kVdfInput, Reason::kVdfSignature, Reason::kBadKey}) {
        EXPECT_TRUE(seen.count(r)) << describe(r).name;
    }
}

TEST(VdfForm, EveryOtherLengthIsRefused) {
    const VdfWorld world({64, 1, 4, 4, 3});
    const VdfProof proof = world.proof();
    const auto check = [](const Bytes& body, const auto& decode) {
        ASSERT_TRUE(decode(ByteView(body)).has_value());
        for (std::size_t n = 0; n < body.size(); ++n) {
            const auto got = decode(ByteView(body).first(n));
            ASSERT_FALSE(got.has_value());
            EXPECT_EQ(got.error().reason, Reason::kTruncated) << n;
        }
        Bytes longer = body;
        longer.push_back(0);
        const auto got = decode(ByteView(longer));
        ASSERT_FALSE(got.has_value());
        EXPECT_EQ(got.error().reason, Reason::kTrailingBytes);
    };
    check(proof.encode(), VdfProof::decode);
    for (std::uint32_t i = 0; i < 3; ++i) {
        check(make_segment(proof, i).encode(), VdfSegment::decode);
        check(make_segment_evidence(proof, i).encode(), VdfSegmentEvidence::decode);
    }
    for (const auto end : {VdfEndEvidence::End::kOutput, VdfEndEvidence::End::kStart}) {
        check(make_end_evidence(proof, end).encode(),
              [end](ByteView body) { return VdfEndEvidence::decode(end, body); });
    }
}

TEST(VdfForm, BoundsAreCheckedBeforeAnythingIsAllocated) {
    const VdfWorld world({64, 1, 4, 4, 3});
    Bytes body = world.proof().encode();
    // checkpoints = 2^32 - 1 in a proof of a few hundred bytes; 2^16, which a network may have.
    std::fill_n(body.begin() + 21, 4, std::uint8_t{0xff});
    EXPECT_EQ(VdfProof::decode(body).error().reason, Reason::kVdfPolicy);
    body[21] = body[22] = body[24] = 0;
    body[23] = 1;
    EXPECT_EQ(VdfProof::decode(body).error().reason, Reason::kTruncated);
    Bytes segment = make_segment(world.proof(), 2).encode();
    segment[65] = 3;
    EXPECT_EQ(VdfSegment::decode(segment).error().reason, Reason::kBadIndex);
}

class VdfEvidence : public ::testing::Test {
  protected:
    const VdfWorld world{{64, 1, 4, 8, 6}};

    Verdict judge(const VdfSegmentEvidence& e, const WalkKernel* kernel = nullptr) const {
        VdfVerifyOptions options;
        options.kernel = kernel;
        const auto v = verify_segment_evidence(world.context(), e, world.arena->view(), options);
        EXPECT_TRUE(v.has_value());
        return v.has_value() ? *v : Verdict(Reason::kBusy);
    }
};

TEST_F(VdfEvidence, SegmentThatDoesNotLeadOnIsAnOffence) {
    std::vector<Digest> d = world.checkpoints();
    d[3] = digest_of("nonsense");
    const VdfProof p = world.sign(d);
    for (std::uint32_t i = 0; i < 6; ++i) {
        const bool bad = i == 2 || i == 3;
        const VdfSegmentEvidence e = make_segment_evidence(p, i);
        EXPECT_EQ(VdfSegmentEvidence::decode(e.encode()).value(), e);
        for (const WalkKernel* kernel : usable_kernels()) {
            EXPECT_EQ(judge(e, kernel), bad ? Verdict::ok() : Verdict(Reason::kNoOffence))
                << i << " by " << kernel->name;
            VdfVerifyOptions options;
            options.kernel = kernel;
            const auto v = verify_vdf_segment(world.context(), e.segment, checkpoints_root(d),
                                              world.arena->view(), options);
            ASSERT_TRUE(v.has_value());
            EXPECT_EQ(*v, bad ? Verdict(Reason::kVdfSegment, i) : Verdict::ok())
                << i << " by " << kernel->name;
        }
    }
}

TEST_F(VdfEvidence, NothingCanBeBlamedOnAnHonestEvaluator) {
    const VdfProof p = world.proof();
    for (std::uint32_t i = 0; i < 6; ++i) {
        const Bytes body = make_segment_evidence(p, i).encode();
        for (const WalkKernel* kernel : usable_kernels()) {
            EXPECT_EQ(judge(make_segment_evidence(p, i), kernel), Verdict(Reason::kNoOffence))
                << kernel->name;
        }
        for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
            Bytes flipped = body;
            flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            const auto e = VdfSegmentEvidence::decode(flipped);
            if (!e) continue;
            EXPECT_FALSE(judge(*e).accepted()) << "segment " << i << " bit " << bit;
        }
    }
    for (const auto end : {VdfEndEvidence::End::kOutput, VdfEndEvidence::End::kStart}) {
        const Bytes body = make_end_evidence(p, end).encode();
        for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
            Bytes flipped = body;
            flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            const auto e = VdfEndEvidence::decode(end, flipped);
            if (!e) continue;
            EXPECT_FALSE(verify_end_evidence(world.context(), *e).accepted()) << bit;
        }
    }
}

TEST_F(VdfEvidence, PathsOfTwoTreesAreRefusedBeforeAnyWalk) {
    VdfSegmentEvidence e = make_segment_evidence(world.proof(), 2);
    std::vector<Digest> d = world.checkpoints();
    d[3] = digest_of("nonsense");
    const VdfSegment other = make_segment(world.sign(d), 2);
    e.segment.d_i1 = other.d_i1;
    e.segment.path_i1 = other.path_i1;
    EXPECT_EQ(check_segment_evidence(world.context(), e).reason, Reason::kBadPath);
    e.segment = other;
    EXPECT_EQ(check_segment_evidence(world.context(), e).reason, Reason::kVdfSignature);
    e = make_segment_evidence(world.proof(), 2);
    EXPECT_EQ(check_segment_evidence(world.context(), e), Verdict::ok());
    e.segment.path_i.pop_back();
    EXPECT_EQ(check_segment_evidence(world.context(), e).reason, Reason::kProofLength);
    e = make_segment_evidence(world.proof(), 2);
    e.segment.i = 6;
    EXPECT_EQ(check_segment_evidence(world.context(), e).reason, Reason::kBadIndex);
}

TEST_F(VdfEvidence, FalseEndsAreOffencesAndTrueOnesAreNot) {
    using End = VdfEndEvidence::End;
    const VdfContext context = world.context();
    VdfProof p = world.proof();
    EXPECT_EQ(verify_end_evidence(context, make_end_evidence(p, End::kOutput)),
              Verdict(Reason::kNoOffence));
    EXPECT_EQ(verify_end_evidence(context, make_end_evidence(p, End::kStart)),
              Verdict(Reason::kNoOffence));

    p.y = VdfOutput{digest_of("a kinder output")};
    world.resign(p);
    const VdfEndEvidence output = make_end_evidence(p, End::kOutput);
    EXPECT_EQ(verify_end_evidence(context, output), Verdict::ok());
    EXPECT_EQ(VdfEndEvidence::decode(End::kOutput, output.encode()).value(), output);
    EXPECT_EQ(verify_end_evidence(context, make_end_evidence(p, End::kStart)),
              Verdict(Reason::kNoOffence));

    p = world.proof();
    p.checkpoints[0] = digest_of("a kinder start");
    world.resign(p);
    EXPECT_EQ(verify_end_evidence(context, make_end_evidence(p, End::kStart)), Verdict::ok());
    VdfEndEvidence e = make_end_evidence(p, End::kStart);
    e.end = End::kOutput;  // d_0 passed off as d_K: its path does not fit there
    EXPECT_FALSE(verify_end_evidence(context, e).accepted());
    e = make_end_evidence(p, End::kStart);
    e.signature = world.proof().signature;
    EXPECT_EQ(verify_end_evidence(context, e).reason, Reason::kVdfSignature);

    // Judged only against the verifier's own block.
    e = make_end_evidence(p, End::kStart);
    EXPECT_EQ(
        verify_end_evidence(world.context_of(world.height, Seed{digest_of("other")}), e).reason,
        Reason::kVdfInput);
    EXPECT_EQ(verify_end_evidence(world.context_of(world.height + 1, world.input), e).reason,
              Reason::kWrongHeight);
}

}  // namespace
}  // namespace holdfast::test
