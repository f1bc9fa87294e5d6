// The folder of a node, and the files of a replica, as commands and daemons share them.
//
//   DIR/chain/          local chain with the network's parameters
//   DIR/ledger/         bonds and accounts
//   DIR/registry/       registrations, slots, digests
//   DIR/settlement/     what was decided, and what became of each slash, release and reward
//   DIR/signed/         what the operator has signed: never lost, never copied back
//   DIR/vdf/            the clock: VDF proofs, marks of what was verified, checkpoints
//   DIR/beacon/         rounds of the local beacon (networks with one)
//   DIR/heads           the heads that this node has signed or seen
//   DIR/ledger.copy     of the ledger, for replicas
//   DIR/replica         this folder only repeats another node's history (node/replica_folder.hpp)
//   DIR/operator.key    signs the heads of the journal
//   DIR/evaluator.key   signs VDF proofs
//   DIR/beacon.key      signs beacon rounds (networks with one)
//
// Each store's folder has its marker beside it (storage/begun.hpp), so that one which has vanished
// as a whole, as when its disk is not mounted, is an error and not a beginning.
//
// Threading: as the objects inside; opening is one thread's work. Errors: those of the parts, with
// the folder's or file's name and what to do.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "api/aggregator.hpp"
#include "api/prover.hpp"
#include "clock/vdf_clock.hpp"
#include "core/keys.hpp"
#include "embedded/bond_ledger.hpp"
#include "embedded/local_beacon.hpp"
#include "embedded/local_chain.hpp"

namespace holdfast::node {

struct NodePaths {
    std::filesystem::path dir;
    [[nodiscard]] std::filesystem::path chain() const { return dir / "chain"; }
    [[nodiscard]] std::filesystem::path ledger() const { return dir / "ledger"; }
    [[nodiscard]] std::filesystem::path registry() const { return dir / "registry"; }
    [[nodiscard]] std::filesystem::path settlement() const { return dir / "settlement"; }
    [[nodiscard]] std::filesystem::path statements() const { return dir / "signed"; }
    [[nodiscard]] std::filesystem::path heads() const { return dir / "heads"; }
    [[nodiscard]] std::filesystem::path ledger_copy() const { return dir / "ledger.copy"; }
    [[nodiscard]] std::filesystem::path replica() const { return dir / "replica"; }
    [[nodiscard]] std::filesystem::path operator_key() const { return dir / "operator.key"; }
    [[nodiscard]] std::filesystem::path vdf() const { return dir / "vdf"; }
    [[nodiscard]] std::filesystem::path beacon() const { return dir / "beacon"; }
    [[nodiscard]] std::filesystem::path evaluator_key() const { return dir / "evaluator.key"; }
    [[nodiscard]] std::filesystem::path beacon_key() const { return dir / "beacon.key"; }
};

/// Whether the folder belongs to a replica.
[[nodiscard]] Result<bool> is_replica(const NodePaths& paths);

/// The local chain of a node folder; says how to make one when there is none.
[[nodiscard]] Result<std::unique_ptr<LocalChain>> open_chain(const NodePaths& paths,
                                                             LocalChain::Mode mode);
/// The ledger of a node folder, made where it has never begun.
[[nodiscard]] Result<std::unique_ptr<BondLedger>> open_ledger(const NodePaths& paths,
                                                              const NetworkId& network);
/// The newest final block. kUnavailable while there is none.
[[nodiscard]] Result<BlockInfo> newest_final(LocalChain& chain);

/// A node with everything that block processing needs. Only one process may have it open.
struct Node {
    NodePaths paths;
    std::unique_ptr<LocalChain> chain;
    std::unique_ptr<LocalBeacon> beacon;
    std::unique_ptr<BondLedger> ledger;
    std::unique_ptr<VdfClock> clock;
    std::unique_ptr<KeyPair> operator_key;
    std::unique_ptr<Aggregator> aggregator;

    [[nodiscard]] const NetworkParams& params() const { return chain->params(); }
    [[nodiscard]] const NetworkId& network_id() const { return chain->network_id(); }
    Registry& registry() { return aggregator->registry(); }

    /// The paths in `options` are set here.
    [[nodiscard]] static Result<Node> open(const std::filesystem::path& dir,
                                           AggregatorOptions options = {});
};

/// The most bytes that a file given to a command as an object may have.
inline constexpr std::uint64_t kMaxObjectFileBytes = std::uint64_t{64} << 20;
/// A whole object file with a clear error for empty ones.
[[nodiscard]] Result<Bytes> read_object(const std::filesystem::path& file);
/// The parameters of a network: from a node folder, a folder of public data, or a network.params
/// file.
[[nodiscard]] Result<NetworkParams> read_network(const std::filesystem::path& path);

/// X.registration beside X.replica: the registration, standing alone.
[[nodiscard]] std::filesystem::path registration_file(const std::filesystem::path& replica);
[[nodiscard]] Result<Registration> read_registration(const std::filesystem::path& file);
/// The registration beside X.replica, checked; says how to make one when there is none.
[[nodiscard]] Result<Registration> registration_beside(const NetworkParams& params,
                                                       const std::filesystem::path& replica);
/// A prover from X.replica (with X.tree, X.chain, X.registration beside it) and its key file.
[[nodiscard]] Result<Prover> open_prover(const NetworkParams& params,
                                         const std::filesystem::path& replica,
                                         const std::filesystem::path& key);

}  // namespace holdfast::node
