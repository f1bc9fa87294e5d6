#include "node/chain_book.hpp"

#include <algorithm>
#include <iterator>

namespace holdfast::node {
namespace {

using json::Json;

constexpr std::uint64_t kRowsOfPage = 100;
constexpr std::size_t kToldGroups = 20;

ChainFacts facts_of(const StockedReplica& replica) {
    ChainFacts out;
    out.replica = replica.replica.string();
    out.disk = (replica.folder ? *replica.folder : replica.replica.parent_path()).string();
    out.error = replica.error;
    out.linked = replica.linked;
    out.ends_at = replica.ends_at;
    return out;
}

/// Those of the key whose replica is not among `held`, and that matter still.
bool is_missed(const FollowedChain& chain) {
    return owes(chain) || chain.phase == ChainPhase::kLiable;
}

std::vector<const StockedReplica*> by_replica(const std::vector<StockedReplica>& replicas) {
    std::vector<const StockedReplica*> out;
    out.reserve(replicas.size());
    for (const StockedReplica& one : replicas) out.push_back(&one);
    // Of two files of one replica the first in the stock.
    std::sort(out.begin(), out.end(), [](const StockedReplica* a, const StockedReplica* b) {
        return a->id != b->id ? a->id < b->id : a < b;
    });
    return out;
}

bool worse_first(const ChainsView::Row& a, const ChainsView::Row& b) {
    if (a.concern != b.concern) return a.concern > b.concern;
    const auto misses = [](const ChainsView::Row& row) {
        return row.facts.chain ? row.facts.chain->misses : 0;
    };
    if (misses(a) != misses(b)) return misses(a) > misses(b);
    const auto chain = [](const ChainsView::Row& row) {
        return row.facts.chain ? row.facts.chain->chain_id : ChainId{};
    };
    if (chain(a) != chain(b)) return chain(a) < chain(b);
    return a.facts.replica < b.facts.replica;
}

}  // namespace

ChainsView chains_view(const NetworkParams& params, const WorkFacts& work,
                       const std::vector<StockedReplica>& replicas, const OwnChains& chains) {
    ChainsView out;
    out.tip = work.tip;
    std::vector<ChainsView::Row> rest;  // without a concern or a miss, as they come
    rest.reserve(replicas.size());
    ChainSummary summary(params, work.tip);
    const auto take = [&](ChainFacts facts) {
        if (facts.chain) {
            const ChainId& id = facts.chain->chain_id;
            if (facts.chain->misses > 0) facts.trend = chains.trend(id);
            if (const auto fault = work.faults.find(id); fault != work.faults.end()) {
                facts.fault = fault->second;
            }
            if (const auto due = work.due.find(id); due != work.due.end()) {
                facts.seal_deadline = due->second;
            }
        }
        Explanation e = summary.add(facts);
        ++out.states[e.state];
        const bool quiet =
            e.concern == Concern::kNone && (!facts.chain || facts.chain->misses == 0);
        (quiet ? rest : out.rows).push_back({std::move(facts), e.concern, std::move(e.state)});
    };
    // Both lists ascend by replica: one walk along them finds every chain's replica.
    const std::vector<FollowedChain> told = chains.all();
    auto next = told.begin();
    const auto pass_until = [&](const std::optional<ReplicaId>& id) {
        for (; next != told.end() && (!id || next->replica_id < *id); ++next) {
            if (!is_missed(*next)) continue;
            ChainFacts facts;
            facts.chain = *next;
            take(std::move(facts));
        }
    };
    for (const StockedReplica* const one : by_replica(replicas)) {
        ChainFacts facts = facts_of(*one);
        if (one->id) {
            pass_until(one->id);
            if (next != told.end() && next->replica_id == *one->id) facts.chain = *next++;
        }
        take(std::move(facts));
    }
    pass_until(std::nullopt);
    std::sort(out.rows.begin(), out.rows.end(), worse_first);
    out.rows.insert(out.rows.end(), std::make_move_iterator(rest.begin()),
                    std::make_move_iterator(rest.end()));
    out.groups = summary.groups();
    return out;
}

ChainBook::ChainBook(const NetworkParams& params, const ReplicaStock& stock,
                     const OwnChains& chains, MonotonicNs clock, std::function<WorkFacts()> work)
    : params_(params),
      stock_(stock),
      chains_(chains),
      clock_(std::move(clock)),
      work_(std::move(work)) {}

std::shared_ptr<const ChainsView> ChainBook::view() const {
    constexpr std::uint64_t kNsPerMs = 1'000'000;
    const std::lock_guard lock(mutex_);
    const std::uint64_t begin = clock_();
    const std::uint64_t kept = std::max(kLeastMs * kNsPerMs, kMostShare * took_ns_);
    if (view_ && begin - built_ns_ < kept) return view_;
    view_ = std::make_shared<const ChainsView>(
        chains_view(params_, work_(), stock_.replicas(), chains_));
    built_ns_ = clock_();
    took_ns_ = built_ns_ - begin;
    return view_;
}

// --- JSON ----------------------------------------------------------------------------------------

Json to_json(const Explanation& e) {
    Json out = {{"concern", to_string(e.concern)}, {"state", e.state}, {"why", e.why}};
    for (const auto& [name, text] :
         {std::pair("cost", &e.cost), std::pair("next", &e.next), std::pair("do", &e.action)}) {
        if (!text->empty()) out[name] = *text;
    }
    return out;
}

void append_chains(Json& out, const ChainsView& view) {
    out["states"] = Json::object();
    for (const auto& [state, count] : view.states) out["states"][state] = count;
    out["attention"] = Json::array();
    for (const ChainGroup& group : view.groups) {
        if (out["attention"].size() == kToldGroups) break;
        Json one = to_json(group.explanation);
        one["chains"] = group.chains;
        one["example"] = group.example;
        if (!group.disk.empty()) one["disk"] = group.disk;
        one["text"] = group.text();
        out["attention"].push_back(std::move(one));
    }
}

Json chain_page(const NetworkParams& params, const ChainsView& view, const std::string& state,
                std::uint64_t page) {
    const bool any = state == "all";
    std::uint64_t total = view.rows.size();
    if (!any) {
        const auto known = view.states.find(state);
        total = known == view.states.end() ? 0 : known->second;
    }
    const std::uint64_t pages = std::max<std::uint64_t>(1, (total + kRowsOfPage - 1) / kRowsOfPage);
    page = std::clamp<std::uint64_t>(page, 1, pages);
    std::uint64_t skip = (page - 1) * kRowsOfPage;
    Json rows = Json::array();
    for (const ChainsView::Row& row : view.rows) {
        if (!any && row.state != state) continue;
        if (skip > 0) {
            --skip;
            continue;
        }
        if (rows.size() == kRowsOfPage) break;
        const ChainFacts& f = row.facts;
        Json one = to_json(explain_chain(params, view.tip, f));
        one["chain"] = f.chain ? Json(to_hex(f.chain->chain_id)) : Json(nullptr);
        one["replica"] = f.replica.empty() ? Json(nullptr) : Json(f.replica);
        one["misses"] = f.chain ? Json(f.chain->misses) : Json(nullptr);
        rows.push_back(std::move(one));
    }
    return {{"state", state}, {"page", page}, {"pages", pages}, {"total", total}, {"rows", rows}};
}

std::vector<std::string> problems(const ChainsView& view) {
    std::vector<std::string> out;
    for (const ChainGroup& group : view.groups) {
        if (group.explanation.concern < Concern::kWarning || out.size() == kToldGroups) continue;
        out.push_back(group.text());
    }
    return out;
}

std::vector<std::string> problems(const std::vector<DiskFacts>& disks, std::uint64_t links_ms) {
    std::vector<std::string> out;
    for (const DiskFacts& disk : disks) {
        const Explanation e = explain_disk(links_ms, disk);
        if (e.concern >= Concern::kWarning) out.push_back("disk " + disk.path + ": " + e.text());
    }
    return out;
}

void AttentionLog::tell(const ChainsView& view) {
    std::map<std::string, Concern> now;
    for (const ChainGroup& group : view.groups) {
        if (group.explanation.concern < Concern::kWarning) continue;
        const std::string key = group.explanation.state + "\n" + group.disk;
        const auto before = told_.find(key);
        if (before == told_.end() || before->second < group.explanation.concern) {
            log_.warn("chains.attention", {{"text", group.text()}});
        }
        Concern& concern = now[key];
        concern = std::max(concern, group.explanation.concern);
    }
    told_ = std::move(now);
}

}  // namespace holdfast::node
