// Public data in small pieces: what a light client asks a node, and what a node asks a prover in
// order to answer it. Questions and answers 32 to 38 of section 14, parts of messages 66 and 67.
//
// Everything that can be checked comes with what checks it: of a closed height what its digest was
// made of, of a path and a head their own proofs, of y the parts of a VDF proof that were drawn
// after its root was fixed. Nothing here is believed for having been said; who checks it is
// api/light_client.hpp.
//
//   question  u8 32 || u64 first || u32 n                    heights from `first` on, n 1 to 256
//             u8 33 || u8 by || id 32 || u32 first           a chain, by its id (1) or replica (2)
//             u8 34 || chain_id || u64 height                its path under a closed digest
//             u8 35 || u64 height || u64 older               the operator's head of a height, and
//                                                            how its journal extends `older`
//             u8 36 || chain_id || u64 height                a proof of a link
//             u8 37 || u64 height || u32 k || k of u32       segments of y's VDF proof, ascending
//             u8 38 || …                                     a node to the chain's prover: prove
//                                                            this link, on record with you
//   answers   of the same numbers; 36 answers 38 as well. Spec: docs/spec.md section 14.
//
// Pure values, any thread. Lengths are checked before anything is allocated.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "callbacks/beacon.hpp"
#include "callbacks/blockchain.hpp"
#include "core/codec.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/formats.hpp"
#include "proofs/journal.hpp"
#include "proofs/link_verify.hpp"
#include "proofs/registration.hpp"
#include "vdf/proof.hpp"

namespace holdfast {

inline constexpr std::uint32_t kMaxHeightsPage = 256;
inline constexpr std::uint32_t kMaxUpdatesPage = 256;
inline constexpr std::uint32_t kMaxConsistencyHashes = 130;  // two paths of 64 and their ends
inline constexpr std::uint32_t kMaxSegmentsAsked = 64;
inline constexpr std::uint32_t kMaxSegmentBytes = 4'096;  // of one, or of one end, with its paths
inline constexpr std::uint32_t kMaxPathBytes = 16'384;    // of a path proof

// --- questions -----------------------------------------------------------------------------------

struct HeightsQuestion {
    Height first;
    std::uint32_t count = 0;  // at most; 1 to kMaxHeightsPage
    friend bool operator==(const HeightsQuestion&, const HeightsQuestion&) = default;
};
struct ChainQuestion {
    enum class By : std::uint8_t { kChain = 1, kReplica = 2 };
    By by = By::kChain;
    Digest id;
    std::uint32_t first = 0;  // place among its updates
    friend bool operator==(const ChainQuestion&, const ChainQuestion&) = default;
};
struct PathQuestion {
    ChainId chain_id;
    Height height;
    friend bool operator==(const PathQuestion&, const PathQuestion&) = default;
};
struct HeadQuestion {
    Height height;
    std::uint64_t older = 0;  // entries of a journal that it should extend; 0: none
    friend bool operator==(const HeadQuestion&, const HeadQuestion&) = default;
};
struct LinkProofQuestion {
    ChainId chain_id;
    Height height;
    friend auto operator<=>(const LinkProofQuestion&, const LinkProofQuestion&) = default;
};
struct SegmentsQuestion {
    Height height;
    std::vector<std::uint32_t> segments;  // ascending; none: the ends alone
    friend bool operator==(const SegmentsQuestion&, const SegmentsQuestion&) = default;
};
/// Everything public that a proof of a recorded link is made of. A prover believes none of it: what
/// it makes of these facts is its own recorded link, or there is no answer.
struct RecordedLinkQuestion {
    ChainId chain_id;
    Height height;
    BlockHash block_hash;
    VdfOutput y;
    GlobalDigest anchor;
    Link link_before;
    std::optional<Height> reveal_base;   // of the commitment in force; empty: none is
    std::optional<VdfOutput> y_compact;  // empty: not known yet, a full proof is asked for
    std::optional<PathProof> path;       // of the link's own height
    friend bool operator==(const RecordedLinkQuestion&, const RecordedLinkQuestion&) = default;
};
using PublicQuestion = std::variant<HeightsQuestion, ChainQuestion, PathQuestion, HeadQuestion,
                                    LinkProofQuestion, SegmentsQuestion, RecordedLinkQuestion>;

// --- answers -------------------------------------------------------------------------------------

/// What a global digest is made of beside height, block, y and the digest before it (spec 10.2).
struct DigestParts {
    std::uint32_t regions = 0;
    std::uint64_t total_chains = 0;
    Digest regions_root;
    friend bool operator==(const DigestParts&, const DigestParts&) = default;
};
struct PublicHeightFacts {
    BlockInfo block;  // final
    std::optional<BeaconRound> beacon;
    std::optional<VdfOutput> y;
    std::optional<GlobalDigest> global;  // once closed
    std::optional<DigestParts> parts;    // only with `global`; of the heights that the node keeps
    friend bool operator==(const PublicHeightFacts&, const PublicHeightFacts&) = default;
};
struct PublicHeights {
    bool more = false;                       // final blocks follow the last of these
    std::vector<PublicHeightFacts> heights;  // one after another
    friend bool operator==(const PublicHeights&, const PublicHeights&) = default;
};
struct PublicChainFacts {
    Registration registration;
    Height accepted;
    std::uint32_t first = 0;
    bool more = false;
    std::vector<Update> updates;       // ascending by sequence
    std::vector<RevealState> reveals;  // newest known of these commitments, ascending by base; in
                                       // the first page also of the registration's
    friend bool operator==(const PublicChainFacts&, const PublicChainFacts&) = default;
};
struct PublicPath {
    Height height;
    PathProof path;
    friend bool operator==(const PublicPath&, const PublicPath&) = default;
};
struct PublicHead {
    JournalHead head;
    std::vector<Digest> consistency;  // with the older size that was asked for
    friend bool operator==(const PublicHead&, const PublicHead&) = default;
};
/// A compact or full proof.
struct PublicLinkProof {
    AnyProof proof;
    friend bool operator==(const PublicLinkProof&, const PublicLinkProof&) = default;
};
/// Both ends of a signed VDF proof, as in evidence of kinds 8 and 7, and the segments asked for.
struct PublicSegments {
    VdfEndEvidence start;
    VdfEndEvidence output;
    std::vector<VdfSegment> segments;  // ascending
    friend bool operator==(const PublicSegments&, const PublicSegments&) = default;
};
using PublicAnswer = std::variant<PublicHeights, PublicChainFacts, PublicPath, PublicHead,
                                  PublicLinkProof, PublicSegments>;

// --- codec ---------------------------------------------------------------------------------------

[[nodiscard]] bool is_public_message(std::uint8_t what);
/// Whole messages (66, 67).
[[nodiscard]] Bytes encode_public_question(const PublicQuestion& question);
[[nodiscard]] Bytes encode_public_answer(const PublicAnswer& answer);
/// What follows the number `what`, for which is_public_message() holds.
[[nodiscard]] PublicQuestion read_public_question(Reader& r, std::uint8_t what);
[[nodiscard]] PublicAnswer read_public_answer(Reader& r, std::uint8_t what);

}  // namespace holdfast
