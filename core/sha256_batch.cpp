#include <array>

#include "core/cpu.hpp"
#include "core/hash.hpp"
#include "core/result.hpp"
#include "core/sha256_kernel.hpp"

namespace holdfast {

void sha256_run_portable(const Sha256Run& run) {
    for (std::uint64_t i = 0; i < run.count; ++i) {
        Sha256 h;
        if (run.has_prefix) h.update({&run.prefix, 1});
        const ByteView message{run.data + i * run.stride_bytes,
                               static_cast<std::size_t>(run.message_bytes)};
        const Digest d = h.update(message).finish();
        std::copy(d.begin(), d.end(), run.out + i * kDigestBytes);
    }
}

namespace {

static_assert(sizeof(Digest) == kDigestBytes);  // kernels write digests one behind another

constexpr Sha256Kernel kSha256Kernels[] = {
    {"portable", 1, sha256_run_portable, [] { return true; }},
#if defined(__x86_64__)
    {"avx2", 8, sha256_run_avx2, cpu_has_avx2},
    {"shani", 2, sha256_run_shani, cpu_has_shani},
    {"avx512", 16, sha256_run_avx512, cpu_has_avx512},
#endif
};
constexpr std::size_t kSha256KernelCount = std::size(kSha256Kernels);

/// Against OpenSSL: lengths on both sides of every change in the number of blocks, with full and
/// partly empty groups of lanes.
bool passes_self_test(const Sha256Kernel& kernel) {
    constexpr std::size_t kCount = 19;
    constexpr std::size_t kStride = 131;
    std::array<std::uint8_t, kCount * kStride> data;
    for (std::size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<std::uint8_t>(i * i + i / 7);
    for (const std::size_t bytes : {0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 131}) {
        for (const std::optional<std::uint8_t> prefix : {std::optional<std::uint8_t>(), {1}}) {
            const HashBatch batch{data.data(), bytes, kStride, kCount, prefix};
            std::array<Digest, kCount> expected;
            std::array<Digest, kCount> out;
            sha256_batch(kSha256Kernels[0], batch, expected);
            sha256_batch(kernel, batch, out);
            if (out != expected) return false;
        }
    }
    return true;
}

/// Which kernels this machine can run, and computes right; found out once.
const std::array<bool, kSha256KernelCount>& sound_sha256_kernels() {
    static const std::array<bool, kSha256KernelCount> sound = [] {
        std::array<bool, kSha256KernelCount> s{};
        for (std::size_t i = 0; i < kSha256KernelCount; ++i) {
            s[i] = kSha256Kernels[i].usable() && passes_self_test(kSha256Kernels[i]);
        }
        return s;
    }();
    return sound;
}

/// A group of lanes costs the same however many are in use. A pair by SHA-NI costs as much as a
/// seventh of a group of 16; two by OpenSSL without SHA-NI as much as a third of one of 8.
const Sha256Kernel& kernel_for_few(const Sha256Kernel& best, std::size_t messages) {
    static const Sha256Kernel* const shani = find_sha256_kernel("shani");
    if (messages <= 1) return kSha256Kernels[0];
    if (shani != nullptr) return 2 * messages < best.lanes ? *shani : best;
    return messages <= 2 ? kSha256Kernels[0] : best;
}

}  // namespace

std::span<const Sha256Kernel> sha256_kernels() { return kSha256Kernels; }

const Sha256Kernel& best_sha256_kernel() {
    std::size_t best = kSha256KernelCount - 1;
    while (!sound_sha256_kernels()[best]) --best;
    return kSha256Kernels[best];
}

const Sha256Kernel* find_sha256_kernel(std::string_view name) {
    for (std::size_t i = 0; i < kSha256KernelCount; ++i) {
        if (kSha256Kernels[i].name == name && sound_sha256_kernels()[i]) return &kSha256Kernels[i];
    }
    return nullptr;
}

void sha256_batch(const Sha256Kernel& kernel, const HashBatch& batch, std::span<Digest> out) {
    HOLDFAST_CHECK(out.size() == batch.count);
    HOLDFAST_CHECK(batch.count <= 1 || batch.stride_bytes >= batch.message_bytes);
    HOLDFAST_CHECK(kernel.usable());
    if (batch.count == 0) return;
    kernel.run({batch.data, batch.message_bytes, batch.stride_bytes, batch.count,
                reinterpret_cast<std::uint8_t*>(out.data()), batch.prefix.has_value(),
                batch.prefix.value_or(0)});
}

void sha256_batch(const HashBatch& batch, std::span<Digest> out) {
    HOLDFAST_CHECK(out.size() == batch.count);
    const Sha256Kernel& best = best_sha256_kernel();
    const std::size_t rest = batch.count % best.lanes;
    const Sha256Kernel& for_rest = kernel_for_few(best, rest);
    HashBatch part = batch;
    part.count = &for_rest == &best ? batch.count : batch.count - rest;
    sha256_batch(best, part, out.first(part.count));
    const std::size_t done = part.count;
    part.data += done * batch.stride_bytes;
    part.count = batch.count - done;
    sha256_batch(for_rest, part, out.subspan(done));
}

}  // namespace holdfast
