#include "api/aggregator.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "api/aggregator_impl.hpp"
#include "proofs/checkpoint.hpp"
#include "proofs/digests.hpp"

namespace holdfast {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A folder beside the registry's, where none is named.
std::filesystem::path beside(const std::filesystem::path& named,
                             const std::filesystem::path& registry, const char* suffix) {
    if (!named.empty()) return named;
    std::filesystem::path folder = registry;
    folder += suffix;
    return folder;
}

}  // namespace

Result<std::optional<Height>> Aggregator::Impl::newest_final() const {
    HOLDFAST_ASSIGN(tip, chain->current_height());
    for (Height h = tip;; h = h - 1) {
        const Result<BlockInfo> block = chain->block_by_height(h);
        if (!block && block.error().code != ErrorCode::kNotFound) return fail(block.error());
        if (block && block->final) return std::optional(h);
        // Finality lags by finality_blocks; a host that shows less is believed, but not searched
        // forever.
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
    if (const std::optional<Height> closes = anchor_height(params, height)) {
        HOLDFAST_ASSIGN(suspended, judge->suspended(*closes));
        final_block.suspended = std::move(suspended);
    }
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

Status Aggregator::Impl::settle_to(Height closed) {
    // After a restart the newest heights are decided once more: a crash may have fallen between the
    // closing and the decision.
    Height next = settled ? *settled + 1 : std::max(params.genesis_height, closed - 64);
    for (; next <= closed; ++next) {
        HOLDFAST_TRY(settle_height(next));
        settled = next;
    }
    HOLDFAST_TRY(book->settle(*settlement, options.availability_terms));
    return {};
}

/// A decision that failed is made with the next block; the token is asked for what stands.
void Aggregator::Impl::settle(const VdfClockWork& work, BlockReport& report) {
    if (token == nullptr) return;
    const Result<std::optional<Height>> closed = registry->closed();
    if (!closed || !*closed) return;
    const Status decided = settle_to(**closed);
    if (!decided) report.faults.push_back({std::nullopt, **closed, decided.error()});
    const Result<SettlementReport> asked = settlement->work(*token, work.stop);
    if (!asked) {
        report.faults.push_back({std::nullopt, **closed, asked.error()});
        return;
    }
    for (const SettlementFault& fault : asked->faults) {
        report.faults.push_back({std::nullopt, **closed, fault.error});
    }
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

Status Aggregator::Impl::open_stores() {
    HOLDFAST_ASSIGN(opened, Registry::open(options.registry, params, options.registry_options));
    registry = std::move(opened);
    intake = std::make_unique<SealIntake>(*registry, *chain, options.seal_limits);
    if (token != nullptr) {
        HOLDFAST_ASSIGN(
            ledger, SettlementLedger::open(
                        beside(options.settlement, options.registry, ".settlement"), network_id));
        settlement = std::move(ledger);
        court.emplace(registry_knowledge(*registry), registry_bonds(*registry), *settlement, *token,
                      options.court_terms);
    }
    AvailabilityBook::Options book_options;
    book_options.pays = token != nullptr;
    HOLDFAST_ASSIGN(availability, AvailabilityBook::open(beside(options.availability,
                                                                options.registry, ".availability"),
                                                         params, book_options));
    book = std::move(availability);
    judge.emplace(*registry, *book, token, options.min_challenger_bond, court ? &*court : nullptr);
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
    HOLDFAST_TRY(impl->open_stores());
    return Aggregator(std::move(impl));
}

Registry& Aggregator::registry() { return *impl_->registry; }
const Registry& Aggregator::registry() const { return *impl_->registry; }
SettlementLedger* Aggregator::settlement() { return impl_->settlement.get(); }
AvailabilityJudge& Aggregator::availability() { return *impl_->judge; }
const AvailabilityBook& Aggregator::availability_book() const { return *impl_->book; }

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
    HOLDFAST_ASSIGN(judged, impl_->judge->catch_up(*impl_->chain, next, work.stop));
    report.objects.insert(report.objects.end(), judged.begin(), judged.end());
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
