#include "chunking/seal.hpp"

#include <atomic>
#include <mutex>

#include "chunking/running_root.hpp"
#include "chunking/unseal.hpp"
#include "support/code_of.hpp"
#include "support/seal_world.hpp"

namespace holdfast {
namespace {

using test::code_of;

using test::SealWorld;
using test::slurp;
using test::some_bytes;

void expect_round_trip(const SealWorld& world, std::size_t length, const SealParams& params) {
    const Bytes data = some_bytes(length);
    const SealedReplica sealed = world.seal_bytes("x", data, params);
    EXPECT_EQ(sealed.header.replica.data_len, length);
    const auto replica = world.open("x");
    ASSERT_TRUE(replica.has_value()) << replica.error().message;
    const Status done = unseal(*replica, world.folder / "back");
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(slurp(world.folder / "back"), data) << length;
    // Sealed bytes are nothing like the data.
    const Bytes file = slurp(world.folder / "x.replica");
    EXPECT_NE(Bytes(file.begin() + kFileHeaderBytes,
                    file.begin() + kFileHeaderBytes + static_cast<std::ptrdiff_t>(length)),
              data);
    for (const char* name : {"x", "x.replica", "x.tree", "back"}) {
        std::filesystem::remove(world.folder / name);
    }
    EXPECT_TRUE(world.names().empty());
}

TEST(Seal, UnsealGivesBackEverySize) {
    const SealWorld world;
    for (const std::size_t length :
         {1U, 4095U, 4096U, 4097U, 65'535U, 65'536U, 65'537U, 131'073U}) {
        expect_round_trip(world, length, test::kTinySeal);
    }
}

TEST(Seal, UnsealGivesBackSeveralWindowsOfDev) {
    const SealWorld world;
    for (const std::size_t length : {1U, 65'537U, 2'500'001U}) {
        expect_round_trip(world, length, kSealDev);
    }
}

TEST(Seal, SameBytesFromAnyNumberOfWorkersAndAnyKernel) {
    const SealWorld world;
    const Bytes data = some_bytes(700'000);
    world.seal_bytes("x", data);
    const Bytes replica = slurp(world.folder / "x.replica");
    const Bytes tree = slurp(world.folder / "x.tree");
    for (const FillKernel& kernel : fill_kernels()) {
        if (!kernel.usable()) continue;
        for (const unsigned workers : {1U, 2U, 5U, 16U}) {
            std::filesystem::remove(world.folder / "x.replica");
            std::filesystem::remove(world.folder / "x.tree");
            SealOptions options;
            options.workers = workers;
            options.kernel = &kernel;
            ASSERT_TRUE(seal(world.request("x"), options).has_value());
            EXPECT_EQ(slurp(world.folder / "x.replica"), replica) << kernel.name << workers;
            EXPECT_EQ(slurp(world.folder / "x.tree"), tree) << kernel.name << workers;
        }
    }
}

TEST(Seal, AnotherKeyNonceNetworkOrFileGivesUnrelatedBytes) {
    SealWorld world;
    const Bytes data = some_bytes(70'000);
    const SealedReplica first = world.seal_bytes("x", data);
    const auto sealed_with = [&](auto change) {
        SealRequest request = world.request("x");
        change(request);
        request.replica_path = world.folder / "y.replica";
        request.tree_path = world.folder / "y.tree";
        const auto sealed = seal(request);
        EXPECT_TRUE(sealed.has_value());
        std::filesystem::remove(request.replica_path);
        std::filesystem::remove(request.tree_path);
        return sealed->header;
    };
    EXPECT_EQ(sealed_with([](SealRequest&) {}), first.header);
    const auto other_key = KeyPair::from_secret(view(sha256(view("other")))).public_key();
    for (const FileHeader& other : {sealed_with([&](SealRequest& r) { r.prover = other_key; }),
                                    sealed_with([](SealRequest& r) { r.nonce = 1; }),
                                    sealed_with([](SealRequest& r) { r.network.name = "else"; })}) {
        EXPECT_EQ(other.replica.raw_root, first.header.replica.raw_root);
        EXPECT_NE(other.replica_id, first.header.replica_id);
        EXPECT_NE(other.sealed_root, first.header.sealed_root);
    }
}

TEST(Seal, ProgressGrowsToTheTotalInBothStages) {
    const SealWorld world;
    test::spill(world.folder / "x", some_bytes(700'000));
    SealOptions options;
    options.workers = 2;
    SealProgress last[2];
    options.progress = [&](const SealProgress& p) {
        SealProgress& before = last[p.stage == SealStage::kSealing];
        EXPECT_GE(p.done_bytes, before.done_bytes);
        EXPECT_LE(p.done_bytes, p.total_bytes);
        before = p;
    };
    ASSERT_TRUE(seal(world.request("x"), options).has_value());
    for (const SealProgress& p : last) {
        EXPECT_EQ(p.done_bytes, 171U * kChunkBytes);
        EXPECT_EQ(p.total_bytes, 171U * kChunkBytes);
    }
}

TEST(Seal, RefusesWhatItCannotSeal) {
    SealWorld world;
    test::spill(world.folder / "x", some_bytes(100));
    test::spill(world.folder / "empty", {});
    const auto attempt = [&](auto change) {
        SealRequest request = world.request("x");
        change(request);
        return seal(request);
    };
    const auto refusal = [&](auto change) {
        const auto result = attempt(change);
        EXPECT_EQ(code_of(result), ErrorCode::kRefused);
        return result ? Reason::kOk : result.error().verdict.reason;
    };
    EXPECT_EQ(code_of(attempt([&](SealRequest& r) { r.source = world.folder / "empty"; })),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of(attempt([&](SealRequest& r) { r.source = world.folder / "absent"; })),
              ErrorCode::kNotFound);
    EXPECT_EQ(code_of(attempt([&](SealRequest& r) { r.source = world.folder.path(); })),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of(attempt([](SealRequest& r) { r.segment = 1; })), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of(attempt([&](SealRequest& r) { r.tree_path = r.replica_path; })),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of(attempt([&](SealRequest& r) { r.replica_path = r.source; })),
              ErrorCode::kAlreadyExists);
    EXPECT_EQ(code_of(attempt([&](SealRequest& r) { r.tree_path = r.source; })),
              ErrorCode::kAlreadyExists);
    EXPECT_EQ(code_of(attempt([&](SealRequest& r) { r.tree_path = world.folder / "no" / "t"; })),
              ErrorCode::kNotFound);
    EXPECT_EQ(refusal([](SealRequest& r) { r.seal = kSealStandard; }), Reason::kSealPolicy);
    EXPECT_EQ(refusal([](SealRequest& r) { r.seal.window_chunks = 2; }), Reason::kSealPolicy);
    EXPECT_EQ(refusal([](SealRequest& r) { r.prover = {}; }), Reason::kBadKey);
    EXPECT_EQ(refusal([](SealRequest& r) { r.prover.bytes.fill(0xff); }), Reason::kBadKey);
    EXPECT_EQ(refusal([](SealRequest& r) { r.network.min_chunks = 17; }), Reason::kTooSmall);
    EXPECT_EQ(world.names(), (std::vector<std::string>{"empty", "x"}));
}

TEST(Seal, StoppedAtEveryQuestionItLeavesNothingOrGoesOn) {
    const SealWorld world;
    test::spill(world.folder / "x", some_bytes(400'000));
    const std::vector<std::string> nothing{"x"};
    const std::vector<std::string> unfinished{".x.replica.sealing", ".x.replica.sealing-log",
                                              ".x.replica.sealing-log.begun", "x"};
    int resumable = 0;
    bool stopped = true;
    for (int allowed = 0; stopped; allowed += 3) {
        ASSERT_LT(allowed, 10'000);
        std::atomic<int> asked = 0;
        SealOptions options;
        options.workers = 2;
        options.restart = allowed % 2 == 0;
        options.stop = [&] { return asked++ >= allowed; };
        const auto sealed = seal(world.request("x"), options);
        stopped = !sealed;
        if (sealed) break;
        ASSERT_EQ(sealed.error().code, ErrorCode::kInterrupted);
        const auto left = world.names();
        ASSERT_TRUE(left == nothing || left == unfinished) << allowed;
        resumable += left == unfinished ? 1 : 0;
    }
    EXPECT_GT(resumable, 0);
    EXPECT_EQ(world.names(), (std::vector<std::string>{"x", "x.replica", "x.tree"}));
}

/// Runs `damage` once, between the two passes.
Result<SealedReplica> seal_while(const SealWorld& world, const std::function<void()>& damage) {
    SealOptions options;
    options.workers = 2;
    std::once_flag once;
    options.progress = [&](const SealProgress& p) {
        if (p.stage == SealStage::kHashing && p.done_bytes == p.total_bytes) {
            std::call_once(once, damage);
        }
    };
    return seal(world.request("x"), options);
}

TEST(Seal, ASourceThatChangesIsAnErrorAndLeavesNothing) {
    const SealWorld world;
    const Bytes data = some_bytes(300'000);
    Bytes shorter = data;
    shorter.resize(200'000);
    Bytes longer = data;
    longer.push_back(1);
    Bytes flipped = data;
    flipped[250'000] ^= 1;
    for (const Bytes& other : {shorter, longer, flipped}) {
        test::spill(world.folder / "x", data);
        const auto sealed = seal_while(world, [&] { test::spill(world.folder / "x", other); });
        ASSERT_EQ(code_of(sealed), ErrorCode::kCorrupt);
        EXPECT_NE(sealed.error().message.find("changed while it was read"), std::string::npos);
        EXPECT_EQ(world.names(), (std::vector<std::string>{"x"}));
    }
}

TEST(Seal, RawRootOfAFileIsTheOneThatSealingFinds) {
    const SealWorld world;
    for (const std::size_t length : {1U, 65'536U, 65'537U, 1'048'576U, 1'048'577U, 3'000'000U}) {
        const SealedReplica sealed = world.seal_bytes("x", some_bytes(length), kSealDev);
        const auto root = raw_root_of_file(world.folder / "x", 0, length);
        ASSERT_TRUE(root.has_value());
        EXPECT_EQ(*root, sealed.header.replica.raw_root) << length;
        std::filesystem::remove(world.folder / "x.replica");
        std::filesystem::remove(world.folder / "x.tree");
    }
    EXPECT_EQ(code_of(raw_root_of_file(world.folder / "x", 1, 3'000'000)), ErrorCode::kCorrupt);
    EXPECT_EQ(code_of(raw_root_of_file(world.folder / "x", 0, 0)), ErrorCode::kInvalidArgument);
}

TEST(Seal, RunningRootDoesNotDependOnHowItIsFed) {
    const Bytes data = some_bytes(700'001);
    RawRootHasher whole(data.size());
    whole.feed(data);
    const Root expected = whole.finish();
    for (const std::size_t step : {1'000U, 4'096U, 262'144U, 262'145U}) {
        RawRootHasher pieces(data.size());
        for (std::size_t at = 0; at < data.size(); at += step) {
            pieces.feed(ByteView(data).subspan(at, std::min(step, data.size() - at)));
        }
        EXPECT_EQ(pieces.finish(), expected) << step;
    }
}

}  // namespace
}  // namespace holdfast
