// The folder of a VDF clock: what this node has verified itself, proofs, and the checkpoints of
// evaluations in progress.
//
//   clock.log          a record file of marks: "y belongs to this start; verified here, in full"
//   HEIGHT.vdfproof    the proof of a height, standing alone, published whole
//   HEIGHT-INPUT.vdf   checkpoints of an evaluation; INPUT: 16 digits of its input
//
// A mark makes y usable; a proof file never does, whoever signed it. y is a function of d_0 alone,
// so that a mark stays true on every branch and after any backup has been restored. The log begins
// with the network and with a signature by the node's own evaluator key: a log that came with
// somebody else's folder is not believed. Damage to it loses marks and makes none: what a lost mark
// covered is verified again. Whoever can write to the folder and holds the key is the node.
//
// Thread-safe. One object may have a folder open for writing (kBusy). Spec: docs/spec.md section
// 12 and appendix B57.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "clock/checkpoint_file.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "vdf/proof.hpp"

namespace holdfast {

/// Whose folder it is, and what may be done there.
enum class ClockFolder : std::uint8_t {
    kOwn,          // read and written
    kOwnReadOnly,  // marks are believed, nothing is written
    kForeign,      // public data: no mark is believed, nothing is written
};

/// An output that this node has verified in full.
struct ClockMark {
    Height height;
    Seed input;
    Digest start;  // d_0: binds network, parameters, epoch and input
    VdfOutput y;
    Digest proof;            // SHA-256 of the proof, standing alone
    bool evaluated = false;  // by ourselves, not taken from others
};

/// An evaluation whose checkpoints lie in the folder.
struct KeptCheckpoints {
    Height height;
    std::uint64_t segments = 0;  // finished
};

class ClockStore {
  public:
    /// `owner` may be null. Makes the folder when it may write. kBusy, kIo, kRefused
    /// (kWrongNetwork) for a folder of another network.
    static Result<std::unique_ptr<ClockStore>> open(const std::filesystem::path& folder,
                                                    ClockFolder access, const NetworkId& network_id,
                                                    const KeyPair* owner);
    ~ClockStore();

    [[nodiscard]] std::optional<ClockMark> mark(Height height, const Seed& input,
                                                const Digest& start) const;
    /// Whether any branch of a height has a mark.
    [[nodiscard]] bool has_mark(Height height) const;
    /// Publishes the proof, then marks its output. The proof must have been verified in full.
    [[nodiscard]] Status keep(const VdfProof& proof, bool evaluated);
    /// The proof of a height as it was kept: kNotFound for none, kCorrupt when the file is not the
    /// one that was verified here. In a foreign folder: whatever lies there.
    [[nodiscard]] Result<VdfProof> proof(Height height) const;
    /// The file of a height, verified or not.
    [[nodiscard]] Result<VdfProof> file(Height height) const;

    /// Every height up to this one is final and has its mark; empty before the first.
    [[nodiscard]] std::optional<Height> settled() const;
    [[nodiscard]] Status settle(Height height);

    [[nodiscard]] Result<VdfCheckpointFile> checkpoints(Height height, const Seed& input) const;
    [[nodiscard]] Status forget_checkpoints(Height height, const Seed& input) const;
    /// Every file of checkpoints, by height.
    [[nodiscard]] std::vector<KeptCheckpoints> kept_checkpoints() const;
    /// Removes the checkpoints of settled heights, and the proofs below `below` save those that
    /// `needed` names. Marks stay.
    [[nodiscard]] Status prune(Height below, const std::function<bool(Height)>& needed) const;

  private:
    struct Impl;
    explicit ClockStore(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// File of a height's proof within a folder of proofs: "HEIGHT.vdfproof".
[[nodiscard]] std::filesystem::path vdf_proof_file(const std::filesystem::path& folder,
                                                   Height height);
/// Reads and decodes a stored proof (kind 9, standing alone). kNotFound, kRefused, kCorrupt.
[[nodiscard]] Result<VdfProof> read_vdf_proof(const std::filesystem::path& file);

}  // namespace holdfast
