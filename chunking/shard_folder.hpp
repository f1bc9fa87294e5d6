// A folder with the shards of a file and their manifest, which appears complete or not at all.
//
// Thread-safe. Spec: docs/spec.md sections 9 and 12.
#pragma once

#include "chunking/erasure.hpp"

namespace holdfast {

struct ShardFolder {
    Manifest manifest;
    std::filesystem::path manifest_path;             // FOLDER/NAME.manifest, kind 14 standing alone
    std::vector<std::filesystem::path> shard_paths;  // FOLDER/NAME.shard-000 and so on
};

/// Writes everything into a hidden folder beside `folder` and renames it. `folder` must not exist,
/// or be empty. With k = 1 and m = 0 the file itself is the shard: only the manifest is written.
/// kAlreadyExists; otherwise as for shard_file().
[[nodiscard]] Result<ShardFolder> shard_to_folder(const std::filesystem::path& source,
                                                  CodeShape shape,
                                                  const std::filesystem::path& folder,
                                                  const ErasureOptions& options = {});

/// Reads a manifest that stands alone. kRefused for one that is malformed.
[[nodiscard]] Result<Manifest> read_manifest(const std::filesystem::path& path);

}  // namespace holdfast
