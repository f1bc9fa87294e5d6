// How long the next block takes, how many chains fit into one, and whether that is too many.
//
// From measured blocks alone: seconds that do not depend on the number of chains, and seconds a
// chain, each as a running mean that follows the last few blocks. A plain value, one thread at a
// time; nothing here decides anything that is hashed. Times in seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast {

/// What is foreseen of the next block, from blocks measured.
struct BlockForecast {
    std::uint64_t chains = 0;    // of the block foreseen
    double expected_s = 0;       // from its arrival until its links are in the registry
    double block_s = 0;          // from one block to the next
    std::uint64_t capacity = 0;  // chains with which a block would just be done in time
    /// Expected to take more than four fifths of a block's time: add cores or disks, or move
    /// chains.
    bool warning = false;

    /// "the next block closes in 9.1 s of 52 s; capacity 410,000 chains"
    [[nodiscard]] std::string text() const;
};

/// Running means over the blocks noted, and what follows from them.
class BlockForecaster {
  public:
    explicit BlockForecaster(double block_s) : block_s_(block_s) {}

    /// A block over `chains` chains, of which `fixed_s` had nothing to do with their number.
    void note(std::uint64_t chains, double fixed_s, double chains_s);
    /// Empty until a block with chains has been noted.
    [[nodiscard]] std::optional<BlockForecast> forecast(std::uint64_t chains) const;

  private:
    double block_s_;
    std::optional<double> fixed_s_;
    std::optional<double> chain_s_;
};

/// 410000 as "410,000".
[[nodiscard]] std::string with_commas(std::uint64_t number);

}  // namespace holdfast
