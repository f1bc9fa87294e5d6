// The folder of a replica: a node's folder (node_folder.hpp) without keys of the network, filled
// from another node.
//
//   DIR/replica       whose replica it is: u8 form = 1 || key of the followed node || its address;
//                     this file makes the folder one that only repeats, until a take-over removes
//                     it
//   DIR/evidence/     what was kept when this node and the followed one did not agree
//
// Threading: one thread, but for what the parts allow. Spec: docs/spec.md section 15.5.
#pragma once

#include <functional>
#include <memory>

#include "api/head_file.hpp"
#include "clock/vdf_clock.hpp"
#include "embedded/local_beacon.hpp"
#include "embedded/local_chain.hpp"
#include "follow/client.hpp"
#include "follow/history_client.hpp"
#include "node/config.hpp"
#include "node/node_folder.hpp"

namespace holdfast::node {

/// A chain of which only final blocks were repeated, seen as what it is: all of it is final.
/// Nothing is submitted to it (kRefused, kNotOperator).
class RepeatedChain final : public Blockchain {
  public:
    explicit RepeatedChain(LocalChain& chain) : chain_(chain) {}
    [[nodiscard]] Result<Height> current_height() override { return chain_.current_height(); }
    [[nodiscard]] Result<BlockInfo> block_by_height(Height height) override;
    [[nodiscard]] Status submit(Kind kind, ByteView object) override;
    [[nodiscard]] Result<std::vector<Submission>> submissions_at(Height height) override {
        return chain_.submissions_at(height);
    }
    [[nodiscard]] Result<std::vector<BondEvent>> bond_events_at(Height height) override {
        return chain_.bond_events_at(height);
    }

  private:
    LocalChain& chain_;
};

/// The beacon's rounds of the blocks that were repeated: those that are here, and else as the
/// followed node hands them over, checked and kept. Of any height: whoever begins with a state
/// needs the rounds of epoch sources from before it.
class FollowedBeacon final : public Beacon {
  public:
    FollowedBeacon(LocalBeacon& kept, RepeatedChain& chain, const NetworkParams& params,
                   FollowClient& client)
        : kept_(kept), chain_(chain), params_(params), client_(client) {}
    /// kUnavailable: no block has this round, or the followed node does not have it (yet);
    /// kRefused (kBadBeacon): what it hands over is not this round's.
    [[nodiscard]] Result<BeaconRound> randomness(std::uint64_t round) override;
    [[nodiscard]] Status verify(std::uint64_t round, const BeaconRound& value) override {
        return kept_.verify(round, value);
    }

  private:
    [[nodiscard]] Result<std::optional<Height>> first_with(std::uint64_t round);

    LocalBeacon& kept_;
    RepeatedChain& chain_;
    const NetworkParams& params_;
    FollowClient& client_;
};

/// Whom this replica followed last. kNotFound: it is none.
[[nodiscard]] Result<PeerEntry> followed_by(const NodePaths& paths);
[[nodiscard]] std::filesystem::path evidence_folder(const NodePaths& paths);

/// What a replica works on.
struct ReplicaStores {
    NodePaths paths;
    std::unique_ptr<LocalChain> chain;
    std::unique_ptr<RepeatedChain> repeated;
    std::unique_ptr<HeadFile> heads;
    std::unique_ptr<LocalBeacon> beacon;       // networks with one
    std::unique_ptr<FollowedBeacon> followed;  // of it, after open_registry()
    std::unique_ptr<VdfClock> clock;           // after open_registry()
    std::unique_ptr<Registry> registry;        // after open_registry()

    /// Opens the folder; makes it, with the chain's first block as the followed node tells it,
    /// where there is none. kAlreadyExists: a node's folder that is no replica's; kRefused
    /// (kWrongBlock): that first block is none of this network.
    static Result<ReplicaStores> open(const std::filesystem::path& dir, const NetworkParams& params,
                                      const PeerEntry& followed, HistoryClient& history);
    /// Registry and clock; the latter fetches proofs of epoch sources and beacon rounds from the
    /// followed node.
    [[nodiscard]] Status open_registry(const RegistryOptions& options, unsigned threads,
                                       FollowClient& client);
    /// The VDF proof of a height, as the followed node hands it over. kUnavailable: none (yet).
    [[nodiscard]] Result<VdfProof> fetch_proof(Height height, FollowClient& client);
};

/// Copies the state of a checkpoint height into a new registry. It is held against `head`, which
/// the caller has checked. `told`: how much is here of how much.
[[nodiscard]] Status fetch_state(const NodePaths& paths, const NetworkParams& params,
                                 HistoryClient& history, const StateFile& state,
                                 const JournalHead& head, const RegistryOptions& options,
                                 const StopCheck& stop,
                                 const std::function<void(std::uint64_t, std::uint64_t)>& told);

/// Where a replica's copy of the ledger lies, once there is one.
[[nodiscard]] std::filesystem::path ledger_file(const NodePaths& paths);
/// Copies the followed node's ledger whole, checks that it is one of this network whose sums hold,
/// and puts it in the place of the one before. Whether it knows of every bond event below number
/// `events`.
[[nodiscard]] Result<bool> fetch_ledger(const NodePaths& paths, const NetworkId& network,
                                        HistoryClient& history, std::uint64_t events,
                                        const StopCheck& stop);
/// Whether a ledger knows of every bond event below that number.
[[nodiscard]] Result<bool> covers_events(BondLedger& ledger, std::uint64_t events);

}  // namespace holdfast::node
