// Unsealing: the original bytes back, every one of them checked against raw_root.
//
// A byte range costs the fills of the windows that it touches. Memory: window * workers + 64 MiB.
// Thread-safe. Offsets and lengths in bytes of the original data. Spec: docs/spec.md section 3.
#pragma once

#include <filesystem>
#include <functional>

#include "chunking/replica.hpp"

namespace holdfast {

struct UnsealOptions {
    unsigned workers = 0;                // 0: one for each core
    const FillKernel* kernel = nullptr;  // nullptr: the best
    StopCheck stop;
    /// From any worker, one call at a time.
    std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)> progress;
};

/// Writes the whole original to a new file, atomically and durably. kAlreadyExists, kCorrupt
/// (naming the chunk), kOutOfSpace, kInterrupted.
[[nodiscard]] Status unseal(const Replica& replica, const std::filesystem::path& output,
                            const UnsealOptions& options = {});
/// The same for bytes [offset, offset + length) of the original; kInvalidArgument beyond its end.
[[nodiscard]] Status unseal_range(const Replica& replica, std::uint64_t offset,
                                  std::uint64_t length, const std::filesystem::path& output,
                                  const UnsealOptions& options = {});
/// Into memory.
[[nodiscard]] Status unseal_range(const Replica& replica, std::uint64_t offset, MutByteView out,
                                  const UnsealOptions& options = {});

}  // namespace holdfast
