// A verifier: judges any object of the protocol from public data alone.
//
// It has neither the file nor the replica. A proof or a window of proofs is accepted where its
// links count as far as public data tell (verify_proof); whether they came in time a registry
// knows. Cheap checks come first; only a seal proof costs fills and only a VDF proof costs an
// arena, both after everything else has held.
//
// Threading: const, any thread (each call that fills uses its own memory). Ownership: keeps a copy
// of the record. Spec: docs/spec.md sections 3.1, 6, 7, 10.2, 10.6.
//
//     HOLDFAST_ASSIGN(record, PublicRecord::load("public"));  // a folder that a node exported
//     const Verifier verifier(std::move(record));
//     HOLDFAST_ASSIGN(report, verifier.verify(object));  // an Error: the record lacks something
//     if (!report.verdict) std::puts(to_string(report.verdict).c_str());  // refused, and why
#pragma once

#include <optional>
#include <string>

#include "clock/public_record.hpp"
#include "core/fill.hpp"
#include "core/result.hpp"
#include "proofs/formats.hpp"
#include "vdf/arena.hpp"

namespace holdfast {

/// What the object itself does not say, or what the caller expects it to be. Anything given here is
/// compared with the object where the object says it too.
struct VerifyHints {
    std::optional<ChainId> chain_id;  // needed for a receipt when the record knows several chains
    std::optional<Height> height;     // needed for a path proof
    /// A path under a checkpoint's own digest: what proves its total_chains.
    std::optional<PathProof> path = {};
};

/// Kernel and stop of a verification.
struct VerifyOptions {
    const FillKernel* kernel = nullptr;
    StopCheck stop;
};

/// What an accepted window shows, and what it leaves out. Whoever made it has chosen its heights.
struct WindowShown {
    Height first;
    Height last;
    std::uint64_t links = 0;
    std::uint64_t full = 0;  // of them; these do not show that their link stands in a digest
    /// Heights between the first and the last that have y and of which it shows no link.
    std::uint64_t left_out = 0;
    std::uint64_t heights = 0;  // of the chain that have y, as far as the record goes
    [[nodiscard]] std::uint64_t openings() const { return (links - full) + full * kChunksPerLink; }
};

/// What a checkpoint says of the number of chains.
struct ShownTotal {
    std::uint64_t total_chains = 0;
    bool proven = false;  // by a path under its digest; otherwise it is its submitter's word
};

/// A verdict and what it is about.
struct VerifyReport {
    Kind kind{};
    std::optional<ChainId> chain_id;
    std::optional<Height> height;
    Verdict verdict;
    std::optional<WindowShown> window = {};  // of an accepted window
    std::optional<ShownTotal> total = {};    // of an accepted checkpoint
};

/// Judges any object by a record of public data.
class Verifier {
  public:
    explicit Verifier(PublicRecord record) : record_(std::move(record)) {}
    [[nodiscard]] const PublicRecord& record() const { return record_; }
    /// To tell it more; not while another thread verifies.
    [[nodiscard]] PublicRecord& record() { return record_; }

    /// Registration, update, removal, seal proof, receipt, bundle, member, compact, full, path,
    /// window, checkpoint, journal head or network parameters, standing alone. The verdict is in
    /// the report; an Error means that the record lacks what is needed (kNotFound), a hint is
    /// missing (kInvalidArgument), or memory is.
    [[nodiscard]] Result<VerifyReport> verify(ByteView object, const VerifyHints& hints = {},
                                              const VerifyOptions& options = {}) const;

  private:
    Result<VerifyReport> receipt(ByteView body, const VerifyHints& hints) const;
    Result<VerifyReport> bundle(ByteView body, const VerifyHints& hints) const;
    Result<VerifyReport> member(ByteView body, const VerifyHints& hints) const;
    Result<VerifyReport> head(ByteView body) const;
    Result<VerifyReport> proof(Kind kind, ByteView body, const VerifyHints& hints) const;
    Result<VerifyReport> window(ByteView body, const VerifyHints& hints) const;
    Result<VerifyReport> path(ByteView body, const VerifyHints& hints) const;
    Result<VerifyReport> registration(ByteView body) const;
    Result<VerifyReport> update(ByteView body) const;
    Result<VerifyReport> removal(ByteView body) const;
    Result<VerifyReport> checkpoint(ByteView body, const VerifyHints& hints) const;
    [[nodiscard]] WindowShown shown_by(const ProofWindow& window, Height genesis) const;
    Result<VerifyReport> seal_proof(ByteView body, const VerifyHints& hints,
                                    const VerifyOptions& options) const;

    PublicRecord record_;
};

}  // namespace holdfast
