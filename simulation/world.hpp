// The world of a simulation: a local chain, a registry and three fleets of provers, whose state at
// the moment when every chain holds its slot is kept in the cache and copied for each run.
//
//   CACHE/simulation.json      seed and network, so that a cache is never mixed with another's
//   CACHE/honest, late, cheat  replicas (simulation/cache.hpp)
//   CACHE/state-…/             chain, registry, VDF proofs and link records of a set of chains
//   CACHE/run-PID/             a run's copy; removed when it ends. With second.registry beside the
//                              registry where links and proofs are handed over both ways
//
// Threading: one thread.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "api/aggregator.hpp"
#include "embedded/local_chain.hpp"
#include "simulation/cache.hpp"
#include "simulation/second_way.hpp"

namespace holdfast::simulation {

struct SimulationSize {
    std::uint64_t honest = 0;
    std::uint64_t late = 0;
    std::uint64_t cheaters = 0;
    [[nodiscard]] std::uint64_t chains() const { return honest + late + cheaters; }
};

enum class Ways : std::uint8_t { kBundles, kBoth };

/// How long work is watched and ended.
struct WorldWork {
    StopCheck stop;  // kInterrupted
    /// What is going on and how far it is; called by one thread at a time.
    std::function<void(const std::string& what, std::uint64_t done, std::uint64_t total)> progress;
};

class SimulationWorld {
  public:
    /// Makes the folder, or checks that it is the cache of this seed and network: kInvalidArgument.
    static Status claim_cache(const std::filesystem::path& cache, std::uint64_t seed);
    /// A private copy of the state in which all chains hold their slots; makes that state first
    /// where the cache lacks it, going on from wherever an interrupted run left it. `ways`: whether
    /// there is a second registry.
    static Result<std::unique_ptr<SimulationWorld>> open(const WorldWork& work,
                                                         const std::filesystem::path& cache,
                                                         std::uint64_t seed,
                                                         const SimulationSize& size,
                                                         const BlockProcessorOptions& processing,
                                                         Ways ways = Ways::kBundles);
    SimulationWorld(const SimulationWorld&) = delete;
    SimulationWorld& operator=(const SimulationWorld&) = delete;
    ~SimulationWorld();

    [[nodiscard]] const NetworkParams& params() const { return params_; }
    [[nodiscard]] const NetworkId& network_id() const { return network_id_; }
    LocalChain& chain() { return *chain_; }
    Aggregator& aggregator() { return *aggregator_; }
    Registry& registry() { return aggregator_->registry(); }
    /// What the sets' links and proofs have cost since the last call.
    HandOverCost take_cost() { return meter_ ? meter_->take_cost() : HandOverCost(); }
    /// Null unless both ways were asked for.
    SecondWay* second() { return second_.get(); }
    ProverSet& honest() { return *honest_; }
    ProverSet& late() { return *late_; }
    ProverSet& cheaters() { return *cheaters_; }
    [[nodiscard]] std::size_t open_replica_files() const {
        return honest_->files().open() + late_->files().open() + cheaters_->files().open();
    }

    /// Submits the registration of a replica, which then joins the honest.
    [[nodiscard]] Status enlist(const std::filesystem::path& replica);

  private:
    SimulationWorld(NetworkParams params, std::filesystem::path folder);
    static Result<std::unique_ptr<SimulationWorld>> load(const std::filesystem::path& cache,
                                                         std::uint64_t seed,
                                                         const SimulationSize& size,
                                                         const std::filesystem::path& folder,
                                                         const BlockProcessorOptions& processing);
    Status open_second(const BlockProcessorOptions& processing);
    static Status prepare(const WorldWork& work, const std::filesystem::path& cache,
                          std::uint64_t seed, const SimulationSize& size,
                          const std::filesystem::path& folder,
                          const BlockProcessorOptions& processing);
    [[nodiscard]] BondId bond_of(const PublicKey& key) const;
    Status list_bonds();
    Status register_all(const WorldWork& work);
    Status seal_all(const WorldWork& work, std::uint64_t chains);
    Result<Registration> registration_of(const std::filesystem::path& replica,
                                         const KeyPair& key) const;

    NetworkParams params_;
    NetworkId network_id_;
    std::filesystem::path folder_;
    bool temporary_ = false;
    BlockInfo genesis_;
    std::unique_ptr<LocalChain> chain_;
    std::unique_ptr<VdfClock> clock_;
    KeyPair operator_key_ = simulation_operator();
    std::unique_ptr<Aggregator> aggregator_;
    MeteredDuties* meter_ = nullptr;  // the aggregator's, once it has driven a set
    std::unique_ptr<SecondWay> second_;
    std::unique_ptr<ProverSet> honest_;
    std::unique_ptr<ProverSet> late_;
    std::unique_ptr<ProverSet> cheaters_;
};

}  // namespace holdfast::simulation
