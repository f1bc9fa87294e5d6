// Reads kept files back: from any k provers in parallel, slow ones replaced, every byte checked
// against the manifest's roots before it is used, then decrypted.
//
// Provers serve raw ranges (spec 8) of what they keep hot. One that does not answer, refuses, or
// sends what does not lead to the root is left out and another takes its place, as long as k are
// left; one that only is slow is helped out by another and asked again. A false answer is kept.
//
// Threading   `ask`, `take` and `stop` are called from several threads, `take` by one at a time.
// Memory      at most 4 columns of 1 MiB of every shard, below 64 MiB or one column; two segments
//             for each data shard.
// Errors      kUnavailable: fewer than k shards can be read, with the reason of each; kCorrupt: it
//             does not decrypt; kInterrupted; errors of `take`.
// Spec: docs/spec.md sections 8, 9 and 16.
#pragma once

#include "keep/kept_file.hpp"
#include "keep/provers.hpp"

namespace holdfast {

struct ReadOptions {
    std::uint32_t slow_ms = 2'000;        // after which another prover is asked too
    std::uint32_t patience_ms = 8'000;    // without an answer, after which a prover is left out
    std::filesystem::path evidence = {};  // folder for false answers; empty: not kept
    StopCheck stop = {};
    std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};
};

/// How one shard did.
struct ShardReading {
    std::uint64_t bytes = 0;  // proved
    std::uint64_t slow = 0;   // times that another was asked for its part
    std::string failed;       // why it was left out; empty: it was not
    bool lied = false;        // it sent what does not lead to the root
    std::filesystem::path evidence;
};
struct ReadShardsReport {
    std::vector<ShardReading> shards;  // by number
};

/// Bytes [at, at + bytes.size()) of one shard.
using TakeShard = std::function<Status(unsigned shard, std::uint64_t at, ByteView bytes)>;

/// What of which shards is wanted: bytes [begin, end) of shard `shard`.
struct ShardRange {
    unsigned shard = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// Reads ranges of shards, data or parity, as one prover has them or from k others. Ranges of
/// different shards are read side by side, so that a lost one costs nothing more where k are read
/// anyway. What is known of the provers (slow, left out) stays for the next reading.
class ShardReader {
  public:
    /// `avoid`: shards that are not asked (one that is being healed). `file`, `owner` and `ask`'s
    /// parts outlive this.
    ShardReader(const KeptFile& file, const KeyPair& owner, const AskProverOf& ask,
                std::span<const unsigned> avoid, const ReadOptions& options);
    /// Waits for requests in flight.
    ~ShardReader();
    ShardReader(const ShardReader&) = delete;
    ShardReader& operator=(const ShardReader&) = delete;

    /// `take` gets every byte of the ranges once, in any order. One call at a time.
    [[nodiscard]] Status read(std::span<const ShardRange> ranges, const TakeShard& take);
    [[nodiscard]] ReadShardsReport report() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};
/// The same for one reading.
[[nodiscard]] Result<ReadShardsReport> read_shards(const KeptFile& file, const KeyPair& owner,
                                                   std::span<const ShardRange> ranges,
                                                   std::span<const unsigned> avoid,
                                                   const AskProverOf& ask, const TakeShard& take,
                                                   const ReadOptions& options = {});

struct ByteRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  // behind the last
};
/// A-B of plain bytes, both included as in HTTP; "A-" to the end. kInvalidArgument.
[[nodiscard]] Result<ByteRange> parse_byte_range(const std::string& word, std::uint64_t plain_len);

/// Writes the range to `out`, which appears when it is complete (kAlreadyExists: it is there).
/// Interrupted, it goes on where it was: what had arrived lies beside it until then
/// (OUT.holdfast-part).
[[nodiscard]] Result<ReadShardsReport> get_file(const KeptFile& file, const KeyPair& owner,
                                                const ByteRange& range,
                                                const std::filesystem::path& out,
                                                const AskProverOf& ask,
                                                const ReadOptions& options = {});
/// Hands the range on in order: for a stream. Reads shard after shard.
[[nodiscard]] Result<ReadShardsReport> stream_file(const KeptFile& file, const KeyPair& owner,
                                                   const ByteRange& range, const AskProverOf& ask,
                                                   const std::function<Status(ByteView)>& take,
                                                   const ReadOptions& options = {});

}  // namespace holdfast
