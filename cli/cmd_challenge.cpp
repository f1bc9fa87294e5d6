// challenge register, challenge run: a challenger's registration and daemon.

#include "availability/challenger.hpp"
#include "cli/commands.hpp"
#include "cli/daemon_options.hpp"
#include "cli/workspace.hpp"
#include "node/challenge.hpp"
#include "storage/key_file.hpp"

namespace holdfast::cli {
namespace {

constexpr std::uint64_t kBaseMargin = 4;  // blocks that a registration may take to be listed

struct RegisterChallengerArguments {
    std::string dir = "node";
    std::string key;
    std::uint64_t bond = 1'000;
    std::optional<std::uint64_t> base;
    bool force = false;
};

struct RunArguments {
    DaemonOptions daemon;
    std::optional<std::string> journal;
    std::optional<unsigned> at_once;
};

CommandResult run_register_challenger(const RegisterChallengerArguments& arguments) {
    const NodePaths paths{arguments.dir};
    HOLDFAST_ASSIGN(chain, open_chain(paths, LocalChain::Mode::kReadWrite));
    HOLDFAST_ASSIGN(key, load_key_pair(arguments.key));
    const std::filesystem::path file = node::challenger_file(arguments.key);
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored) && !arguments.force) {
        return fail(ErrorCode::kAlreadyExists,
                    file.string() +
                        " exists: this key is registered already (--force registers "
                        "it again, with a later base)");
    }
    HOLDFAST_ASSIGN(tip, chain->current_height());
    const NetworkParams& params = chain->params();
    const Height base =
        arguments.base ? Height(*arguments.base) : tip + 1 + params.seal_delay + kBaseMargin;
    if (base < tip + 1 + params.seal_delay) {
        return fail(
            ErrorCode::kInvalidArgument,
            "--base must be at least " + std::to_string((tip + 1 + params.seal_delay).value));
    }
    HOLDFAST_ASSIGN(ledger, open_ledger(paths, chain->network_id()));
    const IdempotencyKey bond_key(
        tagged_hash("cli/challenger-bond", chain->network_id(), key.public_key(), base));
    const Result<BondId> bond =
        ledger->create_bond(key.public_key(), arguments.bond, BondPurpose::kChallenger, bond_key);
    if (!bond) {
        return fail(bond.error().code,
                    bond.error().message +
                        "; give the key units first: holdfast ledger issue --key " + arguments.key +
                        " --amount " + std::to_string(arguments.bond));
    }
    HOLDFAST_TRY(list_bond_events(*chain, *ledger));
    const Reveal commitment = challenger_commitment(chain->network_id(), key, base);
    const Challenger registration =
        make_challenger(chain->network_id(), commitment, base, *bond, key);
    const Bytes object = wrap_object(Kind::kChallenger, registration.encode());
    HOLDFAST_TRY(write_object(file, object, arguments.force));
    HOLDFAST_TRY(chain->submit(Kind::kChallenger, object));
    Output out;
    out.field("challenger", to_hex(key.public_key()));
    out.field("registration", file.string());
    out.field("base", base.value);
    out.field("bond_id", to_hex(*bond));
    out.line("submitted; in force from height " + std::to_string(base.value) +
             " on, if a final block lists it by " + std::to_string(base.value - params.seal_delay));
    return out;
}

CommandResult run_daemon(const Globals& globals, const RunArguments& a) {
    HOLDFAST_ASSIGN(config, daemon_config(a.daemon));
    if (a.journal) config.journal = *a.journal;
    if (a.at_once) config.challenging.at_once = *a.at_once;
    HOLDFAST_ASSIGN(log, DaemonLog::open(config.log));
    const node::ChallengeHooks hooks{
        [&](const Json& ready) { print_ready(globals, ready, **log); }};
    HOLDFAST_ASSIGN(summary, node::run_challenge(config, **log, hooks, stop_requested()));
    return summary_output(summary);
}

}  // namespace

void add_challenge_commands(Commands& commands) {
    CLI::App* challenge =
        commands.app().add_subcommand("challenge", "the verifier's side of availability");
    challenge->require_subcommand(1);
    auto r = std::make_shared<RegisterChallengerArguments>();
    CLI::App* reg =
        challenge->add_subcommand("register", "post a bond and register a key as a challenger");
    add_dir_option(reg, r->dir);
    reg->add_option("-k,--key", r->key, "the challenger's key file")->required();
    reg->add_option("--bond", r->bond, "units of the bond")->capture_default_str();
    reg->add_option("--base", r->base,
                    "first height of its reveal chain (default: as soon as it may be)");
    reg->add_flag("--force", r->force, "register a key again, when its reveal chain runs out");
    commands.run(reg, "  holdfast challenge register --dir node --key carol.key --bond 500\n",
                 [r] { return run_register_challenger(*r); });

    auto a = std::make_shared<RunArguments>();
    CLI::App* run = challenge->add_subcommand(
        "run", "challenge provers, judge their answers and publish them, following a node");
    add_daemon_options(run, a->daemon);
    run->add_option("--journal", a->journal, "folder of this key's record of challenges");
    run->add_option("--at-once", a->at_once, "answers waited for at a time")
        ->check(CLI::Range(1U, 1'024U));
    commands.run(run,
                 "  holdfast challenge run --params network.params --key carol.key --journal "
                 "carol.journal --host KEY@127.0.0.1:9000 --peer KEY@127.0.0.1:9001\n"
                 "  holdfast challenge run --config carol.toml --json\n"
                 "Ctrl-C or SIGTERM stops it; the exit code is then 0.\n",
                 [a, &commands] { return run_daemon(commands.globals(), *a); });
}

}  // namespace holdfast::cli
