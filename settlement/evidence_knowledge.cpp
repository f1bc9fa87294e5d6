#include "settlement/evidence_knowledge.hpp"

#include "proofs/entropy.hpp"
#include "storage/parallel.hpp"
#include "vdf/walk.hpp"

namespace holdfast {

std::optional<Seed> seed_from(const PublicRecord& record, Height height) {
    const auto found = record.heights().find(height);
    if (found == record.heights().end()) return std::nullopt;
    std::optional<BeaconRandomness> beacon;
    if (found->second.beacon) {
        beacon = BeaconRandomness{found->second.beacon->round, found->second.beacon->randomness};
    }
    const auto seed =
        make_seed(record.params(), record.network_id(), height, found->second.block.hash, beacon);
    return seed ? std::optional(*seed) : std::nullopt;
}

std::optional<EpochSeed> epoch_seed_from(const PublicRecord& record, std::uint64_t epoch) {
    const NetworkId& id = record.network_id();
    const auto source =
        epoch_source_with_y(record.params(), epoch, [&record](Height h) -> Result<bool> {
            const auto known = record.heights().find(h);
            if (known != record.heights().end()) return known->second.y.has_value();
            return fail(ErrorCode::kNotFound, "the record does not know this height");
        });
    if (!source) return std::nullopt;
    return epoch_seed(id, epoch, *source ? *record.heights().at(**source).y : genesis_output(id));
}

// Spec 11, where it is judged.
EvidenceKnowledge evidence_knowledge(const PublicRecord& record, const EvidenceWork& work) {
    EvidenceKnowledge k;
    k.params = record.params();
    k.network_id = record.network_id();
    const auto find = [&record](Height h) -> const PublicHeight* {
        const auto found = record.heights().find(h);
        return found == record.heights().end() ? nullptr : &found->second;
    };
    k.chain = [&record](const ChainId& id, Height h) -> Result<std::optional<KnownChain>> {
        if (!record.chains().contains(id)) return std::optional<KnownChain>();
        HOLDFAST_ASSIGN(chain, record.known_chain(id, h));
        return std::optional(std::move(chain));
    };
    k.final_block = [find](Height h) -> Result<std::optional<BlockHash>> {
        const PublicHeight* known = find(h);
        return known == nullptr ? std::nullopt : std::optional(known->block.hash);
    };
    k.y = [find](Height h) -> Result<std::optional<VdfOutput>> {
        const PublicHeight* known = find(h);
        return known == nullptr ? std::nullopt : known->y;
    };
    k.seed = [&record](Height h) -> Result<std::optional<Seed>> { return seed_from(record, h); };
    k.epoch_seed = [&record](std::uint64_t epoch) -> Result<std::optional<EpochSeed>> {
        return epoch_seed_from(record, epoch);
    };
    const ParallelFor parallel = pool_parallel(work.threads);
    k.arena = [params = k.params.vdf, parallel, stop = work.stop,
               kept = std::shared_ptr<const VdfArena>()](
                  std::uint64_t epoch,
                  const EpochSeed& seed) mutable -> Result<std::shared_ptr<const VdfArena>> {
        if (kept && kept->view().serves(params, epoch, seed)) return kept;
        kept.reset();
        FillOptions fill;
        fill.parallel = parallel;
        fill.stop = stop;
        HOLDFAST_ASSIGN(filled, VdfArena::fill(params, epoch, seed, fill));
        kept = filled;
        return filled;
    };
    k.fill.stop = work.stop;
    k.vdf.parallel = parallel;
    k.vdf.stop = work.stop;
    return k;
}

}  // namespace holdfast
