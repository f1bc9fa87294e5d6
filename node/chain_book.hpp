// All replicas and chains of a prover with how they stand, sorted, for pages and lists.
//
// Built from the stock and from what the followed node said of the key's chains. What a build of
// many chains costs is bounded: one is used until it is kMostShare times as old as it took.
//
// Threading: any thread. Memory: some hundred bytes a chain. Ownership: all that is given outlives
// it. Spec: docs/spec.md section 10.4.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "availability/peer_budget.hpp"
#include "json/json.hpp"
#include "node/explain.hpp"
#include "node/own_chains.hpp"
#include "node/replica_stock.hpp"

namespace holdfast::node {

/// What the threads that make links and seal proofs know beside it.
struct WorkFacts {
    Height tip;
    std::map<ChainId, PartFault> faults;  // the newest of each chain
    std::map<ChainId, Height> due;        // deadlines of seal proofs and audits
};

struct ChainsView {
    struct Row {
        ChainFacts facts;
        Concern concern = Concern::kNone;
        std::string state;
    };
    Height tip;
    std::vector<Row> rows;                        // the worst first, then by chain
    std::map<std::string, std::uint64_t> states;  // how many there are of each
    std::vector<ChainGroup> groups;               // that need attention, the worst first
};

[[nodiscard]] ChainsView chains_view(const NetworkParams& params, const WorkFacts& work,
                                     const std::vector<StockedReplica>& replicas,
                                     const OwnChains& chains);

class ChainBook {
  public:
    static constexpr std::uint64_t kMostShare = 50;
    static constexpr std::uint64_t kLeastMs = 1'000;

    ChainBook(const NetworkParams& params, const ReplicaStock& stock, const OwnChains& chains,
              MonotonicNs clock, std::function<WorkFacts()> work);
    [[nodiscard]] std::shared_ptr<const ChainsView> view() const;

  private:
    const NetworkParams params_;
    const ReplicaStock& stock_;
    const OwnChains& chains_;
    const MonotonicNs clock_;
    const std::function<WorkFacts()> work_;
    mutable std::mutex mutex_;  // guards what follows; held while one is built
    mutable std::shared_ptr<const ChainsView> view_;
    mutable std::uint64_t built_ns_ = 0;
    mutable std::uint64_t took_ns_ = 0;
};

/// "states" and "attention": counts, and the groups with their texts.
void append_chains(json::Json& out, const ChainsView& view);
/// A page of the rows in a state ("all": any), the first page being 1: "state", "page", "pages",
/// "total", "rows". A page behind the last one is the last.
[[nodiscard]] json::Json chain_page(const NetworkParams& params, const ChainsView& view,
                                    const std::string& state, std::uint64_t page);
/// Texts of what needs attention: warnings and worse.
[[nodiscard]] std::vector<std::string> problems(const ChainsView& view);
[[nodiscard]] json::Json to_json(const Explanation& explanation);
[[nodiscard]] std::vector<std::string> problems(const std::vector<DiskFacts>& disks,
                                                std::uint64_t links_ms);

/// Log lines ("chains.attention") for groups that are new or worse than they were told.
class AttentionLog {
  public:
    explicit AttentionLog(Log& log) : log_(log) {}
    void tell(const ChainsView& view);

  private:
    Log& log_;
    std::map<std::string, Concern> told_;
};

}  // namespace holdfast::node
