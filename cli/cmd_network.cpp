// network init, params, keygen.

#include <cmath>
#include <cstdio>

#include "analysis/height_cost.hpp"
#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "json/param_fields.hpp"
#include "storage/file.hpp"
#include "storage/key_file.hpp"

namespace holdfast::cli {
namespace {

struct InitOptions {
    std::string dir = "node";
    std::string name = "local";
    std::vector<std::string> presets;
    std::vector<std::string> settings;
    std::uint64_t genesis_height = 0;
    std::optional<std::uint64_t> genesis_time_ms;
    bool no_vdf = false;
    bool beacon = false;
    bool no_costs = false;
};

struct PresetPurpose {
    std::string_view name;
    std::string_view purpose;
};
constexpr PresetPurpose kPurposes[] = {
    {"standard",
     "sealing that costs more to do again than to keep, and takes longer than a "
     "challenge allows: the usual choice"},
    {"hardened", "the same against faster hardware: four times the work of sealing"},
    {"economy",
     "quicker to seal; making it again is dearer than keeping it, but not slower than "
     "a challenge allows"},
    {"dev",
     "for trying out: proves nothing about storage; alone it makes the whole network "
     "quick, its clock, its blocks and its deadlines"},
};

Result<NetworkParams> params_from(const InitOptions& options, const PublicKey& operator_key,
                                  const std::optional<PublicKey>& beacon_key,
                                  std::uint64_t genesis_time_ms) {
    const bool quick = options.presets == std::vector<std::string>{"dev"};
    HOLDFAST_ASSIGN(params, network_preset(quick ? "dev" : "default"));
    params.name = options.name;
    params.genesis_height = Height(options.genesis_height);
    params.operator_key = operator_key;
    if (options.no_vdf) {
        params.has_vdf = false;
        params.epoch_blocks = params.epoch_lag = 0;
    }
    if (beacon_key) {
        params.has_beacon = true;
        params.beacon_key.assign(beacon_key->begin(), beacon_key->end());
        params.beacon_genesis_s = genesis_time_ms / 1000;
        params.beacon_period_s = 3;
        params.beacon_delay_s = 3;
    }
    if (!options.presets.empty()) params.seal_presets.clear();
    for (const std::string& name : options.presets) {
        HOLDFAST_ASSIGN(preset, seal_params_from(name));
        params.seal_presets.push_back(preset);
    }
    HOLDFAST_TRY(apply_settings(params, options.settings));
    if (params.has_beacon != beacon_key.has_value() ||
        (beacon_key && !std::ranges::equal(params.beacon_key, *beacon_key))) {
        return fail(ErrorCode::kInvalidArgument,
                    "the node that is made here has a beacon of its own (--beacon): --set "
                    "beacon_key names another, which a host has that embeds the library");
    }
    return params;
}

std::string time_text(double seconds) {
    char text[48];
    if (seconds >= 0.1) {
        std::snprintf(text, sizeof text, "%.2f s", seconds);
    } else if (seconds >= 1e-4) {
        std::snprintf(text, sizeof text, "%.2f ms", seconds * 1e3);
    } else {
        std::snprintf(text, sizeof text, "%.1f us", seconds * 1e6);
    }
    return text;
}

/// What a height costs here; a machine that cannot measure it has its network all the same.
void add_costs(const NetworkParams& params, Output& out) {
    const Result<HeightCost> measured = measure_height(params, stop_requested());
    if (!measured) {
        out.line("a height here: not measured (" + measured.error().message + ")");
        return;
    }
    const HeightCost& cost = *measured;
    out.json["height_cost"] = {
        {"arena_seconds", cost.arena_seconds}, {"y_seconds", cost.y_seconds},
        {"check_seconds", cost.check_seconds}, {"link_seconds", cost.link_seconds},
        {"sign_seconds", cost.sign_seconds},   {"verify_seconds", cost.verify_seconds}};
    out.line("a height on this machine, as measured now (blocks every " +
             time_text(params.block_ms / 1e3) + "):");
    if (params.has_vdf) {
        out.line("  y             " + time_text(cost.y_seconds) + " on one core, " +
                 std::to_string(params.vdf.total_steps()) + " steps; its arena " +
                 time_text(cost.arena_seconds) + ", once in " +
                 std::to_string(params.epoch_blocks) + " blocks");
        out.line("  check of y    " + time_text(cost.check_seconds) + " on all cores, in full");
    }
    out.line("  a link        " + time_text(cost.link_seconds) + " and " +
             std::to_string(kChunksPerLink) + " reads of the replica");
    out.line("  a signature   " + time_text(cost.sign_seconds) + ", and " +
             time_text(cost.verify_seconds) + " to check");
    const double block_seconds = params.block_ms / 1e3;
    if (cost.y_seconds > block_seconds) {
        out.line("  y takes longer than a block: " +
                 std::to_string(static_cast<int>(std::ceil(cost.y_seconds / block_seconds))) +
                 " heights are evaluated side by side, a core each; holdfast vdf calibrate says "
                 "what suits this machine");
    }
}

/// For --help.
std::string purposes_text() {
    std::string out = "Seal presets:\n";
    for (const PresetPurpose& one : kPurposes) {
        std::string name(one.name);
        name.resize(10, ' ');
        out += "  " + name + std::string(one.purpose) + "\n";
    }
    return out;
}

void add_purposes(const NetworkParams& params, Output& out) {
    out.json["presets"] = Json::object();
    for (const SealParams& preset : params.seal_presets) {
        const std::string_view name = seal_preset_name(preset);
        for (const PresetPurpose& one : kPurposes) {
            if (one.name != name) continue;
            out.json["presets"][std::string(name)] = one.purpose;
            out.line("preset " + std::string(name) + ": " + std::string(one.purpose));
        }
    }
}

/// Takes away what a failed init has made; what was there before stays.
class Undo {
  public:
    Undo() = default;
    Undo(const Undo&) = delete;
    Undo& operator=(const Undo&) = delete;
    ~Undo() {
        std::error_code ignored;
        for (auto path = made_.rbegin(); path != made_.rend(); ++path) {
            std::filesystem::remove_all(*path, ignored);
        }
    }
    void made(const std::filesystem::path& path) { made_.push_back(path); }
    void keep_all() { made_.clear(); }

  private:
    std::vector<std::filesystem::path> made_;
};

CommandResult init(const InitOptions& options) {
    const NodePaths paths{options.dir};
    const std::uint64_t now_ms =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                       std::chrono::system_clock::now().time_since_epoch())
                                       .count());
    const std::uint64_t genesis_ms = options.genesis_time_ms.value_or(now_ms);
    std::optional<KeyPair> beacon;
    std::optional<PublicKey> beacon_key;
    if (options.beacon) {
        HOLDFAST_ASSIGN(key, generate_key_pair());
        beacon_key = key.public_key();
        beacon = std::move(key);
    }
    HOLDFAST_ASSIGN(operator_key, generate_key_pair());
    HOLDFAST_ASSIGN(params,
                    params_from(options, operator_key.public_key(), beacon_key, genesis_ms));
    std::error_code error;
    if (std::filesystem::exists(paths.chain(), error)) {
        return fail(ErrorCode::kAlreadyExists, paths.dir.string() + " holds a node already");
    }
    Undo undo;
    const bool fresh = std::filesystem::create_directories(paths.dir, error);
    if (error) return fail_errno(error.value(), paths.dir.string());
    if (fresh) undo.made(paths.dir);
    HOLDFAST_ASSIGN(evaluator, generate_key_pair());
    HOLDFAST_TRY(save_key_pair(evaluator, paths.evaluator_key()));
    undo.made(paths.evaluator_key());
    HOLDFAST_TRY(save_key_pair(operator_key, paths.operator_key()));
    undo.made(paths.operator_key());
    if (beacon) {
        HOLDFAST_TRY(save_key_pair(*beacon, paths.beacon_key()));
        undo.made(paths.beacon_key());
    }
    if (std::filesystem::create_directory(paths.chain(), error)) undo.made(paths.chain());
    HOLDFAST_ASSIGN(chain, LocalChain::create(paths.chain(), params, genesis_ms));
    undo.keep_all();
    Output out;
    out.field("dir", paths.dir.string());
    out.field("network_id", to_hex(params.id()));
    out.field("evaluator", to_hex(evaluator.public_key()));
    out.field("operator", to_hex(operator_key.public_key()));
    out.field("genesis_height", params.genesis_height.value);
    out.json["network"] = params_json(params);
    add_purposes(params, out);
    if (!options.no_costs) add_costs(params, out);
    out.line("next: holdfast chain new-block --dir " + paths.dir.string() + " --count " +
             std::to_string(params.finality_blocks + 1));
    return out;
}

CommandResult show_params(const std::string& file) {
    NetworkParams params = NetworkParams::preset();
    if (!file.empty()) {
        HOLDFAST_ASSIGN(read, read_network(file));
        params = read;
    }
    Output out;
    out.field("network_id", to_hex(params.id()));
    const Json fields = params_json(params);
    for (const auto& [key, value] : fields.items()) out.field(key, value);
    out.json["encoding"] = to_hex(params.encode());
    return out;
}

CommandResult keygen(const std::string& file) {
    HOLDFAST_ASSIGN(key, generate_key_pair());
    HOLDFAST_TRY(save_key_pair(key, file));
    Output out;
    out.field("file", file);
    out.field("public_key", to_hex(key.public_key()));
    return out;
}

}  // namespace

void add_network_commands(Commands& commands) {
    CLI::App* network = commands.app().add_subcommand("network", "networks and their parameters");
    network->require_subcommand(1);
    auto options = std::make_shared<InitOptions>();
    CLI::App* init_command =
        network->add_subcommand("init", "make a network and a node folder for it");
    init_command->add_option("dir", options->dir, "folder to make")->capture_default_str();
    init_command->add_option("--name", options->name, "the network's name")->capture_default_str();
    init_command->add_option("--preset", options->presets,
                             "seal presets: standard, hardened, economy, dev or WINDOW:WORK "
                             "(default: standard and hardened; dev alone makes a network that is "
                             "quick as a whole)");
    init_command->add_option("--set", options->settings,
                             "any other parameter, as NAME=VALUE (names: holdfast params)");
    init_command->add_option("--genesis-height", options->genesis_height)->capture_default_str();
    init_command->add_option("--genesis-time-ms", options->genesis_time_ms,
                             "time of the first block (default: now)");
    init_command->add_flag("--no-vdf", options->no_vdf,
                           "y is the seed itself (needs a beacon to be unbiased)");
    init_command->add_flag("--beacon", options->beacon, "with a local signed beacon");
    init_command->add_flag("--no-costs", options->no_costs,
                           "without measuring what a height costs on this machine");
    commands.run(init_command,
                 "  holdfast network init node\n"
                 "  holdfast network init demo --preset dev\n"
                 "  holdfast network init own --preset standard --set vdf.arena_kib=65536 --set "
                 "vdf.steps_per_checkpoint=4096 --set vdf.checkpoints=64\n" +
                     purposes_text(),
                 [options] { return init(*options); });

    auto file = std::make_shared<std::string>();
    CLI::App* params = commands.app().add_subcommand(
        "params", "print network parameters: of a node or file, or the defaults");
    params->add_option("network", *file, "node folder, public folder or network.params file");
    commands.run(params, "  holdfast params\n  holdfast params node --json\n",
                 [file] { return show_params(*file); });

    auto key = std::make_shared<std::string>();
    CLI::App* keygen_command =
        commands.app().add_subcommand("keygen", "make an Ed25519 key file (mode 0600)");
    keygen_command->add_option("file", *key, "file to make; never replaced")->required();
    commands.run(keygen_command, "  holdfast keygen alice.key\n", [key] { return keygen(*key); });
}

}  // namespace holdfast::cli
