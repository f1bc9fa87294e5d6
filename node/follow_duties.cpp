#include "node/follow_duties.hpp"

#include <algorithm>
#include <utility>

#include "core/hash.hpp"
#include "proofs/link.hpp"

namespace holdfast::node {
namespace {

constexpr std::size_t kKeptPlaces = 4'096;   // heights whose block and anchor are remembered
constexpr std::size_t kKeptOutputs = 4'096;  // y
constexpr std::size_t kKeptBatches = 256;    // without an acknowledgement

bool is_bundle(ByteView object) {
    const Checked<Kind> kind = peek_kind(object);
    return kind && *kind == Kind::kBundle;
}

/// No such height there, or it is over: nothing is owed for it any more.
bool is_over(const Error& error) { return error.code == ErrorCode::kNotFound; }

/// Every object was refused by a node that takes none: one for reading only.
bool for_reading_only(const HandedBatch& batch) {
    return std::all_of(batch.objects.begin(), batch.objects.end(),
                       [](const HandedOver& o) { return o.reason == Reason::kNotOperator; });
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

ObjectOutcome outcome_of(ByteView object, const HandedOver& handed) {
    const AcknowledgedObject seen = AcknowledgedObject::of(object);
    ObjectOutcome out;
    out.kind = seen.kind;
    out.chain_id = seen.chain_id;
    out.height = seen.height;
    out.verdict = handed.reason;
    out.entry = handed.entry;
    if (!out.verdict) return out;
    out.members.resize(seen.members, Verdict::ok());
    for (const HandedOver::Member& m : handed.refused) {
        if (m.index < out.members.size()) out.members[m.index] = m.reason;
    }
    return out;
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
      store_(store) {
    // Where several are on record for a height, nothing says which of them is final.
    for (std::size_t i = 0; i < signed_at.size(); ++i) {
        const LinkPlace& at = signed_at[i];
        const bool one = (i == 0 || signed_at[i - 1].height != at.height) &&
                         (i + 1 == signed_at.size() || signed_at[i + 1].height != at.height);
        if (one) places_.emplace(at.height, Place{at.block_hash, at.anchor});
    }
    note([&](FollowDutiesStatus& s) { s.unsettled = store_.unsettled().size(); });
}

void FollowDuties::follow(std::size_t node) {
    asked_ = std::min(node, nodes_.size() - 1);
    chains_at_.reset();
}

FollowDutiesStatus FollowDuties::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void FollowDuties::note(const std::function<void(FollowDutiesStatus&)>& change) {
    const std::lock_guard lock(mutex_);
    change(status_);
}

// --- heights -------------------------------------------------------------------------------------

Status FollowDuties::remember(Height height, const Place& place) {
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
            note([](FollowDutiesStatus& s) { ++s.bad_answers; });
            return fail(same.error());
        }
    }
    return said;
}

Status FollowDuties::refresh() {
    HOLDFAST_ASSIGN(said, heights_of(asked_));
    heights_ = std::move(said);
    return {};
}

Status FollowDuties::compare(std::size_t node) {
    HOLDFAST_ASSIGN(said, heights_of(node));
    (void)said;
    return {};
}

const DutyHeight* FollowDuties::find(Height height) const {
    for (const auto* list : {&heights_.open, &heights_.proven}) {
        const auto at = std::find_if(list->begin(), list->end(),
                                     [&](const DutyHeight& h) { return h.height == height; });
        if (at != list->end()) return &*at;
    }
    return nullptr;
}

Result<std::optional<Height>> FollowDuties::tip() {
    const Status told = refresh();
    if (told) return std::optional(heights_.tip);
    if (told.error().code == ErrorCode::kUnavailable) return std::optional<Height>();
    return fail(told.error());
}

Result<std::vector<Height>> FollowDuties::open_heights() {
    HOLDFAST_TRY(refresh());
    std::vector<Height> out;
    for (const DutyHeight& h : heights_.open) out.push_back(h.height);
    return out;
}

Result<std::vector<Height>> FollowDuties::proof_heights() {
    HOLDFAST_TRY(refresh());
    std::vector<Height> out;
    for (const DutyHeight& h : heights_.proven) out.push_back(h.height);
    return out;
}

Result<std::optional<VdfOutput>> FollowDuties::verified(Height height) {
    const auto known = outputs_.find(height);
    if (known != outputs_.end()) return std::optional(known->second);
    const Result<VdfOutput> y = verified_(height);
    if (!y && y.error().code == ErrorCode::kInterrupted) return fail(y.error());
    if (!y) return std::optional<VdfOutput>();
    outputs_.emplace(height, *y);
    keep_newest(outputs_, kKeptOutputs);
    return std::optional(*y);
}

Result<KnownHeight> FollowDuties::known_height(Height height) {
    const DutyHeight* said = find(height);
    if (said == nullptr) {
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
    if (!y || draw > heights_.tip) return out;
    HOLDFAST_ASSIGN(y_compact, verified(draw));
    out.y_compact = y_compact;
    return out;
}

// --- what is owed --------------------------------------------------------------------------------

Result<std::vector<DueLink>> FollowDuties::due_links(Height height, const Wanted& wanted) {
    Result<std::vector<DueLink>> due = asked().duties->due_links(prover_, height);
    if (!due && is_over(due.error())) return std::vector<DueLink>();
    if (!due) return due;
    return only(std::move(*due), wanted);
}

Result<std::vector<DueProof>> FollowDuties::due_proofs(Height height, const Wanted& wanted) {
    Result<std::vector<DueProof>> due = asked().duties->due_proofs(prover_, height);
    if (!due && is_over(due.error())) return std::vector<DueProof>();
    if (!due) return due;
    return only(std::move(*due), wanted);
}

Result<std::vector<SealDuty>> FollowDuties::due_seal_proofs(const Wanted& wanted) {
    HOLDFAST_ASSIGN(said, asked().duties->seal_duties(prover_));
    std::vector<SealDuty> out;
    for (const FollowedDuty& duty : only(std::move(said), wanted)) {
        const bool open = duty.kind == SealProofKind::kAudit || duty.deadline >= heights_.tip;
        if (!duty.y_height || !open) continue;
        HOLDFAST_ASSIGN(y, verified(*duty.y_height));
        if (!y) continue;
        out.push_back(
            {duty.chain_id, duty.kind, duty.drawn, duty.y_height, y, duty.deadline, duty.missed});
    }
    return out;
}

Status FollowDuties::fetch_chains() {
    if (chains_at_ == heights_.tip) return {};
    HOLDFAST_ASSIGN(chains, asked().duties->chains_of(prover_));
    chains_ = std::move(chains);
    by_replica_.clear();
    for (std::size_t i = 0; i < chains_.size(); ++i) by_replica_[chains_[i].replica_id] = i;
    chains_at_ = heights_.tip;
    return {};
}

Result<std::vector<DueUpdate>> FollowDuties::due_updates(const Wanted& wanted) {
    HOLDFAST_TRY(fetch_chains());
    std::vector<DueUpdate> out;
    for (const FollowedChain& chain : chains_) {
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
    const auto found = by_replica_.find(replica_id);
    if (found == by_replica_.end()) return std::optional<OwnedChain>();
    return std::optional(owned(chains_[found->second]));
}

Result<std::vector<OwnedChain>> FollowDuties::chains_of(const PublicKey& prover) {
    if (prover != prover_) {
        return fail(ErrorCode::kInvalidArgument, "chains of another key than the prover's");
    }
    HOLDFAST_TRY(fetch_chains());
    std::vector<OwnedChain> out;
    out.reserve(chains_.size());
    for (const FollowedChain& chain : chains_) out.push_back(owned(chain));
    return out;
}

// --- what is handed over -------------------------------------------------------------------------

Height FollowDuties::last_tip_for(const AcknowledgedObject& object) const {
    const std::uint64_t lag = params_.link_lag;
    switch (object.kind) {
        case Kind::kBundle:
            return object.height.value_or(heights_.tip) + lag;
        case Kind::kShortCompact:
        case Kind::kShortFull:
            return object.height.value_or(heights_.tip) + (lag + params_.proof_deadline);
        default:  // no later than what it answers
            return heights_.tip + params_.seal_deadline;
    }
}

/// Spec 13: kept with every object of the message, in their order.
Status FollowDuties::take(const DutyNode& node, const HandedBatch& batch,
                          std::span<const ByteView> objects) {
    std::vector<AcknowledgedObject> kept;
    for (std::size_t i = 0; i < batch.objects.size(); ++i) {
        kept.push_back(AcknowledgedObject::of(objects[i], batch.objects[i].entry));
    }
    HOLDFAST_TRY(store_.take(node.host, batch.message, kept, *batch.acknowledgement));
    note([](FollowDutiesStatus& s) { ++s.acknowledged; });
    return {};
}

/// Hands the first of these objects to every node: what the asked one, or else the first that takes
/// objects at all, says of them. An error where there is none.
Result<FollowDuties::Handed> FollowDuties::to_all(std::span<const ByteView> objects) {
    std::optional<Handed> out;
    bool acknowledged = false;
    std::optional<Error> failed;
    for (std::size_t k = 0; k < nodes_.size(); ++k) {
        const DutyNode& node = nodes_[(asked_ + k) % nodes_.size()];
        Result<HandedBatch> batch = node.duties->hand_over(objects);
        if (!batch) {
            if (!failed) failed = batch.error();
            if (batch.error().code == ErrorCode::kRefused) {
                note([](FollowDutiesStatus& s) { ++s.bad_answers; });
            }
            continue;
        }
        if (for_reading_only(*batch)) continue;
        if (batch->acknowledgement) {
            HOLDFAST_TRY(take(node, *batch, objects));
            acknowledged = true;
        }
        if (!out) out.emplace(Handed{std::move(batch->objects), false});
    }
    note([&](FollowDutiesStatus& s) { s.error = failed ? failed->message : std::string(); });
    if (out) {
        out->acknowledged = acknowledged;
        return std::move(*out);
    }
    if (failed) return fail(*failed);
    return fail_refused(Reason::kNotOperator, "no node that is named takes objects");
}

void FollowDuties::keep(std::span<const ByteView> objects) {
    if (objects.empty() || !params_.has_operator()) return;
    Unsettled batch;
    for (const ByteView object : objects) {
        batch.objects.emplace_back(object.begin(), object.end());
        batch.last_tip = std::max(batch.last_tip, last_tip_for(AcknowledgedObject::of(object)));
    }
    if (batches_.size() == kKeptBatches) {
        batches_.erase(batches_.begin());
        note([](FollowDutiesStatus& s) { ++s.expired; });
    }
    batches_.push_back(std::move(batch));
}

/// The first of these objects, recorded where they have to be.
Result<FollowDuties::Handed> FollowDuties::hand_over(std::span<const ByteView> objects) {
    const bool bundle = is_bundle(objects[0]);
    if (bundle && params_.has_operator()) {
        const AcknowledgedObject seen = AcknowledgedObject::of(objects[0]);
        HOLDFAST_TRY(
            store_.note_sent({last_tip_for(seen), Bytes(objects[0].begin(), objects[0].end())}));
    }
    Result<Handed> handed = to_all(objects);
    if (!handed) {
        if (!bundle) keep(objects.first(std::min<std::size_t>(objects.size(), kMaxBatchObjects)));
        return handed;
    }
    std::vector<ByteView> standing;
    for (std::size_t i = 0; i < handed->objects.size(); ++i) {
        if (handed->objects[i].reason == Reason::kOk) standing.push_back(objects[i]);
    }
    const std::size_t refused = handed->objects.size() - standing.size();
    note([&](FollowDutiesStatus& s) { s.refused += refused; });
    if (bundle && refused > 0) HOLDFAST_TRY(store_.give_up(sha256(objects[0])));
    // One that was refused keeps the others of its message from being acknowledged.
    if (!bundle && !handed->acknowledged && !standing.empty()) keep(standing);
    return handed;
}

Result<std::vector<ObjectOutcome>> FollowDuties::accept(std::span<const ByteView> objects,
                                                        const SealCheck&) {
    std::vector<ObjectOutcome> out;
    while (out.size() < objects.size()) {
        std::span<const ByteView> next = objects.subspan(out.size());
        std::size_t count = 1;
        if (!is_bundle(next[0])) {
            while (count < next.size() && !is_bundle(next[count])) ++count;
        }
        next = next.first(count);
        HOLDFAST_ASSIGN(handed, hand_over(next));
        for (std::size_t i = 0; i < handed.objects.size(); ++i) {
            out.push_back(outcome_of(next[i], handed.objects[i]));
        }
    }
    const std::size_t unsettled = store_.unsettled().size() + batches_.size();
    note([&](FollowDutiesStatus& s) { s.unsettled = unsettled; });
    return out;
}

Status FollowDuties::list(Kind kind, ByteView object) {
    std::optional<Error> failed;
    bool taken = false;
    for (std::size_t k = 0; k < nodes_.size(); ++k) {
        const Status status = nodes_[(asked_ + k) % nodes_.size()].client->submit(kind, object);
        taken = taken || status.has_value();
        if (!status && !failed) failed = status.error();
    }
    if (taken || !failed) return {};
    return fail(*failed);
}

// --- again ---------------------------------------------------------------------------------------

Status FollowDuties::hand_bundles_again() {
    const std::map<Digest, SentMessage> unsettled = store_.unsettled();
    for (const auto& [digest, sent] : unsettled) {
        if (sent.last_tip < heights_.tip) {
            HOLDFAST_TRY(store_.give_up(digest));
            note([](FollowDutiesStatus& s) { ++s.expired; });
            continue;
        }
        const ByteView object(sent.message);
        HOLDFAST_TRY([&]() -> Status {
            HOLDFAST_ASSIGN(handed, hand_over({&object, 1}));
            (void)handed;
            return {};
        }());
    }
    return {};
}

Status FollowDuties::hand_batches_again() {
    std::vector<Unsettled> batches = std::exchange(batches_, {});
    for (std::size_t i = 0; i < batches.size(); ++i) {
        if (batches[i].last_tip < heights_.tip) {
            note([](FollowDutiesStatus& s) { ++s.expired; });
            continue;
        }
        const std::vector<ByteView> objects(batches[i].objects.begin(), batches[i].objects.end());
        std::size_t done = 0;
        while (done < objects.size()) {
            const Result<Handed> handed = hand_over(std::span(objects).subspan(done));
            if (!handed) {  // it was kept again, with those behind it
                for (++i; i < batches.size(); ++i) batches_.push_back(std::move(batches[i]));
                return fail(handed.error());
            }
            done += handed->objects.size();
        }
    }
    return {};
}

Status FollowDuties::hand_over_again() {
    HOLDFAST_TRY(refresh());
    HOLDFAST_TRY(hand_bundles_again());
    HOLDFAST_TRY(hand_batches_again());
    const std::size_t unsettled = store_.unsettled().size() + batches_.size();
    note([&](FollowDutiesStatus& s) { s.unsettled = unsettled; });
    return {};
}

}  // namespace holdfast::node
