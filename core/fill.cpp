#include "core/fill.hpp"

#include <atomic>
#include <limits>

#include "core/blake2b.hpp"
#include "core/codec.hpp"
#include "core/cpu.hpp"
#include "core/fill_kernel.hpp"
#include "core/hash.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t kVersion = 0x13;
constexpr std::uint32_t kTypeD = 0;
constexpr std::uint32_t kMaxLanes = (1U << 24) - 1;
constexpr std::uint64_t kMaxFieldBytes = std::numeric_limits<std::uint32_t>::max();
/// Blocks between two looks at the stop check: about a millisecond.
constexpr std::uint64_t kRunBlocks = 2'048;

static_assert(kFillBlockBytes == kBlockBytes);

Status check(const FillSpec& spec, std::uint64_t memory_bytes) {
    const std::uint64_t lanes = spec.lanes;
    if (lanes == 0 || lanes > kMaxLanes || spec.passes == 0) {
        return fail(ErrorCode::kInvalidArgument, "fill: lanes or passes out of bounds");
    }
    if (spec.blocks < 2 * kFillSlices * lanes || spec.blocks % (kFillSlices * lanes) != 0 ||
        spec.blocks > std::numeric_limits<std::uint32_t>::max()) {
        return fail(ErrorCode::kInvalidArgument,
                    "fill: blocks must be a multiple of 4 * lanes, from 8 * lanes to 2^32 - 1");
    }
    if (spec.password.size() > kMaxFieldBytes || spec.salt.size() > kMaxFieldBytes ||
        spec.associated_data.size() > kMaxFieldBytes) {
        return fail(ErrorCode::kInvalidArgument, "fill: an input is longer than 2^32 - 1 bytes");
    }
    if (memory_bytes != spec.blocks * kBlockBytes) {
        return fail(ErrorCode::kInvalidArgument, "fill: the memory is not blocks * 1,024 bytes");
    }
    return {};
}

class FieldHash {
  public:
    explicit FieldHash(std::size_t output_bytes) : hash_(output_bytes) {}
    FieldHash& u32(std::uint64_t v) {
        std::uint8_t raw[4];
        store_le32(raw, static_cast<std::uint32_t>(v));
        hash_.update(raw);
        return *this;
    }
    FieldHash& raw(ByteView bytes) {
        hash_.update(bytes);
        return *this;
    }
    FieldHash& field(ByteView bytes) { return u32(bytes.size()).raw(bytes); }
    void finish(MutByteView out) { hash_.finish(out); }

  private:
    Blake2b hash_;
};

using Seed = std::array<std::uint8_t, Blake2b::kMaxBytes>;

/// H0 of RFC 9106 section 3.2: no secret, tag length 32.
Seed first_hash(const FillSpec& spec) {
    Seed out;
    FieldHash h(out.size());
    h.u32(spec.lanes).u32(kDigestBytes).u32(spec.blocks).u32(spec.passes);
    h.u32(kVersion).u32(kTypeD).field(spec.password).field(spec.salt).field({});
    h.field(spec.associated_data).finish(out);
    return out;
}

/// H' of RFC 9106 section 3.3: any length.
void long_hash(std::initializer_list<ByteView> parts, MutByteView out) {
    FieldHash first(std::min(out.size(), Blake2b::kMaxBytes));
    first.u32(out.size());
    for (const ByteView part : parts) first.raw(part);
    if (out.size() <= Blake2b::kMaxBytes) {
        first.finish(out);
        return;
    }
    constexpr std::size_t kStep = Blake2b::kMaxBytes / 2;
    Seed v;
    first.finish(v);
    while (out.size() > Blake2b::kMaxBytes) {
        std::copy_n(v.begin(), kStep, out.begin());
        out = out.subspan(kStep);
        const std::size_t next = std::min(out.size(), Blake2b::kMaxBytes);
        Blake2b(next).update(v).finish(MutByteView(v).first(next));
    }
    std::copy_n(v.begin(), out.size(), out.begin());
}

void seed_lane(const Seed& h0, const FillSpec& spec, std::uint32_t lane, MutByteView memory) {
    for (std::uint32_t column = 0; column < 2; ++column) {
        std::uint8_t place[8];
        store_le32(place, column);
        store_le32(place + 4, lane);
        const std::uint64_t at = lane * (spec.blocks / spec.lanes) + column;
        long_hash({h0, place},
                  memory.subspan(static_cast<std::size_t>(at * kBlockBytes), kBlockBytes));
    }
}

/// One segment in runs; false when it was stopped.
bool fill_segment(const FillKernel& kernel, FillRun run, const StopCheck& stop) {
    const std::uint64_t end = run.segment_blocks;
    for (; run.first < end; run.first = run.end) {
        if (stop && stop()) return false;
        run.end = std::min(end, run.first + kRunBlocks);
        kernel.run(run);
    }
    return true;
}

Status fill_with(const FillKernel& kernel, const FillSpec& spec, MutByteView memory,
                 const FillOptions& options) {
    const Seed h0 = first_hash(spec);
    for (std::uint32_t lane = 0; lane < spec.lanes; ++lane) seed_lane(h0, spec, lane, memory);

    const std::uint64_t quarter = spec.blocks / kFillSlices;
    const std::uint64_t quarters = std::uint64_t{spec.passes} * kFillSlices;
    for (std::uint64_t done = 0; done < quarters; ++done) {
        FillRun run{};
        run.memory = memory.data();
        run.lanes = spec.lanes;
        run.segment_blocks = quarter / spec.lanes;
        run.slice = static_cast<std::uint32_t>(done % kFillSlices);
        run.first_pass = done < kFillSlices;
        run.first = done == 0 ? 2 : 0;
        std::atomic<bool> stopped = false;
        const auto body = [&](std::size_t lane) {
            FillRun own = run;
            own.lane = static_cast<std::uint32_t>(lane);
            if (!fill_segment(kernel, own, options.stop)) stopped = true;
        };
        if (options.parallel && spec.lanes > 1) {
            options.parallel(spec.lanes, body);
        } else {
            for (std::size_t lane = 0; lane < spec.lanes && !stopped; ++lane) body(lane);
        }
        if (stopped) return fail(ErrorCode::kInterrupted, "the fill was stopped");
        if (options.progress) options.progress((done + 1) * quarter, quarters * quarter);
    }
    return {};
}

bool always() { return true; }

constexpr FillKernel kKernels[] = {
    {"portable", fill_run_portable, always},
#if defined(__x86_64__)
    {"avx2", fill_run_avx2, cpu_has_avx2},
    {"avx512", fill_run_avx512, cpu_has_avx512},
#elif defined(__aarch64__)
    {"neon", fill_run_neon, always},
#endif
};
constexpr std::size_t kKernelCount = std::size(kKernels);

/// Two lanes and two passes over 32 blocks reach every branch of the choice of a reference block.
bool passes_self_test(const FillKernel& kernel) {
    constexpr std::uint64_t kBlocks = 32;
    constexpr Digest kExpected{{{0x65, 0x6f, 0xaf, 0x1b, 0x1a, 0x03, 0xc0, 0x0a, 0x2b, 0xf6, 0xcf,
                                 0xd1, 0x30, 0x01, 0xd2, 0xdc, 0x4a, 0x08, 0xf0, 0xd1, 0x81, 0x1d,
                                 0x56, 0x3b, 0x99, 0x8f, 0x33, 0xbc, 0x36, 0x15, 0xc4, 0xfb}}};
    FillSpec spec;
    spec.lanes = 2;
    spec.passes = 2;
    spec.blocks = kBlocks;
    spec.password = view("self-test");
    spec.salt = view(kSealSalt);
    alignas(64) std::array<std::uint8_t, kBlocks * kBlockBytes> memory;
    return fill_with(kernel, spec, memory, {}) && sha256(memory) == kExpected;
}

/// Which kernels this machine can run, and computes right; found out once.
const std::array<bool, kKernelCount>& sound_kernels() {
    static const std::array<bool, kKernelCount> sound = [] {
        std::array<bool, kKernelCount> s{};
        for (std::size_t i = 0; i < kKernelCount; ++i) {
            s[i] = kKernels[i].usable() && passes_self_test(kKernels[i]);
        }
        HOLDFAST_CHECK(s[0]);
        return s;
    }();
    return sound;
}

}  // namespace

std::span<const FillKernel> fill_kernels() { return kKernels; }

const FillKernel& best_fill_kernel() {
    std::size_t best = kKernelCount - 1;
    while (!sound_kernels()[best]) --best;
    return kKernels[best];
}

const FillKernel* find_fill_kernel(std::string_view name) {
    for (std::size_t i = 0; i < kKernelCount; ++i) {
        if (kKernels[i].name == name && sound_kernels()[i]) return &kKernels[i];
    }
    return nullptr;
}

// Spec 2.
Status fill(const FillSpec& spec, MutByteView memory, const FillOptions& options) {
    HOLDFAST_TRY(check(spec, memory.size()));
    HOLDFAST_CHECK(reinterpret_cast<std::uintptr_t>(memory.data()) % 64 == 0);
    const FillKernel& kernel = options.kernel != nullptr ? *options.kernel : best_fill_kernel();
    HOLDFAST_CHECK(kernel.usable());
    return fill_with(kernel, spec, memory, options);
}

Digest argon2d_tag(const FillSpec& spec, ByteView memory) {
    HOLDFAST_CHECK(check(spec, memory.size()).has_value());
    const std::uint64_t lane_bytes = memory.size() / spec.lanes;
    std::array<std::uint8_t, kBlockBytes> last{};
    for (std::uint32_t lane = 0; lane < spec.lanes; ++lane) {
        const std::uint64_t at = (lane + 1) * lane_bytes - kBlockBytes;
        const ByteView block = memory.subspan(static_cast<std::size_t>(at), kBlockBytes);
        for (std::size_t i = 0; i < kBlockBytes; ++i) last[i] ^= block[i];
    }
    Digest out;
    long_hash({last}, out.bytes);
    return out;
}

}  // namespace holdfast
