// The memory-hard fill: the memory matrix of Argon2d version 0x13 after t passes with p lanes.
//
// Pure: the same bytes for every kernel, thread count, compiler and machine. Part of the trusted
// rooms: it starts no thread itself; a caller that wants lanes in parallel passes a ParallelFor.
// Spec: docs/spec.md section 2; RFC 9106.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

struct FillRun;  // core/fill_kernel.hpp; the business of kernels alone

/// Runs body(0) … body(count-1), in any order, possibly at once, and returns when all are done.
using ParallelFor =
    std::function<void(std::size_t count, const std::function<void(std::size_t)>& body)>;

/// Asked now and then by long work; true stops it. Must be callable from any thread.
using StopCheck = std::function<bool()>;

/// One way of computing a run of the matrix's blocks (core/fill_kernel.hpp). All give the same
/// bytes.
struct FillKernel {
    std::string_view name;  // "portable", "avx2", "avx512", "neon"
    void (*run)(const FillRun& run);
    bool (*usable)();  // this CPU has the instructions
};

/// All kernels of this build, portable first, fastest last.
std::span<const FillKernel> fill_kernels();
/// The fastest usable kernel that passed its self-test on this machine.
const FillKernel& best_fill_kernel();
/// By name; nullptr for one that this build lacks or this CPU cannot run.
const FillKernel* find_fill_kernel(std::string_view name);

/// What a fill depends on, and all of it.
struct FillSpec {
    std::uint32_t lanes = 1;   // p
    std::uint32_t passes = 1;  // t
    std::uint64_t blocks = 8;  // m: a multiple of 4p, at least 8p
    ByteView password;
    ByteView salt;
    ByteView associated_data;
};

/// Kernel, threads, stop and progress of a fill.
struct FillOptions {
    const FillKernel* kernel = nullptr;  // nullptr: best_fill_kernel()
    ParallelFor parallel;                // empty: lanes one after another
    StopCheck stop;                      // empty: cannot be stopped
    /// Called after every quarter pass with the blocks done so far and the blocks in all.
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

/// Memory for a fill: zeros, page-aligned (2 MiB when it is at least that large), asked to be
/// backed by huge pages, returned to the system when destroyed. A moved-from one is empty.
class FillMemory {
  public:
    /// kOutOfMemory instead of throwing; kInvalidArgument for none.
    static Result<FillMemory> allocate(std::uint64_t bytes);
    FillMemory(FillMemory&& other) noexcept;
    FillMemory& operator=(FillMemory&& other) noexcept;
    FillMemory(const FillMemory&) = delete;
    FillMemory& operator=(const FillMemory&) = delete;
    ~FillMemory();
    [[nodiscard]] std::uint8_t* data() const { return data_; }
    [[nodiscard]] std::uint64_t size() const { return bytes_; }
    [[nodiscard]] ByteView bytes() const { return {data_, static_cast<std::size_t>(bytes_)}; }
    /// Whether the system took the request for huge pages (it may still not have granted any).
    [[nodiscard]] bool huge_pages() const { return huge_; }

  private:
    FillMemory() = default;
    std::uint8_t* data_ = nullptr;
    std::uint64_t bytes_ = 0;
    std::uint64_t mapped_ = 0;
    bool huge_ = false;
};

/// Fills `memory` (exactly spec.blocks * 1,024 bytes, 64-byte aligned). kInvalidArgument for a spec
/// outside its bounds, kInterrupted when stopped (the memory then holds nothing of use).
[[nodiscard]] Status fill(const FillSpec& spec, MutByteView memory,
                          const FillOptions& options = {});

/// The 32-byte Argon2d tag of a finished fill, as any Argon2 library returns it.
[[nodiscard]] Digest argon2d_tag(const FillSpec& spec, ByteView memory);

}  // namespace holdfast
