// The `holdfast` command: parses, runs one command, prints its result as text or JSON.

#include <cstdio>
#include <exception>

#include "cli/commands.hpp"
#include "storage/descriptors.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::cli;

int exit_code_of(const Error& error) {
    switch (error.code) {
        case ErrorCode::kInvalidArgument:
            return kExitUsage;
        case ErrorCode::kRefused:
            return kExitRefused;
        case ErrorCode::kInterrupted:
            return kExitInterrupted;
        default:
            return kExitEnvironment;
    }
}

int print_error(const Globals& globals, const Error& error) {
    if (globals.json) {
        Json json = {{"error", {{"code", to_string(error.code)}, {"message", error.message}}}};
        if (error.code == ErrorCode::kRefused) {
            json["error"]["reason"] = describe(error.verdict.reason).name;
        }
        std::printf("%s\n", dump(json, kIndented).c_str());
    } else {
        std::fprintf(stderr, "holdfast: %s\n", error.message.c_str());
    }
    return exit_code_of(error);
}

int run(int argc, char** argv) {
    Globals globals;
    CLI::App app{
        "Holdfast: prove, block after block, that data are still there, whole, in a copy of one's "
        "own.",
        "holdfast"};
    app.require_subcommand(1);
    app.fallthrough();
    app.set_version_flag("--version", std::string("holdfast ") + HOLDFAST_VERSION);
    app.add_flag("--json", globals.json, "print one JSON object instead of text");
    app.add_flag("-q,--quiet", globals.quiet, "no progress");
    app.add_flag("--progress", globals.force_progress, "progress even when not on a terminal");
    app.footer(
        "Exit codes: 0 done or accepted, 1 refused (the reason is printed), 2 wrong arguments,\n"
        "3 files, disk, memory or locks, 130 interrupted.");
    Commands commands(app, globals);
    add_network_commands(commands);
    add_chain_commands(commands);
    add_seal_commands(commands);
    add_scrub_commands(commands);
    add_shard_commands(commands);
    add_register_commands(commands);
    add_block_commands(commands);
    add_registry_commands(commands);
    add_aggregate_commands(commands);
    add_proof_commands(commands);
    add_entropy_command(commands);
    add_vdf_commands(commands);
    add_evidence_commands(commands);
    add_reason_commands(commands);
    add_simulate_command(commands);
    add_bounds_commands(commands);
    add_cost_command(commands);
    add_node_command(commands);
    add_serve_command(commands);
    add_challenge_commands(commands);
    add_tool_commands(commands);
    add_config_commands(commands);
    add_fetch_command(commands);
    add_latency_command(commands);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kExitOk : kExitUsage;
    }
    const CommandResult result = commands.chosen()();
    if (!result) return print_error(globals, result.error());
    if (globals.json) {
        std::printf("%s\n", dump(result->json, kIndented).c_str());
    } else {
        std::fputs(result->text.c_str(), stdout);
    }
    return result->exit_code;
}

}  // namespace

int main(int argc, char** argv) {
    occupy_standard_descriptors();
    install_signal_handlers();
    try {
        return run(argc, argv);
    } catch (const std::bad_alloc&) {
        std::fputs("holdfast: out of memory\n", stderr);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "holdfast: internal error: %s\n", error.what());
    }
    return kExitEnvironment;
}
