// Serves readers: ranges of chunks with their proof, sealed, and raw where the prover keeps raw
// data hot.
//
// Brings no transport. Whatever leaves has been hashed up to the registered root first, so that a
// damaged replica or a file that has changed is an error here and nothing false is served. Raw data
// come from a file that the host names (the data as they were before sealing); where there is none,
// raw ranges are refused (kNetworkPolicy): unsealing on demand costs a fill and is not offered to
// strangers.
//
// Back-pressure: a peer has a budget of chunks that refills with time, and the bytes being read for
// all peers together have a ceiling; beyond either the answer is `busy` with the time to wait.
// Memory is at most `bytes_in_flight` and its siblings.
//
// Threading: any thread; no lock is held while a disk is read. Errors: none leave handle(): the
// answer says refused (kTruncated … for a bad request, kUnknownChain, kBadIndex, kRootMismatch for
// data that are corrupt or cannot be read, kBusy when memory or descriptors are short for now), and
// `on_failure` is told why. Spec: docs/spec.md section 8.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "availability/peer_budget.hpp"
#include "chunking/replica.hpp"
#include "core/result.hpp"
#include "proofs/reading_verify.hpp"
#include "storage/file.hpp"

namespace holdfast {

struct ChunkServerOptions {
    /// Chunks for each peer: 32 MiB/s, and 8 MiB at once.
    BudgetLimits chunks{.per_second = 8'192, .burst = 2'048};
    std::uint64_t bytes_in_flight = std::uint64_t{16} << 20;  // for all peers together
    std::uint32_t busy_retry_ms = 20;                         // when that ceiling is reached
};

struct ChunkServerStatistics {
    std::uint64_t answers = 0;  // with data
    std::uint64_t bytes = 0;    // of chunks and proofs in them
    std::uint64_t refused = 0;
    std::uint64_t busy = 0;
    std::uint64_t failed = 0;  // of the refused: data here are corrupt or cannot be read
};

/// Why data of a chain that is served could not be. From the thread that answers; at most every ten
/// seconds for each chain.
using ReadFailureSink = std::function<void(const ChainId& chain_id, const Error& why)>;

class ChunkServer {
  public:
    explicit ChunkServer(MonotonicNs clock, const ChunkServerOptions& options = {},
                         ReadFailureSink on_failure = {});

    /// `raw`: the file that was sealed, or what the replica's segment of it is; empty: no raw data
    /// are kept hot. kAlreadyExists; as File::open; kInvalidArgument when its size is not data_len.
    [[nodiscard]] Status add_chain(const ChainId& chain_id, std::shared_ptr<const Replica> replica,
                                   const std::filesystem::path& raw = {});
    [[nodiscard]] Status remove_chain(const ChainId& chain_id);

    /// The answer to a request, standing alone.
    [[nodiscard]] Bytes handle(const PublicKey& from, ByteView message);

    [[nodiscard]] ChunkServerStatistics statistics() const;

  private:
    struct Source {
        std::shared_ptr<const Replica> replica;
        std::shared_ptr<const File> raw;
        std::optional<std::uint64_t> told_ns;  // when on_failure was
    };
    [[nodiscard]] ReadAnswer answer(const PublicKey& from, ByteView message);
    [[nodiscard]] std::optional<Source> find(const ChainId& chain_id) const;
    void tell(const ChainId& chain_id, const Error& why);

    const ChunkServerOptions options_;
    const MonotonicNs clock_;
    const ReadFailureSink on_failure_;
    PeerBudget chunks_;
    std::atomic<std::uint64_t> in_flight_{0};
    mutable std::mutex mutex_;  // guards the two below
    std::map<ChainId, Source> sources_;
    ChunkServerStatistics statistics_;
};

}  // namespace holdfast
