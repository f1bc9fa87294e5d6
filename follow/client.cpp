#include "follow/client.hpp"

#include <algorithm>

namespace holdfast {
namespace {}  // namespace

FollowClient::FollowClient(Request request, const FollowClientOptions& options)
    : request_(std::move(request)), options_(options) {}

// Spec 14: nothing is used that contradicts what was said before.
Status FollowClient::note(Height height, const Known& said) {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(height);
    if (found == known_.end()) {
        known_.emplace(height, said);
    } else {
        if (found->second.hash != said.hash)
            return fail_refused(Reason::kWrongBlock, kFollowedNode);
        if (found->second.y && said.y && *found->second.y != *said.y) {
            return fail_refused(Reason::kVdfOutputMismatch, kFollowedNode);
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
        return fail_refused(Reason::kWrongBlock, kFollowedNode);
    }
    return {};
}

Result<FollowTip> FollowClient::tip() {
    const std::optional<Height> least = newest_told();
    Result<FollowTip> said = ask_for<FollowTip>(TipQuestion{});
    if (!said && said.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kUnavailable, said.error().message);
    }
    if (!said) return said;
    HOLDFAST_TRY(note_tip(said->height, said->hash, least));
    return said;
}

Status FollowClient::note_block(Height height, const BlockHash& hash) {
    return note(height, {hash, std::nullopt});
}

std::optional<Height> FollowClient::newest_told() const {
    const std::lock_guard lock(mutex_);
    return newest_;
}

Status FollowClient::note_tip(Height height, const BlockHash& hash,
                              const std::optional<Height>& least) {
    if (least && height < *least) return fail_refused(Reason::kWrongHeight, kFollowedNode);
    HOLDFAST_TRY(note_block(height, hash));
    const std::lock_guard lock(mutex_);
    newest_ = std::max(newest_.value_or(height), height);
    return {};
}

Result<FollowHeight> FollowClient::at(Height height) {
    HOLDFAST_ASSIGN(said, ask_for<FollowHeight>(HeightQuestion{height}));
    if (said.height != height) return fail_refused(Reason::kWrongHeight, kFollowedNode);
    HOLDFAST_TRY(check_parent(said));
    HOLDFAST_TRY(note(height, {said.block_hash, said.y}));
    return said;
}

Result<FollowOutput> FollowClient::output(Height height) {
    Result<FollowOutput> said = ask_for<FollowOutput>(OutputQuestion{height});
    if (!said) return said;
    if (said->block.height != height) return fail_refused(Reason::kWrongHeight, kFollowedNode);
    HOLDFAST_TRY(note(height, {said->block.hash, std::nullopt}));
    return said;
}

/// Under list_mutex_. Spec 14: the list is the one named.
Status FollowClient::fetch_list(const FollowHeight& height) {
    if (list_hash_ == height.list_hash) return {};
    if (height.chains > options_.max_chains) return fail_refused(Reason::kTooLarge, kFollowedNode);
    list_hash_.reset();
    list_.clear();
    while (list_.size() < height.chains) {
        const auto first = static_cast<std::uint32_t>(list_.size());
        HOLDFAST_ASSIGN(page, ask_for<FollowChains>(ChainsQuestion{
                                  height.height, first,
                                  std::min(options_.page_chains, height.chains - first)}));
        if (page.height != height.height) return fail_refused(Reason::kWrongHeight, kFollowedNode);
        const bool fits = page.list_hash == height.list_hash && page.total == height.chains &&
                          page.first == first && !page.chains.empty() &&
                          page.chains.size() <= options_.page_chains &&
                          (list_.empty() || list_.back().id < page.chains.front().id);
        if (!fits) return fail_refused(Reason::kBadIndex, kFollowedNode);
        list_.insert(list_.end(), page.chains.begin(), page.chains.end());
    }
    if (follow_list_hash(list_) != height.list_hash)
        return fail_refused(Reason::kRootMismatch, kFollowedNode);
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
                        " bytes: above what travels to " + std::string(kFollowedNode));
    }
    const Result<FollowAnswer> answer = ask_node(request_, object);
    if (!answer) return fail(answer.error());
    if (std::holds_alternative<FollowTaken>(*answer)) return {};
    if (std::holds_alternative<HandedOvers>(*answer)) return {};
    const auto* refused = std::get_if<FollowRefused>(&*answer);
    return fail_refused(refused == nullptr ? Reason::kBadKind : refused->reason, kFollowedNode);
}

Result<std::vector<Submission>> FollowClient::submissions_at(Height) {
    return fail(ErrorCode::kUnsupported, "followers are not told what blocks list");
}

Result<std::vector<BondEvent>> FollowClient::bond_events_at(Height) {
    return fail(ErrorCode::kUnsupported, "followers are not told what blocks list");
}

}  // namespace holdfast
