// The disks of a prover's replicas: space, whether they can be written, and how long a read takes.
//
// Each look reads one page of one replica of every folder, the next one each time, at a place drawn
// from the clock and past the page cache where the system allows: what a link waits for. A read
// that hangs delays nothing but this watch; for how long is told while it lasts. A disk that goes
// away or comes back is logged.
//
// Threading: look() in one thread, disks() and reads() in any. Memory: kKeptReads numbers a folder.
// Ownership: what the sources ask must outlive it.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "availability/peer_budget.hpp"
#include "node/explain.hpp"
#include "node/log.hpp"
#include "node/monitor.hpp"
#include "node/replica_stock.hpp"

namespace holdfast::node {

/// A page at `draw` modulo the file's pages, read past the page cache where that is possible:
/// microseconds. kIo, kNotFound, kPermission.
[[nodiscard]] Result<std::uint64_t> timed_read(const std::filesystem::path& file,
                                               std::uint64_t draw);

/// What there is to look at: replicas, and folders that may hold none.
struct DiskSources {
    std::function<std::vector<StockedReplica>()> replicas;
    std::function<std::vector<StockedFolder>()> folders;
};

class DiskWatch {
  public:
    static constexpr std::size_t kKeptReads = 64;

    DiskWatch(DiskSources sources, MonotonicNs clock, Log& log);
    /// Once, at every folder.
    void look();
    [[nodiscard]] std::vector<DiskFacts> disks() const;
    /// Seconds, of all that were timed since the start.
    [[nodiscard]] MetricHistogram reads() const;

  private:
    struct Disk {
        DiskFacts facts;
        std::vector<std::uint64_t> reads_us;  // a ring of the newest
        std::uint64_t next = 0;               // read so far
        std::uint64_t reading_since_ns = 0;   // 0: no read is under way
    };
    void look_at(const StockedFolder& folder, const std::vector<std::filesystem::path>& files);
    void note(const std::string& path, const Result<std::uint64_t>& read, std::uint64_t turn);
    void tell(const std::string& path, const std::string& before, const std::string& now);

    const DiskSources sources_;
    const MonotonicNs clock_;
    Log& log_;
    mutable std::mutex mutex_;  // guards the next two; never held while a disk is read
    std::map<std::string, Disk> disks_;
    MetricHistogram reads_;
};

/// No series a disk: reads of all together, the least room, how many fail.
void append_metrics(std::vector<Metric>& out, const DiskWatch& watch);

}  // namespace holdfast::node
