// A database of this room that belongs to one network and must never start over by accident.
//
// Internal to this room. The folder is made when it is missing. A database that has begun and has
// vanished is a loss (kCorrupt, storage/begun.hpp), not a new beginning, since it would forget what
// was decided. The head of the database holds schema version and network. Errors: kRefused
// (kWrongNetwork), kUnsupported (newer schema), and those of Store::open.
#pragma once

#include "storage/lmdb_store.hpp"

namespace holdfast {

[[nodiscard]] Result<std::unique_ptr<Store>> open_network_store(const std::filesystem::path& folder,
                                                                const NetworkId& network,
                                                                const StoreSchema& schema,
                                                                std::uint32_t version,
                                                                std::uint64_t map_bytes);
/// For reading alone, beside whoever writes: nothing is made. kCorrupt where there is none.
[[nodiscard]] Result<std::unique_ptr<Store>> read_network_store(const std::filesystem::path& folder,
                                                                const NetworkId& network,
                                                                const StoreSchema& schema,
                                                                std::uint32_t version);

}  // namespace holdfast
