// The registry: every chain of one network, durable in one folder, advanced block by final block.
//
// A deterministic state machine. Its inputs are final blocks (on_final_block), the y of heights
// (note_y) and objects that others made (accept_…); each object is checked by the trusted rooms
// before anything is written. The same inputs at the same final heights give the same bytes on
// every machine.
//
// Time is counted in final blocks. The tip is the newest final block that was fed in. What is
// accepted while the tip is x is "accepted at x": it belongs to the digest of x and to no earlier
// one. The digest of g closes when block g + 1 + link_lag is fed in, so a deadline "by height d" is
// kept by what arrives while the tip is at most d (for proofs of links: before block d arrives,
// because that block settles them). There are no reorganisations here: only final blocks are fed
// in, and another hash for a known height is an error.
//
// Settled here, where spec sections 10.3 to 10.5 leave room:
//  - candidates for an audit at h are the chains that hold a slot in the digest of h, and those
//    whose bond is still liable at h; liability starts with the first vacant height and lasts
//    liability_blocks heights; a bond is released when, besides, no audit of the chain is open;
//  - an audit whose deadline passes counts as misses while the chain holds its slot at that height;
//  - a height gives misses of any kind only when it has y and its y_c is known;
//  - of two valid receipts for one chain and height the smaller link stands (the order of merging),
//    and the other is handed back as half of the evidence.
//
// Durability: LMDB. Every accepting call and every block is one write transaction: done as a whole
// and on the device when the call returns, or not at all. After kill -9 the folder opens without
// repair. One process at a time (kBusy), and others beside it that only read. Threading: every
// function may be called from any thread; writers wait for one another, readers see the last
// finished write. Signatures and proofs are checked in parallel, outside write transactions.
// Errors: Result for the environment, Verdict for objects. Spec: docs/spec.md sections 3, 5, 7
// and 10.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "hierarchy/lifecycle.hpp"
#include "hierarchy/tree.hpp"
#include "proofs/checkpoint.hpp"
#include "proofs/formats.hpp"
#include "proofs/link_verify.hpp"
#include "proofs/registration.hpp"
#include "proofs/seal_proof_verify.hpp"

namespace holdfast {

struct RegistryOptions {
    /// Heights whose leaves, receipts of settlement and effects stay on disk for paths and queries.
    /// 0: proof_deadline + link_lag + finality_blocks + 64; never less than what settling needs.
    std::uint64_t kept_heights = 0;
    /// Address space for the database; its file grows only as needed. kOutOfSpace when it is full.
    std::uint64_t map_bytes = std::uint64_t{64} << 30;
    /// Threads for hashing and checking; 0: as many as the machine has.
    unsigned threads = 0;
    /// Checks every page and value of the database when it is opened (kCorrupt), so that a damaged
    /// file cannot end the process later. Reads the whole file once.
    bool check_on_open = true;
    /// Reads beside another process that has the registry open: its tree and slots() stay at the
    /// digest that was the newest when this was opened, everything else follows the other's
    /// commits, and whatever would write gives kPermission. Not beside a Registry of the same
    /// process. kNotFound where there is no registry. The file is checked unless it is being
    /// written.
    bool read_only = false;
};

/// A final block of the host chain.
struct FinalBlock {
    Height height;
    BlockHash hash;
    std::uint64_t time_s = 0;
    /// y of this height where it is known with the block (networks without a VDF); else note_y.
    std::optional<VdfOutput> y;
    /// Chains that the availability quorum suspends in the digest that this block closes (that of
    /// height - 1 - link_lag), in any order.
    std::vector<ChainId> suspended;
};

/// What closing a height did to a chain. Kept as long as leaves are; a host that was interrupted
/// reads it again and repeats its idempotent callbacks.
enum class EffectKind : std::uint8_t {
    kPlaced = 1,         // value: slot
    kVacated = 2,        // value: slot; the bond stays liable
    kExpired = 3,        // shown with status 4; value: misses
    kVoided = 4,         // no seal proof in time: deposit lost, replica burnt
    kAuditDrawn = 5,     // value: none
    kAuditMissed = 6,    // value: height at which the audit was drawn
    kBondForfeited = 7,  // audit missed while only liability was left; value: as kAuditMissed
    kBondReleased = 8,   // liability is over and nothing is open
};
std::string_view to_string(EffectKind kind);

struct Effect {
    EffectKind kind = EffectKind::kPlaced;
    ChainId chain_id;
    std::uint64_t value = 0;
    friend bool operator==(const Effect&, const Effect&) = default;
};

/// Chains by the status that a digest shows.
struct StatusCounts {
    std::uint64_t total = 0;
    std::uint64_t active = 0;
    std::uint64_t late = 0;
    std::uint64_t removing = 0;
    std::uint64_t expired = 0;
    friend bool operator==(const StatusCounts&, const StatusCounts&) = default;
};

/// What the registry knows of a final block.
struct BlockRecord {
    Height height;
    BlockHash hash;
    std::uint64_t time_s = 0;
    std::optional<VdfOutput> y;
    bool closed = false;
    GlobalDigest global;  // the following only when closed
    std::uint32_t regions = 0;
    StatusCounts counts;
    friend bool operator==(const BlockRecord&, const BlockRecord&) = default;
};

struct ClosedHeight {
    BlockRecord block;
    std::vector<Effect> effects;
    bool checkpoint_due = false;
};

/// What feeding a block did.
struct BlockOutcome {
    bool already_known = false;  // fed before, with the same hash: nothing changed
    std::optional<ClosedHeight> closed;
};

enum class ChainPhase : std::uint8_t {
    kPending = 0,  // registered, seal proof due: status 0, counts for nothing
    kSealed = 1,   // seal proof accepted; holds a slot from the digest of that height on
    kLiable = 2,   // slot vacant, bond still liable
    kVoid = 3,     // no seal proof in time
    kEnded = 4,    // liability over
};
std::string_view to_string(ChainPhase phase);

struct ChainInfo {
    ChainId chain_id;
    Registration registration;
    Height accepted;
    ChainPhase phase = ChainPhase::kPending;
    std::uint32_t last_sequence = 0;
    std::optional<Height> sealed_at;     // seal proof accepted at; the slot is taken in that digest
    std::optional<std::uint64_t> slot;   // once that digest has closed, until it falls vacant
    std::optional<ChainStatus> status;   // in the newest digest
    std::uint64_t misses = 0;            // in the rate window of the newest digest
    std::optional<Height> removal_at;    // a removal accepted at
    std::optional<Height> vacant_from;   // first vacant height
    std::optional<Height> liable_until;  // first height without liability
    bool bond_forfeited = false;
};

/// A seal proof that a chain owes: after its registration, or because it was audited.
struct SealDuty {
    ChainId chain_id;
    SealProofKind kind = SealProofKind::kSeal;
    Height drawn;                    // registration accepted at, or audited at
    std::optional<Height> y_height;  // the height whose y makes the challenge, once it is settled
    std::optional<VdfOutput> y;      // with y_height
    std::optional<Height> deadline;  // with y_height: the last tip at which a proof is accepted
};

/// What a proof that is due is checked against. `deadline`: the last tip at which it is accepted.
struct OpenSealDuty {
    Registration registration;
    SealContext known;
    Height deadline;
};

/// The expensive check of a seal proof (verify_seal_proof, or a scheduler in front of it); runs
/// outside any transaction and may take as long as its fills do.
using SealCheck =
    std::function<Result<Verdict>(const Registration& registration, const SealContext& known)>;

/// A proof that names y of `y_height`, and how to check it.
struct SubmittedSealProof {
    ChainId chain_id;
    Height y_height;
    SealCheck check;
};

struct SubmittedReceipt {
    ChainId chain_id;
    Receipt receipt;
};

struct ReceiptOutcome {
    Verdict verdict;  // ok also for a receipt that is known already
    bool already_known = false;
    /// Another valid receipt of the same chain and height: with the submitted one it is evidence of
    /// equivocation, whichever of the two now stands.
    std::optional<Receipt> conflicting;
};

struct CheckpointOutcome {
    Verdict verdict;
    bool already_known = false;
    /// Another one of the same submitter, height and block that says something else: the two are
    /// evidence of kind 5.
    std::optional<Checkpoint> conflicting;
};

/// A link that a chain may make at an open height. `reveal_base`: of the commitment in force there;
/// empty where there is none.
struct DueLink {
    ChainId chain_id;
    Link link_before;  // under the height's anchor
    std::optional<Height> reveal_base;
};

/// A link in a closed digest whose proof is still awaited.
struct DueProof {
    ChainId chain_id;
    std::uint64_t slot = 0;
    Receipt receipt;
    Link link_before;
    std::optional<Height> reveal_base;
};

struct RegistryStatistics {
    std::optional<Height> tip;
    std::optional<Height> closed;     // newest closed digest
    StatusCounts counts;              // in it
    std::uint64_t registrations = 0;  // ever accepted
    std::uint64_t pending = 0;
    std::uint64_t sealed = 0;
    std::uint64_t liable = 0;
    std::uint64_t voided = 0;
    std::uint64_t ended = 0;
    std::uint64_t heights_with_y = 0;
    std::uint64_t regions = 0;          // in the newest digest
    std::uint64_t groups = 0;           // in all of them
    std::optional<Height> oldest_kept;  // lowest height of which leaves are kept
    std::uint64_t file_bytes = 0;
    std::uint64_t memory_bytes = 0;  // of the tree of the newest digest
};

/// The network of the registry, or of the backup of one, in a folder. kNotFound, kCorrupt.
[[nodiscard]] Result<NetworkParams> registry_network(const std::filesystem::path& folder);

class Registry {
  public:
    /// Opens the folder, or makes it and an empty registry. kBusy (another process), kUnsupported
    /// (newer schema), kRefused with kWrongNetwork, kRefused with kBadParameters, kCorrupt,
    /// kPermission, kOutOfSpace, kIo.
    static Result<std::unique_ptr<Registry>> open(const std::filesystem::path& folder,
                                                  const NetworkParams& params,
                                                  const RegistryOptions& options = {});
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    [[nodiscard]] const NetworkParams& params() const;
    [[nodiscard]] const NetworkId& network_id() const;

    // --- time ---

    /// The next final block: the network's genesis height first, then one after another. Closes the
    /// digest of height - 1 - link_lag. kInvalidArgument for a gap, kRefused with kWrongBlock for
    /// another hash at a known height.
    [[nodiscard]] Result<BlockOutcome> on_final_block(const FinalBlock& block);
    /// y of a final height; it must have been fully verified by the caller. kTooEarly above the
    /// tip, kTooLate once the digest of the height has closed without it, kVdfOutputMismatch when
    /// another y stands there.
    [[nodiscard]] Result<Verdict> note_y(Height height, const VdfOutput& y);

    // --- objects; accepted at the tip. kTooEarly before the first block. ---

    [[nodiscard]] Result<Verdict> accept_registration(const Registration& registration);
    /// Many, one verdict each, as if they came one after another: checked in parallel, one
    /// transaction.
    [[nodiscard]] Result<std::vector<Verdict>> accept_registrations(
        std::span<const Registration> registrations);
    /// kUnknownChain, kNoSlot for a chain that has ended, and those of check_update.
    [[nodiscard]] Result<Verdict> accept_update(const Update& update);
    /// kUnknownChain, kNoSlot, kAlreadyRemoved, and those of check_removal.
    [[nodiscard]] Result<Verdict> accept_removal(const Removal& removal);
    /// A seal or audit proof, checked in full here (one window of memory, as many fills as
    /// windows): kUnknownChain, kWrongHeight when nothing is due for the y that it names, kTooLate,
    /// and those of verify_seal_proof. The tip that counts is the one after the check.
    [[nodiscard]] Result<Verdict> accept_seal_proof(ByteView body);
    /// The same with the caller's own check of a proof that names y of `y_height`.
    [[nodiscard]] Result<Verdict> accept_seal_proof(const ChainId& chain_id, Height y_height,
                                                    const SealCheck& check);
    /// Many with their own checks, `at_once` of which run at the same time (0: as many as the
    /// machine has cores; each may need the memory of a window); one verdict each, one transaction.
    /// When a check ends with an error, none is accepted and the error is returned.
    [[nodiscard]] Result<std::vector<Verdict>> accept_seal_proofs(
        std::span<const SubmittedSealProof> proofs, unsigned at_once = 1);
    /// Receipts for open heights; one outcome each, in order. kTooLate (height closed), kTooEarly
    /// (above the tip), kUnknownChain, kNoSlot, and those of verify_receipt.
    [[nodiscard]] Result<std::vector<ReceiptOutcome>> accept_receipts(
        std::span<const SubmittedReceipt> receipts);
    /// Compact and full proofs for closed heights; one verdict each, in order. kTooEarly (digest
    /// not closed), kTooLate, kUnknownChain, kNotInDigest, and those of verify_proof.
    [[nodiscard]] Result<std::vector<Verdict>> accept_proofs(std::span<const AnyProof> proofs);
    /// A bare reveal of `height` that bridges a long silence. Those of check_reveal, kNoEntropy for
    /// a chain without a commitment at that height.
    [[nodiscard]] Result<Verdict> accept_reveal(const ChainId& chain_id, Height height,
                                                const Reveal& reveal);
    /// A checkpoint that somebody submitted: the verdict is that of judge_checkpoint, and kTooLate
    /// for a height that is not kept any more. Of each submitter the first one for a height is
    /// remembered, true or not, so that another that says something else shows: callers look at its
    /// bond first, which bounds what strangers can make this store.
    [[nodiscard]] Result<CheckpointOutcome> accept_checkpoint(const Checkpoint& checkpoint);
    /// One miss of the chain at `height`, for an invalid response; once per chain and height.
    /// kUnknownChain, kTooEarly, kTooLate (settled already), kAlreadySettled.
    [[nodiscard]] Result<Verdict> note_invalid_response(const ChainId& chain_id, Height height);

    // --- heights ---

    [[nodiscard]] Result<std::optional<Height>> tip() const;
    [[nodiscard]] Result<std::optional<Height>> closed() const;
    [[nodiscard]] Result<std::optional<BlockRecord>> block(Height height) const;
    /// Heights for which receipts are accepted now: those after the newest digest, up to the tip.
    [[nodiscard]] Result<std::vector<Height>> open_heights() const;
    /// Closed heights for whose links proofs are still accepted.
    [[nodiscard]] Result<std::vector<Height>> proof_heights() const;
    /// anchor_h. kUnavailable while that digest has not closed.
    [[nodiscard]] Result<GlobalDigest> anchor(Height height) const;
    /// All that a verifier must know of a height; what is not known yet stays empty. link_before is
    /// `chain_id`'s, where one is given. kUnavailable above the tip, or when leaves of the anchor's
    /// height are no longer kept.
    [[nodiscard]] Result<KnownHeight> known_height(
        Height height, const std::optional<ChainId>& chain_id = std::nullopt) const;
    /// What closing that height did, while it is kept; kNotFound otherwise.
    [[nodiscard]] Result<std::vector<Effect>> effects(Height height) const;

    // --- chains ---

    [[nodiscard]] Result<std::optional<ChainInfo>> chain(const ChainId& chain_id) const;
    [[nodiscard]] Result<std::optional<ChainId>> chain_of_replica(
        const ReplicaId& replica_id) const;
    /// What a verifier must know of a chain for proofs of `height`: with the commitment in force
    /// there and the newest reveal known under it. kNotFound.
    [[nodiscard]] Result<KnownChain> known_chain(const ChainId& chain_id, Height height) const;
    /// Seal and audit proofs that the chain owes now, also those whose y is not there yet.
    [[nodiscard]] Result<std::vector<SealDuty>> seal_duties(const ChainId& chain_id) const;
    /// What a proof that names y of `y_height` would be checked against now: kUnknownChain,
    /// kWrongHeight when nothing is due for that y, kTooLate.
    [[nodiscard]] Result<Checked<OpenSealDuty>> open_seal_duty(const ChainId& chain_id,
                                                               Height y_height) const;
    /// Accepted updates of a chain, by sequence.
    [[nodiscard]] Result<std::vector<Update>> updates(const ChainId& chain_id) const;
    /// The receipt that stands for the chain's link of a height, until the link is settled.
    [[nodiscard]] Result<std::optional<Receipt>> receipt(const ChainId& chain_id,
                                                         Height height) const;
    /// Every chain ever registered, ascending by chain id, until `visit` returns false.
    [[nodiscard]] Status for_each_chain(const std::function<bool(const ChainInfo&)>& visit) const;

    // --- what provers owe, all chains in one reading; by chain id (registry_duties.cpp) ----------

    /// Chains that are asked about; none given: all.
    using Wanted = std::function<bool(const ChainId&)>;
    /// Chains that hold a slot in the digest of this height, which must be open (kTooEarly or
    /// kTooLate otherwise, as kRefused).
    [[nodiscard]] Result<std::vector<DueLink>> due_links(Height height,
                                                         const Wanted& wanted = {}) const;
    /// Links of this closed height that no proof has come for. kUnavailable when leaves of the
    /// anchor's height are no longer kept.
    [[nodiscard]] Result<std::vector<DueProof>> due_proofs(Height height,
                                                           const Wanted& wanted = {}) const;
    /// Seal and audit proofs whose y is known and whose deadline has not passed.
    [[nodiscard]] Result<std::vector<SealDuty>> due_seal_proofs(const Wanted& wanted = {}) const;

    // --- trees; heights that are kept (kNotFound otherwise) ---

    /// The chain's leaf in the digest of a height; empty where it holds no slot there.
    [[nodiscard]] Result<std::optional<ChainLeaf>> leaf(const ChainId& chain_id,
                                                        Height height) const;
    /// Format D of the chain under the digest of a height; kNotFound where it holds no slot there.
    [[nodiscard]] Result<PathProof> path(const ChainId& chain_id, Height height) const;
    /// The whole tree of a height, for many paths at once.
    [[nodiscard]] Result<HierarchyTree> tree(Height height) const;
    /// What the digest of each region of a height commits to.
    [[nodiscard]] Result<std::vector<RegionSummary>> regions(Height height) const;
    /// Slots at the newest digest, or that of a height, for merging.
    [[nodiscard]] Result<RegistrySlots> slots() const;
    [[nodiscard]] Result<RegistrySlots> slots(Height height) const;

    [[nodiscard]] Result<RegistryStatistics> statistics() const;
    /// Misses in the rate window of the newest digest -> how many chains with a slot have so many.
    [[nodiscard]] Result<std::map<std::uint64_t, std::uint64_t>> misses() const;

    /// A copy of everything in a new folder, which can be opened as a registry itself. The copy is
    /// checked and appears whole or not at all; blocks and objects may be fed in meanwhile. What it
    /// holds. kAlreadyExists, kOutOfSpace, kPermission, kIo, kCorrupt.
    [[nodiscard]] Result<RegistryStatistics> backup(const std::filesystem::path& to) const;

    /// The registry's inside; defined within its room only.
    struct Impl;

  private:
    explicit Registry(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
