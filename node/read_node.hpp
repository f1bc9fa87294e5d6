// A node's folder opened for reading: beside whoever runs the node, or where nothing may be written
// (another user's folder, a file system mounted for reading), without leaving a trace there.
//
// What registry and chain say follows the other process's commits, but for the registry's tree,
// which stays at the digest that was the newest when this was opened.
// Threading: as the objects inside. Errors: kNotFound where the node has processed no block yet,
// and those of the parts.
#pragma once

#include <filesystem>
#include <memory>

#include "clock/vdf_clock.hpp"
#include "embedded/local_beacon.hpp"
#include "embedded/local_chain.hpp"
#include "node/node_folder.hpp"

namespace holdfast::node {

struct ReadNode {
    NodePaths paths;
    std::unique_ptr<LocalChain> chain;
    std::unique_ptr<Registry> registry;
    std::unique_ptr<LocalBeacon> beacon;  // networks with one

    [[nodiscard]] const NetworkParams& params() const { return chain->params(); }
    [[nodiscard]] const NetworkId& network_id() const { return chain->network_id(); }

    [[nodiscard]] static Result<ReadNode> open(const std::filesystem::path& dir);
    /// The clock as it stands now: what the node has verified, and its proofs. Where the
    /// evaluator's key may not be read, its marks are not believed (B57): what is asked for is
    /// verified again.
    [[nodiscard]] Result<std::unique_ptr<VdfClock>> clock() const;
    /// How many final blocks the registry has not seen.
    [[nodiscard]] Result<std::uint64_t> behind() const;
};

}  // namespace holdfast::node
