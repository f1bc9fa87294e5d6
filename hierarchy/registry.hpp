// The registry: every chain of one network and the bonds under them, durable in one folder,
// advanced entry by entry.
//
// A deterministic state machine over a journal (spec section 15). An entry is a final block of the
// host chain with what it lists (on_final_block), the y of a height (note_y), or an object that
// others made (accept). Each is judged once, by the verifier set and by what stands before it; what
// it does and its number are one write transaction. The same entries give the same bytes on every
// machine, whenever it reads them and however often it was stopped in between.
//
// Time is counted in final blocks. The tip is the newest block entry. What is accepted while the
// tip is x is "accepted at x": it belongs to the digest of x and to no earlier one. The digest of g
// closes with block entry g + 1 + link_lag, before what that block lists. There are no
// reorganisations here: only final blocks come in, and another hash for a known height is an error.
//
// Durability: LMDB. After kill -9 the folder opens without repair and holds some number of whole
// entries. One process at a time (kBusy), and others beside it that only read. Threading: every
// function may be called from any thread; writers wait for one another, readers see the last
// finished write. Errors: Result for the environment, Verdict for objects. Spec: docs/spec.md
// sections 3, 5, 7, 10 and 15.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/listed_block.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "hierarchy/decision.hpp"
#include "hierarchy/lifecycle.hpp"
#include "hierarchy/tree.hpp"
#include "proofs/availability_verify.hpp"
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
    /// Heights of which the bytes of journal entries stay; the hashes of all stay anyway. At least
    /// what spec 15.10 asks for, whatever stands here. UINT64_MAX: all, from entry 0 on.
    std::uint64_t journal_heights = UINT64_MAX;
    /// States at checkpoint heights that stay in the folder as files, the newest ones, for who
    /// comes late (registry_state.hpp). 0: none.
    std::size_t state_files = 2;
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

/// A final block of the host chain, with everything that it lists.
struct FinalBlock {
    Height height;
    BlockHash hash;
    std::uint64_t time_ms = 0;
    ListedBlock listed;
    /// Of networks without an operator: y, verified in full, of VDF proofs that the block lists, by
    /// their place among its objects. Which are verified: listed_outputs() of api/final_block.hpp.
    std::map<std::size_t, VdfOutput> outputs = {};
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
    kBondForfeited = 7,  // an audit was missed for the third time; value: as kAuditMissed
    kBondReleased = 8,   // liability is over, the last audit is answered, nothing is open
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

/// What the dear part of judging an object has found, before its entry is made (prejudge()).
struct Prejudged {
    /// As things stood. Of kinds that are judged with their entry alone: of their form.
    Verdict verdict;
    std::shared_ptr<const struct JudgedFrom> from;  // what the verdict was made from
};

/// What the registry knows of a final block.
struct BlockRecord {
    Height height;
    BlockHash hash;
    std::uint64_t time_ms = 0;
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
    /// Why its state did not become a file; the height is closed all the same.
    std::optional<Error> state_file_fault;
};

/// What became of one object that a block listed or somebody handed over.
struct ObjectOutcome {
    Kind kind{};
    std::optional<ChainId> chain_id;
    std::optional<Height> height;
    Verdict verdict;
    /// Number of its journal entry; empty where it was refused or changed nothing, and for what
    /// blocks list.
    std::optional<std::uint64_t> entry;
    /// Of a bundle: the verdict on each member, in order.
    std::vector<Verdict> members;
};

/// What feeding a block did.
struct BlockOutcome {
    bool already_known = false;          // fed before, with the same hash: nothing changed
    std::vector<ObjectOutcome> objects;  // that it lists
    std::optional<ClosedHeight> closed;
};

/// The newest of what was appended, and what is left of it.
struct JournalSize {
    std::uint64_t entries = 0;
    Digest root;
    std::uint64_t first_kept = 0;  // of this and all later entries the bytes are kept
    std::uint64_t origin = 0;      // of entries before it this registry has never seen anything
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
    bool part_taken = false;             // of the bond: the chain ends
};

/// A seal proof that a chain owes: after its registration, or because it was audited.
struct SealDuty {
    ChainId chain_id;
    SealProofKind kind = SealProofKind::kSeal;
    Height drawn;                    // registration accepted at, or audited at
    std::optional<Height> y_height;  // the height whose y makes the challenge, once it is settled
    std::optional<VdfOutput> y;      // with y_height
    std::optional<Height> deadline;  // with y_height: the last tip before it is missed (again)
    std::uint8_t missed = 0;         // of an audit: how often
};

/// What a proof that is due is checked against. `deadline`: the last tip before it is missed.
struct OpenSealDuty {
    Registration registration;
    SealContext known;
    Height deadline;
};

/// The expensive check of a seal proof's body: verify_seal_proof, or a scheduler's memory of having
/// made it. Runs within the entry; what takes long is done before the object is handed over.
using SealCheck = std::function<Result<Verdict>(const Registration& registration,
                                                const SealContext& known, ByteView body)>;

/// A link that a chain may make at an open height. `reveal_base`: of the commitment in force there;
/// empty where there is none.
struct DueLink {
    ChainId chain_id;
    Link link_before;  // under the height's anchor
    std::optional<Height> reveal_base;
    friend bool operator==(const DueLink&, const DueLink&) = default;
};

/// The link of a chain and height. `entry`: number of the journal entry that brought it.
struct StandingLink {
    Link link;
    Link link_before;
    LinkProof proof = LinkProof::kNone;
    std::uint64_t entry = 0;
};

/// What the book says of a bond.
struct BookedBond {
    PublicKey owner;
    BondPurpose purpose = BondPurpose::kStorage;
    std::uint64_t held = 0;
    std::uint64_t reserved = 0;
    std::uint64_t owed = 0;
    std::uint64_t free = 0;
};
struct BondPart {
    BondId bond;
    std::uint64_t amount = 0;
    std::optional<Height> until;  // it is ending
};

/// A chain that may be challenged.
struct ChallengedChain {
    ChainId id;
    PublicKey prover;
    Root sealed_root;
    ChunkCount chunks;
    friend bool operator==(const ChallengedChain&, const ChallengedChain&) = default;
};

/// An outcome of which the whole response must follow.
struct OutcomeAudit {
    Height drawn;  // in the digest of this height
    Challenge2 challenge;
};

/// A link in a closed digest whose proof is still awaited.
struct DueProof {
    ChainId chain_id;
    Link link;
    Link link_before;
    std::optional<Height> reveal_base;
    friend bool operator==(const DueProof&, const DueProof&) = default;
};

/// A part of the chains that were ever registered for a prover: so many, behind chain id `after`
/// (zeros: from the first).
struct OwnedRange {
    PublicKey prover;
    ChainId after;
    std::uint32_t most = 0;
    friend bool operator==(const OwnedRange&, const OwnedRange&) = default;
};
/// What was found in such a part.
template <class T>
struct OwnedPage {
    std::vector<T> found;         // ascending by chain id
    std::optional<ChainId> more;  // there are chains behind this one: go on there
    friend bool operator==(const OwnedPage&, const OwnedPage&) = default;
};

/// A chain that must make a new base before a proof of its links can be checked: the last known
/// reveal is too far behind, or its reveal chain ends soon (spec 15.3). What the update must say.
struct DueUpdate {
    ChainId chain_id;
    std::uint32_t sequence = 0;
    Height effective;  // at least, where the next block lists it
    friend bool operator==(const DueUpdate&, const DueUpdate&) = default;
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
    std::uint64_t entries = 0;           // of the journal
    std::uint64_t first_kept_entry = 0;  // with all later ones
    std::uint64_t decisions = 0;         // ever made
    std::uint64_t regions = 0;           // in the newest digest
    std::uint64_t groups = 0;            // in all of them
    std::optional<Height> oldest_kept;   // lowest height of which leaves are kept
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

    // --- entries; each judged once, its effect and its number in one transaction ---

    /// The next final block: the network's genesis height first, then one after another. Closes the
    /// digest of height - 1 - link_lag, then takes what the block lists. kInvalidArgument for a
    /// gap, kRefused with kWrongBlock for another hash at a known height.
    [[nodiscard]] Result<BlockOutcome> on_final_block(const FinalBlock& block,
                                                      const SealCheck& check = {});
    /// y of a final height; it must have been fully verified by the caller. kTooEarly above the
    /// tip, kTooLate once the digest of the height has closed without it, kWrongOutput when another
    /// y stands there; ok for the same again.
    [[nodiscard]] Result<Verdict> note_y(Height height, const VdfOutput& y);
    /// Objects, standing alone, of the kinds that no block lists (spec 15.2): one outcome each, as
    /// if they came one after another, in one transaction. What holds and changes the state is
    /// appended; what holds and changes nothing is ok without a number. kBadKind for all others,
    /// kTooEarly before the first block. Reasons besides those of the objects' verifiers:
    ///   bundle             kTooLate (height closed), kTooEarly (above the tip), kUnknownChain,
    ///                      kNoSlot, kAlreadySettled (a smaller link stands: the two are evidence)
    ///   proofs of links    kTooEarly (digest not closed), kTooLate, kUnknownChain, kNotInDigest
    ///   seal proof         kUnknownChain, kWrongHeight (nothing is due for that y), kTooLate
    /// `check`: of seal proofs; empty: verify_seal_proof, with one fill for each window. When a
    /// check ends with an error, none of the objects is taken.
    [[nodiscard]] Result<std::vector<ObjectOutcome>> accept(std::span<const ByteView> objects,
                                                            const SealCheck& check = {});
    [[nodiscard]] Result<ObjectOutcome> accept(ByteView object, const SealCheck& check = {});
    /// Signatures, openings and reveals of bundles and proofs of links, beside whoever writes: what
    /// accept() then does not check again where nothing that the verdict was made from has changed.
    /// Bounded by the objects; never waits for a writer.
    [[nodiscard]] Result<std::vector<Prejudged>> prejudge(std::span<const ByteView> objects) const;
    /// accept() of objects that were prejudged, in their order.
    [[nodiscard]] Result<std::vector<ObjectOutcome>> accept(std::span<const ByteView> objects,
                                                            std::span<const Prejudged> judged);
    /// The same for the objects of neighbouring journal entries: unless each of them is appended,
    /// none is.
    [[nodiscard]] Result<std::vector<ObjectOutcome>> accept_all(std::span<const ByteView> objects,
                                                                const SealCheck& check = {});

    // --- the journal and what was decided (registry_journal.cpp) ---

    [[nodiscard]] Result<JournalSize> journal() const;
    /// Entries from number `first` on, at most `most` of them, and of more than one at most
    /// `most_bytes`. kNotFound: one of them is not kept any more; what to do instead.
    [[nodiscard]] Result<std::vector<Bytes>> entries(std::uint64_t first, std::size_t most,
                                                     std::uint64_t most_bytes = UINT64_MAX) const;
    /// The hash of an entry, its leaf in the tree. kNotFound, as inclusion().
    [[nodiscard]] Result<Digest> entry_digest(std::uint64_t entry) const;
    /// Those of entries from `first` on, at most `most`; none at the journal's end.
    [[nodiscard]] Result<std::vector<Digest>> entry_digests(std::uint64_t first,
                                                            std::size_t most) const;
    /// What the head of a closed height signs: its first 176 bytes. kNotFound.
    [[nodiscard]] Result<Bytes> head_of(Height height) const;
    /// Path of an entry under the tree of the first `size` entries; consistency of two sizes. From
    /// hashes, so that it makes no difference whether the entry's bytes are kept. kNotFound: beyond
    /// the journal, or before the state from which this registry began.
    [[nodiscard]] Result<std::vector<Digest>> inclusion(std::uint64_t entry,
                                                        std::uint64_t size) const;
    [[nodiscard]] Result<std::vector<Digest>> consistency(std::uint64_t older,
                                                          std::uint64_t size) const;
    /// Decisions from number `first` on, at most `most`. kNotFound: made before the state from
    /// which this registry began.
    [[nodiscard]] Result<std::vector<Decision>> decisions(std::uint64_t first,
                                                          std::size_t most) const;
    /// Number of the first decision that decisions() gives.
    [[nodiscard]] std::uint64_t first_decision() const;
    /// Where the state of a height lies, if it does (states()).
    [[nodiscard]] std::filesystem::path state_file(Height height) const;
    /// Heights whose states lie in files here, ascending: those whose heads this registry has.
    [[nodiscard]] Result<std::vector<Height>> states() const;
    /// A copy of such a file under a new name, with the operator's signature where it is known:
    /// checked against the head on the way, and published whole. kNotFound, kCorrupt,
    /// kAlreadyExists.
    [[nodiscard]] Status save_state(Height height, const std::filesystem::path& to,
                                    const std::optional<Signature>& signature) const;
    /// The canonical export of the whole state, piece by piece, and its digest (spec 15.5).
    [[nodiscard]] Result<Digest> export_state(
        const std::function<Status(ByteView piece)>& sink = {}) const;

    // --- bonds ---

    [[nodiscard]] Result<std::optional<BookedBond>> bond(const BondId& id) const;
    /// The part that a role's holder has; `holder`: chain_id or key.
    [[nodiscard]] Result<std::optional<BondPart>> part(BondPurpose role,
                                                       const Digest& holder) const;

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
    /// The link that stands for the chain and height, until it is settled.
    [[nodiscard]] Result<std::optional<StandingLink>> link(const ChainId& chain_id,
                                                           Height height) const;
    /// Every chain ever registered, ascending by chain id, until `visit` returns false.
    [[nodiscard]] Status for_each_chain(const std::function<bool(const ChainInfo&)>& visit) const;

    // --- what provers owe, all chains in one reading; by chain id (registry_duties.cpp) ----------

    /// Chains that are asked about; none given: all.
    using Wanted = std::function<bool(const ChainId&)>;
    /// Chains that hold a slot in the digest of this height, which must be open (kTooEarly or
    /// kTooLate otherwise, as kRefused), and of which no link stands there yet.
    [[nodiscard]] Result<std::vector<DueLink>> due_links(Height height,
                                                         const Wanted& wanted = {}) const;
    /// Links of this closed height that no proof has come for.
    [[nodiscard]] Result<std::vector<DueProof>> due_proofs(Height height,
                                                           const Wanted& wanted = {}) const;
    /// Seal and audit proofs whose y is known and whose deadline has not passed.
    [[nodiscard]] Result<std::vector<SealDuty>> due_seal_proofs(const Wanted& wanted = {}) const;
    /// Of chains with a slot at the tip and a commitment in force there, whose update would be
    /// taken by the next block.
    [[nodiscard]] Result<std::vector<DueUpdate>> due_updates(const Wanted& wanted = {}) const;

    // --- the same for a part of one prover's chains, at the cost of these ---

    [[nodiscard]] Result<OwnedPage<DueLink>> due_links_of(const OwnedRange& range,
                                                          Height height) const;
    /// kRefused (kTooEarly, kTooLate) unless proofs of that height are taken.
    [[nodiscard]] Result<OwnedPage<DueProof>> due_proofs_of(const OwnedRange& range,
                                                            Height height) const;
    /// Also those whose y is not there yet.
    [[nodiscard]] Result<OwnedPage<SealDuty>> seal_duties_of(const OwnedRange& range) const;
    [[nodiscard]] Result<OwnedPage<ChainInfo>> chains_of(const OwnedRange& range) const;
    [[nodiscard]] Result<OwnedPage<DueUpdate>> due_updates_of(const OwnedRange& range) const;

    // --- availability ---

    /// Who challenges at a final height, with their parts; ascending by key. While challenges of
    /// the height may come; the tip's, for a height above it.
    [[nodiscard]] Result<std::vector<ChallengerPart>> challengers_in_force(Height height) const;
    /// Chains that may be challenged at a height (B86), ascending by id.
    [[nodiscard]] Result<std::vector<ChallengedChain>> challenged_chains(Height height) const;
    /// Outcomes of a chain that may still decide a suspension; ascending by height.
    [[nodiscard]] Result<std::vector<OutcomeRecord>> outcomes(const ChainId& chain_id) const;
    /// Chains that the quorum suspends in the newest digest, ascending.
    [[nodiscard]] Result<std::vector<ChainId>> suspended_chains() const;
    /// Audits of outcomes that wait for a response, ascending by height drawn and id. `challenger`:
    /// whose.
    [[nodiscard]] Result<std::vector<OutcomeAudit>> outcome_audits(
        const PublicKey& challenger) const;

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
    enum class Unless { kNoneIs, kEachIs };  // appended: then nothing is written
    [[nodiscard]] Result<std::vector<ObjectOutcome>> accept(std::span<const ByteView> objects,
                                                            std::span<const Prejudged> judged,
                                                            const SealCheck& check, Unless unless);
    explicit Registry(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
