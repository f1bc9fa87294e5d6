// What the given provers and sets owe at a block.
#include <algorithm>

#include "api/aggregator_impl.hpp"
#include "api/registry_reading.hpp"

namespace holdfast {
namespace {

// Waits for the device in a block, whatever the number of chains: closing; records, receipts,
// proofs.
constexpr std::size_t kWaitsOfBlock = 1;
constexpr std::size_t kWaitsOfSet = 3;

}  // namespace

/// Through the door that everybody uses.
Status Aggregator::Impl::hand_over(Kind kind, const Bytes& body, const char* what,
                                   BlockReport& report) {
    HOLDFAST_ASSIGN(outcome, submit({}, wrap_object(kind, body), {}));
    if (!outcome.verdict) return fail_refused(outcome.verdict, what);
    for (const Verdict& member : outcome.members) {
        if (!member) return fail_refused(member, what);
    }
    report.objects.push_back(std::move(outcome));
    return {};
}

Status Aggregator::Impl::answer_seal_duties(Prover& prover, const VdfClockWork& work,
                                            BlockReport& report) {
    HOLDFAST_ASSIGN(duties, registry->seal_duties(prover.chain_id()));
    std::optional<Height> answered;
    for (const SealDuty& duty : duties) {
        if (!duty.y || !duty.y_height || answered == duty.y_height) continue;
        RawOptions raw;
        raw.workers = options.seal_limits.fills_at_once;
        raw.stop = work.stop;
        HOLDFAST_ASSIGN(proof, prover.seal_proof(*duty.y_height, *duty.y, duty.kind, raw));
        HOLDFAST_TRY(hand_over(Kind::kSealProof, proof.encode(), "our own seal proof", report));
        answered = duty.y_height;
    }
    return {};
}

/// Of every open height: y of one that came late is linked while it is open.
Status Aggregator::Impl::make_links(Prover& prover, BlockReport& report) {
    HOLDFAST_ASSIGN(open, registry->open_heights());
    for (const Height h : open) {
        const Status made = make_link(prover, h, report);
        if (!made) report.faults.push_back({prover.chain_id(), h, made.error()});
    }
    return {};
}

Status Aggregator::Impl::make_link(Prover& prover, Height height, BlockReport& report) {
    HOLDFAST_ASSIGN(stands, registry->link(prover.chain_id(), height));
    if (stands) return {};
    const Result<LinkRequest> request = link_request_of(*registry, prover.chain_id(), height);
    if (!request && request.error().code == ErrorCode::kUnavailable) return {};
    if (!request) return fail(request.error());
    HOLDFAST_ASSIGN(link, prover.link(*request));
    HOLDFAST_ASSIGN(bundle, prover.bundle(link));
    HOLDFAST_TRY(hand_over(Kind::kBundle, bundle.encode(), "our own link", report));
    report.receipts.push_back(link.receipt);
    return {};
}

/// Of every link whose compact index has been drawn, while its deadline allows.
Status Aggregator::Impl::make_proofs(Prover& prover, BlockReport& report) {
    HOLDFAST_ASSIGN(heights, registry->proof_heights());
    for (const Height h : heights) {
        const Status made = make_proof(prover, h, report);
        if (!made) report.faults.push_back({prover.chain_id(), h, made.error()});
    }
    return {};
}

Status Aggregator::Impl::make_proof(Prover& prover, Height proven, BlockReport& report) {
    const ChainId& chain_id = prover.chain_id();
    HOLDFAST_ASSIGN(stands, registry->link(chain_id, proven));
    if (!stands || stands->proof != LinkProof::kNone) return {};
    HOLDFAST_ASSIGN(known, registry->known_height(proven));
    if (!known.y || !known.y_compact) return {};  // a height without y or y_c counts for nobody
    HOLDFAST_ASSIGN(chain_facts, registry->known_chain(chain_id, proven));
    LinkRequest request{proven,       known.block_hash,    *known.y,
                        known.anchor, stands->link_before, std::nullopt};
    if (chain_facts.reveals) request.reveal_base = chain_facts.reveals->base;
    HOLDFAST_ASSIGN(link, prover.link(request));  // the same link: recorded, so the same bytes
    const bool needs_full = full_required(network_id, *known.y_compact, chain_id);
    MadeProof made{chain_id, proven, needs_full, {}};
    const Kind kind = needs_full ? Kind::kFull : Kind::kCompact;
    Bytes body;
    if (needs_full) {
        body = prover.full(link).encode();
    } else {
        HOLDFAST_ASSIGN(path, registry->path(chain_id, proven));
        HOLDFAST_ASSIGN(compact, prover.compact(link, path, *known.y_compact));
        body = compact.encode();
    }
    HOLDFAST_TRY(hand_over(kind, body, "our own proof", report));
    made.object = wrap_object(kind, body);
    report.proofs.push_back(std::move(made));
    return {};
}

void Aggregator::Impl::drive(Prover& prover, Height height, const VdfClockWork& work,
                             BlockReport& report) {
    for (const auto& step :
         {std::function<Status()>([&] { return answer_seal_duties(prover, work, report); }),
          std::function<Status()>([&] { return make_links(prover, report); }),
          std::function<Status()>([&] { return make_proofs(prover, report); })}) {
        const Status done = step();
        if (!done) report.faults.push_back({prover.chain_id(), height, done.error()});
    }
}

Status Aggregator::Impl::drive(ProverSet& set, Height height, const VdfClockWork& work,
                               BlockReport& report) {
    if (!processor) {
        const RegistryDuties::List list = [this](Kind kind, ByteView object) {
            return chain->submit(kind, object);
        };
        set_duties = options.duties ? options.duties(*registry, list)
                                    : std::make_unique<RegistryDuties>(*registry, list);
        HOLDFAST_ASSIGN(made, BlockProcessor::make(params, *set_duties, options.sets));
        processor.emplace(std::move(made));
    }
    HOLDFAST_TRY(set_duties->begin_pass());
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
