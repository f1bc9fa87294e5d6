// What a client and a prover that takes data in say to each other.
//
// A deposit is what is to become one replica: one shard of at most 4 GiB, on its way from the
// client to one prover and in its hands. A question stands alone (kind 68), is asked by the key
// whose connection it comes over, and is answered by one answer (kind 69). All questions may be
// asked again: the same question changes nothing more.
//
// Decoders refuse what is not canonical (kBadField, kTruncated, kTrailingBytes, kBadKind,
// kBadVersion) and allocate no more than they were given. Pure values; any thread. Sizes in bytes.
// Spec: docs/spec.md section 16.1.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "deposit/pieces.hpp"

namespace holdfast {

inline constexpr std::uint8_t kDepositQuestionKind = 68;
inline constexpr std::uint8_t kDepositAnswerKind = 69;
inline constexpr std::size_t kDepositTermsBytes = 178 + 64;
inline constexpr std::size_t kDepositStateBytes = 218;
inline constexpr std::uint32_t kMostListedDeposits = 1'024;  // in one answer

/// Drawn by the client, once for each deposit.
using DepositId = DigestOf<struct DepositIdTag>;

/// What a prover offers to one client, signed by it. Until valid_until_ms a deposit may be opened
/// on it, and holds for that deposit from then on.
struct DepositTerms {
    NetworkId network;
    PublicKey prover;
    PublicKey client;
    std::uint64_t max_bytes = 0;  // of one deposit; 1 to 2^32
    /// Smallest units of the host's token for a GiB and 1,000 heights. Shown; nothing here moves
    /// money.
    std::uint64_t price = 0;
    SealParams seal;
    bool hot = false;  // the data stay beside the replica, so that they are read without unsealing
    Height until;      // the prover holds the deposit up to this height
    std::uint32_t upload_s = 0;        // seconds, from open to finish; then the deposit is dropped
    std::uint64_t valid_until_ms = 0;  // of the prover's clock, since 1970
    Digest nonce;                      // drawn by the prover
    Signature signature;               // of the prover, over digest()
    friend bool operator==(const DepositTerms&, const DepositTerms&) = default;

    /// What is signed, and what every state repeats.
    [[nodiscard]] Digest digest() const;
    [[nodiscard]] Bytes encode() const;
    /// Form alone: check_terms() looks at keys and signature.
    [[nodiscard]] static Checked<DepositTerms> decode(ByteView body);
};
/// That this prover has offered them to this client in this network: kWrongNetwork, kWrongProver,
/// kWrongObject (to another client), kBadSignature, kBadKey.
[[nodiscard]] Verdict check_terms(const DepositTerms& terms, const NetworkId& network,
                                  const PublicKey& prover, const PublicKey& client);

enum class DepositPhase : std::uint8_t {
    kReceiving = 1,   // open; pieces are taken
    kSealing = 2,     // all arrived and agreed on; waits for its turn, or is being sealed
    kSealed = 3,      // sealed; its registration waits for the chain
    kRegistered = 4,  // the chain is registered; its seal proof is not accepted yet
    kProven = 5,      // the seal proof counted; links fall due every height
    kExpiring = 6,    // held until a height that is near or past, or on its way out
    kEnded = 7,       // the chain has ended, or the owner removed it
    kFailed = 8,      // see the reason; nothing is kept
};
[[nodiscard]] std::string_view to_string(DepositPhase phase);

/// Why something is not done, or was not.
enum class DepositReason : std::uint8_t {
    kNone = 0,
    kNotAllowed = 1,      // the prover takes nothing from this key
    kQuotaBytes = 2,      // this key has as many bytes here as it may
    kQuotaCount = 3,      // this key has as many deposits here as it may
    kNoSpace = 4,         // the prover's folders are full
    kSize = 5,            // smaller or larger than the prover takes
    kBadTerms = 6,        // not the prover's terms for this client, or no longer valid
    kUnknown = 7,         // this client has no such deposit here
    kConflict = 8,        // the id stands for another deposit
    kWrongPiece = 9,      // no such piece, of another size, or another than arrived before
    kNotReceiving = 10,   // no pieces are taken any more
    kIncomplete = 11,     // pieces are missing
    kWrongRoot = 12,      // what arrived is not what the client finishes
    kBadSignature = 13,   // the wish is not signed by the owner
    kStopped = 14,        // the prover takes no new deposits for now
    kMalformed = 15,      // the question is none
    kProverFailed = 16,   // disk or software of the prover; its log says more
    kUploadTime = 17,     // the upload was not finished in time
    kDamaged = 18,        // what arrived has changed on the prover's disk
    kNotRegistered = 19,  // the chain was not registered in time
    kRemoved = 20,        // by the owner's wish
    kChainEnded = 21,     // the chain has expired or was removed
};
inline constexpr std::uint8_t kLastDepositReason = 21;
/// For people: "the prover takes nothing from this key".
[[nodiscard]] std::string_view to_string(DepositReason reason);

/// How a deposit stands, as its prover says.
struct DepositState {
    DepositId id;
    DepositPhase phase = DepositPhase::kReceiving;
    DepositReason reason = DepositReason::kNone;  // of kEnded and kFailed
    std::uint64_t bytes = 0;                      // in all; 1 to 2^32
    std::uint64_t arrived = 0;  // of the pieces from the first on, without a gap; durable
    Root arrived_root;          // root_of_pieces() of these; of all pieces: raw_root
    Digest terms;               // digest() of those that it was opened on
    Height until;               // as in the terms
    ReplicaId replica;          // zeros until it is sealed
    ChainId chain;              // zeros until the chain is registered
    Height accepted;            // that listed the registration; 0 until then
    Height linked;              // the newest for which it handed over links, as it says; 0: none
    Height tip;                 // the newest final block that the prover knows
    std::uint64_t counter = 0;  // of the owner's wish that removes it; 0: none
    friend bool operator==(const DepositState&, const DepositState&) = default;

    [[nodiscard]] Bytes encode() const;
    [[nodiscard]] static Checked<DepositState> decode(ByteView body);
};

// --- questions -----------------------------------------------------------------------------------

/// What terms are there for a deposit of so many bytes?
struct AskTerms {
    std::uint64_t bytes = 0;
    friend bool operator==(const AskTerms&, const AskTerms&) = default;
};
struct OpenDeposit {
    DepositId id;
    DepositTerms terms;
    std::uint64_t bytes = 0;
    friend bool operator==(const OpenDeposit&, const OpenDeposit&) = default;
};
struct SendPiece {
    DepositId id;
    std::uint64_t index = 0;
    Bytes bytes;  // 1 to kPieceBytes
    friend bool operator==(const SendPiece&, const SendPiece&) = default;
};
struct AskState {
    DepositId id;
    friend bool operator==(const AskState&, const AskState&) = default;
};
/// All has been sent: the client's word for what it was.
struct FinishDeposit {
    DepositId id;
    Root raw_root;
    Signature signature;  // of the client, over finish_message()
    friend bool operator==(const FinishDeposit&, const FinishDeposit&) = default;
};
/// The owner's wish; anybody may hand it over.
struct RemoveDeposit {
    DepositId id;
    std::uint64_t counter = 0;  // at least 1
    Signature signature;        // of the client that opened it, over remove_message()
    friend bool operator==(const RemoveDeposit&, const RemoveDeposit&) = default;
};
/// This client's deposits, ascending by id, behind `after`.
struct ListDeposits {
    DepositId after;
    std::uint32_t most = kMostListedDeposits;  // 1 to kMostListedDeposits
    friend bool operator==(const ListDeposits&, const ListDeposits&) = default;
};
using DepositQuestion = std::variant<AskTerms, OpenDeposit, SendPiece, AskState, FinishDeposit,
                                     RemoveDeposit, ListDeposits>;

/// What the signatures of the two wishes are over.
[[nodiscard]] Digest finish_message(const NetworkId& network, const PublicKey& prover,
                                    const DepositId& id, std::uint64_t bytes, const Root& raw_root);
[[nodiscard]] Digest remove_message(const NetworkId& network, const PublicKey& prover,
                                    const DepositId& id, std::uint64_t counter);

// --- answers -------------------------------------------------------------------------------------

struct DepositList {
    std::vector<DepositState> deposits;
    bool more = false;  // behind the last of them
    friend bool operator==(const DepositList&, const DepositList&) = default;
};
struct DepositRefused {
    DepositReason reason = DepositReason::kProverFailed;
    friend bool operator==(const DepositRefused&, const DepositRefused&) = default;
};
struct DepositBusy {
    std::uint32_t retry_ms = 1;  // 1 to 60,000
    friend bool operator==(const DepositBusy&, const DepositBusy&) = default;
};
using DepositAnswer =
    std::variant<DepositTerms, DepositState, DepositList, DepositRefused, DepositBusy>;

/// Standing alone.
[[nodiscard]] Bytes encode_question(const DepositQuestion& question);
[[nodiscard]] Bytes encode_answer(const DepositAnswer& answer);
[[nodiscard]] Checked<DepositQuestion> decode_deposit_question(ByteView message);
[[nodiscard]] Checked<DepositAnswer> decode_deposit_answer(ByteView message);
/// The same as encode_question(SendPiece), without a copy of the piece before.
[[nodiscard]] Bytes encode_piece(const DepositId& id, std::uint64_t index, ByteView piece);

}  // namespace holdfast
