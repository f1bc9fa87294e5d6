#include "node/follow_duties.hpp"

#include <algorithm>
#include <utility>

#include "node/at_once.hpp"
#include "proofs/link.hpp"

namespace holdfast::node {
namespace {

constexpr std::size_t kKeptPlaces = 4'096;   // heights whose block and anchor are remembered
constexpr std::size_t kKeptOutputs = 4'096;  // y

/// No such height there, or it is over: nothing is owed for it any more.
bool is_over(const Error& error) { return error.code == ErrorCode::kNotFound; }

/// Out of what was fetched before, once; empty: it was not.
template <class Due>
std::optional<std::vector<Due>> taken_from(std::map<Height, std::vector<Due>>& lists,
                                           Height height) {
    const auto found = lists.find(height);
    if (found == lists.end()) return std::nullopt;
    std::vector<Due> out = std::move(found->second);
    lists.erase(found);
    return out;
}

/// Nothing is due of a height that is over.
template <class Due>
Result<std::vector<Due>> or_nothing(Result<std::vector<Due>> due) {
    if (!due && is_over(due.error())) return std::vector<Due>();
    return due;
}

template <class Due>
std::vector<Due> only(std::vector<Due> due, const DutySource::Wanted& wanted) {
    if (wanted) std::erase_if(due, [&](const Due& d) { return !wanted(d.chain_id); });
    return due;
}

template <class Map>
void keep_newest(Map& map, std::size_t most) {
    while (map.size() > most) map.erase(map.begin());
}

OwnedChain owned(const FollowedChain& chain) {
    return {chain.chain_id, chain.replica_id, chain.sealed_root, chain.phase, chain.status};
}

}  // namespace

FollowDuties::FollowDuties(const NetworkParams& params, const PublicKey& prover,
                           std::vector<DutyNode> nodes, VerifiedY verified, Acknowledgements& store,
                           std::span<const LinkPlace> signed_at)
    : params_(params),
      network_id_(params.id()),
      prover_(prover),
      nodes_(std::move(nodes)),
      verified_(std::move(verified)),
      outbox_(params, store) {
    // Where several are on record for a height, nothing says which of them is final.
    for (std::size_t i = 0; i < signed_at.size(); ++i) {
        const LinkPlace& at = signed_at[i];
        const bool one = (i == 0 || signed_at[i - 1].height != at.height) &&
                         (i + 1 == signed_at.size() || signed_at[i + 1].height != at.height);
        if (one) places_.emplace(at.height, Place{at.block_hash, at.anchor});
    }
}

void FollowDuties::follow(std::size_t node) {
    const std::lock_guard lock(mutex_);
    const std::size_t wanted = std::min(node, nodes_.size() - 1);
    if (asked_ == wanted) return;
    asked_ = wanted;
    chains_at_.reset();
    gathered_ = false;
    links_.clear();
    proofs_.clear();
}

std::vector<DutyNode> FollowDuties::nodes() const {
    const std::lock_guard lock(mutex_);
    std::vector<DutyNode> out(nodes_);
    std::rotate(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(asked_), out.end());
    return out;
}

OutboxStatus FollowDuties::status() const {
    OutboxStatus out = outbox_.status();
    const std::lock_guard lock(mutex_);
    out.bad_answers += bad_answers_;
    return out;
}

// --- heights -------------------------------------------------------------------------------------

Status FollowDuties::remember(Height height, const Place& place) {
    const std::lock_guard lock(mutex_);
    const auto [known, is_new] = places_.try_emplace(height, place);
    if (is_new) {
        keep_newest(places_, kKeptPlaces);
        return {};
    }
    const std::string what = std::string(kFollowedNode) + ", of height " +
                             std::to_string(height.value) + " (another was told before)";
    if (known->second.block_hash != place.block_hash) {
        return fail_refused(Reason::kWrongBlock, what);
    }
    if (known->second.anchor != place.anchor) return fail_refused(Reason::kWrongAnchor, what);
    return {};
}

Result<DutyHeights> FollowDuties::heights_of(std::size_t node) {
    HOLDFAST_ASSIGN(said, nodes_.at(node).duties->heights());
    for (const auto* list : {&said.open, &said.proven}) {
        for (const DutyHeight& h : *list) {
            const Status same = remember(h.height, {h.block_hash, h.anchor});
            if (same) continue;
            const std::lock_guard lock(mutex_);
            ++bad_answers_;
            return fail(same.error());
        }
    }
    return said;
}

Status FollowDuties::refresh() {
    std::size_t node = 0;
    {
        const std::lock_guard lock(mutex_);
        node = asked_;
    }
    HOLDFAST_ASSIGN(said, heights_of(node));
    const std::lock_guard lock(mutex_);
    heights_ = std::move(said);
    return {};
}

Status FollowDuties::compare(std::size_t node) {
    HOLDFAST_ASSIGN(said, heights_of(node));
    (void)said;
    return {};
}

Height FollowDuties::told_tip() const {
    const std::lock_guard lock(mutex_);
    return heights_.tip;
}

std::optional<DutyHeight> FollowDuties::find(Height height) const {
    const std::lock_guard lock(mutex_);
    for (const auto* list : {&heights_.open, &heights_.proven}) {
        const auto at = std::find_if(list->begin(), list->end(),
                                     [&](const DutyHeight& h) { return h.height == height; });
        if (at != list->end()) return *at;
    }
    return std::nullopt;
}

Result<std::optional<Height>> FollowDuties::tip() {
    const Status told = refresh();
    if (told) return std::optional(told_tip());
    if (told.error().code == ErrorCode::kUnavailable) return std::optional<Height>();
    return fail(told.error());
}

Result<std::vector<Height>> FollowDuties::heights(std::vector<DutyHeight> DutyHeights::* list) {
    const auto known = [&] {
        const std::lock_guard lock(mutex_);
        return gathered_;
    };
    if (!known()) HOLDFAST_TRY(refresh());
    const std::lock_guard lock(mutex_);
    std::vector<Height> out;
    for (const DutyHeight& h : heights_.*list) out.push_back(h.height);
    return out;
}

Result<std::vector<Height>> FollowDuties::open_heights() { return heights(&DutyHeights::open); }
Result<std::vector<Height>> FollowDuties::proof_heights() { return heights(&DutyHeights::proven); }

Result<std::optional<VdfOutput>> FollowDuties::verified(Height height) {
    {
        const std::lock_guard lock(mutex_);
        const auto known = outputs_.find(height);
        if (known != outputs_.end()) return std::optional(known->second);
    }
    const Result<VdfOutput> y = verified_(height);
    if (!y && y.error().code == ErrorCode::kInterrupted) return fail(y.error());
    if (!y) return std::optional<VdfOutput>();
    const std::lock_guard lock(mutex_);
    outputs_.emplace(height, *y);
    keep_newest(outputs_, kKeptOutputs);
    return std::optional(*y);
}

Result<KnownHeight> FollowDuties::known_height(Height height) {
    const std::optional<DutyHeight> said = find(height);
    if (!said) {
        return fail(ErrorCode::kUnavailable, "height " + std::to_string(height.value) +
                                                 " is neither open nor are proofs of it taken");
    }
    KnownHeight out;
    out.height = height;
    out.block_hash = said->block_hash;
    out.anchor = said->anchor;
    // Where the node has no y nothing counts; what it is, it is not believed.
    if (!said->has_y) return out;
    HOLDFAST_ASSIGN(y, verified(height));
    out.y = y;
    const Height draw = compact_draw_height(params_, height);
    if (!y || draw > told_tip()) return out;
    HOLDFAST_ASSIGN(y_compact, verified(draw));
    out.y_compact = y_compact;
    return out;
}

// --- a pass --------------------------------------------------------------------------------------

/// Of the heights that were told last: those that can be worked at, as far as y is verified here.
/// That the node has had y since is taken for granted.
Result<std::set<FollowDuties::List>> FollowDuties::lists_to_ask() {
    DutyHeights said;
    {
        const std::lock_guard lock(mutex_);
        said = heights_;
    }
    std::set<List> out;
    for (const DutyHeight& h : said.open) {
        HOLDFAST_ASSIGN(y, verified(h.height));
        if (y) out.insert({false, h.height});
    }
    for (const DutyHeight& h : said.proven) {
        const Height draw = compact_draw_height(params_, h.height);
        if (!h.has_y || draw > said.tip) continue;
        HOLDFAST_ASSIGN(y, verified(h.height));
        HOLDFAST_ASSIGN(y_compact, verified(draw));
        if (y && y_compact) out.insert({true, h.height});
    }
    return out;
}

/// What cannot be fetched now is asked for again when it is needed, and its error told then.
void FollowDuties::fetch(const List& list) {
    const DutyNode node = asked();
    if (list.proofs) {
        auto due = or_nothing(node.duties->due_proofs(prover_, list.height));
        const std::lock_guard lock(mutex_);
        if (due) proofs_[list.height] = std::move(*due);
    } else {
        auto due = or_nothing(node.duties->due_links(prover_, list.height));
        const std::lock_guard lock(mutex_);
        if (due) links_[list.height] = std::move(*due);
    }
}

/// The heights, and beside them the lists of those that were told before; then the lists of those
/// that are new.
Status FollowDuties::gather() {
    {
        const std::lock_guard lock(mutex_);
        gathered_ = false;
        links_.clear();
        proofs_.clear();
    }
    HOLDFAST_ASSIGN(before, lists_to_ask());
    const std::vector<List> first(before.begin(), before.end());
    Status told;
    at_once(1 + first.size(), [&](std::size_t i) {
        if (i == 0) {
            told = refresh();
        } else {
            fetch(first[i - 1]);
        }
    });
    HOLDFAST_TRY(told);
    HOLDFAST_ASSIGN(now, lists_to_ask());
    std::vector<List> fresh;
    std::set_difference(now.begin(), now.end(), before.begin(), before.end(),
                        std::back_inserter(fresh));
    at_once(fresh.size(), [&](std::size_t i) { fetch(fresh[i]); });
    const std::lock_guard lock(mutex_);
    gathered_ = true;
    return {};
}

Status FollowDuties::begin_pass() {
    if (outbox_.has_waiting()) {
        HOLDFAST_TRY(refresh());
        HOLDFAST_TRY(outbox_.hand_over_again(nodes(), told_tip()));
    }
    return gather();
}

// --- what is owed --------------------------------------------------------------------------------

Result<std::vector<DueLink>> FollowDuties::due_links(Height height, const Wanted& wanted) {
    std::optional<std::vector<DueLink>> fetched;
    {
        const std::lock_guard lock(mutex_);
        fetched = taken_from(links_, height);
    }
    if (fetched) return only(std::move(*fetched), wanted);
    HOLDFAST_ASSIGN(due, or_nothing(asked().duties->due_links(prover_, height)));
    return only(std::move(due), wanted);
}

Result<std::vector<DueProof>> FollowDuties::due_proofs(Height height, const Wanted& wanted) {
    std::optional<std::vector<DueProof>> fetched;
    {
        const std::lock_guard lock(mutex_);
        fetched = taken_from(proofs_, height);
    }
    if (fetched) return only(std::move(*fetched), wanted);
    HOLDFAST_ASSIGN(due, or_nothing(asked().duties->due_proofs(prover_, height)));
    return only(std::move(due), wanted);
}

Result<std::vector<SealDuty>> FollowDuties::due_seal_proofs(const Wanted& wanted) {
    HOLDFAST_ASSIGN(said, asked().duties->seal_duties(prover_));
    const auto under_way = outbox_.seal_proofs();
    std::vector<SealDuty> out;
    for (const FollowedDuty& duty : only(std::move(said), wanted)) {
        const bool open = duty.kind == SealProofKind::kAudit || duty.deadline >= told_tip();
        if (!duty.y_height || !open) continue;
        if (under_way.contains({duty.chain_id, *duty.y_height})) continue;
        HOLDFAST_ASSIGN(y, verified(*duty.y_height));
        if (!y) continue;
        out.push_back(
            {duty.chain_id, duty.kind, duty.drawn, duty.y_height, y, duty.deadline, duty.missed});
    }
    return out;
}

Status FollowDuties::fetch_chains() {
    Height tip;
    {
        const std::lock_guard lock(mutex_);
        tip = heights_.tip;
        if (chains_at_ == tip) return {};
    }
    HOLDFAST_ASSIGN(chains, asked().duties->chains_of(prover_));
    const std::lock_guard lock(mutex_);
    chains_ = std::move(chains);
    by_replica_.clear();
    for (std::size_t i = 0; i < chains_.size(); ++i) by_replica_[chains_[i].replica_id] = i;
    chains_at_ = tip;
    return {};
}

Result<std::vector<FollowedChain>> FollowDuties::followed_chains() {
    HOLDFAST_TRY(fetch_chains());
    const std::lock_guard lock(mutex_);
    return chains_;
}

Result<std::vector<DueUpdate>> FollowDuties::due_updates(const Wanted& wanted) {
    HOLDFAST_ASSIGN(chains, followed_chains());
    std::vector<DueUpdate> out;
    for (const FollowedChain& chain : chains) {
        if (!chain.update_due || (wanted && !wanted(chain.chain_id))) continue;
        out.push_back({chain.chain_id, chain.last_sequence + 1, *chain.update_due});
    }
    return out;
}

Result<std::optional<Registration>> FollowDuties::registration(const ChainId& chain_id) {
    {
        const std::lock_guard lock(mutex_);
        const auto known = registrations_.find(chain_id);
        if (known != registrations_.end()) return std::optional(known->second);
    }
    HOLDFAST_ASSIGN(said, asked().duties->registration(chain_id));
    if (said) {
        const std::lock_guard lock(mutex_);
        registrations_.emplace(chain_id, *said);
    }
    return said;
}

Result<std::optional<OwnedChain>> FollowDuties::chain_of_replica(const ReplicaId& replica_id) {
    HOLDFAST_TRY(fetch_chains());
    const std::lock_guard lock(mutex_);
    const auto found = by_replica_.find(replica_id);
    if (found == by_replica_.end()) return std::optional<OwnedChain>();
    return std::optional(owned(chains_[found->second]));
}

Result<std::vector<OwnedChain>> FollowDuties::chains_of(const PublicKey& prover) {
    if (prover != prover_) {
        return fail(ErrorCode::kInvalidArgument, "chains of another key than the prover's");
    }
    HOLDFAST_ASSIGN(chains, followed_chains());
    std::vector<OwnedChain> out;
    out.reserve(chains.size());
    for (const FollowedChain& chain : chains) out.push_back(owned(chain));
    return out;
}

// --- what is handed over -------------------------------------------------------------------------

Result<std::vector<ObjectOutcome>> FollowDuties::accept(std::span<const ByteView> objects,
                                                        const SealCheck&) {
    return outbox_.hand_over(nodes(), told_tip(), objects);
}

Status FollowDuties::list(Kind kind, ByteView object) {
    const std::vector<DutyNode> all = nodes();
    std::vector<Status> said(all.size());
    at_once(all.size(), [&](std::size_t k) { said[k] = all[k].client->submit(kind, object); });
    const bool taken =
        std::any_of(said.begin(), said.end(), [](const Status& one) { return one.has_value(); });
    return taken ? Status() : said.front();
}

}  // namespace holdfast::node
