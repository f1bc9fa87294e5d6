// Online backup of registries, and putting a backup back.
//
// A backup is a folder that holds what a registry's folder does, compacted, and can be opened as
// one. It is one commit's state: whole, whatever the process that has the registry open does
// meanwhile. Both functions leave a complete result or nothing, and check the copy - every page,
// every checksum, that its leaves lead to its newest digest - before it gets its name. They block
// for as long as copying takes; any thread. Neither may be used on a folder that this very process
// has open as a Registry (Registry::backup is for that).
#pragma once

#include <filesystem>

#include "core/params.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast {

/// Copies the registry in `folder`, which another process may have open, to the new folder `to`.
/// What the copy holds. kNotFound (no registry there), kAlreadyExists, kCorrupt, kUnsupported,
/// kOutOfSpace, kPermission, kIo.
[[nodiscard]] Result<RegistryStatistics> backup_registry(const std::filesystem::path& folder,
                                                         const std::filesystem::path& to);

/// Makes `folder` the registry that `backup` holds, in one step. kNotFound (no backup there),
/// kRefused with kWrongNetwork unless it is of network `params`, kCorrupt, kUnsupported (newer
/// schema), kAlreadyExists where a registry stands already and `replace` is false, kBusy while a
/// process has that registry open, kOutOfSpace, kPermission, kIo.
[[nodiscard]] Result<RegistryStatistics> restore_registry(const std::filesystem::path& backup,
                                                          const std::filesystem::path& folder,
                                                          const NetworkParams& params,
                                                          bool replace);

}  // namespace holdfast
