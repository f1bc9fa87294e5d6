#include <gtest/gtest.h>

#include <atomic>

#include "core/hash.hpp"
#include "core/sha256_kernel.hpp"

namespace holdfast {
namespace {

using Prefix = std::optional<std::uint8_t>;

constexpr std::size_t kMaxMessage = 300;
constexpr std::size_t kMaxCount = 40;

const Bytes& data() {
    static const Bytes bytes = [] {
        Bytes b(kMaxCount * (kMaxMessage + 5));
        for (std::size_t i = 0; i < b.size(); ++i) {
            b[i] = static_cast<std::uint8_t>((i * 2654435761U) >> 13);
        }
        return b;
    }();
    return bytes;
}

/// What a batch must give, message by message.
std::vector<Digest> expected(const HashBatch& batch) {
    std::vector<Digest> out;
    for (std::size_t i = 0; i < batch.count; ++i) {
        Sha256 h;
        if (batch.prefix) h.update({&*batch.prefix, 1});
        h.update({batch.data + i * batch.stride_bytes, batch.message_bytes});
        out.push_back(h.finish());
    }
    return out;
}

std::vector<const Sha256Kernel*> usable_sha256_kernels() {
    std::vector<const Sha256Kernel*> out;
    for (const Sha256Kernel& k : sha256_kernels()) {
        if (k.usable()) out.push_back(&k);
    }
    return out;
}

class Sha256Kernels : public testing::TestWithParam<const Sha256Kernel*> {};

INSTANTIATE_TEST_SUITE_P(all, Sha256Kernels, testing::ValuesIn(usable_sha256_kernels()),
                         [](const auto& p) { return std::string(p.param->name); });

TEST_P(Sha256Kernels, EveryLengthAndCount) {
    for (std::size_t bytes = 0; bytes <= kMaxMessage; ++bytes) {
        for (const Prefix prefix : {Prefix(), Prefix(0), Prefix(1)}) {
            const HashBatch all{data().data(), bytes, bytes + 5, kMaxCount, prefix};
            const std::vector<Digest> want = expected(all);
            // Every count at the lengths where the number of blocks changes, some at all others.
            const bool edge = bytes % 64 >= 54 || bytes % 64 <= 1;
            for (std::size_t count = 0; count <= kMaxCount; count += edge ? 1 : 13) {
                HashBatch batch = all;
                batch.count = count;
                std::vector<Digest> out(count + 1);
                sha256_batch(*GetParam(), batch, std::span(out).first(count));
                ASSERT_TRUE(std::equal(out.begin(), out.end() - 1, want.begin()))
                    << bytes << " bytes, " << count << " messages";
                ASSERT_EQ(out.back(), Digest()) << "wrote beyond its digests";
            }
        }
    }
}

TEST_P(Sha256Kernels, ReadsNothingButTheMessages) {
    // Exactly as large as needed: a sanitizer sees a byte read before or behind it.
    for (const std::size_t bytes : {0, 1, 31, 55, 63, 64, 65, 200}) {
        const Bytes exact(data().begin(), data().begin() + static_cast<std::ptrdiff_t>(17 * bytes));
        const HashBatch batch{exact.data(), bytes, bytes, 17, Prefix(1)};
        std::vector<Digest> out(17);
        sha256_batch(*GetParam(), batch, out);
        EXPECT_EQ(out, expected(batch));
    }
}

TEST_P(Sha256Kernels, TreeLevelInPlace) {
    for (std::size_t pairs = 0; pairs <= kMaxCount; ++pairs) {
        std::vector<Digest> level(2 * pairs);
        for (std::size_t i = 0; i < level.size(); ++i) {
            level[i] = sha256(ByteView(data()).subspan(i, 40));
        }
        const HashBatch batch{reinterpret_cast<const std::uint8_t*>(level.data()), 64, 64, pairs,
                              Prefix(1)};
        const std::vector<Digest> want = expected(batch);
        sha256_batch(*GetParam(), batch, std::span(level).first(pairs));
        EXPECT_TRUE(std::equal(want.begin(), want.end(), level.begin())) << pairs;
    }
}

TEST_P(Sha256Kernels, LongMessages) {
    Bytes big(3 * 100'000);
    for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<std::uint8_t>(i / 3 + i);
    const HashBatch batch{big.data(), 99'999, 100'000, 3, Prefix()};
    std::vector<Digest> out(3);
    sha256_batch(*GetParam(), batch, out);
    EXPECT_EQ(out, expected(batch));
}

TEST_P(Sha256Kernels, IsSelectedByItsName) {
    EXPECT_EQ(find_sha256_kernel(GetParam()->name), GetParam());
}

TEST(Sha256Batch, DefaultEqualsOneByOneForEveryCount) {
    for (std::size_t count = 0; count <= kMaxCount; ++count) {
        for (const std::size_t bytes : {32, 64, 256}) {
            for (const Prefix prefix : {Prefix(), Prefix(0), Prefix(1)}) {
                const HashBatch batch{data().data(), bytes, bytes, count, prefix};
                std::vector<Digest> out(count);
                sha256_batch(batch, out);
                EXPECT_EQ(out, expected(batch)) << count;
            }
        }
    }
}

/// A kernel that only counts, to see that a forced kernel does all the work.
std::atomic<std::uint64_t> counted;
void count_and_run(const Sha256Run& run) {
    counted += run.count;
    sha256_run_portable(run);
}

TEST(Sha256Batch, UsesTheKernelThatItIsGiven) {
    const Sha256Kernel counting{"counting", 16, count_and_run, [] { return true; }};
    const HashBatch batch{data().data(), 64, 64, 37, Prefix()};
    std::vector<Digest> out(37);
    counted = 0;
    sha256_batch(counting, batch, out);
    EXPECT_EQ(counted, 37U);
    EXPECT_EQ(out, expected(batch));
}

TEST(Sha256Batch, KernelTable) {
    ASSERT_FALSE(sha256_kernels().empty());
    EXPECT_EQ(sha256_kernels().front().name, "portable");
    EXPECT_EQ(find_sha256_kernel("no such kernel"), nullptr);
    EXPECT_TRUE(best_sha256_kernel().usable());
    EXPECT_EQ(find_sha256_kernel(best_sha256_kernel().name), &best_sha256_kernel());
}

TEST(Sha256Batch, MisuseIsABug) {
    const Bytes message(64);
    std::vector<Digest> out(2);
    const HashBatch overlapping{message.data(), 64, 32, 2, Prefix()};
    EXPECT_DEATH(sha256_batch(overlapping, out), "stride_bytes");
    const HashBatch one{message.data(), 64, 64, 1, Prefix()};
    EXPECT_DEATH(sha256_batch(one, out), "count");
}

}  // namespace
}  // namespace holdfast
