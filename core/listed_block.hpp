// What a final block of the host chain lists: facts about bonds, and objects of the protocol.
//
// Plain values, any thread; encoding and decoding are pure. Amounts are u64 counts of the host
// token's smallest unit. Spec: docs/spec.md sections 15.2 and 15.4.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/codec.hpp"
#include "core/constants.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// An object in a block: standing alone (u8 version || u8 kind || body), exactly as submitted.
struct Submission {
    Kind kind{};
    Bytes object;
    friend bool operator==(const Submission&, const Submission&) = default;
};

/// What a bond vouches for, and the role whose part it holds.
enum class BondPurpose : std::uint8_t {
    kStorage = 1,     // a registered chain: seal deposit and storage liability
    kChallenger = 2,  // a registered challenger
    kCheckpoint = 3,  // a submitter of checkpoints
    kEvaluator = 4,   // an evaluator of the VDF
    kAccusation = 5,  // an accuser's deposit for evidence that is dear to check
    kOperator = 6,    // the network's operator
};
std::string_view to_string(BondPurpose purpose);

enum class BondEventKind : std::uint8_t { kCreated = 1, kAdded = 2, kReleased = 3, kSlashed = 4 };

inline constexpr std::size_t kBondEventBytes = 2 + 32 + 32 + 8 + 8 + 32;

/// A fact about a bond. 114 bytes. Purpose, owner and subject are those of kCreated alone and
/// otherwise left as they are here.
struct BondEvent {
    BondEventKind what = BondEventKind::kCreated;
    std::optional<BondPurpose> purpose;
    BondId bond;
    PublicKey owner;
    std::uint64_t amount = 0;
    std::uint64_t number = 0;  // so that two events of one bond differ
    Digest subject;            // of a deposit: SHA-256 of the evidence that it is for
    friend bool operator==(const BondEvent&, const BondEvent&) = default;

    static BondEvent created(const BondId& bond, const PublicKey& owner, std::uint64_t amount,
                             BondPurpose purpose, const Digest& subject = {});
    [[nodiscard]] Bytes encode() const;
    /// kBadField, kTruncated, kTrailingBytes.
    static Checked<BondEvent> decode(ByteView bytes);
};

/// Each list in the block's order; the bonds count before the objects.
struct ListedBlock {
    std::vector<BondEvent> bonds;
    std::vector<Submission> objects;
    friend bool operator==(const ListedBlock&, const ListedBlock&) = default;
};

}  // namespace holdfast
