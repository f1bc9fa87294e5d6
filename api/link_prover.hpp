// The prover's side of a link: read and check sixteen cells, make the link, record it, sign it, and
// turn it into a compact or full proof.
//
// A link is a function of public state and stored data; there is nothing to choose. A damaged cell
// is an error and nothing is recorded or signed: a missed link, never an offence. Functions are
// thread-safe for distinct LinkRecords. Spec: docs/spec.md section 7.
#pragma once

#include <array>
#include <optional>

#include "chunking/replica.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/formats.hpp"
#include "proofs/link.hpp"
#include "storage/link_records.hpp"

namespace holdfast {

/// What a link depends on beside the replica, all of it public.
struct LinkFacts {
    ChainId chain_id;
    Height height;
    BlockHash block_hash;
    VdfOutput y;
    GlobalDigest anchor;
    Link link_before;  // in the chain's leaf under the anchor; Link(chain_id) where there is none
    Reveal reveal;     // zeros without a commitment
};

/// A link before it is signed, with everything that a proof of it opens.
struct LinkOpening {
    LinkFacts facts;
    Entropy e;
    OpenedCells where;                            // in the order of selection
    std::array<Cell, kChunksPerLink> cells;       // the same order
    std::array<Digest, kChunksPerLink> openings;  // o_j
    std::vector<Digest> siblings;                 // of the multiproof over all sixteen
    Link link;
};

/// Which cells a link opens: known before anything is read.
struct LinkDraw {
    LinkFacts facts;
    Entropy e;
    OpenedCells where;                                // in the order of selection
    std::array<std::uint8_t, kChunksPerLink> order;   // the j of each, ascending by cell
    std::array<std::uint64_t, kChunksPerLink> cells;  // ascending
};
[[nodiscard]] LinkDraw draw_link(const NetworkId& network_id, const LinkFacts& facts,
                                 ChunkCount chunks);
/// The link over those cells, which have been checked against the tree; `opened` as from
/// Replica::open_cells(draw.cells).
[[nodiscard]] LinkOpening assemble_link(const NetworkId& network_id, const LinkDraw& draw,
                                        Opening opened);

/// Reads the sixteen cells and checks them against the tree. kCorrupt names the damaged chunk.
[[nodiscard]] Result<LinkOpening> open_link(const NetworkId& network_id, const Replica& replica,
                                            const LinkFacts& facts);

/// A link that was recorded and signed.
struct SignedLink {
    LinkOpening opening;
    Receipt receipt;
};

/// open_link, then record, then sign. Errors of both; nothing is signed after any of them.
[[nodiscard]] Result<SignedLink> make_link(const NetworkId& network_id, const Replica& replica,
                                           const LinkFacts& facts, const KeyPair& key,
                                           LinkRecords& records);

/// `path` is the path proof of this chain's leaf under the digest of the link's own height
/// (kInvalidArgument when its leaf is not this link's), `y_compact` draws the opening. Reads the
/// replica again for the cell's own path.
[[nodiscard]] Result<Compact> to_compact(const NetworkId& network_id, const Replica& replica,
                                         const SignedLink& link, const PathProof& path,
                                         const VdfOutput& y_compact);
/// The same with the path of the drawn cell (where[compact_index] of the link) at hand.
[[nodiscard]] Result<Compact> to_compact(const NetworkId& network_id, const SignedLink& link,
                                         const PathProof& path, const VdfOutput& y_compact,
                                         std::vector<Digest> cell_path);
[[nodiscard]] Full to_full(const SignedLink& link);

/// The short forms, for a registry that has taken the link, however it was signed. `cell_path`: of
/// the drawn cell (where[compact_index] of the link).
[[nodiscard]] ShortCompact to_short_compact(const NetworkId& network_id, const LinkOpening& link,
                                            const VdfOutput& y_compact,
                                            std::vector<Digest> cell_path);
[[nodiscard]] ShortFull to_short_full(const LinkOpening& link);

}  // namespace holdfast
