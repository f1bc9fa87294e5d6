// Cheats of a prover that follows a node: what stands between its honest daemon and that node.
//
// GarbageDuties       answers every height, with whatever lies in the replica for lost cells
// EquivocatingDuties  signs, once, a second link of a height that its bundle has a link of
//
// Both pass on everything else. What they do of their own happens in the daemon's one thread that
// links; the source that is wrapped and the log must outlive them.
#pragma once

#include <filesystem>
#include <memory>
#include <set>

#include "api/duty_source.hpp"
#include "api/link_prover.hpp"
#include "chunking/tree_file.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "node/log.hpp"
#include "proofs/reveal.hpp"
#include "storage/file.hpp"

namespace holdfast::node {

/// Passes everything on.
class DutyFilter : public DutySource {
  public:
    explicit DutyFilter(DutySource& honest) : honest_(honest) {}

    Result<std::optional<Height>> tip() override { return honest_.tip(); }
    Result<std::vector<Height>> open_heights() override { return honest_.open_heights(); }
    Result<std::vector<Height>> proof_heights() override { return honest_.proof_heights(); }
    Result<KnownHeight> known_height(Height height) override {
        return honest_.known_height(height);
    }
    Result<std::vector<DueLink>> due_links(Height height, const Wanted& wanted) override {
        return honest_.due_links(height, wanted);
    }
    Result<std::vector<DueProof>> due_proofs(Height height, const Wanted& wanted) override {
        return honest_.due_proofs(height, wanted);
    }
    Result<std::vector<SealDuty>> due_seal_proofs(const Wanted& wanted) override {
        return honest_.due_seal_proofs(wanted);
    }
    Result<std::vector<DueUpdate>> due_updates(const Wanted& wanted) override {
        return honest_.due_updates(wanted);
    }
    Result<std::optional<Registration>> registration(const ChainId& chain_id) override {
        return honest_.registration(chain_id);
    }
    Result<std::optional<OwnedChain>> chain_of_replica(const ReplicaId& replica_id) override {
        return honest_.chain_of_replica(replica_id);
    }
    Result<std::vector<OwnedChain>> chains_of(const PublicKey& prover) override {
        return honest_.chains_of(prover);
    }
    Result<std::vector<ObjectOutcome>> accept(std::span<const ByteView> objects,
                                              const SealCheck& check) override {
        return honest_.accept(objects, check);
    }
    Status list(Kind kind, ByteView object) override { return honest_.list(kind, object); }
    Status begin_pass() override { return honest_.begin_pass(); }

  protected:
    DutySource& honest_;
};

/// What a cheat knows of its own machine.
struct CheatPlace {
    NetworkParams params;
    const KeyPair& key;
    Log& log;
};

/// Links and proves one replica without a look at whether its cells are those that were sealed.
/// Logs each proof that it hands over as cheat.proof: height, full, and whether a lost cell is
/// shown.
class GarbageDuties final : public DutyFilter {
  public:
    /// `replica`: X.replica, with X.tree beside it. Errors of opening them.
    static Result<std::unique_ptr<GarbageDuties>> open(DutySource& honest, const CheatPlace& place,
                                                       const std::filesystem::path& replica);

    /// Hands the links over itself, and has nothing left for the daemon to do.
    Result<std::vector<DueLink>> due_links(Height height, const Wanted& wanted) override;
    Result<std::vector<DueProof>> due_proofs(Height height, const Wanted& wanted) override;

  private:
    GarbageDuties(DutySource& honest, const CheatPlace& place, File replica, TreeFile tree);
    struct Opened {
        LinkOpening link;
        std::vector<Digest> cell_path;  // of the cell that a compact proof shows
        bool lost = false;              // what is shown holds a cell that is not the sealed one
    };
    Result<LinkDraw> draw(const ChainId& chain, const KnownHeight& known, const Link& link_before,
                          const std::optional<Height>& base);
    Result<Opening> open_cells(std::span<const std::uint64_t> cells, bool& lost) const;
    Status prove(const KnownHeight& known, const DueProof& due);

    const CheatPlace place_;
    const NetworkId network_id_;
    File replica_;
    TreeFile tree_;
    std::map<Height, RevealChain> reveals_;             // by base
    std::set<std::pair<ChainId, Height>> handed_over_;  // proofs: refused ones are owed for ever
};

/// With its `nth` bundle it signs another link of the first member, as a receipt, to be shown to
/// somebody who has not seen the bundle: both lie in its folder then, as equivocation.bundle and
/// equivocation.receipt. It does so once: where those files are it keeps to the rules.
class EquivocatingDuties final : public DutyFilter {
  public:
    EquivocatingDuties(DutySource& honest, const CheatPlace& place, unsigned nth,
                       std::filesystem::path folder)
        : DutyFilter(honest), place_(place), nth_(nth), folder_(std::move(folder)) {}

    Result<std::vector<ObjectOutcome>> accept(std::span<const ByteView> objects,
                                              const SealCheck& check) override;

  private:
    Status equivocate(ByteView bundle);

    const CheatPlace place_;
    const unsigned nth_;
    const std::filesystem::path folder_;
    unsigned bundles_ = 0;
};

}  // namespace holdfast::node
