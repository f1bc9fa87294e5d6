// Evidence of an offence, kinds 1 to 11: values and canonical bodies.
//
// u8 kind || u64 length || body. decode() knows no network: it checks every length before it
// allocates and accepts one byte string per value; whether anything is true is
// evidence_verify.hpp's to say. Plain values, any thread; part of the trusted rooms. Spec:
// docs/spec.md section 11.
#pragma once

#include <array>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/availability_verify.hpp"
#include "proofs/bundle.hpp"
#include "proofs/checkpoint.hpp"
#include "proofs/formats.hpp"
#include "proofs/journal.hpp"
#include "proofs/link.hpp"
#include "proofs/registration.hpp"
#include "vdf/proof.hpp"

namespace holdfast {

enum class EvidenceKind : std::uint8_t {
    kEquivocation = 1,
    kBadOpening = 2,
    kBadSeal = 3,
    kBadVdfSegment = 4,
    kBadCheckpoint = 5,
    kBadResponse = 6,
    kFalseVdfOutput = 7,
    kFalseVdfStart = 8,
    kBundledEquivocation = 9,
    kBundledBadOpening = 10,
    kHeadConflict = 11,
};

std::string_view to_string(EvidenceKind kind);

/// Kinds 1 and 9: two signed links of one chain, height, block and anchor that differ. Two receipts
/// are kind 1; where a member of a bundle is among them it is kind 9.
struct Equivocation {
    ChainId chain_id;
    BlockHash block_hash;
    LinkStatement smaller;  // by the bytes of its link
    LinkStatement larger;
    friend bool operator==(const Equivocation&, const Equivocation&) = default;
};

/// A signed link with everything that it commits to: with a receipt of kind 2, with a member of a
/// bundle of kind 10.
struct LinkClaim {
    ChainId chain_id;
    BlockHash block_hash;
    LinkStatement statement;
    Link link_before;
    Entropy e;
    Digest openings;  // O
    friend bool operator==(const LinkClaim&, const LinkClaim&) = default;
};

/// Kinds 2 and 10, first form: o_j under O is not the opening of the true cell.
struct FalseOpening {
    LinkClaim claim;
    std::uint8_t j = 0;
    Digest opening;  // o_j
    std::array<Digest, kOpeningTreeDepth> opening_path;
    Cell cell;                      // what the sealed replica holds there
    std::vector<Digest> cell_path;  // to sealed_root
    friend bool operator==(const FalseOpening&, const FalseOpening&) = default;
};

/// Kinds 2 and 10, second form: E is not the E of the committed reveal.
struct FalseEntropy {
    LinkClaim claim;
    Reveal reveal;
    friend bool operator==(const FalseEntropy&, const FalseEntropy&) = default;
};

/// Kind 3: a registered cell that is not the raw cell XORed with the keystream.
struct BadSeal {
    Registration registration;
    CellIndex cell;
    Cell raw;
    std::vector<Digest> raw_path;
    Cell sealed;
    std::vector<Digest> sealed_path;
    friend bool operator==(const BadSeal&, const BadSeal&) = default;
};

/// Kind 5, first form: two statements of one submitter about one block.
struct CheckpointConflict {
    Checkpoint smaller;  // by the bytes of its body
    Checkpoint larger;
    friend bool operator==(const CheckpointConflict&, const CheckpointConflict&) = default;
};

/// Kind 5, second form: one chain in two slots under the digest that the submitter signed.
struct DoubleSlot {
    Checkpoint checkpoint;
    VdfOutput y;
    GlobalDigest previous_global;
    PathProof lower;  // by region, group, slot
    PathProof higher;
    friend bool operator==(const DoubleSlot&, const DoubleSlot&) = default;
};

/// Kind 6: a challenge, and a signed response that fails its multiproof. The challenge is of kind
/// 11 in networks of version 1 and of kind 29 in version 2; which of them is not in the bytes, so
/// that exchange_of() reads them with the network's parameters. Both kinds begin with chain, height
/// and block.
struct BadResponse {
    ChainId chain_id;
    Height height;
    BlockHash block_hash;
    Bytes rest;  // of the challenge, then the response
    friend bool operator==(const BadResponse&, const BadResponse&) = default;
};

/// A challenge, of either version, and its response.
struct Exchange {
    std::variant<Challenge, Challenge2> challenge;
    Response response;
    [[nodiscard]] const PublicKey& challenger() const {
        return std::visit([](const auto& c) -> const PublicKey& { return c.challenger; },
                          challenge);
    }
};
/// kTruncated.
[[nodiscard]] Checked<Exchange> exchange_of(const NetworkParams& params, const BadResponse& e);

/// Kind 11: two heads of the operator for one height and block that differ.
struct HeadConflict {
    JournalHead smaller;  // by the bytes of its body
    JournalHead larger;
    friend bool operator==(const HeadConflict&, const HeadConflict&) = default;
};

using EvidenceBody =
    std::variant<Equivocation, FalseOpening, FalseEntropy, BadSeal, VdfSegmentEvidence,
                 CheckpointConflict, DoubleSlot, BadResponse, VdfEndEvidence, HeadConflict>;

/// Evidence of one offence (kind 16).
struct Evidence {
    EvidenceBody body;
    friend bool operator==(const Evidence&, const Evidence&) = default;

    [[nodiscard]] EvidenceKind kind() const;
    /// With kind and length: the body of a standing-alone object of kind 16.
    [[nodiscard]] Bytes encode() const;
    /// kBadKind, kTruncated, kTrailingBytes, kBadField (form), kBadIndex, kBadGeometry, and the
    /// reasons of the parts.
    static Checked<Evidence> decode(ByteView bytes);
};

}  // namespace holdfast
