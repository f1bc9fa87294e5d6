#include "node/prover_work.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "api/seal_prover.hpp"

namespace holdfast::node {
namespace {

constexpr auto kStopAsked = std::chrono::milliseconds(50);
constexpr auto kAgain = std::chrono::milliseconds(500);         // after a pass that failed
constexpr auto kSealsLook = std::chrono::milliseconds(10'000);  // where nothing has woken it
constexpr std::uint64_t kChainsEvery = 16;  // heights, while nothing is waited for
constexpr std::size_t kLinkTimes = 8;
constexpr std::uint64_t kBlocksToSettle = 4;  // until a block has listed what was taken
constexpr std::size_t kToldFaults = 20;       // of one pass
constexpr std::uint64_t kFaultsKept = 64;     // heights
constexpr std::size_t kMostFaults = 10'000;   // chains whose newest fault is remembered

std::uint64_t since_ms(std::chrono::steady_clock::time_point begin) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::steady_clock::now() - begin)
                                          .count());
}

}  // namespace

ProverWork::ProverWork(const Config& config, const Identity& identity, ReplicaStock& stock,
                       FollowClient& client, DutySource& source, GuardedDuties& duties,
                       OwnChains& chains, Registrar& registrar, HeightTimeline& timeline, Log& log)
    : config_(config),
      identity_(identity),
      stock_(stock),
      client_(client),
      source_(source),
      duties_(duties),
      chains_(chains),
      registrar_(registrar),
      timeline_(timeline),
      log_(log) {}

void ProverWork::wake() {
    seal_news_ = true;
    const std::lock_guard lock(mutex_);
    if (!news_) news_at_ = Clock::now();
    news_ = true;
    changed_.notify_all();
}

void ProverWork::look_again() {
    const std::lock_guard lock(mutex_);
    look_ = news_ = true;
    changed_.notify_all();
}

void ProverWork::pause(bool paused) {
    paused_ = paused;
    {
        const std::lock_guard lock(mutex_);
        counts_.paused = paused;
    }
    if (!paused) wake();
}

ProverCounts ProverWork::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

/// False: `until` has come without any.
bool ProverWork::wait_for_news(const StopCheck& stop, Clock::time_point until) {
    // Without the lock: whether to stop may depend on counts().
    while (!stop() && Clock::now() < until) {
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, kStopAsked, [this] { return news_; })) break;
    }
    const std::lock_guard lock(mutex_);
    if (news_) pass_news_at_ = news_at_;
    return std::exchange(news_, false);
}

// --- links ---------------------------------------------------------------------------------------

void ProverWork::run_links(const StopCheck& stop) {
    BlockProcessorOptions options;
    options.threads = config_.proving.threads;
    options.seal_proofs = false;
    Result<BlockProcessor> processor = BlockProcessor::make(identity_.params, source_, options);
    if (!processor) {
        note_error(fail(processor.error()));
        return;
    }
    const auto every = std::chrono::seconds(config_.proving.rescan_s);
    auto next_look = Clock::now() + every;
    bool failed = false;
    while (!stop()) {
        if (paused_) {
            std::this_thread::sleep_for(kStopAsked);
            continue;
        }
        if (!wait_for_news(stop, failed ? Clock::now() + kAgain : next_look) && !failed &&
            Clock::now() < next_look) {
            continue;  // stopped
        }
        if (Clock::now() >= next_look) look_again();
        bool look = false;
        {
            const std::lock_guard lock(mutex_);
            look = std::exchange(look_, false);
        }
        if (look) {
            stock_.look();
            next_look = Clock::now() + every;
        }
        ++busy_;
        const Status done = pass(*processor, stop);
        --busy_;
        if (stop()) return;
        note_error(done);
        failed = !done;
    }
}

/// The set is held while cells are read and links recorded and handed over: whoever takes replicas
/// in or out waits for that. Readers do not, nor does anybody wait for what the node is asked.
Status ProverWork::pass(BlockProcessor& processor, const StopCheck& stop) {
    const std::optional<Height> tip = client_.newest_told();
    if (!tip) return {};
    const auto begin = Clock::now();
    HOLDFAST_TRY(source_.begin_pass());
    HOLDFAST_TRY(know_chains(*tip));
    HOLDFAST_ASSIGN(waits, registrar_.pass(source_, *tip));
    const std::vector<FollowedChain> known = chains_.all();
    waits_ = waits || std::any_of(known.begin(), known.end(), [](const FollowedChain& chain) {
                 return chain.phase == ChainPhase::kPending;
             });
    {
        const auto lock = stock_.lock_set();
        HOLDFAST_ASSIGN(report, processor.process(stock_.set(), *tip, stop));
        note_report(report, *tip, since_ms(begin));
    }
    foresee(*tip);
    return {};
}

/// Every height while something new is under way, seldom otherwise: the list may be long.
Status ProverWork::know_chains(Height tip) {
    const bool fresh =
        chains_at_ && (chains_at_ == tip || (!waits_ && tip < *chains_at_ + kChainsEvery));
    if (fresh) return {};
    HOLDFAST_ASSIGN(list, duties_.followed_chains());
    chains_.take(list, tip);
    chains_at_ = tip;
    std::vector<ReplicaId> held;
    for (const StockedReplica& one : stock_.replicas()) {
        if (one.id) held.push_back(*one.id);
    }
    std::sort(held.begin(), held.end());
    timeline_.away(chains_.unheld(held).size());
    return {};
}

void ProverWork::note_report(const SetReport& report, Height tip, std::uint64_t ms) {
    std::size_t told = 0;
    for (const BlockFault& fault : report.faults) {
        if (++told > kToldFaults) break;
        log_.warn("links.fault",
                  {{"chain", fault.chain_id ? to_hex(*fault.chain_id) : std::string("none")},
                   {"height", fault.height},
                   {"error", fault.error.message}});
    }
    if (report.links + report.compact_proofs + report.full_proofs > 0) {
        log_.info("links.made", {{"tip", tip},
                                 {"links", report.links},
                                 {"compact_proofs", report.compact_proofs},
                                 {"full_proofs", report.full_proofs},
                                 {"duration_ms", ms}});
    }
    if (report.links > 0) {
        link_ms_.push_back(ms);
        if (link_ms_.size() > kLinkTimes) link_ms_.pop_front();
    }
    note_faults(report.faults, tip);
    const std::lock_guard lock(mutex_);
    ++counts_.passes;
    counts_.links += report.links;
    counts_.compact_proofs += report.compact_proofs;
    counts_.full_proofs += report.full_proofs;
    counts_.updates += report.updates;
    counts_.faults += report.fault_count;
    counts_.fault = report.faults.empty() ? std::string() : report.faults.front().error.message;
    if (report.links == 0) return;
    counts_.newest_linked = tip;
    observe(counts_.link_passes, static_cast<double>(ms) / 1'000);
    // Links are taken until the digest of their height closes, link_lag blocks later (spec 10.2).
    const std::uint64_t have = std::uint64_t{identity_.params.block_ms} * identity_.params.link_lag;
    observe(counts_.link_margins,
            (static_cast<double>(have) - static_cast<double>(since_ms(pass_news_at_))) / 1'000);
}

void ProverWork::note_seal_margin(const SealDuty& duty) {
    const auto tip = client_.newest_told();
    if (!duty.deadline || !tip) return;
    const double blocks =
        static_cast<double>(duty.deadline->value) - static_cast<double>(tip->value);
    const std::lock_guard lock(mutex_);
    observe(counts_.seal_margins, blocks * identity_.params.block_ms / 1'000);
}

void ProverWork::note_faults(const std::vector<BlockFault>& faults, Height tip) {
    const std::lock_guard lock(mutex_);
    worked_at_ = tip;
    std::erase_if(faults_,
                  [&](const auto& one) { return tip.since(one.second.height) > kFaultsKept; });
    for (const BlockFault& fault : faults) {
        if (!fault.chain_id) continue;
        if (faults_.size() >= kMostFaults && !faults_.contains(*fault.chain_id)) continue;
        faults_[*fault.chain_id] = {fault.height, fault.error.message};
    }
}

WorkFacts ProverWork::facts() const {
    const std::lock_guard lock(mutex_);
    WorkFacts out;
    out.tip = worked_at_.value_or(Height(0));
    out.faults = faults_;
    for (const ProverFacts::Duty& duty : seals_due_) out.due.emplace(duty.chain_id, duty.deadline);
    return out;
}

void ProverWork::note_error(const Status& done) {
    const std::string error = done ? std::string() : done.error().message;
    const std::lock_guard lock(mutex_);
    if (!error.empty() && counts_.error != error) log_.warn("links.failed", {{"error", error}});
    counts_.error = error;
}

void ProverWork::foresee(Height tip) {
    ProverFacts facts;
    facts.tip = tip;
    for (const std::uint64_t ms : link_ms_) facts.links_ms = std::max(facts.links_ms, ms);
    facts.seal_proof_ms = seal_ms_.load();
    {
        const std::lock_guard lock(mutex_);
        facts.duties = seals_due_;
    }
    std::vector<std::string> warnings = forecast(identity_.params, facts);
    for (const std::string& warning : warnings) {
        if (std::find(warned_.begin(), warned_.end(), warning) == warned_.end()) {
            log_.warn("forecast", {{"warning", warning}});
        }
    }
    warned_ = warnings;
    const std::lock_guard lock(mutex_);
    counts_.warnings = std::move(warnings);
}

// --- seal proofs and audits ----------------------------------------------------------------------

std::map<ChainId, std::filesystem::path> ProverWork::files() const {
    std::map<ChainId, std::filesystem::path> out;
    for (const StockedReplica& one : stock_.replicas()) {
        if (one.linked && one.chain) out.emplace(*one.chain, one.replica);
    }
    return out;
}

void ProverWork::run_seals(const StopCheck& stop) {
    auto next = Clock::now();
    while (!stop()) {
        if (paused_ || (!seal_news_.exchange(false) && Clock::now() < next)) {
            std::this_thread::sleep_for(kStopAsked);
            continue;
        }
        const Status done = seal_pass(stop);
        if (!done && !stop()) {
            log_.debug("seals.failed", {{"error", done.error().message}});
        }
        next = Clock::now() + (done ? kSealsLook : kAgain);
    }
}

Status ProverWork::seal_pass(const StopCheck& stop) {
    const auto at_hand = files();
    if (at_hand.empty()) return {};
    HOLDFAST_ASSIGN(
        due, duties_.due_seal_proofs([&](const ChainId& id) { return at_hand.contains(id); }));
    // What was taken and is due still, some blocks later, is made again.
    const auto taken_since =
        Clock::now() - std::chrono::milliseconds(kBlocksToSettle * identity_.params.block_ms);
    std::erase_if(seals_done_, [&](const auto& one) { return one.second.at < taken_since; });
    std::erase_if(due, [&](const SealDuty& duty) {
        if (!duty.y || !duty.y_height) return true;
        const auto done = seals_done_.find(duty.chain_id);
        return done != seals_done_.end() && done->second.y_height == *duty.y_height;
    });
    std::sort(due.begin(), due.end(), [](const SealDuty& a, const SealDuty& b) {
        return a.deadline.value_or(Height(UINT64_MAX)) < b.deadline.value_or(Height(UINT64_MAX));
    });
    {
        const std::lock_guard lock(mutex_);
        counts_.seals_waiting = due.size();
        seals_due_.clear();
        for (const SealDuty& duty : due) {
            if (duty.deadline) seals_due_.push_back({duty.chain_id, *duty.deadline});
        }
    }
    for (const SealDuty& duty : due) {
        if (stop() || paused_) return {};
        const auto file = at_hand.find(duty.chain_id);
        ++busy_;
        const Status done = seal(duty, file->second, stop);
        --busy_;
        if (done) note_seal_margin(duty);
        if (done || stop()) continue;
        log_.warn(
            "seal.failed",
            {{"chain", duty.chain_id}, {"replica", file->second}, {"error", done.error().message}});
        const std::lock_guard lock(mutex_);
        ++counts_.faults;
        counts_.fault = done.error().message;
    }
    return {};
}

Status ProverWork::seal(const SealDuty& duty, const std::filesystem::path& replica,
                        const StopCheck& stop) {
    const auto begin = Clock::now();
    const NetworkId network = identity_.params.id();
    HOLDFAST_ASSIGN(registration, duties_.registration(duty.chain_id));
    if (!registration) return fail(ErrorCode::kNotFound, "the followed node has lost the chain");
    RawOptions raw;
    raw.workers = config_.proving.seal_threads;
    raw.stop = stop;
    const SealContext known{*duty.y_height, *duty.y, duty.kind};
    HOLDFAST_ASSIGN(object, make_checked_seal_proof(identity_.params, network, *registration,
                                                    replica, known, *identity_.key, raw));
    const std::uint64_t ms = since_ms(begin);
    seal_ms_ = seal_ms_ == 0 ? ms : (3 * seal_ms_ + ms) / 4;
    const ByteView one(object);
    // It was checked above, as whoever judges it would.
    const SealCheck checked = [](const Registration&, const SealContext&,
                                 ByteView) -> Result<Verdict> { return Verdict::ok(); };
    HOLDFAST_ASSIGN(outcomes, duties_.accept({&one, 1}, checked));
    // Two audits that draw the same y are answered by one proof.
    if (!outcomes.at(0).verdict && outcomes[0].verdict.reason != Reason::kWrongHeight) {
        return fail_refused(outcomes[0].verdict, "our own seal proof");
    }
    seals_done_[duty.chain_id] = {*duty.y_height, Clock::now()};
    log_.info("seal.proven", {{"chain", duty.chain_id},
                              {"audit", duty.kind == SealProofKind::kAudit},
                              {"duration_ms", ms}});
    const std::lock_guard lock(mutex_);
    ++counts_.seal_proofs;
    return {};
}

}  // namespace holdfast::node
