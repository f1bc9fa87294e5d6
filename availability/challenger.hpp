// The challenger's side of availability: draws, sends at a moment of its own, judges, publishes.
//
// Brings no transport and no clock: a Network sends and measures, a monotonic clock is handed in,
// the host says what has become final. Nothing of a peer's but the bytes of its response takes part
// in a verdict. One height, with the newest final block at h + 1:
//
//   draw        which chains are assigned to this key and hit the probability; planned durably
//   work        sends what is due, each once, recorded before it leaves; judges what comes back
//   publish     after final block h + 2: challenge, outcome, and evidence where there is some
//
// A challenge leaves at a moment that follows from the reveal, so that nobody else knows it and a
// restart does not change it: between `margin` after block h + 1 and `margin` before block h + 2 is
// expected, margin being an eighth of a block time, at most five seconds; a prover whose view of
// the chain lags by less is neither too early nor too late. What the response is worth:
//
//   served       signed, right, and service time <= deadline_ms, to the microsecond
//   invalid      signed by the prover for this challenge and wrong, whenever it came: evidence
//   late         kTimeout, or anything that is no signed response: nobody can be blamed for those
//                bytes, and sending them is no way round being late
//   unreachable  kUnavailable, kNotFound
//   abandoned    failures of our own, a stop, or block h + 2 arriving before a good answer: no
//                outcome
//
// Threading: one call at a time, but on_final_block() at any time from any thread. work() starts up
// to `at_once` threads that wait for answers and joins them. Ownership: key, journal and network
// must outlive it. Spec: docs/spec.md section 8.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "availability/challenge_journal.hpp"
#include "availability/exchange.hpp"
#include "availability/peer_budget.hpp"
#include "callbacks/blockchain.hpp"
#include "callbacks/network.hpp"
#include "core/fill.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/reveal.hpp"

namespace holdfast {

/// What a challenger must know of a height in order to draw.
struct ChallengeRound : ChallengeHeight {
    std::vector<ChallengedChain> chains;
};

struct ChallengerOptions {
    unsigned at_once = 16;           // answers waited for at a time
    std::uint32_t kept_blocks = 64;  // in the journal, for operators
};

/// How long answers took: the first whose bound is not below it.
struct ServiceTimes {
    static constexpr std::array<std::uint32_t, 9> kBoundsMs = {2,   5,   10,  25,   50,
                                                               100, 250, 500, 1'000};
    std::array<std::uint64_t, kBoundsMs.size() + 1> counts{};  // the last: longer
    void add(std::uint32_t service_us);
    void add(const ServiceTimes& other);
};

struct ChallengerReport {
    std::uint64_t sent = 0;
    std::uint64_t served = 0;
    std::uint64_t late = 0;
    std::uint64_t invalid = 0;
    std::uint64_t unreachable = 0;
    std::uint64_t abandoned = 0;
    ServiceTimes times = {};  // of answers that were measured
};

/// a_0 of the reveal chain of a challenger's registration with this base. Takes 2^20 hashes.
[[nodiscard]] Result<Reveal> challenger_commitment(const NetworkId& network_id, const KeyPair& key,
                                                   Height base);
/// The time that a challenge keeps from the blocks around it.
[[nodiscard]] std::uint32_t challenge_margin_ms(const NetworkParams& params);
/// When a challenge leaves, in milliseconds after final block height + 1.
[[nodiscard]] std::uint32_t challenge_moment_ms(const NetworkParams& params, const Reveal& reveal,
                                                const ChainId& chain_id);
/// What a reply, or the lack of one, is worth. Empty: nothing can be said.
struct ReplyJudgement {
    std::optional<OutcomeKind> outcome;
    std::uint32_t service_us = 0;  // 0: not measured
    std::uint32_t ping_us = 0;
    std::optional<Response> response;  // signed by the prover: of served and invalid ones
};
[[nodiscard]] ReplyJudgement judge_reply(const NetworkParams& params,
                                         const ResponseContext& context,
                                         const Result<ChallengeReply>& reply);

class AvailabilityChallenger {
  public:
    /// `base`: of the registration of the key that is in force.
    AvailabilityChallenger(const NetworkParams& params, const KeyPair& key, Height base,
                           ChallengeJournal& journal, Network& network, MonotonicNs clock,
                           const ChallengerOptions& options = {});

    /// a_0, as in the registration. The first use of the chain takes 2^20 hashes.
    [[nodiscard]] Result<Reveal> commitment();

    /// The newest final block is here. Whoever does not call this for every block challenges less.
    void on_final_block(Height tip);
    /// Plans the challenges of a height: how many are new. kRefused (kTooEarly, kTooLate) unless
    /// the newest final block is height + 1; kRefused (kNoEntropy) without y, (kRevealExhausted)
    /// outside the reveal chain.
    [[nodiscard]] Result<std::uint64_t> draw(const ChallengeRound& round);
    /// Milliseconds until the next planned challenge is due, 0 when one is. Empty: none is planned.
    [[nodiscard]] Result<std::optional<std::uint64_t>> next_due_ms() const;
    /// Sends what is due now and judges the answers.
    [[nodiscard]] Result<ChallengerReport> work(const StopCheck& stop = {});
    /// Hands over what may be published; how many outcomes. After an error, what was not taken is
    /// handed over again by the next call.
    [[nodiscard]] Result<std::uint64_t> publish(Blockchain& chain);
    /// Hands over the responses that open audits of this key's outcomes ask for; how many were
    /// taken. What is not there any more is passed over.
    [[nodiscard]] Result<std::uint64_t> answer_audits(std::span<const ChallengeKey> open,
                                                      Blockchain& chain);

  private:
    [[nodiscard]] std::optional<Height> tip() const;
    [[nodiscard]] std::uint64_t since_tip_ms() const;
    Result<std::vector<ChallengeKey>> due(ChallengerReport& report);
    Status exchange(const JournalEntry& entry, ChallengerReport& report, std::mutex& counting);

    const NetworkParams params_;
    const NetworkId network_id_;
    const KeyPair& key_;
    ChallengeJournal& journal_;
    Network& network_;
    const MonotonicNs clock_;
    const ChallengerOptions options_;
    Result<Reveal> reveal_of(Height height);
    /// The key's reveal chain, made at the first use; under reveals_mutex_.
    Result<RevealChain*> reveals();
    std::mutex reveals_mutex_;
    const Height base_;
    std::optional<RevealChain> reveals_;

    mutable std::mutex mutex_;  // guards the two below
    std::optional<Height> tip_;
    std::uint64_t tip_ns_ = 0;  // when it came
};

}  // namespace holdfast
