// The leaves of one height as a JSON document: what `registry export` and `registry merge` write
// and `aggregate` and `registry merge` read.
//
//   {"format": "holdfast-leaves-1", "network": hex of the network object, "height": 12,
//    "block_hash": hex, "y": hex or null, "previous_global": hex, "global": hex,
//    "leaves": [{"slot": 0, "chain_id": hex, "link": hex, "link_height": 12, "status": "active"},
//                …]}
//
// One leaf a line, ascending by slot. "height" null and no leaves: no digest yet. Members with
// other names are ignored. "disagreement" is written by unfinished merges. Slots end below
// kSlotsEnd, which bounds what a document can make this program do.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/params.hpp"
#include "hierarchy/lifecycle.hpp"
#include "json/json.hpp"
#include "proofs/formats.hpp"

namespace holdfast::json {

inline constexpr std::uint64_t kSlotsEnd = std::uint64_t{1} << 24;

struct LeavesDocument {
    NetworkParams network;
    RegistrySlots slots;
    std::optional<GlobalDigest> global;  // as the document says, where it does
};

/// The document without its closing brace, so that members may follow (each with a comma before
/// it).
[[nodiscard]] std::string begin_leaves_text(const LeavesDocument& document);
/// Whole documents; kRefused with kBadField, kBadIndex (slots), kWrongNetwork.
[[nodiscard]] Result<LeavesDocument> read_leaves(const std::filesystem::path& file);

/// Receipts to put into leaves: [{"chain_id": hex, "receipt": hex of the object}, …]. Their
/// signatures are not looked at.
[[nodiscard]] Result<std::vector<std::pair<ChainId, Receipt>>> read_receipts(
    const std::filesystem::path& file);

}  // namespace holdfast::json
