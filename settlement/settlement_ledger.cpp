#include "settlement/settlement_ledger.hpp"

#include <algorithm>
#include <atomic>
#include <exception>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "storage/network_store.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t kSchema = 1;
constexpr std::uint64_t kMaxEvidenceBytes = std::uint64_t{1} << 26;
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
            return token.release_bond(step.bond, key);
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

std::string_view to_string(CaseKind kind) {
    switch (kind) {
        case CaseKind::kOffence:
            return "offence";
        case CaseKind::kAccusation:
            return "accusation";
        case CaseKind::kReward:
            return "reward";
        case CaseKind::kOutcome:
            return "outcome";
    }
    return "unknown";
}

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

SettlementStep SettlementStep::release(const BondId& bond) {
    SettlementStep step;
    step.kind = StepKind::kRelease;
    step.bond = bond;
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
    if (out.kind < CaseKind::kOffence || out.kind > CaseKind::kOutcome || count > kMaxSteps) {
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

CaseId Accusation::id(const NetworkId& network_id) const {
    return CaseId(
        tagged_hash("settlement/accusation", network_id, sha256(evidence), accuser, deposit));
}

Bytes Accusation::encode() const {
    Writer w(evidence.size() + 72);
    w.fixed(accuser).fixed(deposit).u64(evidence.size()).raw(evidence);
    return w.take();
}

Checked<Accusation> Accusation::decode(ByteView bytes) {
    Reader r(bytes);
    Accusation out;
    out.accuser = r.fixed<PublicKey>();
    out.deposit = r.fixed<BondId>();
    const ByteView evidence = r.raw(r.u64());
    out.evidence.assign(evidence.begin(), evidence.end());
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

// --- the ledger ----------------------------------------------------------------------------------

class SettlementLedger::Impl {
  public:
    Impl(const NetworkId& network_id, std::unique_ptr<Store> store)
        : network_id_(network_id), store_(std::move(store)) {}

    Result<Verdict> decide(const SettlementCase& decision, const std::optional<CaseId>& closes);
    Status decide_all(std::span<const SettlementCase> decisions);
    Result<Verdict> accuse(const Accusation& accusation, std::size_t ceiling);
    Result<std::optional<SettlementCase>> find(const CaseId& id) const;
    Status for_each(const std::function<bool(const SettlementCase&)>& visit) const;
    Result<std::vector<Accusation>> open_accusations() const;
    Result<SettlementReport> work(Token& token, const StopCheck& stop);
    Status reopen(const CaseId& id);

  private:
    static Result<std::optional<SettlementCase>> load(const Transaction& txn, const CaseId& id);
    static Status save(Transaction& txn, const SettlementCase& c);
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

Result<Verdict> SettlementLedger::Impl::decide(const SettlementCase& decision,
                                               const std::optional<CaseId>& closes) {
    if (decision.steps.size() > SettlementCase::kMaxSteps) {
        return fail(ErrorCode::kInvalidArgument, "a case has at most 16 steps");
    }
    HOLDFAST_ASSIGN(txn, store_->write());
    HOLDFAST_ASSIGN(known, txn.contains(SettlementTable::kCases, key_of(decision.id).bytes()));
    if (known) return Verdict(Reason::kAlreadySettled);
    HOLDFAST_TRY(save(txn, decision));
    if (closes) {
        HOLDFAST_TRY(txn.erase(SettlementTable::kAccusations, key_of(*closes).bytes()));
    }
    HOLDFAST_TRY(txn.commit());
    return Verdict::ok();
}

Status SettlementLedger::Impl::decide_all(std::span<const SettlementCase> decisions) {
    HOLDFAST_ASSIGN(txn, store_->write());
    bool changed = false;
    for (const SettlementCase& decision : decisions) {
        if (decision.steps.size() > SettlementCase::kMaxSteps) {
            return fail(ErrorCode::kInvalidArgument, "a case has at most 16 steps");
        }
        HOLDFAST_ASSIGN(known, txn.contains(SettlementTable::kCases, key_of(decision.id).bytes()));
        if (known) continue;
        HOLDFAST_TRY(save(txn, decision));
        changed = true;
    }
    return changed ? txn.commit() : Status{};
}

Result<Verdict> SettlementLedger::Impl::accuse(const Accusation& accusation, std::size_t ceiling) {
    if (accusation.evidence.size() > kMaxEvidenceBytes) return Verdict(Reason::kTooLarge);
    const CaseId id = accusation.id(network_id_);
    HOLDFAST_ASSIGN(txn, store_->write());
    HOLDFAST_ASSIGN(decided, txn.contains(SettlementTable::kCases, key_of(id).bytes()));
    HOLDFAST_ASSIGN(waits, txn.contains(SettlementTable::kAccusations, key_of(id).bytes()));
    if (decided || waits) return Verdict(Reason::kAlreadySettled);
    std::size_t open = 0;
    bool pledged = false;
    HOLDFAST_TRY(txn.for_each(SettlementTable::kAccusations, {},
                              [&](ByteView, ByteView value) -> Result<bool> {
                                  const auto other = Accusation::decode(value);
                                  if (!other) return damaged("an accusation does not decode");
                                  ++open;
                                  pledged = pledged || other->deposit == accusation.deposit;
                                  return true;
                              }));
    if (pledged) return Verdict(Reason::kNoBond);
    if (open >= ceiling) return Verdict(Reason::kBusy);
    HOLDFAST_TRY(txn.put(SettlementTable::kAccusations, key_of(id).bytes(), accusation.encode()));
    HOLDFAST_TRY(txn.commit());
    return Verdict::ok();
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

Result<std::vector<Accusation>> SettlementLedger::Impl::open_accusations() const {
    HOLDFAST_ASSIGN(txn, store_->read());
    std::vector<Accusation> out;
    HOLDFAST_TRY(txn.for_each(SettlementTable::kAccusations, {},
                              [&](ByteView, ByteView value) -> Result<bool> {
                                  auto found = Accusation::decode(value);
                                  if (!found) return damaged("an accusation does not decode");
                                  out.push_back(std::move(*found));
                                  return true;
                              }));
    return out;
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

Result<Verdict> SettlementLedger::decide(const SettlementCase& decision,
                                         const std::optional<CaseId>& closes) {
    return impl_->decide(decision, closes);
}
Status SettlementLedger::decide_all(std::span<const SettlementCase> decisions) {
    return impl_->decide_all(decisions);
}
Result<Verdict> SettlementLedger::accuse(const Accusation& accusation, std::size_t ceiling) {
    return impl_->accuse(accusation, ceiling);
}
Result<std::optional<SettlementCase>> SettlementLedger::find(const CaseId& id) const {
    return impl_->find(id);
}
Status SettlementLedger::for_each(const std::function<bool(const SettlementCase&)>& visit) const {
    return impl_->for_each(visit);
}
Result<std::vector<Accusation>> SettlementLedger::open_accusations() const {
    return impl_->open_accusations();
}
Result<SettlementReport> SettlementLedger::work(Token& token, const StopCheck& stop) {
    return impl_->work(token, stop);
}
Status SettlementLedger::reopen(const CaseId& id) { return impl_->reopen(id); }

}  // namespace holdfast
