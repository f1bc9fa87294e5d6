#include "node/scrubber.hpp"

#include <algorithm>
#include <set>
#include <thread>

#include "chunking/repair.hpp"
#include "node/node_folder.hpp"
#include "node/replica_folder.hpp"
#include "storage/file.hpp"

namespace holdfast::node {
namespace {

using json::Json;

constexpr auto kScrubLook = std::chrono::milliseconds(200);
constexpr std::size_t kToldBad = 100;
constexpr std::size_t kMostScrubFile = std::size_t{256} << 20;
constexpr std::int64_t kSecondsAnHour = 3'600;

std::int64_t seconds_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// What a scrub has found, in one line.
std::string words_of(const ScrubReport& report) {
    std::string out;
    const auto add = [&out](const std::string& what) { out += (out.empty() ? "" : ", ") + what; };
    for (const std::string& file : report.files) add(file);
    const auto count = [&](const std::vector<IndexRange>& ranges, const char* what) {
        if (!ranges.empty()) add(std::to_string(total_count(ranges)) + what);
    };
    count(report.bad_chunks, " chunks are damaged");
    count(report.unreadable_chunks, " chunks cannot be read from the disk");
    count(report.unproven_chunks, " chunks cannot be checked, because the tree is damaged");
    if (!report.bad_nodes.empty()) add("the tree is damaged");
    return out;
}

}  // namespace

RateLimit::RateLimit(double mib_per_second, StopCheck stop)
    : bytes_per_second_(mib_per_second * 1048576.0), stop_(std::move(stop)) {}

void RateLimit::take(std::uint64_t bytes) {
    Clock::time_point until;
    {
        const std::scoped_lock lock(mutex_);
        next_ = std::max(next_, Clock::now());
        until = next_;
        next_ += std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>(static_cast<double>(bytes) / bytes_per_second_));
    }
    while (Clock::now() < until && !stop_()) {
        std::this_thread::sleep_for(
            std::min<Clock::duration>(until - Clock::now(), std::chrono::milliseconds(100)));
    }
}

Result<ReplicaFiles> files_of_replica(const std::filesystem::path& replica,
                                      const NetworkParams& params, bool with_log,
                                      std::vector<std::string>& notes) {
    if (replica.extension() != ".replica") {
        return fail(ErrorCode::kInvalidArgument,
                    "'" + replica.string() + "' is neither a folder nor named X.replica");
    }
    ReplicaFiles files;
    files.replica = replica;
    files.tree = ProverFiles::beside(replica).tree;
    if (with_log) {
        files.log = replica;
        files.log.replace_extension(".scrub");
    }
    const Result<Registration> found = read_registration(registration_file(replica));
    if (!found) {
        if (found.error().code != ErrorCode::kNotFound) {
            notes.push_back("its registration is not believed: " + found.error().message);
        }
        return files;
    }
    const NetworkId network = params.id();
    if (const Verdict v = check_registration(params, network, *found); !v.accepted()) {
        notes.push_back("its registration is not believed: " + to_string(v));
        return files;
    }
    files.expected = make_file_header(found->header, found->sealed_root, network);
    return files;
}

Scrubber::Scrubber(const ScrubSettings& settings, const NetworkParams& params, AtHand at_hand,
                   const std::filesystem::path& folder, Log& log)
    : params_(params),
      at_hand_(std::move(at_hand)),
      file_(folder / "scrubbed.json"),
      log_(log),
      settings_(settings) {
    load();
}

void Scrubber::set(const ScrubSettings& settings) {
    const std::lock_guard lock(mutex_);
    settings_ = settings;
}

/// A file that is lost or damaged costs a round, and nothing else.
void Scrubber::load() {
    const Result<Bytes> bytes = read_file(file_, kMostScrubFile);
    if (!bytes) return;
    const Json json = Json::parse(bytes->begin(), bytes->end(), nullptr, false);
    if (!json.is_object()) return;
    for (const auto& [path, at] : json.items()) {
        if (!at.is_array() || at.size() != 2 || !at[0].is_number_integer() ||
            !at[1].is_number_integer()) {
            continue;
        }
        known_[path] = {path, at[0].get<std::int64_t>(), at[1].get<std::int64_t>(), 0, {}};
    }
}

void Scrubber::save() const {
    Json out = Json::object();
    for (const auto& [path, one] : known_) {
        // Damaged ones are read again after a restart, to be told again.
        if (one.problem.empty()) out[path.string()] = {one.scrubbed_at, one.seen_at};
    }
    const std::string text = json::dump(out);
    Result<PendingFile> file = PendingFile::create(file_, true);
    if (!file || !file->file().write_at(0, view(text)) || !file->publish()) {
        log_.warn("scrub.not_noted", {{"file", file_}});
    }
}

std::uint64_t Scrubber::begin(const std::optional<std::filesystem::path>& path) {
    std::uint64_t count = 0;
    const std::vector<StockedReplica> all = at_hand_();
    const std::lock_guard lock(mutex_);
    for (const StockedReplica& one : all) {
        if (path && one.replica != *path && one.folder != path) continue;
        asked_for_[one.replica] = true;
        ++count;
    }
    return count;
}

/// What was asked for first, then that which was read longest ago.
std::optional<StockedReplica> Scrubber::next_due() {
    const std::vector<StockedReplica> all = at_hand_();
    const std::int64_t now = seconds_now();
    const std::lock_guard lock(mutex_);
    std::set<std::filesystem::path> names;
    for (const StockedReplica& one : all) names.insert(one.replica);
    std::erase_if(asked_for_, [&](const auto& one) { return !names.contains(one.first); });
    std::erase_if(known_, [&](const auto& one) { return !names.contains(one.first); });
    status_.due = 0;
    status_.oldest_at.reset();
    const StockedReplica* best = nullptr;
    std::int64_t best_at = 0;
    bool fresh = false;
    for (const StockedReplica& one : all) {
        if (!one.linked && !one.chain) continue;  // its disk is away, or it is not ours
        const auto [found, added] = known_.try_emplace(one.replica);
        if (added) found->second = {one.replica, 0, now, 0, {}};
        fresh = fresh || added;
        const std::int64_t at = std::max(found->second.scrubbed_at, found->second.seen_at);
        if (!status_.oldest_at || at < *status_.oldest_at) status_.oldest_at = at;
        const bool asked = asked_for_.contains(one.replica);
        const bool by_time = settings_.every_hours > 0 &&
                             now - at >= kSecondsAnHour * std::int64_t{settings_.every_hours};
        if (!asked && !by_time) continue;
        ++status_.due;
        const std::int64_t rank = asked ? at - now : at;
        if (best == nullptr || rank < best_at) {
            best = &one;
            best_at = rank;
        }
    }
    if (fresh) save();
    return best == nullptr ? std::nullopt : std::optional(*best);
}

void Scrubber::note(const StockedReplica& one, ScrubFinding finding) {
    finding.replica = one.replica;
    finding.scrubbed_at = seconds_now();
    const std::lock_guard lock(mutex_);
    finding.seen_at = known_[one.replica].seen_at;
    known_[one.replica] = std::move(finding);
    asked_for_.erase(one.replica);
    ++status_.scrubbed;
    status_.replica.clear();
    status_.done_bytes = status_.total_bytes = 0;
    save();
}

/// Empty: it is whole again. Otherwise why not.
std::string Scrubber::try_repair(const StockedReplica& one, const ReplicaFiles& files,
                                 const StopCheck& stop) {
    RepairOptions options;
    options.workers = 1;
    options.stop = stop;
    std::unique_ptr<RawSource> source;
    if (!one.raw.empty()) {
        Result<std::unique_ptr<RawSource>> opened = open_raw_file(one.raw, 0);
        if (!opened) return "its raw file cannot be used: " + opened.error().message;
        source = std::move(*opened);
    }
    const Result<RepairReport> done = repair(files, params_, source.get(), options);
    if (!done) return done.error().message;
    return done->whole() ? std::string() : "its raw file is not what was sealed";
}

void Scrubber::scrub_one(const StockedReplica& one, const StopCheck& stop) {
    ScrubSettings settings;
    {
        const std::lock_guard lock(mutex_);
        settings = settings_;
        status_.replica = one.replica;
    }
    std::vector<std::string> notes;
    Result<ReplicaFiles> files = files_of_replica(one.replica, params_, true, notes);
    RateLimit limit(settings.rate, stop);
    ScrubOptions options;
    options.workers = 1;
    options.stop = stop;
    options.pace = [&](std::uint64_t bytes) {
        while (paused_ && !stop()) std::this_thread::sleep_for(kScrubLook);
        limit.take(bytes);
        const std::lock_guard lock(mutex_);
        status_.scrubbed_bytes += bytes;
    };
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
        const std::lock_guard lock(mutex_);
        status_.done_bytes = done;
        status_.total_bytes = total;
    };
    const Result<ScrubReport> report =
        files ? scrub(*files, params_, options) : Result<ScrubReport>(fail(files.error()));
    if (stop()) return;
    if (!report) {
        log_.error("scrub.failed", {{"replica", one.replica}, {"error", report.error().message}});
        return note(one, {{}, 0, 0, 0, "it cannot be scrubbed: " + report.error().message});
    }
    if (report->clean()) {
        log_.info("scrub.clean", {{"replica", one.replica}});
        return note(one, {});
    }
    const std::string found = words_of(*report);
    log_.error("scrub.damaged", {{"replica", one.replica}, {"found", found}});
    {
        const std::lock_guard lock(mutex_);
        ++status_.damaged;
    }
    std::string why = "[scrub] repair is off";
    if (settings.repair) why = try_repair(one, *files, stop);
    if (stop()) return;
    if (why.empty()) {
        log_.info("scrub.repaired", {{"replica", one.replica}});
        {
            const std::lock_guard lock(mutex_);
            ++status_.repaired;
        }
        return note(one, {});
    }
    log_.error("scrub.not_repaired", {{"replica", one.replica}, {"why", why}});
    note(one, {{}, 0, 0, report->damaged_chunks(), found + "; not repaired: " + why});
}

void Scrubber::run(const StopCheck& stop) {
    auto next = std::chrono::steady_clock::now();
    while (!stop()) {
        bool asked = false;
        {
            const std::lock_guard lock(mutex_);
            asked = !asked_for_.empty();
        }
        if (paused_ || (!asked && std::chrono::steady_clock::now() < next)) {
            std::this_thread::sleep_for(kScrubLook);
            continue;
        }
        const auto due = next_due();
        if (due) {
            scrub_one(*due, stop);
        } else {
            next = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        }
        std::this_thread::sleep_for(kScrubLook);
    }
}

ScrubStatus Scrubber::status() const {
    const std::lock_guard lock(mutex_);
    ScrubStatus out = status_;
    for (const auto& [path, one] : known_) {
        if (!one.problem.empty() && out.bad.size() < kToldBad) out.bad.push_back(one);
    }
    return out;
}

std::optional<ScrubFinding> Scrubber::of(const std::filesystem::path& replica) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(replica);
    return found == known_.end() ? std::nullopt : std::optional(found->second);
}

Json to_json(const ScrubStatus& s) {
    Json bad = Json::array();
    for (const ScrubFinding& one : s.bad) {
        bad.push_back({{"replica", one.replica.string()},
                       {"damaged_chunks", one.damaged_chunks},
                       {"problem", one.problem}});
    }
    return {{"replica", s.replica.empty() ? Json(nullptr) : Json(s.replica.string())},
            {"done_bytes", s.done_bytes},
            {"total_bytes", s.total_bytes},
            {"scrubbed", s.scrubbed},
            {"scrubbed_bytes", s.scrubbed_bytes},
            {"damaged", s.damaged},
            {"repaired", s.repaired},
            {"due", s.due},
            {"oldest_at", s.oldest_at ? Json(*s.oldest_at) : Json(nullptr)},
            {"bad", std::move(bad)}};
}

void append_metrics(std::vector<Metric>& out, const ScrubStatus& s) {
    using Kind = Metric::Kind;
    const auto add = [&out](const char* name, const char* help, Kind kind, double value) {
        out.push_back({std::string("holdfast_scrub_") + name, help, kind, value, {}});
    };
    const auto number = [](std::uint64_t n) { return static_cast<double>(n); };
    add("replicas_total", "Replicas read whole.", Kind::kCounter, number(s.scrubbed));
    add("bytes_total", "Bytes read for it.", Kind::kCounter, number(s.scrubbed_bytes));
    add("damaged_total", "Replicas that were found damaged.", Kind::kCounter, number(s.damaged));
    add("repaired_total", "Replicas that were made whole again.", Kind::kCounter,
        number(s.repaired));
    add("due", "Replicas that are to be read now.", Kind::kGauge, number(s.due));
    add("damaged", "Replicas that are damaged now.", Kind::kGauge, number(s.bad.size()));
    add("progress_ratio", "Of the replica that is being read.", Kind::kGauge,
        s.total_bytes == 0 ? 0 : number(s.done_bytes) / number(s.total_bytes));
    if (s.oldest_at) {
        add("oldest_timestamp_seconds",
            "When the replica read longest ago was read, or first seen.", Kind::kGauge,
            static_cast<double>(*s.oldest_at));
    }
}

std::vector<std::string> problems(const ScrubStatus& s) {
    constexpr std::size_t kToldScrubProblems = 20;
    std::vector<std::string> out;
    for (std::size_t i = 0; i < std::min(s.bad.size(), kToldScrubProblems); ++i) {
        out.push_back("replica " + s.bad[i].replica.string() + " is damaged: " + s.bad[i].problem +
                      "; repair it: holdfast repair " + s.bad[i].replica.string());
    }
    if (s.bad.size() > kToldScrubProblems) {
        out.push_back(std::to_string(s.bad.size() - kToldScrubProblems) +
                      " more replicas are damaged");
    }
    return out;
}

}  // namespace holdfast::node
