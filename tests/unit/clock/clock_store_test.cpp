// What a clock believes of its folder: marks of its own, and nothing else.
#include "clock/clock_store.hpp"

#include <fstream>

#include "storage/begun.hpp"
#include "storage/file.hpp"
#include "storage/record_log.hpp"
#include "support/clock_world.hpp"

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;

class ClockFolderTest : public ClockWorld {
  protected:
    [[nodiscard]] fs::path log() const { return folder_ / "vdf" / "clock.log"; }
    [[nodiscard]] fs::path proof_path(std::uint64_t height) const {
        return VdfClock::proof_file(folder_ / "vdf", Height(height));
    }
    static void put(const fs::path& path, const VdfProof& proof) {
        ASSERT_TRUE(write_file(path, wrap_object(Kind::kVdfProof, proof.encode()), true));
    }
    static void flip(const fs::path& path, std::uint64_t at) {
        Bytes bytes = *read_file(path, 1U << 24);
        bytes.at(at) ^= 1;
        ASSERT_TRUE(write_file(path, bytes, true));
    }
};

TEST_F(ClockFolderTest, AStoppedEvaluationGoesOnAfterARestart) {
    params_ = clock_network({64, 1, 4, 64, 50});
    std::uint64_t walked = 0;
    for (int run = 0; run < 200; ++run) {
        VdfClock clock = open(options());
        int asked = 0;
        VdfClockWork work;
        bool walking = false;
        work.progress = [&](const char* what, std::uint64_t, std::uint64_t) {
            walking = std::string_view(what) == "evaluating";
        };
        work.stop = [&] { return walking && ++asked > 9; };
        const auto y = clock.at(Height(0), work);
        walked += must(clock.status()).segments_evaluated;
        if (!y) {
            ASSERT_EQ(y.error().code, ErrorCode::kInterrupted);
            continue;
        }
        EXPECT_GE(run, 4);
        EXPECT_EQ(y->y, plain_y(Height(0), first_epoch()));
        break;
    }
    EXPECT_EQ(walked, segments()) << "no segment twice";
    EXPECT_EQ(must(open(options()).status()).in_progress.size(), 0U);
}

TEST_F(ClockFolderTest, AMarkIsBelievedAfterARestartAndAProofFileIsNot) {
    {
        VdfClock clock = open(options());
        must(clock.advance());
    }
    {
        VdfClock clock = open(options());
        EXPECT_EQ(must(clock.at(Height(0))).y, plain_y(Height(0), first_epoch()));
        EXPECT_EQ(must(clock.status()).heights_verified, 0U);
        EXPECT_EQ(must(clock.status()).settled, std::nullopt);  // block 0 is not final yet
    }
    // Without its log the folder holds only claims: verified again, not evaluated again.
    ASSERT_TRUE(remove_store_file(log()));
    VdfClock clock = open(options());
    EXPECT_EQ(clock.proof(Height(0)).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(must(clock.at(Height(0))).y, plain_y(Height(0), first_epoch()));
    EXPECT_EQ(must(clock.status()).heights_verified, 1U);
    EXPECT_EQ(must(clock.status()).segments_evaluated, 0U);
    EXPECT_TRUE(clock.proof(Height(0)).has_value());
}

// As an evaluator's damaged memory or a folder from elsewhere may leave it: signed by our own key,
// consistent at both ends, wrong in between.
TEST_F(ClockFolderTest, OurOwnSignatureMakesNothingUsable) {
    const Seed input = seed(Height(0));
    std::vector<Digest> d = plain_checkpoints(Height(0), input, first_epoch());
    d[2].bytes[0] ^= 1;
    fs::create_directory(folder_ / "vdf");
    put(proof_path(0),
        make_vdf_proof(params_.vdf, params_.id(), Height(0), input, d, key_of(9)).value());
    d.back() = Digest(tagged_hash("another end"));
    VdfClock clock = open(options());
    const VdfClockReport report = must(clock.advance());
    ASSERT_EQ(report.refused.size(), 1U);
    EXPECT_EQ(report.refused[0].verdict, Verdict(Reason::kVdfSegment, 1));
    EXPECT_EQ(must(clock.proof(Height(0))).y, plain_y(Height(0), first_epoch()));
    EXPECT_EQ(must(clock.status()).heights_evaluated, 1U);
}

TEST_F(ClockFolderTest, NothingIsSignedThatDamagedCheckpointsLeadTo) {
    fs::create_directory(folder_ / "vdf");
    const Seed input = seed(Height(0));
    std::vector<Digest> d = plain_checkpoints(Height(0), input, first_epoch());
    d[2].bytes[0] ^= 1;
    {
        auto store =
            must(ClockStore::open(folder_ / "vdf", ClockFolder::kOwn, params_.id(), nullptr));
        auto file = must(store->checkpoints(Height(0), input));
        for (std::uint32_t i = 0; i < 3; ++i) {
            ASSERT_TRUE(file.append(Height(0), input, i, d[i]).has_value());
        }
    }
    VdfClock clock = open(options());
    const auto first = clock.at(Height(0));
    ASSERT_FALSE(first.has_value());
    EXPECT_EQ(first.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(first.error().message.find("vdf-segment"), std::string::npos);
    EXPECT_FALSE(fs::exists(proof_path(0)));
    EXPECT_EQ(must(clock.at(Height(0))).y, plain_y(Height(0), first_epoch()));
}

TEST_F(ClockFolderTest, ADamagedProofIsNotServedAndCanBeReplaced) {
    VdfClock clock = open(options());
    const VdfOutput y = must(clock.at(Height(0))).y;
    const VdfProof proof = must(clock.proof(Height(0)));
    flip(proof_path(0), 100);
    EXPECT_EQ(clock.proof(Height(0)).error().code, ErrorCode::kCorrupt);
    flip(proof_path(0), 0);  // not even a proof
    EXPECT_EQ(clock.proof(Height(0)).error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(must(clock.at(Height(0))).y, y);
    EXPECT_EQ(must(clock.import(proof)), Verdict::ok());
    EXPECT_EQ(must(clock.proof(Height(0))), proof);
    fs::remove(proof_path(0));
    EXPECT_EQ(clock.proof(Height(0)).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(must(clock.at(Height(0))).y, y);
}

TEST_F(ClockFolderTest, AnyDamageToTheLogLosesMarksAndMakesNone) {
    chain_.append(3);
    std::vector<VdfOutput> y;
    {
        VdfClock clock = open(options());
        must(clock.advance());
        for (Height h(0); h <= Height(3); ++h) y.push_back(must(clock.at(h)).y);
    }
    const Bytes whole = *read_file(log(), 1U << 20);
    for (std::size_t at = 0; at < whole.size(); at += 37) {
        Bytes damaged = whole;
        damaged[at] ^= 0x10;
        ASSERT_TRUE(write_file(log(), damaged, true));
        VdfClock clock = open(options());
        for (Height h(0); h <= Height(3); ++h) EXPECT_EQ(must(clock.at(h)).y, y[h.value]);
        EXPECT_EQ(must(clock.status()).segments_evaluated, 0U) << at;
        EXPECT_GT(must(clock.status()).heights_verified + (at > whole.size() - 150 ? 1 : 0), 0U)
            << at;
    }
}

TEST_F(ClockFolderTest, SomebodyElsesLogIsNotBelieved) {
    {
        VdfClock clock = open(options());
        must(clock.advance());
    }
    {
        auto other = must(VdfClock::open(params_, chain_, nullptr, key_of(8), options()));
        EXPECT_EQ(must(other.at(Height(0))).y, plain_y(Height(0), first_epoch()));
        EXPECT_EQ(must(other.status()).heights_verified, 1U);
    }
    VdfClock follower = open(options(), false);
    EXPECT_EQ(must(follower.at(Height(0))).y, plain_y(Height(0), first_epoch()));
    EXPECT_EQ(must(follower.status()).heights_verified, 1U);
    NetworkParams elsewhere = params_;
    elsewhere.name = "elsewhere";
    VdfClockOptions with = options("second");
    {
        VdfClock clock = open(with);
    }
    const auto refused = VdfClock::open(elsewhere, chain_, nullptr, key_of(9), with);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().verdict.reason, Reason::kWrongNetwork);
}

TEST_F(ClockFolderTest, OneWriterAndAnyNumberOfReaders) {
    VdfClock clock = open(options());
    must(clock.advance());
    EXPECT_EQ(try_open(options()).error().code, ErrorCode::kBusy);
    VdfClockOptions with = options();
    with.access = ClockFolder::kOwnReadOnly;
    VdfClock reader = open(with);
    EXPECT_EQ(must(reader.at(Height(0))).y, must(clock.at(Height(0))).y);
    EXPECT_EQ(must(reader.status()).heights_verified, 0U);
    chain_.append(1);
    EXPECT_EQ(reader.at(Height(1)).error().code, ErrorCode::kUnavailable);
    EXPECT_FALSE(must(reader.advance()).waiting.empty());
    // A folder of public data: its proofs are verified, its log is not believed.
    with.access = ClockFolder::kForeign;
    VdfClock verifier = open(with);
    const std::uintmax_t size = fs::file_size(log());
    EXPECT_EQ(must(verifier.at(Height(0))).y, must(clock.at(Height(0))).y);
    EXPECT_EQ(must(verifier.status()).heights_verified, 1U);
    EXPECT_EQ(fs::file_size(log()), size);
    // A reader does not make what is not there.
    with.folder = folder_ / "nowhere";
    with.access = ClockFolder::kOwnReadOnly;
    EXPECT_EQ(open(with).at(Height(0)).error().code, ErrorCode::kUnavailable);
    EXPECT_FALSE(fs::exists(folder_ / "nowhere"));
}

TEST_F(ClockFolderTest, ADiskThatFailsIsReported) {
    std::ofstream(folder_ / "file") << "x";
    VdfClockOptions with = options("file");
    EXPECT_FALSE(try_open(with).has_value());
    VdfClock clock = open(options());
    fs::create_directories(proof_path(0));  // no proof can be published there
    EXPECT_FALSE(clock.at(Height(0)).has_value());
    fs::remove(proof_path(0));
    EXPECT_EQ(must(clock.at(Height(0))).y, plain_y(Height(0), first_epoch()));
}

}  // namespace
}  // namespace holdfast::test
