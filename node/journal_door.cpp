#include "node/journal_door.hpp"

#include <algorithm>

#include "follow/service.hpp"

namespace holdfast::node {
namespace {

constexpr std::size_t kCheckedAtOnce = 64;  // objects, between two looks at what is garbage
constexpr std::size_t kMostInAGroup =
    16'384;  // objects of one transaction, beyond the first message

HandedOver handed_over(const ObjectOutcome& outcome) {
    HandedOver out;
    out.reason = outcome.verdict.reason;
    if (!outcome.verdict) return out;
    out.entry = outcome.entry;
    for (std::uint32_t i = 0; i < outcome.members.size(); ++i) {
        const Verdict& member = outcome.members[i];
        if (!member) out.refused.push_back({i, member.reason});
    }
    return out;
}

ObjectOutcome refused_outcome(ByteView object, const Verdict& verdict) {
    ObjectOutcome out;
    const Checked<Kind> kind = peek_kind(object);
    if (kind) out.kind = *kind;
    out.verdict = verdict;
    return out;
}

bool is_seal_proof(ByteView object) {
    const Checked<Kind> kind = peek_kind(object);
    return kind && *kind == Kind::kSealProof;
}

}  // namespace

JournalDoor::JournalDoor(Registry& registry, const KeyPair& key, Submit submit)
    : registry_(registry), key_(key), submit_(std::move(submit)), recent_(registry) {}

JournalDoor::JournalDoor(Aggregator& aggregator, const KeyPair& key)
    : JournalDoor(aggregator.registry(), key,
                  [&aggregator](const std::string& peer, ByteView object) {
                      return aggregator.submit(peer, object);
                  }) {}

/// Everything but what the registry must write: what is garbage, seal proofs, and all objects of
/// networks without an operator have their outcome then.
Status JournalDoor::check(const PublicKey& from, std::span<const ByteView> objects,
                          Waiting& remaining, std::vector<ObjectOutcome>& out) {
    const bool listed = !registry_.params().has_operator();
    std::size_t garbage = 0;
    for (std::size_t at = 0; at < objects.size(); at += kCheckedAtOnce) {
        const auto part = objects.subspan(at, std::min(kCheckedAtOnce, objects.size() - at));
        const bool too_much = garbage >= kMostGarbage;
        std::vector<Prejudged> judged(part.size());
        if (!listed && !too_much) {
            HOLDFAST_ASSIGN(found, registry_.prejudge(part));
            judged = std::move(found);
        }
        for (std::size_t i = 0; i < part.size(); ++i) {
            if (too_much) {
                out[at + i] = refused_outcome(part[i], Reason::kBusy);
                const std::lock_guard lock(mutex_);
                ++counts_.left;
                continue;
            }
            if (listed || is_seal_proof(part[i])) {
                HOLDFAST_ASSIGN(outcome, submit_(to_hex(view(from)), part[i]));
                out[at + i] = std::move(outcome);
                continue;
            }
            if (is_garbage({judged[i].verdict.reason, {}, {}})) {
                ++garbage;
                out[at + i] = refused_outcome(part[i], judged[i].verdict);
                continue;
            }
            remaining.objects.push_back(part[i]);
            remaining.judged.push_back(std::move(judged[i]));
            remaining.places.push_back(at + i);
        }
    }
    return {};
}

/// One transaction for all of them.
void JournalDoor::commit_group(std::span<Waiting* const> group) {
    std::vector<ByteView> objects;
    std::vector<Prejudged> judged;
    for (Waiting* const one : group) {
        objects.insert(objects.end(), one->objects.begin(), one->objects.end());
        judged.insert(judged.end(), one->judged.begin(), one->judged.end());
    }
    Result<std::vector<ObjectOutcome>> taken = registry_.accept(objects, judged);
    auto next = taken ? taken->begin() : std::vector<ObjectOutcome>::iterator();
    for (Waiting* const one : group) {
        if (!taken) {
            one->status = fail(taken.error());
            continue;
        }
        const auto end = next + static_cast<std::ptrdiff_t>(one->objects.size());
        one->outcomes.assign(std::make_move_iterator(next), std::make_move_iterator(end));
        next = end;
    }
}

/// Whoever finds nobody at it commits for all that wait.
Status JournalDoor::commit(Waiting& mine) {
    std::unique_lock lock(mutex_);
    waiting_.push_back(&mine);
    for (;;) {
        changed_.wait(lock, [&] { return mine.done || !committing_; });
        if (mine.done) return mine.status;
        committing_ = true;
        ++counts_.transactions;
        std::vector<Waiting*> group;
        std::size_t objects = 0;
        while (!waiting_.empty() && (group.empty() || objects < kMostInAGroup)) {
            group.push_back(waiting_.front());
            objects += waiting_.front()->objects.size();
            waiting_.pop_front();
        }
        lock.unlock();
        commit_group(group);
        lock.lock();
        for (Waiting* const one : group) one->done = true;
        committing_ = false;
        changed_.notify_all();
    }
}

Result<std::optional<Acknowledgement>> JournalDoor::acknowledge(
    ByteView message, const std::vector<HandedOver>& objects) {
    const bool all = std::all_of(objects.begin(), objects.end(),
                                 [](const HandedOver& o) { return o.entry.has_value(); });
    if (!all || !registry_.params().has_operator()) return std::optional<Acknowledgement>();
    HOLDFAST_ASSIGN(tip, registry_.tip());
    if (!tip) return std::optional<Acknowledgement>();
    HOLDFAST_ASSIGN(block, registry_.block(*tip));
    if (!block) return std::optional<Acknowledgement>();
    return make_acknowledgement(registry_.network_id(), message, *tip, block->hash, key_);
}

Result<JournalDoor::Taken> JournalDoor::take(const PublicKey& from, ByteView message,
                                             std::span<const ByteView> objects) {
    Taken out;
    out.outcomes.resize(objects.size());
    Waiting mine;
    HOLDFAST_TRY(check(from, objects, mine, out.outcomes));
    if (!mine.objects.empty()) HOLDFAST_TRY(commit(mine));
    for (std::size_t i = 0; i < mine.outcomes.size(); ++i) {
        out.outcomes[mine.places[i]] = std::move(mine.outcomes[i]);
    }
    std::uint64_t repeated = 0;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        HandedOver& one = out.answer.objects.emplace_back(handed_over(out.outcomes[i]));
        const bool unchanged = one.reason == Reason::kOk && !one.entry;
        if (!unchanged || !registry_.params().has_operator()) continue;
        HOLDFAST_ASSIGN(entry, recent_.find(objects[i]));
        one.entry = entry;
        if (entry) ++repeated;
    }
    HOLDFAST_ASSIGN(acknowledgement, acknowledge(message, out.answer.objects));
    out.answer.acknowledgement = acknowledgement;
    const std::lock_guard lock(mutex_);
    ++counts_.messages;
    counts_.objects += objects.size();
    counts_.repeated += repeated;
    if (acknowledgement) ++counts_.acknowledged;
    return out;
}

JournalDoorCounts JournalDoor::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

}  // namespace holdfast::node
