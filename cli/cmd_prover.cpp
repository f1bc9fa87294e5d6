// prover: the daemon of a prover; prover status|list|add|...: commands to one that runs.

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/daemon_options.hpp"
#include "node/control.hpp"
#include "node/prover.hpp"

namespace holdfast::cli {
namespace {

struct ProverArguments {
    DaemonOptions daemon;
    std::vector<std::string> replicas, raw, folders;
    std::optional<std::string> bond, retention, records, socket;
    bool no_commitment = false;
};

/// What is said to a running prover, and by which of its ways it is found.
struct AskArguments {
    std::string config, key, socket;
    std::string path;
    std::string level;
    bool end = false;
    std::optional<std::uint64_t> wait_s;
};

Result<node::Config> prover_config(const ProverArguments& a) {
    if (a.raw.size() > a.replicas.size()) {
        return fail(ErrorCode::kInvalidArgument, "give one --replica for each --raw");
    }
    HOLDFAST_ASSIGN(config, daemon_config(a.daemon));
    for (std::size_t i = 0; i < a.replicas.size(); ++i) {
        config.replicas.push_back({a.replicas[i], i < a.raw.size() ? a.raw[i] : ""});
    }
    for (const std::string& folder : a.folders) config.folders.push_back({folder});
    if (a.bond) {
        HOLDFAST_ASSIGN(bond, parse_hex<BondId>(*a.bond, "--bond"));
        config.proving.bond = to_hex(bond);
    }
    if (a.retention) {
        if (!retention_from_name(*a.retention)) {
            return fail(ErrorCode::kInvalidArgument,
                        "--retention is temporary, default or archival");
        }
        config.proving.retention = *a.retention;
    }
    if (a.no_commitment) config.proving.commitment = false;
    if (a.records) config.proving.records = *a.records;
    if (a.socket) config.control = *a.socket;
    // Commands name what they mean by absolute paths.
    for (node::ReplicaEntry& one : config.replicas) {
        one.replica = std::filesystem::absolute(one.replica).lexically_normal();
    }
    for (node::FolderEntry& one : config.folders) {
        one.path = std::filesystem::absolute(one.path).lexically_normal();
        if (!one.path.has_filename()) one.path = one.path.parent_path();
    }
    return config;
}

CommandResult run_prover(const Globals& globals, const ProverArguments& a) {
    HOLDFAST_ASSIGN(config, prover_config(a));
    HOLDFAST_ASSIGN(log, DaemonLog::open(config.log));
    node::ProverHooks hooks;
    hooks.ready = [&](const Json& ready) { print_ready(globals, ready, **log); };
    HOLDFAST_ASSIGN(summary, node::run_prover(config, **log, hooks, stop_requested()));
    return summary_output(summary);
}

std::string word_of(const Json& entry, const char* name) {
    const auto found = entry.find(name);
    if (found == entry.end() || found->is_null()) return "-";
    return found->is_string() ? found->get<std::string>() : dump(*found);
}

/// Replicas and how their chains stand, a line each: what is short first, the path last.
std::string table_of(const Json& replicas) {
    constexpr std::size_t kChainDigits = 16;
    std::vector<std::vector<std::string>> rows = {
        {"CHAIN", "LINKED", "PHASE", "STATUS", "MISSES", "REPLICA"}};
    for (const Json& one : replicas) {
        const std::string error = word_of(one, "error");
        rows.push_back({word_of(one, "chain").substr(0, kChainDigits),
                        one.value("linked", false) ? "yes" : "no", word_of(one, "phase"),
                        word_of(one, "status"), word_of(one, "misses"),
                        word_of(one, "replica") + (error == "-" ? "" : "  (" + error + ")")});
    }
    std::vector<std::size_t> width(rows[0].size());
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
    }
    std::string out;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i + 1 < row.size(); ++i) {
            out += row[i] + std::string(width[i] - row[i].size() + 2, ' ');
        }
        out += row.back() + "\n";
    }
    return out;
}

/// A line for each deposit: id, phase, bytes arrived of all, whose, and why it is over.
std::string deposits_text(const Json& answer) {
    std::string out;
    for (const Json& one : answer.value("deposits", Json::array())) {
        out += one.value("id", "") + "  " + one.value("phase", "") + "  " +
               std::to_string(one.value("arrived", std::uint64_t{0})) + " of " +
               std::to_string(one.value("bytes", std::uint64_t{0})) + " bytes  of " +
               one.value("client", "");
        if (one.contains("reason")) out += "  " + one.value("reason", "");
        out += "\n";
    }
    return out.empty() ? "no deposits\n" : out;
}

CommandResult ask(const AskArguments& a, const std::string& command) {
    node::Config config;
    if (!a.config.empty()) {
        HOLDFAST_ASSIGN(loaded, node::load_config(a.config));
        config = std::move(loaded);
    }
    if (!a.key.empty()) config.key = a.key;
    if (!a.socket.empty()) config.control = a.socket;
    if (config.key.empty() && config.control.empty()) {
        return fail(ErrorCode::kInvalidArgument, "which prover? give --key, --config or --socket");
    }
    Json arguments = Json::object();
    if (!a.path.empty()) {
        std::filesystem::path path = std::filesystem::absolute(a.path).lexically_normal();
        if (!path.has_filename()) path = path.parent_path();
        arguments["path"] = path.string();
    }
    if (a.end) arguments["end"] = true;
    if (!a.level.empty()) arguments["level"] = a.level;
    if (a.wait_s) arguments["wait_s"] = *a.wait_s;
    HOLDFAST_ASSIGN(answer,
                    node::control_request(node::control_socket(config), command, arguments));
    Output out = summary_output(answer);
    if (command == "deposits") out.text = deposits_text(answer);
    if (command == "list") out.text = table_of(answer.value("replicas", Json::array()));
    return out;
}

struct Spoken {
    const char* name;
    const char* help;
    const char* path;  // what it names; null: nothing
};
constexpr Spoken kSpoken[] = {
    {"status", "what a running prover does, and what is wrong or will be", nullptr},
    {"list", "its replicas, and how their chains stand", nullptr},
    {"deposits", "what others have brought, and how it stands", nullptr},
    {"add", "take a replica, or a folder of them, in", "X.replica or a folder"},
    {"remove", "take a replica or folder out; it is neither linked nor answered for any more",
     "X.replica or a folder"},
    {"rescan", "look at its folders again, now", nullptr},
    {"trust", "believe its nodes again, after two told different histories", nullptr},
    {"health", "what is wrong with it", nullptr},
    {"scrub", "read all its replicas for damage, now, at [scrub] rate", nullptr},
    {"pause", "begin nothing until it is resumed; what falls due is missed", nullptr},
    {"resume", "go on after a pause", nullptr},
    {"drain", "hand over what it has begun, then end it", nullptr},
    {"reload", "read its settings file again, as SIGHUP", nullptr},
    {"log-level", "what its log tells from now on", nullptr},
    {"stop", "end it", nullptr},
};

void add_spoken(Commands& commands, CLI::App* prover, const Spoken& spoken) {
    auto a = std::make_shared<AskArguments>();
    CLI::App* command = prover->add_subcommand(spoken.name, spoken.help);
    const std::string name = spoken.name;
    if (spoken.path != nullptr) command->add_option("path", a->path, spoken.path)->required();
    command->add_option("-k,--key", a->key, "its key file");
    command->add_option("-c,--config", a->config, "its settings file");
    command->add_option("--socket", a->socket, "its control socket (default: KEY.sock)");
    if (name == "remove") {
        command->add_flag("--end", a->end, "ask the network for the end of the chains as well");
    }
    if (name == "scrub") command->add_option("path", a->path, "one replica or folder alone");
    if (name == "log-level") {
        command->add_option("level", a->level, "debug, info, warn, error or off")->required();
    }
    if (name == "drain") command->add_option("--wait", a->wait_s, "seconds at most (default: 600)");
    const std::string example = "  holdfast prover " + name +
                                (spoken.path == nullptr ? "" : " /mnt/disk1/data.replica") +
                                (name == "log-level" ? " debug" : "") + " --key alice.key\n";
    commands.run(command, example, [a, name] { return ask(*a, name); });
}

}  // namespace

void add_prover_commands(Commands& commands) {
    auto s = std::make_shared<ProverArguments>();
    CLI::App* prover = commands.app().add_subcommand(
        "prover", "link, prove, register and answer for replicas, following nodes");
    prover->require_subcommand(0, 1);
    add_daemon_options(prover, s->daemon);
    prover->add_option("-r,--replica", s->replicas,
                       "a replica of the key (repeat); besides those of the file");
    prover->add_option("--raw", s->raw,
                       "its data as before sealing, to serve them raw (repeat, same order)");
    prover->add_option("--folder", s->folders,
                       "a folder of replicas, looked at again while it runs (repeat)");
    prover->add_option("--bond", s->bond, "id of the bond that new replicas are registered with");
    prover->add_option("--retention", s->retention,
                       "of new chains: temporary, default or archival");
    prover->add_flag("--no-commitment", s->no_commitment,
                     "new chains are without the local entropy source");
    prover->add_option("--records", s->records,
                       "folder of signed links and acknowledgements (default: KEY.key.records)");
    prover->add_option("--socket", s->socket, "for commands to it (default: KEY.sock)");
    commands.run(prover,
                 "  holdfast prover --params network.params --key alice.key --folder /mnt/disk1 "
                 "--folder /mnt/disk2 --bond BONDID --listen 127.0.0.1:9001 "
                 "--host KEY@node.example:9000 --accept-anyone\n"
                 "  holdfast prover --config alice.toml --monitor 127.0.0.1:9101\n"
                 "  holdfast prover status --key alice.key\n"
                 "Ctrl-C or SIGTERM stops it; the exit code is then 0.\n",
                 [s, &commands] { return run_prover(commands.globals(), *s); });
    for (const Spoken& spoken : kSpoken) add_spoken(commands, prover, spoken);
}

}  // namespace holdfast::cli
