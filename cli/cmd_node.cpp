// node: the daemon that hosts a local chain.

#include "cli/commands.hpp"
#include "cli/daemon_options.hpp"
#include "cli/workspace.hpp"
#include "node/host.hpp"
#include "node/replica.hpp"
#include "node/take_over.hpp"
#include "storage/randomness.hpp"

namespace holdfast::cli {
namespace {

struct NodeArguments {
    DaemonOptions daemon;
    std::optional<std::string> dir;
    std::optional<std::uint32_t> block_ms;
    std::optional<std::uint64_t> served_reward, challenger_reward, map_bytes;
    std::optional<std::string> replica_of;
    double fills = 1;
    std::string seed;
    bool take_over = false;
    bool force = false;
    node::TakeOver keys;
};

constexpr std::uint32_t kAnswerWaitMs = 5'000;

Result<std::optional<FillSample>> sample_of(const NodeArguments& a) {
    if (a.fills >= 1) return std::optional<FillSample>();
    FillSample out;
    out.share = a.fills;
    if (a.seed.empty()) {
        HOLDFAST_TRY(random_bytes(MutByteView(out.seed.bytes)));
        return std::optional(out);
    }
    HOLDFAST_ASSIGN(seed, parse_hex<Digest>(a.seed, "--seed"));
    out.seed = seed;
    return std::optional(out);
}

/// Says what it is about to do, on standard error, and does it.
Status take_over(const NodeArguments& a, const node::Config& config, node::Log& log) {
    HOLDFAST_ASSIGN(what, node::describe_take_over(config.dir, a.keys));
    for (const std::string& line : what) std::fprintf(stderr, "take-over: %s\n", line.c_str());
    HOLDFAST_ASSIGN(followed, node::followed_by(node::NodePaths{config.dir}));
    HOLDFAST_ASSIGN(params, node::read_network(config.dir));
    HOLDFAST_ASSIGN(answers, node::still_answers(config, params, followed, kAnswerWaitMs, log));
    if (answers && !a.force) {
        return fail(ErrorCode::kPermission,
                    "the first node, " + followed.address +
                        ", still answers: stop it for good first (--force goes on all the same, "
                        "where another node answers there)");
    }
    return node::take_over(config.dir, a.keys, log);
}

CommandResult run_node(const Globals& globals, const NodeArguments& a) {
    HOLDFAST_ASSIGN(config, daemon_config(a.daemon));
    if (a.dir) config.dir = *a.dir;
    if (a.block_ms) config.block_ms = *a.block_ms;
    if (a.served_reward) config.terms.prover_reward = *a.served_reward;
    if (a.challenger_reward) config.terms.challenger_reward = *a.challenger_reward;
    if (a.map_bytes) config.map_bytes = *a.map_bytes;
    HOLDFAST_ASSIGN(log, DaemonLog::open(config.log));
    const node::HostHooks hooks{[&](const Json& ready) { print_ready(globals, ready, **log); }};
    if (a.replica_of) {
        if (a.take_over) {
            return fail(ErrorCode::kInvalidArgument,
                        "a node either repeats another one (--replica-of) or takes its place "
                        "(--take-over)");
        }
        node::ReplicaSettings settings;
        HOLDFAST_ASSIGN(followed, parse_peer(*a.replica_of, "--replica-of", true));
        settings.followed = followed;
        HOLDFAST_ASSIGN(fills, sample_of(a));
        settings.fills = fills;
        HOLDFAST_ASSIGN(done, node::run_replica(config, settings, **log, hooks, stop_requested()));
        return summary_output(done);
    }
    if (a.take_over) HOLDFAST_TRY(take_over(a, config, **log));
    HOLDFAST_ASSIGN(summary, node::run_host(config, **log, hooks, stop_requested()));
    return summary_output(summary);
}

}  // namespace

void add_node_command(Commands& commands) {
    auto n = std::make_shared<NodeArguments>();
    CLI::App* node_command = commands.app().add_subcommand(
        "node", "make and process the blocks of a node folder, for those who follow it");
    add_daemon_options(node_command, n->daemon, {.host = false, .serves_public = true});
    node_command->add_option("-d,--dir", n->dir, "folder of the node");
    node_command
        ->add_option("--block-ms", n->block_ms, "between two blocks (default: the network's)")
        ->check(CLI::Range(100U, 86'400'000U));
    node_command->add_option("--served-reward", n->served_reward,
                             "units to the prover for a served challenge");
    node_command->add_option("--challenger-reward", n->challenger_reward,
                             "units to the challenger for an outcome that counts");
    add_map_bytes_option(node_command, n->map_bytes);
    node_command->add_option("--replica-of", n->replica_of,
                             "KEY@HOST:PORT of a node whose history this one repeats and judges");
    node_command->add_option("--fills", n->fills, "of a replica: share of seal proofs filled again")
        ->check(CLI::Range(0.0, 1.0));
    node_command->add_option("--seed", n->seed, "of a replica: hex, from which fills are drawn");
    node_command->add_flag("--take-over", n->take_over,
                           "make a replica's folder the operator's node: the first one is gone");
    node_command->add_option("--operator-key", n->keys.operator_key,
                             "for --take-over: the network's operator key file");
    node_command->add_option("--evaluator-key", n->keys.evaluator_key,
                             "for --take-over: key file that signs VDF proofs");
    node_command->add_option("--beacon-key", n->keys.beacon_key,
                             "for --take-over: the network's beacon key file");
    node_command->add_flag("--force", n->force,
                           "for --take-over: also while the first node answers");
    commands.run(
        node_command,
        "  holdfast node --dir node --key node.key --listen 127.0.0.1:9000 "
        "--accept-anyone\n"
        "  holdfast node --config node.toml --json\n"
        "  holdfast node --dir replica --params network.params --key second.key --listen :9000 "
        "--replica-of KEY@HOST:PORT\n"
        "  holdfast node --dir replica --key second.key --listen :9000 --take-over "
        "--operator-key operator.key\n"
        "Ctrl-C or SIGTERM stops it; the exit code is then 0.\n",
        [n, &commands] { return run_node(commands.globals(), *n); });
}

}  // namespace holdfast::cli
