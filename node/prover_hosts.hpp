// The nodes that a prover names: which of them is followed, and whether they tell one history.
//
// Followed is the first in the order of the settings that is live: it answers, and is no more than
// kStaleBlocks behind the one that is furthest. What the others say of the same heights is compared
// with its word (node/history_comparison.hpp); from a split on nobody is believed: every call of
// GuardedDuties is kUnavailable with the split's words, until trust_again().
//
// Threading: any thread; run() starts a thread for each node and joins them. Ownership: the
// transport and the log outlive it. Spec: docs/spec.md sections 14, 15.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/duty_source.hpp"
#include "follow/client.hpp"
#include "follow/duty_client.hpp"
#include "json/json.hpp"
#include "node/config.hpp"
#include "node/follow_duties.hpp"
#include "node/height_timeline.hpp"
#include "node/history_comparison.hpp"
#include "node/log.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::node {

/// Asks again, as soon as it may, when the node is busy; gives up, with its answer, when that would
/// take longer than kPatienceMs.
inline constexpr std::uint32_t kPatienceMs = 2'000;
[[nodiscard]] FollowClient::Request patient(FollowClient::Request request);

struct HostState {
    PeerEntry peer;
    bool followed = false;
    bool reachable = false;
    std::optional<Height> tip;
    std::string error;  // of the newest question; empty: none
};

class ProverHosts {
  public:
    static constexpr std::uint32_t kCompareMs = 5'000;

    /// `chains`: about how many the key has, for the size of the pages that are asked for.
    ProverHosts(const Config& config, const NetworkParams& params, TcpNetwork& network,
                std::size_t chains, Log& log);
    ~ProverHosts();

    /// Questions to whichever node is followed.
    [[nodiscard]] FollowClient::Request requests_to_followed() const;
    [[nodiscard]] std::size_t count() const { return hosts_.size(); }
    /// Index in the order of the settings.
    [[nodiscard]] std::size_t followed() const { return followed_.load(); }
    /// In the order of the settings.
    [[nodiscard]] std::vector<DutyNode> duty_nodes();
    struct Named {
        std::string name;  // KEY@ADDRESS
        FollowClient::Request request;
    };
    [[nodiscard]] std::vector<Named> named() const;

    /// Looks at every node until `stop`.
    void run(const StopCheck& stop);
    [[nodiscard]] std::optional<SplitHistory> split() const { return histories_.split(); }
    /// Whether each node has been looked at, or had kCompareMs to answer, since the start or since
    /// they are believed again: before that nothing is signed.
    [[nodiscard]] bool compared() const;
    /// None is believed any more: of this height the operator has signed two heads, one of which
    /// this node told.
    void distrust(const std::string& name, Height height);
    /// Believes the nodes again, from what they say now.
    void trust_again();
    [[nodiscard]] std::vector<HostState> states() const;

  private:
    struct Host {
        Host(const PeerEntry& entry, const Config& config, const NetworkId& network_id,
             TcpNetwork& network, const DutyClientOptions& options);
        PeerEntry peer;
        std::string name;  // KEY@ADDRESS
        FollowClient client;
        DutyClient duties;
    };
    void watch(std::size_t host, const StopCheck& stop);
    Status look(std::size_t host);
    void note(std::size_t host, const Status& looked, const std::optional<Height>& tip);
    void choose();
    void tell(const SplitHistory& found);

    const std::uint32_t interval_ms_;
    TcpNetwork& network_;
    Log& log_;
    std::vector<std::unique_ptr<Host>> hosts_;
    std::atomic<std::size_t> followed_{0};
    HistoryComparison histories_;
    mutable std::mutex mutex_;  // guards the two below
    std::vector<HostState> states_;
    std::chrono::steady_clock::time_point believed_since_ = std::chrono::steady_clock::now();
};

/// The duties as the followed node tells them: each call is of the node that is followed by then,
/// and fails while the nodes are split. Any thread.
class GuardedDuties final : public DutySource {
  public:
    GuardedDuties(ProverHosts& hosts, FollowDuties& duties, HeightTimeline& timeline)
        : hosts_(hosts), duties_(duties), timeline_(timeline) {}

    [[nodiscard]] Result<std::optional<Height>> tip() override;
    [[nodiscard]] Result<std::vector<Height>> open_heights() override;
    [[nodiscard]] Result<std::vector<Height>> proof_heights() override;
    [[nodiscard]] Result<KnownHeight> known_height(Height height) override;
    [[nodiscard]] Result<std::vector<DueLink>> due_links(Height height,
                                                         const Wanted& wanted) override;
    [[nodiscard]] Result<std::vector<DueProof>> due_proofs(Height height,
                                                           const Wanted& wanted) override;
    [[nodiscard]] Result<std::vector<SealDuty>> due_seal_proofs(const Wanted& wanted) override;
    [[nodiscard]] Result<std::vector<DueUpdate>> due_updates(const Wanted& wanted) override;
    [[nodiscard]] Result<std::optional<Registration>> registration(
        const ChainId& chain_id) override;
    [[nodiscard]] Result<std::optional<OwnedChain>> chain_of_replica(
        const ReplicaId& replica_id) override;
    [[nodiscard]] Result<std::vector<OwnedChain>> chains_of(const PublicKey& prover) override;
    [[nodiscard]] Result<std::vector<ObjectOutcome>> accept(std::span<const ByteView> objects,
                                                            const SealCheck& check) override;
    [[nodiscard]] Status list(Kind kind, ByteView object) override;
    [[nodiscard]] Status begin_pass() override;
    [[nodiscard]] Result<std::vector<FollowedChain>> followed_chains();

  private:
    template <class Call>
    auto guarded(const Call& call) -> decltype(call());

    ProverHosts& hosts_;
    FollowDuties& duties_;
    HeightTimeline& timeline_;
};

}  // namespace holdfast::node
