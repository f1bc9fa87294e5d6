// X.scrub: what a scrub has found so far and a repair has done, on the device before it counts.
//
// A record file (storage/record_log.hpp). Bodies, integers little-endian: `u8 1 || subject 32`,
// first; `u8 2 || u8 kind || (u64 first || u64 count)…` and `u8 3 || digests`, which count with the
// next `u8 4 || u64 next_chunk || u8 with_roots`; `u8 5 || u64 window`. One log has one owner at a
// time, who holds its lock. Internal to this room; a cache, not protocol: what does not hold is
// started over.
#pragma once

#include <filesystem>
#include <optional>
#include <set>

#include "chunking/tree_audit.hpp"
#include "storage/record_log.hpp"

namespace holdfast {

/// What was read of a replica's chunks: [0, next_chunk).
struct ScrubProgress {
    std::uint64_t next_chunk = 0;
    bool with_roots = false;      // the stored tree was in doubt when the scrub began
    std::vector<IndexRange> bad;  // without roots: chunks that differ from the tree
    std::vector<IndexRange> unreadable;
    std::vector<Digest> roots;         // with roots: that of every chunk
    std::set<std::uint64_t> repaired;  // windows that a repair has finished
};

class ScrubLog {
  public:
    /// An empty path keeps everything in memory. `subject` identifies the replica: what the log
    /// holds of another one is dropped, and everything when `afresh`. kBusy, kPermission, kIo.
    static Result<ScrubLog> open(const std::filesystem::path& path, const Digest& subject,
                                 bool afresh);

    [[nodiscard]] const ScrubProgress& progress() const { return progress_; }
    /// Starts over.
    [[nodiscard]] Status restart(bool with_roots);
    /// What was found between next_chunk and the end of `part`.
    [[nodiscard]] Status add(const ScrubProgress& part);
    [[nodiscard]] Status add_repaired(std::uint64_t window);
    /// The file is not needed any more.
    [[nodiscard]] Status remove();

  private:
    ScrubLog(std::filesystem::path path, const Digest& subject)
        : path_(std::move(path)), subject_(subject) {}
    Status load();
    Status begin();

    std::filesystem::path path_;
    Digest subject_;
    std::optional<RecordLog> log_;
    ScrubProgress progress_;
};

}  // namespace holdfast
