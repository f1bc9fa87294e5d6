// What the given provers and sets owe at a block.
#include <algorithm>

#include "api/aggregator_impl.hpp"

namespace holdfast {
namespace {

// Waits for the device in a block, whatever the number of chains: closing; records, receipts,
// proofs.
constexpr std::size_t kWaitsOfBlock = 1;
constexpr std::size_t kWaitsOfSet = 3;

}  // namespace

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

}  // namespace holdfast
