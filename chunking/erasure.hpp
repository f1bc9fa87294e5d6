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

#include "chunking/raw_source.hpp"
#include "core/codec.hpp"
#include "core/fill.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "storage/file.hpp"

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
    unsigned workers = 0;  // 0: one for each core; memory is at most 2 k + m times 256 KiB for each
    StopCheck stop;
    std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)> progress;
};

/// Writes k + m shard files (none may exist) and gives their manifest. kInvalidArgument for a shape
/// out of range, a number of paths that is not k + m, or an empty file; kCorrupt when the source
/// changes.
[[nodiscard]] Result<Manifest> shard_file(const std::filesystem::path& source, CodeShape shape,
                                          std::span<const std::filesystem::path> shard_paths,
                                          const ErasureOptions& options = {});

/// The manifest of a plain file: k = 1, m = 0, and the file itself is the only shard. For files
/// over 4 GiB.
[[nodiscard]] Result<Manifest> manifest_of_file(const std::filesystem::path& file,
                                                const ErasureOptions& options = {});

struct BadShard {
    std::filesystem::path path;
    std::string why;
};

struct RecoverReport {
    std::vector<unsigned> missing;    // no path given, no such file, or none that matches
    std::vector<unsigned> bad;        // given as that shard, and not what the manifest says
    std::vector<BadShard> bad_files;  // of those, and of files that match no shard
};

/// Shards that were read in full and found to match their roots. One that fails counts as missing
/// and is named. Reads may come from several threads.
class ShardSet {
  public:
    /// `shard_paths` has k + m entries, nullopt where there is none. kUnavailable (naming them)
    /// with fewer than k good ones.
    static Result<ShardSet> open(const Manifest& manifest,
                                 std::span<const std::optional<std::filesystem::path>> shard_paths,
                                 const ErasureOptions& options = {});
    /// Files in any order: which shard each is follows from its roots.
    static Result<ShardSet> find(const Manifest& manifest,
                                 std::span<const std::filesystem::path> files,
                                 const ErasureOptions& options = {});

    [[nodiscard]] const Manifest& manifest() const { return manifest_; }
    [[nodiscard]] const RecoverReport& report() const { return report_; }
    /// Indices of the good shards, ascending.
    [[nodiscard]] const std::vector<unsigned>& good() const { return good_; }
    /// Bytes of a shard, whether it is here or has to be computed; not checked again.
    [[nodiscard]] Status read(unsigned shard, std::uint64_t offset, MutByteView out) const;

  private:
    friend class ShardRestorer;
    struct Candidate;
    explicit ShardSet(const Manifest& manifest) : manifest_(manifest) {}
    Status take(std::vector<Candidate> candidates, const ErasureOptions& options);
    Status place(std::vector<Candidate>& candidates, const std::vector<std::vector<Root>>& roots);
    [[nodiscard]] Status check_enough() const;

    Manifest manifest_;
    std::vector<unsigned> good_;
    std::vector<File> files_;  // one for each of good_
    RecoverReport report_;
};

/// Restores the file from any k good shards.
[[nodiscard]] Status recover_file(const ShardSet& shards, const std::filesystem::path& output,
                                  const ErasureOptions& options = {});
/// Rebuilds one shard from k others.
[[nodiscard]] Status recover_shard(const ShardSet& shards, unsigned shard,
                                   const std::filesystem::path& output,
                                   const ErasureOptions& options = {});
/// One segment of a shard as raw data for repair(). The set is taken over.
[[nodiscard]] Result<std::unique_ptr<RawSource>> raw_source_of_shard(ShardSet shards,
                                                                     unsigned shard,
                                                                     std::uint64_t segment);

}  // namespace holdfast
