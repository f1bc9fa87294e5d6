#include "node/outbox.hpp"

#include <algorithm>
#include <utility>

#include "core/hash.hpp"
#include "node/at_once.hpp"

namespace holdfast::node {
namespace {

bool is_bundle(ByteView object) {
    const Checked<Kind> kind = peek_kind(object);
    return kind && *kind == Kind::kBundle;
}

/// Every object was refused by a node that takes none: one for reading only.
bool for_reading_only(const HandedBatch& batch) {
    return std::all_of(batch.objects.begin(), batch.objects.end(),
                       [](const HandedOver& o) { return o.reason == Reason::kNotOperator; });
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

std::vector<Bytes> objects_of(const Bytes& message) {
    const bool is_batch = message.size() > 1 && message[1] == kFollowRequestKind;
    if (!is_batch) return {message};
    Checked<FollowQuestion> question = decode_question(message);
    auto* batch = question ? std::get_if<HandOver>(&*question) : nullptr;
    return batch == nullptr ? std::vector<Bytes>() : std::move(batch->objects);
}

Outbox::Outbox(const NetworkParams& params, Acknowledgements& store)
    : params_(params), store_(store) {
    count_unsettled();
}

OutboxStatus Outbox::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void Outbox::note(const std::function<void(OutboxStatus&)>& change) {
    const std::lock_guard lock(mutex_);
    change(status_);
}

/// The last tip that may take any of them.
Height Outbox::last_tip_for(Height tip, std::span<const ByteView> objects) const {
    const std::uint64_t lag = params_.link_lag;
    Height out;
    for (const ByteView object : objects) {
        const AcknowledgedObject seen = AcknowledgedObject::of(object);
        Height last = tip + params_.seal_deadline;  // no later than what it answers
        if (seen.kind == Kind::kBundle) {
            last = seen.height.value_or(tip) + lag;
        } else if (seen.kind == Kind::kShortCompact || seen.kind == Kind::kShortFull) {
            last = seen.height.value_or(tip) + (lag + params_.proof_deadline);
        }
        out = std::max(out, last);
    }
    return out;
}

/// Spec 13: kept with every object of the message, in their order.
Status Outbox::take(const DutyNode& node, const HandedBatch& batch,
                    std::span<const ByteView> objects) {
    std::vector<AcknowledgedObject> kept;
    for (std::size_t i = 0; i < batch.objects.size(); ++i) {
        kept.push_back(AcknowledgedObject::of(objects[i], batch.objects[i].entry));
    }
    {
        const std::lock_guard lock(store_mutex_);
        HOLDFAST_TRY(store_.take(node.host, batch.message, kept, *batch.acknowledgement));
    }
    note([](OutboxStatus& s) { ++s.acknowledged; });
    if (on_acknowledged_) {
        for (const AcknowledgedObject& one : kept) on_acknowledged_(one);
    }
    return {};
}

/// Hands a message to every node, side by side: what the asked one, or else the first that takes
/// objects at all, says of its objects. An error where there is none.
Result<Outbox::Handed> Outbox::to_all(const Nodes& all, ByteView message,
                                      std::span<const ByteView> objects) {
    std::vector<std::optional<Result<HandedBatch>>> said(all.size());
    at_once(all.size(), [&](std::size_t k) {
        said[k] = all[k].duties->send(Bytes(message.begin(), message.end()), objects.size());
    });
    std::optional<Handed> out;
    bool acknowledged = false;
    std::optional<Error> failed;
    for (std::size_t k = 0; k < all.size(); ++k) {
        Result<HandedBatch>& batch = *said[k];
        if (!batch) {
            if (!failed) failed = batch.error();
            if (batch.error().code == ErrorCode::kRefused) {
                note([](OutboxStatus& s) { ++s.bad_answers; });
            }
            continue;
        }
        if (for_reading_only(*batch)) continue;
        if (batch->acknowledgement) {
            HOLDFAST_TRY(take(all[k], *batch, objects));
            acknowledged = true;
        }
        if (!out) out.emplace(Handed{std::move(batch->objects), false});
    }
    note([&](OutboxStatus& s) { s.error = failed ? failed->message : std::string(); });
    if (out) {
        out->acknowledged = acknowledged;
        return std::move(*out);
    }
    if (failed) return fail(*failed);
    return fail_refused(Reason::kNotOperator, "no node that is named takes objects");
}

/// On the device before it leaves.
Status Outbox::note_sent(const SentMessage& sent) {
    const std::lock_guard lock(store_mutex_);
    HOLDFAST_TRY(store_.note_sent(sent));
    under_way_.insert(sha256(sent.message));
    return {};
}

/// Of a message that was answered. One object that was refused, or that stands nowhere, keeps the
/// others from being acknowledged: they are handed over without it.
Status Outbox::settle(const DutyNode& node, const SentMessage& sent,
                      std::span<const ByteView> objects, const Handed& handed) {
    std::vector<ByteView> standing;
    std::uint64_t refused = 0;
    for (std::size_t i = 0; i < handed.objects.size(); ++i) {
        const bool holds = handed.objects[i].reason == Reason::kOk;
        refused += holds ? 0 : 1;
        if (holds && handed.objects[i].entry) standing.push_back(objects[i]);
    }
    note([&](OutboxStatus& s) { s.refused += refused; });
    if (handed.acknowledged || standing.size() == objects.size()) return {};
    std::optional<SentMessage> rest;
    if (!standing.empty()) {
        HOLDFAST_ASSIGN(message, node.duties->message_of(standing));
        rest.emplace(SentMessage{sent.last_tip, std::move(message.bytes)});
    }
    const std::lock_guard lock(store_mutex_);
    if (rest) HOLDFAST_TRY(store_.note_sent(*rest));
    return store_.give_up(sha256(sent.message));
}

Result<Outbox::Handed> Outbox::send(const Nodes& nodes, const SentMessage& sent,
                                    std::span<const ByteView> objects) {
    if (!params_.has_operator()) return to_all(nodes, sent.message, objects);
    HOLDFAST_TRY(note_sent(sent));
    Result<Handed> handed = to_all(nodes, sent.message, objects);
    if (handed) {
        if (const Status settled = settle(nodes.front(), sent, objects, *handed); !settled) {
            handed = fail(settled.error());
        }
    }
    {
        const std::lock_guard lock(store_mutex_);
        under_way_.erase(sha256(sent.message));
    }
    count_unsettled();
    return handed;
}

/// The first of these objects: a bundle alone, others as many as one message takes.
Result<Outbox::Handed> Outbox::hand_over_first(const Nodes& nodes, Height tip,
                                               std::span<const ByteView> objects) {
    std::size_t count = 1;
    if (!is_bundle(objects[0])) {
        while (count < objects.size() && !is_bundle(objects[count])) ++count;
    }
    HOLDFAST_ASSIGN(message, nodes.front().duties->message_of(objects.first(count)));
    const auto brought = objects.first(message.objects);
    return send(nodes, SentMessage{last_tip_for(tip, brought), std::move(message.bytes)}, brought);
}

Result<std::vector<ObjectOutcome>> Outbox::hand_over(const Nodes& nodes, Height tip,
                                                     std::span<const ByteView> objects) {
    std::vector<ObjectOutcome> out;
    while (out.size() < objects.size()) {
        const std::span<const ByteView> next = objects.subspan(out.size());
        HOLDFAST_ASSIGN(handed, hand_over_first(nodes, tip, next));
        for (std::size_t i = 0; i < handed.objects.size(); ++i) {
            out.push_back(outcome_of(next[i], handed.objects[i]));
        }
    }
    return out;
}

// --- again ---------------------------------------------------------------------------------------

void Outbox::count_unsettled() {
    std::size_t unsettled = 0;
    {
        const std::lock_guard lock(store_mutex_);
        unsettled = store_.unsettled().size();
    }
    note([&](OutboxStatus& s) { s.unsettled = unsettled; });
}

Status Outbox::send_again(const Nodes& nodes, Height tip, const SentMessage& sent) {
    const std::vector<Bytes> objects = objects_of(sent.message);
    if (sent.last_tip < tip || objects.empty()) {
        note([](OutboxStatus& s) { ++s.expired; });
        const std::lock_guard lock(store_mutex_);
        return store_.give_up(sha256(sent.message));
    }
    const Result<Handed> handed =
        send(nodes, sent, std::vector<ByteView>(objects.begin(), objects.end()));
    return handed ? Status() : fail(handed.error());
}

std::vector<SentMessage> Outbox::waiting() const {
    const std::lock_guard lock(store_mutex_);
    std::vector<SentMessage> out;
    for (const auto& [digest, sent] : store_.unsettled()) {
        if (!under_way_.contains(digest)) out.push_back(sent);
    }
    return out;
}

bool Outbox::has_waiting() const { return !waiting().empty(); }

Status Outbox::hand_over_again(const Nodes& nodes, Height tip) {
    const std::vector<SentMessage> again = waiting();
    std::vector<Status> done(again.size());
    at_once(again.size(), [&](std::size_t i) { done[i] = send_again(nodes, tip, again[i]); });
    count_unsettled();
    for (const Status& status : done) HOLDFAST_TRY(status);
    return {};
}

/// Of seal proofs that are made and on their way, however long ago: chain and height of y.
std::set<std::pair<ChainId, Height>> Outbox::seal_proofs() const {
    const std::lock_guard lock(store_mutex_);
    std::set<std::pair<ChainId, Height>> out;
    for (const auto& [digest, sent] : store_.unsettled()) {
        for (const Bytes& object : objects_of(sent.message)) {
            const AcknowledgedObject seen = AcknowledgedObject::of(object);
            if (seen.kind == Kind::kSealProof && seen.chain_id && seen.height) {
                out.emplace(*seen.chain_id, *seen.height);
            }
        }
    }
    return out;
}

std::vector<KeptAcknowledgement> Outbox::unchecked() const {
    const std::lock_guard lock(store_mutex_);
    return store_.unchecked();
}

Result<Bytes> Outbox::message(const Digest& message) const {
    const std::lock_guard lock(store_mutex_);
    return store_.message(message);
}

Status Outbox::checked(const Digest& message) {
    const std::lock_guard lock(store_mutex_);
    return store_.checked(message);
}

}  // namespace holdfast::node
