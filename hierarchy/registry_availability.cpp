// The registry's door to availability: what the journal brings of challenges, outcomes and
// responses, and what challengers ask.
#include "hierarchy/availability_state.hpp"
#include "hierarchy/registry_impl.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

/// Where a chain held its slot, also after it has ended.
struct SlotTime {
    std::uint64_t sealed_at = kNever;
    std::uint64_t vacant_from = kNever;
    /// It took its slot before and is not vacant (B86).
    [[nodiscard]] bool challenged_at(Height h) const {
        return sealed_at < h.value && h.value < vacant_from;
    }
};

ChallengedChain challenged(const ChainId& id, const Registration& r) {
    return {id, r.header.prover, r.sealed_root, r.header.chunks};
}

Result<Checked<ChallengedChain>> find_challenged(const Transaction& txn, const ChainId& id,
                                                 Height h) {
    using Found = Checked<ChallengedChain>;
    HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(id)));
    if (!record) return Found(refuse(Reason::kUnknownChain));
    HOLDFAST_ASSIGN(state, load<ChainState>(txn, Table::kStates, chain_key(id)));
    const SlotTime time = state ? SlotTime{state->sealed_at, state->vacant_from}
                                : SlotTime{record->sealed_at, record->vacant_from};
    if (!time.challenged_at(h)) return Found(refuse(Reason::kNoSlot));
    return Found(challenged(id, record->registration));
}

Result<std::optional<BlockRecord>> find_block(const Transaction& txn, Height h) {
    HOLDFAST_ASSIGN(stored, load<StoredBlock>(txn, Table::kBlocks, height_key(h)));
    return stored ? std::optional(stored->info) : std::nullopt;
}

/// The decoded objects of a group; those that do not decode have their verdict.
template <class T>
std::vector<std::optional<T>> decode_group(std::span<Candidate* const> group) {
    std::vector<std::optional<T>> out;
    for (Candidate* c : group) {
        Checked<T> decoded = T::decode(c->body);
        if (!decoded) c->outcome.verdict = decoded.error();
        out.push_back(decoded ? std::optional<T>(std::move(*decoded)) : std::nullopt);
    }
    return out;
}

Status note(Working& w, Candidate& candidate, const Verdict& verdict) {
    candidate.outcome.verdict = verdict;
    return verdict ? appended(w, candidate) : Status{};
}

}  // namespace

AvailabilityState availability_of(Working& w) {
    return AvailabilityState(
        {w.params, w.network_id, w.txn, w.bonds, w.tip(),
         [&w](Height h) { return find_block(w.txn, h); },
         [&w](const ChainId& id, Height h) { return find_challenged(w.txn, id, h); },
         &w.impl.draws});
}

Status take_challenges(Working& w, std::span<Candidate* const> group) {
    const auto challenges = decode_group<Challenge2>(group);
    std::vector<JudgedChallenge> judged(group.size());
    for_each_parallel(group.size(), w.impl.options.threads, [&](std::size_t i) {
        if (challenges[i]) judged[i] = judge_form(w.network_id, *challenges[i]);
    });
    AvailabilityState state = availability_of(w);
    for (std::size_t i = 0; i < group.size(); ++i) {
        if (!challenges[i]) continue;
        group[i]->outcome.chain_id = challenges[i]->chain_id;
        group[i]->outcome.height = challenges[i]->height;
        HOLDFAST_ASSIGN(verdict, state.take_challenge(judged[i]));
        HOLDFAST_TRY(note(w, *group[i], verdict));
    }
    return {};
}

Status take_outcomes(Working& w, std::span<Candidate* const> group) {
    const auto outcomes = decode_group<Outcome2>(group);
    AvailabilityState state = availability_of(w);
    std::vector<std::optional<JudgedOutcome>> judged(group.size());
    for (std::size_t i = 0; i < group.size(); ++i) {
        if (!outcomes[i]) continue;
        HOLDFAST_ASSIGN(found, state.look_up(*outcomes[i]));
        if (found.about) group[i]->outcome.chain_id = found.about->challenge.chain_id;
        if (found.about) group[i]->outcome.height = found.about->challenge.height;
        judged[i] = std::move(found);
    }
    for_each_parallel(group.size(), w.impl.options.threads, [&](std::size_t i) {
        if (judged[i]) judge_signatures(w.network_id, *judged[i]);
    });
    for (std::size_t i = 0; i < group.size(); ++i) {
        if (!judged[i]) continue;
        HOLDFAST_ASSIGN(verdict, state.take_outcome(*judged[i]));
        HOLDFAST_TRY(note(w, *group[i], verdict));
    }
    return {};
}

Status take_responses(Working& w, std::span<Candidate* const> group) {
    const auto responses = decode_group<Response>(group);
    AvailabilityState state = availability_of(w);
    for (std::size_t i = 0; i < group.size(); ++i) {
        if (!responses[i]) continue;
        HOLDFAST_ASSIGN(verdict, state.take_response(*responses[i]));
        HOLDFAST_TRY(note(w, *group[i], verdict));
    }
    return {};
}

Result<std::vector<ChallengerPart>> Registry::challengers_in_force(Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return load_in_force(txn, height);
}

/// Only chains that have not ended are looked at.
Result<std::vector<ChallengedChain>> Registry::challenged_chains(Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    std::vector<ChallengedChain> out;
    const auto add = [&](ByteView key, ByteView value) -> Result<bool> {
        HOLDFAST_ASSIGN(state, ChainState::decode(value));
        if (!SlotTime{state.sealed_at, state.vacant_from}.challenged_at(height)) return true;
        const auto id = KeyReader(key).fixed<ChainId>();
        HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(id)));
        if (!record) return corrupt_registry("a chain is missing");
        out.push_back(challenged(id, record->registration));
        return true;
    };
    HOLDFAST_TRY(txn.for_each(Table::kStates, {}, add));
    return out;
}

Result<std::vector<OutcomeRecord>> Registry::outcomes(const ChainId& chain_id) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return load_outcomes(txn, chain_id);
}

Result<std::vector<ChainId>> Registry::suspended_chains() const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    std::vector<ChainId> out;
    HOLDFAST_TRY(txn.for_each(Table::kSuspended, {}, [&](ByteView key, ByteView) -> Result<bool> {
        out.push_back(KeyReader(key).fixed<ChainId>());
        return true;
    }));
    return out;
}

Result<std::vector<OutcomeAudit>> Registry::outcome_audits(const PublicKey& challenger) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(all, load_outcome_audits(txn));
    std::erase_if(all, [&](const OutcomeAudit& a) { return a.challenge.challenger != challenger; });
    return all;
}

}  // namespace holdfast
