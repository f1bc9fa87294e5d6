// What y of a final height is made of, for those who follow this node and verify it themselves.
//
// Threading: refresh() from the thread that processes blocks, output() from any. The node must
// outlive it. Spec: docs/spec.md section 14.
#pragma once

#include <map>
#include <mutex>

#include "follow/messages.hpp"
#include "node/node_folder.hpp"

namespace holdfast::node {

class OutputSource {
  public:
    explicit OutputSource(Node& node) : node_(node) {}

    /// Finds the operator's heads over the y entries of the newest heights.
    [[nodiscard]] Status refresh();
    /// The block, its beacon round, the VDF proof and, of the newest heights, the operator's head
    /// over its y entry once there is one. Of a height that closed without y neither proof nor
    /// head. kNotFound above the tip and below the network's first height.
    [[nodiscard]] Result<FollowOutput> output(Height height) const;

  private:
    static constexpr std::size_t kKeptCovers = 64;
    [[nodiscard]] Result<std::optional<OutputCover>> cover_of(Height height, const VdfOutput& y);

    Node& node_;
    mutable std::mutex mutex_;  // guards covers_
    std::map<Height, OutputCover> covers_;
};

}  // namespace holdfast::node
