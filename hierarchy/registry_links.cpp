// Bundles of links, and proofs of links. What is needed is read, the verifier set judges many at
// once, then each is written in its order.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "hierarchy/proof_batch.hpp"
#include "hierarchy/registry_impl.hpp"
#include "proofs/bundle_verify.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

/// What a group's objects share: their heights, and the leaves under the heights' anchors.
class SharedHeights {
  public:
    explicit SharedHeights(Working& w) : w_(w) {}

    Result<const KnownHeight*> known(Height height) {
        const auto found = heights_.find(height);
        if (found != heights_.end()) return &found->second;
        HOLDFAST_ASSIGN(known, w_.impl.known_height(w_.txn, height));
        return &heights_.emplace(height, known).first->second;
    }
    /// The link of the chain's leaf under the anchor of `height`, or chain_id.
    Result<Link> link_before(Height height, const ChainId& chain_id, std::uint64_t slot) {
        const std::optional<Height> at = anchor_height(w_.params, height);
        if (!at || slot == kNever) return Link(chain_id);
        StoredLeaves& leaves =
            anchors_.try_emplace(*at, w_.txn, w_.impl.shape(), *at).first->second;
        HOLDFAST_ASSIGN(leaf, leaves.leaf(slot));
        return leaf && leaf->chain_id == chain_id ? leaf->link : Link(chain_id);
    }

  private:
    Working& w_;
    std::map<Height, KnownHeight> heights_;
    std::map<Height, StoredLeaves> anchors_;
};

// --- bundles -------------------------------------------------------------------------------------

Verdict open_height(const MachineState& machine, Height height) {
    if (machine.tip == kNever || height.value > machine.tip) return Reason::kTooEarly;
    if (machine.closed != kNever && height.value <= machine.closed) return Reason::kTooLate;
    return Verdict::ok();
}

/// Whether a link of this chain, which is known, may be taken now.
Result<Checked<ChainState>> admit_link(const Working& w, const ChainId& chain_id, Height height) {
    using Admitted = Checked<ChainState>;
    const Verdict timing = open_height(w.machine, height);
    if (!timing) return Admitted(refuse(timing));
    const Key key = chain_key(chain_id);
    HOLDFAST_ASSIGN(state, load<ChainState>(w.txn, Table::kStates, key));
    if (state && state->in_digest(height)) return Admitted(std::move(*state));
    return Admitted(refuse(Reason::kNoSlot));
}

/// Of several links the smallest stands; whether this one changes what stands.
Result<Verdict> store_link(Working& w, SharedHeights& heights, const ChainId& chain_id,
                           Height height, const Link& link, const ChainState& state,
                           std::uint64_t entry, bool& changed) {
    const Key key = height_chain_key(height, chain_id);
    HOLDFAST_ASSIGN(found, load<LinkState>(w.txn, Table::kLinks, key));
    if (found && found->link == link) return Verdict::ok();
    if (found && found->link < link) return Verdict(Reason::kAlreadySettled);
    HOLDFAST_ASSIGN(before, heights.link_before(height, chain_id, state.slot));
    HOLDFAST_TRY(save(w.txn, Table::kLinks, key, LinkState{link, before, LinkProof::kNone, entry}));
    changed = true;
    return Verdict::ok();
}

/// Each member is judged by itself, as a receipt with its link would be after its signature.
Result<Verdict> take_member(Working& w, SharedHeights& heights, const Bundle& bundle,
                            const BundleEntry& member, std::uint64_t entry, bool& changed) {
    HOLDFAST_ASSIGN(record, load<ChainRecord>(w.txn, Table::kChains, chain_key(member.chain_id)));
    if (!record) return Verdict(Reason::kUnknownChain);
    if (record->registration.header.prover != bundle.prover) return Verdict(Reason::kWrongProver);
    HOLDFAST_ASSIGN(admitted, admit_link(w, member.chain_id, bundle.height));
    if (!admitted) return admitted.error();
    return store_link(w, heights, member.chain_id, bundle.height, member.link, *admitted, entry,
                      changed);
}

/// Members that are no chains of the prover for which the state is asked; the rest of a bundle with
/// more of them is refused unseen. Spec 15.3.
constexpr unsigned kMostStrangers = 16;

Status take_members(Working& w, SharedHeights& heights, const Bundle& bundle,
                    std::vector<Verdict>& verdicts, bool& changed) {
    unsigned strangers = 0;
    HOLDFAST_ASSIGN(entry, next_entry(w.txn));  // the bundle's own, where it changes anything
    for (const BundleEntry& member : bundle.members) {
        Verdict verdict = Reason::kWrongProver;
        if (strangers < kMostStrangers) {
            HOLDFAST_ASSIGN(judged, take_member(w, heights, bundle, member, entry, changed));
            verdict = judged;
        }
        const bool stranger =
            verdict.reason == Reason::kUnknownChain || verdict.reason == Reason::kWrongProver;
        strangers += stranger ? 1 : 0;
        verdicts.push_back(verdict);
    }
    return {};
}

/// A bundle on its way.
struct BundleJob {
    Candidate* candidate = nullptr;
    Bundle bundle;
    const KnownHeight* known = nullptr;
    Verdict verdict;
};

}  // namespace

namespace {

Status prepare_bundles(Working& w, SharedHeights& heights, std::span<Candidate* const> group,
                       std::vector<BundleJob>& jobs) {
    for (Candidate* c : group) {
        Checked<Bundle> bundle = Bundle::decode(c->body);
        c->outcome.verdict = bundle ? open_height(w.machine, bundle->height) : bundle.error();
        if (!c->outcome.verdict) continue;
        c->outcome.height = bundle->height;
        HOLDFAST_ASSIGN(known, heights.known(bundle->height));
        jobs.push_back({c, std::move(*bundle), known, {}});
    }
    return {};
}

void judge_bundles(const Working& w, std::vector<BundleJob>& jobs) {
    for_each_parallel(jobs.size(), w.impl.options.threads, [&](std::size_t i) {
        BundleJob& job = jobs[i];
        const JudgedFrom now{*job.known, {}, {}, {}};
        const auto& before = job.candidate->judged;
        job.verdict = before && before->same(now)
                          ? before->verdict
                          : verify_bundle(w.network_id, *job.known, job.bundle);
    });
}

}  // namespace

Status prejudge_bundles(Working& w, std::span<Candidate* const> group) {
    SharedHeights heights(w);
    std::vector<BundleJob> jobs;
    HOLDFAST_TRY(prepare_bundles(w, heights, group, jobs));
    judge_bundles(w, jobs);
    for (BundleJob& job : jobs) {
        job.candidate->outcome.verdict = job.verdict;
        job.candidate->judged =
            std::make_shared<const JudgedFrom>(JudgedFrom{*job.known, {}, {}, job.verdict});
    }
    return {};
}

Status take_bundles(Working& w, std::span<Candidate* const> group) {
    SharedHeights heights(w);
    std::vector<BundleJob> jobs;
    HOLDFAST_TRY(prepare_bundles(w, heights, group, jobs));
    judge_bundles(w, jobs);
    for (BundleJob& job : jobs) {
        ObjectOutcome& out = job.candidate->outcome;
        out.verdict = job.verdict;
        if (!job.verdict) continue;
        bool changed = false;
        HOLDFAST_TRY(take_members(w, heights, job.bundle, out.members, changed));
        if (changed) HOLDFAST_TRY(appended(w, *job.candidate));
    }
    return {};
}

// --- proofs of links -----------------------------------------------------------------------------

namespace {

/// A proof of a link on its way, in one form or the other.
struct ProofJob {
    Candidate* candidate = nullptr;
    std::optional<AnyProof> whole;
    std::optional<AnyShort> brief;
    ChainId chain_id;
    KnownChain chain;
    KnownHeight known;
    LinkState state;
    Verdict verdict;

    [[nodiscard]] LinkProof kind() const {
        const bool full = whole ? std::holds_alternative<Full>(*whole)
                                : std::holds_alternative<ShortFull>(*brief);
        return full ? LinkProof::kFull : LinkProof::kCompact;
    }
    [[nodiscard]] JudgedFrom from(const Verdict& found) const {
        return {known, chain, state.link, found};
    }
    [[nodiscard]] const Reveal& reveal() const {
        if (whole) return reveal_of(*whole);
        return std::visit([](const auto& p) -> const Reveal& { return p.reveal; }, *brief);
    }
};

template <class T, class To>
Verdict decode_as(ByteView body, To& out) {
    Checked<T> decoded = T::decode(body);
    if (!decoded) return decoded.error();
    out = std::move(*decoded);
    return Verdict::ok();
}

Verdict decode_proof(ProofJob& job) {
    const ByteView body = job.candidate->body;
    switch (job.candidate->outcome.kind) {
        case Kind::kCompact:
            return decode_as<Compact>(body, job.whole);
        case Kind::kFull:
            return decode_as<Full>(body, job.whole);
        case Kind::kShortCompact:
            return decode_as<ShortCompact>(body, job.brief);
        default:
            return decode_as<ShortFull>(body, job.brief);
    }
}

/// The link that stands for what the proof is about, or why the proof is not looked at.
Result<Checked<LinkState>> admit_proof(const Working& w, const ProofJob& job, Height height) {
    using Admitted = Checked<LinkState>;
    if (w.machine.closed == kNever || height.value > w.machine.closed) {
        return Admitted(refuse(Reason::kTooEarly));
    }
    if (w.tip() > w.impl.last_proof_tip(height)) return Admitted(refuse(Reason::kTooLate));
    HOLDFAST_ASSIGN(known, w.txn.contains(Table::kChains, view(job.chain_id)));
    if (!known) return Admitted(refuse(Reason::kUnknownChain));
    // Of a closed height only those whose link went into its digest are left.
    HOLDFAST_ASSIGN(state,
                    load<LinkState>(w.txn, Table::kLinks, height_chain_key(height, job.chain_id)));
    const bool same = state && (!job.whole || receipt_of(*job.whole).link == state->link);
    if (!same) return Admitted(refuse(Reason::kNotInDigest));
    return Admitted(*state);
}

Status prepare_proof(Working& w, SharedHeights& heights, ProofJob& job) {
    job.verdict = decode_proof(job);
    if (!job.verdict) return {};
    const Height height = job.whole ? receipt_of(*job.whole).height : height_of(*job.brief);
    job.chain_id = job.whole ? chain_of(*job.whole) : chain_of(*job.brief);
    job.candidate->outcome.chain_id = job.chain_id;
    job.candidate->outcome.height = height;
    HOLDFAST_ASSIGN(admitted, admit_proof(w, job, height));
    job.verdict = admitted ? Verdict::ok() : admitted.error();
    if (!admitted) return {};
    job.state = *admitted;
    HOLDFAST_ASSIGN(known, heights.known(height));
    job.known = *known;
    job.known.link_before = job.state.link_before;
    HOLDFAST_ASSIGN(record, load<ChainRecord>(w.txn, Table::kChains, chain_key(job.chain_id)));
    if (!record) return corrupt_registry("a chain is missing");
    HOLDFAST_ASSIGN(
        chain, load_known_chain(w.txn, w.network_id, job.chain_id, record->registration, height));
    job.chain = chain;
    return {};
}

void judge_proofs(const Working& w, std::vector<ProofJob>& jobs) {
    std::vector<ProofItem> items;
    std::vector<std::size_t> whole;
    std::vector<std::size_t> brief;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (!jobs[i].verdict) continue;
        const auto& before = jobs[i].candidate->judged;
        if (before && before->same(jobs[i].from({}))) {
            jobs[i].verdict = before->verdict;
            continue;
        }
        (jobs[i].whole ? whole : brief).push_back(i);
        if (jobs[i].whole) {
            items.push_back({&jobs[i].chain, &jobs[i].known, &*jobs[i].whole, nullptr});
        }
    }
    const std::vector<Verdict> verdicts =
        verify_proofs(w.params, w.network_id, items, w.impl.options.threads);
    for (std::size_t i = 0; i < whole.size(); ++i) jobs[whole[i]].verdict = verdicts[i];
    for_each_parallel(brief.size(), w.impl.options.threads, [&](std::size_t i) {
        ProofJob& j = jobs[brief[i]];
        j.verdict = verify_short(w.params, w.network_id, j.chain, j.known, j.state.link, *j.brief);
    });
}

Status note_proven_reveal(Working& w, const KnownChain& chain, Height height,
                          const Reveal& reveal) {
    if (!chain.reveals) return {};
    const std::uint64_t i = height.since(chain.reveals->base);
    if (chain.reveals->known.i >= i) return {};
    return w.txn.put(Table::kReveals, chain_height_key(chain.id, chain.reveals->base).bytes(),
                     encode_known_reveal({i, reveal}));
}

}  // namespace

Status prejudge_proofs(Working& w, std::span<Candidate* const> group) {
    SharedHeights heights(w);
    std::vector<ProofJob> jobs(group.size());
    for (std::size_t i = 0; i < group.size(); ++i) {
        jobs[i].candidate = group[i];
        HOLDFAST_TRY(prepare_proof(w, heights, jobs[i]));
    }
    std::vector<bool> looked_at(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) looked_at[i] = jobs[i].verdict.accepted();
    judge_proofs(w, jobs);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        jobs[i].candidate->outcome.verdict = jobs[i].verdict;
        if (!looked_at[i]) continue;
        jobs[i].candidate->judged =
            std::make_shared<const JudgedFrom>(jobs[i].from(jobs[i].verdict));
    }
    return {};
}

Status take_proofs(Working& w, std::span<Candidate* const> group) {
    SharedHeights heights(w);
    std::vector<ProofJob> jobs(group.size());
    for (std::size_t i = 0; i < group.size(); ++i) {
        jobs[i].candidate = group[i];
        HOLDFAST_TRY(prepare_proof(w, heights, jobs[i]));
    }
    judge_proofs(w, jobs);
    std::vector<Candidate*> changed;
    for (ProofJob& job : jobs) {
        job.candidate->outcome.verdict = job.verdict;
        if (!job.verdict || job.kind() <= job.state.proof) continue;
        job.state.proof = job.kind();
        const Height height = job.known.height;
        HOLDFAST_TRY(save(w.txn, Table::kLinks, height_chain_key(height, job.chain_id), job.state));
        HOLDFAST_TRY(note_proven_reveal(w, job.chain, height, job.reveal()));
        changed.push_back(job.candidate);
    }
    return appended(w, changed);
}

}  // namespace holdfast
