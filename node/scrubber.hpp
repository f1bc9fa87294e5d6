// Care for replicas in the background: each is read whole, at a bounded rate, once in so many
// hours, and what is damaged is made whole again where that can be done from here (chunking/scrub,
// chunking/repair).
//
// One replica after another, that which was read longest ago first, for the first time so many
// hours after it was first seen; these times are kept over restarts in a file of the records'
// folder. A scrub that a stop has cut off goes on where it was. Links come first: the rate is a
// ceiling, one worker reads, and nothing is done while the prover is paused.
//
// Threading: run() from one thread; everything else from any. Memory: what one scrub takes, and a
// few hundred bytes for each replica. Errors go to the log and the health. Spec: docs/spec.md
// section 12.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "chunking/scrub.hpp"
#include "json/json.hpp"
#include "node/config.hpp"
#include "node/log.hpp"
#include "node/monitor.hpp"
#include "node/replica_stock.hpp"

namespace holdfast::node {

/// Makes its callers wait so that together they take no more than a rate. Any thread.
class RateLimit {
  public:
    RateLimit(double mib_per_second, StopCheck stop);
    void take(std::uint64_t bytes);

  private:
    using Clock = std::chrono::steady_clock;
    const double bytes_per_second_;
    const StopCheck stop_;
    std::mutex mutex_;
    Clock::time_point next_;
};

/// The files of X.replica; the registration beside them is believed more than their headers, and
/// `notes` says where it is not. kInvalidArgument for another name.
[[nodiscard]] Result<ReplicaFiles> files_of_replica(const std::filesystem::path& replica,
                                                    const NetworkParams& params, bool with_log,
                                                    std::vector<std::string>& notes);

struct ScrubFinding {
    std::filesystem::path replica;
    std::int64_t scrubbed_at = 0;  // seconds since 1970; 0: never
    std::int64_t seen_at = 0;      // for the first time
    std::uint64_t damaged_chunks = 0;
    std::string problem;  // empty: whole
};

struct ScrubStatus {
    std::filesystem::path replica;  // that is being read; empty: none
    std::uint64_t done_bytes = 0;   // of it
    std::uint64_t total_bytes = 0;
    std::uint64_t scrubbed = 0;  // replicas since the start
    std::uint64_t scrubbed_bytes = 0;
    std::uint64_t damaged = 0;  // found damaged since the start
    std::uint64_t repaired = 0;
    std::uint64_t due = 0;                  // replicas to be read now
    std::optional<std::int64_t> oldest_at;  // of all at hand, when the one longest ago was read
    std::vector<ScrubFinding> bad;          // damaged now, the first 100
};

class Scrubber {
  public:
    using AtHand = std::function<std::vector<StockedReplica>()>;
    /// `folder`: of the records. What is given outlives it.
    Scrubber(const ScrubSettings& settings, const NetworkParams& params, AtHand at_hand,
             const std::filesystem::path& folder, Log& log);

    void run(const StopCheck& stop);
    /// Every replica, or one, or those of a folder, is due now. Returns how many.
    [[nodiscard]] std::uint64_t begin(const std::optional<std::filesystem::path>& path);
    void pause(bool paused) { paused_ = paused; }
    void set(const ScrubSettings& settings);
    [[nodiscard]] ScrubStatus status() const;
    [[nodiscard]] std::optional<ScrubFinding> of(const std::filesystem::path& replica) const;

  private:
    [[nodiscard]] std::optional<StockedReplica> next_due();
    void scrub_one(const StockedReplica& one, const StopCheck& stop);
    [[nodiscard]] std::string try_repair(const StockedReplica& one, const ReplicaFiles& files,
                                         const StopCheck& stop);
    void note(const StockedReplica& one, ScrubFinding finding);
    void load();
    void save() const;

    const NetworkParams& params_;
    const AtHand at_hand_;
    const std::filesystem::path file_;
    Log& log_;
    std::atomic<bool> paused_{false};
    mutable std::mutex mutex_;  // guards all below
    ScrubSettings settings_;
    ScrubStatus status_;
    std::map<std::filesystem::path, ScrubFinding> known_;
    std::map<std::filesystem::path, bool> asked_for_;
};

[[nodiscard]] json::Json to_json(const ScrubStatus& status);
void append_metrics(std::vector<Metric>& out, const ScrubStatus& status);
[[nodiscard]] std::vector<std::string> problems(const ScrubStatus& status);

}  // namespace holdfast::node
