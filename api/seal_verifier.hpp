// A scheduler in front of the fills that seal proofs cost: strangers' proofs in, verdicts out, with
// a ceiling on everything.
//
// A proof is judged in the order of the spec. What is cheap (policy, lengths, signature, both
// multiproofs) is checked at once and takes no place. Only then a place is asked for, and refused
// with kBusy where the peer, or everybody together, has as many proofs in flight as allowed: no
// fill is spent on it. Places for fills go round among the peers that wait, and within a peer to
// the earliest deadline; a proof whose deadline has passed while it waited is refused with kTooLate
// and costs nothing. Windows of one proof are filled at once where places are free; the verdict is
// that of the first bad window in the order of selection all the same. A proof that was accepted is
// remembered for a while, so that it costs no second fill when a block lists it.
//
// What a block lists is another matter: its verdict must be the same on every machine, however busy
// this one is. Such a proof waits for its place and is never refused for load (Request::listed).
//
// Threading: every member from any thread; verify() works in the caller's thread and in TBB's and
// blocks until there is a verdict. No thread of its own, and no clock decides anything: deadlines
// are heights, and set_tip() says where the chain stands. Memory: fills_at_once windows of the
// largest preset of the network, and proofs_at_most bodies. Spec: docs/spec.md section 3.1.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/fill.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "proofs/seal_proof_verify.hpp"

namespace holdfast {

/// Ceilings for everybody together and for each peer.
struct SealVerifierLimits {
    unsigned fills_at_once = 0;     // 0: one for each core
    unsigned proofs_at_most = 64;   // of all peers together, waiting or at work
    unsigned proofs_of_a_peer = 4;  // the same for one peer
};

/// What the verifier has done so far.
struct SealVerifierCounts {
    std::uint64_t refused_cheaply = 0;  // before a place was asked for
    std::uint64_t busy = 0;
    std::uint64_t remembered = 0;  // accepted before, and not filled again
    std::uint64_t late = 0;        // the deadline passed while they waited
    std::uint64_t fills = 0;       // spent
    std::uint64_t most_fills_at_once = 0;
};

/// Decides how many fills strangers get, and makes them.
class SealVerifier {
  public:
    explicit SealVerifier(const NetworkParams& network, const SealVerifierLimits& limits = {},
                          const FillKernel* kernel = nullptr);
    /// No verify() may be in progress.
    ~SealVerifier();
    SealVerifier(const SealVerifier&) = delete;
    SealVerifier& operator=(const SealVerifier&) = delete;

    /// A seal proof to be judged.
    struct Request {
        std::string peer;  // who handed the proof over, by whatever name its connection proves
        Registration registration;
        SealContext known;
        std::optional<Height> deadline;  // the last tip at which the proof is accepted
        bool listed = false;             // by a final block: first, and no ceiling on proofs
        /// Asked when everything cheap holds and there is room; false refuses with kBusy. Must not
        /// call the verifier.
        std::function<bool()> admit;
        StopCheck stop;  // ends this one with kInterrupted
    };
    /// The verdict of verify_seal_proof, or kBusy, or kTooLate. Errors: kInterrupted after close()
    /// and where `stop` says so, kOutOfMemory.
    [[nodiscard]] Result<Verdict> verify(const Request& request, ByteView body);

    /// The tip has moved: what waits with a deadline below it is let go.
    void set_tip(Height tip);
    /// Ends fills in progress and everything that waits; later calls return kInterrupted at once.
    void close();
    [[nodiscard]] SealVerifierCounts counts() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
