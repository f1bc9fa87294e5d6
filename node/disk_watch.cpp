#include "node/disk_watch.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <set>

namespace holdfast::node {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPageBytes = 4'096;
constexpr std::uint64_t kHangingNs = 5'000'000'000;
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr double kUsPerSecond = 1'000'000;

struct OpenFile {
    int fd = -1;
    ~OpenFile() {
        if (fd >= 0) (void)::close(fd);
    }
};

Error read_error(const fs::path& file, int code) {
    const ErrorCode kind = code == ENOENT                    ? ErrorCode::kNotFound
                           : code == EACCES || code == EPERM ? ErrorCode::kPermission
                                                             : ErrorCode::kIo;
    return {kind, "cannot read " + file.string() + ": " + std::strerror(code), {}};
}

}  // namespace

Result<std::uint64_t> timed_read(const fs::path& file, std::uint64_t draw) {
    OpenFile open;
    open.fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT);
    if (open.fd < 0 && errno == EINVAL) open.fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (open.fd < 0) return fail(read_error(file, errno));
    struct stat known = {};
    if (::fstat(open.fd, &known) != 0) return fail(read_error(file, errno));
    const std::uint64_t pages = static_cast<std::uint64_t>(known.st_size) / kPageBytes;
    alignas(kPageBytes) char page[kPageBytes];
    const auto at = static_cast<off_t>(pages == 0 ? 0 : draw % pages * kPageBytes);
    const auto begin = std::chrono::steady_clock::now();
    if (::pread(open.fd, page, kPageBytes, at) < 0) return fail(read_error(file, errno));
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::steady_clock::now() - begin)
                                          .count());
}

DiskWatch::DiskWatch(DiskSources sources, MonotonicNs clock, Log& log)
    : sources_(std::move(sources)),
      clock_(std::move(clock)),
      log_(log),
      reads_(make_histogram({0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5})) {
}

void DiskWatch::look() {
    std::map<std::string, std::vector<fs::path>> files;
    for (const StockedReplica& one : sources_.replicas()) {
        files[one.folder.value_or(one.replica.parent_path()).string()].push_back(one.replica);
    }
    std::vector<StockedFolder> folders = sources_.folders();
    for (const auto& [path, held] : files) {
        const bool named = std::any_of(folders.begin(), folders.end(),
                                       [&](const auto& f) { return f.path.string() == path; });
        if (!named) folders.push_back({path, held.size(), {}});
    }
    std::set<std::string> there;
    for (const StockedFolder& folder : folders) {
        there.insert(folder.path.string());
        look_at(folder, files[folder.path.string()]);
    }
    const std::lock_guard lock(mutex_);
    std::erase_if(disks_, [&](const auto& one) { return !there.contains(one.first); });
}

void DiskWatch::look_at(const StockedFolder& folder, const std::vector<fs::path>& files) {
    DiskFacts facts;
    facts.path = folder.path.string();
    facts.replicas = folder.replicas;
    facts.error = folder.error;
    struct statvfs space = {};
    if (::statvfs(folder.path.c_str(), &space) == 0) {
        facts.total_bytes = std::uint64_t{space.f_blocks} * space.f_frsize;
        facts.free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
        facts.read_only = (space.f_flag & ST_RDONLY) != 0;
    } else if (facts.error.empty()) {
        facts.error = "cannot look at " + facts.path + ": " + std::strerror(errno);
    }
    std::uint64_t turn = 0;
    std::string before;
    {
        const std::lock_guard lock(mutex_);
        Disk& disk = disks_[facts.path];
        before = disk.facts.error;
        facts.failed_reads = disk.facts.failed_reads;
        disk.facts = facts;
        turn = disk.next++;
        disk.reading_since_ns = files.empty() ? 0 : std::max<std::uint64_t>(clock_(), 1);
    }
    if (!files.empty()) {
        const auto read = timed_read(files[turn % files.size()], clock_() / 1'000);
        if (!read) facts.error = read.error().message;
        note(facts.path, read, turn);
    }
    tell(facts.path, before, facts.error);
}

void DiskWatch::note(const std::string& path, const Result<std::uint64_t>& read,
                     std::uint64_t turn) {
    const std::lock_guard lock(mutex_);
    Disk& disk = disks_[path];
    disk.reading_since_ns = 0;
    if (!read) {
        ++disk.facts.failed_reads;
        disk.facts.error = read.error().message;
        return;
    }
    observe(reads_, static_cast<double>(*read) / kUsPerSecond);
    if (disk.reads_us.size() < kKeptReads) {
        disk.reads_us.push_back(*read);
    } else {
        disk.reads_us[turn % kKeptReads] = *read;
    }
}

void DiskWatch::tell(const std::string& path, const std::string& before, const std::string& now) {
    if (now.empty() && !before.empty()) log_.info("disk.back", {{"place", path}});
    if (!now.empty() && before.empty()) log_.error("disk.away", {{"place", path}, {"error", now}});
}

std::vector<DiskFacts> DiskWatch::disks() const {
    const std::lock_guard lock(mutex_);
    const std::uint64_t now = clock_();
    std::vector<DiskFacts> out;
    for (const auto& [path, disk] : disks_) {
        DiskFacts facts = disk.facts;
        std::vector<std::uint64_t> sorted = disk.reads_us;
        std::sort(sorted.begin(), sorted.end());
        facts.probes = sorted.size();
        if (!sorted.empty()) {
            facts.median_us = sorted[sorted.size() / 2];
            facts.worst_us = sorted.back();
        }
        const std::uint64_t waited =
            disk.reading_since_ns == 0 ? 0 : now - std::min(now, disk.reading_since_ns);
        if (waited > kHangingNs) {
            facts.error =
                "a read has not come back for " + std::to_string(waited / kNsPerSecond) + " s";
        }
        out.push_back(std::move(facts));
    }
    return out;
}

MetricHistogram DiskWatch::reads() const {
    const std::lock_guard lock(mutex_);
    return reads_;
}

void append_metrics(std::vector<Metric>& out, const DiskWatch& watch) {
    Metric reads{"holdfast_disk_read_seconds",
                 "Reads of 4 KiB past the page cache.",
                 Metric::Kind::kHistogram,
                 0,
                 {}};
    reads.histogram = watch.reads();
    out.push_back(std::move(reads));
    const std::vector<DiskFacts> disks = watch.disks();
    std::uint64_t failures = 0;
    std::uint64_t away = 0;
    double least_free = 1;
    for (const DiskFacts& disk : disks) {
        failures += disk.failed_reads;
        away += disk.error.empty() ? 0 : 1;
        if (disk.total_bytes > 0) {
            least_free = std::min(least_free, static_cast<double>(disk.free_bytes) /
                                                  static_cast<double>(disk.total_bytes));
        }
    }
    const auto gauge = [&out](const char* name, const char* help, double value) {
        out.push_back({name, help, Metric::Kind::kGauge, value, {}});
    };
    gauge("holdfast_disks", "Places with replicas.", static_cast<double>(disks.size()));
    gauge("holdfast_disks_away", "Places that cannot be read.", static_cast<double>(away));
    gauge("holdfast_disk_free_least_ratio", "Free room of the fullest place.", least_free);
    out.push_back({"holdfast_disk_read_failures_total",
                   "Such reads that failed.",
                   Metric::Kind::kCounter,
                   static_cast<double>(failures),
                   {}});
}

}  // namespace holdfast::node
