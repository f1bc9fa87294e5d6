#include "node/challenge_loop.hpp"

#include <algorithm>
#include <chrono>

namespace holdfast::node {
namespace {

constexpr std::uint64_t kMostWaitMs = 100;    // so that a stop is noticed
constexpr std::uint64_t kAfterErrorMs = 500;  // before a step that failed is tried again

/// The chain as publish() wants it: what is refused for good must not hold up what comes behind it.
class PublishingChain final : public Blockchain {
  public:
    PublishingChain(FollowClient& client, Log& log) : client_(client), log_(log) {}

    Result<Height> current_height() override { return client_.current_height(); }
    Result<BlockInfo> block_by_height(Height h) override { return client_.block_by_height(h); }
    Result<std::vector<Submission>> submissions_at(Height h) override {
        return client_.submissions_at(h);
    }
    Result<std::vector<BondEvent>> bond_events_at(Height h) override {
        return client_.bond_events_at(h);
    }
    Status submit(Kind kind, ByteView object) override {
        const Status taken = client_.submit(kind, object);
        if (taken) return {};
        const ErrorCode code = taken.error().code;
        if (code != ErrorCode::kRefused && code != ErrorCode::kInvalidArgument) return taken;
        log_.error("publish.refused", {{"kind", to_string(kind)}, {"why", taken.error().message}});
        ++refused;
        return {};
    }

    std::uint64_t refused = 0;

  private:
    FollowClient& client_;
    Log& log_;
};

void add(ChallengerReport& sum, const ChallengerReport& one) {
    sum.sent += one.sent;
    sum.served += one.served;
    sum.late += one.late;
    sum.invalid += one.invalid;
    sum.unreachable += one.unreachable;
    sum.abandoned += one.abandoned;
    sum.times.add(one.times);
}

}  // namespace

Result<ChallengeReply> CautiousNetwork::send_challenge(const PublicKey& peer, ByteView challenge,
                                                       std::uint32_t deadline_ms) {
    Result<ChallengeReply> reply = inner_.send_challenge(peer, challenge, deadline_ms);
    if (reply) {
        log_.info("challenge.reply", {{"prover", peer},
                                      {"bytes", reply->response.size()},
                                      {"service_us", reply->service_us},
                                      {"ping_us", reply->ping_us}});
        return reply;
    }
    log_.warn("challenge.no_answer", {{"prover", peer}, {"why", reply.error().message}});
    const ErrorCode code = reply.error().code;
    if (code == ErrorCode::kNotFound) {
        ++unknown_;
        return fail(ErrorCode::kUnsupported, "no address of this prover is in the settings");
    }
    const bool blames = code == ErrorCode::kTimeout || code == ErrorCode::kUnavailable;
    if (blames && !reachable_()) {
        return fail(ErrorCode::kIo, "the followed node is out of reach as well");
    }
    return reply;
}

ChallengeLoop::ChallengeLoop(AvailabilityChallenger& engine, FollowClient& client,
                             const PublicKey& key, Log& log)
    : engine_(engine), client_(client), key_(key), log_(log) {}

void ChallengeLoop::on_height(const FollowHeight& height, bool seen_arriving) {
    if (seen_arriving) engine_.on_final_block(height.height);
    {
        const std::lock_guard lock(mutex_);
        counts_.in_force = std::any_of(height.challengers.begin(), height.challengers.end(),
                                       [this](const ChallengerPart& c) { return c.key == key_; });
        if (to_draw_ || !seen_arriving) ++counts_.skipped;
        to_draw_.reset();
        if (seen_arriving && height.height.value > 0) to_draw_ = height.height - 1;
        to_publish_ = height.height;
        news_ = true;
    }
    log_.debug("block.final", {{"height", height.height}, {"seen_arriving", seen_arriving}});
    changed_.notify_all();
}

void ChallengeLoop::on_y(Height, const VdfOutput&) {
    {
        const std::lock_guard lock(mutex_);
        news_ = true;
    }
    changed_.notify_all();
}

void ChallengeLoop::wait(std::uint64_t ms) {
    std::unique_lock lock(mutex_);
    (void)changed_.wait_for(lock, std::chrono::milliseconds(std::min(ms, kMostWaitMs)),
                            [this] { return news_; });
    news_ = false;
}

Status ChallengeLoop::draw() {
    const std::optional<Height> height = [this] {
        const std::lock_guard lock(mutex_);
        return to_draw_;
    }();
    if (!height) return {};
    HOLDFAST_ASSIGN(round, client_.round(*height));
    if (!round) return {};  // its y may still come
    const Result<std::uint64_t> planned = engine_.draw(*round);
    const bool passed = !planned && planned.error().code == ErrorCode::kRefused;
    if (!planned && !passed) return fail(planned.error());
    {
        const std::lock_guard lock(mutex_);
        if (to_draw_ == height) to_draw_.reset();
        ++(passed ? counts_.skipped : counts_.rounds);
        if (planned) {
            counts_.planned += *planned;
            counts_.recent.push_front({*height, round->chains.size(), *planned});
            if (counts_.recent.size() > ChallengeCounts::kRecentRounds) counts_.recent.pop_back();
        }
    }
    if (passed) {
        log_.warn("round.skipped", {{"height", *height}, {"why", planned.error().message}});
    } else {
        log_.info(
            "round.drawn",
            {{"height", *height}, {"chains", round->chains.size()}, {"challenges", *planned}});
    }
    return {};
}

Status ChallengeLoop::work(const StopCheck& stop) {
    HOLDFAST_ASSIGN(done, engine_.work(stop));
    if (done.sent + done.abandoned == 0) return {};
    {
        const std::lock_guard lock(mutex_);
        add(counts_.report, done);
    }
    log_.info("challenges.judged", {{"sent", done.sent},
                                    {"served", done.served},
                                    {"late", done.late},
                                    {"invalid", done.invalid},
                                    {"unreachable", done.unreachable},
                                    {"abandoned", done.abandoned}});
    return {};
}

Status ChallengeLoop::publish() {
    const std::optional<Height> tip = [this] {
        const std::lock_guard lock(mutex_);
        return to_publish_;
    }();
    if (!tip) return {};
    PublishingChain chain(client_, log_);
    const Result<std::uint64_t> published = engine_.publish(chain);
    HOLDFAST_ASSIGN(open, client_.open_audits(key_));
    HOLDFAST_ASSIGN(answered, engine_.answer_audits(open, chain));
    if (answered > 0) log_.info("audits.answered", {{"count", answered}});
    const std::lock_guard lock(mutex_);
    counts_.publish_refused += chain.refused;
    if (!published) return fail(published.error());
    counts_.published += *published;
    if (to_publish_ == tip) to_publish_.reset();
    if (*published > 0) log_.info("outcomes.published", {{"count", *published}});
    return {};
}

/// All three, whatever becomes of the others; the first error.
Status ChallengeLoop::step(const StopCheck& stop) {
    const Status drawn = draw();
    const Status worked = work(stop);
    const Status published = publish();
    HOLDFAST_TRY(drawn);
    HOLDFAST_TRY(worked);
    return published;
}

void ChallengeLoop::run(const StopCheck& stop) {
    bool failing = false;
    while (!stop()) {
        const Status done = step(stop);
        if (!done && !failing) log_.warn("challenge.step", {{"error", done.error().message}});
        failing = !done;
        {
            const std::lock_guard lock(mutex_);
            counts_.error = done ? "" : done.error().message;
        }
        const auto due = engine_.next_due_ms();
        const std::uint64_t next = due ? due->value_or(kMostWaitMs) : kAfterErrorMs;
        wait(failing ? std::max<std::uint64_t>(next, 20) : next);
    }
}

ChallengeCounts ChallengeLoop::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

}  // namespace holdfast::node
