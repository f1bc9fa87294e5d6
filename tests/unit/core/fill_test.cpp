#include "core/fill.hpp"

#include <argon2.h>

#include <atomic>
#include <thread>

#include "core/fill_kernel.hpp"
#include "core/hash.hpp"
#include "support/json.hpp"

namespace holdfast {
namespace {

using test::fixed;
using test::hex;

struct Inputs {
    std::uint32_t lanes;
    std::uint32_t passes;
    std::uint64_t blocks;
    Bytes password;
    Bytes salt;
    Bytes ad;

    [[nodiscard]] FillSpec spec() const { return {lanes, passes, blocks, password, salt, ad}; }
};

Bytes pattern(std::size_t bytes, std::uint8_t seed) {
    Bytes out(bytes);
    for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::uint8_t>(seed + 7 * i);
    return out;
}

Inputs inputs(std::uint32_t lanes, std::uint32_t passes, std::uint64_t blocks) {
    const auto seed = static_cast<std::uint8_t>(lanes + 3 * passes + 5 * blocks);
    return {lanes, passes, blocks, pattern(32, seed), pattern(16, 11), pattern(8, 200)};
}

/// Memory that starts as garbage: a fill must not depend on what was there.
FillMemory dirty_memory(std::uint64_t blocks) {
    FillMemory memory = *FillMemory::allocate(blocks * kBlockBytes);
    std::fill_n(memory.data(), memory.size(), std::uint8_t{0xa5});
    return memory;
}

MutByteView all(const FillMemory& m) { return {m.data(), static_cast<std::size_t>(m.size())}; }

FillMemory filled(const FillSpec& spec, const FillOptions& options = {}) {
    FillMemory memory = dirty_memory(spec.blocks);
    const Status status = fill(spec, all(memory), options);
    EXPECT_TRUE(status.has_value());
    return memory;
}

Digest libargon2_tag(Inputs in) {
    Digest out;
    argon2_context c{};
    c.out = out.data();
    c.outlen = kDigestBytes;
    c.pwd = in.password.data();
    c.pwdlen = static_cast<std::uint32_t>(in.password.size());
    c.salt = in.salt.data();
    c.saltlen = static_cast<std::uint32_t>(in.salt.size());
    c.ad = in.ad.data();
    c.adlen = static_cast<std::uint32_t>(in.ad.size());
    c.t_cost = in.passes;
    c.m_cost = static_cast<std::uint32_t>(in.blocks);
    c.lanes = in.lanes;
    c.threads = 1;
    c.version = ARGON2_VERSION_13;
    EXPECT_EQ(argon2_ctx(&c, Argon2_d), ARGON2_OK);
    return out;
}

std::vector<const FillKernel*> usable_kernels() {
    std::vector<const FillKernel*> out;
    for (const FillKernel& k : fill_kernels()) {
        if (k.usable()) out.push_back(&k);
    }
    return out;
}

class FillKernels : public testing::TestWithParam<const FillKernel*> {
  protected:
    [[nodiscard]] FillOptions forced() const {
        FillOptions options;
        options.kernel = GetParam();
        return options;
    }
};

INSTANTIATE_TEST_SUITE_P(all, FillKernels, testing::ValuesIn(usable_kernels()),
                         [](const auto& p) { return std::string(p.param->name); });

TEST_P(FillKernels, Vectors) {
    const auto& cases = test::load_vectors("fill.json")["cases"];
    ASSERT_FALSE(cases.empty());
    for (const auto& c : cases) {
        const Inputs in{c["p"],         c["t"],      c["blocks"], hex(c["password"]),
                        hex(c["salt"]), hex(c["ad"])};
        const FillMemory memory = filled(in.spec(), forced());
        const ByteView matrix = memory.bytes();
        EXPECT_EQ(argon2d_tag(in.spec(), matrix), fixed<Digest>(c["tag"]));
        EXPECT_EQ(sha256(matrix), fixed<Digest>(c["matrix_sha256"]));
        EXPECT_EQ(to_hex(matrix.first(64)), c["matrix_first_64"].get<std::string>());
        EXPECT_EQ(to_hex(matrix.last(64)), c["matrix_last_64"].get<std::string>());
    }
}

TEST_P(FillKernels, TagEqualsLibargon2) {
    for (std::uint32_t lanes = 1; lanes <= 5; ++lanes) {
        for (std::uint32_t passes = 1; passes <= 4; ++passes) {
            for (const std::uint64_t quarter : {2, 3, 4, 7, 16, 61}) {
                const Inputs in = inputs(lanes, passes, 4 * lanes * quarter);
                const FillMemory memory = filled(in.spec(), forced());
                ASSERT_EQ(argon2d_tag(in.spec(), memory.bytes()), libargon2_tag(in))
                    << lanes << " lanes, " << passes << " passes, " << in.blocks << " blocks";
            }
        }
    }
}

TEST_P(FillKernels, TagEqualsLibargon2BeyondOneRun) {
    for (const std::uint32_t lanes : {1, 4}) {
        const Inputs in = inputs(lanes, 2, 36'000);
        const FillMemory memory = filled(in.spec(), forced());
        EXPECT_EQ(argon2d_tag(in.spec(), memory.bytes()), libargon2_tag(in));
    }
}

TEST_P(FillKernels, SameMatrixAsPortable) {
    FillOptions portable;
    portable.kernel = find_fill_kernel("portable");
    for (const auto& [lanes, passes, blocks] :
         {std::tuple{1U, 1U, 4'096U}, {1U, 3U, 12'000U}, {4U, 3U, 1'024U}, {3U, 2U, 8'196U}}) {
        const Inputs in = inputs(lanes, passes, blocks);
        const FillMemory expected = filled(in.spec(), portable);
        const FillMemory memory = filled(in.spec(), forced());
        EXPECT_TRUE(std::ranges::equal(memory.bytes(), expected.bytes()));
    }
}

TEST_P(FillKernels, IsSelectedByItsName) {
    EXPECT_EQ(find_fill_kernel(GetParam()->name), GetParam());
}

/// A kernel that only counts, to see which one a fill really uses.
std::atomic<std::uint64_t> counted_blocks;
void count_and_run(const FillRun& run) {
    counted_blocks += run.end - run.first;
    fill_run_portable(run);
}

TEST(Fill, UsesTheKernelThatItIsGiven) {
    const FillKernel counting{"counting", count_and_run, [] { return true; }};
    FillOptions options;
    options.kernel = &counting;
    const Inputs in = inputs(2, 3, 64);
    counted_blocks = 0;
    const FillMemory memory = filled(in.spec(), options);
    // The first two blocks of each lane come from the seed.
    EXPECT_EQ(counted_blocks, 3 * 64 - 2 * 2);
}

TEST(Fill, KernelTable) {
    ASSERT_FALSE(fill_kernels().empty());
    EXPECT_EQ(fill_kernels().front().name, "portable");
    EXPECT_EQ(find_fill_kernel("no such kernel"), nullptr);
    EXPECT_EQ(find_fill_kernel(""), nullptr);
    EXPECT_TRUE(best_fill_kernel().usable());
    EXPECT_EQ(find_fill_kernel(best_fill_kernel().name), &best_fill_kernel());
}

TEST(Fill, InputsOfEveryLength) {
    for (std::size_t n = 0; n <= 260; n += 13) {
        Inputs in{1, 1, 8, pattern(n, 1), pattern(8 + n, 2), pattern(260 - n, 3)};
        EXPECT_EQ(argon2d_tag(in.spec(), filled(in.spec()).bytes()), libargon2_tag(in)) << n;
    }
}

TEST(Fill, EveryInputMatters) {
    const Inputs base = inputs(1, 2, 16);
    const Digest expected = sha256(filled(base.spec()).bytes());
    std::vector<Inputs> others(4, base);
    others[0].password[0] ^= 1;
    others[1].salt[15] ^= 0x80;
    others[2].ad[7] ^= 1;
    others[3].ad.push_back(0);
    others.push_back(inputs(2, 2, 16));
    others.push_back(inputs(1, 3, 16));
    for (const Inputs& in : others) EXPECT_NE(sha256(filled(in.spec()).bytes()), expected);
}

TEST(Fill, ThreadsDoNotChangeTheMatrix) {
    const ParallelFor threads = [](std::size_t count, const auto& body) {
        std::vector<std::jthread> workers;
        for (std::size_t i = 0; i < count; ++i) workers.emplace_back([&body, i] { body(i); });
    };
    const ParallelFor backwards = [](std::size_t count, const auto& body) {
        for (std::size_t i = count; i > 0; --i) body(i - 1);
    };
    const Inputs in = inputs(4, 3, 4'096);
    const FillMemory expected = filled(in.spec());
    for (const ParallelFor& parallel : {threads, backwards}) {
        FillOptions options;
        options.parallel = parallel;
        EXPECT_TRUE(std::ranges::equal(filled(in.spec(), options).bytes(), expected.bytes()));
    }
}

TEST(Fill, RefusesSpecsOutsideTheirBounds) {
    FillMemory memory = dirty_memory(64);
    const auto code = [&](std::uint32_t lanes, std::uint32_t passes, std::uint64_t blocks,
                          std::uint64_t memory_blocks) {
        const Status s = fill({lanes, passes, blocks, {}, {}, {}},
                              all(memory).first(memory_blocks * kBlockBytes));
        return s ? std::optional<ErrorCode>() : s.error().code;
    };
    EXPECT_EQ(code(1, 1, 8, 8), std::nullopt);
    for (const auto& [lanes, passes, blocks, given] :
         {std::tuple{0U, 1U, std::uint64_t{8}, 8U},
          {1U, 0U, 8U, 8U},
          {1U, 1U, 4U, 4U},
          {1U, 1U, 10U, 10U},
          {2U, 1U, 12U, 12U},
          {3U, 1U, 32U, 32U},
          {1U, 1U, 16U, 12U},
          {1U, 1U, 8U, 12U},
          {1U, 1U, 0U, 0U},
          {1U << 24, 1U, std::uint64_t{8} << 24, 64U},
          {1U, 1U, std::uint64_t{1} << 32, 64U},
          {1U, 1U, (std::uint64_t{1} << 54) + 64, 64U}}) {
        EXPECT_EQ(code(lanes, passes, blocks, given), ErrorCode::kInvalidArgument)
            << lanes << " " << passes << " " << blocks << " " << given;
    }
}

TEST(Fill, Stops) {
    const Inputs in = inputs(2, 2, 8 * 4'096);
    std::atomic<int> asked = 0;
    FillOptions count;
    count.stop = [&] {
        ++asked;
        return false;
    };
    const FillMemory expected = filled(in.spec(), count);
    const int questions = asked;
    EXPECT_GE(questions, 16);  // once for each segment at the very least

    for (int at = 0; at < questions; at += 5) {
        asked = 0;
        FillOptions options;
        options.stop = [&] { return asked++ >= at; };
        FillMemory memory = dirty_memory(in.blocks);
        const Status status = fill(in.spec(), all(memory), options);
        ASSERT_FALSE(status.has_value());
        EXPECT_EQ(status.error().code, ErrorCode::kInterrupted);
        EXPECT_LE(asked, at + 2);  // at once, in every lane
    }
    asked = 0;
    EXPECT_TRUE(std::ranges::equal(filled(in.spec(), count).bytes(), expected.bytes()));
}

TEST(Fill, ReportsProgressEveryQuarterPass) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
    FillOptions options;
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
        seen.emplace_back(done, total);
    };
    const FillMemory memory = filled(inputs(2, 3, 64).spec(), options);
    ASSERT_EQ(seen.size(), 12U);
    for (std::size_t i = 0; i < seen.size(); ++i) {
        EXPECT_EQ(seen[i], std::pair(std::uint64_t{16 * (i + 1)}, std::uint64_t{3 * 64}));
    }
}

TEST(FillMemory, IsAlignedZeroedAndMovable) {
    for (const std::uint64_t bytes : {std::uint64_t{1}, std::uint64_t{65'536},
                                      std::uint64_t{2} << 20, (std::uint64_t{5} << 20) + 1'024}) {
        FillMemory memory = *FillMemory::allocate(bytes);
        EXPECT_EQ(memory.size(), bytes);
        const std::uint64_t alignment = bytes >= (2U << 20) ? 2U << 20 : 4'096U;
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % alignment, 0U);
        EXPECT_TRUE(std::ranges::all_of(memory.bytes(), [](auto b) { return b == 0; }));
        memory.data()[bytes - 1] = 7;

        FillMemory moved = std::move(memory);
        EXPECT_EQ(moved.bytes().back(), 7);
        EXPECT_EQ(memory.size(), 0U);  // NOLINT(bugprone-use-after-move): its documented state
        moved = *FillMemory::allocate(8);
        EXPECT_EQ(moved.size(), 8U);
    }
}

TEST(FillMemory, RefusesWhatCannotBeHad) {
    const auto code = [](std::uint64_t bytes) { return FillMemory::allocate(bytes).error().code; };
    EXPECT_EQ(code(0), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(UINT64_MAX), ErrorCode::kOutOfMemory);
    EXPECT_EQ(code(UINT64_MAX - 4'095), ErrorCode::kOutOfMemory);
    EXPECT_EQ(code(std::uint64_t{1} << 60), ErrorCode::kOutOfMemory);
}

}  // namespace
}  // namespace holdfast
