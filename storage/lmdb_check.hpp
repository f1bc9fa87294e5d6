// Checks an LMDB 0.9 file before it is mapped: a damaged page would otherwise end the process.
//
// Internal to this room. Reads the file with positioned reads, follows the newest meta page through
// every tree and refuses what LMDB would trust blindly: pages outside the file, counted twice, of
// the wrong kind or out of order, nodes outside their page, keys out of order, overflow runs,
// counts, the free list. Changes nothing. LMDB's format: mdb.c of 0.9, 64-bit little-endian.
#pragma once

#include <filesystem>

#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

inline constexpr std::size_t kStoredSumBytes = 4;  // CRC-32C, behind each value
/// The checksum that stands behind every value of the store, over its key and itself.
[[nodiscard]] std::uint32_t stored_value_sum(ByteView key, ByteView value);

/// kCorrupt with what is wrong and where; kUnsupported for another LMDB version. `check_values`:
/// also every value's checksum, which reads the whole file, large values by `threads` threads (0:
/// as many as the machine has).
[[nodiscard]] Status check_store_file(const std::filesystem::path& data_file,
                                      std::uint64_t map_bytes, bool check_values, unsigned threads);

}  // namespace holdfast
