// What a final block lists, but for bond events (bond_book.cpp) and evidence
// (registry_evidence.cpp): registrations, updates, removals, checkpoints. Each is judged once, in
// the block's order, with all that stands before it.
#include <optional>
#include <set>
#include <utility>

#include "hierarchy/availability_state.hpp"
#include "hierarchy/checkpoints.hpp"
#include "hierarchy/registry_impl.hpp"
#include "proofs/evidence_verify.hpp"
#include "storage/parallel.hpp"
#include "vdf/proof.hpp"

namespace holdfast {
namespace {

/// A registration and what follows from its bytes alone: by far the most of its cost.
struct JudgedRegistration {
    std::optional<Registration> registration;
    Verdict form;
    ChainId chain_id;
    ReplicaId replica_id;
};

JudgedRegistration judge_form(const Working& w, ByteView object) {
    JudgedRegistration out;
    const Checked<ByteView> body = unwrap_object(Kind::kRegistration, object);
    const Checked<Registration> decoded =
        body ? Registration::decode(*body) : Checked<Registration>(refuse(body.error()));
    if (!decoded) {
        out.form = decoded.error();
        return out;
    }
    out.registration = *decoded;
    out.form = check_registration(w.params, w.network_id, *decoded);
    out.chain_id = decoded->chain_id(w.network_id);
    out.replica_id = decoded->replica_id(w.network_id);
    return out;
}

Result<Verdict> take_registration(Working& w, const JudgedRegistration& judged) {
    if (!judged.form) return judged.form;
    const Registration& registration = *judged.registration;
    const Height accepted = w.tip();
    HOLDFAST_ASSIGN(
        genesis, load<StoredBlock>(w.txn, Table::kBlocks, height_key(registration.genesis_height)));
    const std::optional<BlockHash> hash =
        genesis ? std::optional(genesis->info.hash) : std::nullopt;
    const Verdict timely = check_acceptance(registration, hash, accepted);
    if (!timely) return timely;
    HOLDFAST_ASSIGN(chain_held, w.txn.contains(Table::kChains, view(judged.chain_id)));
    HOLDFAST_ASSIGN(replica_held, w.txn.contains(Table::kReplicas, view(judged.replica_id)));
    if (chain_held || replica_held) return Verdict(Reason::kAlreadyRegistered);
    HOLDFAST_ASSIGN(
        claimed, w.bonds.claim(BondPurpose::kStorage, judged.chain_id, registration.header.prover,
                               registration.bond_id, BondBook::Claim::kLeast, accepted));
    if (!claimed) return claimed;

    ChainRecord record;
    record.registration = registration;
    record.accepted = accepted;
    const Height challenge = accepted + w.params.seal_delay;
    ChainState state;
    state.challenge_from = challenge.value;
    state.genesis = registration.genesis_height;
    state.newest_base = registration.genesis_height;
    state.retention = registration.retention;
    const Key key = chain_key(judged.chain_id);
    HOLDFAST_TRY(save(w.txn, Table::kChains, key, record));
    HOLDFAST_TRY(save(w.txn, Table::kStates, key, state));
    HOLDFAST_TRY(w.txn.put(Table::kReplicas, view(judged.replica_id), view(judged.chain_id)));
    HOLDFAST_TRY(save_owner(w.txn, registration.header.prover, judged.chain_id));
    HOLDFAST_TRY(w.txn.put(Table::kCommitments,
                           chain_height_key(judged.chain_id, state.newest_base).bytes(),
                           view(registration.local_commitment)));
    HOLDFAST_TRY(schedule(w.txn, {challenge, AgendaItem::kSealChallenge, judged.chain_id, 0}));
    ++w.machine.registrations;
    ++w.machine.pending;
    return Verdict::ok();
}

/// A chain that may still sign updates and removals: pending or sealed.
struct SigningChain {
    PublicKey prover;
    ChainState state;
};

Result<Checked<SigningChain>> load_signing_chain(const Transaction& txn, const ChainId& chain_id) {
    HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(chain_id)));
    if (!record) return Checked<SigningChain>(refuse(Reason::kUnknownChain));
    HOLDFAST_ASSIGN(state, load<ChainState>(txn, Table::kStates, chain_key(chain_id)));
    if (!state || state->phase == ChainPhase::kLiable) {
        return Checked<SigningChain>(refuse(Reason::kNoSlot));
    }
    return Checked<SigningChain>(SigningChain{record->registration.header.prover, *state});
}

ChainHistory history_of(const ChainId& chain_id, const SigningChain& chain) {
    return {chain_id, chain.prover, chain.state.last_sequence, chain.state.newest_base};
}

/// What it costs does not depend on how many came before.
Result<Verdict> take_update(Working& w, const Update& update) {
    HOLDFAST_ASSIGN(found, load_signing_chain(w.txn, update.chain_id));
    if (!found) return found.error();
    ChainState& state = found->state;
    if (state.updated_at != kNever && w.tip() < Height(state.updated_at) + w.params.seal_delay) {
        return Verdict(Reason::kTooEarly);
    }
    const Verdict v =
        check_update(w.params, w.network_id, update, history_of(update.chain_id, *found), w.tip());
    if (!v) return v;
    state.last_sequence = update.sequence;
    state.newest_base = update.effective_height;
    state.updated_at = w.machine.tip;
    HOLDFAST_TRY(save(w.txn, Table::kStates, chain_key(update.chain_id), state));
    HOLDFAST_TRY(w.txn.put(Table::kCommitments,
                           chain_height_key(update.chain_id, update.effective_height).bytes(),
                           view(update.local_commitment)));
    HOLDFAST_TRY(
        save(w.txn, Table::kUpdates, update_key(update.chain_id, update.sequence), update));
    return Verdict::ok();
}

Result<Verdict> take_chain_removal(Working& w, const Removal& removal, SigningChain chain) {
    ChainState& state = chain.state;
    if (state.phase == ChainPhase::kPending) return Verdict(Reason::kNoSlot);
    if (state.removal_at != kNever) return Verdict(Reason::kAlreadyRemoved);
    const Verdict v =
        check_removal(w.network_id, removal, history_of(removal.chain_id, chain), w.tip());
    if (!v) return v;
    const Height vacant = w.tip() + w.params.removal_delay;
    state.last_sequence = removal.sequence;
    state.removal_at = w.machine.tip;
    state.vacant_from = std::min(state.vacant_from, vacant.value);
    HOLDFAST_TRY(save(w.txn, Table::kStates, chain_key(removal.chain_id), state));
    HOLDFAST_TRY(schedule(w.txn, {vacant, AgendaItem::kVacate, removal.chain_id, 0}));
    return Verdict::ok();
}

/// The way out of every role but a chain's (spec 15.4): the 32 bytes name a bond.
Result<Verdict> take_bond_removal(Working& w, const Removal& removal) {
    const BondId id(removal.chain_id);
    HOLDFAST_ASSIGN(bond, w.bonds.bond(id));
    if (!bond) return Verdict(Reason::kUnknownChain);
    constexpr std::uint32_t kWhatIsFree = 0;
    const Digest holder{bond->owner.bytes};
    std::optional<PartRecord> part;
    if (removal.sequence != kWhatIsFree) {
        if (removal.sequence != static_cast<std::uint32_t>(bond->purpose)) {
            return Verdict(Reason::kAlreadyRemoved);
        }
        HOLDFAST_ASSIGN(found, w.bonds.part(bond->purpose, holder));
        if (!found || found->bond != id || found->until != kNever) {
            return Verdict(Reason::kAlreadyRemoved);
        }
        part = found;
    } else if (bond->free() == 0) {
        return Verdict(Reason::kNoBond);
    }
    if (removal.height > w.tip()) return Verdict(Reason::kTooEarly);
    const bool stale = part && removal.height < part->claimed;
    if (stale || w.tip().since(removal.height) > kGenesisMaxAge) return Verdict(Reason::kTooLate);
    const Verdict v =
        verify_signature(bond->owner, view(removal.digest(w.network_id)), removal.signature);
    if (!v) return v;
    if (!part) {
        HOLDFAST_ASSIGN(back, w.bonds.release_free(id, bond_case(w.network_id, id, 0, w.tip()),
                                                   CaseKind::kBond));
        (void)back;
        return Verdict::ok();
    }
    const Height until = w.tip() + w.params.seal_delay;
    HOLDFAST_TRY(w.bonds.end_part(bond->purpose, holder, until));
    if (bond->purpose == BondPurpose::kChallenger) {
        HOLDFAST_TRY(availability_of(w).end_challenger(bond->owner, until));
    }
    return Verdict::ok();
}

Result<Verdict> take_removal(Working& w, const Removal& removal) {
    HOLDFAST_ASSIGN(found, load_signing_chain(w.txn, removal.chain_id));
    if (found) return take_chain_removal(w, removal, std::move(*found));
    return found.error().reason == Reason::kUnknownChain ? take_bond_removal(w, removal)
                                                         : Result<Verdict>(found.error());
}

/// Two statements of one submitter about one block, both listed, are the offence themselves.
Status take_conflict(Working& w, const Checkpoint& checkpoint) {
    const Digest submitter{checkpoint.submitter.bytes};
    const Offence offence{EvidenceKind::kBadCheckpoint, submitter, checkpoint.height};
    const OffenceId id = offence.id(w.network_id);
    HOLDFAST_ASSIGN(settled, w.txn.contains(Table::kOffences, view(id)));
    if (settled) return {};
    HOLDFAST_TRY(w.txn.put(Table::kOffences, view(id), Writer(8).height(w.tip()).bytes()));
    HOLDFAST_ASSIGN(
        taken, w.bonds.take(BondPurpose::kCheckpoint, submitter, CaseId(id), CaseKind::kOffence));
    (void)taken;
    return {};
}

Result<Verdict> take_checkpoint(Working& w, const Checkpoint& checkpoint) {
    HOLDFAST_ASSIGN(block, load<StoredBlock>(w.txn, Table::kBlocks, height_key(checkpoint.height)));
    BlockRecord facts;
    facts.height = checkpoint.height;
    if (block) facts = block->info;
    const Verdict judged = judge_checkpoint(w.params, w.network_id, facts, checkpoint);
    // Only these two are signed statements about a final block whose digest is known.
    if (!judged && judged.reason != Reason::kGlobalMismatch) return judged;
    if (w.machine.closed - checkpoint.height.value > w.params.liability_blocks) {
        return Verdict(Reason::kTooLate);
    }
    HOLDFAST_ASSIGN(claimed, w.bonds.claim(BondPurpose::kCheckpoint,
                                           Digest{checkpoint.submitter.bytes}, checkpoint.submitter,
                                           checkpoint.bond_id, BondBook::Claim::kLeast, w.tip()));
    if (!claimed) return claimed;
    const Key key = Key().height(checkpoint.height).fixed(checkpoint.submitter);
    HOLDFAST_ASSIGN(stored, w.txn.get(Table::kCheckpoints, key.bytes()));
    if (!stored) {
        HOLDFAST_TRY(w.txn.put(Table::kCheckpoints, key.bytes(), checkpoint.encode()));
        return judged;
    }
    const Checked<Checkpoint> first = Checkpoint::decode(*stored);
    if (!first) return corrupt_registry("a checkpoint does not decode");
    const bool same =
        first->global == checkpoint.global && first->total_chains == checkpoint.total_chains;
    if (!same) HOLDFAST_TRY(take_conflict(w, checkpoint));
    return judged;
}

template <class T>
Checked<T> decode_listed(const Submission& submission) {
    HOLDFAST_ASSIGN(body, unwrap_object(submission.kind, submission.object));
    return T::decode(body);
}

Result<Verdict> take_one(Working& w, const Submission& submission, ObjectOutcome& out) {
    switch (submission.kind) {
        case Kind::kUpdate: {
            const Checked<Update> update = decode_listed<Update>(submission);
            if (!update) return update.error();
            out.chain_id = update->chain_id;
            return take_update(w, *update);
        }
        case Kind::kRemoval: {
            const Checked<Removal> removal = decode_listed<Removal>(submission);
            if (!removal) return removal.error();
            out.chain_id = removal->chain_id;
            return take_removal(w, *removal);
        }
        case Kind::kChallenger: {
            const Checked<Challenger> challenger = decode_listed<Challenger>(submission);
            if (!challenger) return challenger.error();
            out.height = challenger->base;
            return availability_of(w).take_challenger(*challenger,
                                                      check_challenger(w.network_id, *challenger));
        }
        case Kind::kCheckpoint: {
            const Checked<Checkpoint> checkpoint = decode_listed<Checkpoint>(submission);
            if (!checkpoint) return checkpoint.error();
            out.height = checkpoint->height;
            return take_checkpoint(w, *checkpoint);
        }
        case Kind::kEvidence:
            return take_evidence(w, submission.object);
        default:
            return Verdict(Reason::kBadKind);
    }
}

/// In networks without an operator blocks list what elsewhere are entries of their own (spec 15.2).
class ListedJournal {
  public:
    ListedJournal(Working& w, const FinalBlock& block, const SealCheck& check)
        : w_(w), block_(block), check_(check) {}

    [[nodiscard]] bool takes(Kind kind) const {
        return !w_.params.has_operator() && (kind == Kind::kVdfProof || is_for_journal(kind));
    }
    Result<ObjectOutcome> take(std::size_t place) {
        const Submission& submission = block_.listed.objects[place];
        if (submission.kind == Kind::kVdfProof) return take_proof_of_y(place);
        if (submission.kind == Kind::kSealProof) return take_seal_proof(submission.object);
        return take_listed_object(w_, submission.object, check_);
    }

  private:
    Result<ObjectOutcome> take_proof_of_y(std::size_t place) {
        ObjectOutcome out;
        out.kind = Kind::kVdfProof;
        const Checked<VdfProof> proof = decode_listed<VdfProof>(block_.listed.objects[place]);
        const auto verified = block_.outputs.find(place);
        if (proof) out.height = proof->height;
        if (!proof || verified == block_.outputs.end()) {
            out.verdict = proof ? Verdict(Reason::kWrongOutput) : proof.error();
            return out;
        }
        bool changed = false;
        HOLDFAST_ASSIGN(verdict, take_output(w_.txn, proof->height, verified->second, changed));
        out.verdict = verdict;
        return out;
    }
    /// Of one duty one fill that shows nothing is spent in a block; the rest are busy.
    Result<ObjectOutcome> take_seal_proof(ByteView object) {
        Reader head(object.subspan(std::min<std::size_t>(object.size(), 2)));
        const auto chain_id = head.fixed<ChainId>();
        const std::pair<ChainId, Height> duty{chain_id, head.height()};
        if (!head.failed() && spent_.contains(duty)) {
            ObjectOutcome busy;
            busy.kind = Kind::kSealProof;
            busy.chain_id = duty.first;
            busy.height = duty.second;
            busy.verdict = Reason::kBusy;
            return busy;
        }
        HOLDFAST_ASSIGN(out, take_listed_object(w_, object, check_));
        if (out.verdict.reason == Reason::kBadSealing) spent_.insert(duty);
        return out;
    }

    Working& w_;
    const FinalBlock& block_;
    const SealCheck& check_;
    std::set<std::pair<ChainId, Height>> spent_;
};

}  // namespace

Status take_listed(Working& w, const FinalBlock& block, const SealCheck& check,
                   std::vector<ObjectOutcome>& out) {
    const std::span<const Submission> objects = block.listed.objects;
    std::vector<JudgedRegistration> registrations(objects.size());
    for_each_parallel(objects.size(), w.impl.options.threads, [&](std::size_t i) {
        if (objects[i].kind == Kind::kRegistration) {
            registrations[i] = judge_form(w, objects[i].object);
        }
    });
    out.reserve(objects.size());
    ListedJournal journal(w, block, check);
    for (std::size_t i = 0; i < objects.size(); ++i) {
        if (journal.takes(objects[i].kind)) {
            HOLDFAST_ASSIGN(taken, journal.take(i));
            out.push_back(std::move(taken));
            continue;
        }
        ObjectOutcome& outcome = out.emplace_back();
        outcome.kind = objects[i].kind;
        if (objects[i].kind == Kind::kRegistration) {
            if (registrations[i].registration) outcome.chain_id = registrations[i].chain_id;
            HOLDFAST_ASSIGN(verdict, take_registration(w, registrations[i]));
            outcome.verdict = verdict;
        } else {
            HOLDFAST_ASSIGN(verdict, take_one(w, objects[i], outcome));
            outcome.verdict = verdict;
        }
    }
    return {};
}

}  // namespace holdfast
