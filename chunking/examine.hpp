// What scrub and repair know of a replica: its two files as they are, both trees audited, every
// chunk read.
//
// Internal to this room. One thread; starts workers inside examine() and joins them.
#pragma once

#include "chunking/scrub.hpp"
#include "chunking/scrub_log.hpp"
#include "core/geometry.hpp"
#include "storage/file.hpp"

namespace holdfast {

/// One of the two files, however damaged.
struct FoundFile {
    std::filesystem::path path;
    std::optional<File> file;  // nothing: there is no such file
    std::uint64_t bytes = 0;
    std::optional<FileHeader> header;  // nothing: none that holds
    std::string problem;               // of the file as a whole; empty: none
    bool foreign = false;              // its header is whole, and of another replica

    [[nodiscard]] const File* opened() const { return file ? &*file : nullptr; }
};

struct Examination {
    FileHeader header;  // the one that is believed
    FoundFile replica;
    FoundFile tree;
    ScrubLog log;
    TreeAudit raw;
    TreeAudit sealed;
    std::vector<bool> unreadable;  // by chunk
    std::uint64_t resumed_at_chunk = 0;

    [[nodiscard]] ChunkCount chunks() const { return header.replica.chunks; }
    [[nodiscard]] ScrubReport report() const;
};

/// A path for messages: 'PATH'.
[[nodiscard]] inline std::string quoted(const std::filesystem::path& path) {
    return "'" + path.string() + "'";
}

/// Every node as it is stored; zeros for those that cannot be read, all of them without a file.
[[nodiscard]] TreeLevels read_levels(const File* tree, ChunkCount chunks, TreeKind kind);

/// What to do with the log of a scrub that went through.
enum class Finished { kUse, kForget };

/// Errors as for scrub(), which is this and a report.
[[nodiscard]] Result<Examination> examine(const ReplicaFiles& files, const NetworkParams& network,
                                          const ScrubOptions& options, Finished finished);

}  // namespace holdfast
