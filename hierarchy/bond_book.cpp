#include "hierarchy/bond_book.hpp"

#include <algorithm>

#include "core/hash.hpp"
#include "hierarchy/registry_impl.hpp"

namespace holdfast {
namespace {

Key bond_key(const BondId& id) { return Key().fixed(id); }
Key part_key(BondPurpose role, const Digest& holder) {
    return Key().u8(static_cast<std::uint8_t>(role)).fixed(holder);
}

std::uint64_t add_saturating(std::uint64_t a, std::uint64_t b) {
    return a + b < a ? UINT64_MAX : a + b;
}
std::uint64_t sub_saturating(std::uint64_t a, std::uint64_t b) { return a < b ? 0 : a - b; }

DecidedStep step_of(DecidedStep::Kind how, const BondId& id, const BondRecord& bond,
                    std::uint64_t amount) {
    return how == DecidedStep::Kind::kSlash ? DecidedStep::slash(id, bond.owner, amount)
                                            : DecidedStep::release(id, amount);
}

}  // namespace

CaseId bond_case(const NetworkId& network_id, const BondId& bond, std::uint8_t role,
                 Height height) {
    return CaseId(tagged_hash("settle/bond", network_id, bond, role, height));
}

CaseId chain_case(const NetworkId& network_id, const ChainId& chain_id, Height g, ChainCase what) {
    return CaseId(
        tagged_hash("settle/chain", network_id, chain_id, g, static_cast<std::uint8_t>(what)));
}

CaseId deposit_case(const NetworkId& network_id, const BondId& bond) {
    return CaseId(tagged_hash("settle/deposit", network_id, bond));
}

std::uint64_t BondBook::least(BondPurpose role) const {
    switch (role) {
        case BondPurpose::kStorage:
        case BondPurpose::kAccusation:
            return params_.least_chain_part;
        case BondPurpose::kChallenger:
            return params_.least_challenger_part;
        case BondPurpose::kCheckpoint:
            return params_.least_submitter_part;
        case BondPurpose::kEvaluator:
            return params_.least_evaluator_part;
        case BondPurpose::kOperator:
            return params_.least_operator_part;
    }
    return UINT64_MAX;
}

Result<std::optional<BondRecord>> BondBook::bond(const BondId& id) const {
    return load<BondRecord>(txn_, Table::kBonds, bond_key(id));
}

Result<std::optional<PartRecord>> BondBook::part(BondPurpose role, const Digest& holder) const {
    return load<PartRecord>(txn_, Table::kParts, part_key(role, holder));
}

Status BondBook::save_bond(const BondId& id, const BondRecord& record) {
    return save(txn_, Table::kBonds, bond_key(id), record);
}

Status BondBook::decide(const Decision& decision) {
    return txn_.put(Table::kDecisions, Key().u64(machine_.decisions++).bytes(), decision.encode());
}

Result<std::optional<BondId>> BondBook::deposit_for(const Digest& subject) const {
    HOLDFAST_ASSIGN(stored, txn_.get(Table::kDeposits, view(subject)));
    if (!stored) return std::optional<BondId>();
    Reader r(*stored);
    const auto id = r.fixed<BondId>();
    if (!r.finish()) return corrupt_registry("a deposit does not decode");
    HOLDFAST_ASSIGN(found, bond(id));
    if (!found) return corrupt_registry("a deposit's bond is missing");
    return found->free() > 0 ? std::optional(id) : std::nullopt;
}

Status BondBook::take_event(const BondEvent& event, Height at) {
    HOLDFAST_ASSIGN(known, bond(event.bond));
    if (event.what != BondEventKind::kCreated) {
        if (!known) return {};
        if (event.what == BondEventKind::kAdded) {
            known->held = add_saturating(known->held, event.amount);
        } else {
            known->held = sub_saturating(known->held, event.amount);
            known->owed = sub_saturating(known->owed, event.amount);
        }
        return save_bond(event.bond, *known);
    }
    if (known || !event.purpose) return {};
    const BondRecord record{event.owner, *event.purpose, event.subject, event.amount, 0, 0};
    HOLDFAST_TRY(save_bond(event.bond, record));
    switch (*event.purpose) {
        case BondPurpose::kAccusation: {
            HOLDFAST_ASSIGN(other, txn_.contains(Table::kDeposits, view(event.subject)));
            return other ? Status{}
                         : txn_.put(Table::kDeposits, view(event.subject), view(event.bond));
        }
        case BondPurpose::kOperator:
            if (event.owner != params_.operator_key) return {};
            [[fallthrough]];
        case BondPurpose::kEvaluator: {
            // Refused: it holds too little, or its owner has a part in this role already.
            HOLDFAST_ASSIGN(ignored, claim(*event.purpose, Digest{event.owner.bytes}, event.owner,
                                           event.bond, Claim::kLeast, at));
            (void)ignored;
            return {};
        }
        default:
            return {};
    }
}

Result<Verdict> BondBook::claim(BondPurpose role, const Digest& holder, const PublicKey& owner,
                                const BondId& id, Claim how, Height at) {
    HOLDFAST_ASSIGN(found, bond(id));
    if (!found || found->owner != owner || found->purpose != role) return Verdict(Reason::kNoBond);
    HOLDFAST_ASSIGN(held, part(role, holder));
    if (held && held->bond != id) return Verdict(Reason::kBondTaken);
    if (held && held->until != kNever) return Verdict(Reason::kAlreadyRemoved);
    if (held && how == Claim::kLeast) return Verdict::ok();
    const std::uint64_t has = held ? held->amount : 0;
    const std::uint64_t wanted = how == Claim::kLeast ? least(role) : found->free();
    if (wanted > found->free() || has + wanted < least(role)) return Verdict(Reason::kBondTaken);
    found->reserved += wanted;
    HOLDFAST_TRY(save_bond(id, *found));
    HOLDFAST_TRY(save(txn_, Table::kParts, part_key(role, holder),
                      PartRecord{id, has + wanted, at, kNever}));
    return Verdict::ok();
}

Result<std::uint64_t> BondBook::shrink(BondPurpose role, const Digest& holder, std::uint64_t most,
                                       const CaseId& id, CaseKind kind, DecidedStep::Kind how,
                                       const std::optional<PublicKey>& accuser) {
    HOLDFAST_ASSIGN(held, part(role, holder));
    if (!held) return 0;
    HOLDFAST_ASSIGN(found, bond(held->bond));
    if (!found) return corrupt_registry("the bond of a part is missing");
    const std::uint64_t amount = std::min(most, held->amount);
    found->reserved = sub_saturating(found->reserved, amount);
    found->owed = add_saturating(found->owed, amount);
    HOLDFAST_TRY(save_bond(held->bond, *found));
    const Key key = part_key(role, holder);
    held->amount -= amount;
    if (held->amount == 0 || most == UINT64_MAX) {
        HOLDFAST_TRY(txn_.erase(Table::kParts, key.bytes()));
    } else {
        HOLDFAST_TRY(save(txn_, Table::kParts, key, *held));
    }
    if (amount == 0) return 0;
    Decision decision{id, kind, {step_of(how, held->bond, *found, amount)}};
    if (accuser) decision.steps.push_back(DecidedStep::reward(*accuser, kAccuserPerMille));
    HOLDFAST_TRY(decide(decision));
    return amount;
}

Result<std::uint64_t> BondBook::release(BondPurpose role, const Digest& holder, const CaseId& id,
                                        CaseKind kind) {
    return shrink(role, holder, UINT64_MAX, id, kind, DecidedStep::Kind::kRelease, {});
}

Result<std::uint64_t> BondBook::take(BondPurpose role, const Digest& holder, const CaseId& id,
                                     CaseKind kind, const std::optional<PublicKey>& accuser) {
    return shrink(role, holder, UINT64_MAX, id, kind, DecidedStep::Kind::kSlash, accuser);
}

Result<std::uint64_t> BondBook::take_some(BondPurpose role, const Digest& holder,
                                          std::uint64_t most, const CaseId& id, CaseKind kind) {
    return shrink(role, holder, most, id, kind, DecidedStep::Kind::kSlash, {});
}

Result<std::uint64_t> BondBook::move_free(const BondId& id, const CaseId& case_id, CaseKind kind,
                                          DecidedStep::Kind how) {
    HOLDFAST_ASSIGN(found, bond(id));
    if (!found || found->free() == 0) return 0;
    const std::uint64_t amount = found->free();
    found->owed = add_saturating(found->owed, amount);
    HOLDFAST_TRY(save_bond(id, *found));
    HOLDFAST_TRY(decide({case_id, kind, {step_of(how, id, *found, amount)}}));
    return amount;
}

Result<std::uint64_t> BondBook::release_free(const BondId& id, const CaseId& case_id,
                                             CaseKind kind) {
    return move_free(id, case_id, kind, DecidedStep::Kind::kRelease);
}

Result<std::uint64_t> BondBook::take_free(const BondId& id, const CaseId& case_id, CaseKind kind) {
    return move_free(id, case_id, kind, DecidedStep::Kind::kSlash);
}

Status BondBook::end_part(BondPurpose role, const Digest& holder, Height until) {
    HOLDFAST_ASSIGN(held, part(role, holder));
    if (!held) return corrupt_registry("a part that ends is missing");
    held->until = until.value;
    HOLDFAST_TRY(save(txn_, Table::kParts, part_key(role, holder), *held));
    return schedule(txn_, {until + params_.liability_blocks, AgendaItem::kLiabilityEnd,
                           ChainId(held->bond), static_cast<std::uint64_t>(role)});
}

}  // namespace holdfast
