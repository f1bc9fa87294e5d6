// One block for a set of chains: what they owe is asked for in one pass, their cells are read deep
// in flight, their links are recorded with one wait for the device, signed, and handed over in few
// bundles; then the proofs of an earlier height. Whom is asked and handed to is a DutySource: the
// registry of the process, or a node afar.
//
// A chain whose reveals nobody could check any more, because it was silent for too long, or whose
// reveal chain ends soon, gets an update with a new base.
//
// Whatever goes wrong with a chain (files missing, truncated, unreadable, damaged; another link on
// record; a refusal by the registry) is a fault of that chain alone. Only what concerns all of them
// ends the call: the records, the source, cancellation. Every step may be repeated after a
// crash and gives the same bytes: those that a Prover for each chain would give, in any order and
// with any number of threads.
//
// Threading: one call at a time; starts its own workers and joins them. Ownership: the source
// must outlive it. Spec: docs/spec.md sections 5, 7 and 10.3. Figures: docs/design/block.md.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "api/duty_source.hpp"
#include "api/kept_openings.hpp"
#include "api/link_prover.hpp"
#include "api/prover_set.hpp"
#include "chunking/batch_reader.hpp"
#include "core/fill.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast {

/// A proof of an earlier link that a prover of ours made and the registry took.
struct MadeProof {
    ChainId chain_id;
    Height height;
    bool full_required = false;
    Bytes object;  // compact or full, standing alone
};

/// Something that a block needed and did not get: a prover's part (`chain_id`), y, or a settlement.
/// The rest of the block is not touched by it.
struct BlockFault {
    std::optional<ChainId> chain_id;
    Height height;
    Error error;
};

/// Threads, way of reading, and what is told about proofs and faults.
struct BlockProcessorOptions {
    unsigned threads = 0;                         // 0: one for each core
    std::optional<BatchReader::Way> way;          // empty: the best that the system allows
    unsigned depth = BatchReader::kDefaultDepth;  // reads in flight, a thread
    bool seal_proofs = true;  // false: somebody else makes them, beside the links
    /// Memory for what spares compact proofs fifteen of sixteen reads (api/kept_openings.hpp).
    std::size_t kept_opening_bytes = std::size_t{256} << 20;
    std::size_t most_faults = 1'000;  // told in words; the others are counted
    /// Each proof that the registry took, in the order of chains. An error ends the block.
    std::function<Status(MadeProof&&)> on_proof;
    /// The links that the registry took, ascending by chain.
    std::function<void(const LinkPlace&, std::span<const ChainLink>)> on_links;
    std::function<void(const char* what, std::uint64_t done, std::uint64_t total)> progress;
};

/// Seconds of a block's steps.
struct SetTimes {
    double plan = 0;    // what is owed
    double seal = 0;    // seal and audit proofs, checked and taken
    double links = 0;   // cells read, checked, hashed to links
    double record = 0;  // on the device
    double sign = 0;
    double bundles = 0;  // checked and taken
    double proofs = 0;   // compact and full proofs made
    double proven = 0;   // checked and taken
    [[nodiscard]] double all() const {
        return plan + seal + links + record + sign + bundles + proofs + proven;
    }
};

/// What one pass over a set did, counted.
struct SetReport {
    std::uint64_t members = 0;
    std::uint64_t links_due = 0;
    std::uint64_t links = 0;  // taken by the registry
    std::uint64_t seal_proofs = 0;
    std::uint64_t updates = 0;  // new bases handed to the host chain
    std::uint64_t proofs_due = 0;
    std::uint64_t compact_proofs = 0;
    std::uint64_t full_proofs = 0;
    std::uint64_t fault_count = 0;
    std::vector<BlockFault> faults;  // the first of them
    SetTimes times;
    std::size_t most_open_files = 0;
};

/// Does what a set of chains owes at each block.
class BlockProcessor {
  public:
    /// kUnsupported: a way of reading that this system does not allow.
    static Result<BlockProcessor> make(const NetworkParams& params, DutySource& source,
                                       const BlockProcessorOptions& options = {});

    /// Everything that the set owes while the tip is `height`. The source has begun a pass
    /// (DutySource::begin_pass). kInterrupted.
    [[nodiscard]] Result<SetReport> process(ProverSet& set, Height height,
                                            const StopCheck& stop = {});

  private:
    BlockProcessor(const NetworkParams& params, DutySource& source,
                   const BlockProcessorOptions& options);
    class Run;

    NetworkParams params_;
    NetworkId network_id_;
    DutySource* source_;
    BlockProcessorOptions options_;
    std::vector<std::unique_ptr<BatchReader>> readers_;  // one for each worker
    KeptOpenings kept_;
};

}  // namespace holdfast
