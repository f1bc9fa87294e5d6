// What readers ask of a prover, and how an answer is checked: ranges of chunks with their proof.
//
// Not part of consensus: nothing here is signed or hashed into anything. A message stands alone
// (u8 version = 1 || u8 kind || body) beside the protocol's objects on one connection; its kinds
// begin at 64. Integers little-endian, all other encodings refused.
//
//   request (64)  chain_id 32 || u8 what (1 sealed, 2 raw) || u64 first || u32 count       47 bytes
//   answer  (65)  u8 1 || chunks || siblings of the multiproof over all their cells
//                 u8 2 || u32 reason         refused, with the number of the Reason
//                 u8 3 || u32 retry_ms       busy: ask again after that time
//
// An answer that carries data has exactly one length for its request, at most kMaxReadChunks chunks
// and 2 * 20 siblings. Pure, any thread; part of the trusted rooms. Spec: docs/spec.md section 8.
#pragma once

#include <vector>

#include "core/codec.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

inline constexpr std::uint8_t kReadRequestKind = 64;
inline constexpr std::uint8_t kReadAnswerKind = 65;
inline constexpr std::uint32_t kMaxReadChunks = 64;  // 256 KiB a request
inline constexpr std::size_t kReadRequestBytes = 2 + 32 + 1 + 8 + 4;

enum class ReadWhat : std::uint8_t { kSealed = 1, kRaw = 2 };

/// A range of chunks that a reader asks for (kind 64, 47 bytes).
struct ReadRequest {
    ChainId chain_id;
    ReadWhat what = ReadWhat::kSealed;
    ChunkIndex first;
    std::uint32_t count = 0;  // 1 to kMaxReadChunks
    friend bool operator==(const ReadRequest&, const ReadRequest&) = default;

    [[nodiscard]] Bytes encode() const;
    /// kTooLarge for a count over the ceiling, kBadField for none or for an unknown `what`.
    static Checked<ReadRequest> decode(ByteView message);
};

enum class ReadStatus : std::uint8_t { kData = 1, kRefused = 2, kBusy = 3 };

/// What a prover answers to a reader (kind 65).
struct ReadAnswer {
    ReadStatus status = ReadStatus::kRefused;
    Bytes chunks_and_siblings;    // kData
    Reason reason = Reason::kOk;  // kRefused; kBadField for a number that this build lacks
    std::uint32_t retry_ms = 0;   // kBusy
    friend bool operator==(const ReadAnswer&, const ReadAnswer&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<ReadAnswer> decode(ByteView message);
};

/// The chunks that a request asks for, ascending.
[[nodiscard]] std::vector<std::uint64_t> read_indices(const ReadRequest& request);

/// What a reader knows of the replica that it reads from.
struct ReadContext {
    Root root;          // sealed_root or raw_root, as the request asks
    ChunkCount chunks;  // of the replica
};

/// kBadIndex when the request leaves the replica; any number of chunks is well-formed otherwise.
[[nodiscard]] Verdict check_read_range(const ReadContext& context, const ReadRequest& request);
/// Bytes of chunks and siblings in the answer to a request inside the replica.
[[nodiscard]] std::uint64_t read_payload_bytes(const ReadContext& context,
                                               const ReadRequest& request);
/// The chunks that were asked for, and siblings that lead to the root: kBadIndex, kProofLength,
/// kBadMultiproof.
[[nodiscard]] Verdict check_read_payload(const ReadContext& context, const ReadRequest& request,
                                         ByteView payload);

}  // namespace holdfast
