#include "clock/checkpoint_file.hpp"

#include <string>
#include <utility>

#include "core/codec.hpp"
#include "storage/begun.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t kBodyBytes = 8 + 32 + 4 + 32;

}  // namespace

Result<VdfCheckpointFile> VdfCheckpointFile::open(const std::filesystem::path& path) {
    RecordLog::Options options;
    options.max_body_bytes = kBodyBytes;
    options.redoable = true;
    HOLDFAST_ASSIGN(log, RecordLog::open(path, options));
    VdfCheckpointFile file(std::move(log));
    HOLDFAST_TRY(file.log_.for_each([&](std::uint64_t index, ByteView body) -> Status {
        Reader r(body);
        const Height height = r.height();
        const auto input = r.fixed<Seed>();
        const std::uint32_t i = r.u32();
        const auto d_i = r.fixed<Digest>();
        if (r.finish().accepted() && file.take({height, input}, i, d_i)) return {};
        return fail(ErrorCode::kCorrupt, path.string() + ": record " + std::to_string(index) +
                                             " is not the next checkpoint of its evaluation; "
                                             "remove it and '" +
                                             begun_marker(path).string() + "' to start over");
    }));
    return file;
}

bool VdfCheckpointFile::take(const Key& key, std::uint32_t i, const Digest& d_i) {
    std::vector<Digest>& list = kept_[key];
    if (i == 0) list.clear();
    if (i != list.size()) return false;
    list.push_back(d_i);
    return true;
}

const std::vector<Digest>& VdfCheckpointFile::checkpoints(Height height, const Seed& input) const {
    static const std::vector<Digest> none;
    const auto found = kept_.find({height, input});
    return found == kept_.end() ? none : found->second;
}

// Spec 12: the body of a *.vdf record, on the device before it is used.
Status VdfCheckpointFile::append(Height height, const Seed& input, std::uint32_t i,
                                 const Digest& d_i) {
    if (i != 0 && i != checkpoints(height, input).size()) {
        return fail(ErrorCode::kInvalidArgument, "checkpoint " + std::to_string(i) +
                                                     " is not the next one of height " +
                                                     std::to_string(height.value));
    }
    Writer w(kBodyBytes);
    w.height(height).fixed(input).u32(i).fixed(d_i);
    HOLDFAST_TRY(log_.append(w.bytes()));
    HOLDFAST_CHECK(take({height, input}, i, d_i));
    return {};
}

Result<std::vector<std::vector<Digest>>> evaluate_durably(
    std::span<VdfCheckpointFile* const> files, const ArenaView& arena, const VdfParams& params,
    const NetworkId& network_id, std::span<const VdfJob> jobs, const VdfEvaluateOptions& options) {
    if (files.size() != jobs.size()) {
        return fail(ErrorCode::kInvalidArgument, "every evaluation needs a file of checkpoints");
    }
    std::vector<VdfJob> resumed(jobs.begin(), jobs.end());
    for (std::size_t j = 0; j < resumed.size(); ++j) {
        VdfJob& job = resumed[j];
        const std::vector<Digest>& kept = files[j]->checkpoints(job.height, job.input);
        const bool ours =
            !kept.empty() && kept.size() <= std::size_t{params.checkpoints} + 1 &&
            kept.front() == vdf_start(network_id, params, arena.epoch_seed, job.input);
        job.resume = ours ? kept : std::vector<Digest>{};
    }
    VdfEvaluateOptions durable = options;
    durable.on_checkpoint = [&](std::size_t job, std::uint32_t i, const Digest& d_i) -> Status {
        HOLDFAST_TRY(files[job]->append(resumed[job].height, resumed[job].input, i, d_i));
        return options.on_checkpoint ? options.on_checkpoint(job, i, d_i) : Status{};
    };
    return evaluate_many(arena, params, network_id, resumed, durable);
}

Result<std::vector<std::vector<Digest>>> evaluate_durably(
    VdfCheckpointFile& file, const ArenaView& arena, const VdfParams& params,
    const NetworkId& network_id, std::span<const VdfJob> jobs, const VdfEvaluateOptions& options) {
    const std::vector<VdfCheckpointFile*> files(jobs.size(), &file);
    return evaluate_durably(files, arena, params, network_id, jobs, options);
}

}  // namespace holdfast
