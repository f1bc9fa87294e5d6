#include "availability/challenger.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "core/codec.hpp"
#include "core/constants.hpp"
#include "core/hash.hpp"
#include "proofs/evidence.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kUsPerMs = 1'000;
constexpr std::uint32_t kMostMarginMs = 5'000;

Digest as_digest(const PublicKey& key) {
    Digest d;
    d.bytes = key.bytes;
    return d;
}

/// The outcome of an exchange that brought no bytes.
std::optional<OutcomeKind> outcome_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::kTimeout:
        case ErrorCode::kRefused:  // more bytes than a response may have
            return OutcomeKind::kLate;
        case ErrorCode::kUnavailable:
        case ErrorCode::kNotFound:
            return OutcomeKind::kUnreachable;
        default:
            return std::nullopt;
    }
}

Checked<Response> read_response(ByteView object) {
    HOLDFAST_ASSIGN(body, unwrap_object(Kind::kResponse, object));
    return Response::decode(body);
}

void count(ChallengerReport& report, const std::optional<OutcomeKind>& outcome) {
    if (!outcome) {
        ++report.abandoned;
        return;
    }
    switch (*outcome) {
        case OutcomeKind::kServed:
            ++report.served;
            break;
        case OutcomeKind::kLate:
            ++report.late;
            break;
        case OutcomeKind::kInvalid:
            ++report.invalid;
            break;
        case OutcomeKind::kUnreachable:
            ++report.unreachable;
            break;
    }
}

}  // namespace

Result<Reveal> challenger_commitment(const NetworkId& network_id, const KeyPair& key, Height base) {
    HOLDFAST_ASSIGN(chain, RevealChain::make(network_id, as_digest(key.public_key()), base, key));
    return chain.commitment();
}

// B88.
std::uint32_t challenge_margin_ms(const NetworkParams& params) {
    return std::min(params.block_ms / 8, kMostMarginMs);
}

// Spec 8, challenge: a moment spread between h + 1 and h + 2 (B88).
std::uint32_t challenge_moment_ms(const NetworkParams& params, const Reveal& reveal,
                                  const ChainId& chain_id) {
    const std::uint32_t margin = challenge_margin_ms(params);
    const std::uint32_t spread = std::max(1U, params.block_ms - 2 * margin);
    const Digest h = tagged_hash("availability/moment", reveal, chain_id);
    return margin + static_cast<std::uint32_t>(load_le64(h.data()) % spread);
}

// Spec 8: served, late, invalid, unreachable.
ReplyJudgement judge_reply(const NetworkParams& params, const ResponseContext& context,
                           const Result<ChallengeReply>& reply) {
    ReplyJudgement out;
    if (!reply) {
        out.outcome = outcome_of(reply.error().code);
        return out;
    }
    out.service_us = reply->service_us;
    out.ping_us = reply->ping_us;
    out.outcome = OutcomeKind::kLate;
    Checked<Response> response = read_response(reply->response);
    if (!response) return out;
    const Verdict verdict = check_response(context, *response);
    if (response_is_evidence(verdict)) {
        out.outcome = OutcomeKind::kInvalid;
    } else if (verdict && reply->service_us <= params.deadline_ms * kUsPerMs) {
        out.outcome = OutcomeKind::kServed;
    } else {
        return out;
    }
    out.response = std::move(*response);
    return out;
}

AvailabilityChallenger::AvailabilityChallenger(const NetworkParams& params, const KeyPair& key,
                                               Height base, ChallengeJournal& journal,
                                               Network& network, MonotonicNs clock,
                                               const ChallengerOptions& options)
    : params_(params),
      network_id_(params.id()),
      key_(key),
      journal_(journal),
      network_(network),
      clock_(std::move(clock)),
      options_(options),
      base_(base) {}

Result<RevealChain*> AvailabilityChallenger::reveals() {
    if (!reveals_) {
        HOLDFAST_ASSIGN(chain,
                        RevealChain::make(network_id_, as_digest(key_.public_key()), base_, key_));
        reveals_.emplace(std::move(chain));
    }
    return &*reveals_;
}

Result<Reveal> AvailabilityChallenger::commitment() {
    const std::lock_guard lock(reveals_mutex_);
    HOLDFAST_ASSIGN(chain, reveals());
    return chain->commitment();
}

Result<Reveal> AvailabilityChallenger::reveal_of(Height height) {
    const std::lock_guard lock(reveals_mutex_);
    HOLDFAST_ASSIGN(chain, reveals());
    const Checked<Reveal> reveal = chain->at_height(height);
    if (!reveal) return fail_refused(reveal.error(), "the challenger's reveal chain");
    return *reveal;
}

std::optional<Height> AvailabilityChallenger::tip() const {
    const std::lock_guard lock(mutex_);
    return tip_;
}

std::uint64_t AvailabilityChallenger::since_tip_ms() const {
    const std::lock_guard lock(mutex_);
    const std::uint64_t now = clock_();
    return now < tip_ns_ ? 0 : (now - tip_ns_) / kNsPerMs;
}

void AvailabilityChallenger::on_final_block(Height tip) {
    const std::lock_guard lock(mutex_);
    if (tip_ && tip <= *tip_) return;
    tip_ = tip;
    tip_ns_ = clock_();
}

Result<std::uint64_t> AvailabilityChallenger::draw(const ChallengeRound& round) {
    const std::optional<Height> newest = tip();
    const Verdict when =
        newest ? check_challenge_arrival(round.height, *newest) : Verdict(Reason::kTooEarly);
    if (!when) return fail_refused(when, "drawing challenges");
    if (!round.y) return fail_refused(Reason::kNoEntropy, "drawing challenges");
    std::vector<JournalEntry> drawn;
    const PublicKey& own = key_.public_key();
    HOLDFAST_ASSIGN(reveal, reveal_of(round.height));
    const ChallengerDraw draw(round.challengers);
    for (const ChallengedChain& chain : round.chains) {
        if (draw.assigned(network_id_, *round.y, chain.id) != own) continue;
        const ChallengeNonce nonce = challenge_nonce(reveal, chain.id);
        if (!challenge_is_drawn(params_, network_id_, *round.y, chain.id, own, nonce)) continue;
        JournalEntry entry;
        HOLDFAST_ASSIGN(challenge, make_challenge2(network_id_, chain.id, round.height,
                                                   round.block_hash, *round.y, reveal, key_));
        entry.challenge = challenge;
        entry.prover = chain.prover;
        entry.sealed_root = chain.sealed_root;
        entry.chunks = chain.chunks;
        entry.selected =
            challenged_chunks(params_, network_id_, *round.y, chain.id, own, nonce, chain.chunks);
        entry.moment_ms = challenge_moment_ms(params_, reveal, chain.id);
        drawn.push_back(std::move(entry));
    }
    return journal_.plan(round.height, drawn);
}

Result<std::optional<std::uint64_t>> AvailabilityChallenger::next_due_ms() const {
    const std::optional<Height> newest = tip();
    std::optional<std::uint64_t> next;
    if (!newest) return next;
    const std::uint64_t passed = since_tip_ms();
    HOLDFAST_ASSIGN(planned, journal_.entries(JournalState::kPlanned));
    for (const JournalEntry& entry : planned) {
        if (!check_challenge_arrival(entry.challenge.height, *newest)) continue;
        const std::uint64_t wait = entry.moment_ms < passed ? 0 : entry.moment_ms - passed;
        next = std::min(next.value_or(UINT64_MAX), wait);
    }
    return next;
}

/// Planned challenges whose moment has come; those whose time has passed are abandoned.
Result<std::vector<ChallengeKey>> AvailabilityChallenger::due(ChallengerReport& report) {
    std::vector<ChallengeKey> out;
    const std::optional<Height> newest = tip();
    if (!newest) return out;
    const std::uint64_t passed = since_tip_ms();
    // Later, the prover may know of the next block before we do, and be blamed for ignoring us.
    const bool closing = passed >= params_.block_ms - challenge_margin_ms(params_) / 2;
    HOLDFAST_ASSIGN(planned, journal_.entries(JournalState::kPlanned));
    std::vector<ChallengeKey> over;
    for (const JournalEntry& entry : planned) {
        const Verdict when = check_challenge_arrival(entry.challenge.height, *newest);
        const bool missed = when.reason == Reason::kTooLate || (when && closing);
        if (missed) over.push_back(key_of(entry.challenge));
        if (when && !missed && entry.moment_ms <= passed) out.push_back(key_of(entry.challenge));
    }
    HOLDFAST_ASSIGN(abandoned, journal_.abandon(over));
    report.abandoned += abandoned;
    return out;
}

void ServiceTimes::add(std::uint32_t service_us) {
    std::size_t place = 0;
    while (place < kBoundsMs.size() && service_us > kBoundsMs[place] * kUsPerMs) ++place;
    ++counts[place];
}

void ServiceTimes::add(const ServiceTimes& other) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
}

Status AvailabilityChallenger::exchange(const JournalEntry& entry, ChallengerReport& report,
                                        std::mutex& counting) {
    const Challenge2& challenge = entry.challenge;
    const ChallengeId id = challenge.id(network_id_);
    const Bytes object = wrap_object(Kind::kChallenge2, challenge.encode());
    const Result<ChallengeReply> reply =
        network_.send_challenge(entry.prover, object, params_.deadline_ms);
    const ResponseContext context{id, entry.prover, entry.sealed_root, entry.chunks,
                                  entry.selected};
    ReplyJudgement judged = judge_reply(params_, context, reply);
    const bool blames =
        judged.outcome == OutcomeKind::kLate || judged.outcome == OutcomeKind::kUnreachable;
    // Since the next block is here, the challenge may have reached the prover too late.
    const bool overtaken = !check_challenge_arrival(challenge.height, tip().value_or(Height(0)));
    if (blames && overtaken) judged.outcome.reset();
    {
        const std::lock_guard lock(counting);
        count(report, judged.outcome);
        if (judged.service_us > 0) report.times.add(judged.service_us);
    }
    const ChallengeKey key = key_of(challenge);
    if (!judged.outcome) {
        HOLDFAST_TRY(journal_.abandon(std::span(&key, 1)));
        return {};
    }
    HOLDFAST_ASSIGN(reveal, reveal_of(challenge.height));
    std::optional<Bytes> answer;
    if (judged.response) answer = judged.response->encode();
    const Response* named = judged.response ? &*judged.response : nullptr;
    HOLDFAST_ASSIGN(outcome, make_outcome2(id, reveal, *judged.outcome, judged.service_us,
                                           judged.ping_us, named, key_));
    return journal_.note_outcome(key, outcome, answer);
}

Result<ChallengerReport> AvailabilityChallenger::work(const StopCheck& stop) {
    ChallengerReport report;
    HOLDFAST_ASSIGN(keys, due(report));
    HOLDFAST_ASSIGN(entries, journal_.begin_sending(keys));
    report.sent = entries.size();
    std::mutex counting;
    std::atomic<std::size_t> next{0};
    std::vector<Status> done(entries.size());
    const auto send_some = [&] {
        for (std::size_t i = next++; i < entries.size(); i = next++) {
            if (stop && stop()) {
                // Never sent, and never will be: begin_sending() has said that it may have left.
                const ChallengeKey key = key_of(entries[i].challenge);
                const auto abandoned = journal_.abandon(std::span(&key, 1));
                if (!abandoned) done[i] = fail(abandoned.error());
                const std::lock_guard lock(counting);
                --report.sent;
                ++report.abandoned;
                continue;
            }
            done[i] = exchange(entries[i], report, counting);
        }
    };
    const std::size_t workers =
        std::min<std::size_t>(std::max(1U, options_.at_once), entries.size());
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < workers; ++i) threads.emplace_back(send_some);
        send_some();
    }
    for (const Status& status : done) HOLDFAST_TRY(status);
    return report;
}

Result<std::uint64_t> AvailabilityChallenger::publish(Blockchain& chain) {
    const std::optional<Height> newest = tip();
    if (!newest) return 0;
    HOLDFAST_ASSIGN(measured, journal_.entries(JournalState::kMeasured));
    std::uint64_t published = 0;
    for (const JournalEntry& entry : measured) {
        const Challenge2& challenge = entry.challenge;
        if (*newest < challenge.height + 2) continue;
        const ChallengeKey key = key_of(challenge);
        HOLDFAST_TRY(
            chain.submit(Kind::kChallenge2, wrap_object(Kind::kChallenge2, challenge.encode())));
        HOLDFAST_TRY(
            chain.submit(Kind::kOutcome2, wrap_object(Kind::kOutcome2, entry.outcome->encode())));
        if (entry.outcome->outcome == OutcomeKind::kInvalid) {
            HOLDFAST_ASSIGN(answer, journal_.answer(key));
            const auto response = Response::decode(answer);
            if (!response) return fail_refused(response.error(), "a kept response");
            const Evidence evidence = make_bad_response(challenge, *response);
            HOLDFAST_TRY(
                chain.submit(Kind::kEvidence, wrap_object(Kind::kEvidence, evidence.encode())));
        }
        HOLDFAST_TRY(journal_.mark_published(std::span(&key, 1)));
        ++published;
    }
    HOLDFAST_TRY(journal_.forget(*newest - options_.kept_blocks));
    return published;
}

Result<std::uint64_t> AvailabilityChallenger::answer_audits(std::span<const ChallengeKey> open,
                                                            Blockchain& chain) {
    std::uint64_t answered = 0;
    for (const ChallengeKey& key : open) {
        const Result<Bytes> answer = journal_.answer(key);
        if (!answer && answer.error().code == ErrorCode::kNotFound) continue;
        if (!answer) return fail(answer.error());
        const Status taken = chain.submit(Kind::kResponse, wrap_object(Kind::kResponse, *answer));
        const bool known = !taken && taken.error().code == ErrorCode::kRefused;  // answered before
        if (!taken && !known) return fail(taken.error());
        answered += taken ? 1 : 0;
    }
    return answered;
}

}  // namespace holdfast
