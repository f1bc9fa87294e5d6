// Objects that the journal brings: neighbours of one kind are judged together, and each as if they
// came one after another.
#include <algorithm>
#include <set>
#include <utility>

#include "hierarchy/registry_impl.hpp"
#include "proofs/journal.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

/// What is judged together, and by what.
enum class Door : std::uint8_t {
    kBundles,
    kProofs,
    kSealProofs,
    kChallenges,
    kOutcomes,
    kResponses,
    kNone,
};

Door door_of(Kind kind) {
    switch (kind) {
        case Kind::kBundle:
            return Door::kBundles;
        case Kind::kCompact:
        case Kind::kFull:
        case Kind::kShortCompact:
        case Kind::kShortFull:
            return Door::kProofs;
        case Kind::kSealProof:
            return Door::kSealProofs;
        case Kind::kChallenge2:
            return Door::kChallenges;
        case Kind::kOutcome2:
            return Door::kOutcomes;
        case Kind::kResponse:
            return Door::kResponses;
        default:
            return Door::kNone;
    }
}

/// Where chain_id stands in the bodies of proofs, which advance what is known of their chain; of
/// outcomes and responses: their challenge.
std::optional<ChainId> chain_in(Kind kind, ByteView body) {
    const bool behind_receipt = kind == Kind::kCompact || kind == Kind::kFull;
    Reader r(body);
    if (behind_receipt) (void)r.raw(kReceiptBytes);
    const auto chain_id = r.fixed<ChainId>();
    return r.failed() ? std::nullopt : std::optional(chain_id);
}

Candidate read_head(ByteView object) {
    Candidate out;
    out.object = object;
    const Checked<Kind> kind = peek_kind(object);
    if (!kind) {
        out.outcome.verdict = kind.error();
        return out;
    }
    out.outcome.kind = *kind;
    const Checked<ByteView> body = unwrap_object(*kind, object);
    if (!body) {
        out.outcome.verdict = body.error();
    } else if (object.size() > kMaxEntryObjectBytes) {
        out.outcome.verdict = Reason::kTooLarge;
    } else if (door_of(*kind) == Door::kNone) {
        out.outcome.verdict = Reason::kBadKind;
    } else {
        out.body = *body;
    }
    return out;
}

Status take_group(Working& w, Door door, std::span<Candidate* const> group,
                  const SealCheck& check) {
    switch (door) {
        case Door::kBundles:
            return take_bundles(w, group);
        case Door::kProofs:
            return take_proofs(w, group);
        case Door::kSealProofs:
            return take_seal_proofs(w, group, check);
        case Door::kChallenges:
            return take_challenges(w, group);
        case Door::kOutcomes:
            return take_outcomes(w, group);
        case Door::kResponses:
            return take_responses(w, group);
        case Door::kNone:
            break;
    }
    return {};
}

/// The neighbours from `at` on that are judged together: of one door and, where an object advances
/// what is known of its chain, of as many chains.
std::vector<Candidate*> group_from(std::vector<Candidate>& all, std::size_t& at, Door& door) {
    std::vector<Candidate*> group;
    std::set<ChainId> chains;
    for (; at < all.size(); ++at) {
        Candidate& c = all[at];
        if (!c.outcome.verdict) continue;
        const Door its = door_of(c.outcome.kind);
        if (group.empty()) door = its;
        if (its != door) break;
        if (its != Door::kBundles) {
            const auto chain = chain_in(c.outcome.kind, c.body);
            if (chain && !chains.insert(*chain).second) break;
        }
        group.push_back(&c);
    }
    return group;
}

}  // namespace

bool is_for_journal(Kind kind) { return door_of(kind) != Door::kNone; }

Result<ObjectOutcome> take_listed_object(Working& w, ByteView object, const SealCheck& check) {
    Candidate candidate = read_head(object);
    Candidate* const one[] = {&candidate};
    if (candidate.outcome.verdict) {
        HOLDFAST_TRY(take_group(w, door_of(candidate.outcome.kind), one, check));
    }
    return std::move(candidate.outcome);
}

Status appended(Working& w, Candidate& candidate) {
    Candidate* const one[] = {&candidate};
    return appended(w, one);
}

Status appended(Working& w, std::span<Candidate* const> candidates) {
    if (candidates.empty()) return {};
    HOLDFAST_ASSIGN(first, next_entry(w.txn));
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        candidates[i]->changed = true;
        candidates[i]->outcome.entry = w.params.has_operator() ? first + i : first;
    }
    if (!w.params.has_operator()) return {};  // the block's own entry brings them
    std::vector<Bytes> entries(candidates.size());
    std::vector<Digest> hashes(candidates.size());
    for_each_parallel(candidates.size(), w.impl.options.threads, [&](std::size_t i) {
        const ByteView object = candidates[i]->object;
        entries[i] = encode_entry(ObjectEntry{Bytes(object.begin(), object.end())});
        hashes[i] = entry_hash(entries[i]);
    });
    return append_entries(w.txn, entries, hashes);
}

Result<std::vector<ObjectOutcome>> Registry::accept(std::span<const ByteView> objects,
                                                    const SealCheck& check) {
    return accept(objects, {}, check, Unless::kNoneIs);
}

Result<std::vector<ObjectOutcome>> Registry::accept(std::span<const ByteView> objects,
                                                    std::span<const Prejudged> judged) {
    return accept(objects, judged, {}, Unless::kNoneIs);
}

Result<std::vector<ObjectOutcome>> Registry::accept_all(std::span<const ByteView> objects,
                                                        const SealCheck& check) {
    return accept(objects, {}, check, Unless::kEachIs);
}

Result<std::vector<Prejudged>> Registry::prejudge(std::span<const ByteView> objects) const {
    std::vector<Candidate> all;
    all.reserve(objects.size());
    std::vector<Candidate*> bundles;
    std::vector<Candidate*> proofs;
    for (const ByteView object : objects) {
        Candidate& c = all.emplace_back(read_head(object));
        if (!c.outcome.verdict) continue;
        const Door door = door_of(c.outcome.kind);
        if (door == Door::kBundles) bundles.push_back(&c);
        if (door == Door::kProofs) proofs.push_back(&c);
    }
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    Working w(*impl_, txn, machine);
    if (machine.tip != kNever) {
        HOLDFAST_TRY(prejudge_bundles(w, bundles));
        HOLDFAST_TRY(prejudge_proofs(w, proofs));
    }
    std::vector<Prejudged> out;
    out.reserve(all.size());
    for (Candidate& c : all) out.push_back({c.outcome.verdict, std::move(c.judged)});
    return out;
}

Result<std::vector<ObjectOutcome>> Registry::accept(std::span<const ByteView> objects,
                                                    std::span<const Prejudged> judged,
                                                    const SealCheck& check, Unless unless) {
    std::vector<Candidate> all;
    all.reserve(objects.size());
    for (const ByteView object : objects) {
        all.push_back(read_head(object));
        const bool refused = all.back().outcome.verdict && !impl_->params.has_operator();
        if (refused) all.back().outcome.verdict = Reason::kNotOperator;
    }
    for (std::size_t i = 0; i < judged.size() && i < all.size(); ++i) {
        all[i].judged = judged[i].from;
    }
    const std::lock_guard writing(impl_->writer);
    if (impl_->broken) return fail(*impl_->broken);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    Working w(*impl_, txn, machine);
    for (std::size_t at = 0; at < all.size();) {
        Door door = Door::kNone;
        std::vector<Candidate*> group = group_from(all, at, door);
        if (group.empty()) continue;
        if (machine.tip == kNever) {
            for (Candidate* c : group) c->outcome.verdict = Reason::kTooEarly;
            continue;
        }
        HOLDFAST_TRY(take_group(w, door, group, check));
    }
    const auto changed =
        std::count_if(all.begin(), all.end(), [](const Candidate& c) { return c.changed; });
    std::vector<ObjectOutcome> out;
    out.reserve(all.size());
    for (Candidate& c : all) out.push_back(std::move(c.outcome));
    const bool each = std::cmp_equal(changed, all.size());
    if (changed == 0 || (unless == Unless::kEachIs && !each)) return out;
    HOLDFAST_TRY(save_machine(txn, machine));
    HOLDFAST_TRY(txn.commit());
    return out;
}

Result<ObjectOutcome> Registry::accept(ByteView object, const SealCheck& check) {
    HOLDFAST_ASSIGN(outcomes, accept(std::span(&object, 1), check));
    return std::move(outcomes[0]);
}

}  // namespace holdfast
