#include "node/prover_status.hpp"

#include <algorithm>
#include <map>

namespace holdfast::node {
namespace {

constexpr std::size_t kTold = 100;
constexpr std::size_t kToldProblems = 20;

template <class T, class Each>
Json first_of(const std::vector<T>& list, const Each& each) {
    Json out = Json::array();
    for (std::size_t i = 0; i < std::min(list.size(), kTold); ++i) out.push_back(each(list[i]));
    return out;
}

std::vector<StockedReplica> missing(const StockView& view) {
    std::vector<StockedReplica> out;
    for (const StockedReplica& one : view.replicas) {
        if (!one.chain && !one.error.empty()) out.push_back(one);
    }
    return out;
}

/// Answered for, but nothing is signed for them.
std::vector<StockedReplica> unlinked(const StockView& view) {
    std::vector<StockedReplica> out;
    for (const StockedReplica& one : view.replicas) {
        if (one.chain && !one.linked) out.push_back(one);
    }
    return out;
}

void gauge(std::vector<Metric>& out, const char* name, const char* help, double value) {
    out.push_back({std::string("holdfast_prover_") + name, help, Metric::Kind::kGauge, value, {}});
}
void count(std::vector<Metric>& out, const char* name, const char* help, std::uint64_t value) {
    out.push_back({std::string("holdfast_prover_") + name,
                   help,
                   Metric::Kind::kCounter,
                   static_cast<double>(value),
                   {}});
}

}  // namespace

StockView StockView::of(const ReplicaStock& stock, const OwnChains& chains) {
    return of(stock.replicas(), stock.folders(), chains);
}

StockView StockView::of(std::vector<StockedReplica> replicas, std::vector<StockedFolder> folders,
                        const OwnChains& chains) {
    StockView out{std::move(replicas), std::move(folders), {}, {}};
    std::vector<ReplicaId> held;
    for (const StockedReplica& one : out.replicas) {
        if (!one.id) continue;
        held.push_back(*one.id);
        const auto known = chains.of_replica(*one.id);
        if (known && !owes(*known)) out.over.push_back({one.replica, *known});
    }
    std::sort(held.begin(), held.end());
    out.unheld = chains.unheld(held);
    return out;
}

std::vector<ChainId> StockView::chains() const {
    std::vector<ChainId> out;
    for (const StockedReplica& one : replicas) {
        if (one.chain) out.push_back(*one.chain);
    }
    return out;
}

// --- JSON ----------------------------------------------------------------------------------------

void append_stock(Json& out, const StockView& view) {
    const std::vector<StockedReplica> bad = missing(view);
    out["replicas"] = view.replicas.size();
    out["chains"] = first_of(view.chains(), [](const ChainId& id) { return Json(to_hex(id)); });
    out["missing"] = first_of(bad, [](const StockedReplica& one) {
        return Json{{"replica", one.replica.string()}, {"error", one.error}};
    });
    out["unlinked"] = first_of(unlinked(view), [](const StockedReplica& one) {
        return Json{{"replica", one.replica.string()}, {"error", one.error}};
    });
    out["folders"] = first_of(view.folders, [](const StockedFolder& one) {
        Json folder = {{"path", one.path.string()}, {"replicas", one.replicas}};
        if (!one.error.empty()) folder["error"] = one.error;
        return folder;
    });
    out["over_chains"] = view.over.size();
    out["over"] = first_of(view.over, [](const StockView::Over& one) {
        return Json{{"replica", one.replica.string()},
                    {"chain", to_hex(one.chain.chain_id)},
                    {"phase", to_string(one.chain.phase)}};
    });
    out["unheld_chains"] = view.unheld.size();
    out["unheld"] =
        first_of(view.unheld, [](const FollowedChain& one) { return Json(to_hex(one.chain_id)); });
}

Json to_json(const ProverCounts& c) {
    Json out = {{"passes", c.passes},
                {"links", c.links},
                {"compact_proofs", c.compact_proofs},
                {"full_proofs", c.full_proofs},
                {"seal_proofs", c.seal_proofs},
                {"seal_proofs_waiting", c.seals_waiting},
                {"updates", c.updates},
                {"faults", c.faults},
                {"newest_linked", c.newest_linked ? Json(c.newest_linked->value) : Json(nullptr)},
                {"paused", c.paused},
                {"warnings", c.warnings}};
    if (!c.fault.empty()) out["fault"] = c.fault;
    if (!c.error.empty()) out["error"] = c.error;
    return out;
}

Json to_json(const RegistrarCounts& c) {
    Json out = {{"made", c.made}, {"waiting", c.waiting}, {"without_bond", c.without_bond}};
    if (!c.error.empty()) out["error"] = c.error;
    return out;
}

Json to_json(const OutboxStatus& s) {
    Json out = {{"acknowledged", s.acknowledged},
                {"unsettled", s.unsettled},
                {"expired", s.expired},
                {"refused", s.refused},
                {"bad_answers", s.bad_answers}};
    if (!s.error.empty()) out["error"] = s.error;
    return out;
}

Json to_json(const PromiseWatchStatus& s) {
    Json broken = Json::array();
    for (const BrokenPromise& one : s.broken) {
        broken.push_back({{"host", to_hex(one.host)},
                          {"object", one.object},
                          {"height", one.height.value},
                          {"why", one.why}});
    }
    Json out = {{"kept", s.kept},
                {"waiting", s.waiting},
                {"unknown", s.unknown},
                {"broken", std::move(broken)},
                {"head", s.head ? Json(s.head->value) : Json(nullptr)},
                {"evidence", s.evidence.string()}};
    if (!s.fault.empty()) out["fault"] = s.fault;
    return out;
}

Json hosts_json(const std::vector<HostState>& states, const std::optional<SplitHistory>& split) {
    Json nodes = Json::array();
    for (const HostState& s : states) {
        Json one = {{"key", to_hex(s.peer.key)},
                    {"address", s.peer.address},
                    {"followed", s.followed},
                    {"reachable", s.reachable},
                    {"tip", s.tip ? Json(s.tip->value) : Json(nullptr)}};
        if (!s.error.empty()) one["error"] = s.error;
        nodes.push_back(std::move(one));
    }
    Json out = {{"nodes", std::move(nodes)}, {"split", nullptr}};
    if (split) {
        out["split"] = {{"height", split->height.value},
                        {"what", split->what},
                        {"first", split->first},
                        {"second", split->second}};
    }
    return out;
}

Json list_json(const StockView& view, const OwnChains& chains) {
    Json out = Json::array();
    for (const StockedReplica& one : view.replicas) {
        Json entry = {{"replica", one.replica.string()},
                      {"linked", one.linked},
                      {"chain", one.chain ? Json(to_hex(*one.chain)) : Json(nullptr)}};
        if (one.folder) entry["folder"] = one.folder->string();
        if (!one.error.empty()) entry["error"] = one.error;
        const auto known = one.id ? chains.of_replica(*one.id) : std::nullopt;
        if (known) {
            entry["phase"] = to_string(known->phase);
            entry["status"] = known->status ? Json(to_string(*known->status)) : Json(nullptr);
            entry["misses"] = known->misses;
        } else {
            entry["phase"] = nullptr;  // not registered, as far as the followed node knows
        }
        out.push_back(std::move(entry));
    }
    return out;
}

Json to_json(const DiskFacts& disk, std::uint64_t links_ms) {
    Json out = {{"path", disk.path},
                {"replicas", disk.replicas},
                {"total_bytes", disk.total_bytes},
                {"free_bytes", disk.free_bytes},
                {"reads_timed", disk.probes},
                {"read_median_us", disk.median_us},
                {"read_worst_us", disk.worst_us},
                {"failed_reads", disk.failed_reads}};
    out.update(to_json(explain_disk(links_ms, disk)));
    return out;
}

Json to_json(const HeightTimes& times) {
    Json out = {{"height", times.height.value}, {"age_ms", times.age_ms}};
    for (std::size_t i = 0; i < kHeightSteps; ++i) {
        const std::string name = std::string(to_string(static_cast<HeightStep>(i))) + "_ms";
        out[name] = times.done[i] ? Json(*times.done[i]) : Json(nullptr);
    }
    out["owed"] = times.owed;
    out["taken"] = times.taken;
    out["away"] = times.away;
    out["deadline_ms"] = times.deadline_ms;
    out["margin_ms"] = times.margin_ms;
    return out;
}

/// As many bars as a page has room for, each of so many heights.
Json misses_json(const std::vector<HeightCount>& counts) {
    constexpr std::size_t kBars = 230;
    const std::size_t heights = std::max<std::size_t>(1, (counts.size() + kBars - 1) / kBars);
    Json bars = Json::array();
    std::uint64_t owed = 0, missed = 0;
    for (std::size_t i = 0; i < counts.size(); i += heights) {
        std::uint64_t bar_owed = 0, bar_missed = 0;
        for (std::size_t k = i; k < std::min(i + heights, counts.size()); ++k) {
            bar_owed += counts[k].owed;
            bar_missed += counts[k].missed;
        }
        bars.push_back({counts[i].height.value, bar_owed, bar_missed});
        owed += bar_owed;
        missed += bar_missed;
    }
    return {{"heights", counts.size()},
            {"heights_a_bar", heights},
            {"owed", owed},
            {"missed", missed},
            {"bars", std::move(bars)}};
}

// --- metrics -------------------------------------------------------------------------------------

void append_metrics(std::vector<Metric>& out, const StockView& view) {
    gauge(out, "replicas", "Replicas at hand.", static_cast<double>(view.replicas.size()));
    gauge(out, "replicas_open", "Replicas that are answered for.",
          static_cast<double>(view.chains().size()));
    gauge(out, "replicas_missing", "Replicas that cannot be used; tried again.",
          static_cast<double>(missing(view).size()));
    gauge(out, "replicas_unlinked", "Replicas that are answered for and not linked.",
          static_cast<double>(unlinked(view).size()));
    gauge(out, "chains_over", "Replicas at hand whose chains owe nothing any more.",
          static_cast<double>(view.over.size()));
    gauge(out, "chains_unheld",
          "Chains of this key that the followed node knows and whose replica is not at hand.",
          static_cast<double>(view.unheld.size()));
    const auto lost = std::count_if(view.folders.begin(), view.folders.end(),
                                    [](const StockedFolder& one) { return !one.error.empty(); });
    gauge(out, "folders_missing", "Folders that cannot be listed.", static_cast<double>(lost));
}

void append_metrics(std::vector<Metric>& out, const ProverCounts& c) {
    count(out, "links_total", "Links that the nodes took.", c.links);
    count(out, "compact_proofs_total", "Compact proofs that the nodes took.", c.compact_proofs);
    count(out, "full_proofs_total", "Full proofs that the nodes took.", c.full_proofs);
    count(out, "seal_proofs_total", "Seal proofs and audits that the nodes took.", c.seal_proofs);
    count(out, "updates_total", "New bases of reveal chains.", c.updates);
    count(out, "faults_total", "Parts that were owed and could not be made or were refused.",
          c.faults);
    gauge(out, "seal_proofs_waiting", "Seal proofs and audits that are due.",
          static_cast<double>(c.seals_waiting));
    gauge(out, "paused", "1 while it is told to begin nothing.", c.paused ? 1 : 0);
    const auto histogram = [&out](const char* name, const char* help, const MetricHistogram& of) {
        out.push_back(
            {std::string("holdfast_prover_") + name, help, Metric::Kind::kHistogram, 0, {}, of});
    };
    histogram("link_pass_seconds", "Passes that made links.", c.link_passes);
    histogram("link_margin_seconds",
              "Left until the height of links closes, since its tip was heard of.", c.link_margins);
    histogram("seal_margin_seconds",
              "Left until the deadline of seal proofs and audits, when handed over.",
              c.seal_margins);
    gauge(out, "warnings", "Deadlines that the forecast warns of.",
          static_cast<double>(c.warnings.size()));
    if (c.newest_linked) {
        gauge(out, "newest_linked", "Tip at which links were last taken.",
              static_cast<double>(c.newest_linked->value));
    }
}

void append_metrics(std::vector<Metric>& out, const std::vector<FollowedChain>& chains) {
    std::map<std::string, std::uint64_t> phases;
    std::map<std::string, std::uint64_t> statuses;
    std::uint64_t misses = 0;
    std::uint64_t worst = 0;
    for (const FollowedChain& one : chains) {
        ++phases[std::string(to_string(one.phase))];
        if (one.status) ++statuses[std::string(to_string(*one.status))];
        if (!owes(one)) continue;
        misses += one.misses;
        worst = std::max<std::uint64_t>(worst, one.misses);
    }
    const auto labelled = [&out](const char* name, const char* help, const char* label,
                                 const std::map<std::string, std::uint64_t>& counts) {
        for (const auto& [word, n] : counts) {
            out.push_back({std::string("holdfast_prover_") + name,
                           help,
                           Metric::Kind::kGauge,
                           static_cast<double>(n),
                           {{label, word}}});
        }
    };
    labelled("chains", "Chains of this key, by phase.", "phase", phases);
    labelled("chains_by_status", "Chains of this key, by status.", "status", statuses);
    gauge(out, "window_misses", "Heights missed in the rate windows of all chains together.",
          static_cast<double>(misses));
    gauge(out, "window_misses_worst", "Heights missed in the rate window of the worst chain.",
          static_cast<double>(worst));
}

void append_metrics(std::vector<Metric>& out, const VerifiedOutputStatus& s,
                    std::optional<Height> tip) {
    count(out, "outputs_verified_total", "Heights whose y is verified.", s.verified);
    count(out, "outputs_missed_total", "Heights of which no y that holds came in time.", s.missed);
    if (!tip || !s.newest) return;
    const std::uint64_t lag = *tip < *s.newest ? 0 : tip->since(*s.newest);
    gauge(out, "output_lag_blocks", "Blocks from the newest verified y to the tip.",
          static_cast<double>(lag));
}

void append_metrics(std::vector<Metric>& out, const OutboxStatus& s) {
    count(out, "acknowledged_total", "Messages that nodes have acknowledged.", s.acknowledged);
    count(out, "unacknowledged_total", "Messages whose time was over without one.", s.expired);
    gauge(out, "unsettled", "Messages handed over, neither acknowledged nor refused.",
          static_cast<double>(s.unsettled));
}

void append_metrics(std::vector<Metric>& out, const PromiseWatchStatus& s) {
    count(out, "promises_kept_total", "Acknowledged messages that were seen in the journal.",
          s.kept);
    gauge(out, "promises_waiting", "Acknowledged messages that no head covers yet.",
          static_cast<double>(s.waiting));
    gauge(out, "promises_broken", "Acknowledged objects that are missing from the journal.",
          static_cast<double>(s.broken.size()));
    gauge(out, "heads_refused", "1 where a node has told heads that do not hold.",
          s.fault.empty() ? 0 : 1);
}

void append_metrics(std::vector<Metric>& out, const std::vector<HostState>& states, bool split) {
    const auto live =
        std::count_if(states.begin(), states.end(), [](const HostState& s) { return s.reachable; });
    gauge(out, "hosts_reachable", "Named nodes that answer.", static_cast<double>(live));
    gauge(out, "hosts_split", "1 while two nodes tell different histories.", split ? 1 : 0);
}

// --- in words ------------------------------------------------------------------------------------

std::vector<std::string> problems(const StockView& view) {
    std::vector<std::string> out;
    const std::vector<StockedReplica> bad = missing(view);
    for (std::size_t i = 0; i < std::min(bad.size(), kToldProblems); ++i) {
        out.push_back("replica " + bad[i].replica.string() + " is not served: " + bad[i].error);
    }
    if (bad.size() > kToldProblems) {
        out.push_back(std::to_string(bad.size() - kToldProblems) + " more replicas are not served");
    }
    const std::vector<StockedReplica> bare = unlinked(view);
    for (std::size_t i = 0; i < std::min(bare.size(), kToldProblems); ++i) {
        out.push_back("replica " + bare[i].replica.string() +
                      " is answered for, but not linked: " + bare[i].error);
    }
    for (const StockedFolder& one : view.folders) {
        if (!one.error.empty()) out.push_back(one.error);
    }
    return out;
}

std::vector<std::string> problems(const ProverCounts& c) {
    std::vector<std::string> out = c.warnings;
    if (c.paused) {
        out.emplace_back("it is paused: nothing is linked or proven until holdfast prover resume");
    }
    if (!c.error.empty()) out.push_back("nothing can be handed over: " + c.error);
    if (!c.fault.empty()) out.push_back("a part that was owed was not made: " + c.fault);
    return out;
}

std::vector<std::string> problems(const RegistrarCounts& c) {
    std::vector<std::string> out;
    if (c.without_bond > 0) {
        out.push_back(std::to_string(c.without_bond) +
                      " replicas are not registered: set [prover] bond, or --bond");
    }
    if (!c.error.empty()) out.push_back("a replica was not registered: " + c.error);
    return out;
}

std::vector<std::string> problems(const PromiseWatchStatus& s) {
    std::vector<std::string> out;
    const std::string keep = "; what shows it is in " + s.evidence.string() +
                             ": keep it, show it to the operator, name another node in [[hosts]], "
                             "and move the files away when it is settled";
    for (std::size_t i = 0; i < std::min(s.broken.size(), kToldProblems); ++i) {
        const BrokenPromise& one = s.broken[i];
        out.push_back("node " + to_hex(one.host) + " acknowledged " + one.object + " at height " +
                      std::to_string(one.height.value) +
                      ", and it is missing from the journal: " + one.why + keep);
    }
    if (!s.fault.empty()) out.push_back("a node tells heads that do not hold: " + s.fault);
    return out;
}

}  // namespace holdfast::node
