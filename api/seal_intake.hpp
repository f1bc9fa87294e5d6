// Where seal and audit proofs come in: the operator's own and those that strangers hand over.
//
// A fill is spent before the proof stands in the journal, never while an entry is judged: whoever
// hands a proof over waits for a place, and the registry then asks for what is remembered. Nothing
// is spent before signature and paths hold. For strangers there are the ceilings of SealVerifier,
// for everybody and for each peer, and of one duty one fill a block: whoever wants the machine to
// work must have registered a replica, with a part of a bond, for each fill.
//
// Threading: every function from any thread. Ownership: the registry must outlive it, and no call
// may be under way when it ends. Spec: docs/spec.md sections 3.1 and 15.2.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "api/seal_verifier.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast {

/// Takes seal proofs from strangers, within the ceilings of a SealVerifier.
class SealIntake {
  public:
    SealIntake(Registry& registry, const SealVerifierLimits& limits);

    /// A block entry has been taken.
    void set_tip(Height height);
    /// A proof, standing alone. Accepted: it stands in the journal. kBusy: later. `peer`: under
    /// which name its connection is proved; empty: the operator's own, which waits for its place
    /// and has no ceiling. Errors: of the registry, kInterrupted, kOutOfMemory.
    [[nodiscard]] Result<ObjectOutcome> take(const std::string& peer, ByteView object,
                                             const StopCheck& stop);
    [[nodiscard]] SealVerifierCounts counts() const { return verifier_.counts(); }

  private:
    using Duty = std::pair<ChainId, Height>;
    /// Fills, within the ceilings.
    Result<Verdict> verify(const std::string& peer, const Duty& duty, const OpenSealDuty& open,
                           ByteView body, const StopCheck& stop);

    Registry& registry_;
    SealVerifier verifier_;
    std::mutex mutex_;
    std::set<Duty> offered_;  // filled for, or about to be, since the newest block
};

}  // namespace holdfast
