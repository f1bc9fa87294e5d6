// Erasure coding: k data shards and m parity shards, any k of which restore the file; and the
// manifest that names their roots.
//
// Systematic Reed-Solomon over GF(2^8), polynomial 0x11d, Cauchy rows. Parity is computed before
// sealing; every shard is then sealed by its own prover. Files are streamed in bounded memory and
// published atomically. Sizes in bytes. Thread-safe. Spec: docs/spec.md section 9.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "core/codec.hpp"
#include "core/fill.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

struct CodeShape {
    std::uint8_t data = 4;    // k
    std::uint8_t parity = 2;  // m
    [[nodiscard]] unsigned shards() const { return unsigned{data} + parity; }
    /// kBadField unless k >= 1 and k + m <= 255.
    [[nodiscard]] Verdict validate() const;
    friend bool operator==(const CodeShape&, const CodeShape&) = default;
};

struct Manifest {
    std::uint64_t data_len = 0;
    CodeShape shape;
    std::uint64_t shard_len = 0;
    std::vector<Root> roots;  // shard by shard, segment by segment
    friend bool operator==(const Manifest&, const Manifest&) = default;

    [[nodiscard]] Bytes encode() const;
    /// kTruncated, kTrailingBytes, kBadField, kBadGeometry (shard_len), kTooLarge, kProofLength
    /// (number of roots). Nothing is allocated before the length of the roots is known to be right.
    static Checked<Manifest> decode(ByteView body);
    [[nodiscard]] Digest id() const;
    [[nodiscard]] std::uint64_t segments_per_shard() const;
    [[nodiscard]] const Root& root(unsigned shard, std::uint64_t segment) const;
};

/// ceil(data_len / k)
[[nodiscard]] std::uint64_t shard_length(std::uint64_t data_len, CodeShape shape);

/// (k + m) rows of k coefficients: the identity, then 1 / (i XOR j).
[[nodiscard]] Bytes coding_matrix(CodeShape shape);

/// Rows of equal length in memory: parity from data. data.size() == k, parity.size() == m.
void encode_parity(CodeShape shape, std::span<const ByteView> data,
                   std::span<const MutByteView> parity);
/// Rebuilds the shards named in `wanted` from k shards, whose indices are `have` (distinct, any
/// order). kInvalidArgument for indices that make no sense.
[[nodiscard]] Status recover_shards(CodeShape shape, std::span<const unsigned> have,
                                    std::span<const ByteView> have_bytes,
                                    std::span<const unsigned> wanted,
                                    std::span<const MutByteView> wanted_bytes);

struct ErasureOptions {
    StopCheck stop;
    std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)> progress;
};

/// Writes k + m shard files (none may exist) and gives their manifest. kInvalidArgument for a shape
/// out of range, a number of paths that is not k + m, or an empty file; kCorrupt when the source
/// changes.
[[nodiscard]] Result<Manifest> shard_file(const std::filesystem::path& source, CodeShape shape,
                                          std::span<const std::filesystem::path> shard_paths,
                                          const ErasureOptions& options = {});

struct RecoverReport {
    std::vector<unsigned> missing;  // no path given, or no such file
    std::vector<unsigned> bad;      // wrong length, unreadable, or not the roots of the manifest
};

/// Restores the file from any k good shards. `shard_paths` has k + m entries, nullopt where there
/// is none. Every shard is checked against its roots first; one that fails counts as missing and is
/// named. kUnavailable (naming them) with fewer than k good ones.
[[nodiscard]] Result<RecoverReport> recover_file(
    const Manifest& manifest, std::span<const std::optional<std::filesystem::path>> shard_paths,
    const std::filesystem::path& output, const ErasureOptions& options = {});

/// Rebuilds one shard from k others.
[[nodiscard]] Result<RecoverReport> recover_shard(
    const Manifest& manifest, std::span<const std::optional<std::filesystem::path>> shard_paths,
    unsigned shard, const std::filesystem::path& output, const ErasureOptions& options = {});

}  // namespace holdfast
