// Where seal and audit proofs come in: those that final blocks list, and those that strangers hand
// over so that some block may list them.
//
// Two rules bound the fills, and both spend nothing before signature and paths hold:
//  - listed: of the proofs of one duty in one block, those after the first that was filled and
//    found bad are refused with kBusy, and a duty that is met costs nothing more. What is listed
//    decides what every registry holds, so nothing here depends on this machine: a place is waited
//    for.
//  - offered: the ceilings of SealVerifier, for everybody and for each peer, and of one duty one
//    fill a block. Whoever wants the machine to work must have registered a replica for each fill.
// An offered proof that holds is handed to the host chain, and costs no second fill when listed.
//
// Threading: offer() from any thread, also while another one takes what a block lists; the rest one
// call at a time. Ownership: registry and chain must outlive it, and no offer may be in flight when
// it ends. Spec: docs/spec.md section 3.1 and appendix B63.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/seal_verifier.hpp"
#include "callbacks/blockchain.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast {

/// What became of one proof.
struct TakenSealProof {
    std::optional<ChainId> chain_id;  // as far as its head could be read
    std::optional<Height> y_height;
    Verdict verdict;
};

class SealIntake {
  public:
    SealIntake(Registry& registry, Blockchain& chain, const SealVerifierLimits& limits);

    /// A block is about to be taken, or taken again after a crash.
    void begin_block(Height height);
    /// Proofs in the order of the block, given by their bodies or by why they have none. Those of
    /// different duties are checked at once and share a transaction. Errors: of the registry,
    /// kInterrupted, kOutOfMemory; then some prefix was taken, and all may be given again.
    [[nodiscard]] Result<std::vector<TakenSealProof>> take_listed(
        std::span<const Checked<ByteView>> bodies, const StopCheck& stop);
    /// A stranger's proof, standing alone. Accepted: it holds and the host chain has it. kBusy:
    /// later. Errors: of registry and host chain, kInterrupted, kOutOfMemory.
    [[nodiscard]] Result<Verdict> offer(const std::string& peer, ByteView object,
                                        const StopCheck& stop);

    [[nodiscard]] SealVerifierCounts counts() const { return verifier_.counts(); }

  private:
    using Duty = std::pair<ChainId, Height>;
    Status check_together(std::span<const ByteView> bodies, std::span<TakenSealProof*> out,
                          const StopCheck& stop);

    Registry& registry_;
    Blockchain& chain_;
    unsigned at_once_;
    SealVerifier verifier_;
    std::set<Duty> found_bad_;  // listed by the block that is being processed

    std::mutex mutex_;
    std::set<Duty> offered_;  // filled for, or about to be, since the newest block
};

}  // namespace holdfast
