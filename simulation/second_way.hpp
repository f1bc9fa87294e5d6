// The same world once more, the other way: a second registry that follows the first through the
// same blocks, and is handed a signature for each link, and proofs with receipts and paths
// (simulation/duty_meter.hpp). That both come to the same digests is shown, not believed.
//
// Threading: one thread. Ownership: chain, first registry and sets must outlive it.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "api/block_processor.hpp"
#include "embedded/local_chain.hpp"
#include "simulation/cheat.hpp"
#include "simulation/duty_meter.hpp"

namespace holdfast::simulation {

/// Of one height, by each registry; zeros where one has not closed it.
struct DigestPair {
    Height height;
    GlobalDigest bundles;
    GlobalDigest singles;
};

class SecondWay {
  public:
    /// Where a registry of the first's state lies.
    static Result<std::unique_ptr<SecondWay>> open(const std::filesystem::path& folder,
                                                   const NetworkParams& params,
                                                   const RegistryOptions& options,
                                                   const BlockProcessorOptions& processing);

    /// The block that the first registry has taken, and y as it stands there.
    [[nodiscard]] Status take_block(LocalChain& chain, const Registry& first, Height height);
    /// Everything that the sets owe at the tip, which they have handed to the first registry; of
    /// the cheaters as well. What it cost, but for these.
    [[nodiscard]] Result<HandOverCost> drive(std::span<ProverSet* const> sets, ProverSet& cheaters,
                                             Height height, const StopCheck& stop);

    /// Both digests of every height that has closed in the first registry since the last call.
    [[nodiscard]] Result<std::vector<DigestPair>> compare(const Registry& first);

  private:
    SecondWay(const NetworkParams& params, std::unique_ptr<Registry> registry);
    [[nodiscard]] Status take_y(const Registry& first);

    NetworkParams params_;
    std::unique_ptr<Registry> registry_;
    SingleDuties duties_;
    std::optional<BlockProcessor> processor_;
    std::optional<Height> compared_;  // up to here
};

}  // namespace holdfast::simulation
