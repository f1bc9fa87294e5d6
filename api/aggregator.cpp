#include "api/aggregator.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "core/parallel.hpp"
#include "proofs/checkpoint.hpp"
#include "proofs/evidence.hpp"

namespace holdfast {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kRegistrationsAtOnce = 4'096;
constexpr std::size_t kSealProofsAtOnce = 64;  // each costs fills

// Waits for the device in a block, whatever the number of chains: closing; records, receipts,
// proofs.
constexpr std::size_t kWaitsOfBlock = 1;
constexpr std::size_t kWaitsOfSet = 3;
constexpr double kNoWait = 1e9;  // none seen yet

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Decodes the body of a submission; the verdict when it is not one of its kind.
template <class T>
Checked<T> decode_submission(const Submission& submission) {
    HOLDFAST_ASSIGN(body, unwrap_object(submission.kind, submission.object));
    return T::decode(body);
}

/// Of the front of a block's list, what is taken together: neighbours of one kind, as many as keep
/// a transaction and a wait for a wish to stop short.
std::span<const Submission> alike(std::span<const Submission> submissions) {
    const Kind kind = submissions[0].kind;
    const std::size_t most = kind == Kind::kRegistration ? kRegistrationsAtOnce
                             : kind == Kind::kSealProof  ? kSealProofsAtOnce
                                                         : 1;
    std::size_t count = 1;
    while (count < std::min(most, submissions.size()) && submissions[count].kind == kind) ++count;
    return submissions.first(count);
}

}  // namespace

struct Aggregator::Impl {
    NetworkParams params;
    NetworkId network_id;
    Blockchain* chain = nullptr;
    VdfClock* clock = nullptr;
    Token* token = nullptr;
    const KeyPair* checkpointer = nullptr;
    AggregatorOptions options;
    std::unique_ptr<Registry> registry;
    std::unique_ptr<SealIntake> intake;
    std::optional<BlockProcessor> processor;  // made with the first set
    std::optional<BlockForecaster> forecaster;
    double listed_seconds = 0;  // of the newest block, for what it listed and for settlements
    double shortest_wait = kNoWait;
    bool tip_resumed = false;
    std::unique_ptr<SettlementLedger> settlement;  // where there is a token
    std::optional<Height> settled;                 // effects up to here have been decided

    Result<std::optional<Height>> newest_final() const;
    Status note_missing_y(Height newest, const VdfClockWork& work, BlockReport& report);
    Status feed(Height height, BlockReport& report);
    Status take_submissions(Height height, const VdfClockWork& work, BlockReport& report);
    Result<Verdict> take(const Submission& submission, ObjectOutcome& out);
    Status take_registrations(std::span<const Submission> submissions, BlockReport& report);
    Status take_seal_proofs(std::span<const Checked<ByteView>> bodies, const VdfClockWork& work,
                            BlockReport& report);
    Result<Verdict> take_checkpoint(const Checkpoint& checkpoint);
    Result<Verdict> check_bond(const BondId& bond_id, BondPurpose purpose, const PublicKey& owner,
                               std::uint64_t least);
    void drive(Prover& prover, Height height, const VdfClockWork& work, BlockReport& report);
    Status answer_seal_duties(Prover& prover, const VdfClockWork& work, BlockReport& report);
    Status make_link(Prover& prover, Height height, BlockReport& report);
    Status make_proof(Prover& prover, Height height, BlockReport& report);
    Result<LinkRequest> link_request(const ChainId& chain_id, Height height) const;
    void settle(const VdfClockWork& work, BlockReport& report);
    Status settle_height(Height height);
    Status submit_checkpoint(Height closed);
    Status repeat_checkpoint();
    Status drive(ProverSet& set, Height height, const VdfClockWork& work, BlockReport& report);
    Status work_on_tip(Height height, std::span<Prover* const> provers,
                       std::span<ProverSet* const> sets, const VdfClockWork& work,
                       BlockReport& report);
    void foresee(std::uint64_t chains, BlockReport& report);
};

Result<std::optional<Height>> Aggregator::Impl::newest_final() const {
    HOLDFAST_ASSIGN(tip, chain->current_height());
    for (Height h = tip;; h = h - 1) {
        const Result<BlockInfo> block = chain->block_by_height(h);
        if (!block && block.error().code != ErrorCode::kNotFound) return fail(block.error());
        if (block && block->final) return std::optional(h);
        // Finality lags by finality_blocks; a host that shows less is believed, but not searched
        // for ever.
        if (h <= params.genesis_height ||
            tip.since(h) > std::uint64_t{params.finality_blocks} + 1) {
            return std::optional<Height>();
        }
    }
}

/// y of every open height that lacks it. A source without an answer is reported and asked again
/// with the next block; the height closes without y when its time has come (spec section 5).
Status Aggregator::Impl::note_missing_y(Height newest, const VdfClockWork& work,
                                        BlockReport& report) {
    HOLDFAST_ASSIGN(open, registry->open_heights());
    for (const Height h : open) {
        if (h > newest) continue;
        HOLDFAST_ASSIGN(record, registry->block(h));
        if (!record || record->y) continue;
        const Result<HeightEntropy> entropy = clock->at(h, work);
        if (!entropy) {
            if (entropy.error().code == ErrorCode::kInterrupted) return fail(entropy.error());
            report.faults.push_back({std::nullopt, h, entropy.error()});
            continue;
        }
        if (entropy->block.hash != record->hash)
            return fail_refused(Reason::kWrongBlock, "the host chain");
        HOLDFAST_ASSIGN(verdict, registry->note_y(h, entropy->y));
        if (!verdict) return fail_refused(verdict, "y of height " + std::to_string(h.value));
        if (h == report.height) report.y = entropy->y;
    }
    return {};
}

Status Aggregator::Impl::feed(Height height, BlockReport& report) {
    HOLDFAST_ASSIGN(block, chain->block_by_height(height));
    if (!block.final)
        return fail(ErrorCode::kUnavailable, "the host chain took back a final block");
    FinalBlock final_block;
    final_block.height = height;
    final_block.hash = block.hash;
    final_block.time_s = block.time_ms / 1000;
    HOLDFAST_ASSIGN(outcome, registry->on_final_block(final_block));
    if (outcome.closed) {
        report.closed = outcome.closed->block.height;
        report.global = outcome.closed->block.global;
        report.counts = outcome.closed->block.counts;
        report.effects = outcome.closed->effects;
        if (outcome.closed->checkpoint_due) HOLDFAST_TRY(submit_checkpoint(*report.closed));
    }
    return {};
}

/// The checkpoint of the height that the newest block has closed, for which a run may have ended
/// between closing and submitting. Signatures are deterministic: the host sees the same bytes.
Status Aggregator::Impl::repeat_checkpoint() {
    HOLDFAST_ASSIGN(closed, registry->closed());
    if (!closed || !checkpoint_due(params, *closed)) return {};
    return submit_checkpoint(*closed);
}

Status Aggregator::Impl::submit_checkpoint(Height closed) {
    if (checkpointer == nullptr || !options.checkpoint_bond) return {};
    HOLDFAST_ASSIGN(checkpoint,
                    build_checkpoint(*registry, closed, *options.checkpoint_bond, *checkpointer));
    return chain->submit_checkpoint(wrap_object(Kind::kCheckpoint, checkpoint.encode()));
}

/// Whether a bond of this purpose and owner is held and large enough.
Result<Verdict> Aggregator::Impl::check_bond(const BondId& bond_id, BondPurpose purpose,
                                             const PublicKey& owner, std::uint64_t least) {
    if (token == nullptr) return Verdict::ok();
    const Result<BondInfo> bond = token->bond_info(bond_id);
    if (!bond && bond.error().code == ErrorCode::kNotFound) return Verdict(Reason::kNoBond);
    if (!bond) return fail(bond.error());
    const bool good = bond->owner == owner && bond->state == BondState::kHeld &&
                      bond->purpose == purpose && bond->held_amount >= least;
    return good ? Verdict::ok() : Verdict(Reason::kNoBond);
}

/// A checkpoint that stands on a bond is remembered; one that contradicts another of its submitter
/// becomes evidence for the host chain. Repeated after a crash, that is the same evidence.
Result<Verdict> Aggregator::Impl::take_checkpoint(const Checkpoint& checkpoint) {
    HOLDFAST_ASSIGN(bond, check_bond(checkpoint.bond_id, BondPurpose::kCheckpoint,
                                     checkpoint.submitter, options.min_checkpoint_bond));
    if (!bond) return bond;
    HOLDFAST_ASSIGN(outcome, registry->accept_checkpoint(checkpoint));
    if (outcome.conflicting) {
        const Evidence evidence = make_checkpoint_conflict(*outcome.conflicting, checkpoint);
        HOLDFAST_TRY(
            chain->submit(Kind::kEvidence, wrap_object(Kind::kEvidence, evidence.encode())));
    }
    return outcome.verdict;
}

/// Registrations that a block lists one after another, in one transaction.
Status Aggregator::Impl::take_registrations(std::span<const Submission> submissions,
                                            BlockReport& report) {
    std::vector<ObjectOutcome> outcomes(submissions.size());
    std::vector<Registration> good;
    std::vector<std::size_t> places;  // in `outcomes`, of `good`
    for (std::size_t i = 0; i < submissions.size(); ++i) {
        ObjectOutcome& out = outcomes[i];
        out.kind = Kind::kRegistration;
        const Checked<Registration> registration = decode_submission<Registration>(submissions[i]);
        if (!registration) {
            out.verdict = registration.error();
            continue;
        }
        out.chain_id = registration->chain_id(network_id);
        HOLDFAST_ASSIGN(bond, check_bond(registration->bond_id, BondPurpose::kStorage,
                                         registration->header.prover, options.min_bond));
        out.verdict = bond;
        if (!bond) continue;
        good.push_back(*registration);
        places.push_back(i);
    }
    HOLDFAST_ASSIGN(verdicts, registry->accept_registrations(good));
    for (std::size_t i = 0; i < places.size(); ++i) outcomes[places[i]].verdict = verdicts[i];
    report.objects.insert(report.objects.end(), outcomes.begin(), outcomes.end());
    return {};
}

/// Seal proofs, given by their bodies.
Status Aggregator::Impl::take_seal_proofs(std::span<const Checked<ByteView>> bodies,
                                          const VdfClockWork& work, BlockReport& report) {
    HOLDFAST_ASSIGN(taken, intake->take_listed(bodies, work.stop));
    for (const TakenSealProof& proof : taken) {
        report.objects.push_back({Kind::kSealProof, proof.chain_id, proof.y_height, proof.verdict});
    }
    return {};
}

Result<Verdict> Aggregator::Impl::take(const Submission& submission, ObjectOutcome& out) {
    switch (submission.kind) {
        case Kind::kUpdate: {
            const Checked<Update> update = decode_submission<Update>(submission);
            if (!update) return update.error();
            out.chain_id = update->chain_id;
            return registry->accept_update(*update);
        }
        case Kind::kRemoval: {
            const Checked<Removal> removal = decode_submission<Removal>(submission);
            if (!removal) return removal.error();
            out.chain_id = removal->chain_id;
            return registry->accept_removal(*removal);
        }
        case Kind::kCheckpoint: {
            const Checked<Checkpoint> checkpoint = decode_submission<Checkpoint>(submission);
            if (!checkpoint) return checkpoint.error();
            out.height = checkpoint->height;
            return take_checkpoint(*checkpoint);
        }
        case Kind::kEvidence: {
            const Checked<Evidence> evidence = decode_submission<Evidence>(submission);
            if (!evidence) return evidence.error();
            if (evidence->kind() != EvidenceKind::kBadCheckpoint) return Verdict(Reason::kBadKind);
            out.height = accused_offence(network_id, *evidence).height;
            return judge_without_fill(EvidenceFacts{params, network_id, {}, {}, {}, {}, {}},
                                      *evidence);
        }
        default:
            return Verdict(Reason::kBadKind);
    }
}

/// What the block lists, in its order. Neighbours of the kinds that come by the thousand are taken
/// together; a wish to stop is asked for between such parts.
Status Aggregator::Impl::take_submissions(Height height, const VdfClockWork& work,
                                          BlockReport& report) {
    HOLDFAST_ASSIGN(submissions, chain->submissions_at(height));
    intake->begin_block(height);
    for (std::size_t at = 0; at < submissions.size();) {
        if (work.stop && work.stop()) return interrupted();
        const auto part = alike(std::span<const Submission>(submissions).subspan(at));
        at += part.size();
        if (part[0].kind == Kind::kRegistration) {
            HOLDFAST_TRY(take_registrations(part, report));
            continue;
        }
        if (part[0].kind == Kind::kSealProof) {
            std::vector<Checked<ByteView>> bodies;
            for (const Submission& s : part) bodies.push_back(unwrap_object(s.kind, s.object));
            HOLDFAST_TRY(take_seal_proofs(bodies, work, report));
            continue;
        }
        ObjectOutcome outcome;
        outcome.kind = part[0].kind;
        HOLDFAST_ASSIGN(verdict, take(part[0], outcome));
        outcome.verdict = verdict;
        report.objects.push_back(outcome);
    }
    return {};
}

Result<LinkRequest> Aggregator::Impl::link_request(const ChainId& chain_id, Height height) const {
    HOLDFAST_ASSIGN(info, registry->chain(chain_id));
    if (!info) {
        return fail(ErrorCode::kUnavailable,
                    "chain " + to_hex(chain_id) + " is not registered (yet)");
    }
    if (!info->sealed_at || *info->sealed_at > height || info->phase != ChainPhase::kSealed) {
        return fail(ErrorCode::kUnavailable, "chain " + to_hex(chain_id) +
                                                 " holds no slot at height " +
                                                 std::to_string(height.value));
    }
    HOLDFAST_ASSIGN(known, registry->known_height(height, chain_id));
    if (!known.y) {
        return fail(ErrorCode::kUnavailable,
                    "height " + std::to_string(height.value) + " has no y: no link counts there");
    }
    HOLDFAST_ASSIGN(chain_facts, registry->known_chain(chain_id, height));
    LinkRequest request;
    request.height = height;
    request.block_hash = known.block_hash;
    request.y = *known.y;
    request.anchor = known.anchor;
    request.link_before = known.link_before.value_or(Link(chain_id));
    if (chain_facts.reveals) request.reveal_base = chain_facts.reveals->base;
    return request;
}

Status Aggregator::Impl::answer_seal_duties(Prover& prover, const VdfClockWork& work,
                                            BlockReport& report) {
    HOLDFAST_ASSIGN(duties, registry->seal_duties(prover.chain_id()));
    for (const SealDuty& duty : duties) {
        if (!duty.y || !duty.y_height) continue;
        RawOptions raw;
        raw.workers = options.seal_limits.fills_at_once;
        raw.stop = work.stop;
        HOLDFAST_ASSIGN(proof, prover.seal_proof(*duty.y_height, *duty.y, duty.kind, raw));
        const Bytes body = proof.encode();
        const Checked<ByteView> one[] = {ByteView(body)};
        HOLDFAST_TRY(take_seal_proofs(one, work, report));
    }
    return {};
}

Status Aggregator::Impl::make_link(Prover& prover, Height height, BlockReport& report) {
    const Result<LinkRequest> request = link_request(prover.chain_id(), height);
    if (!request && request.error().code == ErrorCode::kUnavailable) return {};
    if (!request) return fail(request.error());
    HOLDFAST_ASSIGN(link, prover.link(*request));
    const SubmittedReceipt submitted[] = {{prover.chain_id(), link.receipt}};
    HOLDFAST_ASSIGN(outcomes, registry->accept_receipts(submitted));
    if (!outcomes[0].verdict) return fail_refused(outcomes[0].verdict, "our own receipt");
    report.receipts.push_back(link.receipt);
    return {};
}

/// The proof of the link whose compact index this block's y draws.
Status Aggregator::Impl::make_proof(Prover& prover, Height height, BlockReport& report) {
    const std::uint64_t lag = params.closing_blocks() + params.finality_blocks;
    if (height.since(params.genesis_height) < lag) return {};
    const Height proven = height - lag;
    const ChainId& chain_id = prover.chain_id();
    HOLDFAST_ASSIGN(receipt, registry->receipt(chain_id, proven));
    if (!receipt) return {};  // no link was made there
    HOLDFAST_ASSIGN(known, registry->known_height(proven, chain_id));
    if (!known.y || !known.y_compact) return {};  // a height without y or y_c counts for nobody
    HOLDFAST_ASSIGN(request, link_request(chain_id, proven));
    HOLDFAST_ASSIGN(link, prover.link(request));  // the same link: recorded, so the same bytes
    const bool needs_full = full_required(network_id, *known.y_compact, chain_id);
    MadeProof made{chain_id, proven, needs_full, {}};
    std::optional<AnyProof> proof;
    if (needs_full) {
        const Full full = prover.full(link);
        made.object = wrap_object(Kind::kFull, full.encode());
        proof = full;
    } else {
        HOLDFAST_ASSIGN(path, registry->path(chain_id, proven));
        HOLDFAST_ASSIGN(compact, prover.compact(link, path, *known.y_compact));
        made.object = wrap_object(Kind::kCompact, compact.encode());
        proof = compact;
    }
    const AnyProof proofs[] = {*proof};
    HOLDFAST_ASSIGN(verdicts, registry->accept_proofs(proofs));
    if (!verdicts[0]) return fail_refused(verdicts[0], "our own proof");
    report.proofs.push_back(std::move(made));
    return {};
}

void Aggregator::Impl::drive(Prover& prover, Height height, const VdfClockWork& work,
                             BlockReport& report) {
    for (const auto& step :
         {std::function<Status()>([&] { return answer_seal_duties(prover, work, report); }),
          std::function<Status()>([&] { return make_link(prover, height, report); }),
          std::function<Status()>([&] { return make_proof(prover, height, report); })}) {
        const Status done = step();
        if (!done) report.faults.push_back({prover.chain_id(), height, done.error()});
    }
}

/// Decides what closing this height did to bonds. The id of a case follows from what it is about,
/// so that deciding again changes nothing.
Status Aggregator::Impl::settle_height(Height height) {
    const Result<std::vector<Effect>> effects = registry->effects(height);
    if (!effects)
        return effects.error().code == ErrorCode::kNotFound ? Status{} : fail(effects.error());
    std::vector<SettlementCase> decisions;
    for (const Effect& effect : *effects) {
        const bool slash =
            effect.kind == EffectKind::kVoided || effect.kind == EffectKind::kBondForfeited;
        if (!slash && effect.kind != EffectKind::kBondReleased) continue;
        HOLDFAST_ASSIGN(info, registry->chain(effect.chain_id));
        if (!info) continue;
        const Registration& r = info->registration;
        const CaseId id(tagged_hash("node/settle", network_id, effect.chain_id, height,
                                    static_cast<std::uint8_t>(effect.kind)));
        decisions.push_back({id,
                             CaseKind::kOutcome,
                             {slash ? SettlementStep::slash(r.bond_id, r.header.prover, UINT64_MAX)
                                    : SettlementStep::release(r.bond_id)}});
    }
    return decisions.empty() ? Status{} : settlement->decide_all(decisions);
}

void Aggregator::Impl::settle(const VdfClockWork& work, BlockReport& report) {
    if (token == nullptr) return;
    const Result<std::optional<Height>> closed = registry->closed();
    if (!closed || !*closed) return;
    // After a restart the newest heights are decided once more: a crash may have fallen between the
    // closing and the decision.
    Height next = settled ? *settled + 1 : std::max(params.genesis_height, **closed - 64);
    for (; next <= **closed; ++next) {
        const Status done = settle_height(next);
        if (!done) {
            report.faults.push_back({std::nullopt, next, done.error()});
            return;
        }
        settled = next;
    }
    const Result<SettlementReport> asked = settlement->work(*token, work.stop);
    if (!asked) {
        report.faults.push_back({std::nullopt, **closed, asked.error()});
        return;
    }
    for (const SettlementFault& fault : asked->faults) {
        report.faults.push_back({std::nullopt, **closed, fault.error});
    }
}

Status Aggregator::Impl::drive(ProverSet& set, Height height, const VdfClockWork& work,
                               BlockReport& report) {
    if (!processor) {
        HOLDFAST_ASSIGN(made, BlockProcessor::make(params, *registry, options.sets));
        processor.emplace(std::move(made));
    }
    HOLDFAST_ASSIGN(done, processor->process(set, height, work.stop));
    report.faults.insert(report.faults.end(), done.faults.begin(), done.faults.end());
    report.sets.push_back(std::move(done));
    return {};
}

/// What the block took, for the blocks to come. What does not grow with the number of chains is
/// told apart: y, what the block listed, audits (the protocol draws as many however many chains
/// there are), settlements, and the waits for the device that every block has, each as long as the
/// shortest one seen.
void Aggregator::Impl::foresee(std::uint64_t chains, BlockReport& report) {
    double fixed = report.vdf_seconds + listed_seconds;
    for (const SetReport& set : report.sets) {
        chains += set.links_due;
        fixed += set.times.seal;
        if (set.links > 0) shortest_wait = std::min(shortest_wait, set.times.record);
    }
    if (!report.sets.empty() && shortest_wait < kNoWait) {
        const std::size_t waits = kWaitsOfBlock + kWaitsOfSet * report.sets.size();
        fixed += shortest_wait * static_cast<double>(waits);
    }
    if (!forecaster) forecaster.emplace(params.block_ms / 1'000.0);
    if (chains > 0) forecaster->note(chains, fixed, std::max(0.0, report.seconds - fixed));
    report.forecast = forecaster->forecast(chains);
}

Status Aggregator::Impl::work_on_tip(Height height, std::span<Prover* const> provers,
                                     std::span<ProverSet* const> sets, const VdfClockWork& work,
                                     BlockReport& report) {
    const Clock::time_point start = Clock::now();
    HOLDFAST_TRY(note_missing_y(height, work, report));
    report.vdf_seconds += seconds_since(start);
    const Clock::time_point listed = Clock::now();
    HOLDFAST_TRY(take_submissions(height, work, report));
    listed_seconds = seconds_since(listed);
    for (Prover* const prover : provers) drive(*prover, height, work, report);
    for (ProverSet* const set : sets) HOLDFAST_TRY(drive(*set, height, work, report));
    const Clock::time_point settling = Clock::now();
    settle(work, report);
    listed_seconds += seconds_since(settling);
    return {};
}

Aggregator::Aggregator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Aggregator::Aggregator(Aggregator&&) noexcept = default;
Aggregator& Aggregator::operator=(Aggregator&&) noexcept = default;
Aggregator::~Aggregator() = default;

Result<Aggregator> Aggregator::open(const NetworkParams& params, Blockchain& chain, VdfClock& clock,
                                    Token* token, const KeyPair* checkpointer,
                                    const AggregatorOptions& options) {
    auto impl = std::make_unique<Impl>();
    impl->params = params;
    impl->network_id = params.id();
    impl->chain = &chain;
    impl->clock = &clock;
    impl->token = token;
    impl->checkpointer = checkpointer;
    impl->options = options;
    HOLDFAST_ASSIGN(registry, Registry::open(options.registry, params, options.registry_options));
    impl->registry = std::move(registry);
    impl->intake = std::make_unique<SealIntake>(*impl->registry, chain, options.seal_limits);
    if (token != nullptr) {
        std::filesystem::path folder = options.settlement;
        if (folder.empty()) {
            folder = options.registry;
            folder += ".settlement";
        }
        HOLDFAST_ASSIGN(settlement, SettlementLedger::open(folder, impl->network_id));
        impl->settlement = std::move(settlement);
    }
    return Aggregator(std::move(impl));
}

Registry& Aggregator::registry() { return *impl_->registry; }
const Registry& Aggregator::registry() const { return *impl_->registry; }
SettlementLedger* Aggregator::settlement() { return impl_->settlement.get(); }

Result<std::uint64_t> Aggregator::behind() const {
    HOLDFAST_ASSIGN(newest, impl_->newest_final());
    if (!newest) return 0;
    HOLDFAST_ASSIGN(tip, impl_->registry->tip());
    return tip ? newest->since(*tip) : newest->since(impl_->params.genesis_height) + 1;
}

Result<std::optional<BlockReport>> Aggregator::advance(std::span<Prover* const> provers,
                                                       std::span<ProverSet* const> sets,
                                                       const VdfClockWork& work) {
    const Clock::time_point start = Clock::now();
    HOLDFAST_ASSIGN(tip, impl_->registry->tip());
    BlockReport report;
    if (tip && !impl_->tip_resumed) {
        // A run that ended within a block did some of its steps; all of them may be done again, and
        // only what was not done before is accepted now.
        BlockReport again;
        again.height = *tip;
        HOLDFAST_TRY(impl_->repeat_checkpoint());
        HOLDFAST_TRY(impl_->work_on_tip(*tip, provers, sets, work, again));
        report.repeated_proofs = std::move(again.proofs);
        std::copy_if(again.objects.begin(), again.objects.end(), std::back_inserter(report.objects),
                     [](const ObjectOutcome& o) { return o.verdict.accepted(); });
    }
    impl_->tip_resumed = true;
    HOLDFAST_ASSIGN(newest, impl_->newest_final());
    const Height next = tip ? *tip + 1 : impl_->params.genesis_height;
    if (!newest || next > *newest) return std::optional<BlockReport>();
    report.height = next;
    impl_->tip_resumed = false;  // until the block is done: an error in it leaves steps to repeat
    HOLDFAST_TRY(impl_->feed(next, report));
    HOLDFAST_TRY(impl_->work_on_tip(next, provers, sets, work, report));
    impl_->tip_resumed = true;
    report.seconds = seconds_since(start);
    impl_->foresee(report.receipts.size(), report);
    return std::optional(std::move(report));
}

Result<LinkRequest> Aggregator::link_request(const ChainId& chain_id, Height height) const {
    return impl_->link_request(chain_id, height);
}

Result<Verdict> Aggregator::offer_seal_proof(const std::string& peer, ByteView object,
                                             const StopCheck& stop) {
    return impl_->intake->offer(peer, object, stop);
}

SealVerifierCounts Aggregator::seal_counts() const { return impl_->intake->counts(); }

Result<PublicRecord> Aggregator::public_record(Height first) const {
    PublicRecord record(impl_->params);
    const Registry& registry = *impl_->registry;
    HOLDFAST_ASSIGN(tip, registry.tip());
    if (!tip) return record;
    for (Height h = std::max(first, impl_->params.genesis_height); h <= *tip; ++h) {
        HOLDFAST_ASSIGN(block, registry.block(h));
        if (!block) continue;
        PublicHeight facts;
        HOLDFAST_ASSIGN(host, impl_->chain->block_by_height(h));
        facts.block = host;
        facts.y = block->y;
        if (block->closed) facts.global = block->global;
        if (impl_->params.has_beacon && block->y) {
            HOLDFAST_ASSIGN(entropy, impl_->clock->at(h));
            facts.beacon = entropy.beacon;
        }
        record.set_height(std::move(facts));
    }
    std::optional<Error> failed;
    const auto add = [&](const ChainInfo& info) -> Status {
        PublicChain chain;
        chain.registration = info.registration;
        chain.accepted = info.accepted;
        HOLDFAST_ASSIGN(updates, registry.updates(info.chain_id));
        chain.updates = updates;
        HOLDFAST_ASSIGN(known, registry.known_chain(info.chain_id, *tip));
        if (known.reveals && known.reveals->known.i > 0) chain.reveal = known.reveals;
        HOLDFAST_TRY(record.add_chain(std::move(chain)));
        return {};
    };
    HOLDFAST_TRY(registry.for_each_chain([&](const ChainInfo& info) {
        const Status added = add(info);
        if (!added) failed = added.error();
        return added.has_value();
    }));
    if (failed) return fail(*failed);
    return record;
}

}  // namespace holdfast
