// Scrubbing: everything that a replica's two files hold is read from the disk and held against the
// roots in the header.
//
// A bad chunk is told apart from a bad node of the tree, and both from bytes that cannot be read.
// All of these are findings, never errors: an error is what keeps the scrub from being done. The
// files are only read. What was found so far is kept in a log (docs/architecture.md, section 5),
// from which a scrub that was stopped or killed goes on, and a repair starts. Memory: about 100
// bytes a chunk, 300 while the tree is damaged. Thread-safe for distinct replicas; starts its own
// workers and joins them. Indices are of chunks (4,096 bytes). Spec: docs/spec.md section 12.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "chunking/file_header.hpp"
#include "chunking/tree_audit.hpp"
#include "core/fill.hpp"
#include "core/params.hpp"
#include "core/result.hpp"

namespace holdfast {

struct ReplicaFiles {
    std::filesystem::path replica;
    std::filesystem::path tree;
    /// Findings so far, beside the replica; empty: nothing is kept, a stopped scrub starts again.
    std::filesystem::path log;
    /// The header that the replica was registered with. Without it the files' own are believed.
    std::optional<FileHeader> expected;
};

struct ScrubOptions {
    unsigned workers = 0;  // 0: one for each core
    StopCheck stop;        // kInterrupted; what was found is in the log
    bool afresh = false;   // forget what the log holds
    /// Called before so many bytes are read; may wait, to bound the rate. From any worker.
    std::function<void(std::uint64_t bytes)> pace;
    /// Bytes after which the log is brought up to date; at most 256 MiB.
    std::uint64_t log_bytes = std::uint64_t{256} << 20;
    std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)> progress;
};

struct ScrubReport {
    FileHeader header;               // what the files were held against
    std::vector<std::string> files;  // what is wrong with a file as a whole: absent, size, header
    std::vector<IndexRange> bad_chunks;         // not what the tree says
    std::vector<IndexRange> unreadable_chunks;  // the disk does not give them, or the file ends
    std::vector<IndexRange> unproven_chunks;    // the tree is damaged there, and so may they be
    std::vector<NodeRange> bad_nodes;           // of the raw and the sealed tree
    std::uint64_t resumed_at_chunk = 0;         // where an earlier scrub had stopped

    [[nodiscard]] bool clean() const {
        return files.empty() && bad_chunks.empty() && unreadable_chunks.empty() &&
               unproven_chunks.empty() && bad_nodes.empty();
    }
    [[nodiscard]] std::uint64_t damaged_chunks() const {
        return total_count(bad_chunks) + total_count(unreadable_chunks) +
               total_count(unproven_chunks);
    }
};

/// kNotFound: neither file is there. kCorrupt: no header can be believed. kRefused: of another
/// network. kBusy: another scrub or repair of this replica is in progress. kPermission, kIo (the
/// log). A log of a scrub that found something stays for repair(); one that found nothing is
/// removed.
[[nodiscard]] Result<ScrubReport> scrub(const ReplicaFiles& files, const NetworkParams& network,
                                        const ScrubOptions& options = {});

}  // namespace holdfast
