// What a registry says, put together for those who ask: by an aggregator of its own process, or by
// a reader beside it.
//
// Threading and errors: as of Registry. Spec: docs/spec.md sections 5 and 7.
#pragma once

#include <functional>
#include <string>

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

/// How far a long reading is: of what, how much of how much.
using ReadingProgress =
    std::function<void(const std::string& what, std::uint64_t done, std::uint64_t total)>;

/// Everything public about chains, and about heights from `first` on. `clock` may be null for a
/// network without a beacon.
[[nodiscard]] Result<PublicRecord> public_record_of(const Registry& registry, Blockchain& chain,
                                                    VdfClock* clock, Height first,
                                                    const ReadingProgress& progress = {});

}  // namespace holdfast
