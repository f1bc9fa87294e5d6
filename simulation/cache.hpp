// The replicas of a simulation: made once, kept in a folder, taken up again where a run ended.
//
//   CACHE/FLEET/000/000123.replica, .tree   sealed with the `dev` preset, 64 KiB each
//
// A replica's data and key follow from the seed, the fleet's name and its number, so that the same
// seed gives the same bytes anywhere. Threading: one call at a time; each seals on several threads.
#pragma once

#include <filesystem>
#include <string>

#include "chunking/seal.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"

namespace holdfast::simulation {

/// A small network whose deadlines and windows pass within a dozen blocks.
[[nodiscard]] NetworkParams simulation_network();
/// Its operator: the simulation itself.
[[nodiscard]] KeyPair simulation_operator();

/// Chains that share a key and a way to behave.
struct Fleet {
    std::string name;
    std::uint64_t seed = 0;
    std::filesystem::path folder;

    Fleet(const std::filesystem::path& cache, std::string fleet_name, std::uint64_t fleet_seed);
    [[nodiscard]] KeyPair key() const;
    /// CACHE/FLEET/NNN/NNNNNN.replica
    [[nodiscard]] std::filesystem::path replica(std::uint64_t number) const;
    /// How many of [0, count) are not sealed yet.
    [[nodiscard]] std::uint64_t missing(std::uint64_t count) const;
    /// Seals what is missing of [0, count); `progress` counts replicas. Errors of seal();
    /// kInterrupted leaves what is done for the next run.
    [[nodiscard]] Status make(
        const NetworkParams& params, std::uint64_t count, unsigned threads, const StopCheck& stop,
        const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) const;
};

inline constexpr std::uint64_t kSimulationReplicaBytes = 65'536;

}  // namespace holdfast::simulation
