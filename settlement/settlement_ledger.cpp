#include "settlement/settlement_ledger.hpp"

#include <algorithm>
#include <atomic>
#include <exception>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "storage/network_store.hpp"

namespace holdfast {
namespace {

/// Schema 1 held decisions of nodes, not of entries.
constexpr std::uint32_t kSchema = 2;
constexpr std::uint64_t kPerMille = 1'000;

Key key_of(const CaseId& id) { return Key().fixed(id); }

tl::unexpected<Error> damaged(const std::string& what) {
    return fail(ErrorCode::kCorrupt, "settlement is damaged: " + what + "; restore a backup");
}

/// The key of one step: what makes every repetition of its call the same call.
IdempotencyKey step_key(const NetworkId& network_id, const CaseId& id, std::size_t n) {
    return IdempotencyKey(
        tagged_hash("settlement/step", network_id, id, static_cast<std::uint32_t>(n)));
}

/// What the slashes of the case have taken so far.
std::uint64_t taken(const SettlementCase& c) {
    std::uint64_t sum = 0;
    for (const SettlementStep& step : c.steps) {
        if (step.kind != StepKind::kSlash || step.state != StepState::kDone) continue;
        sum = step.answer > UINT64_MAX - sum ? UINT64_MAX : sum + step.answer;
    }
    return sum;
}

std::uint64_t reward_amount(const SettlementCase& c, const SettlementStep& step) {
    if (step.share_per_mille == 0) return step.amount;
    __extension__ using U128 = unsigned __int128;
    const U128 share = U128{taken(c)} * step.share_per_mille / kPerMille;
    return share < step.amount ? static_cast<std::uint64_t>(share) : step.amount;
}

/// The token says so, and what it says can be true.
Result<std::uint64_t> slash(Token& token, const SettlementCase& c, const SettlementStep& step,
                            const IdempotencyKey& key) {
    HOLDFAST_ASSIGN(before, token.bond_info(step.bond));
    if (before.owner != step.party) {
        return fail(ErrorCode::kInvalidArgument,
                    "bond " + to_hex(step.bond) + " is not the offender's: nothing is taken");
    }
    HOLDFAST_ASSIGN(took, token.slash_bond(step.bond, step.amount, OffenceId(c.id), key));
    HOLDFAST_ASSIGN(after, token.bond_info(step.bond));
    if (took > step.amount || after.slashed_amount < took) {
        return fail(ErrorCode::kUnavailable,
                    "the token claims to have taken " + std::to_string(took) + " from bond " +
                        to_hex(step.bond) + ", which its own account of the bond contradicts");
    }
    return took;
}

Result<std::uint64_t> ask(Token& token, const SettlementCase& c, const SettlementStep& step,
                          const IdempotencyKey& key) {
    switch (step.kind) {
        case StepKind::kSlash:
            return slash(token, c, step, key);
        case StepKind::kRelease:
            return token.release_bond(step.bond, step.amount, key);
        case StepKind::kReward: {
            const std::uint64_t amount = reward_amount(c, step);
            if (amount == 0) return 0;
            HOLDFAST_TRY(token.pay_reward(step.party, amount, c.id, key));
            return amount;
        }
    }
    return fail(ErrorCode::kInvalidArgument, "no such step");
}

/// Whatever leaves a host's code, an Error comes back.
Result<std::uint64_t> ask_safely(Token& token, const SettlementCase& c, const SettlementStep& step,
                                 const IdempotencyKey& key) {
    try {
        return ask(token, c, step, key);
    } catch (const std::exception& error) {
        return fail(ErrorCode::kUnavailable, std::string("the token has thrown: ") + error.what());
    } catch (...) {
        return fail(ErrorCode::kUnavailable, "the token has thrown something");
    }
}

/// Token's contract: these two are never worth repeating, and nothing has happened.
bool is_final(ErrorCode code) {
    return code == ErrorCode::kInvalidArgument || code == ErrorCode::kNotFound;
}

}  // namespace

std::string_view to_string(StepKind kind) {
    switch (kind) {
        case StepKind::kSlash:
            return "slash";
        case StepKind::kReward:
            return "reward";
        case StepKind::kRelease:
            return "release";
    }
    return "unknown";
}

std::string_view to_string(StepState state) {
    switch (state) {
        case StepState::kOpen:
            return "open";
        case StepState::kDone:
            return "done";
        case StepState::kRefused:
            return "refused";
    }
    return "unknown";
}

// --- values --------------------------------------------------------------------------------------

SettlementStep SettlementStep::slash(const BondId& bond, const PublicKey& owner,
                                     std::uint64_t most) {
    SettlementStep step;
    step.bond = bond;
    step.party = owner;
    step.amount = most;
    return step;
}

SettlementStep SettlementStep::reward(const PublicKey& to, std::uint64_t most,
                                      std::uint32_t share_per_mille) {
    HOLDFAST_CHECK(share_per_mille <= kPerMille);
    SettlementStep step;
    step.kind = StepKind::kReward;
    step.party = to;
    step.amount = most;
    step.share_per_mille = share_per_mille;
    return step;
}

SettlementStep SettlementStep::release(const BondId& bond, std::uint64_t amount) {
    SettlementStep step;
    step.kind = StepKind::kRelease;
    step.bond = bond;
    step.amount = amount;
    return step;
}

bool SettlementCase::settled() const {
    return std::none_of(steps.begin(), steps.end(),
                        [](const SettlementStep& s) { return s.state == StepState::kOpen; });
}

Bytes SettlementCase::encode() const {
    HOLDFAST_CHECK(steps.size() <= kMaxSteps);
    Writer w;
    w.fixed(id).u8(static_cast<std::uint8_t>(kind)).u8(static_cast<std::uint8_t>(steps.size()));
    for (const SettlementStep& s : steps) {
        w.u8(static_cast<std::uint8_t>(s.kind)).fixed(s.bond).fixed(s.party).u64(s.amount);
        w.u32(s.share_per_mille).u8(static_cast<std::uint8_t>(s.state)).u64(s.answer).u32(s.asked);
    }
    return w.take();
}

Checked<SettlementCase> SettlementCase::decode(ByteView bytes) {
    Reader r(bytes);
    SettlementCase out;
    out.id = r.fixed<CaseId>();
    out.kind = static_cast<CaseKind>(r.u8());
    const std::uint8_t count = r.u8();
    if (out.kind < CaseKind::kOffence || out.kind > CaseKind::kBond || count > kMaxSteps) {
        r.refuse(Reason::kBadField);
    }
    for (std::uint8_t i = 0; i < count && !r.failed(); ++i) {
        SettlementStep s;
        s.kind = static_cast<StepKind>(r.u8());
        s.bond = r.fixed<BondId>();
        s.party = r.fixed<PublicKey>();
        s.amount = r.u64();
        s.share_per_mille = r.u32();
        s.state = static_cast<StepState>(r.u8());
        s.answer = r.u64();
        s.asked = r.u32();
        const bool known = s.kind >= StepKind::kSlash && s.kind <= StepKind::kRelease &&
                           s.state >= StepState::kOpen && s.state <= StepState::kRefused &&
                           s.share_per_mille <= kPerMille;
        if (!known) r.refuse(Reason::kBadField);
        out.steps.push_back(s);
    }
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

// Spec 15.8.
std::uint64_t most_pay(const NetworkParams& params) {
    constexpr std::uint64_t kForfeitedRewards = 32;
    const std::uint64_t part = params.least_challenger_part;
    const std::uint64_t forfeited =
        std::max<std::uint64_t>(1, part / kForfeitedRewards + (part % kForfeitedRewards != 0));
    return forfeited / kForfeitedRewards;
}

Verdict check_pay_terms(const NetworkParams& params, const PayTerms& terms) {
    const std::uint64_t most = most_pay(params);
    const bool fits =
        terms.challenger_reward <= most && terms.prover_reward <= most - terms.challenger_reward;
    return fits ? Reason::kOk : Reason::kNetworkPolicy;
}

namespace {

/// What is left to do of a decision under these terms.
SettlementCase case_of(const Decision& decision, const PayTerms& terms) {
    SettlementCase out{decision.id, decision.kind, {}};
    const auto pay = [&](const PublicKey& to, std::uint64_t amount) {
        if (amount > 0) out.steps.push_back(SettlementStep::reward(to, amount));
    };
    for (const DecidedStep& s : decision.steps) {
        switch (s.kind) {
            case DecidedStep::Kind::kSlash:
                out.steps.push_back(SettlementStep::slash(s.bond, s.party, s.amount));
                break;
            case DecidedStep::Kind::kRelease:
                out.steps.push_back(SettlementStep::release(s.bond, s.amount));
                break;
            case DecidedStep::Kind::kReward:
                out.steps.push_back(SettlementStep::reward(s.party, UINT64_MAX, s.share_per_mille));
                break;
            case DecidedStep::Kind::kPayChallenger:
                pay(s.party, terms.challenger_reward);
                break;
            case DecidedStep::Kind::kPayProver:
                pay(s.party, terms.prover_reward);
                break;
        }
    }
    return out;
}

Key next_key() { return Key().u8(2); }  // in kMeta, beside the store's head

}  // namespace

// --- the ledger ----------------------------------------------------------------------------------

class SettlementLedger::Impl {
  public:
    Impl(const NetworkId& network_id, std::unique_ptr<Store> store)
        : network_id_(network_id), store_(std::move(store)) {}

    Result<std::uint64_t> next_decision() const;
    Status begin_at(std::uint64_t first);
    Status take(std::uint64_t first, std::span<const Decision> decisions, const PayTerms& terms);
    Result<std::optional<SettlementCase>> find(const CaseId& id) const;
    Status for_each(const std::function<bool(const SettlementCase&)>& visit) const;
    Result<SettlementReport> work(Token& token, const StopCheck& stop);
    Status reopen(const CaseId& id);

  private:
    static Result<std::optional<SettlementCase>> load(const Transaction& txn, const CaseId& id);
    static Status save(Transaction& txn, const SettlementCase& c);
    static Result<std::uint64_t> load_next(const Transaction& txn);
    Result<std::vector<CaseId>> open_cases() const;
    Result<bool> work_on(const CaseId& id, Token& token, const StopCheck& stop,
                         SettlementReport& report);
    /// Writes what became of step n, unless an answer stands there already.
    Result<SettlementCase> note(const CaseId& id, std::size_t n,
                                const Result<std::uint64_t>& answer);

    NetworkId network_id_;
    std::unique_ptr<Store> store_;
    std::atomic_flag working_ = ATOMIC_FLAG_INIT;
    CaseId asked_last_;  // under working_
};

Result<std::optional<SettlementCase>> SettlementLedger::Impl::load(const Transaction& txn,
                                                                   const CaseId& id) {
    HOLDFAST_ASSIGN(bytes, txn.get(SettlementTable::kCases, key_of(id).bytes()));
    if (!bytes) return std::optional<SettlementCase>();
    Checked<SettlementCase> found = SettlementCase::decode(*bytes);
    if (!found || found->id != id) return damaged("case " + to_hex(id) + " does not decode");
    return std::optional(std::move(*found));
}

Status SettlementLedger::Impl::save(Transaction& txn, const SettlementCase& c) {
    const Key key = key_of(c.id);
    HOLDFAST_TRY(txn.put(SettlementTable::kCases, key.bytes(), c.encode()));
    return c.settled() ? txn.erase(SettlementTable::kOpen, key.bytes())
                       : txn.put(SettlementTable::kOpen, key.bytes(), {});
}

Result<std::uint64_t> SettlementLedger::Impl::load_next(const Transaction& txn) {
    HOLDFAST_ASSIGN(stored, txn.get(SettlementTable::kMeta, next_key().bytes()));
    if (!stored) return std::uint64_t{0};
    Reader r(*stored);
    const std::uint64_t next = r.u64();
    if (!r.finish()) return damaged("the number of the next decision does not decode");
    return next;
}

Result<std::uint64_t> SettlementLedger::Impl::next_decision() const {
    HOLDFAST_ASSIGN(txn, store_->read());
    return load_next(txn);
}

Status SettlementLedger::Impl::begin_at(std::uint64_t first) {
    HOLDFAST_ASSIGN(txn, store_->write());
    HOLDFAST_ASSIGN(next, load_next(txn));
    if (next == first) return {};
    if (next != 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "settlement stands at decision " + std::to_string(next) +
                        " and cannot begin at " + std::to_string(first));
    }
    HOLDFAST_TRY(txn.put(SettlementTable::kMeta, next_key().bytes(), Writer(8).u64(first).bytes()));
    return txn.commit();
}

Status SettlementLedger::Impl::take(std::uint64_t first, std::span<const Decision> decisions,
                                    const PayTerms& terms) {
    HOLDFAST_ASSIGN(txn, store_->write());
    HOLDFAST_ASSIGN(next, load_next(txn));
    if (next != first) {
        return fail(ErrorCode::kInvalidArgument, "settlement was given decision " +
                                                     std::to_string(first) + " where " +
                                                     std::to_string(next) + " comes next");
    }
    for (const Decision& decision : decisions) {
        HOLDFAST_TRY(save(txn, case_of(decision, terms)));
    }
    HOLDFAST_TRY(txn.put(SettlementTable::kMeta, next_key().bytes(),
                         Writer(8).u64(first + decisions.size()).bytes()));
    return txn.commit();
}

Result<std::optional<SettlementCase>> SettlementLedger::Impl::find(const CaseId& id) const {
    HOLDFAST_ASSIGN(txn, store_->read());
    return load(txn, id);
}

Status SettlementLedger::Impl::for_each(
    const std::function<bool(const SettlementCase&)>& visit) const {
    HOLDFAST_ASSIGN(txn, store_->read());
    return txn.for_each(SettlementTable::kCases, {}, [&](ByteView, ByteView value) -> Result<bool> {
        const auto found = SettlementCase::decode(value);
        if (!found) return damaged("a case does not decode");
        return visit(*found);
    });
}

Result<std::vector<CaseId>> SettlementLedger::Impl::open_cases() const {
    HOLDFAST_ASSIGN(txn, store_->read());
    std::vector<CaseId> out;
    HOLDFAST_TRY(
        txn.for_each(SettlementTable::kOpen, {}, [&](ByteView key, ByteView) -> Result<bool> {
            out.push_back(KeyReader(key).fixed<CaseId>());
            return true;
        }));
    return out;
}

Result<SettlementCase> SettlementLedger::Impl::note(const CaseId& id, std::size_t n,
                                                    const Result<std::uint64_t>& answer) {
    HOLDFAST_ASSIGN(txn, store_->write());
    HOLDFAST_ASSIGN(found, load(txn, id));
    if (!found || n >= found->steps.size()) return damaged("case " + to_hex(id) + " is gone");
    SettlementStep& step = found->steps[n];
    if (step.state != StepState::kOpen) return *found;  // answered before: the first answer stands
    if (step.asked != UINT32_MAX) ++step.asked;
    if (answer) {
        step.state = StepState::kDone;
        step.answer = *answer;
    } else if (is_final(answer.error().code)) {
        step.state = StepState::kRefused;
    }
    HOLDFAST_TRY(save(txn, *found));
    HOLDFAST_TRY(txn.commit());
    return *found;
}

/// True when the case has no open step any more.
Result<bool> SettlementLedger::Impl::work_on(const CaseId& id, Token& token, const StopCheck& stop,
                                             SettlementReport& report) {
    HOLDFAST_ASSIGN(found, find(id));
    if (!found) return damaged("case " + to_hex(id) + " is gone");
    SettlementCase c = std::move(*found);
    for (std::size_t n = 0; n < c.steps.size(); ++n) {
        if (c.steps[n].state != StepState::kOpen) continue;
        if (stop && stop()) return fail(ErrorCode::kInterrupted, "settling was stopped");
        const Result<std::uint64_t> answer =
            ask_safely(token, c, c.steps[n], step_key(network_id_, id, n));
        HOLDFAST_ASSIGN(noted, note(id, n, answer));
        c = std::move(noted);
        if (!answer && answer.error().code == ErrorCode::kTimeout) ++report.timeouts;
        if (!answer && report.faults.size() < SettlementReport::kMaxFaults) {
            report.faults.push_back({id, n, answer.error()});
        }
        // Later steps may depend on what this one took: they wait for its answer.
        if (c.steps[n].state == StepState::kOpen) return false;
        ++(answer ? report.answered : report.refused);
    }
    return true;
}

// Spec 11, settlement: the idempotent callback, repeated until it answers.
Result<SettlementReport> SettlementLedger::Impl::work(Token& token, const StopCheck& stop) {
    if (working_.test_and_set()) {
        return fail(ErrorCode::kBusy, "settlement: another call is asking the token");
    }
    struct Clear {
        std::atomic_flag& flag;
        ~Clear() { flag.clear(); }
    } clear{working_};
    SettlementReport report;
    HOLDFAST_ASSIGN(ids, open_cases());
    // A pass goes on where the last one gave up, so that cases that hang starve no others.
    std::rotate(ids.begin(), std::upper_bound(ids.begin(), ids.end(), asked_last_), ids.end());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (report.timeouts >= SettlementReport::kMaxTimeouts) {
            report.open += ids.size() - i;
            break;
        }
        asked_last_ = ids[i];
        HOLDFAST_ASSIGN(settled, work_on(ids[i], token, stop, report));
        if (!settled) ++report.open;
    }
    return report;
}

Status SettlementLedger::Impl::reopen(const CaseId& id) {
    HOLDFAST_ASSIGN(txn, store_->write());
    HOLDFAST_ASSIGN(found, load(txn, id));
    if (!found) return fail(ErrorCode::kNotFound, "no case " + to_hex(id) + " has been decided");
    for (SettlementStep& step : found->steps) {
        if (step.state == StepState::kRefused) step.state = StepState::kOpen;
    }
    HOLDFAST_TRY(save(txn, *found));
    return txn.commit();
}

SettlementLedger::SettlementLedger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SettlementLedger::~SettlementLedger() = default;

Result<std::unique_ptr<SettlementLedger>> SettlementLedger::open(
    const std::filesystem::path& folder, const NetworkId& network, const Options& options) {
    HOLDFAST_ASSIGN(store, open_network_store(folder, network, settlement_schema(), kSchema,
                                              options.map_bytes));
    return std::unique_ptr<SettlementLedger>(
        new SettlementLedger(std::make_unique<Impl>(network, std::move(store))));
}

Result<std::unique_ptr<SettlementLedger>> SettlementLedger::read(
    const std::filesystem::path& folder, const NetworkId& network) {
    HOLDFAST_ASSIGN(store, read_network_store(folder, network, settlement_schema(), kSchema));
    return std::unique_ptr<SettlementLedger>(
        new SettlementLedger(std::make_unique<Impl>(network, std::move(store))));
}

Result<std::uint64_t> SettlementLedger::next_decision() const { return impl_->next_decision(); }

Status SettlementLedger::begin_at(std::uint64_t first) { return impl_->begin_at(first); }
Status SettlementLedger::take(std::uint64_t first, std::span<const Decision> decisions,
                              const PayTerms& terms) {
    return impl_->take(first, decisions, terms);
}
Result<std::optional<SettlementCase>> SettlementLedger::find(const CaseId& id) const {
    return impl_->find(id);
}
Status SettlementLedger::for_each(const std::function<bool(const SettlementCase&)>& visit) const {
    return impl_->for_each(visit);
}
Result<SettlementReport> SettlementLedger::work(Token& token, const StopCheck& stop) {
    return impl_->work(token, stop);
}
Status SettlementLedger::reopen(const CaseId& id) { return impl_->reopen(id); }

}  // namespace holdfast
