// What a prover asks the node that it follows about its own chains, and how it hands over what it
// has made: questions 6 to 12 and answers 9 to 15 of follow/messages.hpp.
//
//   request (66)  u8 6                                         heights that matter to provers
//                 u8 7  || key || u64 height || after || u32 n links due at an open height
//                 u8 8  || key || u64 height || after || u32 n proofs due of a closed height
//                 u8 9  || key || after || u32 n               seal proofs and audits due
//                 u8 10 || key || after || u32 n               chains
//                 u8 11 || u32 k || k of (u32 n || object)     objects for the journal, in order
//                 u8 12 || chain_id                            a registration
//   answer  (67)  u8 9 to 13: heights, links, proofs, duties, chains
//                 u8 14: what became of objects, and the node's acknowledgement of the message
//                 u8 15: a registration
//
// `key` is the prover's, `n` how many of its chains are looked through, 1 to kMaxDutyPage, those
// behind chain id `after` (zeros: from the first). An answer names the chain behind which to go on,
// or says that none is left: an empty list is not the end of it. Layouts: spec section 14.
//
// Pure values, any thread. Decoders refuse kBadField, kTooLarge (a count over its ceiling, before
// anything is allocated), kNotCanonical (a list that does not ascend, or lies outside the part that
// was asked for) and what a Reader refuses. Spec: docs/spec.md section 14.
#pragma once

#include <optional>
#include <vector>

#include "core/codec.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/acknowledgement.hpp"
#include "proofs/journal.hpp"
#include "proofs/registration.hpp"

namespace holdfast {

inline constexpr std::uint32_t kMaxDutyPage = 16'384;     // chains looked through for one answer
inline constexpr std::uint32_t kMaxDutyHeights = 65'536;  // of either list in one answer
inline constexpr std::uint32_t kMaxDutyEntries = 65'536;  // in one answer
inline constexpr std::uint32_t kMaxBatchObjects = 4'096;
/// The largest message with objects: what the transport carries of kind 66.
inline constexpr std::size_t kMaxBatchBytes = kMaxEntryObjectBytes;

// --- questions -----------------------------------------------------------------------------------

struct DutyHeightsQuestion {
    static constexpr std::uint8_t kNumber = 6;
    friend bool operator==(const DutyHeightsQuestion&, const DutyHeightsQuestion&) = default;
    void encode(Writer& w) const;  // what follows the number
    static DutyHeightsQuestion decode(Reader& r);
};
struct LinksDueQuestion {
    static constexpr std::uint8_t kNumber = 7;
    OwnedRange range;
    Height height;
    friend bool operator==(const LinksDueQuestion&, const LinksDueQuestion&) = default;
    void encode(Writer& w) const;  // what follows the number
    static LinksDueQuestion decode(Reader& r);
};
struct ProofsDueQuestion {
    static constexpr std::uint8_t kNumber = 8;
    OwnedRange range;
    Height height;
    friend bool operator==(const ProofsDueQuestion&, const ProofsDueQuestion&) = default;
    void encode(Writer& w) const;  // what follows the number
    static ProofsDueQuestion decode(Reader& r);
};
struct SealDutiesQuestion {
    static constexpr std::uint8_t kNumber = 9;
    OwnedRange range;
    friend bool operator==(const SealDutiesQuestion&, const SealDutiesQuestion&) = default;
    void encode(Writer& w) const;  // what follows the number
    static SealDutiesQuestion decode(Reader& r);
};
struct OwnedChainsQuestion {
    static constexpr std::uint8_t kNumber = 10;
    OwnedRange range;
    friend bool operator==(const OwnedChainsQuestion&, const OwnedChainsQuestion&) = default;
    void encode(Writer& w) const;  // what follows the number
    static OwnedChainsQuestion decode(Reader& r);
};
/// Objects of kinds that come in by the journal, taken in their order.
struct HandOver {
    static constexpr std::uint8_t kNumber = 11;
    std::vector<Bytes> objects;  // 1 to kMaxBatchObjects, each standing alone
    friend bool operator==(const HandOver&, const HandOver&) = default;
    void encode(Writer& w) const;  // what follows the number
    static HandOver decode(Reader& r);
};
struct RegistrationQuestion {
    static constexpr std::uint8_t kNumber = 12;
    ChainId chain_id;
    friend bool operator==(const RegistrationQuestion&, const RegistrationQuestion&) = default;
    void encode(Writer& w) const;  // what follows the number
    static RegistrationQuestion decode(Reader& r);
};

// --- answers -------------------------------------------------------------------------------------

/// A final height as a link or a proof of one is made for it.
struct DutyHeight {
    Height height;
    BlockHash block_hash;
    GlobalDigest anchor;
    bool has_y = false;  // the node's word: whoever signs verifies y
    Height last_tip;     // the last tip that takes its links (open) or their proofs (closed)
    friend bool operator==(const DutyHeight&, const DutyHeight&) = default;
};
struct DutyHeights {
    static constexpr std::uint8_t kNumber = 9;
    Height tip;
    BlockHash tip_hash;
    std::optional<Height> closed;    // newest closed digest
    std::vector<DutyHeight> open;    // links are taken; ascending, above `closed`, up to the tip
    std::vector<DutyHeight> proven;  // proofs are taken; ascending, up to `closed`
    friend bool operator==(const DutyHeights&, const DutyHeights&) = default;
    void encode(Writer& w) const;  // what follows the number
    static DutyHeights decode(Reader& r);
};
struct LinksDue {
    static constexpr std::uint8_t kNumber = 10;
    PublicKey key;
    Height height;
    OwnedPage<DueLink> page;
    friend bool operator==(const LinksDue&, const LinksDue&) = default;
    void encode(Writer& w) const;  // what follows the number
    static LinksDue decode(Reader& r);
};
struct ProofsDue {
    static constexpr std::uint8_t kNumber = 11;
    PublicKey key;
    Height height;
    OwnedPage<DueProof> page;
    friend bool operator==(const ProofsDue&, const ProofsDue&) = default;
    void encode(Writer& w) const;  // what follows the number
    static ProofsDue decode(Reader& r);
};
/// A seal proof that is owed; y of `y_height` is for the prover to verify.
struct FollowedDuty {
    ChainId chain_id;
    SealProofKind kind = SealProofKind::kSeal;
    Height drawn;                    // registration accepted at, or audited at
    std::optional<Height> y_height;  // whose y makes the challenge, once it is settled
    Height deadline;                 // with y_height: the last tip before it is missed (again)
    std::uint8_t missed = 0;         // of an audit: how often
    friend bool operator==(const FollowedDuty&, const FollowedDuty&) = default;
};
struct SealDuties {
    static constexpr std::uint8_t kNumber = 12;
    PublicKey key;
    OwnedPage<FollowedDuty> page;
    friend bool operator==(const SealDuties&, const SealDuties&) = default;
    void encode(Writer& w) const;  // what follows the number
    static SealDuties decode(Reader& r);
};
/// How a chain stands.
struct FollowedChain {
    ChainId chain_id;
    ReplicaId replica_id;
    Root sealed_root;
    Height accepted;  // its registration
    ChainPhase phase = ChainPhase::kPending;
    std::optional<ChainStatus> status;  // in the newest digest
    std::uint64_t misses = 0;           // in the rate window of the newest digest
    std::uint32_t last_sequence = 0;    // of its updates
    /// It must make a new base soon, or its proofs can no longer be checked (spec 15.3): the lowest
    /// effective height that the next block would take.
    std::optional<Height> update_due;
    std::optional<Height> sealed_at;
    std::optional<Height> removal_at;    // a removal accepted at
    std::optional<Height> vacant_from;   // first vacant height
    std::optional<Height> liable_until;  // first height without liability
    bool part_taken = false;             // of the bond: the chain ends
    friend bool operator==(const FollowedChain&, const FollowedChain&) = default;
};
struct OwnedChains {
    static constexpr std::uint8_t kNumber = 13;
    PublicKey key;
    OwnedPage<FollowedChain> page;
    friend bool operator==(const OwnedChains&, const OwnedChains&) = default;
    void encode(Writer& w) const;  // what follows the number
    static OwnedChains decode(Reader& r);
};
/// What became of one object.
struct HandedOver {
    struct Member {
        std::uint32_t index = 0;
        Reason reason = Reason::kBadField;
        friend bool operator==(const Member&, const Member&) = default;
    };
    Reason reason = Reason::kOk;
    std::optional<std::uint64_t> entry;  // of the journal, where the object stands
    std::vector<Member> refused;         // of a bundle that was taken; ascending
    friend bool operator==(const HandedOver&, const HandedOver&) = default;
};
struct HandedOvers {
    static constexpr std::uint8_t kNumber = 14;
    std::vector<HandedOver> objects;  // in their order
    /// Of the message that brought them, where all of them stand.
    std::optional<Acknowledgement> acknowledgement;
    friend bool operator==(const HandedOvers&, const HandedOvers&) = default;
    void encode(Writer& w) const;  // what follows the number
    static HandedOvers decode(Reader& r);
};
struct RegistrationFound {
    static constexpr std::uint8_t kNumber = 15;
    ChainId chain_id;
    std::optional<Registration> registration;  // empty: the node knows of none
    friend bool operator==(const RegistrationFound&, const RegistrationFound&) = default;
    void encode(Writer& w) const;  // what follows the number
    static RegistrationFound decode(Reader& r);
};

}  // namespace holdfast
