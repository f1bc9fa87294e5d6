// challenger, challenger register: a challenger's registration and daemon.

#include <charconv>
#include <functional>

#include "availability/challenger.hpp"
#include "cli/ask_node.hpp"
#include "cli/commands.hpp"
#include "cli/daemon_options.hpp"
#include "cli/peer_link.hpp"
#include "cli/workspace.hpp"
#include "node/challenger.hpp"
#include "node/connect.hpp"
#include "storage/key_file.hpp"

namespace holdfast::cli {
namespace {

// Blocks that a registration may take to be listed and final: here, and through a node afar.
constexpr std::uint64_t kBaseMargin = 4;
constexpr std::uint64_t kBaseMarginAfar = 16;
constexpr std::uint64_t kDefaultBond = 1'000;
constexpr std::uint32_t kWaitMs = 10'000;  // for the node that is to take it

struct RegisterArguments {
    std::string dir = "node";
    std::string key;
    std::string bond;    // units; with a host, the id of a bond that exists
    std::string host;    // KEY@HOST:PORT: of the node that takes it; empty: the folder's
    std::string params;  // with a host
    std::optional<std::uint64_t> base;
    bool force = false;
};

struct RunArguments {
    DaemonOptions daemon;
    std::optional<std::string> journal;
    std::optional<unsigned> at_once;
};

Result<std::filesystem::path> new_file(const RegisterArguments& arguments) {
    const std::filesystem::path file = node::challenger_file(arguments.key);
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored) && !arguments.force) {
        return fail(ErrorCode::kAlreadyExists,
                    file.string() +
                        " exists: this key is registered already (--force registers "
                        "it again, with a later base)");
    }
    return file;
}

Result<Height> base_of(const RegisterArguments& arguments, const NetworkParams& params, Height tip,
                       std::uint64_t margin) {
    const Height least = tip + 1 + params.seal_delay;
    const Height base = arguments.base ? Height(*arguments.base) : least + margin;
    if (base < least) {
        return fail(ErrorCode::kInvalidArgument,
                    "--base must be at least " + std::to_string(least.value));
    }
    return base;
}

/// Written whole before it is handed over, so that what was handed over is not lost.
CommandResult hand_over(const RegisterArguments& arguments, const std::filesystem::path& file,
                        const NetworkParams& params, const KeyPair& key, Height base,
                        const BondId& bond, const std::function<Status(ByteView object)>& submit) {
    const NetworkId network = params.id();
    HOLDFAST_ASSIGN(commitment, challenger_commitment(network, key, base));
    HOLDFAST_ASSIGN(registration, make_challenger(network, commitment, base, bond, key));
    const Bytes object = wrap_object(Kind::kChallenger, registration.encode());
    HOLDFAST_TRY(write_object(file, object, arguments.force));
    HOLDFAST_TRY(submit(object));
    Output out;
    out.field("challenger", to_hex(key.public_key()));
    out.field("registration", file.string());
    out.field("base", base.value);
    out.field("bond_id", to_hex(bond));
    out.line("submitted; in force from height " + std::to_string(base.value) +
             " on, if a final block lists it by " + std::to_string(base.value - params.seal_delay));
    return out;
}

/// In a node's folder, with a bond of its own.
CommandResult register_here(const RegisterArguments& arguments) {
    const NodePaths paths{arguments.dir};
    std::uint64_t units = kDefaultBond;
    if (!arguments.bond.empty()) {
        const char* const end = arguments.bond.data() + arguments.bond.size();
        const auto read = std::from_chars(arguments.bond.data(), end, units);
        if (read.ec != std::errc{} || read.ptr != end) {
            return fail(ErrorCode::kInvalidArgument, "--bond is a number of units, not '" +
                                                         arguments.bond +
                                                         "'; the id of a bond goes with --host");
        }
    }
    HOLDFAST_ASSIGN(chain, open_chain(paths, LocalChain::Mode::kRead));
    HOLDFAST_ASSIGN(key, load_key_pair(arguments.key));
    HOLDFAST_ASSIGN(file, new_file(arguments));
    HOLDFAST_ASSIGN(tip, chain->current_height());
    HOLDFAST_ASSIGN(base, base_of(arguments, chain->params(), tip, kBaseMargin));
    const Digest call =
        tagged_hash("cli/challenger-bond", chain->network_id(), key.public_key(), base);
    const Result<Json> made = ask_node(arguments.dir, "ledger bond",
                                       {{"owner", to_hex(key.public_key())},
                                        {"amount", units},
                                        {"purpose", to_string(BondPurpose::kChallenger)},
                                        {"key", to_hex(call)}});
    if (!made && made.error().code == ErrorCode::kUnavailable) {
        return fail(made.error().code,
                    made.error().message +
                        "; give the key units first: holdfast ledger issue --key " + arguments.key +
                        " --amount " + std::to_string(units));
    }
    if (!made) return fail(made.error());
    HOLDFAST_ASSIGN(bond,
                    parse_hex<BondId>((*made)["bond_id"].get<std::string>(), "the bond's id"));
    const auto submit = [&](ByteView object) -> Status {
        HOLDFAST_TRY(ask_node(arguments.dir, "chain submit", {{"object", to_hex(object)}}));
        return {};
    };
    return hand_over(arguments, file, chain->params(), key, base, bond, submit);
}

/// Through a node somewhere else, with a bond that the host chain has already.
CommandResult register_afar(const RegisterArguments& arguments) {
    if (arguments.params.empty()) {
        return fail(ErrorCode::kInvalidArgument, "--host needs --params as well");
    }
    HOLDFAST_ASSIGN(bond, parse_hex<BondId>(arguments.bond, "--bond, with --host a bond's id,"));
    node::Config config;
    config.params = arguments.params;
    config.key = arguments.key;
    HOLDFAST_ASSIGN(host, parse_peer(arguments.host, "--host", true));
    config.hosts = {host};
    HOLDFAST_ASSIGN(identity, node::open_identity(config));
    HOLDFAST_ASSIGN(file, new_file(arguments));
    node::LogOptions silent;
    silent.level = node::LogLevel::kOff;
    HOLDFAST_ASSIGN(log, node::Log::open(silent));
    HOLDFAST_ASSIGN(network, node::start_network(config, identity.params.id(), *identity.key,
                                                 kRoleChallenger, {}, *log));
    HOLDFAST_ASSIGN(client, node::follow_host(config, *network));
    HOLDFAST_TRY(wait_connected(*network, {host.key, host.address}, kWaitMs / 1'000.0));
    HOLDFAST_ASSIGN(tip, client->tip());
    HOLDFAST_ASSIGN(base, base_of(arguments, identity.params, tip.height,
                                  kBaseMarginAfar + identity.params.finality_blocks));
    return hand_over(arguments, file, identity.params, *identity.key, base, bond,
                     [&](ByteView object) { return client->submit(Kind::kChallenger, object); });
}

CommandResult run_register(const RegisterArguments& arguments) {
    return arguments.host.empty() ? register_here(arguments) : register_afar(arguments);
}

CommandResult run_daemon(const Globals& globals, const RunArguments& a) {
    HOLDFAST_ASSIGN(config, daemon_config(a.daemon));
    if (a.journal) config.journal = *a.journal;
    if (a.at_once) config.challenging.at_once = *a.at_once;
    HOLDFAST_ASSIGN(log, DaemonLog::open(config.log));
    const node::ChallengerHooks hooks{
        [&](const Json& ready) { print_ready(globals, ready, **log); }};
    HOLDFAST_ASSIGN(summary, node::run_challenger(config, **log, hooks, stop_requested()));
    return summary_output(summary);
}

}  // namespace

void add_challenger_commands(Commands& commands) {
    auto a = std::make_shared<RunArguments>();
    CLI::App* challenger = commands.app().add_subcommand(
        "challenger", "challenge provers, judge their answers and publish them, following a node");
    challenger->require_subcommand(0, 1);
    add_daemon_options(challenger, a->daemon);
    challenger->add_option("--journal", a->journal, "folder of this key's record of challenges");
    challenger->add_option("--at-once", a->at_once, "answers waited for at a time")
        ->check(CLI::Range(1U, 1'024U));
    commands.run(challenger,
                 "  holdfast challenger --params network.params --key carol.key --journal "
                 "carol.journal --host KEY@127.0.0.1:9000 --peer KEY@127.0.0.1:9001\n"
                 "  holdfast challenger --config carol.toml --json\n"
                 "Ctrl-C or SIGTERM stops it; the exit code is then 0.\n",
                 [a, &commands] { return run_daemon(commands.globals(), *a); });

    auto r = std::make_shared<RegisterArguments>();
    CLI::App* reg = challenger->add_subcommand(
        "register", "register a key as a challenger, in a node's folder or through a node");
    add_dir_option(reg, r->dir);
    reg->add_option("-k,--key", r->key, "the challenger's key file")->required();
    reg->add_option("--bond", r->bond,
                    "units of the bond that is made (default: 1000); with --host the id of one "
                    "that the host chain has");
    reg->add_option("--host", r->host, "KEY@HOST:PORT of the node that takes it, without a folder");
    reg->add_option("-p,--params", r->params,
                    "network.params, or a folder that has it; for --host");
    reg->add_option("--base", r->base,
                    "first height of its reveal chain (default: as soon as it may be)");
    reg->add_flag("--force", r->force, "register a key again, when its reveal chain runs out");
    commands.run(reg,
                 "  holdfast challenger register --dir node --key carol.key --bond 500\n"
                 "  holdfast challenger register --params network.params --key carol.key "
                 "--bond BONDID --host KEY@node.example:9000\n",
                 [r] { return run_register(*r); });
}

}  // namespace holdfast::cli
