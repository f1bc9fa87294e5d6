// Takes ranges of a chain's data from a prover: the reader's side of the chunk server.
//
// Brings no transport: a function asks the prover one request and gives its answer. A range is
// taken in pieces of at most kMaxReadChunks chunks, several at a time. Each piece is checked
// against the registered root before a byte of it is handed on, so that nothing false ever comes
// out, whoever answers. Of sealed data a byte is one of the replica's; of raw data one of the data
// before sealing, without the padding behind them.
//
// A prover that is busy is asked again after the time that it names; one that does not answer or
// is not connected after a pause. Both only until no piece has arrived for `patience_ms`: kTimeout
// or the last error. The first refusal or false piece ends the reading; what came before it has
// been handed on.
//
// Threading   the caller's and up to `at_once` of its own, joined before it returns. `ask` is
//             called on them, several at once; `take` and `progress` by one at a time.
// Memory      a piece (256 KiB and its proof) for each of them.
// Spec: docs/spec.md section 8.
#pragma once

#include <functional>

#include "core/fill.hpp"
#include "core/result.hpp"
#include "proofs/reading_verify.hpp"
#include "proofs/registration.hpp"

namespace holdfast {

/// What a reader knows of a chain, out of its registration.
struct ReadSource {
    ChainId chain_id;
    Root sealed_root;
    Root raw_root;
    ChunkCount chunks;
    std::uint64_t data_len = 0;

    [[nodiscard]] static ReadSource of(const NetworkId& network_id,
                                       const Registration& registration);
    [[nodiscard]] ReadContext context(ReadWhat what) const;
    /// Bytes that there are to read.
    [[nodiscard]] std::uint64_t bytes(ReadWhat what) const;
};

struct ReadRange {
    ReadWhat what = ReadWhat::kSealed;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

/// One request to the prover. kTimeout, kUnavailable and kBusy are passing and are asked again;
/// any other error ends the reading.
using AskProver = std::function<Result<Bytes>(ByteView request)>;
/// Bytes that have been proved, at their offset from the range's beginning; in any order.
using TakeBytes = std::function<Status(std::uint64_t at, ByteView bytes)>;

struct RangeReaderOptions {
    unsigned at_once = 4;                // requests in flight; 1 to 64
    std::uint32_t patience_ms = 30'000;  // without any piece
    std::uint32_t pause_ms = 200;        // before asking again who did not answer
    StopCheck stop = {};
    std::function<void(std::uint64_t done, std::uint64_t total)> progress =
        {};  // bytes of the range
};

struct ReadReport {
    std::uint64_t bytes = 0;     // handed on
    std::uint64_t requests = 0;  // asked, repeated ones counted
    std::uint64_t busy = 0;      // answers that said so
    std::uint64_t retries = 0;   // after silence or a lost connection
};

/// kInvalidArgument for a range that is empty or leaves the data.
[[nodiscard]] Status check_range(const ReadSource& source, const ReadRange& range);

/// As check_range; kRefused: the prover's refusal,
/// or what is wrong with its answer (kProofLength, kBadMultiproof, kTruncated …); kTimeout: busy
/// for too long; kInterrupted; errors of `take`.
[[nodiscard]] Result<ReadReport> read_range(const ReadSource& source, const ReadRange& range,
                                            const AskProver& ask, const TakeBytes& take,
                                            const RangeReaderOptions& options = {});

}  // namespace holdfast
