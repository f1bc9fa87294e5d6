// Leaves and digests of the hierarchy: chain leaf, group, region and global digest, anchors.
//
// Pure functions of values; part of the trusted rooms; any thread. The registry builds its trees
// with these and path proofs are checked with these. Spec: docs/spec.md sections 7 and 10.2.
#pragma once

#include <array>
#include <optional>

#include "core/codec.hpp"
#include "core/constants.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

enum class ChainStatus : std::uint8_t { kActive = 1, kLate = 2, kRemoving = 3, kExpired = 4 };

std::string_view to_string(ChainStatus status);
/// kBadStatus unless 1 to 4.
[[nodiscard]] Checked<ChainStatus> chain_status(std::uint8_t byte);
/// The same from a Reader, which it refuses.
[[nodiscard]] ChainStatus decode_status(Reader& r);

/// What a used slot holds: chain_id || link || u64 height of that link || u8 status. Before the
/// first link: the chain id and the genesis height stand in.
struct ChainLeaf {
    ChainId chain_id;
    Link link;
    Height link_height;
    ChainStatus status = ChainStatus::kActive;
    friend bool operator==(const ChainLeaf&, const ChainLeaf&) = default;

    [[nodiscard]] std::array<std::uint8_t, kLeafBytes> encode() const;
    void encode(Writer& w) const;
    /// kBadStatus, kTruncated; used inside other objects.
    static ChainLeaf decode(Reader& r);
    static Checked<ChainLeaf> decode(ByteView bytes);
    /// RFC 9162 leaf hash.
    [[nodiscard]] Digest hash() const;
};

/// Leaf hash of a vacant slot: that of the empty string.
[[nodiscard]] Digest vacant_leaf_hash();

/// `leaves_root`: MTH over slots 0 to slots-1; `active` counts status 1.
[[nodiscard]] Digest group_digest(std::uint32_t region, std::uint32_t group, std::uint32_t slots,
                                  std::uint32_t active, const Digest& leaves_root);
[[nodiscard]] Digest region_digest(std::uint32_t region, std::uint32_t groups, std::uint64_t active,
                                   const Digest& groups_root);

/// What a global digest commits to beside the regions' root.
struct GlobalHeader {
    Height height;
    BlockHash block_hash;
    VdfOutput y;  // zeros where it was not known when the height closed
    GlobalDigest previous;
    std::uint32_t regions = 0;
    std::uint64_t total_chains = 0;
    friend bool operator==(const GlobalHeader&, const GlobalHeader&) = default;
};
[[nodiscard]] GlobalDigest global_digest(const NetworkId& network_id, const GlobalHeader& header,
                                         const Digest& regions_root);

/// H("global/genesis"; network_id): the digest before the network's first, and the anchor where a
/// height has none.
[[nodiscard]] GlobalDigest genesis_global(const NetworkId& network_id);

/// The height whose global digest is the anchor of `height`: height - 1 - link_lag; nothing where
/// that lies before the network's genesis height (the anchor is then genesis_global).
[[nodiscard]] std::optional<Height> anchor_height(const NetworkParams& params, Height height);

}  // namespace holdfast
