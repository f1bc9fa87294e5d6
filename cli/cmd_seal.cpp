// seal and unseal.

#include "chunking/seal.hpp"
#include "chunking/unseal.hpp"
#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "json/param_fields.hpp"
#include "storage/key_file.hpp"

namespace holdfast::cli {
namespace {

struct SealArguments {
    std::string source;
    std::string key;
    std::string dir = "node";
    std::string out;
    std::string preset;
    std::optional<std::uint64_t> nonce;
    std::uint64_t segment = 0;
    unsigned workers = 0;
    bool restart = false;
    std::string params;
};

constexpr const char* kParamsHelp =
    "network.params, or a folder that has it: instead of a node's folder";

/// Of network.params, which is all that a prover's machine needs; or of a node's folder.
Result<NetworkParams> network_of(const std::string& params, const std::string& dir) {
    if (!params.empty()) return read_network(params);
    HOLDFAST_ASSIGN(chain, open_chain(NodePaths{dir}, LocalChain::Mode::kRead));
    return chain->params();
}

double mib_per_second(std::uint64_t bytes, double seconds) {
    return seconds > 0 ? static_cast<double>(bytes) / 1048576.0 / seconds : 0;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string two_decimals(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

CommandResult run_seal(const Globals& globals, const SealArguments& arguments) {
    HOLDFAST_ASSIGN(key, load_key_pair(arguments.key));
    HOLDFAST_ASSIGN(network, network_of(arguments.params, arguments.dir));
    SealRequest request;
    request.network = std::move(network);
    request.prover = key.public_key();
    request.seal = request.network.seal_presets.front();
    if (!arguments.preset.empty()) {
        HOLDFAST_ASSIGN(preset, seal_params_from(arguments.preset));
        request.seal = preset;
    }
    request.segment = arguments.segment;
    request.nonce = arguments.nonce;
    request.source = arguments.source;
    request.replica_path = arguments.out.empty() ? arguments.source + ".replica" : arguments.out;
    if (request.replica_path.extension() != ".replica") {
        return fail(ErrorCode::kInvalidArgument,
                    "--out must end in .replica (its tree and registration are "
                    "named after it)");
    }
    request.tree_path = ProverFiles::beside(request.replica_path).tree;
    SealOptions options;
    options.workers = arguments.workers;
    options.restart = arguments.restart;
    options.stop = stop_requested();
    std::optional<Progress> shown;
    std::optional<SealStage> stage;
    options.progress = [&](const SealProgress& p) {
        if (stage != p.stage) {
            stage = p.stage;
            shown.reset();
            shown.emplace(globals, to_string(p.stage), "B");
        }
        shown->update(p.done_bytes, p.total_bytes);
    };
    const auto start = std::chrono::steady_clock::now();
    HOLDFAST_ASSIGN(sealed, seal(request, options));
    const double seconds = seconds_since(start);
    shown.reset();
    Output out;
    out.field("replica", request.replica_path.string());
    out.field("tree", request.tree_path.string());
    out.field("replica_id", to_hex(sealed.header.replica_id));
    out.field("raw_root", to_hex(sealed.header.replica.raw_root));
    out.field("sealed_root", to_hex(sealed.header.sealed_root));
    out.field("data_bytes", sealed.header.replica.data_len);
    out.field("chunks", sealed.header.replica.chunks.value);
    out.field("windows", sealed.windows);
    out.json["windows_taken_over"] = sealed.windows_taken_over;
    if (sealed.windows_taken_over > 0) {
        out.line(std::to_string(sealed.windows_taken_over) +
                 " windows were taken over from an earlier attempt and checked");
    }
    out.json["seconds"] = seconds;
    out.json["mib_per_second"] = mib_per_second(sealed.replica_bytes, seconds);
    out.line("sealed in " + format_duration(seconds) + " (" +
             two_decimals(mib_per_second(sealed.replica_bytes, seconds)) + " MiB/s)");
    return out;
}

struct UnsealArguments {
    std::string replica;
    std::string dir = "node";
    std::string params;
    std::string out;
    std::optional<std::uint64_t> offset;
    std::optional<std::uint64_t> length;
    unsigned workers = 0;
};

CommandResult run_unseal(const Globals& globals, const UnsealArguments& arguments) {
    HOLDFAST_ASSIGN(network, network_of(arguments.params, arguments.dir));
    const ProverFiles files = ProverFiles::beside(arguments.replica);
    HOLDFAST_ASSIGN(replica, Replica::open(files.replica, files.tree, network));
    UnsealOptions options;
    options.workers = arguments.workers;
    options.stop = stop_requested();
    Progress progress(globals, "unsealing", "B");
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
        progress.update(done, total);
    };
    const std::uint64_t data_len = replica.header().replica.data_len;
    const auto start = std::chrono::steady_clock::now();
    std::uint64_t written = data_len;
    if (arguments.offset || arguments.length) {
        const std::uint64_t offset = arguments.offset.value_or(0);
        if (offset > data_len)
            return fail(ErrorCode::kInvalidArgument, "--offset lies beyond the data's end");
        written = arguments.length.value_or(data_len - offset);
        HOLDFAST_TRY(unseal_range(replica, offset, written, arguments.out, options));
    } else {
        HOLDFAST_TRY(unseal(replica, arguments.out, options));
    }
    const double seconds = seconds_since(start);
    Output out;
    out.field("file", arguments.out);
    out.field("bytes", written);
    out.json["seconds"] = seconds;
    out.line("every byte was checked against raw_root; took " + format_duration(seconds));
    return out;
}

}  // namespace

void add_seal_commands(Commands& commands) {
    auto seal_arguments = std::make_shared<SealArguments>();
    CLI::App* seal_command =
        commands.app().add_subcommand("seal", "make this prover's own replica of a file");
    seal_command->add_option("file", seal_arguments->source, "the file to seal")->required();
    seal_command->add_option("-k,--key", seal_arguments->key, "the prover's key file")->required();
    add_dir_option(seal_command, seal_arguments->dir);
    seal_command->add_option("-p,--params", seal_arguments->params, kParamsHelp);
    seal_command->add_option("-o,--out", seal_arguments->out,
                             "replica to make (default: FILE.replica)");
    seal_command->add_option("--preset", seal_arguments->preset,
                             "a preset of the network (default: its first)");
    seal_command->add_option("--nonce", seal_arguments->nonce,
                             "makes another replica of the same data (default: the segment)");
    seal_command->add_option("--segment", seal_arguments->segment, "which 4 GiB of a larger file")
        ->capture_default_str();
    seal_command->add_option(
        "--workers", seal_arguments->workers,
        "windows at once; memory is window * workers + 64 MiB (default: cores)");
    seal_command->add_flag("--restart", seal_arguments->restart,
                           "discard an unfinished earlier attempt instead of resuming it");
    commands.run(
        seal_command,
        "  holdfast seal data.bin --key alice.key --dir node\n"
        "  holdfast seal data.bin --key alice.key --dir node     # again after Ctrl-C or a crash: "
        "goes on\n"
        "  holdfast seal data.bin --key alice.key --dir node --restart\n"
        "  holdfast seal data.bin --key alice.key --params network.params\n",
        [seal_arguments, &commands] { return run_seal(commands.globals(), *seal_arguments); });

    auto unseal_arguments = std::make_shared<UnsealArguments>();
    CLI::App* unseal_command =
        commands.app().add_subcommand("unseal", "get the original bytes back");
    unseal_command->add_option("replica", unseal_arguments->replica, "X.replica (X.tree beside it)")
        ->required();
    unseal_command->add_option("-o,--out", unseal_arguments->out, "file to make; never replaced")
        ->required();
    add_dir_option(unseal_command, unseal_arguments->dir);
    unseal_command->add_option("-p,--params", unseal_arguments->params, kParamsHelp);
    unseal_command->add_option("--offset", unseal_arguments->offset, "first byte (default 0)");
    unseal_command->add_option("--length", unseal_arguments->length, "bytes (default: to the end)");
    unseal_command->add_option("--workers", unseal_arguments->workers,
                               "windows at once (default: cores)");
    commands.run(
        unseal_command,
        "  holdfast unseal data.bin.replica --out data.bin --dir node\n"
        "  holdfast unseal data.bin.replica --out part --offset 1000000 --length 4096 --dir node\n",
        [unseal_arguments, &commands] {
            return run_unseal(commands.globals(), *unseal_arguments);
        });
}

}  // namespace holdfast::cli
