// Opening cells of many replicas at once: all reads of a batch in flight together, each replica
// judged alone.
//
// For provers of many chains. A replica is known by what its checked header said; its files are
// opened when they are needed and closed when others need their place. As with Replica, nothing is
// given out that has not been hashed up to the root: whatever a file holds, a wrong byte is
// kCorrupt with the chunk's number, for that replica alone. Not found, truncated and unreadable
// files are errors of their replica alone. Used by one thread at a time; OpenFiles may be shared.
// Spec: docs/spec.md sections 7 and 12.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "chunking/batch_reader.hpp"
#include "chunking/cell_opening.hpp"
#include "chunking/open_files.hpp"
#include "core/geometry.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// Sealed cells wanted of one replica, and what was found.
struct CellsToOpen {
    std::filesystem::path replica;  // *.replica; the *.tree beside it is read where it is needed
    ChunkCount chunks;
    Root sealed_root;
    std::vector<std::uint64_t> cells;  // strictly ascending, in range
    Result<Opening> opening = Opening{};
};

/// The *.tree of a *.replica.
[[nodiscard]] std::filesystem::path tree_beside(const std::filesystem::path& replica);

/// Fills `opening` of every item. At most two files an item are held open during the call.
void open_cells(BatchReader& reader, OpenFiles& files, std::span<CellsToOpen> items);

}  // namespace holdfast
