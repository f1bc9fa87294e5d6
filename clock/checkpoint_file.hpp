// `.vdf` files: the checkpoints of evaluations in progress, each on the device before the next
// segment starts, so that a crash at any moment loses at most the segment that was being walked.
//
// Append-only records (storage/record_log.hpp) with bodies `u64 height || input || u32 i || d_i`.
// Several evaluations may share a file; d_0 starts one over. A torn tail is cut at open and
// reported. One object owns its file exclusively and is used by one thread at a time. Spec:
// docs/spec.md section 12.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "core/types.hpp"
#include "storage/record_log.hpp"
#include "vdf/evaluate.hpp"

namespace holdfast {

class VdfCheckpointFile {
  public:
    /// Opens or creates. Errors: kBusy when somebody else writes to it, kCorrupt when a whole
    /// record is not one of ours or leaves a checkpoint out, and RecordLog's own.
    static Result<VdfCheckpointFile> open(const std::filesystem::path& path);

    /// What open() found and cut.
    [[nodiscard]] const RecordLog::Recovery& recovery() const { return log_.recovery(); }
    /// d_0, d_1, … of one evaluation as far as they are kept; empty for none.
    [[nodiscard]] const std::vector<Digest>& checkpoints(Height height, const Seed& input) const;
    /// Keeps d_i durably. i is the number of those kept already, or 0 to start over;
    /// kInvalidArgument otherwise.
    [[nodiscard]] Status append(Height height, const Seed& input, std::uint32_t i,
                                const Digest& d_i);

  private:
    using Key = std::pair<Height, Seed>;
    explicit VdfCheckpointFile(RecordLog log) : log_(std::move(log)) {}
    [[nodiscard]] bool take(const Key& key, std::uint32_t i, const Digest& d_i);

    RecordLog log_;
    std::map<Key, std::vector<Digest>> kept_;
};

/// evaluate_many() that goes on from what the file keeps and keeps every new checkpoint there
/// before the next segment starts and before options.on_checkpoint hears of it. Checkpoints of
/// other parameters or another epoch (another d_0) are started over. `resume` of the jobs is not
/// read. files[j] keeps job j; the same file may serve several jobs.
[[nodiscard]] Result<std::vector<std::vector<Digest>>> evaluate_durably(
    std::span<VdfCheckpointFile* const> files, const ArenaView& arena, const VdfParams& params,
    const NetworkId& network_id, std::span<const VdfJob> jobs,
    const VdfEvaluateOptions& options = {});
/// All jobs in one file.
[[nodiscard]] Result<std::vector<std::vector<Digest>>> evaluate_durably(
    VdfCheckpointFile& file, const ArenaView& arena, const VdfParams& params,
    const NetworkId& network_id, std::span<const VdfJob> jobs,
    const VdfEvaluateOptions& options = {});

}  // namespace holdfast
