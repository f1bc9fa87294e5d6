// Evidence that a block lists: judged by every node, once, and what it costs the offender (spec
// 15.6).
#include "core/hash.hpp"
#include "hierarchy/block_limits.hpp"
#include "hierarchy/registry_impl.hpp"
#include "proofs/entropy.hpp"
#include "proofs/evidence.hpp"
#include "storage/parallel.hpp"
#include "vdf/walk.hpp"

namespace holdfast {
namespace {

/// y of the epoch's source height, or what stands in for it (spec 5).
Result<std::optional<EpochSeed>> epoch_seed_of(const Working& w, std::uint64_t epoch) {
    const std::optional<Height> source = epoch_source_height(w.params, epoch);
    if (source) {
        for (Height h = *source;; h = h - 1) {
            HOLDFAST_ASSIGN(block, load<StoredBlock>(w.txn, Table::kBlocks, height_key(h)));
            if (!block || !block->info.closed) return std::optional<EpochSeed>();
            if (block->info.y) {
                return std::optional(epoch_seed(w.network_id, epoch, *block->info.y));
            }
            if (h == w.params.genesis_height) break;
        }
    }
    return std::optional(epoch_seed(w.network_id, epoch, genesis_output(w.network_id)));
}

/// The state's own knowledge; nothing of this node's alone.
EvidenceKnowledge knowledge_of(Working& w) {
    EvidenceKnowledge k;
    k.params = w.params;
    k.network_id = w.network_id;
    const auto block = [&w](Height h) {
        return load<StoredBlock>(w.txn, Table::kBlocks, height_key(h));
    };
    k.chain = [&w](const ChainId& id, Height h) -> Result<std::optional<KnownChain>> {
        HOLDFAST_ASSIGN(record, load<ChainRecord>(w.txn, Table::kChains, chain_key(id)));
        if (!record) return std::optional<KnownChain>();
        HOLDFAST_ASSIGN(known, load_known_chain(w.txn, w.network_id, id, record->registration, h));
        return std::optional(std::move(known));
    };
    k.final_block = [block](Height h) -> Result<std::optional<BlockHash>> {
        HOLDFAST_ASSIGN(found, block(h));
        return found ? std::optional(found->info.hash) : std::nullopt;
    };
    k.y = [block](Height h) -> Result<std::optional<VdfOutput>> {
        HOLDFAST_ASSIGN(found, block(h));
        return found ? found->info.y : std::nullopt;
    };
    k.seed = [&w, block](Height h) -> Result<std::optional<Seed>> {
        HOLDFAST_ASSIGN(found, block(h));
        if (!found || w.params.has_beacon) return std::optional<Seed>();
        const Checked<Seed> seed =
            make_seed(w.params, w.network_id, h, found->info.hash, std::nullopt);
        return seed ? std::optional(*seed) : std::nullopt;
    };
    k.epoch_seed = [&w](std::uint64_t epoch) { return epoch_seed_of(w, epoch); };
    const ParallelFor parallel = pool_parallel(w.impl.options.threads);
    k.arena = [params = w.params.vdf, parallel](
                  std::uint64_t epoch,
                  const EpochSeed& seed) -> Result<std::shared_ptr<const VdfArena>> {
        FillOptions fill;
        fill.parallel = parallel;
        HOLDFAST_ASSIGN(filled, VdfArena::fill(params, epoch, seed, fill));
        return std::shared_ptr<const VdfArena>(std::move(filled));
    };
    k.vdf.parallel = parallel;
    return k;
}

/// Whose part answers; empty where nothing is taken: a false E under a link gains nothing and costs
/// nothing (spec 15.6).
std::optional<BondPurpose> role_of(const Evidence& evidence, EvidenceKind offence) {
    if (std::holds_alternative<FalseEntropy>(evidence.body)) return std::nullopt;
    switch (offence) {
        case EvidenceKind::kBadVdfSegment:
        case EvidenceKind::kFalseVdfOutput:
        case EvidenceKind::kFalseVdfStart:
            return BondPurpose::kEvaluator;
        case EvidenceKind::kBadCheckpoint:
            return BondPurpose::kCheckpoint;
        case EvidenceKind::kHeadConflict:
            return BondPurpose::kOperator;
        default:
            return BondPurpose::kStorage;
    }
}

/// Under which evidence waits that needs a fill, in place of a height.
constexpr Height kForFill(kNever);

/// Who gains, and the deposit that stands behind the accusation.
struct Accuser {
    std::optional<PublicKey> key;
    std::optional<BondId> deposit;
};

/// Whether as much stands behind the accusation as a fill is worth.
Result<bool> covers_fill(Working& w, const Accuser& accuser) {
    if (!accuser.deposit) return false;
    HOLDFAST_ASSIGN(bond, w.bonds.bond(*accuser.deposit));
    return bond && bond->free() >= w.bonds.least(BondPurpose::kAccusation);
}

Result<Accuser> find_accuser(Working& w, ByteView object, const Evidence& evidence) {
    Accuser out;
    HOLDFAST_ASSIGN(deposit, w.bonds.deposit_for(sha256(object)));
    if (deposit) {
        HOLDFAST_ASSIGN(bond, w.bonds.bond(*deposit));
        if (!bond) return corrupt_registry("a deposit's bond is missing");
        out.key = bond->owner;
        out.deposit = deposit;
    } else if (const auto* response = std::get_if<BadResponse>(&evidence.body)) {
        const Checked<Exchange> exchange = exchange_of(w.params, *response);
        if (exchange) out.key = exchange->challenger();
    }
    return out;
}

Status settle_deposit(Working& w, const Accuser& accuser, bool pays) {
    if (!accuser.deposit) return {};
    const CaseId id = deposit_case(w.network_id, *accuser.deposit);
    HOLDFAST_ASSIGN(moved, pays ? w.bonds.take_free(*accuser.deposit, id, CaseKind::kDeposit)
                                : w.bonds.release_free(*accuser.deposit, id, CaseKind::kDeposit));
    (void)moved;
    return {};
}

/// The offence is shown: it is noted, and the offender's part goes. What costs nothing is not
/// noted: a prover could list it to shut out what costs its part at the same height.
Status settle_offence(Working& w, const Judgement& judgement, std::optional<BondPurpose> role,
                      const Accuser& accuser) {
    if (!role) return {};
    HOLDFAST_TRY(
        w.txn.put(Table::kOffences, view(judgement.id), Writer(8).height(w.tip()).bytes()));
    const CaseId id(judgement.id);
    const Digest& offender = judgement.offence.offender;
    if (*role == BondPurpose::kStorage) {
        return take_chain_part(w, ChainId(offender), w.tip(), id, CaseKind::kOffence, accuser.key);
    }
    HOLDFAST_ASSIGN(taken, w.bonds.take(*role, offender, id, CaseKind::kOffence, accuser.key));
    (void)taken;
    return {};
}

/// `filled`: whether a fill was made. kBusy: no more are made in this entry.
Result<Verdict> judge(Working& w, const Evidence& evidence, const Accuser& accuser, bool& filled) {
    const Offence offence = accused_offence(w.network_id, evidence);
    HOLDFAST_ASSIGN(settled, w.txn.contains(Table::kOffences, view(offence.id(w.network_id))));
    if (settled) return Verdict(Reason::kAlreadySettled);
    const std::optional<BondPurpose> role = role_of(evidence, offence.kind);
    if (role) {
        HOLDFAST_ASSIGN(part, w.bonds.part(*role, offence.offender));
        if (!part) return Verdict(Reason::kNoBond);
    }
    // A seed that depends on a beacon is not among the inputs of the state (spec 15.6).
    const bool about_vdf = evidence_needs(w.network_id, evidence).vdf;
    if (about_vdf && w.params.has_beacon) return Verdict(Reason::kVdfInput);
    const EvidenceKnowledge knowledge = knowledge_of(w);
    HOLDFAST_ASSIGN(cheap, judge_evidence_without_fill(knowledge, evidence));
    if (!cheap.verdict) return cheap.verdict;
    if (needs_fill(evidence)) {
        HOLDFAST_ASSIGN(covered, covers_fill(w, accuser));
        if (!covered) return Verdict(Reason::kNoBond);
        if (w.fills == kEvidenceFillsPerBlock) return Verdict(Reason::kBusy);
        HOLDFAST_ASSIGN(full, judge_evidence(knowledge, evidence));
        filled = true;
        ++w.fills;
        if (!full.verdict) return full.verdict;
    }
    HOLDFAST_TRY(settle_offence(w, cheap, role, accuser));
    return Verdict::ok();
}

/// Whether the accused has signed what accuses it: of anything else nothing is kept. Links are
/// judged before y is asked for, answers to challenges are not.
Result<bool> is_signed(Working& w, const Evidence& evidence) {
    const auto* answered = std::get_if<BadResponse>(&evidence.body);
    if (answered == nullptr) return true;
    HOLDFAST_ASSIGN(record,
                    load<ChainRecord>(w.txn, Table::kChains, chain_key(answered->chain_id)));
    const Checked<Exchange> exchange = exchange_of(w.params, *answered);
    if (!record || !exchange) return false;
    const Response& response = exchange->response;
    const ChallengeId asked =
        std::visit([&](const auto& c) { return c.id(w.network_id); }, exchange->challenge);
    if (response.id != asked) return false;
    return verify_signature(record->registration.header.prover, view(response.digest()),
                            response.signature)
        .accepted();
}

/// What evidence waits for: a height that may still get y, or a fill. Empty: for nothing.
Result<std::optional<Height>> waits_for(Working& w, const Evidence& evidence,
                                        const Verdict& verdict) {
    if (verdict.reason == Reason::kBusy) return std::optional(kForFill);
    if (verdict.reason != Reason::kNoEntropy) return std::optional<Height>();
    const EvidenceNeeds needs = evidence_needs(w.network_id, evidence);
    if (!needs.y) return std::optional<Height>();
    HOLDFAST_ASSIGN(block, load<StoredBlock>(w.txn, Table::kBlocks, height_key(needs.height)));
    HOLDFAST_ASSIGN(held, is_signed(w, evidence));
    const bool open = held && block && !block->info.closed && !block->info.y;
    return open ? std::optional(needs.height) : std::nullopt;
}

/// Behind all that waits for the same. What it costs does not depend on how many those are.
Status put_waiting(Working& w, Height height, const Evidence& evidence, const Accuser& accuser) {
    const Key prefix = height_key(height);
    HOLDFAST_ASSIGN(last, w.txn.last_at_most(Table::kWaiting, prefix.bytes(),
                                             Key().height(height).u64(UINT64_MAX).bytes()));
    std::uint64_t number = 0;
    if (last) {
        KeyReader r(last->first);
        (void)r.height();
        number = r.u64() + 1;
    }
    const WaitingEvidence waiting{accuser.key.value_or(PublicKey{}),
                                  accuser.deposit.value_or(BondId{}), evidence.encode()};
    return save(w.txn, Table::kWaiting, Key().height(height).u64(number), waiting);
}

/// What waits for this, in its order, while `more`.
Status take_waiting_for(Working& w, Height height, const std::function<bool()>& more) {
    const Key prefix = height_key(height);
    while (more()) {
        HOLDFAST_ASSIGN(key, w.txn.first_key(Table::kWaiting, prefix.bytes()));
        if (!key) return {};
        HOLDFAST_ASSIGN(stored, w.txn.get(Table::kWaiting, *key));
        if (!stored) return corrupt_registry("evidence that waits is missing");
        HOLDFAST_ASSIGN(waiting, WaitingEvidence::decode(*stored));
        HOLDFAST_TRY(w.txn.erase(Table::kWaiting, *key));
        const Checked<Evidence> evidence = Evidence::decode(waiting.body);
        if (!evidence) return corrupt_registry("evidence that waits does not decode");
        Accuser accuser;
        if (!waiting.accuser.is_zero()) accuser.key = waiting.accuser;
        if (!waiting.deposit.is_zero()) accuser.deposit = waiting.deposit;
        bool filled = false;
        HOLDFAST_ASSIGN(verdict, judge(w, *evidence, accuser, filled));
        HOLDFAST_TRY(settle_deposit(w, accuser, filled && verdict.reason == Reason::kNoOffence));
    }
    return {};
}

}  // namespace

Status take_chain_part(Working& w, const ChainId& chain_id, Height height, const CaseId& id,
                       CaseKind kind, const std::optional<PublicKey>& accuser) {
    HOLDFAST_ASSIGN(state, load<ChainState>(w.txn, Table::kStates, chain_key(chain_id)));
    if (!state || !state->has_part()) return {};
    HOLDFAST_ASSIGN(taken, w.bonds.take(BondPurpose::kStorage, chain_id, id, kind, accuser));
    (void)taken;
    state->taken_at = height.value;
    HOLDFAST_TRY(save(w.txn, Table::kStates, chain_key(chain_id), *state));
    // Nothing is left that a last audit could cost.
    const bool over = state->phase == ChainPhase::kLiable && state->liable_until <= height.value;
    return over ? schedule(w.txn, {height, AgendaItem::kLiabilityEnd, chain_id, 0}) : Status{};
}

Result<Verdict> take_evidence(Working& w, ByteView object) {
    const Checked<ByteView> body = unwrap_object(Kind::kEvidence, object);
    if (!body) return body.error();
    const Checked<Evidence> evidence = Evidence::decode(*body);
    if (!evidence) return evidence.error();
    HOLDFAST_ASSIGN(accuser, find_accuser(w, object, *evidence));
    bool filled = false;
    HOLDFAST_ASSIGN(verdict, judge(w, *evidence, accuser, filled));
    HOLDFAST_ASSIGN(later, waits_for(w, *evidence, verdict));
    if (later) {
        HOLDFAST_TRY(put_waiting(w, *later, *evidence, accuser));
        return verdict;
    }
    HOLDFAST_TRY(settle_deposit(w, accuser, filled && verdict.reason == Reason::kNoOffence));
    return verdict;
}

Status take_waiting_evidence(Working& w, Height height) {
    HOLDFAST_TRY(take_waiting_for(w, height, [] { return true; }));
    return take_waiting_for(w, kForFill, [&w] { return w.fills < kEvidenceFillsPerBlock; });
}

}  // namespace holdfast
