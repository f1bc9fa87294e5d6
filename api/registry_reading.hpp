// What a registry says, put together for those who ask: by an aggregator of its own process, or by
// a reader beside it.
//
// Threading and errors: as of Registry. Spec: docs/spec.md sections 5 and 7.
#pragma once

#include "api/prover.hpp"
#include "callbacks/blockchain.hpp"
#include "clock/public_record.hpp"
#include "clock/vdf_clock.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast {

/// The request for a prover's link at a height; kUnavailable where there is none to make (no y, no
/// slot yet, chain ended).
[[nodiscard]] Result<LinkRequest> link_request_of(const Registry& registry, const ChainId& chain_id,
                                                  Height height);

/// Everything public about chains, and about heights from `first` on. `clock` may be null for a
/// network without a beacon.
[[nodiscard]] Result<PublicRecord> public_record_of(const Registry& registry, Blockchain& chain,
                                                    VdfClock* clock, Height first);

}  // namespace holdfast
