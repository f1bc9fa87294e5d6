// A node that may be running, for commands: asked to write, read beside.
#pragma once

#include "cli/workspace.hpp"

namespace holdfast::cli {

/// Has a command carried out by the node that runs there, or here (node/node_commands.hpp).
Result<Json> ask_node(const std::filesystem::path& dir, const std::string& command,
                      const Json& arguments);
/// ReadNode::open, which may have a whole database to check.
Result<ReadNode> open_read_node(const std::filesystem::path& dir);

}  // namespace holdfast::cli
