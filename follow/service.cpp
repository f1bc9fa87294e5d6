#include "follow/service.hpp"

#include <algorithm>

#include "proofs/checkpoint.hpp"
#include "proofs/evidence_format.hpp"
#include "proofs/registration.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kEntriesForAUnit = 256;
constexpr std::uint64_t kUnitsForAudits = 64;  // the registry looks through all that are open
constexpr std::uint64_t kUnitsForOutput = 16;  // a proof is read from the disk
constexpr std::uint64_t kUnitsForPath = 4;     // a group is hashed
constexpr std::uint64_t kUnitsForLink = 64;    // a prover is asked
constexpr std::uint64_t kHeightsForAUnit = 16;
constexpr std::uint64_t kObjectsForAUnit = 16;  // of a batch

template <class T>
Verdict form_of(ByteView body) {
    const Checked<T> decoded = T::decode(body);
    return decoded ? Verdict::ok() : decoded.error();
}

// Spec 14: what questions 32 to 38 count as.
std::uint64_t cost_of_public(const PublicQuestion& question) {
    if (const auto* heights = std::get_if<HeightsQuestion>(&question)) {
        return 1 + heights->count / kHeightsForAUnit;
    }
    if (std::holds_alternative<LinkProofQuestion>(question)) return kUnitsForLink;
    if (std::holds_alternative<SegmentsQuestion>(question)) return kUnitsForOutput;
    return kUnitsForPath;
}

/// How many of a key's chains a question is about; 0: of none.
std::uint32_t chains_asked_for(const FollowQuestion& question) {
    return std::visit(
        [](const auto& q) -> std::uint32_t {
            if constexpr (requires { q.range; }) return q.range.most;
            return 0;
        },
        question);
}

/// Kinds that come in through the journal, whose judge looks at their form (spec 15.2).
bool is_for_journal(Kind kind) {
    switch (kind) {
        case Kind::kSealProof:
        case Kind::kResponse:
        case Kind::kBundle:
        case Kind::kCompact:
        case Kind::kFull:
        case Kind::kShortCompact:
        case Kind::kShortFull:
        case Kind::kChallenge2:
        case Kind::kOutcome2:
            return true;
        default:
            return false;
    }
}

/// Whether the body is an object of its kind; kBadKind for kinds that no block lists.
Verdict check_form(Kind kind, ByteView body) {
    switch (kind) {
        case Kind::kRegistration:
            return form_of<Registration>(body);
        case Kind::kUpdate:
            return form_of<Update>(body);
        case Kind::kRemoval:
            return form_of<Removal>(body);
        case Kind::kChallenger:
            return form_of<Challenger>(body);
        case Kind::kCheckpoint:
            return form_of<Checkpoint>(body);
        case Kind::kEvidence:
            return form_of<Evidence>(body);
        default:
            return Reason::kBadKind;
    }
}

}  // namespace

bool is_garbage(const HandedOver& handed) {
    switch (handed.reason) {
        case Reason::kTruncated:
        case Reason::kTrailingBytes:
        case Reason::kBadVersion:
        case Reason::kBadKind:
        case Reason::kBadField:
        case Reason::kNotCanonical:
        case Reason::kTooLarge:
        case Reason::kMemberOrder:
        case Reason::kBadKey:
        case Reason::kBadSignature:
        case Reason::kBadIndex:
        case Reason::kBadPath:
        case Reason::kProofLength:
        case Reason::kBadMultiproof:
        case Reason::kBadLink:
        case Reason::kBadOpening:
        case Reason::kBadReveal:
        case Reason::kBadSealing:
        case Reason::kRawMismatch:
        case Reason::kSealedMismatch:
            return true;
        default:
            break;
    }
    return std::any_of(
        handed.refused.begin(), handed.refused.end(),
        [](const HandedOver::Member& m) { return m.reason == Reason::kWrongProver; });
}

FollowSource follow_source(const Registry& registry, Blockchain& chain) {
    FollowSource source;
    source.duties = &registry;
    source.tip = [&registry] { return registry.tip(); };
    source.facts = [&registry, &chain](Height h) -> Result<FollowFacts> {
        FollowFacts facts;
        HOLDFAST_ASSIGN(block, chain.block_by_height(h));
        HOLDFAST_ASSIGN(record, registry.block(h));
        if (!record || record->hash != block.hash) {
            return fail_refused(Reason::kWrongBlock, "the host chain");
        }
        facts.block = block;
        facts.y = record->y;
        HOLDFAST_ASSIGN(challengers, registry.challengers_in_force(h));
        facts.challengers = std::move(challengers);
        return facts;
    };
    source.history.registry = &registry;
    source.chains = [&registry](Height h) { return registry.challenged_chains(h); };
    source.audits = [&registry](const PublicKey& challenger) -> Result<std::vector<ChallengeKey>> {
        HOLDFAST_ASSIGN(open, registry.outcome_audits(challenger));
        std::vector<ChallengeKey> out;
        for (const OutcomeAudit& audit : open) out.push_back(key_of(audit.challenge));
        std::sort(out.begin(), out.end());
        return out;
    };
    return source;
}

FollowService::FollowService(FollowSource source, Blockchain& chain, MonotonicNs clock,
                             const FollowServiceOptions& options)
    : source_(std::move(source)),
      chain_(chain),
      questions_(options.questions, clock),
      submissions_(options.submissions, clock),
      garbage_(options.garbage, clock) {
    if (source_.duties != nullptr) duties_.emplace(*source_.duties);
}

Result<FollowService::Kept> FollowService::build(Height height) const {
    Kept out;
    HOLDFAST_ASSIGN(facts, source_.facts(height));
    HOLDFAST_ASSIGN(chains, source_.chains(height));
    if (chains.size() > kMaxFollowChains || facts.challengers.size() > kMaxFollowChallengers) {
        return fail(ErrorCode::kUnsupported, "more chains or challengers at height " +
                                                 std::to_string(height.value) +
                                                 " than followers can be told of");
    }
    out.facts = std::move(facts);
    const Digest hash = follow_list_hash(chains);
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [h, kept] : kept_) {
            if (kept.list->hash == hash) out.list = kept.list;
        }
    }
    if (!out.list) out.list = std::make_shared<ChainList>(ChainList{hash, std::move(chains)});
    return out;
}

Status FollowService::refresh() {
    HOLDFAST_ASSIGN(tip, source_.tip());
    if (!tip) return {};
    if (duties_) HOLDFAST_TRY(duties_->refresh());
    const std::uint64_t older = std::min<std::uint64_t>(tip->value, kKeptHeights - 1);
    for (Height h = *tip - older; h <= *tip; h = h + 1) {
        std::optional<Kept> known;
        {
            const std::lock_guard lock(mutex_);
            const auto found = kept_.find(h);
            if (found != kept_.end()) known = found->second;
        }
        if (known && known->facts.y) continue;
        if (known) {
            HOLDFAST_ASSIGN(facts, source_.facts(h));
            known->facts.y = facts.y;
        } else {
            auto built = build(h);
            // Heights before the chain's first block.
            if (!built && built.error().code == ErrorCode::kNotFound && h < *tip) continue;
            if (!built) return fail(built.error());
            known = std::move(*built);
        }
        const std::lock_guard lock(mutex_);
        kept_.insert_or_assign(h, std::move(*known));
        while (kept_.size() > kKeptHeights) kept_.erase(kept_.begin());
    }
    return {};
}

// Spec 14: too-early above the tip, too-late below what is kept.
Checked<FollowService::Kept> FollowService::find(Height height) const {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(height);
    if (found != kept_.end()) return found->second;
    const bool late = !kept_.empty() && height < kept_.rbegin()->first;
    return refuse(late ? Reason::kTooLate : Reason::kTooEarly);
}

// Spec 14: a page counts as one for every 256 chains, a height as one for every 256 challengers.
std::uint64_t FollowService::cost_of(const FollowQuestion& question) const {
    if (std::holds_alternative<AuditsQuestion>(question)) return kUnitsForAudits;
    if (std::holds_alternative<OutputQuestion>(question)) return kUnitsForOutput;
    if (const auto* data = std::get_if<PublicQuestion>(&question)) return cost_of_public(*data);
    if (const auto* data = std::get_if<HistoryQuestion>(&question)) return history_cost(*data);
    if (const std::uint32_t chains = chains_asked_for(question)) return units_for_chains(chains);
    if (const auto* chains = std::get_if<ChainsQuestion>(&question)) {
        return 1 + chains->count / kEntriesForAUnit;
    }
    if (!std::holds_alternative<HeightQuestion>(question)) return 1;
    const std::lock_guard lock(mutex_);
    const std::size_t named = kept_.empty() ? 0 : kept_.rbegin()->second.facts.challengers.size();
    return 1 + named / kEntriesForAUnit;
}

Result<FollowAnswer> FollowService::answer_audits(const PublicKey& challenger) const {
    if (!source_.audits) return FollowAudits{};
    HOLDFAST_ASSIGN(open, source_.audits(challenger));
    if (open.size() > kMaxFollowAudits) open.resize(kMaxFollowAudits);
    return FollowAudits{std::move(open)};
}

Result<FollowAnswer> FollowService::answer_output(Height height) const {
    if (!source_.output) return FollowRefused{Reason::kBadKind};
    Result<FollowOutput> output = source_.output(height);
    if (output) return std::move(*output);
    if (output.error().code == ErrorCode::kNotFound) return FollowRefused{Reason::kTooEarly};
    return fail(output.error());
}

FollowAnswer FollowService::answer_height(const FollowQuestion& question) const {
    if (std::holds_alternative<TipQuestion>(question)) {
        const std::lock_guard lock(mutex_);
        if (kept_.empty()) return FollowRefused{Reason::kTooEarly};
        const BlockInfo& block = kept_.rbegin()->second.facts.block;
        return FollowTip{block.height, block.hash, block.time_ms};
    }
    const auto* asked = std::get_if<ChainsQuestion>(&question);
    const Height height = asked ? asked->height : std::get<HeightQuestion>(question).height;
    const auto kept = find(height);
    if (!kept) return FollowRefused{kept.error().reason};
    const BlockInfo& block = kept->facts.block;
    const std::vector<ChallengedChain>& chains = kept->list->chains;
    const auto total = static_cast<std::uint32_t>(chains.size());
    if (asked == nullptr) {
        return FollowHeight{{height, block.hash, kept->facts.y, kept->facts.challengers},
                            block.parent,
                            block.time_ms,
                            kept->list->hash,
                            total};
    }
    if (asked->first > total) return FollowRefused{Reason::kBadIndex};
    const auto begin = chains.begin() + asked->first;
    const auto end = begin + std::min(asked->count, total - asked->first);
    return FollowChains{height, kept->list->hash, total, asked->first, {begin, end}};
}

/// Questions 6 to 12, but for what is handed over.
Result<FollowAnswer> FollowService::answer_duties(const FollowQuestion& question) const {
    if (!duties_) return FollowRefused{Reason::kBadKind};
    return std::visit(
        [this](const auto& q) -> Result<FollowAnswer> {
            if constexpr (requires { duties_->answer(q); }) return duties_->answer(q);
            return FollowRefused{Reason::kBadKind};
        },
        question);
}

Status FollowService::charge_garbage(const PublicKey& from, std::uint64_t objects) {
    bool left = true;
    for (; objects > 0 && left; --objects) left = garbage_.take(from, 1) == 0;
    if (left) return {};
    return fail(ErrorCode::kPermission, "too many objects that no sound prover makes");
}

void FollowService::count(const HandedOvers& handed) {
    const std::lock_guard lock(mutex_);
    if (handed.acknowledgement) ++statistics_.acknowledged;
    for (const HandedOver& one : handed.objects) {
        if (one.reason == Reason::kOk) ++statistics_.submissions;
        if (is_garbage(one)) ++statistics_.garbage;
    }
}

// Spec 14, submissions: what stands is acknowledged.
Result<HandedOvers> FollowService::hand_over(const PublicKey& from, ByteView message,
                                             std::span<const ByteView> objects) {
    HOLDFAST_TRY([&]() -> Status {
        if (garbage_.has(from, 1)) return {};
        return charge_garbage(from, 1);
    }());
    HOLDFAST_ASSIGN(handed, source_.hand_over(from, message, objects));
    count(handed);
    const auto bad = std::count_if(handed.objects.begin(), handed.objects.end(),
                                   [](const HandedOver& one) { return is_garbage(one); });
    HOLDFAST_TRY(charge_garbage(from, static_cast<std::uint64_t>(bad)));
    return handed;
}

Result<FollowAnswer> FollowService::take_batch(const PublicKey& from, ByteView message,
                                               const HandOver& batch) {
    if (const std::uint32_t wait =
            submissions_.take(from, 1 + batch.objects.size() / kObjectsForAUnit)) {
        return FollowBusy{wait};
    }
    if (!source_.hand_over) return FollowRefused{Reason::kBadKind};
    const std::vector<ByteView> objects(batch.objects.begin(), batch.objects.end());
    HOLDFAST_ASSIGN(handed, hand_over(from, message, objects));
    return FollowAnswer(std::move(handed));
}

// Spec 14, submissions.
Result<FollowAnswer> FollowService::submit(const PublicKey& from, Kind kind, ByteView object) {
    if (is_for_journal(kind)) {
        if (!source_.hand_over) return FollowRefused{Reason::kBadKind};
        HOLDFAST_ASSIGN(handed, hand_over(from, object, std::span(&object, 1)));
        const Reason reason = handed.objects.front().reason;
        if (reason != Reason::kOk) return FollowRefused{reason};
        return FollowAnswer(std::move(handed));
    }
    const Checked<ByteView> body = unwrap_object(kind, object);
    const Verdict form = body ? check_form(kind, *body) : body.error();
    if (!form) return FollowRefused{form.reason};
    const Status taken = chain_.submit(kind, object);
    if (taken) return FollowTaken{};
    if (taken.error().code != ErrorCode::kRefused) return fail(taken.error());
    return FollowRefused{taken.error().verdict.reason};
}

Result<FollowAnswer> FollowService::answer_question(const PublicKey& from, ByteView message) {
    const auto question = decode_question(message);
    if (const auto* batch = question ? std::get_if<HandOver>(&*question) : nullptr) {
        return take_batch(from, message, *batch);
    }
    const std::uint64_t cost = question ? cost_of(*question) : 1;
    if (const std::uint32_t wait = questions_.take(from, cost)) return FollowBusy{wait};
    if (!question) return FollowRefused{question.error().reason};
    if (const auto* audits = std::get_if<AuditsQuestion>(&*question)) {
        return answer_audits(audits->challenger);
    }
    if (const auto* output = std::get_if<OutputQuestion>(&*question)) {
        return answer_output(output->height);
    }
    if (const auto* history = std::get_if<HistoryQuestion>(&*question)) {
        return answer_history(source_.history, *history);
    }
    if (const auto* data = std::get_if<PublicQuestion>(&*question)) {
        if (!source_.public_data) return FollowRefused{Reason::kBadKind};
        return source_.public_data(*data);
    }
    const bool of_heights = std::holds_alternative<TipQuestion>(*question) ||
                            std::holds_alternative<HeightQuestion>(*question) ||
                            std::holds_alternative<ChainsQuestion>(*question);
    if (of_heights) return answer_height(*question);
    return answer_duties(*question);
}

Result<FollowAnswer> FollowService::answer(const PublicKey& from, ByteView message) {
    if (message.size() > 1 && message[1] == kFollowRequestKind) {
        return answer_question(from, message);
    }
    const Checked<Kind> kind = peek_kind(message);
    if (!kind) return fail_refused(kind.error(), "request");
    if (const std::uint32_t wait = submissions_.take(from, 1)) return FollowBusy{wait};
    return submit(from, *kind, message);
}

Result<Bytes> FollowService::handle(const PublicKey& from, ByteView message) {
    const Result<FollowAnswer> answered = answer(from, message);
    const std::lock_guard lock(mutex_);
    if (!answered) {
        if (answered.error().code == ErrorCode::kPermission) {
            ++statistics_.dropped;
        } else if (answered.error().code == ErrorCode::kRefused) {
            ++statistics_.refused[answered.error().verdict.reason];
        } else {
            ++statistics_.failed;
        }
        return fail(answered.error());
    }
    if (const auto* refused = std::get_if<FollowRefused>(&*answered)) {
        ++statistics_.refused[refused->reason];
    } else if (const auto* handed = std::get_if<HandedOvers>(&*answered)) {
        for (const HandedOver& one : handed->objects) {
            if (one.reason != Reason::kOk) ++statistics_.refused[one.reason];
        }
    } else if (std::holds_alternative<FollowBusy>(*answered)) {
        ++statistics_.refused[Reason::kBusy];
    } else if (std::holds_alternative<FollowTaken>(*answered)) {
        ++statistics_.submissions;
    } else {
        ++statistics_.questions;
    }
    return encode_answer(*answered);
}

FollowServiceStatistics FollowService::statistics() const {
    const std::lock_guard lock(mutex_);
    return statistics_;
}

}  // namespace holdfast
