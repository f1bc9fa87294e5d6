#include "node/verified_output.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "proofs/journal.hpp"
#include "storage/randomness.hpp"

namespace holdfast::node {
namespace {

constexpr std::size_t kWantedHeights = 2;  // the tip and the one that is challenged now
constexpr std::uint64_t kKeptProofs = 16;  // and those of epoch sources
constexpr std::chrono::milliseconds kAskAgainAfter{500};  // sooner where y is told
constexpr std::chrono::milliseconds kStopLook{20};

}  // namespace

std::string_view to_string(OutputTrust trust) {
    return trust == OutputTrust::kFull ? "verified" : "operator";
}

std::optional<OutputTrust> parse_output_trust(std::string_view word) {
    for (const OutputTrust trust : {OutputTrust::kFull, OutputTrust::kOperator}) {
        if (word == to_string(trust)) return trust;
    }
    return std::nullopt;
}

// --- the followed node as a host chain -----------------------------------------------------------

FollowedHeights::FollowedHeights(const NetworkParams& params, FollowClient& client)
    : client_(client), heights_(params) {}

Result<FollowOutput> FollowedHeights::fetch(Height height) {
    Result<FollowOutput> said = client_.output(height);
    if (!said) return said;
    if (heights_.heights().size() >= kKept) heights_ = PublicRecord(heights_.params());
    heights_.set_height({said->block, said->beacon, std::nullopt, std::nullopt});
    return said;
}

Result<Height> FollowedHeights::current_height() { return client_.current_height(); }

Result<BlockInfo> FollowedHeights::block_by_height(Height height) {
    const auto known = heights_.heights().find(height);
    if (known != heights_.heights().end()) return known->second.block;
    const Result<FollowOutput> said = fetch(height);
    if (!said) return fail(said.error());
    return said->block;
}

Status FollowedHeights::submit(Kind, ByteView) {
    return fail(ErrorCode::kPermission, "a clock publishes nothing");
}
Result<std::vector<Submission>> FollowedHeights::submissions_at(Height height) {
    return client_.submissions_at(height);
}
Result<std::vector<BondEvent>> FollowedHeights::bond_events_at(Height height) {
    return client_.bond_events_at(height);
}

Result<BeaconRound> FollowedHeights::randomness(std::uint64_t round) {
    return PublicBeacon(heights_).randomness(round);
}
Status FollowedHeights::verify(std::uint64_t round, const BeaconRound& value) {
    return PublicBeacon(heights_).verify(round, value);
}

// --- verifying -----------------------------------------------------------------------------------

VerifiedOutput::VerifiedOutput(const NetworkParams& params, FollowClient& client,
                               const VerifiedOutputOptions& options, Log& log, OnOutput on_y)
    : params_(params),
      network_id_(params.id()),
      options_(options),
      log_(log),
      on_y_(std::move(on_y)),
      heights_(params, client) {}

Result<std::unique_ptr<VerifiedOutput>> VerifiedOutput::open(const NetworkParams& params,
                                                             FollowClient& client,
                                                             const VerifiedOutputOptions& options,
                                                             Log& log, OnOutput on_y) {
    std::unique_ptr<VerifiedOutput> out(
        new VerifiedOutput(params, client, options, log, std::move(on_y)));
    VdfClockOptions clock;
    clock.folder = options.folder;
    clock.threads = options.threads;
    clock.fill_ahead = false;
    clock.proofs = [self = out.get()](Height height, const Seed&) {
        return self->proof_of(height);
    };
    // A source whose proof the node does not hand over counts as one without y: a lie leads to an
    // arena under which no proof holds, unless somebody evaluated in it.
    clock.closed_without_y = [self = out.get()](Height height) -> Result<std::optional<bool>> {
        const Result<FollowOutput> said = self->heights_.fetch(height);
        if (!said) return fail(said.error());
        return std::optional(said->proof.empty());
    };
    HOLDFAST_ASSIGN(opened,
                    VdfClock::open(params, out->heights_, &out->heights_, std::nullopt, clock));
    out->clock_.emplace(std::move(opened));
    return out;
}

Result<VdfProof> VerifiedOutput::proof_of(Height height) {
    const Result<FollowOutput> said = heights_.fetch(height);
    if (!said) return fail(said.error());
    if (said->proof.empty()) {
        return fail(ErrorCode::kUnavailable, "the followed node has no proof of y of height " +
                                                 std::to_string(height.value) + " (yet)");
    }
    const Checked<ByteView> body = unwrap_object(Kind::kVdfProof, said->proof);
    if (!body) return fail_refused(body.error(), "the followed node's VDF proof");
    Checked<VdfProof> proof = VdfProof::decode(*body);
    if (!proof) return fail_refused(proof.error(), "the followed node's VDF proof");
    return std::move(*proof);
}

// Spec 15.8: a head of the operator covers it, and no spot check has refuted it.
Result<VdfOutput> VerifiedOutput::covered(Height height, const StopCheck& stop) {
    const Result<FollowOutput> said = heights_.fetch(height);
    if (!said) return fail(said.error());
    if (!said->cover) {
        return fail(ErrorCode::kUnavailable, "no head of the operator covers y of height " +
                                                 std::to_string(height.value) + " (yet)");
    }
    HOLDFAST_ASSIGN(proof, proof_of(height));
    const OutputCover& cover = *said->cover;
    const Bytes entry = encode_entry(OutputEntry{height, proof.y});
    Verdict v = check_head(params_, network_id_, cover.head);
    if (v) v = check_entry(cover.head, cover.entry, entry, cover.path);
    if (!v) return fail_refused(v, "the head over y of height " + std::to_string(height.value));
    HOLDFAST_ASSIGN(block, heights_.block_by_height(cover.head.height));
    if (block.hash != cover.head.block_hash) {
        return fail_refused(Reason::kWrongBlock, "the operator's head");
    }
    Digest randomness;
    HOLDFAST_TRY(random_bytes(randomness.bytes));
    VdfClockWork work;
    work.stop = stop;
    HOLDFAST_ASSIGN(spot, clock_->spot_check(proof, options_.spot_segments, randomness, work));
    if (proof.height != height) spot = Reason::kWrongHeight;
    if (!spot)
        return fail_refused(spot, "the proof of y of height " + std::to_string(height.value));
    return proof.y;
}

Result<VdfOutput> VerifiedOutput::verify(Height height, const StopCheck& stop) {
    if (params_.has_vdf && options_.trust == OutputTrust::kOperator) return covered(height, stop);
    VdfClockWork work;
    work.stop = stop;
    HOLDFAST_ASSIGN(entropy, clock_->at(height, work));
    if (height.value >= kKeptProofs) HOLDFAST_TRY(clock_->prune(height - kKeptProofs + 1));
    return entropy.y;
}

// --- what is wanted ------------------------------------------------------------------------------

void VerifiedOutput::want(Height height, const std::optional<VdfOutput>& told) {
    const std::lock_guard lock(mutex_);
    news_ = true;
    if (tip_ && height <= *tip_ && !wanted_.contains(height)) return;
    tip_ = std::max(tip_.value_or(height), height);
    std::optional<VdfOutput>& known = wanted_[height];
    if (told) known = told;
    while (wanted_.size() > kWantedHeights) {
        wanted_.erase(wanted_.begin());
        ++status_.missed;
        ++status_.missed_in_row;
    }
}

std::vector<Height> VerifiedOutput::waiting() const {
    const std::lock_guard lock(mutex_);
    std::vector<Height> out;
    for (const auto& [height, told] : wanted_) out.push_back(height);
    return out;
}

bool VerifiedOutput::still_wanted(Height height) const {
    const std::lock_guard lock(mutex_);
    return wanted_.contains(height);
}

void VerifiedOutput::take(Height height, const VdfOutput& y) {
    bool lied = false;
    {
        const std::lock_guard lock(mutex_);
        const auto told = wanted_.find(height);
        lied = told != wanted_.end() && told->second && *told->second != y;
        wanted_.erase(height);
        ++status_.verified;
        status_.missed_in_row = 0;
        status_.false_told += lied ? 1 : 0;
        status_.newest = height;
        status_.error.clear();
    }
    if (lied) log_.error("y.false", {{"height", height}});
    log_.debug("y.verified", {{"height", height}});
    on_y_(height, y);
}

void VerifiedOutput::note_failure(Height height, const Error& error) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = status_.error.empty();
        status_.error = error.message;
    }
    if (first && error.code != ErrorCode::kUnavailable) {
        log_.warn("y.unverified", {{"height", height}, {"error", error.message}});
    }
}

void VerifiedOutput::step(Height height, const StopCheck& stop) {
    const Result<VdfOutput> y = verify(height, [&] { return stop() || !still_wanted(height); });
    if (y) {
        take(height, *y);
    } else if (y.error().code != ErrorCode::kInterrupted) {
        note_failure(height, y.error());
    }
}

void VerifiedOutput::ask(Height height) {
    const std::lock_guard lock(mutex_);
    if (wanted_.contains(height) || asked_.size() >= kMostAsked) return;
    asked_.insert(height);
    news_ = true;
}

std::optional<Height> VerifiedOutput::take_asked() {
    const std::lock_guard lock(mutex_);
    if (asked_.empty()) return std::nullopt;
    return asked_.extract(asked_.begin()).value();
}

/// Of an old height: no word on whether it was missed, and nothing told to compare with.
void VerifiedOutput::try_asked(Height height, const StopCheck& stop) {
    const Result<VdfOutput> y = verify(height, stop);
    if (!y) {
        log_.debug("y.not_verified", {{"height", height}, {"error", y.error().message}});
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        ++status_.verified;
    }
    on_y_(height, *y);
}

bool VerifiedOutput::take_news() {
    const std::lock_guard lock(mutex_);
    return std::exchange(news_, false);
}

void VerifiedOutput::run(const StopCheck& stop) {
    using Clock = std::chrono::steady_clock;
    while (!stop()) {
        for (const Height height : waiting()) step(height, stop);
        // One at a time: what is wanted goes first.
        if (const auto height = take_asked(); height && !stop()) {
            try_asked(*height, stop);
            continue;
        }
        const auto until = Clock::now() + kAskAgainAfter;
        while (!stop() && !take_news() && Clock::now() < until) {
            std::this_thread::sleep_for(kStopLook);
        }
    }
}

VerifiedOutputStatus VerifiedOutput::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

}  // namespace holdfast::node
