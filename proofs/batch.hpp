// Many receipts or proofs at once, over all cores, with a verdict for each.
//
// Calls the verifier set and adds nothing to it: verdict i is what the single call gives for item
// i, whatever the number of threads. Blocks until all are done. Thread-safe. Spec: docs/spec.md
// section 7.
#pragma once

#include <span>
#include <vector>

#include "core/params.hpp"
#include "core/result.hpp"
#include "proofs/formats.hpp"
#include "proofs/link_verify.hpp"

namespace holdfast {

/// One object and what the verifier knows of its chain and height; the pointers must outlive the
/// call.
struct ReceiptItem {
    const KnownChain* chain = nullptr;
    const KnownHeight* height = nullptr;
    const Receipt* receipt = nullptr;
};
struct ProofItem {
    const KnownChain* chain = nullptr;
    const KnownHeight* height = nullptr;
    const AnyProof* proof = nullptr;
};

/// `threads`: at most so many, and never more than TBB is allowed; 0: as many as it is allowed.
/// Each item is judged from its own chain's last known reveal; no item sees another's.
[[nodiscard]] std::vector<Verdict> verify_receipts(const NetworkId& network_id,
                                                   std::span<const ReceiptItem> items,
                                                   unsigned threads = 0);
[[nodiscard]] std::vector<Verdict> verify_proofs(const NetworkParams& params,
                                                 const NetworkId& network_id,
                                                 std::span<const ProofItem> items,
                                                 unsigned threads = 0);

}  // namespace holdfast
