#include "proofs/digests.hpp"

#include "core/merkle.hpp"

namespace holdfast {

std::string_view to_string(ChainStatus status) {
    switch (status) {
        case ChainStatus::kActive:
            return "active";
        case ChainStatus::kLate:
            return "late";
        case ChainStatus::kRemoving:
            return "removing";
        case ChainStatus::kExpired:
            return "expired";
    }
    return "unknown";
}

Checked<ChainStatus> chain_status(std::uint8_t byte) {
    if (byte < 1 || byte > 4) return refuse(Reason::kBadStatus);
    return static_cast<ChainStatus>(byte);
}

// Spec 10.2.
void ChainLeaf::encode(Writer& w) const {
    w.fixed(chain_id).fixed(link).height(link_height).u8(static_cast<std::uint8_t>(status));
}

std::array<std::uint8_t, kLeafBytes> ChainLeaf::encode() const {
    std::array<std::uint8_t, kLeafBytes> out;
    auto* at = std::copy(chain_id.begin(), chain_id.end(), out.data());
    at = std::copy(link.begin(), link.end(), at);
    store_le64(at, link_height.value);
    out.back() = static_cast<std::uint8_t>(status);
    return out;
}

ChainLeaf ChainLeaf::decode(Reader& r) {
    ChainLeaf leaf;
    leaf.chain_id = r.fixed<ChainId>();
    leaf.link = r.fixed<Link>();
    leaf.link_height = r.height();
    leaf.status = decode_status(r);
    return leaf;
}

Checked<ChainLeaf> ChainLeaf::decode(ByteView bytes) {
    Reader r(bytes);
    const ChainLeaf leaf = decode(r);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return leaf;
}

Digest ChainLeaf::hash() const { return leaf_hash(encode()); }

ChainStatus decode_status(Reader& r) {
    const auto status = chain_status(r.u8());
    if (!status) {
        r.refuse(status.error().reason);
        return ChainStatus::kActive;
    }
    return *status;
}

// Spec 10.2: the empty string.
Digest vacant_leaf_hash() { return leaf_hash({}); }

// Spec 10.2.
Digest group_digest(std::uint32_t region, std::uint32_t group, std::uint32_t slots,
                    std::uint32_t active, const Digest& leaves_root) {
    return tagged_hash("group", region, group, slots, active, leaves_root);
}

// Spec 10.2.
Digest region_digest(std::uint32_t region, std::uint32_t groups, std::uint64_t active,
                     const Digest& groups_root) {
    return tagged_hash("region", region, groups, active, groups_root);
}

// Spec 10.2.
GlobalDigest global_digest(const NetworkId& network_id, const GlobalHeader& h,
                           const Digest& regions_root) {
    return GlobalDigest(tagged_hash("global", network_id, h.height, h.block_hash, h.y, h.previous,
                                    h.regions, h.total_chains, regions_root));
}

// Spec 10.2.
GlobalDigest genesis_global(const NetworkId& network_id) {
    return GlobalDigest(tagged_hash("global/genesis", network_id));
}

// Spec 7, anchor.
std::optional<Height> anchor_height(const NetworkParams& params, Height height) {
    if (height.since(params.genesis_height) < params.closing_blocks()) return std::nullopt;
    return height - params.closing_blocks();
}

}  // namespace holdfast
