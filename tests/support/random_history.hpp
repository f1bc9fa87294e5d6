// Random histories of a small network: everything that anybody may list, hand over or fail to, true
// and false, by parties of whom one prover and one challenger always keep to the rules.
//
// A history follows from its seed and from the operator's registry, which is asked what can be done
// next; so the same seed is the same history on every machine, and its first n blocks are those of
// every longer one. It makes inputs; whoever drives it applies them, to the operator's registry
// first. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "api/final_block.hpp"
#include "proofs/journal.hpp"
#include "support/challenger_world.hpp"
#include "support/history_host.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {

/// Every deadline a few blocks, every kind of evidence judged, audits all the time.
NetworkParams history_network();
/// d_0 … d_K and y of a final height, evaluated in full; an epoch is longer than a history.
std::vector<Digest> history_checkpoints(const NetworkParams& params, Height height,
                                        const BlockHash& block_hash);
VdfOutput history_y(const NetworkParams& params, Height height, const BlockHash& block_hash);
/// Seal proofs of a history say themselves whether they hold: a registry never sees what is sealed.
SealCheck history_seal_check();

/// What a registry is given next.
using HistoryInput = std::variant<FinalBlock, OutputEntry, std::vector<Bytes>>;

/// Gives it to a registry; what came of each object, or of y. Objects in one transaction.
Result<std::vector<ObjectOutcome>> apply_input(Registry& registry, const HistoryInput& input);

/// How often something of one name was taken, refused, or known already.
struct HistoryCount {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
    std::set<Reason> reasons;
};
using HistoryTally = std::map<std::string, HistoryCount>;

class RandomHistory {
  public:
    /// Applies an input to the operator's registry, and says what came of each object (of y: one).
    using Apply = std::function<std::vector<ObjectOutcome>(const HistoryInput&)>;
    using Node = std::function<Registry&()>;

    RandomHistory(const NetworkParams& params, std::uint64_t seed, HistoryHost& host, Node node,
                  Apply apply);

    /// The next final block, and what happens while it is the tip.
    void next_block();

    [[nodiscard]] const HistoryTally& tally() const { return tally_; }
    /// Bonds of those who keep to the rules.
    [[nodiscard]] std::vector<BondId> honest_bonds() const;
    /// Everybody who may hold a part.
    [[nodiscard]] const std::set<std::pair<BondPurpose, Digest>>& holders() const {
        return holders_;
    }
    [[nodiscard]] const std::set<BondId>& bonds() const { return bonds_; }

  private:
    struct Chain {
        std::unique_ptr<TestChain> chain;
        bool honest = false;
        bool unsealed = false;
        bool lazy = false;                              // answers no audit
        std::map<Height, std::vector<Reveal>> reveals;  // under updates, by their base
        std::map<Height, Link> links;                   // of an honest one: what it has signed
    };
    struct Asked {
        Challenge2 challenge;
        std::size_t challenger = 0;
        std::size_t chain = 0;
    };

    // Dice.
    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

    // What blocks list (random_history_listed.cpp).
    void list_objects();
    void list_registration();
    void list_update();
    void list_chain_removal();
    void list_role_removal();
    void list_challenger();
    void list_checkpoint();
    void list_roles();
    void list_at_wrong_door();
    void submit(const std::string& name, Kind kind, Bytes object);
    void bond(const BondEvent& event);
    BondId new_bond(const PublicKey& owner, BondPurpose purpose, std::uint64_t amount);

    // Evidence (random_history_evidence.cpp).
    void list_evidence();
    void accuse(const std::string& name, const Evidence& evidence, bool with_deposit = false);
    void accuse_links(Chain& chain, const KnownHeight& known);
    void accuse_openings(Chain& chain, const KnownHeight& known);
    void accuse_seal();
    void accuse_vdf();
    void accuse_submitter();
    void accuse_response(Chain& chain, const KnownHeight& known);
    void accuse_operator();
    LinkStatement statement(const Chain& chain, const KnownHeight& known, const Link& link,
                            bool bundled) const;

    // What the journal brings (random_history.cpp).
    void bring_y(Height height);
    void bring_late_y();
    void bring_seal_proofs();
    void bring_bundles();
    void bring_proofs();
    void bring_proof(Chain& chain, Height height, std::vector<Bytes>& out);
    void bring_challenges();
    void bring_outcomes();
    void bring_responses();
    void bring_rubbish();
    void give(std::vector<Bytes> objects);
    /// Notes its name; now and then spoils it, where `may_spoil`.
    Bytes named(const std::string& name, Kind kind, Bytes body, bool may_spoil);

    void count(const std::string& name, const ObjectOutcome& outcome);
    void count_what_closed(Height height);
    [[nodiscard]] Registry& registry() const { return node_(); }
    [[nodiscard]] Height tip() const { return must(registry().tip()).value(); }
    [[nodiscard]] bool is_sealed(const Chain& chain) const;
    [[nodiscard]] Reveal reveal_of(const Chain& chain, Height height) const;
    Chain* random_cheat();

    const NetworkParams& params_;
    NetworkId network_id_;
    std::uint64_t seed_;
    HistoryHost& host_;
    Node node_;
    Apply apply_;
    std::mt19937_64 random_;
    std::vector<Chain> chains_;
    std::vector<TestChallenger> challengers_;
    std::vector<KeyPair> submitters_;
    std::vector<KeyPair> evaluators_;
    std::vector<Asked> asked_;
    std::set<Height> without_y_;
    std::map<ChallengeId, Response> responses_;
    std::vector<Bytes> given_;  // objects of before, to be handed over again
    std::map<Digest, std::string> names_;
    std::set<std::pair<BondPurpose, Digest>> holders_;
    std::set<BondId> bonds_;
    std::map<Digest, BondId> bond_of_;  // key -> the bond that it last named
    std::uint64_t numbers_ = 0;
    std::uint64_t decisions_ = 0;
    HistoryTally tally_;
};

}  // namespace holdfast::test
