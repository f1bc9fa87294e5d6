// What a light client keeps in a folder: heights and chains that were fetched and checked, which of
// them the operator has signed, the newest head, and each y that was checked.
//
//   network.params, public.json   as a folder of public data (clock/public_record.hpp)
//   checked                       u8 1 || network_id || u32 n || n of u64 height, signed by the
//                                 operator || u32 n || n of u64 height, whose digest covers its y
//                                 || u32 m || m of (u64 height || block_hash || y || u32 segments)
//                                 || u8 0, or u8 1 || head 240
//
// The folder is its owner's: what stands in it is believed. One process at a time. kCorrupt names
// the file; removing the folder costs fetching again and nothing else.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <vector>

#include "api/light_output.hpp"
#include "clock/public_record.hpp"
#include "proofs/journal.hpp"

namespace holdfast {

/// What a light client keeps between runs.
struct LightCache {
    PublicRecord record;
    std::set<Height> vouched;
    std::set<Height> covered;  // whose digest was seen to cover the height's y
    std::vector<CheckedOutput> outputs;
    std::optional<JournalHead> newest;

    /// An empty one where the folder holds none. kCorrupt, kIo; kRefused (kWrongNetwork).
    static Result<LightCache> load(const std::filesystem::path& folder,
                                   const NetworkParams& params);
    [[nodiscard]] Status save(const std::filesystem::path& folder) const;
};

}  // namespace holdfast
