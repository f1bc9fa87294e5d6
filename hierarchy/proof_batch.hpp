// Many receipts or proofs at once, over all cores, with a verdict for each.
//
// Calls the steps of the trusted rooms in their order and adds nothing to them: verdict i is what
// the single call gives for item i, whatever the number of threads. What several items have in
// common is done once: a signature that more than one of them brings, the hashes between reveals of
// one chain, and the way from a group up to the global digest. Blocks until all are done.
// Thread-safe. Spec: docs/spec.md section 7.
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
    /// A receipt that verify_receipt has accepted for this chain and height, where the verifier has
    /// kept one: a proof with the same one is not asked for its signature again.
    const Receipt* accepted = nullptr;
};

/// How often a batch did what its items could share.
struct BatchWork {
    std::uint64_t signatures = 0;     // verified
    std::uint64_t reveal_hashes = 0;  // between reveals and the last known ones
    std::uint64_t groups = 0;         // ways from a group to a global digest
};

/// `threads`: at most so many, and never more than TBB is allowed; 0: as many as it is allowed.
/// Each item is judged from its own chain's last known reveal; no item sees another's. `work` may
/// be null.
[[nodiscard]] std::vector<Verdict> verify_receipts(const NetworkId& network_id,
                                                   std::span<const ReceiptItem> items,
                                                   unsigned threads = 0, BatchWork* work = nullptr);
[[nodiscard]] std::vector<Verdict> verify_proofs(const NetworkParams& params,
                                                 const NetworkId& network_id,
                                                 std::span<const ProofItem> items,
                                                 unsigned threads = 0, BatchWork* work = nullptr);

}  // namespace holdfast
