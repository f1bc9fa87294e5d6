#include "api/aggregator.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "api/aggregator_impl.hpp"
#include "api/final_block.hpp"
#include "api/registry_reading.hpp"
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
Status Aggregator::Impl::note_missing_y(const VdfClockWork& work, BlockReport& report) {
    HOLDFAST_ASSIGN(open, registry->open_heights());
    for (const Height h : open) {
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
        if (!params.has_operator()) {
            HOLDFAST_TRY(publish_y(h));
            continue;
        }
        HOLDFAST_ASSIGN(verdict, registry->note_y(h, entropy->y));
        if (!verdict) return fail_refused(verdict, "y of height " + std::to_string(h.value));
        if (h == report.height) report.y = entropy->y;
    }
    return {};
}

/// Without an operator y counts once a block lists its proof.
Status Aggregator::Impl::publish_y(Height height) {
    const Result<VdfProof> proof = clock->proof(height);
    if (!proof && proof.error().code == ErrorCode::kNotFound) return {};
    if (!proof) return fail(proof.error());
    return chain->submit(Kind::kVdfProof, wrap_object(Kind::kVdfProof, proof->encode()));
}

Status Aggregator::Impl::take_block(Height height, const VdfClockWork& work, BlockReport& report) {
    HOLDFAST_ASSIGN(block, final_block(*chain, height));
    HOLDFAST_ASSIGN(outputs, listed_outputs(*registry, block, [&](const VdfProof& proof) {
                        return clock->import(proof, work);
                    }));
    block.outputs = std::move(outputs);
    HOLDFAST_ASSIGN(outcome, registry->on_final_block(block));
    intake->set_tip(height);
    report.objects = std::move(outcome.objects);
    if (!outcome.closed) return {};
    report.closed = outcome.closed->block.height;
    report.global = outcome.closed->block.global;
    report.counts = outcome.closed->block.counts;
    report.effects = std::move(outcome.closed->effects);
    if (const std::optional<Error>& fault = outcome.closed->state_file_fault) {
        report.faults.push_back({std::nullopt, height, *fault});
    }
    return {};
}

/// Recorded before it is signed; deterministic, so that asking again gives the same bytes.
Result<JournalHead> Aggregator::Impl::head(Height height) {
    if (!heads) return fail_refused(Reason::kNotOperator, "a head");
    HOLDFAST_ASSIGN(body, registry->head_of(height));
    Bytes whole = body;
    whole.resize(kHeadBytes);
    const Checked<JournalHead> unsigned_head = JournalHead::decode(whole);
    if (!unsigned_head) return fail_refused(unsigned_head.error(), "our own head");
    const std::lock_guard lock(statements_mutex);
    HOLDFAST_ASSIGN(verdict, heads->record(Kind::kHead, height, unsigned_head->block_hash, body));
    if (heads->withheld(Kind::kHead, height, unsigned_head->block_hash)) {
        return fail(ErrorCode::kNotFound,
                    "height " + std::to_string(height.value) +
                        " has no head of this node: who had the key before may have signed one");
    }
    if (!verdict) {
        return fail_refused(verdict, "the head of height " + std::to_string(height.value) +
                                         ": what this key has signed before says otherwise, so "
                                         "this journal is not the one that it was");
    }
    return sign_head(network_id, *unsigned_head, *options.operator_key);
}

Status Aggregator::Impl::submit_checkpoint(Height closed) {
    if (checkpointer == nullptr || !options.checkpoint_bond) return {};
    if (!checkpoint_due(params, closed)) return {};
    HOLDFAST_ASSIGN(checkpoint,
                    build_checkpoint(*registry, closed, *options.checkpoint_bond, *checkpointer));
    const Bytes body = checkpoint.encode();
    const std::lock_guard lock(statements_mutex);
    SignedStatements& statements = checkpoints ? *checkpoints : *heads;
    if (statements.withheld(Kind::kCheckpoint, closed, checkpoint.block_hash)) return {};
    HOLDFAST_ASSIGN(verdict, statements.record(Kind::kCheckpoint, closed, checkpoint.block_hash,
                                               ByteView(body).first(kCheckpointSignedBytes)));
    if (!verdict) {
        return fail_refused(verdict, "the checkpoint of height " + std::to_string(closed.value) +
                                         ": another one was signed before");
    }
    return chain->submit_checkpoint(wrap_object(Kind::kCheckpoint, body));
}

// --- what was decided ----------------------------------------------------------------------------

/// From where the ledger stands, however long it was away.
Status Aggregator::Impl::take_decisions() {
    constexpr std::size_t kAtOnce = 4'096;
    for (;;) {
        HOLDFAST_ASSIGN(next, settlement->next_decision());
        HOLDFAST_ASSIGN(decisions, registry->decisions(next, kAtOnce));
        if (decisions.empty()) return {};
        HOLDFAST_TRY(settlement->take(next, decisions, options.pay));
    }
}

/// What failed is tried again with the next block.
void Aggregator::Impl::settle(const VdfClockWork& work, BlockReport& report) {
    if (token == nullptr) return;
    const Status taken = take_decisions();
    if (!taken) report.faults.push_back({std::nullopt, report.height, taken.error()});
    const Result<SettlementReport> asked = settlement->work(*token, work.stop);
    if (!asked) {
        report.faults.push_back({std::nullopt, report.height, asked.error()});
        return;
    }
    for (const SettlementFault& fault : asked->faults) {
        report.faults.push_back({std::nullopt, report.height, fault.error});
    }
}

Status Aggregator::Impl::work_on_tip(Height height, std::span<Prover* const> provers,
                                     std::span<ProverSet* const> sets, const VdfClockWork& work,
                                     BlockReport& report) {
    HOLDFAST_ASSIGN(closed, registry->closed());
    if (closed) {
        if (heads) {
            const Result<JournalHead> signed_head = head(*closed);
            const bool none = !signed_head && signed_head.error().code == ErrorCode::kNotFound;
            if (!signed_head && !none) return fail(signed_head.error());
            if (report.closed && signed_head) report.head = *signed_head;
        }
        HOLDFAST_TRY(submit_checkpoint(*closed));
    }
    const Clock::time_point start = Clock::now();
    HOLDFAST_TRY(note_missing_y(work, report));
    report.vdf_seconds += seconds_since(start);
    for (Prover* const prover : provers) drive(*prover, height, work, report);
    for (ProverSet* const set : sets) HOLDFAST_TRY(drive(*set, height, work, report));
    const Clock::time_point settling = Clock::now();
    settle(work, report);
    listed_seconds += seconds_since(settling);
    return {};
}

// --- opening -------------------------------------------------------------------------------------

Status Aggregator::Impl::open_statements() {
    const std::filesystem::path folder = beside(options.statements, options.registry, ".signed");
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) return fail_errno(failed.value(), "cannot make the folder " + folder.string());
    const auto open = [&](const PublicKey& key) {
        return SignedStatements::open(folder / (to_hex(view(key)) + ".signed"), network_id, key);
    };
    if (params.has_operator()) {
        HOLDFAST_ASSIGN(own, open(options.operator_key->public_key()));
        heads.emplace(std::move(own));
    }
    const bool another =
        checkpointer != nullptr && (!heads || checkpointer->public_key() != params.operator_key);
    if (!another) return {};
    HOLDFAST_ASSIGN(others, open(checkpointer->public_key()));
    checkpoints.emplace(std::move(others));
    return {};
}

Status Aggregator::Impl::open_stores() {
    const bool is_operator = options.operator_key != nullptr &&
                             options.operator_key->public_key() == params.operator_key;
    if (params.has_operator() && !is_operator) {
        return fail_refused(
            Reason::kNotOperator,
            "network \"" + params.name + "\": only its operator appends to its journal");
    }
    HOLDFAST_ASSIGN(opened, Registry::open(options.registry, params, options.registry_options));
    registry = std::move(opened);
    intake = std::make_unique<SealIntake>(*registry, options.seal_limits);
    HOLDFAST_TRY(open_statements());
    if (token == nullptr) return {};
    if (const Verdict v = check_pay_terms(params, options.pay); !v) {
        return fail_refused(
            v, "an outcome that pays " + std::to_string(options.pay.prover_reward) + " and " +
                   std::to_string(options.pay.challenger_reward) + " (at most " +
                   std::to_string(most_pay(params)) +
                   " together: a 32nd of what a challenger forfeits; lower the rewards, or make a "
                   "network with a larger least_challenger_part)");
    }
    HOLDFAST_ASSIGN(
        ledger, SettlementLedger::open(beside(options.settlement, options.registry, ".settlement"),
                                       network_id));
    settlement = std::move(ledger);
    return {};
}

Result<ObjectOutcome> Aggregator::Impl::submit(const std::string& peer, ByteView object,
                                               const StopCheck& stop) {
    const Checked<Kind> kind = peek_kind(object);
    if (!params.has_operator()) return list(kind, object);
    if (kind && *kind == Kind::kSealProof) return intake->take(peer, object, stop);
    return registry->accept(object);
}

/// Without an operator the host's blocks are the only way in.
Result<ObjectOutcome> Aggregator::Impl::list(const Checked<Kind>& kind, ByteView object) {
    ObjectOutcome out;
    if (!kind) {
        out.verdict = kind.error();
        return out;
    }
    out.kind = *kind;
    const Status taken = chain->submit(*kind, object);
    if (!taken && taken.error().code != ErrorCode::kRefused) return fail(taken.error());
    if (!taken) out.verdict = taken.error().verdict;
    return out;
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
    if (tip && !impl_->resumed) {
        // A run may have ended within a block: what its provers still owe, heads and checkpoints.
        BlockReport again;
        again.height = *tip;
        HOLDFAST_TRY(impl_->work_on_tip(*tip, provers, sets, work, again));
        report.objects = std::move(again.objects);
        report.proofs = std::move(again.proofs);
    }
    impl_->resumed = true;
    HOLDFAST_ASSIGN(newest, impl_->newest_final());
    const Height next = tip ? *tip + 1 : impl_->params.genesis_height;
    if (!newest || next > *newest) return std::optional<BlockReport>();
    report.height = next;
    impl_->resumed = false;  // until the block is done
    // What has come since: the block entry below closes a height for good.
    HOLDFAST_TRY(impl_->note_missing_y(work, report));
    const Clock::time_point listed = Clock::now();
    std::vector<ObjectOutcome> before = std::move(report.objects);
    HOLDFAST_TRY(impl_->take_block(next, work, report));
    report.objects.insert(report.objects.begin(), before.begin(), before.end());
    impl_->listed_seconds = seconds_since(listed);
    HOLDFAST_TRY(impl_->work_on_tip(next, provers, sets, work, report));
    impl_->resumed = true;
    report.seconds = seconds_since(start);
    impl_->foresee(report.receipts.size(), report);
    return std::optional(std::move(report));
}

Result<LinkRequest> Aggregator::link_request(const ChainId& chain_id, Height height) const {
    return link_request_of(*impl_->registry, chain_id, height);
}

Result<ObjectOutcome> Aggregator::submit(const std::string& peer, ByteView object,
                                         const StopCheck& stop) {
    return impl_->submit(peer, object, stop);
}

Result<JournalHead> Aggregator::head(Height height) { return impl_->head(height); }

SealVerifierCounts Aggregator::seal_counts() const { return impl_->intake->counts(); }

Result<PublicRecord> Aggregator::public_record(Height first) const {
    return public_record_of(*impl_->registry, *impl_->chain, impl_->clock, first);
}

}  // namespace holdfast
