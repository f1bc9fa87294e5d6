#include "node/prover_status.hpp"

#include <algorithm>

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
    StockView out{stock.replicas(), stock.folders(), {}, {}};
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

/// Spec 3.1 and 10.5.
std::string StockView::Over::why() const {
    const std::string height = [](const std::optional<Height>& at) {
        return at ? std::to_string(at->value) : std::string("?");
    }(chain.phase == ChainPhase::kLiable ? chain.liable_until : chain.removal_at);
    const std::string out = "; take it out: holdfast prover remove " + replica.string();
    if (chain.part_taken) {
        return "its part of the bond was taken (evidence, or an audit without an answer)" + out;
    }
    switch (chain.phase) {
        case ChainPhase::kVoid:
            return "its registration is void: no seal proof was taken by its deadline; the data "
                   "must "
                   "be sealed anew, and that replica registered" +
                   out;
        case ChainPhase::kLiable:
            return "its slot is vacant; its bond answers for audits until height " + height +
                   ": keep the replica until then";
        default:
            return "it has ended" + (chain.removal_at ? ", as asked for at height " + height : "") +
                   out;
    }
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
                    {"phase", to_string(one.chain.phase)},
                    {"why", one.why()}};
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
    gauge(out, "warnings", "Deadlines that the forecast warns of.",
          static_cast<double>(c.warnings.size()));
    if (c.newest_linked) {
        gauge(out, "newest_linked", "Tip at which links were last taken.",
              static_cast<double>(c.newest_linked->value));
    }
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
    for (std::size_t i = 0; i < std::min(view.over.size(), kToldProblems); ++i) {
        const StockView::Over& one = view.over[i];
        out.push_back("replica " + one.replica.string() + ", chain " + to_hex(one.chain.chain_id) +
                      ": " + one.why());
    }
    if (view.over.size() > kToldProblems) {
        out.push_back(std::to_string(view.over.size() - kToldProblems) +
                      " more replicas have chains that are over (holdfast prover list)");
    }
    if (auto problem = unheld_problem(view.unheld)) out.push_back(*std::move(problem));
    return out;
}

std::vector<std::string> problems(const ProverCounts& c) {
    std::vector<std::string> out = c.warnings;
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
