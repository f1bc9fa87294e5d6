// What a prover makes: links and proofs of links in one thread, seal proofs and audits in another,
// so that no link is ever late for a fill.
//
// Links: a pass at every new height and whenever a y has been verified; it is repeated when it
// failed, and makes the same bytes again. Beside it: registrations of what is new, folders looked
// at again, the key's chains as the node knows them. Seals: one at a time, in the order of their
// deadlines, each with so many threads as the settings say.
//
// Threading: wake(), look_again() and status() from any thread; run_links() and run_seals() from
// one each. Ownership: all that is given outlives it. Spec: docs/spec.md sections 3.1, 5, 7, 10.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "api/block_processor.hpp"
#include "node/chain_book.hpp"
#include "node/monitor.hpp"
#include "node/own_chains.hpp"
#include "node/prover_forecast.hpp"
#include "node/prover_hosts.hpp"
#include "node/registrar.hpp"
#include "node/replica_stock.hpp"

namespace holdfast::node {

struct ProverCounts {
    std::uint64_t passes = 0;
    std::uint64_t links = 0;
    std::uint64_t compact_proofs = 0;
    std::uint64_t full_proofs = 0;
    std::uint64_t seal_proofs = 0;  // audits among them
    std::uint64_t updates = 0;
    std::uint64_t faults = 0;
    std::uint64_t seals_waiting = 0;      // due, their y settled
    std::optional<Height> newest_linked;  // of which links were taken
    std::string fault;                    // of the newest pass, the first; empty: none
    std::string error;                    // that ended the newest pass; empty: none
    std::vector<std::string> warnings;    // of the forecast
    bool paused = false;
    // Seconds: of passes that made links; what was left until their height closes, counted from
    // when it was heard of; until the deadlines of seal proofs and audits, when handed over.
    MetricHistogram link_passes = make_histogram({0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60});
    MetricHistogram link_margins = margins();
    MetricHistogram seal_margins = margins();

    [[nodiscard]] static MetricHistogram margins() {
        return make_histogram({-60, 0, 0.5, 1, 2, 5, 10, 30, 60, 300, 1'800, 7'200, 43'200});
    }
};

class ProverWork {
  public:
    ProverWork(const Config& config, const Identity& identity, ReplicaStock& stock,
               FollowClient& client, DutySource& source, GuardedDuties& duties, OwnChains& chains,
               Registrar& registrar, HeightTimeline& timeline, Log& log);

    /// A height has come, or its y has been verified.
    void wake();
    /// At folders and missing replicas, with the next pass.
    void look_again();
    /// While paused no pass and no seal proof is begun, and what falls due is missed.
    void pause(bool paused);
    /// In the middle of a pass or a seal proof.
    [[nodiscard]] bool busy() const { return busy_.load() > 0; }
    void run_links(const StopCheck& stop);
    void run_seals(const StopCheck& stop);
    [[nodiscard]] ProverCounts counts() const;
    [[nodiscard]] WorkFacts facts() const;

  private:
    using Clock = std::chrono::steady_clock;
    [[nodiscard]] bool wait_for_news(const StopCheck& stop, Clock::time_point until);
    Status pass(BlockProcessor& processor, const StopCheck& stop);
    Status know_chains(Height tip);
    void note_report(const SetReport& report, Height tip, std::uint64_t ms);
    void note_seal_margin(const SealDuty& duty);
    void note_faults(const std::vector<BlockFault>& faults, Height tip);
    void note_error(const Status& done);
    void foresee(Height tip);
    Status seal_pass(const StopCheck& stop);
    Status seal(const SealDuty& duty, const std::filesystem::path& replica, const StopCheck& stop);
    [[nodiscard]] std::map<ChainId, std::filesystem::path> files() const;

    const Config& config_;
    const Identity& identity_;
    ReplicaStock& stock_;
    FollowClient& client_;
    DutySource& source_;  // of links and what goes with them
    GuardedDuties& duties_;
    OwnChains& chains_;
    Registrar& registrar_;
    HeightTimeline& timeline_;
    Log& log_;

    std::optional<Height> chains_at_;                // run_links(): when they were asked for
    Clock::time_point pass_news_at_ = Clock::now();  // run_links(): what its pass began with
    bool waits_ = true;  // run_links(): for a registration, or a seal proof
    std::deque<std::uint64_t> link_ms_;
    std::atomic<std::uint64_t> seal_ms_{0};
    std::atomic<bool> seal_news_{true};
    std::atomic<bool> paused_{false};
    std::atomic<int> busy_{0};
    std::vector<std::string> warned_;
    struct SealDone {
        Height y_height;
        Clock::time_point at;
    };
    std::map<ChainId, SealDone> seals_done_;  // run_seals()'s own

    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    bool news_ = true;
    bool look_ = true;
    Clock::time_point news_at_ = Clock::now();  // the oldest that no pass has begun with
    ProverCounts counts_;
    std::vector<ProverFacts::Duty> seals_due_;
    std::optional<Height> worked_at_;      // tip of the newest pass
    std::map<ChainId, PartFault> faults_;  // the newest of each chain, of the last heights
};

}  // namespace holdfast::node
