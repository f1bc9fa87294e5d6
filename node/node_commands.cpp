#include "node/node_commands.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "node/control.hpp"
#include "storage/randomness.hpp"

namespace holdfast::node {
namespace {

constexpr const char* kControlSocket = "control.sock";
constexpr std::size_t kMaxShown = 10'000;  // accounts and bonds of one request
/// Settling waits for another pass over the open cases to end, which asks the token alone.
constexpr int kSettleTries = 100;
constexpr auto kSettlePause = std::chrono::milliseconds(50);

// --- arguments -----------------------------------------------------------------------------------

tl::unexpected<Error> bad_argument(const std::string& name, const std::string& what) {
    return fail(ErrorCode::kInvalidArgument, "\"" + name + "\" must be " + what);
}

template <class T>
Result<T> hex_of(const Json& value, const std::string& name) {
    T out;
    if (!value.is_string() || !from_hex(value.get<std::string>(), MutByteView(out.bytes))) {
        return bad_argument(name, std::to_string(2 * T::size()) + " hexadecimal digits");
    }
    return out;
}

template <class T>
Result<T> hex_argument(const Json& arguments, const std::string& name) {
    return hex_of<T>(arguments.value(name, Json()), name);
}

Result<std::uint64_t> amount_argument(const Json& arguments) {
    const auto found = arguments.find("amount");
    if (found == arguments.end() || !found->is_number_unsigned()) {
        return bad_argument("amount", "a number of units");
    }
    return found->get<std::uint64_t>();
}

Result<Bytes> object_argument(const Json& arguments) {
    Bytes out;
    const auto found = arguments.find("object");
    if (found == arguments.end() || !found->is_string() ||
        !from_hex(found->get<std::string>(), out)) {
        return bad_argument("object", "hexadecimal digits");
    }
    return out;
}

/// Of the call, so that repeating it does it once; the caller's, or else a new one.
Result<IdempotencyKey> call_key(const Json& arguments) {
    if (arguments.contains("key")) {
        HOLDFAST_ASSIGN(given, hex_argument<Digest>(arguments, "key"));
        return IdempotencyKey(given);
    }
    Digest fresh;
    HOLDFAST_TRY(random_bytes(fresh.bytes));
    return IdempotencyKey(fresh);
}

template <class T>
Result<std::vector<T>> hex_list(const Json& arguments, const std::string& name) {
    std::vector<T> out;
    const auto found = arguments.find(name);
    if (found == arguments.end()) return out;
    if (!found->is_array() || found->size() > kMaxShown) {
        return bad_argument(name, "a list of at most " + std::to_string(kMaxShown));
    }
    for (const Json& one : *found) {
        HOLDFAST_ASSIGN(value, hex_of<T>(one, name));
        out.push_back(value);
    }
    return out;
}

// --- commands ------------------------------------------------------------------------------------

Result<Json> ledger_issue(const NodeStores& stores, const Json& arguments) {
    HOLDFAST_ASSIGN(account, hex_argument<PublicKey>(arguments, "account"));
    HOLDFAST_ASSIGN(amount, amount_argument(arguments));
    HOLDFAST_ASSIGN(key, call_key(arguments));
    HOLDFAST_TRY(stores.ledger->issue(account, amount, key));
    HOLDFAST_ASSIGN(balance, stores.ledger->balance(account));
    return Json{{"account", to_hex(account)}, {"issued", amount}, {"balance", balance}};
}

Result<Json> ledger_fund(const NodeStores& stores, const Json& arguments) {
    HOLDFAST_ASSIGN(amount, amount_argument(arguments));
    HOLDFAST_ASSIGN(key, call_key(arguments));
    HOLDFAST_TRY(stores.ledger->fund_pool(amount, key));
    HOLDFAST_ASSIGN(totals, stores.ledger->totals());
    return Json{{"funded", amount}, {"in_pool", totals.in_pool}};
}

Result<Json> ledger_bond(const NodeStores& stores, const Json& arguments) {
    HOLDFAST_ASSIGN(owner, hex_argument<PublicKey>(arguments, "owner"));
    HOLDFAST_ASSIGN(amount, amount_argument(arguments));
    HOLDFAST_ASSIGN(key, call_key(arguments));
    const Json named = arguments.value("purpose", Json());
    const auto purpose = bond_purpose_named(named.is_string() ? named.get<std::string>() : "");
    if (!purpose) {
        return bad_argument("purpose", "storage, challenger, submitter, evaluator or operator");
    }
    HOLDFAST_ASSIGN(bond, stores.ledger->create_bond(owner, amount, *purpose, key));
    HOLDFAST_TRY(list_bond_events(*stores.chain, *stores.ledger));
    HOLDFAST_ASSIGN(balance, stores.ledger->balance(owner));
    return Json{{"bond_id", to_hex(bond)},
                {"owner", to_hex(owner)},
                {"purpose", to_string(*purpose)},
                {"amount", amount},
                {"balance", balance}};
}

Result<Json> ledger_deposit(const NodeStores& stores, const Json& arguments) {
    HOLDFAST_ASSIGN(owner, hex_argument<PublicKey>(arguments, "owner"));
    HOLDFAST_ASSIGN(amount, amount_argument(arguments));
    HOLDFAST_ASSIGN(evidence, hex_argument<Digest>(arguments, "evidence"));
    // The same deposit when the command is repeated.
    const IdempotencyKey key(
        tagged_hash("node/accusation", stores.chain->network_id(), owner, evidence));
    HOLDFAST_ASSIGN(bond, stores.ledger->create_deposit(owner, amount, evidence, key));
    HOLDFAST_TRY(list_bond_events(*stores.chain, *stores.ledger));
    return Json{{"bond_id", to_hex(bond)}};
}

Result<Json> ledger_show(const NodeStores& stores, const Json& arguments) {
    HOLDFAST_ASSIGN(accounts, hex_list<PublicKey>(arguments, "accounts"));
    HOLDFAST_ASSIGN(bonds, hex_list<BondId>(arguments, "bonds"));
    HOLDFAST_TRY(stores.ledger->audit());
    HOLDFAST_ASSIGN(totals, stores.ledger->totals());
    Json out = {{"issued", totals.issued},
                {"in_accounts", totals.in_accounts},
                {"in_bonds", totals.in_bonds},
                {"in_pool", totals.in_pool}};
    for (const PublicKey& account : accounts) {
        HOLDFAST_ASSIGN(balance, stores.ledger->balance(account));
        out["balances"][to_hex(account)] = balance;
    }
    for (const BondId& id : bonds) {
        HOLDFAST_ASSIGN(bond, stores.ledger->bond_info(id));
        out["bonds"][to_hex(id)] = {{"owner", to_hex(bond.owner)},
                                    {"created", bond.created_amount},
                                    {"held", bond.held_amount},
                                    {"slashed", bond.slashed_amount}};
    }
    return out;
}

Result<Json> chain_submit(const NodeStores& stores, const Json& arguments) {
    HOLDFAST_ASSIGN(object, object_argument(arguments));
    const Checked<Kind> kind = peek_kind(object);
    if (!kind) return fail_refused(kind.error(), "the object");
    HOLDFAST_TRY(stores.chain->submit(*kind, object));
    return Json{{"kind", to_string(*kind)}};
}

Result<Json> submit(const NodeStores& stores, const Json& arguments) {
    HOLDFAST_ASSIGN(object, object_argument(arguments));
    HOLDFAST_ASSIGN(taken, stores.aggregator->submit({}, object));
    if (!taken.verdict) return fail_refused(taken.verdict, "the object");
    return Json{{"kind", to_string(taken.kind)},
                {"entry", taken.entry ? Json(*taken.entry) : Json(nullptr)}};
}

Status reopen_refused(SettlementLedger& settlement) {
    std::vector<CaseId> ids;
    HOLDFAST_TRY(settlement.for_each([&](const SettlementCase& c) {
        ids.push_back(c.id);
        return true;
    }));
    for (const CaseId& id : ids) HOLDFAST_TRY(settlement.reopen(id));
    return {};
}

Result<Json> settle(const NodeStores& stores, const Json& arguments) {
    SettlementLedger* const settlement = stores.aggregator->settlement();
    HOLDFAST_CHECK(settlement != nullptr);  // a node has a token
    if (arguments.value("retry", Json(false)) == Json(true)) {
        HOLDFAST_TRY(reopen_refused(*settlement));
    }
    Result<SettlementReport> report = settlement->work(*stores.ledger, {});
    for (int i = 0; i < kSettleTries && !report && report.error().code == ErrorCode::kBusy; ++i) {
        std::this_thread::sleep_for(kSettlePause);
        report = settlement->work(*stores.ledger, {});
    }
    if (!report) return fail(report.error());
    HOLDFAST_TRY(list_bond_events(*stores.chain, *stores.ledger));
    Json faults = Json::array();
    for (const SettlementFault& fault : report->faults) faults.push_back(fault.error.message);
    return Json{{"answered", report->answered}, {"open", report->open}, {"faults", faults}};
}

/// What has to be open.
enum class Needs : std::uint8_t {
    kLedgerToRead,
    kLedger,
    kChain,
    kChainAndLedger,
    kWholeNode,
};

struct Command {
    const char* name;
    Needs needs;
    Result<Json> (*run)(const NodeStores&, const Json&);
};

constexpr Command kCommands[] = {
    {"ledger issue", Needs::kLedger, ledger_issue},
    {"ledger fund", Needs::kLedger, ledger_fund},
    {"ledger bond", Needs::kChainAndLedger, ledger_bond},
    {"ledger deposit", Needs::kChainAndLedger, ledger_deposit},
    {"ledger show", Needs::kLedgerToRead, ledger_show},
    {"chain submit", Needs::kChain, chain_submit},
    {"submit", Needs::kWholeNode, submit},
    {"settle", Needs::kWholeNode, settle},
};

Result<const Command*> find_command(const std::string& name) {
    for (const Command& command : kCommands) {
        if (name == command.name) return &command;
    }
    return fail(ErrorCode::kInvalidArgument, "a node has no command \"" + name + "\"");
}

/// Nobody runs there.
Result<Json> do_here(const std::filesystem::path& dir, const Command& command,
                     const Json& arguments) {
    if (command.needs == Needs::kWholeNode) {
        HOLDFAST_ASSIGN(node, Node::open(dir));
        return command.run({node.chain.get(), node.ledger.get(), node.aggregator.get()}, arguments);
    }
    const NodePaths paths{dir};
    const bool lists = command.needs == Needs::kChain || command.needs == Needs::kChainAndLedger;
    HOLDFAST_ASSIGN(
        chain, open_chain(paths, lists ? LocalChain::Mode::kReadWrite : LocalChain::Mode::kRead));
    if (command.needs == Needs::kChain) return command.run({chain.get()}, arguments);
    if (command.needs == Needs::kLedgerToRead) {
        Result<std::unique_ptr<BondLedger>> there =
            BondLedger::read(paths.ledger(), chain->network_id());
        if (there) return command.run({chain.get(), there->get()}, arguments);
        if (there.error().code != ErrorCode::kNotFound) return fail(there.error());
    }
    HOLDFAST_ASSIGN(ledger, open_ledger(paths, chain->network_id()));
    return command.run({chain.get(), ledger.get()}, arguments);
}

}  // namespace

std::filesystem::path control_socket(const std::filesystem::path& dir) {
    return dir / kControlSocket;
}

std::optional<BondPurpose> bond_purpose_named(const std::string& name) {
    if (name == "submitter") return BondPurpose::kCheckpoint;
    for (const BondPurpose purpose : {BondPurpose::kStorage, BondPurpose::kChallenger,
                                      BondPurpose::kEvaluator, BondPurpose::kOperator}) {
        if (name == to_string(purpose)) return purpose;
    }
    return std::nullopt;
}

Result<Json> carry_out(const NodeStores& stores, const std::string& command,
                       const Json& arguments) {
    if (command == "ping") return Json::object();
    HOLDFAST_ASSIGN(found, find_command(command));
    return found->run(stores, arguments);
}

bool node_is_running(const std::filesystem::path& dir) {
    return control_request(control_socket(dir), "ping", Json::object()).has_value();
}

Error explain_busy(const std::filesystem::path& dir, Error error, const std::string& instead) {
    if (error.code == ErrorCode::kBusy && node_is_running(dir)) {
        error.message = "a node runs on " + dir.string() + " (holdfast node): " + instead;
    }
    return error;
}

Result<Json> command_node(const std::filesystem::path& dir, const std::string& command,
                          const Json& arguments) {
    HOLDFAST_ASSIGN(found, find_command(command));
    // First whether a node runs: what it answers may be any error, "unavailable" included.
    const Result<Json> there = control_request(control_socket(dir), "ping", Json::object());
    if (there) return control_request(control_socket(dir), command, arguments);
    // Another user may not ask, but may read what nobody has open for writing.
    const bool may_read =
        found->needs == Needs::kLedgerToRead && there.error().code == ErrorCode::kPermission;
    if (there.error().code != ErrorCode::kUnavailable && !may_read) return there;
    return do_here(dir, *found, arguments);
}

}  // namespace holdfast::node
