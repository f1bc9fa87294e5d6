// What the challenger's daemon does with blocks and time: tells the engine, draws, works,
// publishes.
//
// Two threads: the follower's (on_height, on_y) and one that calls run(). Everything that waits for
// a peer or the chain is done by run(), so that blocks are always taken in when they come.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "availability/challenger.hpp"
#include "follow/client.hpp"
#include "node/host_follower.hpp"
#include "node/log.hpp"

namespace holdfast::node {

/// A challenger's network that does not let failures of this side's own count against a peer.
class CautiousNetwork final : public Network {
  public:
    /// `reachable`: whether the followed node answers.
    CautiousNetwork(Network& inner, std::function<bool()> reachable, Log& log)
        : inner_(inner), reachable_(std::move(reachable)), log_(log) {}

    Result<std::vector<Peer>> peers() override { return inner_.peers(); }
    Result<std::vector<std::uint64_t>> measure_latency(const PublicKey& peer, std::uint32_t samples,
                                                       std::uint32_t timeout_ms) override {
        return inner_.measure_latency(peer, samples, timeout_ms);
    }
    Result<ChallengeReply> send_challenge(const PublicKey& peer, ByteView challenge,
                                          std::uint32_t deadline_ms) override;
    Result<std::vector<VantageReport>> verify_place(const PublicKey& peer, const Place& claimed,
                                                    std::uint32_t timeout_ms) override {
        return inner_.verify_place(peer, claimed, timeout_ms);
    }
    /// Challenges that could not leave, for lack of an address.
    [[nodiscard]] std::uint64_t unknown() const { return unknown_.load(); }

  private:
    Network& inner_;
    const std::function<bool()> reachable_;
    Log& log_;
    std::atomic<std::uint64_t> unknown_{0};
};

/// What a challenger has done since its daemon started.
struct ChallengeCounts {
    ChallengerReport report;
    std::uint64_t rounds = 0;   // drawn
    std::uint64_t skipped = 0;  // blocks that were not seen arriving, or without y in time
    std::uint64_t planned = 0;
    std::uint64_t published = 0;
    std::uint64_t publish_refused = 0;  // objects that the chain refused
    bool in_force = false;              // this key, at the newest height
    std::string error;                  // of the newest step; empty: none
    struct Round {
        Height height;
        std::uint64_t chains = 0;
        std::uint64_t challenges = 0;
    };
    static constexpr std::size_t kRecentRounds = 32;
    std::deque<Round> recent;  // the newest first
};

class ChallengeLoop {
  public:
    ChallengeLoop(AvailabilityChallenger& engine, FollowClient& client, const PublicKey& key,
                  Log& log);

    void on_height(const FollowHeight& height, bool seen_arriving);
    void on_y(Height height, const VdfOutput& y);
    /// Draws, works and publishes until `stop`.
    void run(const StopCheck& stop);
    [[nodiscard]] ChallengeCounts counts() const;

  private:
    /// Wakes at once for a new block or y, otherwise after at most `ms`.
    void wait(std::uint64_t ms);
    Status draw();
    Status work(const StopCheck& stop);
    Status publish();
    Status step(const StopCheck& stop);

    AvailabilityChallenger& engine_;
    FollowClient& client_;
    const PublicKey key_;
    Log& log_;

    mutable std::mutex mutex_;  // guards everything below
    std::condition_variable changed_;
    bool news_ = false;
    std::optional<Height> to_draw_;     // its round is not drawn yet
    std::optional<Height> to_publish_;  // the tip at which something may have to be published
    ChallengeCounts counts_;
};

}  // namespace holdfast::node
