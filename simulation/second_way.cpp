#include "simulation/second_way.hpp"

#include <utility>

#include "api/final_block.hpp"

namespace holdfast::simulation {
namespace {

/// Nothing is listed a second time: the first way's blocks bring it.
Status listed_already(Kind, ByteView) { return {}; }

}  // namespace

SecondWay::SecondWay(const NetworkParams& params, std::unique_ptr<Registry> registry)
    : params_(params), registry_(std::move(registry)), duties_(*registry_, listed_already) {}

Result<std::unique_ptr<SecondWay>> SecondWay::open(const std::filesystem::path& folder,
                                                   const NetworkParams& params,
                                                   const RegistryOptions& options,
                                                   const BlockProcessorOptions& processing) {
    HOLDFAST_ASSIGN(registry, Registry::open(folder, params, options));
    std::unique_ptr<SecondWay> out(new SecondWay(params, std::move(registry)));
    HOLDFAST_ASSIGN(processor, BlockProcessor::make(params, out->duties_, processing));
    out->processor_.emplace(std::move(processor));
    HOLDFAST_ASSIGN(closed, out->registry_->closed());
    out->compared_ = closed;
    return out;
}

Status SecondWay::take_y(const Registry& first) {
    HOLDFAST_ASSIGN(open, registry_->open_heights());
    for (const Height h : open) {
        HOLDFAST_ASSIGN(theirs, first.block(h));
        if (!theirs || !theirs->y) continue;
        HOLDFAST_ASSIGN(verdict, registry_->note_y(h, *theirs->y));
        if (!verdict) return fail_refused(verdict, "y of the first registry");
    }
    return {};
}

Status SecondWay::take_block(LocalChain& chain, const Registry& first, Height height) {
    HOLDFAST_ASSIGN(block, final_block(chain, height));
    HOLDFAST_ASSIGN(outcome, registry_->on_final_block(block));
    (void)outcome;  // of what it lists the first registry told
    return take_y(first);
}

Result<HandOverCost> SecondWay::drive(std::span<ProverSet* const> sets, ProverSet& cheaters,
                                      Height height, const StopCheck& stop) {
    for (ProverSet* const set : sets) {
        duties_.sign_with(set->key());
        HOLDFAST_TRY(duties_.begin_pass());
        HOLDFAST_ASSIGN(report, processor_->process(*set, height, stop));
        if (report.fault_count > 0) {
            return fail(ErrorCode::kCorrupt,
                        "with a signature for each link: " + report.faults[0].error.message);
        }
    }
    const HandOverCost cost = duties_.take_cost();
    duties_.sign_with(cheaters.key());
    HOLDFAST_ASSIGN(cheated, cheat(params_, duties_, cheaters, height));
    if (cheated.proofs_taken > 0) {
        return fail(ErrorCode::kCorrupt, "a cheater's proof was taken in its long form");
    }
    return cost;
}

Result<std::vector<DigestPair>> SecondWay::compare(const Registry& first) {
    std::vector<DigestPair> out;
    HOLDFAST_ASSIGN(closed, first.closed());
    for (Height h = compared_ ? *compared_ + 1 : params_.genesis_height; closed && h <= *closed;
         h = h + 1) {
        HOLDFAST_ASSIGN(one, first.block(h));
        HOLDFAST_ASSIGN(other, registry_->block(h));
        DigestPair pair{h, {}, {}};
        if (one && one->closed) pair.bundles = one->global;
        if (other && other->closed) pair.singles = other->global;
        out.push_back(pair);
    }
    compared_ = closed;
    return out;
}

}  // namespace holdfast::simulation
