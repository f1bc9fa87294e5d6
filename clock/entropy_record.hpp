// The record of a height: what its entropy was made of, and why nobody could know it earlier.
//
// Out of public data alone (clock/public_record): the block and its time, the one beacon round that
// belongs to that time and the moment at which the round is due, the seed over both, the number of
// VDF steps between the seed and y, and, of one chain, E. Each source that the network requires is
// there and holds, or there is no record. A block's time is its producer's word, within what the
// host tolerates; y is the record's word until a VDF clock has verified its proof in full.
// Pure but for the beacon's signature; any thread. Spec: docs/spec.md section 5.
#pragma once

#include <optional>

#include "clock/public_record.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

struct EntropyRecord {
    BlockInfo block;
    std::optional<BeaconRound> beacon;          // in networks with a beacon
    std::optional<std::uint64_t> beacon_due_s;  // when that round's value comes into being
    Seed seed;
    std::uint64_t vdf_steps = 0;  // one after another, from the seed to y; 0 without a VDF
    VdfOutput y;
    /// In seconds: before that moment some part of the seed did not exist.
    std::uint64_t seed_not_before_s = 0;
};

/// kNotFound: no such block in the record. kRefused: kNoEntropy where a required source or y is
/// missing, kBadBeacon where the round is not the one of the block's time or its value does not
/// hold, kNetworkPolicy for a network without a source.
[[nodiscard]] Result<EntropyRecord> entropy_record(const PublicRecord& record, Height height);

/// E of one chain there. kNotFound: no such chain. kRefused: kNoEntropy while its reveal of that
/// height (or a later one under the same commitment) is not public, kRevealExhausted.
[[nodiscard]] Result<Entropy> chain_entropy_at(const PublicRecord& record,
                                               const EntropyRecord& of_height,
                                               const ChainId& chain);

}  // namespace holdfast
