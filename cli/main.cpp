// The `holdfast` command: parses, runs one command, prints its result as text or JSON.

#include <cstdio>
#include <exception>
#include <sstream>

#include "cli/commands.hpp"
#include "cli/standard_output.hpp"
#include "cli/version.hpp"
#include "cli/waiting.hpp"
#include "storage/descriptors.hpp"
#include "storage/passphrase.hpp"

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

int print_error(bool as_json, const Error& error) {
    if (as_json) {
        Json json = {{"error", {{"code", to_string(error.code)}, {"message", error.message}}}};
        if (error.code == ErrorCode::kRefused) {
            json["error"]["reason"] = describe(error.verdict.reason).name;
        }
        return print_output(dump(json, kIndented) + "\n", exit_code_of(error));
    }
    std::fprintf(stderr, "holdfast: %s\n", error.message.c_str());
    return exit_code_of(error);
}

int print_result(const Output& result, bool as_json) {
    if (!as_json) return print_output(result.text, result.exit_code);
    const std::string json = result.one_line ? dump(result.json) : dump(result.json, kIndented);
    return print_output(json + "\n", result.exit_code);
}

/// Whether --json is among the words, also where they make no sense to the parser.
bool wants_json(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--") return false;
        if (word == "--json") return true;
    }
    return false;
}

/// Help and version, or what is wrong with the words.
int end_of_parsing(const CLI::App& app, const CLI::ParseError& error, bool as_json) {
    if (dynamic_cast<const CLI::CallForVersion*>(&error) != nullptr) {
        return print_result(version_output(), as_json);
    }
    std::ostringstream out;
    std::ostringstream err;
    if (app.exit(error, out, err) == 0) return print_output(out.str(), kExitOk);
    if (as_json) return print_error(true, {ErrorCode::kInvalidArgument, error.what(), {}});
    std::fputs(err.str().c_str(), stderr);
    return kExitUsage;
}

int run(int argc, char** argv) {
    Globals globals;
    CLI::App app{
        "Holdfast: prove, block after block, that data are still there, whole, in a copy of one's "
        "own.",
        "holdfast"};
    app.require_subcommand(1);
    app.fallthrough();
    app.set_version_flag("--version", std::string(), "version, commit, compiler, kernels in use");
    app.add_flag("--json", globals.json, "print one JSON object instead of text");
    app.add_flag("-q,--quiet", globals.quiet, "no progress");
    app.add_flag("--progress", globals.force_progress, "progress even when not on a terminal");
    PassphraseSource passphrases;
    passphrases.terminal = true;
    app.add_option("--passphrase-file", passphrases.file,
                   "file with the passphrase of key files, mode 0600 (default: asked at the "
                   "terminal)");
    app.add_option("--passphrase-fd", passphrases.descriptor,
                   "descriptor that the passphrase is read from");
    app.footer(
        "Exit codes: 0 done or accepted, 1 refused (the reason is printed), 2 wrong arguments,\n"
        "3 files, disk, memory, locks, or an output that cannot be written, 130 interrupted,\n"
        "141 nobody reads the output any more.");
    Commands commands(app, globals);
    add_network_commands(commands);
    add_key_commands(commands);
    add_chain_commands(commands);
    add_seal_commands(commands);
    add_scrub_commands(commands);
    add_shard_commands(commands);
    add_register_commands(commands);
    add_block_commands(commands);
    add_registry_commands(commands);
    add_aggregate_commands(commands);
    add_proof_commands(commands);
    add_watch_command(commands);
    add_keeper_command(commands);
    add_status_command(commands);
    add_entropy_command(commands);
    add_vdf_commands(commands);
    add_evidence_commands(commands);
    add_reason_commands(commands);
    add_simulate_command(commands);
    add_bounds_commands(commands);
    add_cost_command(commands);
    add_node_command(commands);
    add_monitor_log_command(commands);
    add_prover_commands(commands);
    add_challenger_commands(commands);
    add_submit_command(commands);
    add_tool_commands(commands);
    add_config_commands(commands);
    add_fetch_command(commands);
    add_put_command(commands);
    add_get_command(commands);
    add_kept_commands(commands);
    add_latency_command(commands);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return end_of_parsing(app, error, wants_json(argc, argv));
    }
    use_passphrases(passphrases);
    if (globals.quiet) Waiting::keep_quiet();
    const CommandResult result = commands.chosen()();
    if (!result) return print_error(globals.json, result.error());
    return print_result(*result, globals.json);
}

/// A failure outside of any command's own.
int print_failure(int argc, char** argv, ErrorCode code, const std::string& message) {
    try {
        return print_error(wants_json(argc, argv), {code, message, {}});
    } catch (const std::exception&) {
        std::fputs("holdfast: out of memory\n", stderr);
        return kExitEnvironment;
    }
}

}  // namespace

int main(int argc, char** argv) {
    occupy_standard_descriptors();
    install_signal_handlers();
    try {
        return run(argc, argv);
    } catch (const std::bad_alloc&) {
        return print_failure(argc, argv, ErrorCode::kOutOfMemory, "out of memory");
    } catch (const std::exception& error) {
        return print_failure(argc, argv, ErrorCode::kIo,
                             "internal error: " + std::string(error.what()));
    }
}
