// The network's clock: y of each host height, verified in full, kept on disk, served to provers and
// verifiers.
//
// It reads blocks through the Blockchain callback and rounds through the Beacon callback, builds
// the seed of a height, and finds its y: among what this node has verified before, in a proof that
// lies in its folder, from somebody else's proof (`proofs`), from an outside evaluator, or by
// evaluating it. Whatever it comes from, y is served only after full verification by this node, its
// own evaluations included; nothing is signed before that. A reorganisation changes the seeds of
// the heights that it replaces, and only those are evaluated again. Checkpoints are on the device
// before the next segment starts: a crash loses at most one segment of each evaluation.
//
//   at(h)       y of one height, now, whatever it takes
//   advance()   brings the clock up to the host's tip: the call that a host repeats, or hands to a
//               VdfClockService (clock/vdf_clock_service.hpp)
//
// Networks without a VDF have y = seed, nothing on disk, and nothing to advance.
//
// Threading: any thread. Evaluations take turns; at() for a height that another thread evaluates
// waits for it; import(), proof() and status() wait for nobody's evaluation. The callbacks are
// never called with a lock held, progress and stop from any thread. No thread outlives a call, save
// one that fills the next epoch's arena (options.fill_ahead), which the destructor stops and joins.
// Ownership: the callbacks must outlive the clock. Spec: docs/spec.md sections 5 and 6.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "callbacks/beacon.hpp"
#include "callbacks/blockchain.hpp"
#include "clock/clock_store.hpp"
#include "core/fill.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "vdf/arena.hpp"
#include "vdf/proof.hpp"
#include "vdf/verify.hpp"

namespace holdfast {

/// What a height's entropy is made of.
struct HeightEntropy {
    BlockInfo block;
    std::optional<BeaconRound> beacon;
    Seed seed;
    VdfOutput y;
};

struct VdfClockWork {
    StopCheck stop;
    /// Steps (blocks of the fill, segments) done of all; what names the stage: "filling the arena",
    /// "evaluating", "verifying".
    std::function<void(const char* what, std::uint64_t done, std::uint64_t total)> progress;
};

struct VdfClockOptions {
    std::filesystem::path folder;  // of proofs, marks and checkpoints; made when missing
    unsigned threads = 0;          // for fills, evaluation and verification; 0: all cores
    ClockFolder access = ClockFolder::kOwn;

    /// The first height that advance() brings up; empty: the genesis height. Earlier heights are
    /// found where an epoch needs them, and by at().
    std::optional<Height> first = {};
    /// advance() starts at the host's tip; otherwise with the final blocks.
    bool from_tip = true;
    /// Heights evaluated side by side in one arena; at least 1.
    unsigned at_once = 8;
    /// Memory of all arenas; 0: two of the network's.
    std::uint64_t arena_ceiling_bytes = 0;
    /// Fills the next epoch's arena once its seed is known, where the ceiling has room for two.
    bool fill_ahead = true;
    /// Proofs of the newest so many settled heights are kept, and those of epoch sources forever;
    /// 0: all.
    std::uint64_t keep_proofs = 0;
    /// How often an evaluation looks whether the host's blocks are still those it works for.
    std::uint32_t poll_ms = 1'000;

    /// Somebody else's proof of a height for this input; any error: none to be had now. It may lie.
    std::function<Result<VdfProof>(Height height, const Seed& input)> proofs = {};
    /// Computes d_0 … d_K elsewhere (other hardware, another process). It may lie: what it returns
    /// is verified in full before it is signed. An error or a lie: evaluated here instead.
    std::function<Result<std::vector<Digest>>(const VdfContext& context, const VdfClockWork& work)>
        outside = {};
    /// Whether the network closed this height without y; empty while that is not decided
    /// (api/closed_without_y.hpp asks a registry). Such a height is not evaluated by advance(), and
    /// is the source of no epoch. An epoch whose source is not decided waits (kUnavailable): a
    /// proof under another epoch seed would be evidence against its signer (spec 11, kinds 4 and
    /// 8). No function: every height has y, which only somebody may assume who signs nothing.
    std::function<Result<std::optional<bool>>(Height height)> closed_without_y = {};
};

/// A proof or an evaluation that was refused.
struct RefusedOutput {
    Height height;
    Verdict verdict;
    const char* from = "";  // "folder", "proofs", "outside", "evaluation"
};

/// A height that advance() could not bring up, and why. It is asked again with the next call.
struct WaitingHeight {
    Height height;
    Error error;
};

struct VdfClockReport {
    std::vector<Height> evaluated;
    std::vector<Height> verified;  // proofs of others, and those found in the folder
    std::vector<RefusedOutput> refused;
    std::vector<WaitingHeight> waiting;
};

struct VdfClockStatus {
    Height tip;
    std::optional<Height> newest_final;
    std::optional<Height> settled;  // every height up to this one is final and has y
    std::uint64_t behind = 0;       // final heights above it for which no y is known
    std::uint64_t behind_tip = 0;   // blocks up to the tip for which no y is known
    std::vector<KeptCheckpoints> in_progress;
    std::uint64_t segments_in_all = 0;  // of one evaluation
    // Since the clock was opened:
    std::uint64_t segments_evaluated = 0;
    std::uint64_t heights_evaluated = 0;
    std::uint64_t heights_verified = 0;
    std::uint64_t abandoned = 0;  // evaluations given up: block replaced, or y came from others
    std::uint64_t refused = 0;
    double steps_per_second = 0;  // of one evaluation; 0: not known yet
    std::uint64_t arena_bytes = 0;
    std::uint64_t arena_fills = 0;
};

class VdfClock {
  public:
    /// `beacon` may be null in networks without one; `evaluator` may be empty: then only stored,
    /// foreign and imported proofs give y. kInvalidArgument for a ceiling below one arena, for an
    /// outside evaluator without a key; kRefused, kBusy (the folder is in use), kIo.
    static Result<VdfClock> open(const NetworkParams& params, Blockchain& chain, Beacon* beacon,
                                 std::optional<KeyPair> evaluator, const VdfClockOptions& options);
    VdfClock(VdfClock&&) noexcept;
    VdfClock& operator=(VdfClock&&) noexcept;
    VdfClock(const VdfClock&) = delete;
    VdfClock& operator=(const VdfClock&) = delete;
    ~VdfClock();

    /// Block, seed and y of a height. kUnavailable: no block, beacon round or (without an
    /// evaluator) proof yet. kInterrupted. Evaluates when nothing usable is known.
    [[nodiscard]] Result<HeightEntropy> at(Height height, const VdfClockWork& work = {});

    /// Brings up every height from `first` to the tip that has no y yet: others' proofs first, then
    /// evaluation, the lowest heights first. Ends when nothing is left that can be done now. An
    /// error (host, disk) loses nothing; the next call goes on. kRefused (kWrongBlock) when the
    /// host replaced a final block.
    [[nodiscard]] Result<VdfClockReport> advance(const VdfClockWork& work = {});

    /// How far behind the clock is. Errors: the host's.
    [[nodiscard]] Result<VdfClockStatus> status() const;

    /// The kept proof of a height, for others; kNotFound, kCorrupt (no longer the one verified).
    [[nodiscard]] Result<VdfProof> proof(Height height) const;

    /// Verifies somebody else's proof in full and keeps it when it holds.
    [[nodiscard]] Result<Verdict> import(const VdfProof& proof, const VdfClockWork& work = {});

    /// Looks at `segments` of somebody else's proof, drawn from `randomness`, which nobody else
    /// knew when it was signed. Accepted means: not refuted; its y is not kept and at() does not
    /// give it.
    [[nodiscard]] Result<Verdict> spot_check(const VdfProof& proof, std::uint32_t segments,
                                             const Digest& randomness,
                                             const VdfClockWork& work = {});
    /// Removes kept proofs of heights below that one, but for those of epoch sources.
    [[nodiscard]] Status prune(Height below);

    /// What a verifier of the height's proof knows: input, epoch, epoch seed.
    [[nodiscard]] Result<VdfContext> context(Height height, const VdfClockWork& work = {});
    /// The arena of a context's epoch, from the cache or filled. kBusy: the ceiling leaves no room.
    [[nodiscard]] Result<std::shared_ptr<const VdfArena>> arena(const VdfContext& context,
                                                                const VdfClockWork& work = {});

    /// Sets options.closed_without_y; before the first other call (the registry that answers may be
    /// opened after the clock).
    void set_closed_without_y(
        std::function<Result<std::optional<bool>>(Height height)> closed_without_y);

    /// File of a height's proof within a folder of proofs: "HEIGHT.vdfproof".
    static std::filesystem::path proof_file(const std::filesystem::path& folder, Height height) {
        return vdf_proof_file(folder, height);
    }

  private:
    struct Impl;
    explicit VdfClock(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
