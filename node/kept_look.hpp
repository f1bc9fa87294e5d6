// What one client sees of its kept files: of each shard the prover's answer, the chain in closed
// digests, and proofs of links, verified here.
//
// A prover's word counts for nothing good: a shard is proven when the chain's registration, whose
// raw_root is the manifest's and whose prover is the manifest's, stands under the signature, and a
// closed digest shows the chain active (spec 10.4: its seal proof counted, its links do). Of a
// prover's word only the bad is believed: that it does not hold the deposit any more.
//
// Cost of a look at a file: one path for each segment of each shard, and one list for each prover
// in a round; registrations once. Proofs of links only where asked for.
//
// Threading: one thread. Errors of look(): kInterrupted alone; everything else is part of what was
// seen. Spec: docs/spec.md sections 7, 10 and 16.
#pragma once

#include <map>
#include <set>

#include "api/light_client.hpp"
#include "availability/peer_budget.hpp"
#include "deposit/client.hpp"
#include "json/json.hpp"
#include "keep/keeper.hpp"
#include "keep/kept_file.hpp"
#include "keep/provers.hpp"

namespace holdfast::node {

/// Of one segment of a shard.
struct SegmentSight {
    ChainId chain;  // zeros: none is known
    ChainSight sight = ChainSight::kUnknown;
    std::string why;                      // where it is not active
    Height closed;                        // of the digest that was looked at
    Height linked;                        // of the last link that counted; 0: none yet
    std::optional<Height> verified;       // of the newest link whose proof was verified here
    std::string unverified;               // why none was
    std::optional<DepositState> deposit;  // what the prover says
};

struct ShardSight {
    PublicKey prover;
    std::string address;
    std::string silent;  // why it did not answer; empty: it did
    std::vector<SegmentSight> segments;
};

struct KeptSight {
    std::vector<ShardSight> shards;
    FileView view;
    std::string no_node;  // why no node could be asked; empty: one was
};

struct LookOptions {
    bool links = false;  // verify a proof of each chain's newest link that can have one
};

class KeptLook {
  public:
    /// All must outlive it. `light` asks `nodes`.
    KeptLook(LightClient& light, std::vector<LightNode> nodes, const KeyPair& owner,
             AskProverOf ask, MonotonicNs clock, DepositClientOptions depositing);

    /// Forgets what provers and nodes said in the round before, and asks for the tip.
    Status begin_round();
    [[nodiscard]] Height tip() const { return tip_; }
    [[nodiscard]] const NetworkId& network() const { return network_; }
    [[nodiscard]] Result<KeptSight> look(const KeptFile& file, const LookOptions& options);
    /// What a prover says of a deposit in this round; kNotFound; its silence's error.
    [[nodiscard]] Result<DepositState> deposit(const ProverAddress& prover, const DepositId& id);
    /// How the chain stands that is to hold these bytes with this prover.
    [[nodiscard]] Result<SegmentSight> chain(const ChainId& chain, const PublicKey& prover,
                                             const Root& raw_root);
    /// This deposit's prover sent bytes that do not lead to the root.
    void note_lie(const DepositId& id) { lied_.insert(id); }
    [[nodiscard]] std::uint64_t now_ms() const { return clock_() / 1'000'000; }

  private:
    using Deposits = std::map<DepositId, DepositState>;
    struct Registered {
        PublicKey prover;
        Root raw_root;
        Height accepted;
    };

    const Result<Deposits>& ask_prover(const ProverAddress& prover);
    Result<Registered> registered(const ChainId& chain);
    Status look_at_leaf(const ChainId& chain, const Registered& known, SegmentSight& out);
    Status verify_newest(const ChainId& chain, SegmentSight& out);
    Result<ShardSight> look_at_shard(const KeptFile& file, unsigned shard,
                                     const LookOptions& options);
    ShardView view_of(const KeptFile& file, unsigned shard, const ShardSight& sight);

    LightClient& light_;
    const std::vector<LightNode> nodes_;
    const KeyPair& owner_;
    const AskProverOf ask_;
    const MonotonicNs clock_;
    const DepositClientOptions depositing_;
    const NetworkId network_;
    Height tip_;
    std::string no_node_;
    std::map<PublicKey, Result<Deposits>> answers_;    // of this round
    std::map<PublicKey, std::uint64_t> silent_since_;  // ms
    std::map<DepositId, std::pair<ChainSight, std::uint64_t>> since_;
    std::map<DepositId, ChainId> chains_;  // that provers told, checked
    std::map<ChainId, Registered> registered_;
    std::set<DepositId> lied_;
};

/// {"health", "margin", "shards": […]}; the same in lines of text.
[[nodiscard]] json::Json to_json(const KeptFile& file, const KeptSight& sight);
[[nodiscard]] std::vector<std::string> text_lines(const KeptFile& file, const KeptSight& sight);
/// "whole": every shard is proven and can be read; "degraded": k are proven; "endangered": fewer.
[[nodiscard]] std::string_view health_word(const KeptSight& sight);

}  // namespace holdfast::node
