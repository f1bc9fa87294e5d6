// keeper, status: the daemon that mends an owner's files, and how one of them stands.

#include <chrono>
#include <thread>

#include "cli/commands.hpp"
#include "cli/daemon_options.hpp"
#include "cli/keep_options.hpp"
#include "cli/light_options.hpp"
#include "cli/standard_output.hpp"
#include "deposit/client.hpp"
#include "keep/kept_file.hpp"
#include "node/connect.hpp"
#include "node/keeper.hpp"
#include "node/kept_look.hpp"
#include "storage/key_file.hpp"

namespace holdfast::cli {
namespace {

constexpr int kExitDegraded = 4;    // k shards are proven, and not all
constexpr int kExitEndangered = 5;  // fewer than k are
constexpr std::uint32_t kAskMs = 3'000;
constexpr std::chrono::milliseconds kStopLook{20};

struct KeeperArguments {
    DaemonOptions daemon;
    std::optional<std::string> catalogue;
    std::optional<std::string> folder;
};

CommandResult run_keeper_daemon(const Globals& globals, const KeeperArguments& a) {
    HOLDFAST_ASSIGN(config, daemon_config(a.daemon));
    if (a.catalogue) config.keeping.catalogue = *a.catalogue;
    if (a.folder) config.keeping.folder = *a.folder;
    HOLDFAST_ASSIGN(log, DaemonLog::open(config.log));
    const node::KeeperHooks hooks{[&](const Json& ready) { print_ready(globals, ready, **log); }};
    HOLDFAST_ASSIGN(summary, node::run_keeper(config, **log, hooks, stop_requested()));
    return summary_output(summary);
}

struct StatusArguments {
    std::string file;       // its manifest, or its id or name
    std::string catalogue;  // folder; empty: beside the key
    LightArguments light;
    bool links = true;
    bool watch = false;
};

int exit_code_of(const node::KeptSight& sight) {
    const std::string_view word = node::health_word(sight);
    if (word == "whole") return kExitOk;
    return word == "degraded" ? kExitDegraded : kExitEndangered;
}

Output shown(const KeptFile& file, const node::KeptSight& sight, const LightClient& client) {
    Output out;
    out.json = node::to_json(file, sight);
    for (const std::string& line : node::text_lines(file, sight)) out.line(line);
    print_faults(out, client.faults());
    out.exit_code = exit_code_of(sight);
    return out;
}

/// A look at each block until it is stopped, or nobody reads; the last one is the result.
CommandResult watch_file(const Globals& globals, const KeptFile& file, node::KeptLook& look,
                         const LightClient& client, const node::LookOptions& options) {
    const auto pause = std::chrono::milliseconds(std::max(client.params().block_ms / 2, 100U));
    Height before;
    for (;;) {
        HOLDFAST_TRY(look.begin_round());
        HOLDFAST_ASSIGN(sight, look.look(file, options));
        Output out = shown(file, sight, client);
        out.one_line = true;
        if (look.tip() != before) {
            before = look.tip();
            std::string text = globals.json ? dump(out.json) + "\n" : std::string();
            if (!globals.json) {
                for (const std::string& line : node::text_lines(file, sight)) text += line + "\n";
            }
            if (write_output(text) != 0) return out;
        }
        const auto until = std::chrono::steady_clock::now() + pause;
        while (std::chrono::steady_clock::now() < until) {
            if (stop_requested()()) return out;
            std::this_thread::sleep_for(kStopLook);
        }
    }
}

CommandResult run_status(const Globals& globals, const StatusArguments& a) {
    if (a.light.key.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "--key is the owner's: provers answer nobody else about a deposit");
    }
    const KeepArguments keep{a.light.key, a.catalogue};
    HOLDFAST_ASSIGN(owner, load_owner(keep));
    HOLDFAST_ASSIGN(file, find_kept_file(a.file, keep, owner.public_key()));
    if (owner.public_key() != file.owner) {
        return fail(ErrorCode::kInvalidArgument, a.light.key + " is not the key of the owner of " +
                                                     a.file + ", " + to_hex(file.owner));
    }
    HOLDFAST_ASSIGN(session, LightSession::open(a.light, globals));
    if (session.client->params().id() != file.network) {
        return fail(ErrorCode::kInvalidArgument, a.file + " is of another network");
    }
    TcpProversOptions connecting;
    connecting.connect_ms = kAskMs;
    connecting.stop = stop_requested();
    HOLDFAST_ASSIGN(provers, TcpProvers::start(owner, file.network, connecting));
    DepositClientOptions depositing;
    depositing.patience_ms = kAskMs;
    depositing.stop = stop_requested();
    node::KeptLook look(*session.client, session.nodes->nodes(), owner, provers->asker(),
                        node::machine_clock(), depositing);
    const node::LookOptions options{a.links};
    if (a.watch) return watch_file(globals, file, look, *session.client, options);
    HOLDFAST_TRY(look.begin_round());
    HOLDFAST_ASSIGN(sight, look.look(file, options));
    return shown(file, sight, *session.client);
}

}  // namespace

void add_keeper_command(Commands& commands) {
    auto a = std::make_shared<KeeperArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "keeper", "look after the files of a catalogue, and rebuild shards that are lost");
    add_daemon_options(command, a->daemon);
    command->add_option("--catalogue", a->catalogue,
                        "folder of the owner's catalogue (default: beside the key file)");
    command->add_option("--folder", a->folder,
                        "folder of what is under way (default: beside the key file)");
    commands.run(command,
                 "  holdfast keeper --params network.params --key owner.key --host "
                 "KEY@node.example:9000 --peer KEY@spare.example:9001\n"
                 "  holdfast keeper --config keeper.toml --json\n"
                 "--key is the owner's; shards are put with --peer. Ctrl-C or SIGTERM stops it.\n",
                 [a, &commands] { return run_keeper_daemon(commands.globals(), *a); });
}

void add_status_command(Commands& commands) {
    auto a = std::make_shared<StatusArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "status", "what of a kept file is proven, verified here, and how much of it may fail");
    command->add_option("file", a->file, "its manifest, or its id or name in the catalogue")
        ->required();
    command->add_option("--catalogue", a->catalogue,
                        "folder of the owner's catalogue (default: KEY.catalogue)");
    a->light.add_to(command);
    command->get_option("--from")->required();
    command->add_flag("!--no-links", a->links, "fetch and verify no proofs of links");
    command->add_flag("--watch", a->watch, "again at each block, until Ctrl-C");
    commands.run(command,
                 "  holdfast status photos.kept --key owner.key --params network.params --from "
                 "KEY@node.example:9000\n"
                 "  holdfast status photos.kept --key owner.key --params network.params --from "
                 "KEY@node.example:9000 --watch --json\n"
                 "The exit code is 0 when the file is whole, 4 when it is degraded (k shards or "
                 "more are proven), 5 when fewer are.\n",
                 [a, &commands] { return run_status(commands.globals(), *a); });
}

}  // namespace holdfast::cli
