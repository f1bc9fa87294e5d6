// Sealing: a source file becomes a replica that only this prover has (spec section 3).
//
// Two passes over the source: the raw tree (raw_root is part of replica_id), then one fill, XOR,
// hash and write per window, several windows at once. Memory: window * workers + 64 MiB, whatever
// the file. A source that shrinks, or changes between the passes, is an error.
//
// A stop, a crash or a full disk leaves the finished windows in two hidden files beside the
// replica; the next call with the same source, key, preset, nonce and network takes them over after
// it has checked them against the disk. The two files appear under their final names complete,
// durable and read back, the tree first, or not at all. Thread-safe; starts its own workers and
// joins them. Sizes in bytes.
#pragma once

#include <filesystem>
#include <functional>

#include "chunking/file_header.hpp"
#include "core/fill.hpp"
#include "core/geometry.hpp"
#include "core/params.hpp"
#include "core/result.hpp"

namespace holdfast {

struct SealRequest {
    NetworkParams network;
    PublicKey prover;
    SealParams seal;
    std::uint64_t segment = 0;           // which 4 GiB of the source
    std::optional<std::uint64_t> nonce;  // default: the segment
    std::filesystem::path source;
    std::filesystem::path replica_path;  // must not exist
    std::filesystem::path tree_path;     // must not exist
};

enum class SealStage { kHashing, kResuming, kSealing };  // kResuming: only where there is something
/// What a person is told of it: "hashing", "checking what is finished", "sealing".
[[nodiscard]] const char* to_string(SealStage stage);

struct SealProgress {
    SealStage stage = SealStage::kHashing;
    std::uint64_t done_bytes = 0;
    std::uint64_t total_bytes = 0;
};

struct SealOptions {
    unsigned workers = 0;                               // 0: one for each core
    const FillKernel* kernel = nullptr;                 // nullptr: the best
    bool restart = false;                               // throws an earlier attempt away
    StopCheck stop;                                     // asked often; kInterrupted
    std::function<void(const SealProgress&)> progress;  // from any worker, one call at a time
};

struct SealedReplica {
    FileHeader header;  // with replica_id and sealed_root
    std::uint64_t replica_bytes = 0;
    std::uint64_t tree_bytes = 0;
    std::uint64_t windows = 0;
    std::uint64_t windows_taken_over = 0;  // of them, from an earlier attempt
};

/// kRefused: key, seal parameters or size that the network does not allow. kInvalidArgument: an
/// empty source, a segment beyond its end, a source that is no regular file. kOutOfSpace before any
/// long work. kCorrupt: the source changed, or the disk does not give back what was written;
/// nothing is kept then. kAlreadyExists: a final name is taken, or an unfinished sealing of data of
/// this length with another key, preset, nonce or network stands there (`restart` discards it).
/// kBusy: somebody else seals to these names. kInterrupted, kNotFound, kPermission, kIo,
/// kOutOfMemory.
[[nodiscard]] Result<SealedReplica> seal(const SealRequest& request,
                                         const SealOptions& options = {});

/// MTH over the cells of the padded bytes [offset, offset + length) of a file; 1 <= length <= 2^32.
[[nodiscard]] Result<Root> raw_root_of_file(const std::filesystem::path& path, std::uint64_t offset,
                                            std::uint64_t length, const StopCheck& stop = {});

}  // namespace holdfast
