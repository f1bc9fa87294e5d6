// Repair: a damaged replica becomes again, byte for byte, the one that was registered.
//
// What is wrong is found by a scrub, or taken from the log of one that went through. Damaged chunks
// are sealed again from raw data, which costs one fill for each window that is touched; the trees
// are rebuilt. Everything is proven before it is written: raw chunks against raw_root, sealed
// chunks and nodes against sealed_root. Only what is damaged is written, in place, and read back
// from the disk; a crash at any moment leaves every good byte as it was, and the next call goes on
// behind the last finished window. Lost files are made again. Memory: window * workers and what the
// scrub takes. Thread-safe for distinct replicas; starts its own workers and joins them. Indices
// are of chunks. Spec: docs/spec.md sections 3 and 12.
#pragma once

#include "chunking/raw_source.hpp"
#include "chunking/scrub.hpp"

namespace holdfast {

enum class RepairStage { kReading, kSealing };

struct RepairOptions {
    unsigned workers = 0;                // 0: one for each core
    const FillKernel* kernel = nullptr;  // nullptr: the best
    StopCheck stop;                      // kInterrupted; the next call goes on from there
    bool afresh = false;                 // read everything again, whatever the log says
    /// From any worker, one call at a time.
    std::function<void(RepairStage, std::uint64_t done_bytes, std::uint64_t total_bytes)> progress;
};

struct RepairReport {
    ScrubReport found;
    std::vector<IndexRange> replaced_chunks;
    /// The source does not hold the original there; they are as they were, and so is the log.
    std::vector<IndexRange> unrepaired_chunks;
    std::uint64_t windows_filled = 0;
    std::uint64_t nodes_written = 0;
    /// Both files lead to the registered roots.
    [[nodiscard]] bool whole() const { return unrepaired_chunks.empty(); }
};

/// `source` may be missing where no chunk is damaged. kUnavailable: it is needed. kInvalidArgument:
/// it has another length than the replica's data. kCorrupt: it is not what was sealed, or the files
/// do not lead to the roots even so. kRefused: a file of another replica lies under one of the
/// names. kOutOfSpace, kIo, kPermission, kBusy, kInterrupted; otherwise as for scrub().
[[nodiscard]] Result<RepairReport> repair(const ReplicaFiles& files, const NetworkParams& network,
                                          const RawSource* source,
                                          const RepairOptions& options = {});

}  // namespace holdfast
