// What the registry keeps on disk: one struct per table, with its canonical encoding.
//
// Internal to this room. Integers little-endian in values and big-endian in keys. Values carry
// their own checksums (storage/lmdb_store.hpp), so a value that does not decode is kCorrupt: this
// build and the database disagree.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/codec.hpp"
#include "core/listed_block.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "hierarchy/lifecycle.hpp"
#include "hierarchy/registry.hpp"
#include "hierarchy/tree.hpp"
#include "proofs/link.hpp"
#include "proofs/registration.hpp"
#include "proofs/reveal.hpp"
#include "storage/lmdb_store.hpp"

namespace holdfast {

/// Schema 1 held what depended on when a node had looked, schema 2 did not know whose chains are
/// whose.
inline constexpr std::uint32_t kRegistrySchema = 3;

/// Stands for "not yet" wherever a record holds an optional height or slot.
inline constexpr std::uint64_t kNever = UINT64_MAX;
[[nodiscard]] inline std::optional<Height> known_or_none(std::uint64_t height) {
    return height == kNever ? std::nullopt : std::optional(Height(height));
}

/// What was read, if nothing is wrong with it and nothing follows.
template <class T>
Result<T> finished_record(const Reader& r, T value, const char* what) {
    if (r.finish()) return value;
    return fail(ErrorCode::kCorrupt,
                std::string("registry is damaged: ") + what + " does not decode");
}

/// Where the machine stands; one record.
struct MachineState {
    std::uint64_t tip = kNever;
    std::uint64_t closed = kNever;
    std::uint64_t heights_with_y = 0;  // among the closed ones
    std::uint64_t registrations = 0;
    std::uint64_t pending = 0;
    std::uint64_t sealed = 0;
    std::uint64_t liable = 0;
    std::uint64_t voided = 0;
    std::uint64_t ended = 0;
    std::uint64_t decisions = 0;  // ever made; the next one's number

    [[nodiscard]] Bytes encode() const;
    static Result<MachineState> decode(ByteView bytes);
};

/// Where this registry began: of nothing, or of a state that somebody else had come to.
struct Origin {
    std::uint64_t entries = 0;    // of the journal, behind which it began
    std::uint64_t decisions = 0;  // made before
    Height head;                  // whose head the state was held against; 0: of nothing
    Height leaves;                // lowest height of which leaves came with the state

    [[nodiscard]] Bytes encode() const;
    static Result<Origin> decode(ByteView bytes);
};

/// Of which heights the journal's entries still have their bytes: from these on.
struct KeptEntries {
    Height all;     // but for
    Height proofs;  // bundles and proofs of links

    [[nodiscard]] Bytes encode() const;
    static Result<KeptEntries> decode(ByteView bytes);
};

struct StoredBlock {
    BlockRecord info;
    std::uint64_t ordinal = 0;  // among the heights with y, once closed with y

    [[nodiscard]] Bytes encode() const;
    static Result<StoredBlock> decode(ByteView bytes);
};

struct ChainRecord {
    Registration registration;
    Height accepted;
    ChainPhase end = ChainPhase::kPending;  // kVoid or kEnded once it is; else its state tells
    std::uint32_t last_sequence = 0;        // the rest as the chain's state had it when it ended
    std::uint64_t sealed_at = kNever;
    std::uint64_t slot = kNever;
    std::uint64_t removal_at = kNever;
    std::uint64_t vacant_from = kNever;
    std::uint64_t liable_until = kNever;
    bool part_taken = false;

    [[nodiscard]] Bytes encode() const;
    static Result<ChainRecord> decode(ByteView bytes);
};

struct ChainState {
    ChainPhase phase = ChainPhase::kPending;
    std::uint32_t last_sequence = 0;
    std::uint64_t challenge_from = kNever;  // pending: lowest height whose y may be its challenge's
    std::uint64_t sealed_at = kNever;
    std::uint64_t slot = kNever;
    std::uint64_t removal_at = kNever;
    std::uint64_t vacant_from = kNever;  // sealed: due to fall vacant then
    std::uint64_t liable_until = kNever;
    Height newest_base;                 // of its commitments
    std::uint64_t updated_at = kNever;  // newest update accepted at
    std::uint64_t taken_at = kNever;    // its part of the bond was taken at
    Height genesis;                     // of the registration, as is the retention
    Retention retention = Retention::kDefault;
    bool last_audit = false;          // drawn, before the part is released
    std::uint32_t audits_missed = 0;  // among the open ones
    MissWindow misses;

    [[nodiscard]] bool has_part() const { return taken_at == kNever; }

    /// In the newest digest. The slot stays in the state when it falls vacant, for older heights.
    [[nodiscard]] bool holds_slot() const { return phase == ChainPhase::kSealed && slot != kNever; }
    /// Whether the digest of `height` has, or will have, a slot for the chain.
    [[nodiscard]] bool in_digest(Height height) const {
        return phase == ChainPhase::kSealed && sealed_at <= height.value &&
               height.value < vacant_from;
    }
    [[nodiscard]] Bytes encode() const;
    static Result<ChainState> decode(ByteView bytes);
};

/// An open audit. Like a registration's challenge, it waits for the first height from `from` with
/// y; then it is missed at each deadline until it is answered.
struct AuditRecord {
    std::uint64_t from = kNever;
    std::uint8_t missed = 0;

    [[nodiscard]] Bytes encode() const;
    static Result<AuditRecord> decode(ByteView bytes);
};

/// Misses of a chain at a height besides its link's.
struct MissRecord {
    std::uint32_t audits = 0;  // missed at this height

    [[nodiscard]] std::uint64_t misses(const NetworkParams& params) const {
        return audits * (std::uint64_t{params.misses_late} + 1);
    }
    [[nodiscard]] Bytes encode() const;
    static Result<MissRecord> decode(ByteView bytes);
};

/// The link that stands for a chain and height, and how well it was proven. `entry`: number of the
/// journal entry that brought it.
struct LinkState {
    Link link;
    Link link_before;
    LinkProof proof = LinkProof::kNone;
    std::uint64_t entry = 0;

    [[nodiscard]] Bytes encode() const;
    static Result<LinkState> decode(ByteView bytes);
};

/// What the host chain has said of a bond, and what of it is spoken for.
struct BondRecord {
    PublicKey owner;
    BondPurpose purpose = BondPurpose::kStorage;
    Digest subject;
    std::uint64_t held = 0;
    std::uint64_t reserved = 0;  // the sum of its parts
    std::uint64_t owed = 0;      // decided, and not listed by the host chain yet

    [[nodiscard]] std::uint64_t free() const {
        const std::uint64_t spoken = reserved + owed;
        return spoken < reserved || held < spoken ? 0 : held - spoken;
    }
    [[nodiscard]] Bytes encode() const;
    static Result<BondRecord> decode(ByteView bytes);
};

struct PartRecord {
    BondId bond;
    std::uint64_t amount = 0;
    Height claimed;                // or last grown
    std::uint64_t until = kNever;  // in its role until then

    [[nodiscard]] Bytes encode() const;
    static Result<PartRecord> decode(ByteView bytes);
};

/// Evidence that a block listed before it was settled whether its height has y.
struct WaitingEvidence {
    PublicKey accuser;  // zeros: nobody
    BondId deposit;     // zeros: none
    Bytes body;

    [[nodiscard]] Bytes encode() const;
    static Result<WaitingEvidence> decode(ByteView bytes);
};

/// The leaves stay where the database has them.
struct GroupRecord {
    std::uint32_t active = 0;
    ByteView leaves;

    [[nodiscard]] Bytes encode() const;
    static Result<GroupRecord> decode(ByteView bytes);
};

[[nodiscard]] Bytes encode_regions(const std::vector<RegionSummary>& regions);
[[nodiscard]] Result<std::vector<RegionSummary>> decode_regions(ByteView bytes);

[[nodiscard]] Bytes encode_effects(const std::vector<Effect>& effects);
[[nodiscard]] Result<std::vector<Effect>> decode_effects(ByteView bytes);

[[nodiscard]] Bytes encode_known_reveal(const KnownReveal& known);
[[nodiscard]] Result<KnownReveal> decode_known_reveal(ByteView bytes);

/// What the digest of a height has to do, in the order in which it does it: ends before new chains.
enum class AgendaItem : std::uint8_t {
    kVacate = 1,
    kPlace = 2,
    kSealChallenge = 3,   // its y comes from this height, or else from the next
    kSealDeadline = 4,    // no proof by now: void
    kAuditChallenge = 5,  // argument: height drawn
    kAuditDeadline = 6,   // argument: height drawn
    kLiabilityEnd = 7,    // argument: 0 of a chain, else the role that a bond's owner has left
};

struct AgendaEntry {
    Height height;
    AgendaItem item = AgendaItem::kVacate;
    ChainId chain_id;
    std::uint64_t argument = 0;

    [[nodiscard]] Key key() const;
    static AgendaEntry of_key(ByteView key);
};

// Keys.
[[nodiscard]] Key height_key(Height height);
[[nodiscard]] Key chain_key(const ChainId& chain_id);
[[nodiscard]] Key height_chain_key(Height height, const ChainId& chain_id);
[[nodiscard]] Key chain_height_key(const ChainId& chain_id, Height height);
[[nodiscard]] Key update_key(const ChainId& chain_id, std::uint32_t sequence);
[[nodiscard]] Key group_key(const HierarchyTree::GroupPlace& place);
[[nodiscard]] Key group_height_key(const HierarchyTree::GroupPlace& place, Height height);

}  // namespace holdfast
