// The network's clock: y of each host height, evaluated once, kept on disk as signed proofs.
//
// It reads blocks through the Blockchain callback and rounds through the Beacon callback, builds
// the seed, and evaluates the VDF, or takes a stored proof. A proof of our own evaluator key is
// checked against the block of now (a reorganisation changes the seed, and the height is evaluated
// again); a proof of anybody else becomes usable through full verification only. Networks without a
// VDF have y = seed and nothing on disk.
//
// Threading: one call at a time. Ownership: the callbacks must outlive the clock.
// Spec: docs/spec.md sections 5 and 6.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "callbacks/beacon.hpp"
#include "callbacks/blockchain.hpp"
#include "core/fill.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "vdf/arena.hpp"
#include "vdf/proof.hpp"
#include "vdf/vdf_verify.hpp"

namespace holdfast {

/// What a height's entropy is made of.
struct HeightEntropy {
    BlockInfo block;
    std::optional<BeaconRound> beacon;
    Seed seed;
    VdfOutput y;
};

struct VdfClockOptions {
    std::filesystem::path folder;  // of proofs; made when missing
    unsigned threads = 0;          // for fills and verification; 0: all cores
};

struct VdfClockWork {
    StopCheck stop;
    /// Steps (or blocks of the fill) done of all; what names the stage ("filling the arena", …).
    std::function<void(const char* what, std::uint64_t done, std::uint64_t total)> progress;
};

class VdfClock {
  public:
    /// `beacon` may be null in networks without one; `evaluator` may be empty: then only stored and
    /// imported proofs give y.
    static Result<VdfClock> open(const NetworkParams& params, Blockchain& chain, Beacon* beacon,
                                 std::optional<KeyPair> evaluator, const VdfClockOptions& options);
    VdfClock(VdfClock&&) noexcept;
    VdfClock& operator=(VdfClock&&) noexcept;
    ~VdfClock();

    /// Block, seed and y of a height. kUnavailable: no block, beacon round or (without an
    /// evaluator) proof yet. kInterrupted. Evaluates when nothing usable is stored.
    [[nodiscard]] Result<HeightEntropy> at(Height height, const VdfClockWork& work = {});

    /// The stored proof of a height; kNotFound.
    [[nodiscard]] Result<VdfProof> proof(Height height) const;

    /// Verifies somebody else's proof in full and stores it when it holds.
    [[nodiscard]] Result<Verdict> import(const VdfProof& proof, const VdfClockWork& work = {});

    /// What a verifier of the height's proof knows: input, epoch, epoch seed.
    [[nodiscard]] Result<VdfContext> context(Height height, const VdfClockWork& work = {});
    /// The arena of a context's epoch, filled at the first use and kept until another epoch is
    /// used.
    [[nodiscard]] Result<std::shared_ptr<const VdfArena>> arena(const VdfContext& context,
                                                                const VdfClockWork& work = {});

    /// File of a height's proof within a folder of proofs: "HEIGHT.vdfproof".
    static std::filesystem::path proof_file(const std::filesystem::path& folder, Height height);

  private:
    struct Impl;
    explicit VdfClock(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Reads and decodes a stored proof (kind 9, standing alone). kNotFound, kRefused, kCorrupt.
[[nodiscard]] Result<VdfProof> read_vdf_proof(const std::filesystem::path& file);

}  // namespace holdfast
