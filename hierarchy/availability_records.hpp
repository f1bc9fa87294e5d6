// What the registry keeps of challengers, challenges and outcomes: one struct per table, with its
// canonical encoding.
//
// Internal to this room. As the records in registry_records.hpp: what does not decode is kCorrupt.
// Spec: docs/spec.md section 15.9.
#pragma once

#include <optional>
#include <vector>

#include "core/codec.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "hierarchy/registry_records.hpp"
#include "proofs/availability_verify.hpp"
#include "proofs/reveal.hpp"
#include "storage/lmdb_store.hpp"

namespace holdfast {

/// A reveal chain of a challenger, from the height at which its registration begins.
struct ChallengerBase {
    std::uint64_t base = kNever;  // kNever: there is none
    KnownReveal known;            // the newest that an outcome has shown; at first the commitment
    friend bool operator==(const ChallengerBase&, const ChallengerBase&) = default;
};

/// All that is known of a challenger's key. Its bond and part are in the book.
struct ChallengerRecord {
    ChallengerBase now;     // begun last
    ChallengerBase before;  // begun before that: heights of its time may still have outcomes
    std::uint64_t counted =
        kNever;                    // height of the newest challenge whose outcome counted, or base
    bool lapsed = false;           // until another registration begins
    std::uint64_t until = kNever;  // in force until then, since it leaves
    std::uint64_t ranked = 0;      // the part with which it stands in the ranks; 0: not there
    std::uint64_t next_base = kNever;  // of a registration that waits to begin
    Reveal next_commitment;

    /// The registration that was the newest to have begun at `height`; null where there is none.
    [[nodiscard]] ChallengerBase* at(Height height);
    [[nodiscard]] Bytes encode() const;
    static Result<ChallengerRecord> decode(ByteView bytes);
};

/// What falls due to challengers, and when a suspension is judged.
enum class ChallengerItem : std::uint8_t {
    kBegins = 1,
    kEnds = 2,
    kMayLapse = 3,
    kForgotten = 4,
    kJudgeQuorum = 5,  // in the digest of the height; of a chain
};
[[nodiscard]] Key challenger_due_key(Height height, ChallengerItem item, const Digest& whom);
[[nodiscard]] Key rank_key(std::uint64_t part, const PublicKey& key);
[[nodiscard]] Key unpaid_key(std::uint64_t height, const ChallengeId& id);

[[nodiscard]] Bytes encode_in_force(const std::vector<ChallengerPart>& parts);
[[nodiscard]] Result<std::vector<ChallengerPart>> decode_in_force(ByteView bytes);

/// A challenge that stands, and what its chain's registration says.
struct ListedChallenge {
    Challenge2 challenge;
    PublicKey prover;
    Root sealed_root;
    ChunkCount chunks;

    void encode(Writer& w) const;
    [[nodiscard]] Bytes encode() const;
    static ListedChallenge decode(Reader& r);
    static Result<ListedChallenge> decode(ByteView bytes);
};

struct UnpaidOutcome {
    ListedChallenge about;
    OutcomeKind outcome = OutcomeKind::kServed;
    Digest response_hash;

    [[nodiscard]] Bytes encode() const;
    static Result<UnpaidOutcome> decode(ByteView bytes);
};

[[nodiscard]] Bytes encode_outcome(const OutcomeRecord& record);
/// `key`: of the table, which holds the height.
[[nodiscard]] Result<OutcomeRecord> decode_outcome(ByteView key, ByteView value);

}  // namespace holdfast
