// What a prover or challenger asks the node that it follows, and what that node answers.
//
// Not part of consensus: nothing here is signed or hashed into anything. A message stands alone
// (u8 version = 1 || u8 kind || body) beside the protocol's objects on one connection. Integers
// little-endian, all other encodings refused; lengths are checked before anything is allocated.
//
//   request (66)  u8 1                                       the newest final block
//                 u8 2 || u64 height                         what a final height is
//                 u8 3 || u64 height || u32 first || u32 n   chains that may be challenged there
//                 u8 4 || key                                open audits of this key's outcomes
//                 u8 5 || u64 height                         what y of a final height is made of
//   answer  (67)  u8 1 || u64 height || block_hash || u64 time_ms
//                 u8 2 || u64 height || block_hash || parent || u64 time_ms || u8 0, or u8 1 || y
//                      || list_hash || u32 chains || u32 k || k of (key || u64 part), ascending
//                 u8 3 || u64 height || list_hash || u32 chains || u32 first || u32 k
//                      || k of (chain_id || prover || sealed_root || u64 chunks), ascending
//                 u8 4                                       the submission has been taken
//                 u8 5 || u32 reason                         refused, by the number of the Reason
//                 u8 6 || u32 retry_ms                       busy: ask again after that time
//                 u8 7 || u32 k || k of (u64 height || chain_id), ascending
//                 u8 8 || u64 height || block_hash || parent || u64 time_ms, then each of these as
//                      u8 0, or u8 1 and: the beacon's u64 round || randomness || u32 n || proof;
//                      u32 n || VDF proof (kind 9, standing alone); head || u64 entry || u32 k
//                      || k hashes, the path of the y entry under the head
//
// Questions 6 to 12 and answers 9 to 15 are about what provers owe, and objects for the journal:
// follow/duty_messages.hpp.
// Questions and answers 16 to 25 are the network's history: follow/history_messages.hpp.
// Questions and answers from 32 on are public data, for light clients: follow/public_messages.hpp.
//
// A submission is the protocol's object itself, as a message of its own kind; it is answered by 4,
// 5 or 6, or by 14 where it is one for the journal. list_hash names a list of chains, so that one
// which has not changed is not fetched again and one that is fetched in pages is known to be one.
//
// Pure values, any thread. Spec: docs/spec.md section 14.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "availability/challenger.hpp"
#include "callbacks/beacon.hpp"
#include "callbacks/blockchain.hpp"
#include "core/codec.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "follow/duty_messages.hpp"
#include "follow/history_messages.hpp"
#include "follow/public_messages.hpp"
#include "proofs/journal.hpp"

namespace holdfast {

inline constexpr std::uint8_t kFollowRequestKind = 66;
inline constexpr std::uint8_t kFollowAnswerKind = 67;
inline constexpr std::uint32_t kMaxFollowPage = 65'536;  // chains in one answer
/// In force at one height; of those who wait there may be any number.
inline constexpr std::uint32_t kMaxFollowChallengers = kMostChallengersInForce;
inline constexpr std::uint32_t kMaxFollowChains = 1U << 20;  // that may be challenged at once
inline constexpr std::uint32_t kMaxFollowAudits = 65'536;    // of one challenger at once
inline constexpr std::uint32_t kMaxFollowProofBytes = std::uint32_t{8} << 20;  // of one height's y
inline constexpr std::uint32_t kMaxFollowPath = 64;  // hashes in the path of a journal's entry
inline constexpr std::size_t kFollowAuditBytes = 8 + 32;
inline constexpr std::size_t kFollowChallengerBytes = 32 + 8;
inline constexpr std::size_t kFollowChainBytes = 3 * 32 + 8;

struct TipQuestion {
    friend bool operator==(const TipQuestion&, const TipQuestion&) = default;
};
struct HeightQuestion {
    Height height;
    friend bool operator==(const HeightQuestion&, const HeightQuestion&) = default;
};
struct ChainsQuestion {
    Height height;
    std::uint32_t first = 0;  // place in the list
    std::uint32_t count = 0;  // at most; 1 to kMaxFollowPage
    friend bool operator==(const ChainsQuestion&, const ChainsQuestion&) = default;
};
struct AuditsQuestion {
    PublicKey challenger;
    friend bool operator==(const AuditsQuestion&, const AuditsQuestion&) = default;
};
struct OutputQuestion {
    Height height;
    friend bool operator==(const OutputQuestion&, const OutputQuestion&) = default;
};
using FollowQuestion =
    std::variant<TipQuestion, HeightQuestion, ChainsQuestion, AuditsQuestion, OutputQuestion,
                 HistoryQuestion, PublicQuestion, DutyHeightsQuestion, LinksDueQuestion,
                 ProofsDueQuestion, SealDutiesQuestion, OwnedChainsQuestion, HandOver,
                 RegistrationQuestion>;

[[nodiscard]] Bytes encode_question(const FollowQuestion& question);
/// kBadField for an unknown question or a count of none, kTooLarge for a count over the ceiling.
[[nodiscard]] Checked<FollowQuestion> decode_question(ByteView message);

/// The newest final block.
struct FollowTip {
    Height height;
    BlockHash hash;
    std::uint64_t time_ms = 0;  // as the block states it
    friend bool operator==(const FollowTip&, const FollowTip&) = default;
};
/// A final height, as far as provers and challengers need it.
struct FollowHeight : ChallengeHeight {
    BlockHash parent;
    std::uint64_t time_ms = 0;
    Digest list_hash;          // of the chains that may be challenged at `height`
    std::uint32_t chains = 0;  // how many
    friend bool operator==(const FollowHeight&, const FollowHeight&) = default;
};
/// A part of the chains that may be challenged at a height.
struct FollowChains {
    Height height;
    Digest list_hash;
    std::uint32_t total = 0;
    std::uint32_t first = 0;
    std::vector<ChallengedChain> chains;  // ascending by id; none: `first` is behind the last
    friend bool operator==(const FollowChains&, const FollowChains&) = default;
};
/// Challenges of whose outcomes the whole response must follow.
struct FollowAudits {
    std::vector<ChallengeKey> challenges;  // ascending
    friend bool operator==(const FollowAudits&, const FollowAudits&) = default;
};
/// A head of the operator under which the y entry of a height stands.
struct OutputCover {
    JournalHead head;
    std::uint64_t entry = 0;
    std::vector<Digest> path;
    friend bool operator==(const OutputCover&, const OutputCover&) = default;
};
/// What y of a final height is made of; nothing of it need be believed but the block.
struct FollowOutput {
    BlockInfo block;                    // final
    std::optional<BeaconRound> beacon;  // of its time, in networks with one
    Bytes proof;                       // of y, kind 9, standing alone; none: without y, or not kept
    std::optional<OutputCover> cover;  // once a head covers it
    friend bool operator==(const FollowOutput&, const FollowOutput&) = default;
};
struct FollowTaken {
    friend bool operator==(const FollowTaken&, const FollowTaken&) = default;
};
struct FollowRefused {
    Reason reason = Reason::kBadField;
    friend bool operator==(const FollowRefused&, const FollowRefused&) = default;
};
struct FollowBusy {
    std::uint32_t retry_ms = 0;
    friend bool operator==(const FollowBusy&, const FollowBusy&) = default;
};
using FollowAnswer =
    std::variant<FollowTip, FollowHeight, FollowChains, FollowTaken, FollowRefused, FollowBusy,
                 FollowAudits, FollowOutput, HistoryAnswer, PublicAnswer, DutyHeights, LinksDue,
                 ProofsDue, SealDuties, OwnedChains, HandedOvers, RegistrationFound>;

[[nodiscard]] Bytes encode_answer(const FollowAnswer& answer);
/// kBadField, kTooLarge; kNotCanonical for lists that do not ascend.
[[nodiscard]] Checked<FollowAnswer> decode_answer(ByteView message);

/// The name of a whole list: H("follow/chains"; its encoding).
[[nodiscard]] Digest follow_list_hash(std::span<const ChallengedChain> chains);

}  // namespace holdfast
