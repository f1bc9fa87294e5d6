#include "clock/entropy_record.hpp"

#include <algorithm>

#include "proofs/entropy.hpp"
#include "proofs/reveal.hpp"

namespace holdfast {
namespace {

std::string height_text(Height height) { return "height " + std::to_string(height.value); }

/// The beacon's part: which round it must be, when it is due, and that the value holds.
/// Spec 5: the round follows from the block's time.
Status take_beacon(const PublicRecord& record, const PublicHeight& facts, EntropyRecord& out) {
    const NetworkParams& params = record.params();
    const Checked<std::uint64_t> round = beacon_round(params, facts.block.time_ms / 1000);
    if (!round) return fail_refused(round.error(), "the block's time");
    if (!facts.beacon) {
        return fail_refused(Reason::kNoEntropy,
                            "the beacon round of " + height_text(facts.block.height));
    }
    if (facts.beacon->round != *round) {
        return fail_refused(Reason::kBadBeacon, "round " + std::to_string(facts.beacon->round) +
                                                    ", where the block's time names round " +
                                                    std::to_string(*round));
    }
    HOLDFAST_TRY(PublicBeacon(record).verify(*round, *facts.beacon));
    out.beacon = facts.beacon;
    out.beacon_due_s = params.beacon_genesis_s + (*round - 1) * params.beacon_period_s;
    return {};
}

}  // namespace

// Spec 5.
Result<EntropyRecord> entropy_record(const PublicRecord& record, Height height) {
    const NetworkParams& params = record.params();
    if (const Verdict policy = check_entropy_policy(params); !policy) {
        return fail_refused(policy, "the network");
    }
    const auto facts = record.heights().find(height);
    if (facts == record.heights().end()) {
        return fail(ErrorCode::kNotFound,
                    "the public record has no block of " + height_text(height));
    }
    EntropyRecord out;
    out.block = facts->second.block;
    out.seed_not_before_s = out.block.time_ms / 1000;
    std::optional<BeaconRandomness> randomness;
    if (params.has_beacon) {
        HOLDFAST_TRY(take_beacon(record, facts->second, out));
        randomness = BeaconRandomness{out.beacon->round, out.beacon->randomness};
        out.seed_not_before_s = std::max(out.seed_not_before_s, *out.beacon_due_s);
    }
    const Checked<Seed> seed =
        make_seed(params, record.network_id(), height, out.block.hash, randomness);
    if (!seed) return fail_refused(seed.error(), "the entropy of " + height_text(height));
    out.seed = *seed;
    if (!facts->second.y) return fail_refused(Reason::kNoEntropy, "y of " + height_text(height));
    out.y = *facts->second.y;
    if (params.has_vdf) {
        out.vdf_steps = params.vdf.total_steps();
    } else if (out.y != seed_as_output(out.seed)) {
        return fail_refused(Reason::kVdfOutputMismatch, "y, which is the seed without a VDF");
    }
    return out;
}

Result<Entropy> chain_entropy_at(const PublicRecord& record, const EntropyRecord& of_height,
                                 const ChainId& chain) {
    const Height height = of_height.block.height;
    HOLDFAST_ASSIGN(known, record.known_chain(chain, height));
    Reveal reveal;
    if (known.reveals) {
        const Checked<std::uint64_t> i = reveal_index(known.reveals->base, height);
        if (!i) return fail_refused(i.error(), "the reveal of " + height_text(height));
        KnownReveal at = known.reveals->known;
        // Any later one leads back to it.
        for (const RevealState& later : record.chains().at(chain).reveals) {
            if (later.base == known.reveals->base && later.known.i > at.i) at = later.known;
        }
        if (at.i < *i) {
            return fail_refused(Reason::kNoEntropy,
                                "the chain's reveal of " + height_text(height) + " is its secret");
        }
        for (; at.i > *i; --at.i) {
            at.a = reveal_before(record.network_id(), view(known.replica_id), at.i, at.a);
        }
        reveal = at.a;
    }
    return chain_entropy(record.network_id(), of_height.y, chain, reveal);
}

}  // namespace holdfast
