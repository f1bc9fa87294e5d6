#include "availability/book.hpp"

#include <mutex>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "storage/network_store.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t kSchema = 1;
constexpr std::uint64_t kPublishedAfter = 2;  // blocks: final block h + 2 has arrived

Key taken_key() { return Key().u8(2); }  // in kMeta, beside the store's head

Key row(Height height, const ChainId& chain_id) { return Key().height(height).fixed(chain_id); }
Key row(const PublicKey& key, Height base) { return Key().fixed(key).height(base); }
Key outcome_row(const ChainId& chain_id, Height height) {
    return Key().fixed(chain_id).height(height);
}

tl::unexpected<Error> damaged(const char* what) {
    return fail(ErrorCode::kCorrupt,
                std::string("the availability book is damaged: ") + what + "; restore a backup");
}

bool is_bad(OutcomeKind outcome) {
    return outcome == OutcomeKind::kLate || outcome == OutcomeKind::kUnreachable;
}

/// A challenge that was listed, and who is paid for serving it.
struct ListedChallenge {
    Challenge challenge;
    PublicKey prover;

    [[nodiscard]] Bytes encode() const {
        Writer w(kChallengeBytes + PublicKey::size());
        challenge.encode(w);
        w.fixed(prover);
        return w.take();
    }
    static Result<ListedChallenge> decode(ByteView bytes) {
        Reader r(bytes);
        ListedChallenge out{Challenge::decode(r), r.fixed<PublicKey>()};
        if (!r.finish()) return damaged("a challenge does not decode");
        return out;
    }
};

Bytes encode_outcome(const OutcomeRecord& record) {
    Writer w(41);
    w.height(record.height).fixed(record.challenger);
    w.u8(static_cast<std::uint8_t>(record.outcome));
    return w.take();
}

Result<OutcomeRecord> decode_outcome(ByteView bytes) {
    Reader r(bytes);
    OutcomeRecord record;
    record.height = r.height();
    record.challenger = r.fixed<PublicKey>();
    record.outcome = static_cast<OutcomeKind>(r.u8());
    if (!r.finish()) return damaged("an outcome does not decode");
    return record;
}

/// What an accepted outcome pays for.
struct Payment {
    PublicKey challenger;
    PublicKey prover;
    bool served = false;

    [[nodiscard]] Bytes encode() const {
        Writer w(65);
        w.fixed(challenger).fixed(prover).u8(served ? 1 : 0);
        return w.take();
    }
    static Result<Payment> decode(ByteView bytes) {
        Reader r(bytes);
        Payment p{r.fixed<PublicKey>(), r.fixed<PublicKey>(), r.u8() != 0};
        if (!r.finish()) return damaged("a payment does not decode");
        return p;
    }
    [[nodiscard]] std::vector<SettlementStep> steps(const AvailabilityTerms& terms) const {
        std::vector<SettlementStep> out;
        if (served && terms.served_reward > 0) {
            out.push_back(SettlementStep::reward(prover, terms.served_reward));
        }
        if (terms.challenger_reward > 0) {
            out.push_back(SettlementStep::reward(challenger, terms.challenger_reward));
        }
        return out;
    }
};

Result<Height> decode_height(ByteView bytes) {
    Reader r(bytes);
    const Height h = r.height();
    if (!r.finish()) return damaged("a height does not decode");
    return h;
}

}  // namespace

// Spec 8, outcome: published after block h + 2 (B88).
Verdict check_listing_height(const NetworkParams& params, Height challenge_height, Height tip) {
    if (tip < challenge_height + kPublishedAfter) return Reason::kTooEarly;
    if (tip > challenge_height + kPublishedAfter + params.proof_deadline) return Reason::kTooLate;
    return Verdict::ok();
}

CaseId outcome_case(const NetworkId& network_id, const ChallengeId& id) {
    return CaseId(tagged_hash("settlement/outcome", network_id, id));
}

class AvailabilityBook::Impl {
  public:
    Impl(const NetworkParams& network, std::unique_ptr<Store> opened, bool notes_payments)
        : params(network),
          network_id(network.id()),
          store(std::move(opened)),
          pays(notes_payments) {}

    Result<std::vector<Challenger>> challengers(const Transaction& txn, Height h) const;
    Result<std::vector<OutcomeRecord>> outcomes(const Transaction& txn, const ChainId& id) const;

    Status load_taken();
    std::optional<Height> taken() const {
        const std::lock_guard lock(mutex_);
        return taken_;
    }
    /// Whether a block may go by without a transaction, since it says nothing to this book.
    bool passes_idle(Height tip, bool empty);
    Result<std::vector<Verdict>> take(Height tip, std::span<const BookObject> objects);

    const NetworkParams params;
    const NetworkId network_id;
    const std::unique_ptr<Store> store;

  private:
    Result<Verdict> take_one(Transaction& txn, const Challenger& challenger, Height tip);
    Result<Verdict> take_one(Transaction& txn, const ChallengeWithFacts& listed, Height tip);
    Result<Verdict> take_one(Transaction& txn, const Outcome& outcome, Height tip);
    Result<std::vector<PublicKey>> keys(const Transaction& txn, Height h);
    /// The registration of `key` in force at h, with the newest reveal known of it.
    Result<std::optional<std::pair<Challenger, KnownReveal>>> in_force(const Transaction& txn,
                                                                       const PublicKey& key,
                                                                       Height h) const;
    Status forget_challenges(Transaction& txn, Height tip) const;
    Status note_reveal(Transaction& txn, const Challenger& challenger, const KnownReveal& known,
                       const KnownReveal& shown) const;
    Status note_outcome(Transaction& txn, const ListedChallenge& listed, const Outcome& outcome,
                        Height tip) const;
    Status add_score(Transaction& txn, const ChainId& chain_id, OutcomeKind outcome) const;

    const bool pays;
    mutable std::mutex mutex_;  // guards the two below
    std::optional<Height> taken_;
    std::optional<Height> durable_;  // the newest block whose being taken is on the device
    // Keys in force at the height that was asked for last: a block lists many of one height. Of
    // the write transaction in progress.
    std::optional<Height> cached_height_;
    std::vector<PublicKey> cached_keys_;
};

Status AvailabilityBook::Impl::load_taken() {
    HOLDFAST_ASSIGN(txn, store->read());
    HOLDFAST_ASSIGN(stored, txn.get(BookTable::kMeta, taken_key().bytes()));
    if (!stored) return {};
    HOLDFAST_ASSIGN(height, decode_height(*stored));
    taken_ = durable_ = height;
    return {};
}

Result<std::vector<Challenger>> AvailabilityBook::Impl::challengers(const Transaction& txn,
                                                                    Height h) const {
    std::vector<Challenger> all;
    HOLDFAST_TRY(
        txn.for_each(BookTable::kChallengers, {}, [&](ByteView, ByteView value) -> Result<bool> {
            const auto c = Challenger::decode(value);
            if (!c) return damaged("a challenger does not decode");
            all.push_back(*c);
            return true;
        }));
    return challengers_in_force(all, h);
}

Result<std::vector<PublicKey>> AvailabilityBook::Impl::keys(const Transaction& txn, Height h) {
    if (cached_height_ != h) {
        HOLDFAST_ASSIGN(found, challengers(txn, h));
        cached_keys_.clear();
        for (const Challenger& c : found) cached_keys_.push_back(c.key);
        cached_height_ = h;
    }
    return cached_keys_;
}

Result<std::optional<std::pair<Challenger, KnownReveal>>> AvailabilityBook::Impl::in_force(
    const Transaction& txn, const PublicKey& key, Height h) const {
    using Found = std::optional<std::pair<Challenger, KnownReveal>>;
    HOLDFAST_ASSIGN(newest,
                    txn.last_at_most(BookTable::kChallengers, view(key), row(key, h).bytes()));
    if (!newest) return Found();
    const auto challenger = Challenger::decode(newest->second);
    if (!challenger) return damaged("a challenger does not decode");
    KnownReveal known{0, challenger->commitment};
    HOLDFAST_ASSIGN(shown, txn.get(BookTable::kReveals, newest->first));
    if (shown) {
        Reader r(*shown);
        known.i = r.u64();
        known.a = r.fixed<Reveal>();
        if (!r.finish()) return damaged("a reveal does not decode");
    }
    return Found(std::pair(*challenger, known));
}

Status AvailabilityBook::Impl::note_reveal(Transaction& txn, const Challenger& challenger,
                                           const KnownReveal& known,
                                           const KnownReveal& shown) const {
    if (shown.i <= known.i) return {};
    Writer w(40);
    w.u64(shown.i).fixed(shown.a);
    return txn.put(BookTable::kReveals, row(challenger.key, challenger.base).bytes(), w.bytes());
}

/// Challenges whose outcome would be refused as too late.
Status AvailabilityBook::Impl::forget_challenges(Transaction& txn, Height tip) const {
    const std::uint64_t kept = kPublishedAfter + params.proof_deadline;
    if (tip.value <= kept) return {};
    const Height floor = tip - kept;
    std::vector<std::pair<Bytes, ChallengeId>> old;
    HOLDFAST_TRY(
        txn.for_each(BookTable::kChallenges, {}, [&](ByteView key, ByteView value) -> Result<bool> {
            if (KeyReader(key).height() >= floor) return false;
            HOLDFAST_ASSIGN(listed, ListedChallenge::decode(value));
            old.emplace_back(Bytes(key.begin(), key.end()), listed.challenge.id(network_id));
            return true;
        }));
    for (const auto& [key, id] : old) {
        HOLDFAST_TRY(txn.erase(BookTable::kChallenges, key));
        HOLDFAST_TRY(txn.erase(BookTable::kIds, Key().fixed(id).bytes()));
    }
    return {};
}

Status AvailabilityBook::Impl::add_score(Transaction& txn, const ChainId& chain_id,
                                         OutcomeKind outcome) const {
    AvailabilityScore score;
    HOLDFAST_ASSIGN(stored, txn.get(BookTable::kScores, view(chain_id)));
    if (stored) {
        const auto found = AvailabilityScore::decode(*stored);
        if (!found) return damaged("a score does not decode");
        score = *found;
    }
    score.note(outcome);
    return txn.put(BookTable::kScores, view(chain_id), score.encode());
}

Status AvailabilityBook::Impl::note_outcome(Transaction& txn, const ListedChallenge& listed,
                                            const Outcome& outcome, Height tip) const {
    const Challenge& challenge = listed.challenge;
    const ChainId& chain_id = challenge.chain_id;
    const OutcomeRecord record{challenge.height, challenge.challenger, outcome.outcome};
    HOLDFAST_TRY(txn.put(BookTable::kOutcomes, outcome_row(chain_id, record.height).bytes(),
                         encode_outcome(record)));
    // Digests that have not closed are of heights not below tip - link_lag, and challenges that may
    // still get an outcome must find the one that they have: older ones decide nothing any more.
    const std::uint64_t needed =
        std::max<std::uint64_t>(params.quorum_window, kPublishedAfter + params.proof_deadline) +
        params.closing_blocks();
    HOLDFAST_TRY(txn.erase_range(BookTable::kOutcomes, outcome_row(chain_id, Height(0)).bytes(),
                                 outcome_row(chain_id, tip - needed).bytes()));
    if (is_bad(record.outcome)) {
        HOLDFAST_ASSIGN(before, txn.get(BookTable::kSuspects, view(chain_id)));
        Height newest = record.height;
        if (before) {
            HOLDFAST_ASSIGN(known, decode_height(*before));
            newest = std::max(newest, known);
        }
        Writer w(8);
        w.height(newest);
        HOLDFAST_TRY(txn.put(BookTable::kSuspects, view(chain_id), w.bytes()));
    }
    HOLDFAST_TRY(add_score(txn, chain_id, record.outcome));
    if (!pays) return {};
    const Payment payment{challenge.challenger, listed.prover,
                          record.outcome == OutcomeKind::kServed};
    return txn.put(BookTable::kUnsettled, Key().fixed(outcome.id).bytes(), payment.encode());
}

Result<std::vector<OutcomeRecord>> AvailabilityBook::Impl::outcomes(const Transaction& txn,
                                                                    const ChainId& id) const {
    std::vector<OutcomeRecord> out;
    HOLDFAST_TRY(
        txn.for_each(BookTable::kOutcomes, view(id), [&](ByteView, ByteView value) -> Result<bool> {
            HOLDFAST_ASSIGN(record, decode_outcome(value));
            out.push_back(record);
            return true;
        }));
    return out;
}

Result<Verdict> AvailabilityBook::Impl::take_one(Transaction& txn, const Challenger& challenger,
                                                 Height tip) {
    const Verdict form = check_challenger(network_id, challenger);
    if (!form) return form;
    const Key key = row(challenger.key, challenger.base);
    HOLDFAST_ASSIGN(same, txn.get(BookTable::kChallengers, key.bytes()));
    if (same && *Challenger::decode(*same) == challenger) return Verdict::ok();
    HOLDFAST_ASSIGN(newest, txn.last_at_most(BookTable::kChallengers, view(challenger.key),
                                             row(challenger.key, Height(UINT64_MAX)).bytes()));
    std::optional<Height> newest_base;
    if (newest) {
        const auto known = Challenger::decode(newest->second);
        if (!known) return damaged("a challenger does not decode");
        newest_base = known->base;
    }
    const Verdict base = check_challenger_base(params, challenger, tip, newest_base);
    if (!base) return base;
    cached_height_.reset();
    HOLDFAST_TRY(txn.put(BookTable::kChallengers, key.bytes(), challenger.encode()));
    return Verdict::ok();
}

Result<Verdict> AvailabilityBook::Impl::take_one(Transaction& txn, const ChallengeWithFacts& listed,
                                                 Height tip) {
    const Challenge& challenge = listed.challenge;
    const ChallengeFacts& facts = listed.facts;
    const Verdict when = check_listing_height(params, challenge.height, tip);
    if (!when) return when;
    if (!facts.y) return Verdict(Reason::kNoEntropy);
    const Key key = row(challenge.height, challenge.chain_id);
    HOLDFAST_ASSIGN(stored, txn.get(BookTable::kChallenges, key.bytes()));
    if (stored) {
        HOLDFAST_ASSIGN(first, ListedChallenge::decode(*stored));
        return Verdict(first.challenge == challenge ? Reason::kOk : Reason::kDuplicateChallenge);
    }
    HOLDFAST_ASSIGN(known_keys, keys(txn, challenge.height));
    const ChallengeContext context{params,           network_id,       challenge.chain_id,
                                   challenge.height, facts.block_hash, *facts.y,
                                   known_keys};
    const Verdict verdict = check_challenge(context, challenge);
    if (!verdict) return verdict;
    HOLDFAST_TRY(txn.put(BookTable::kChallenges, key.bytes(),
                         ListedChallenge{challenge, facts.prover}.encode()));
    HOLDFAST_TRY(
        txn.put(BookTable::kIds, Key().fixed(challenge.id(network_id)).bytes(), key.bytes()));
    return Verdict::ok();
}

Result<Verdict> AvailabilityBook::Impl::take_one(Transaction& txn, const Outcome& outcome,
                                                 Height tip) {
    HOLDFAST_ASSIGN(place, txn.get(BookTable::kIds, Key().fixed(outcome.id).bytes()));
    if (!place) return Verdict(Reason::kWrongChallenge);
    HOLDFAST_ASSIGN(stored, txn.get(BookTable::kChallenges, *place));
    if (!stored) return damaged("an id names no challenge");
    HOLDFAST_ASSIGN(listed, ListedChallenge::decode(*stored));
    const Challenge& challenge = listed.challenge;
    const Verdict when = check_listing_height(params, challenge.height, tip);
    if (!when) return when;
    const Key settled = outcome_row(challenge.chain_id, challenge.height);
    HOLDFAST_ASSIGN(known_outcome, txn.contains(BookTable::kOutcomes, settled.bytes()));
    if (known_outcome) return Verdict(Reason::kAlreadySettled);
    HOLDFAST_ASSIGN(found, in_force(txn, challenge.challenger, challenge.height));
    if (!found) return damaged("a challenge is of nobody");
    const auto& [challenger, known] = *found;
    const OutcomeContext context{params, network_id, challenge, challenger.base, known};
    const Verdict verdict = check_outcome(context, outcome);
    if (!verdict) return verdict;
    HOLDFAST_TRY(note_outcome(txn, listed, outcome, tip));
    HOLDFAST_TRY(note_reveal(txn, challenger, known,
                             {challenge.height.since(challenger.base), outcome.reveal}));
    return Verdict::ok();
}

bool AvailabilityBook::Impl::passes_idle(Height tip, bool empty) {
    const std::lock_guard lock(mutex_);
    if (!empty || (durable_ ? tip.since(*durable_) : tip.since(params.genesis_height)) >=
                      AvailabilityBook::kIdleBlocks) {
        return false;
    }
    taken_ = tip;
    return true;
}

Result<std::vector<Verdict>> AvailabilityBook::Impl::take(Height tip,
                                                          std::span<const BookObject> objects) {
    HOLDFAST_ASSIGN(txn, store->write());
    if (const auto newest = taken(); newest && *newest >= tip) {
        return fail(ErrorCode::kInvalidArgument,
                    "block " + std::to_string(tip.value) +
                        " was given to an availability book that stands at block " +
                        std::to_string(newest->value));
    }
    if (passes_idle(tip, objects.empty())) return std::vector<Verdict>();
    cached_height_.reset();  // an earlier transaction may have been aborted
    HOLDFAST_TRY(forget_challenges(txn, tip));
    std::vector<Verdict> verdicts;
    for (const BookObject& object : objects) {
        HOLDFAST_ASSIGN(verdict,
                        std::visit([&](const auto& o) { return take_one(txn, o, tip); }, object));
        verdicts.push_back(verdict);
    }
    Writer w(8);
    w.height(tip);
    HOLDFAST_TRY(txn.put(BookTable::kMeta, taken_key().bytes(), w.bytes()));
    HOLDFAST_TRY(txn.commit());
    const std::lock_guard lock(mutex_);
    taken_ = durable_ = tip;
    return verdicts;
}

AvailabilityBook::AvailabilityBook(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AvailabilityBook::~AvailabilityBook() = default;

Result<std::unique_ptr<AvailabilityBook>> AvailabilityBook::open(
    const std::filesystem::path& folder, const NetworkParams& params, const Options& options) {
    HOLDFAST_ASSIGN(
        store, open_network_store(folder, params.id(), book_schema(), kSchema, options.map_bytes));
    auto impl = std::make_unique<Impl>(params, std::move(store), options.pays);
    HOLDFAST_TRY(impl->load_taken());
    return std::unique_ptr<AvailabilityBook>(new AvailabilityBook(std::move(impl)));
}

Result<std::vector<Verdict>> AvailabilityBook::take_block(Height tip,
                                                          std::span<const BookObject> objects) {
    return impl_->take(tip, objects);
}

std::optional<Height> AvailabilityBook::taken() const { return impl_->taken(); }

Result<std::vector<Challenger>> AvailabilityBook::challengers_at(Height h) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return impl_->challengers(txn, h);
}

// Spec 8: suspended in the digest of h.
Result<std::vector<ChainId>> AvailabilityBook::suspended(Height h) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    std::vector<ChainId> out;
    HOLDFAST_TRY(
        txn.for_each(BookTable::kSuspects, {}, [&](ByteView key, ByteView value) -> Result<bool> {
            HOLDFAST_ASSIGN(newest_bad, decode_height(value));
            if (newest_bad + impl_->params.quorum_window <= h) return true;
            const auto chain_id = KeyReader(key).fixed<ChainId>();
            HOLDFAST_ASSIGN(records, impl_->outcomes(txn, chain_id));
            if (suspended_by_quorum(impl_->params, h, records)) out.push_back(chain_id);
            return true;
        }));
    return out;
}

Result<AvailabilityScore> AvailabilityBook::score(const ChainId& chain_id) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(stored, txn.get(BookTable::kScores, view(chain_id)));
    if (!stored) return AvailabilityScore{};
    const auto score = AvailabilityScore::decode(*stored);
    if (!score) return damaged("a score does not decode");
    return *score;
}

Result<std::vector<OutcomeRecord>> AvailabilityBook::outcomes(const ChainId& chain_id) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return impl_->outcomes(txn, chain_id);
}

Result<std::optional<Challenge>> AvailabilityBook::challenge(const ChallengeId& id) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(place, txn.get(BookTable::kIds, Key().fixed(id).bytes()));
    if (!place) return std::optional<Challenge>();
    HOLDFAST_ASSIGN(stored, txn.get(BookTable::kChallenges, *place));
    if (!stored) return damaged("an id names no challenge");
    HOLDFAST_ASSIGN(listed, ListedChallenge::decode(*stored));
    return std::optional(listed.challenge);
}

Result<std::uint64_t> AvailabilityBook::settle(SettlementLedger& ledger,
                                               const AvailabilityTerms& terms) {
    std::vector<std::pair<ChallengeId, Payment>> waiting;
    {
        HOLDFAST_ASSIGN(txn, impl_->store->read());
        HOLDFAST_TRY(txn.for_each(
            BookTable::kUnsettled, {}, [&](ByteView key, ByteView value) -> Result<bool> {
                HOLDFAST_ASSIGN(payment, Payment::decode(value));
                waiting.emplace_back(KeyReader(key).fixed<ChallengeId>(), payment);
                return true;
            }));
    }
    if (waiting.empty()) return 0;
    // Decisions are durable before the notes of them go: a crash in between repeats decisions,
    // which the ledger then knows.
    std::vector<SettlementCase> decisions;
    for (const auto& [id, payment] : waiting) {
        std::vector<SettlementStep> steps = payment.steps(terms);
        if (steps.empty()) continue;
        decisions.push_back(
            {outcome_case(impl_->network_id, id), CaseKind::kOutcome, std::move(steps)});
    }
    HOLDFAST_TRY(ledger.decide_all(decisions));
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    for (const auto& [id, payment] : waiting) {
        HOLDFAST_TRY(txn.erase(BookTable::kUnsettled, Key().fixed(id).bytes()));
    }
    HOLDFAST_TRY(txn.commit());
    return decisions.size();
}

}  // namespace holdfast
