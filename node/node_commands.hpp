// What commands of the same machine have written into a node's folder: by the node that runs there,
// over its control socket, or by themselves where none runs.
//
//   ledger issue     account, amount               new units into an account
//   ledger fund      amount                        new units into the pool of rewards
//   ledger bond      owner, amount, purpose, key   a bond; the next block lists it
//   ledger deposit   owner, amount, evidence       an accuser's, for evidence of that SHA-256
//   ledger show      accounts, bonds               totals, added up again; balances and bonds
//   chain submit     object                        for the next block
//   submit           object                        for the journal: judged at once
//   settle           retry                         carries out what the registry has decided
//
// Keys, ids and objects are hexadecimal. Threading: any thread. Errors: kInvalidArgument for
// arguments that are none, and those of the stores.
#pragma once

#include <filesystem>
#include <string>

#include "json/json.hpp"
#include "node/node_folder.hpp"

namespace holdfast::node {

using json::Json;

/// The stores of a node that a command may use; what it does not need may be null.
struct NodeStores {
    LocalChain* chain = nullptr;
    BondLedger* ledger = nullptr;
    Aggregator* aggregator = nullptr;
};

/// Does it with stores that are open: the daemon's end. kInvalidArgument for an unknown command.
[[nodiscard]] Result<Json> carry_out(const NodeStores& stores, const std::string& command,
                                     const Json& arguments);

/// Asks the node that runs there, or opens what is needed and does it here. kBusy where another
/// process than a node has the folder open.
[[nodiscard]] Result<Json> command_node(const std::filesystem::path& dir,
                                        const std::string& command, const Json& arguments);

/// Whether a node runs there, as its control socket says.
[[nodiscard]] bool node_is_running(const std::filesystem::path& dir);
/// `error` as it is, but for kBusy beside a running node: then what to do instead is said.
[[nodiscard]] Error explain_busy(const std::filesystem::path& dir, Error error,
                                 const std::string& instead);

[[nodiscard]] std::filesystem::path control_socket(const std::filesystem::path& dir);
/// "storage", "challenger", ... as the ledger's bonds are named.
[[nodiscard]] std::optional<BondPurpose> bond_purpose_named(const std::string& name);

}  // namespace holdfast::node
