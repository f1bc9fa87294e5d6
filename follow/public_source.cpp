#include "follow/public_source.hpp"

#include <algorithm>

#include "core/merkle.hpp"

namespace holdfast {
namespace {

FollowAnswer refused(Reason reason) { return FollowRefused{reason}; }

/// What is not there is a refusal; everything else an error of this node.
template <class T>
Result<FollowAnswer> refused_or_failed(const Result<T>& result, Reason missing) {
    const Error& error = result.error();
    if (error.code == ErrorCode::kNotFound || error.code == ErrorCode::kUnavailable) {
        return refused(missing);
    }
    if (error.code == ErrorCode::kRefused) return refused(error.verdict.reason);
    return fail(error);
}

}  // namespace

PublicSource::PublicSource(const Registry& registry, Blockchain& chain, PublicSourceHooks hooks,
                           const PublicSourceOptions& options)
    : registry_(registry), chain_(chain), hooks_(std::move(hooks)), options_(options) {}

Result<FollowAnswer> PublicSource::answer(const PublicQuestion& question) {
    if (const auto* q = std::get_if<HeightsQuestion>(&question)) return heights(*q);
    if (const auto* q = std::get_if<ChainQuestion>(&question)) return chain(*q);
    if (const auto* q = std::get_if<PathQuestion>(&question)) return path(*q);
    if (const auto* q = std::get_if<HeadQuestion>(&question)) return head(*q);
    if (const auto* q = std::get_if<SegmentsQuestion>(&question)) return segments(*q);
    if (const auto* q = std::get_if<LinkProofQuestion>(&question)) return link_proof(*q);
    return refused(Reason::kBadKind);  // for provers
}

// --- heights -------------------------------------------------------------------------------------

/// Spec 10.2: what the digest covers beside height, block, y and the digest before it.
Result<std::optional<DigestParts>> PublicSource::parts(const BlockRecord& block) {
    {
        const std::lock_guard lock(mutex_);
        const auto known = parts_.find(block.height);
        if (known != parts_.end()) return std::optional(known->second);
    }
    const Result<std::vector<RegionSummary>> regions = registry_.regions(block.height);
    if (!regions && regions.error().code == ErrorCode::kNotFound) {
        return std::optional<DigestParts>();
    }
    if (!regions) return fail(regions.error());
    std::vector<Digest> leaves;
    leaves.reserve(regions->size());
    for (const RegionSummary& region : *regions) leaves.push_back(leaf_hash(view(region.digest)));
    const DigestParts out{block.regions, block.counts.total, merkle_root(leaves)};
    const std::lock_guard lock(mutex_);
    parts_.emplace(block.height, out);
    while (parts_.size() > kKeptParts) parts_.erase(parts_.begin());
    return std::optional(out);
}

Result<PublicHeightFacts> PublicSource::facts(Height height) {
    HOLDFAST_ASSIGN(record, registry_.block(height));
    if (!record) return fail(ErrorCode::kNotFound, "no such final block");
    HOLDFAST_ASSIGN(block, chain_.block_by_height(height));
    if (block.hash != record->hash) return fail_refused(Reason::kWrongBlock, "the host chain");
    PublicHeightFacts out;
    out.block = block;
    out.y = record->y;
    if (hooks_.beacon) {
        HOLDFAST_ASSIGN(beacon, hooks_.beacon(block));
        out.beacon = std::move(beacon);
    }
    if (!record->closed) return out;
    out.global = record->global;
    HOLDFAST_ASSIGN(made_of, parts(*record));
    out.parts = made_of;
    return out;
}

Result<FollowAnswer> PublicSource::heights(const HeightsQuestion& question) {
    HOLDFAST_ASSIGN(tip, registry_.tip());
    if (!tip || question.first > *tip) return refused(Reason::kTooEarly);
    if (question.first < registry_.params().genesis_height) return refused(Reason::kTooLate);
    const std::uint64_t left = tip->since(question.first) + 1;
    const std::uint64_t count = std::min<std::uint64_t>(question.count, left);
    PublicHeights out;
    out.more = count < left;
    for (std::uint64_t i = 0; i < count; ++i) {
        Result<PublicHeightFacts> one = facts(question.first + i);
        if (!one) return refused_or_failed(one, Reason::kTooLate);
        out.heights.push_back(std::move(*one));
    }
    return PublicAnswer(std::move(out));
}

// --- chains, paths, heads ------------------------------------------------------------------------

Result<FollowAnswer> PublicSource::chain(const ChainQuestion& question) const {
    ChainId id(question.id);
    if (question.by == ChainQuestion::By::kReplica) {
        HOLDFAST_ASSIGN(found, registry_.chain_of_replica(ReplicaId(question.id)));
        if (!found) return refused(Reason::kUnknownChain);
        id = *found;
    }
    HOLDFAST_ASSIGN(info, registry_.chain(id));
    if (!info) return refused(Reason::kUnknownChain);
    HOLDFAST_ASSIGN(updates, registry_.updates(id));
    if (question.first > updates.size()) return refused(Reason::kBadIndex);
    const auto begin = updates.begin() + question.first;
    const auto end = begin + std::min<std::ptrdiff_t>(updates.end() - begin, kMaxUpdatesPage);
    PublicChainFacts out;
    out.registration = info->registration;
    out.accepted = info->accepted;
    out.first = question.first;
    out.more = end != updates.end();
    out.updates.assign(begin, end);
    std::vector<Height> bases;
    if (question.first == 0) bases.push_back(info->registration.genesis_height);
    for (const Update& update : out.updates) bases.push_back(update.effective_height);
    for (const Height base : bases) {
        HOLDFAST_ASSIGN(known, registry_.known_chain(id, base));
        if (known.reveals && known.reveals->known.i > 0) out.reveals.push_back(*known.reveals);
    }
    return PublicAnswer(std::move(out));
}

Result<FollowAnswer> PublicSource::path(const PathQuestion& question) const {
    HOLDFAST_ASSIGN(closed, registry_.closed());
    if (!closed || question.height > *closed) return refused(Reason::kTooEarly);
    HOLDFAST_ASSIGN(info, registry_.chain(question.chain_id));
    if (!info) return refused(Reason::kUnknownChain);
    const Result<std::optional<ChainLeaf>> leaf =
        registry_.leaf(question.chain_id, question.height);
    if (!leaf) return refused_or_failed(leaf, Reason::kTooLate);
    if (!*leaf) return refused(Reason::kNotInDigest);
    Result<PathProof> path = registry_.path(question.chain_id, question.height);
    if (!path) return refused_or_failed(path, Reason::kTooLate);
    return PublicAnswer(PublicPath{question.height, std::move(*path)});
}

Result<FollowAnswer> PublicSource::head(const HeadQuestion& question) const {
    if (!hooks_.head) return refused(Reason::kBadKind);
    Result<JournalHead> head = hooks_.head(question.height);
    if (!head) return refused_or_failed(head, Reason::kTooEarly);
    PublicHead out{std::move(*head), {}};
    if (question.older > out.head.size) return refused(Reason::kBadIndex);
    if (question.older > 0 && question.older < out.head.size) {
        Result<std::vector<Digest>> hashes = registry_.consistency(question.older, out.head.size);
        if (!hashes) return refused_or_failed(hashes, Reason::kTooLate);
        out.consistency = std::move(*hashes);
    }
    return PublicAnswer(std::move(out));
}

Result<FollowAnswer> PublicSource::segments(const SegmentsQuestion& question) const {
    if (!hooks_.output_proof) return refused(Reason::kBadKind);
    const Result<VdfProof> proof = hooks_.output_proof(question.height);
    if (!proof) return refused_or_failed(proof, Reason::kTooEarly);
    if (!question.segments.empty() && question.segments.back() >= proof->params.checkpoints) {
        return refused(Reason::kBadIndex);
    }
    PublicSegments out;
    out.start = make_end_evidence(*proof, VdfEndEvidence::End::kStart);
    out.output = make_end_evidence(*proof, VdfEndEvidence::End::kOutput);
    for (const std::uint32_t i : question.segments) {
        out.segments.push_back(make_segment(*proof, i));
    }
    return PublicAnswer(std::move(out));
}

// --- proofs of links -----------------------------------------------------------------------------

Result<Checked<RecordedLinkQuestion>> PublicSource::recorded_link(
    const LinkProofQuestion& question) const {
    using Answer = Checked<RecordedLinkQuestion>;
    HOLDFAST_ASSIGN(closed, registry_.closed());
    if (!closed || question.height > *closed) return Answer(refuse(Reason::kTooEarly));
    const Result<std::optional<ChainLeaf>> leaf =
        registry_.leaf(question.chain_id, question.height);
    if (!leaf && leaf.error().code == ErrorCode::kNotFound) {
        return Answer(refuse(Reason::kTooLate));
    }
    if (!leaf) return fail(leaf.error());
    if (!*leaf || (*leaf)->link_height != question.height) {
        return Answer(refuse(Reason::kNotInDigest));
    }
    const Result<KnownHeight> known = registry_.known_height(question.height, question.chain_id);
    if (!known && known.error().code == ErrorCode::kUnavailable) {
        return Answer(refuse(Reason::kTooLate));
    }
    if (!known) return fail(known.error());
    // Of a chain's first height the leaf shows chain and genesis height, which is no link of it.
    if (!known->y || !known->link_before) return Answer(refuse(Reason::kNotInDigest));
    HOLDFAST_ASSIGN(chain, registry_.known_chain(question.chain_id, question.height));
    HOLDFAST_ASSIGN(path, registry_.path(question.chain_id, question.height));
    RecordedLinkQuestion out{question.chain_id, question.height,  known->block_hash,
                             *known->y,         known->anchor,    *known->link_before,
                             std::nullopt,      known->y_compact, std::move(path)};
    if (chain.reveals) out.reveal_base = chain.reveals->base;
    return Answer(std::move(out));
}

Result<FollowAnswer> PublicSource::ask(const LinkProofQuestion& question) {
    HOLDFAST_ASSIGN(info, registry_.chain(question.chain_id));
    if (!info) return refused(Reason::kUnknownChain);
    HOLDFAST_ASSIGN(facts, recorded_link(question));
    if (!facts) return refused(facts.error().reason);
    const Bytes message = encode_question(PublicQuestion(*facts));
    const Result<Bytes> reply = hooks_.ask_prover(info->registration.header.prover, message);
    if (!reply && reply.error().code == ErrorCode::kRefused) {
        return refused(reply.error().verdict.reason);
    }
    if (!reply) return refused(Reason::kBusy);  // spec 14: the prover is not to be had now
    const Checked<FollowAnswer> said = decode_answer(*reply);
    if (said && std::holds_alternative<FollowBusy>(*said)) return *said;
    const auto* data = said ? std::get_if<PublicAnswer>(&*said) : nullptr;
    const auto* made = data ? std::get_if<PublicLinkProof>(data) : nullptr;
    if (made == nullptr) {
        const auto* why = said ? std::get_if<FollowRefused>(&*said) : nullptr;
        return refused(why ? why->reason : Reason::kBadKind);
    }
    // Judged before it is kept: a prover's garbage is not this node's word.
    HOLDFAST_ASSIGN(chain, registry_.known_chain(question.chain_id, question.height));
    HOLDFAST_ASSIGN(known, registry_.known_height(question.height, question.chain_id));
    const Verdict v =
        verify_proof(registry_.params(), registry_.network_id(), chain, known, made->proof);
    if (!v) return refused(v.reason);
    const std::lock_guard lock(mutex_);
    proofs_.insert_or_assign({question.height, question.chain_id}, made->proof);
    while (proofs_.size() > options_.kept_proofs) proofs_.erase(proofs_.begin());
    return FollowAnswer(*data);
}

Result<FollowAnswer> PublicSource::link_proof(const LinkProofQuestion& question) {
    {
        const std::lock_guard lock(mutex_);
        const auto known = proofs_.find({question.height, question.chain_id});
        if (known != proofs_.end())
            return FollowAnswer(PublicAnswer(PublicLinkProof{known->second}));
        if (!hooks_.ask_prover) return refused(Reason::kBadKind);
        if (under_way_.size() >= options_.provers_at_once || under_way_.contains(question)) {
            return FollowAnswer(FollowBusy{options_.retry_ms});
        }
        under_way_.insert(question);
    }
    Result<FollowAnswer> out = ask(question);
    const std::lock_guard lock(mutex_);
    under_way_.erase(question);
    return out;
}

}  // namespace holdfast
