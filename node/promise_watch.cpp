#include "node/promise_watch.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/hash.hpp"
#include "storage/file.hpp"

namespace holdfast::node {
namespace {

namespace fs = std::filesystem;

constexpr auto kPromisesLook = std::chrono::milliseconds(100);
constexpr auto kPromisesAgain = std::chrono::seconds(10);  // where the tip does not move
constexpr std::size_t kMostBroken = 100;                   // told; the others are in the folder

std::string name_of_object(const AcknowledgedObject& object) {
    std::string out(to_string(object.kind));
    if (object.height) out += " of height " + std::to_string(object.height->value);
    return out + " " + to_hex(view(object.digest)).substr(0, 16);
}

}  // namespace

PromiseWatch::PromiseWatch(const NetworkParams& params, const fs::path& folder, Outbox& outbox,
                           Log& log)
    : params_(params),
      heads_(folder / "heads"),
      evidence_(folder / "evidence"),
      outbox_(outbox),
      log_(log) {
    status_.evidence = evidence_;
}

Result<std::unique_ptr<PromiseWatch>> PromiseWatch::open(const NetworkParams& params,
                                                         const fs::path& folder,
                                                         std::vector<ProverHosts::Named> nodes,
                                                         Outbox& outbox, Log& log) {
    std::unique_ptr<PromiseWatch> out(new PromiseWatch(params, folder, outbox, log));
    for (ProverHosts::Named& one : nodes) {
        out->nodes_.push_back(
            {std::move(one.name), std::make_unique<HistoryClient>(std::move(one.request))});
    }
    // Without an operator nobody signs heads, and nothing is acknowledged.
    if (params.has_operator()) HOLDFAST_TRY(out->open_monitor());
    HOLDFAST_TRY(out->load_broken());
    return out;
}

Status PromiseWatch::open_monitor() {
    HOLDFAST_ASSIGN(monitor, LogMonitor::open(params_, heads_, evidence_));
    monitor_.emplace(std::move(monitor));
    return {};
}

/// What was found before this start, and nobody has taken away.
Status PromiseWatch::load_broken() {
    std::error_code error;
    if (!fs::exists(evidence_, error)) return {};
    for (fs::directory_iterator at(evidence_, error), end; !error && at != end;
         at.increment(error)) {
        const std::string name = at->path().stem().string();
        constexpr std::string_view kBegins = "broken-";
        if (at->path().extension() != ".ack" || !name.starts_with(kBegins)) continue;
        HOLDFAST_ASSIGN(object, read_file(at->path(), kAcknowledgementBytes + 2));
        const auto body = unwrap_object(Kind::kAcknowledgement, object);
        const auto said = body ? Acknowledgement::decode(*body) : refuse(body.error());
        if (!said || status_.broken.size() >= kMostBroken) continue;
        status_.broken.push_back({said->host, name.substr(kBegins.size()), said->height,
                                  "found before; see " + at->path().string()});
    }
    if (error) return fail_errno(error.value(), "cannot list " + evidence_.string());
    return {};
}

PromiseWatchStatus PromiseWatch::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void PromiseWatch::note(const std::function<void(PromiseWatchStatus&)>& change) {
    const std::lock_guard lock(mutex_);
    change(status_);
}

// --- heads ---------------------------------------------------------------------------------------

/// A node that is away is asked again; what does not hold is told.
void PromiseWatch::follow(Height from, const TwoHeads& two_heads) {
    for (const Node& node : nodes_) {
        const auto taken = monitor_->follow(*node.client, from);
        if (taken || taken.error().code != ErrorCode::kRefused) continue;
        const std::string fault = node.name + ": " + taken.error().message;
        bool is_new = false;
        note([&](PromiseWatchStatus& s) {
            is_new = s.fault != fault;
            s.fault = fault;
        });
        if (is_new) {
            log_.error("heads.refused",
                       {{"host", node.name},
                        {"error", taken.error().message},
                        {"advice", "find out which history is right, and keep the evidence"}});
        }
        if (const auto height = monitor_->two_heads()) two_heads(node.name, *height);
    }
    note([&](PromiseWatchStatus& s) {
        if (const auto newest = monitor_->newest()) s.head = newest->height;
    });
}

// --- promises ------------------------------------------------------------------------------------

/// As the entries that the node named, all at once.
bool PromiseWatch::all_stand(const KeptAcknowledgement& kept, const std::vector<Bytes>& objects) {
    std::vector<PlacedEntry> placed;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        if (!kept.objects[i].entry) return false;
        placed.push_back({*kept.objects[i].entry, Promise::leaf_of(objects[i])});
    }
    std::sort(placed.begin(), placed.end(),
              [](const PlacedEntry& a, const PlacedEntry& b) { return a.entry < b.entry; });
    return std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
        const Result<bool> stand = monitor_->stand(*node.client, placed);
        return stand && *stand;
    });
}

/// One node that shows it is enough; one that does not may lie. Empty: none could tell now.
std::optional<PromiseResult> PromiseWatch::ask(const Promise& promise) {
    std::optional<PromiseResult> best;
    for (const Node& node : nodes_) {
        Result<PromiseResult> result = monitor_->check(*node.client, promise);
        if (!result) continue;
        if (!best || result->state == PromiseState::kKept) best = std::move(*result);
        if (best->state == PromiseState::kKept) break;
    }
    return best;
}

Status PromiseWatch::tell(const Promise& promise, const PromiseResult& result, ByteView message) {
    const std::string object = to_hex(view(promise.object)).substr(0, 16);
    HOLDFAST_TRY(write_file(evidence_ / ("broken-" + object + ".message"), message, true));
    const Acknowledgement& said = promise.acknowledgement;
    log_.error(
        "promise.broken",
        {{"host", said.host},
         {"object", promise.name},
         {"height", said.height},
         {"why", result.why},
         {"evidence", evidence_},
         {"advice", "show the evidence to the operator, and name another node in [[hosts]]"}});
    note([&](PromiseWatchStatus& s) {
        if (s.broken.size() < kMostBroken) {
            s.broken.push_back({said.host, promise.name, said.height, result.why});
        }
    });
    return {};
}

/// Of all objects of one message; kWaiting where nothing can be said now.
Result<PromiseState> PromiseWatch::check(const KeptAcknowledgement& kept) {
    HOLDFAST_ASSIGN(message, outbox_.message(kept.acknowledgement.object));
    const std::vector<Bytes> objects = objects_of(message);
    if (objects.size() != kept.objects.size()) return PromiseState::kUnknown;
    if (all_stand(kept, objects)) return PromiseState::kKept;
    std::vector<std::pair<Promise, PromiseResult>> broken;
    PromiseState state = PromiseState::kKept;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        const AcknowledgedObject& object = kept.objects[i];
        Promise promise{kept.acknowledgement, object.digest, Promise::leaf_of(objects[i]),
                        object.entry, name_of_object(object)};
        std::optional<PromiseResult> result = ask(promise);
        if (!result || result->state == PromiseState::kWaiting) return PromiseState::kWaiting;
        if (result->state == PromiseState::kUnknown) state = PromiseState::kUnknown;
        if (result->state == PromiseState::kBroken) {
            broken.emplace_back(std::move(promise), std::move(*result));
        }
    }
    for (const auto& [promise, result] : broken) HOLDFAST_TRY(tell(promise, result, message));
    return broken.empty() ? state : PromiseState::kBroken;
}

Status PromiseWatch::look(Height tip, const TwoHeads& two_heads) {
    if (!monitor_) return {};
    if (anew_.exchange(false)) {
        monitor_.reset();
        std::error_code ignored;
        fs::create_directories(evidence_, ignored);
        fs::rename(heads_, evidence_ / "heads-before-trust", ignored);
        HOLDFAST_TRY(open_monitor());
        note([](PromiseWatchStatus& s) { s.fault.clear(); });
    }
    const std::vector<KeptAcknowledgement> open = outbox_.unchecked();
    Height lowest = tip;
    for (const auto& kept : open) lowest = std::min(lowest, kept.acknowledgement.height);
    const std::uint64_t back = params_.link_lag + 1 + LogMonitor::kLookBack;
    follow(lowest.value > back ? lowest - back : params_.genesis_height, two_heads);
    std::uint64_t waiting = 0;
    for (const KeptAcknowledgement& kept : open) {
        const std::optional<JournalHead> newest = monitor_->newest();
        const bool covered = newest && newest->height >= kept.acknowledgement.height;
        HOLDFAST_ASSIGN(state, covered ? check(kept) : PromiseState::kWaiting);
        if (state == PromiseState::kWaiting) {
            ++waiting;
            continue;
        }
        note([&](PromiseWatchStatus& s) {
            s.kept += state == PromiseState::kKept ? 1 : 0;
            s.unknown += state == PromiseState::kUnknown ? 1 : 0;
        });
        HOLDFAST_TRY(outbox_.checked(kept.acknowledgement.object));
    }
    note([&](PromiseWatchStatus& s) { s.waiting = waiting; });
    return {};
}

void PromiseWatch::run(const std::function<std::optional<Height>()>& tip, const TwoHeads& two_heads,
                       const StopCheck& stop) {
    using Clock = std::chrono::steady_clock;
    std::optional<Height> looked;
    auto next = Clock::now();
    for (; !stop(); std::this_thread::sleep_for(kPromisesLook)) {
        const std::optional<Height> now = tip();
        if (!now || (now == looked && Clock::now() < next && !anew_)) continue;
        looked = now;
        next = Clock::now() + kPromisesAgain;
        if (const Status done = look(*now, two_heads); !done) {
            log_.warn("promises.failed", {{"error", done.error().message}});
        }
    }
}

}  // namespace holdfast::node
