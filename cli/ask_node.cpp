#include "cli/ask_node.hpp"

#include "cli/waiting.hpp"

namespace holdfast::cli {

Result<Json> ask_node(const std::filesystem::path& dir, const std::string& command,
                      const Json& arguments) {
    const Waiting waiting("the node of " + dir.string() + " (" + command + ")");
    return node::command_node(dir, command, arguments);
}

Result<ReadNode> open_read_node(const std::filesystem::path& dir) {
    const Waiting waiting("the registry of " + dir.string() + " to be checked");
    return ReadNode::open(dir);
}

}  // namespace holdfast::cli
