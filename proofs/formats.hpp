// The proof formats: compact (B), full (C), path (D) and windows, and the short forms of B and C
// between a prover and a registry, with their canonical bodies.
//
// Plain values. decode() takes a body (without version and kind), checks every length before it
// allocates and accepts exactly one encoding of each value; it judges form only, never truth: that
// is proofs/link_verify.hpp. Format A, the receipt, is in proofs/link.hpp. Part of the trusted
// rooms. Spec: docs/spec.md section 7.
#pragma once

#include <span>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/codec.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/digests.hpp"
#include "proofs/link.hpp"

namespace holdfast {

/// Where a slot stands, the counts on the way up, and the three paths. Their lengths follow from
/// the counts. Group index is within its region.
struct HierarchyPath {
    std::uint32_t region = 0;
    std::uint32_t group = 0;
    std::uint32_t slot = 0;
    std::uint32_t slots = 0;
    std::uint32_t active = 0;
    std::uint32_t groups = 0;
    std::uint64_t region_active = 0;
    std::uint32_t regions = 0;
    std::uint64_t total_chains = 0;
    std::vector<Digest> slot_path;
    std::vector<Digest> group_path;
    std::vector<Digest> region_path;
    friend bool operator==(const HierarchyPath&, const HierarchyPath&) = default;

    void encode(Writer& w) const;
    /// kBadSlot where an index is not below its count.
    static HierarchyPath decode(Reader& r);
};

/// Format D: a leaf and its path to a global digest.
struct PathProof {
    ChainLeaf leaf;
    HierarchyPath path;
    friend bool operator==(const PathProof&, const PathProof&) = default;

    [[nodiscard]] Bytes encode() const;
    void encode(Writer& w) const;
    static PathProof decode(Reader& r);
    static Checked<PathProof> decode(ByteView body);
};

/// Format B: one opened cell, and the link's leaf under the global digest of its own height (of the
/// leaf only the status is carried: chain, link and height stand in the proof already).
struct Compact {
    Receipt receipt;
    ChainId chain_id;
    Link link_before;
    Reveal reveal;
    ChainStatus status = ChainStatus::kActive;
    HierarchyPath path;
    Cell cell;
    std::vector<Digest> cell_path;
    std::array<Digest, kOpeningTreeDepth> opening_path;
    friend bool operator==(const Compact&, const Compact&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<Compact> decode(ByteView body);
};

/// Format C: all sixteen cells in ascending order, and one multiproof.
struct Full {
    Receipt receipt;
    ChainId chain_id;
    Link link_before;
    Reveal reveal;
    std::array<Cell, kChunksPerLink> cells;
    std::vector<Digest> siblings;
    friend bool operator==(const Full&, const Full&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<Full> decode(ByteView body);
};

/// Format B for a registry, which knows anchor, link_before and link itself (kind 24).
struct ShortCompact {
    ChainId chain_id;
    Height height;
    Reveal reveal;
    Cell cell;
    std::vector<Digest> cell_path;
    std::array<Digest, kOpeningTreeDepth> opening_path;
    friend bool operator==(const ShortCompact&, const ShortCompact&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<ShortCompact> decode(ByteView body);
};

/// Whether a form shows one of the openings, not all of them.
template <class Proof>
inline constexpr bool kOpensOne =
    std::is_same_v<Proof, Compact> || std::is_same_v<Proof, ShortCompact>;

/// Format C for a registry (kind 25).
struct ShortFull {
    ChainId chain_id;
    Height height;
    Reveal reveal;
    std::array<Cell, kChunksPerLink> cells;  // ascending
    std::vector<Digest> siblings;
    friend bool operator==(const ShortFull&, const ShortFull&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<ShortFull> decode(ByteView body);
};

using AnyShort = std::variant<ShortCompact, ShortFull>;
[[nodiscard]] const ChainId& chain_of(const AnyShort& proof);
[[nodiscard]] Height height_of(const AnyShort& proof);

using AnyProof = std::variant<Compact, Full>;
/// The receipt, chain and reveal that both kinds carry.
[[nodiscard]] const Receipt& receipt_of(const AnyProof& proof);
[[nodiscard]] const ChainId& chain_of(const AnyProof& proof);
[[nodiscard]] const Reveal& reveal_of(const AnyProof& proof);
/// kCompact or kFull, and the body of that kind.
[[nodiscard]] Kind kind_of(const AnyProof& proof);
[[nodiscard]] Bytes encode_body(const AnyProof& proof);

/// One to five compact or full proofs of one chain, heights strictly ascending.
struct ProofWindow {
    std::vector<AnyProof> links;
    friend bool operator==(const ProofWindow&, const ProofWindow&) = default;

    /// 1 to 5 ascending links; anything else is a bug of the caller.
    [[nodiscard]] Bytes encode() const;
    /// kBadField (count), kBadKind, kTooLarge (length), kWindowOrder and the reasons of the parts,
    /// with the part as index.
    static Checked<ProofWindow> decode(ByteView body);
};

/// The most bytes that a compact or full body of any replica and network can have.
inline constexpr std::size_t kMaxLinkProofBytes = 16 * 1024;

}  // namespace holdfast
