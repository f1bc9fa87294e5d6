#include "follow/client.hpp"

#include <algorithm>

namespace holdfast {
namespace {

constexpr std::string_view kWho = "the node that is followed";

}  // namespace

FollowClient::FollowClient(Request request, const FollowClientOptions& options)
    : request_(std::move(request)), options_(options) {}

Result<FollowAnswer> FollowClient::ask(ByteView message) const {
    HOLDFAST_ASSIGN(bytes, request_(message));
    Checked<FollowAnswer> answer = decode_answer(bytes);
    if (!answer) return fail_refused(answer.error(), kWho);
    if (const auto* busy = std::get_if<FollowBusy>(&*answer)) {
        return fail(ErrorCode::kBusy, std::string(kWho) + " is busy; ask again in " +
                                          std::to_string(busy->retry_ms) + " ms");
    }
    return std::move(*answer);
}

template <class T>
Result<T> FollowClient::ask_for(const FollowQuestion& question) const {
    Result<FollowAnswer> answer = ask(encode_question(question));
    if (!answer) return fail(answer.error());
    if (T* wanted = std::get_if<T>(&*answer)) return std::move(*wanted);
    const auto* refused = std::get_if<FollowRefused>(&*answer);
    if (refused == nullptr) return fail_refused(Reason::kBadKind, kWho);
    if (refused->reason == Reason::kTooEarly || refused->reason == Reason::kTooLate) {
        return fail(ErrorCode::kNotFound,
                    std::string(kWho) + (refused->reason == Reason::kTooEarly
                                             ? " has no such final block yet"
                                             : " does not keep this height any more"));
    }
    return fail_refused(refused->reason, kWho);
}

// Spec 14: nothing is used that contradicts what was said before.
Status FollowClient::note(Height height, const Known& said) {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(height);
    if (found == known_.end()) {
        known_.emplace(height, said);
    } else {
        if (found->second.hash != said.hash) return fail_refused(Reason::kWrongBlock, kWho);
        if (found->second.y && said.y && *found->second.y != *said.y) {
            return fail_refused(Reason::kVdfOutputMismatch, kWho);
        }
        if (said.y) found->second.y = said.y;
    }
    while (known_.size() > kKnownHeights) known_.erase(known_.begin());
    return {};
}

// Spec 14: the parent is the block that it was told of.
Status FollowClient::check_parent(const FollowHeight& said) const {
    const std::lock_guard lock(mutex_);
    if (said.height.value == 0) return {};
    const auto parent = known_.find(said.height - 1);
    if (parent != known_.end() && parent->second.hash != said.parent) {
        return fail_refused(Reason::kWrongBlock, kWho);
    }
    return {};
}

Result<FollowTip> FollowClient::tip() {
    Result<FollowTip> said = ask_for<FollowTip>(TipQuestion{});
    if (!said && said.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kUnavailable, said.error().message);
    }
    if (!said) return said;
    {
        const std::lock_guard lock(mutex_);
        if (newest_ && said->height < *newest_) return fail_refused(Reason::kWrongHeight, kWho);
    }
    HOLDFAST_TRY(note(said->height, {said->hash, std::nullopt}));
    const std::lock_guard lock(mutex_);
    newest_ = std::max(newest_.value_or(said->height), said->height);
    return said;
}

Result<FollowHeight> FollowClient::at(Height height) {
    HOLDFAST_ASSIGN(said, ask_for<FollowHeight>(HeightQuestion{height}));
    if (said.height != height) return fail_refused(Reason::kWrongHeight, kWho);
    HOLDFAST_TRY(check_parent(said));
    HOLDFAST_TRY(note(height, {said.block_hash, said.y}));
    return said;
}

Result<FollowOutput> FollowClient::output(Height height) {
    Result<FollowOutput> said = ask_for<FollowOutput>(OutputQuestion{height});
    if (!said) return said;
    if (said->block.height != height) return fail_refused(Reason::kWrongHeight, kWho);
    HOLDFAST_TRY(note(height, {said->block.hash, std::nullopt}));
    return said;
}

/// Under list_mutex_. Spec 14: the list is the one named.
Status FollowClient::fetch_list(const FollowHeight& height) {
    if (list_hash_ == height.list_hash) return {};
    if (height.chains > options_.max_chains) return fail_refused(Reason::kTooLarge, kWho);
    list_hash_.reset();
    list_.clear();
    while (list_.size() < height.chains) {
        const auto first = static_cast<std::uint32_t>(list_.size());
        HOLDFAST_ASSIGN(page, ask_for<FollowChains>(ChainsQuestion{
                                  height.height, first,
                                  std::min(options_.page_chains, height.chains - first)}));
        if (page.height != height.height) return fail_refused(Reason::kWrongHeight, kWho);
        const bool fits = page.list_hash == height.list_hash && page.total == height.chains &&
                          page.first == first && !page.chains.empty() &&
                          page.chains.size() <= options_.page_chains &&
                          (list_.empty() || list_.back().id < page.chains.front().id);
        if (!fits) return fail_refused(Reason::kBadIndex, kWho);
        list_.insert(list_.end(), page.chains.begin(), page.chains.end());
    }
    if (follow_list_hash(list_) != height.list_hash)
        return fail_refused(Reason::kRootMismatch, kWho);
    list_hash_ = height.list_hash;
    return {};
}

Result<std::optional<ChallengeRound>> FollowClient::round(Height height) {
    HOLDFAST_ASSIGN(said, at(height));
    if (!said.y) return std::optional<ChallengeRound>();
    const std::lock_guard lock(list_mutex_);
    HOLDFAST_TRY(fetch_list(said));
    return std::optional(ChallengeRound{static_cast<ChallengeHeight&&>(said), list_});
}

Result<std::vector<ChallengeKey>> FollowClient::open_audits(const PublicKey& challenger) {
    HOLDFAST_ASSIGN(said, ask_for<FollowAudits>(AuditsQuestion{challenger}));
    return std::move(said.challenges);
}

Result<Height> FollowClient::current_height() {
    HOLDFAST_ASSIGN(newest, tip());
    return newest.height;
}

Result<BlockInfo> FollowClient::block_by_height(Height height) {
    HOLDFAST_ASSIGN(said, at(height));
    return BlockInfo{height, said.block_hash, said.parent, said.time_ms, true};
}

Status FollowClient::submit(Kind kind, ByteView object) {
    HOLDFAST_TRY([&]() -> Status {
        const auto body = unwrap_object(kind, object);
        if (!body) return fail_refused(body.error(), "submission");
        return {};
    }());
    if (object.size() > options_.max_message_bytes) {
        return fail(ErrorCode::kInvalidArgument,
                    std::string(to_string(kind)) + " of " + std::to_string(object.size()) +
                        " bytes: above what travels to " + std::string(kWho));
    }
    const Result<FollowAnswer> answer = ask(object);
    if (!answer) return fail(answer.error());
    if (std::holds_alternative<FollowTaken>(*answer)) return {};
    const auto* refused = std::get_if<FollowRefused>(&*answer);
    return fail_refused(refused == nullptr ? Reason::kBadKind : refused->reason, kWho);
}

Result<std::vector<Submission>> FollowClient::submissions_at(Height) {
    return fail(ErrorCode::kUnsupported, "followers are not told what blocks list");
}

Result<std::vector<BondEvent>> FollowClient::bond_events_at(Height) {
    return fail(ErrorCode::kUnsupported, "followers are not told what blocks list");
}

}  // namespace holdfast
