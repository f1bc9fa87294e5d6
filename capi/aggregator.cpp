// Aggregators: opened, driven, handed objects, settling.
#include "capi/aggregator.hpp"

#include <algorithm>

#include "api/closed_without_y.hpp"
#include "capi/host.hpp"
#include "capi/network.hpp"
#include "capi/prover.hpp"
#include "capi/signer.hpp"
#include "capi/verifier.hpp"
#include "json/blocks.hpp"

namespace holdfast::capi {
namespace {

struct AggregatorParts {
    AggregatorOptions options;
    std::shared_ptr<const KeyPair> operator_signer;
    std::shared_ptr<const KeyPair> checkpointer;
};

Got<std::shared_ptr<const KeyPair>> optional_signer(const holdfast_signer* signer,
                                                    const char* name) {
    if (signer == nullptr) return std::shared_ptr<const KeyPair>();
    HOLDFAST_TRY(check_handle(signer, name));
    return signer->key;
}

Got<AggregatorParts> aggregator_parts(const holdfast_aggregator_options* options) {
    HOLDFAST_ASSIGN(given, read_struct(options, "options"));
    AggregatorParts out;
    HOLDFAST_ASSIGN(registry, text_of(given.registry, "options->registry"));
    out.options.registry = registry;
    if (given.settlement != nullptr) out.options.settlement = given.settlement;
    if (given.statements != nullptr) out.options.statements = given.statements;
    HOLDFAST_ASSIGN(operator_signer,
                    optional_signer(given.operator_signer, "options->operator_signer"));
    HOLDFAST_ASSIGN(checkpointer, optional_signer(given.checkpointer, "options->checkpointer"));
    out.operator_signer = operator_signer;
    out.checkpointer = checkpointer;
    out.options.operator_key = operator_signer.get();
    if (given.checkpoint_bond != nullptr) {
        HOLDFAST_ASSIGN(bond, fixed_of<BondId>(given.checkpoint_bond, "options->checkpoint_bond"));
        out.options.checkpoint_bond = bond;
    }
    out.options.pay = {given.prover_reward, given.challenger_reward};
    out.options.registry_options.kept_heights = given.kept_heights;
    if (given.map_bytes != 0) out.options.registry_options.map_bytes = given.map_bytes;
    out.options.registry_options.threads = given.threads;
    if (given.fills_at_once != 0) out.options.seal_limits.fills_at_once = given.fills_at_once;
    out.options.sets.threads = given.threads;
    return out;
}

/// Tells the clock which heights the network closed without y, for as long as the aggregator is
/// there.
void tell_clock(const std::shared_ptr<AggregatorState>& state) {
    const std::weak_ptr<AggregatorState> weak = state;
    state->clock->clock.set_closed_without_y([weak](Height height) -> Result<std::optional<bool>> {
        const auto there = weak.lock();
        if (there) return closed_without_y(there->engine.registry())(height);
        return fail(ErrorCode::kUnavailable, "the aggregator that told of closed heights ended");
    });
}

/// Takes the turn of every prover for the time of a call.
class Provers {
  public:
    Done take(const NetworkId& network, holdfast_prover* const* provers, std::size_t count) {
        if (provers == nullptr && count > 0) return missing("provers");
        for (std::size_t i = 0; i < count; ++i) {
            HOLDFAST_TRY(check_handle(provers[i], "a prover"));
            if (provers[i]->id != network) return refused(Reason::kWrongNetwork, "a prover");
            turns_.push_back(std::make_unique<Turn>(provers[i]->taken));
            HOLDFAST_TRY(turns_.back()->check("prover"));
            sets_.push_back(&provers[i]->set);
        }
        return {};
    }
    [[nodiscard]] std::span<ProverSet* const> sets() const { return sets_; }

  private:
    std::vector<std::unique_ptr<Turn>> turns_;
    std::vector<ProverSet*> sets_;
};

holdfast_block_summary summary_of(const BlockReport& r) {
    holdfast_block_summary out{};
    out.height = r.height.value;
    out.has_y = r.y ? 1 : 0;
    if (r.y) put_fixed(out.y, *r.y);
    out.has_closed = r.closed ? 1 : 0;
    if (r.closed) {
        out.closed = r.closed->value;
        put_fixed(out.global, r.global);
        out.total_chains = r.counts.total;
        out.active = r.counts.active;
        out.late = r.counts.late;
        out.removing = r.counts.removing;
        out.expired = r.counts.expired;
    }
    out.objects = r.objects.size();
    for (const ObjectOutcome& o : r.objects) out.refused += o.verdict ? 0 : 1;
    out.links = r.receipts.size();
    out.proofs = r.proofs.size();
    out.faults = r.faults.size();
    for (const SetReport& set : r.sets) {
        out.links += set.links;
        out.proofs += set.compact_proofs + set.full_proofs;
    }
    return out;
}

holdfast_outcome outcome_to_c(const ObjectOutcome& from) {
    holdfast_outcome out{};
    out.verdict = to_c(from.verdict);
    out.kind = static_cast<holdfast_kind>(from.kind);
    out.has_chain_id = from.chain_id ? 1 : 0;
    if (from.chain_id) put_fixed(out.chain_id, *from.chain_id);
    out.has_height = from.height ? 1 : 0;
    if (from.height) out.height = from.height->value;
    out.has_entry = from.entry ? 1 : 0;
    out.entry = from.entry.value_or(0);
    out.members = from.members.size();
    for (const Verdict& v : from.members) out.members_refused += v ? 0 : 1;
    return out;
}

Got<SettlementLedger*> ledger_of(const holdfast_aggregator& aggregator) {
    SettlementLedger* const ledger = aggregator.state->engine.settlement();
    if (ledger != nullptr) return ledger;
    return failure(HOLDFAST_UNAVAILABLE, "this aggregator has no token: nothing is settled");
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_aggregator_open(const holdfast_network* network,
                                         holdfast_blockchain* chain, holdfast_clock* clock,
                                         holdfast_token* token,
                                         const holdfast_aggregator_options* options,
                                         holdfast_aggregator** out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        HOLDFAST_TRY(check_handle(chain, "chain"));
        HOLDFAST_TRY(check_handle(clock, "clock"));
        if (token != nullptr) HOLDFAST_TRY(check_handle(token, "token"));
        if (out == nullptr) return missing("out");
        if (clock->state->network != network->id) {
            return refused(Reason::kWrongNetwork, "the clock");
        }
        HOLDFAST_ASSIGN(parts, aggregator_parts(options));
        const std::shared_ptr<Token> bonds = token == nullptr ? nullptr : token->host;
        HOLDFAST_ASSIGN(engine,
                        Aggregator::open(network->params, *chain->host, clock->state->clock,
                                         bonds.get(), parts.checkpointer.get(), parts.options));
        auto handle = std::make_unique<holdfast_aggregator>();
        handle->state = std::make_shared<AggregatorState>(
            AggregatorState{chain->host, clock->state, bonds, parts.operator_signer,
                            parts.checkpointer, std::move(engine)});
        tell_clock(handle->state);
        *out = handle.release();
        return {};
    });
}

void holdfast_aggregator_free(holdfast_aggregator* aggregator) { free_handle(aggregator); }

holdfast_status holdfast_aggregator_advance(holdfast_aggregator* aggregator,
                                            holdfast_prover* const* provers, size_t provers_count,
                                            const holdfast_control* control,
                                            holdfast_block_report** out) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        const Turn turn(aggregator->taken);
        HOLDFAST_TRY(turn.check("aggregator"));
        if (out == nullptr) return missing("out");
        Provers driven;
        HOLDFAST_TRY(driven.take(aggregator->registry().network_id(), provers, provers_count));
        auto report = std::make_unique<holdfast_block_report>();
        HOLDFAST_ASSIGN(made,
                        aggregator->state->engine.advance({}, driven.sets(), clock_work(work)));
        *out = nullptr;
        if (!made) return {};
        report->report = std::move(*made);
        *out = report.release();
        return {};
    });
}

holdfast_status holdfast_aggregator_behind(const holdfast_aggregator* aggregator, uint64_t* out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(behind, aggregator->state->engine.behind());
        *out = behind;
        return {};
    });
}

holdfast_status holdfast_block_report_summary(const holdfast_block_report* report,
                                              holdfast_block_summary* out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(report, "report"));
        HOLDFAST_TRY(check_out(out, "out"));
        write_struct(out, summary_of(report->report));
        return {};
    });
}

holdfast_status holdfast_block_report_to_json(const holdfast_block_report* report, char* out,
                                              size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(report, "report"));
        return put_text(json::dump(json::json_of(report->report)), out, out_bytes);
    });
}

void holdfast_block_report_free(holdfast_block_report* report) { free_handle(report); }

holdfast_status holdfast_aggregator_submit(holdfast_aggregator* aggregator, const char* peer,
                                           const uint8_t* object, size_t object_bytes,
                                           const holdfast_control* control, holdfast_outcome* out,
                                           holdfast_verdict* members, size_t members_count) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        HOLDFAST_TRY(check_out(out, "out"));
        if (members == nullptr && members_count > 0) return missing("members");
        HOLDFAST_ASSIGN(bytes, view_of(object, object_bytes, "object"));
        const std::string name = peer == nullptr ? "" : peer;
        HOLDFAST_ASSIGN(outcome, aggregator->state->engine.submit(name, bytes, work.stop()));
        write_struct(out, outcome_to_c(outcome));
        const std::size_t told = std::min(members_count, outcome.members.size());
        for (std::size_t i = 0; i < told; ++i) members[i] = to_c(outcome.members[i]);
        return {};
    });
}

holdfast_status holdfast_aggregator_head(holdfast_aggregator* aggregator, uint64_t height,
                                         uint8_t* out, size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        HOLDFAST_TRY(need_room(HOLDFAST_HEAD_BYTES, out, out_bytes));
        HOLDFAST_ASSIGN(head, aggregator->state->engine.head(Height(height)));
        return put_bytes(wrap_object(Kind::kHead, head.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_aggregator_verifier(const holdfast_aggregator* aggregator, uint64_t first,
                                             holdfast_verifier** out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(record, aggregator->state->engine.public_record(Height(first)));
        *out = new holdfast_verifier(std::move(record));
        return {};
    });
}

holdfast_status holdfast_aggregator_settle(holdfast_aggregator* aggregator,
                                           const holdfast_control* control,
                                           holdfast_settlement_report* out) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        const Turn turn(aggregator->taken);
        HOLDFAST_TRY(turn.check("aggregator"));
        if (out != nullptr) HOLDFAST_TRY(check_out(out, "out"));
        HOLDFAST_ASSIGN(ledger, ledger_of(*aggregator));
        HOLDFAST_ASSIGN(done, ledger->work(*aggregator->state->token, work.stop()));
        if (out == nullptr) return {};
        write_struct(out, {sizeof *out, done.answered, done.refused, done.open, done.timeouts});
        return {};
    });
}

holdfast_status holdfast_aggregator_cases_to_json(const holdfast_aggregator* aggregator, char* out,
                                                  size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        HOLDFAST_ASSIGN(ledger, ledger_of(*aggregator));
        json::Json all = {{"cases", json::Json::array()}};
        HOLDFAST_TRY(ledger->for_each([&](const SettlementCase& one) {
            all["cases"].push_back(json::json_of(one));
            return true;
        }));
        return put_text(json::dump(all), out, out_bytes);
    });
}
