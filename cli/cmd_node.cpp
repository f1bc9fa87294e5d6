// node: the daemon that hosts a local chain.

#include "cli/commands.hpp"
#include "cli/daemon_options.hpp"
#include "cli/workspace.hpp"
#include "node/host.hpp"

namespace holdfast::cli {
namespace {

struct NodeArguments {
    DaemonOptions daemon;
    std::optional<std::string> dir;
    std::optional<std::uint32_t> block_ms;
    std::optional<std::uint64_t> served_reward, challenger_reward, map_bytes;
};

CommandResult run_node(const Globals& globals, const NodeArguments& a) {
    HOLDFAST_ASSIGN(config, daemon_config(a.daemon));
    if (a.dir) config.dir = *a.dir;
    if (a.block_ms) config.block_ms = *a.block_ms;
    if (a.served_reward) config.terms.prover_reward = *a.served_reward;
    if (a.challenger_reward) config.terms.challenger_reward = *a.challenger_reward;
    if (a.map_bytes) config.map_bytes = *a.map_bytes;
    HOLDFAST_ASSIGN(log, DaemonLog::open(config.log));
    const node::HostHooks hooks{[&](const Json& ready) { print_ready(globals, ready, **log); }};
    HOLDFAST_ASSIGN(summary, node::run_host(config, **log, hooks, stop_requested()));
    return summary_output(summary);
}

}  // namespace

void add_node_command(Commands& commands) {
    auto n = std::make_shared<NodeArguments>();
    CLI::App* node_command = commands.app().add_subcommand(
        "node", "make and process the blocks of a node folder, for those who follow it");
    add_daemon_options(node_command, n->daemon, {.params = false, .host = false});
    node_command->add_option("-d,--dir", n->dir, "folder of the node");
    node_command
        ->add_option("--block-ms", n->block_ms, "between two blocks (default: the network's)")
        ->check(CLI::Range(100U, 86'400'000U));
    node_command->add_option("--served-reward", n->served_reward,
                             "units to the prover for a served challenge");
    node_command->add_option("--challenger-reward", n->challenger_reward,
                             "units to the challenger for an outcome that counts");
    add_map_bytes_option(node_command, n->map_bytes);
    commands.run(
        node_command,
        "  holdfast node --dir node --key node.key --listen 127.0.0.1:9000 "
        "--accept-anyone\n"
        "  holdfast node --config node.toml --json\n"
        "Ctrl-C or SIGTERM stops it; the exit code is then 0. Links of provers do not travel "
        "over the\ntransport: where links count, stop it and run holdfast block process "
        "--replica ...\n",
        [n, &commands] { return run_node(commands.globals(), *n); });
}

}  // namespace holdfast::cli
