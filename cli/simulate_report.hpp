// What `holdfast simulate` tells of a run: a line for each block, what both ways of handing over
// cost, and whether everything agrees.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/console.hpp"
#include "simulation/cheat.hpp"
#include "simulation/check.hpp"
#include "simulation/world.hpp"

namespace holdfast::cli {

/// What was asked for.
struct SimulationOrder {
    std::uint64_t chains = 1'000;
    std::uint64_t blocks = 20;
    std::string dir = "simulation";
    std::uint64_t seed = 1;
    std::uint64_t additions = 2;
    std::uint64_t removals = 2;
    std::optional<std::uint64_t> late;
    std::optional<std::uint64_t> cheaters;
    unsigned threads = 0;
    std::string way;
    std::string svg;
    bool one_way = false;
};

/// What the system says of this process.
struct ProcessFigures {
    double resident_mib = 0;
    double peak_mib = 0;           // since the run began, where the system lets that be reset
    std::uint64_t open_files = 0;  // beside those of replicas
};

/// A block.
struct SimulationRow {
    std::uint64_t height = 0;
    double seconds = 0;
    double vdf = 0;
    SetTimes times;
    std::uint64_t links = 0;
    std::uint64_t proofs = 0;
    std::uint64_t seal_proofs = 0;
    std::uint64_t faults = 0;
    StatusCounts counts;
    ProcessFigures process;
    std::size_t most_replica_files = 0;
    std::optional<BlockForecast> forecast;
    simulation::HandOverCost bundles;
    std::optional<simulation::HandOverCost> singles;  // where both ways were asked for
    std::vector<simulation::DigestPair> digests;      // that have closed, of both

    /// Without making and checking the proofs of an earlier height and seal proofs.
    [[nodiscard]] double without_proofs() const {
        return seconds - times.proofs - times.proven - times.seal;
    }
};

struct SimulationTotals {
    simulation::CheatCounts cheats;
    std::uint64_t additions = 0;
    std::uint64_t removals = 0;
    std::uint64_t links_missing = 0;
    std::uint64_t honest_not_active = 0;
    std::uint64_t faults = 0;
    simulation::ScratchCheck scratch;
    std::uint64_t digests_compared = 0;  // of both ways
    std::uint64_t digests_unequal = 0;
    [[nodiscard]] bool good() const {
        return cheats.proofs_taken == 0 && links_missing == 0 && honest_not_active == 0 &&
               faults == 0 && scratch.wrong == 0 && scratch.digests > 0 && digests_unequal == 0;
    }
};

/// A run that has ended.
struct SimulationRun {
    NetworkParams params;
    std::vector<SimulationRow> rows;  // at least one
    SimulationTotals totals;
};

[[nodiscard]] Output simulation_report(const SimulationOrder& order,
                                       const simulation::SimulationSize& size,
                                       const SimulationRun& run);
/// An SVG of times, chains and memory.
[[nodiscard]] std::string simulation_chart(const SimulationOrder& order,
                                           const std::vector<SimulationRow>& rows);

}  // namespace holdfast::cli
