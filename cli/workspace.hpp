// The folder of a node: the local chain, bond ledger, registry and VDF proofs that the commands
// share.
//
//   DIR/chain/          local chain with the network's parameters
//   DIR/ledger/         bonds and accounts
//   DIR/registry/       registrations, slots, digests
//   DIR/settlement/     offences decided, and what became of each slash, reward and deposit
//   DIR/vdf/            the clock: VDF proofs, marks of what was verified, checkpoints
//   DIR/beacon/         rounds of the local beacon (networks with one)
//   DIR/evaluator.key   signs VDF proofs
//   DIR/beacon.key      signs beacon rounds (networks with one)
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/aggregator.hpp"
#include "api/prover.hpp"
#include "api/vdf_clock.hpp"
#include "callbacks/bond_ledger.hpp"
#include "callbacks/local_beacon.hpp"
#include "callbacks/local_chain.hpp"
#include "cli/console.hpp"

namespace holdfast::cli {

struct NodePaths {
    std::filesystem::path dir;
    [[nodiscard]] std::filesystem::path chain() const { return dir / "chain"; }
    [[nodiscard]] std::filesystem::path ledger() const { return dir / "ledger"; }
    [[nodiscard]] std::filesystem::path registry() const { return dir / "registry"; }
    [[nodiscard]] std::filesystem::path settlement() const { return dir / "settlement"; }
    [[nodiscard]] std::filesystem::path availability() const { return dir / "availability"; }
    [[nodiscard]] std::filesystem::path vdf() const { return dir / "vdf"; }
    [[nodiscard]] std::filesystem::path beacon() const { return dir / "beacon"; }
    [[nodiscard]] std::filesystem::path evaluator_key() const { return dir / "evaluator.key"; }
    [[nodiscard]] std::filesystem::path beacon_key() const { return dir / "beacon.key"; }
};

/// The local chain of a node folder; says how to make one when there is none.
Result<std::unique_ptr<LocalChain>> open_chain(const NodePaths& paths, LocalChain::Mode mode);

/// A node with everything that block processing needs. Only one process may have it open.
struct Node {
    NodePaths paths;
    std::unique_ptr<LocalChain> chain;
    std::unique_ptr<LocalBeacon> beacon;
    std::unique_ptr<BondLedger> ledger;
    std::unique_ptr<VdfClock> clock;
    std::unique_ptr<Aggregator> aggregator;

    [[nodiscard]] const NetworkParams& params() const { return chain->params(); }
    [[nodiscard]] const NetworkId& network_id() const { return chain->network_id(); }
    Registry& registry() { return aggregator->registry(); }

    static Result<Node> open(const std::filesystem::path& dir,
                             const BlockProcessorOptions& sets = {});
};

/// The registry's folder of a node's, or the folder itself where it is a registry's or a backup's.
/// kNotFound.
Result<std::filesystem::path> registry_folder(const std::filesystem::path& dir);
/// That registry, opened beside whoever writes it.
Result<std::unique_ptr<Registry>> open_registry_for_reading(const std::filesystem::path& dir);

/// X.registration beside X.replica: the registration, standing alone.
std::filesystem::path registration_file(const std::filesystem::path& replica);
Result<Registration> read_registration(const std::filesystem::path& file);
/// A prover from X.replica (with X.tree, X.chain, X.registration beside it) and its key file.
Result<Prover> open_prover(const NetworkParams& params, const std::filesystem::path& replica,
                           const std::filesystem::path& key);

/// Writes an object to `out`, atomically; refuses to replace a file unless `force`.
Status write_object(const std::filesystem::path& out, ByteView object, bool force);
/// The most bytes that a file given to a command as an object may have.
inline constexpr std::uint64_t kMaxObjectFileBytes = std::uint64_t{64} << 20;
/// A whole object file with a clear error for empty ones.
Result<Bytes> read_object(const std::filesystem::path& file);

/// The parameters of a network: from a node folder, a folder of public data, or a network.params
/// file.
Result<NetworkParams> read_network(const std::filesystem::path& path);

/// Progress of VDF work on the terminal. work()'s callback may be called from any thread.
class ClockProgress {
  public:
    ClockProgress(const Globals& globals, std::string prefix);
    [[nodiscard]] VdfClockWork work();

  private:
    const Globals& globals_;
    std::string prefix_;
    std::mutex mutex_;
    std::string stage_;
    std::unique_ptr<Progress> progress_;
};

/// Evaluators are not believed: verifies the y of these heights in full, as far as the record has
/// them, from the VDF proofs in its folder. kVdfOutputMismatch where the record says another y.
Result<Verdict> check_clock(const PublicRecord& record, const std::filesystem::path& folder,
                            std::span<const Height> heights, const Globals& globals);

/// The clock of a node folder by itself, with the local chain (and beacon) opened for reading: a
/// process that makes blocks may be at work beside it.
struct ClockNode {
    NodePaths paths;
    std::unique_ptr<LocalChain> chain;
    std::unique_ptr<LocalBeacon> beacon;
    std::unique_ptr<VdfClock> clock;

    [[nodiscard]] const NetworkParams& params() const { return chain->params(); }

    /// options.folder is set here. kInvalidArgument for a network without a VDF.
    static Result<ClockNode> open(const std::filesystem::path& dir, VdfClockOptions options);
};

/// --dir with its default and help.
void add_dir_option(CLI::App* command, std::string& dir);

}  // namespace holdfast::cli
