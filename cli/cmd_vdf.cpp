// vdf eval, vdf verify, vdf status, vdf catch-up.

#include "cli/commands.hpp"
#include "cli/vdf_without_network.hpp"
#include "cli/workspace.hpp"
#include "json/objects.hpp"
#include "storage/parallel.hpp"
#include "storage/randomness.hpp"

namespace holdfast::cli {
namespace {

struct EvalArguments {
    std::string dir = "node";
    LooseEvaluation loose;
    CLI::App* command = nullptr;
};

/// A node's clock that evaluates; beside a running node, or where nothing may be written, one that
/// knows what the node has evaluated.
struct EvaluatingNode {
    std::optional<Node> whole;
    std::optional<ClockNode> beside;

    [[nodiscard]] VdfClock& clock() const { return whole ? *whole->clock : *beside->clock; }
    [[nodiscard]] const NetworkParams& params() const {
        return whole ? whole->params() : beside->params();
    }
    static Result<EvaluatingNode> open(const std::string& dir) {
        EvaluatingNode out;
        Result<Node> node = Node::open(dir);
        if (node) {
            out.whole.emplace(std::move(*node));
            return out;
        }
        const ErrorCode why = node.error().code;
        if (why != ErrorCode::kBusy && why != ErrorCode::kPermission) return fail(node.error());
        VdfClockOptions reading;
        reading.access = ClockFolder::kOwnReadOnly;
        HOLDFAST_ASSIGN(clock, ClockNode::open(dir, reading));
        out.beside.emplace(std::move(clock));
        return out;
    }
};

CommandResult eval(const Globals& globals, const EvalArguments& arguments) {
    const LooseEvaluation& wanted = arguments.loose;
    const bool node_given = arguments.command->count("--dir") > 0;
    if (!wanted.input.input.empty()) {
        if (node_given) {
            return fail(ErrorCode::kInvalidArgument,
                        "--input is for an evaluation without a node; leave --dir away");
        }
        return evaluate_loose(globals, wanted);
    }
    for (const char* option : {"--network", "--set", "--epoch-source", "--key", "--checkpoints"}) {
        if (arguments.command->count(option) == 0) continue;
        return fail(ErrorCode::kInvalidArgument,
                    std::string(option) + " needs --input; a node has its own");
    }
    HOLDFAST_ASSIGN(node, EvaluatingNode::open(arguments.dir));
    if (!node.params().has_vdf) return fail(ErrorCode::kInvalidArgument, "this network has no VDF");
    const Height height(wanted.input.height);
    HOLDFAST_ASSIGN(before, node.clock().status());
    std::uint64_t resumed = 0;
    for (const KeptCheckpoints& kept : before.in_progress) {
        if (kept.height == height) resumed = std::max(resumed, kept.segments);
    }
    ClockProgress progress(globals, "height " + std::to_string(height.value) + ": ");
    const auto start = std::chrono::steady_clock::now();
    HOLDFAST_ASSIGN(entropy, node.clock().at(height, progress.work()));
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    HOLDFAST_ASSIGN(proof, node.clock().proof(height));
    const Bytes object = wrap_object(Kind::kVdfProof, proof.encode());
    if (!wanted.out.empty()) HOLDFAST_TRY(write_object(wanted.out, object, wanted.force));
    HOLDFAST_ASSIGN(after, node.clock().status());
    Output out;
    out.field("height", height.value);
    out.field("input", to_hex(entropy.seed));
    out.field("y", to_hex(entropy.y));
    out.field("steps", node.params().vdf.total_steps());
    out.field("resumed_segments", after.segments_evaluated > 0 ? resumed : 0);
    out.field("bytes", object.size() - 2);
    if (!wanted.out.empty()) out.field("file", wanted.out);
    out.json["seconds"] = seconds;
    out.line("took " + format_duration(seconds) + " (0 when it was stored already)");
    return out;
}

struct VdfVerifyArguments {
    std::string file;
    std::string public_folder;
    LooseInput loose;
    bool full = false;
    std::optional<std::uint32_t> spot;
    std::optional<std::uint32_t> segment;
    unsigned threads = 0;
};

/// The arena is asked for only once the claim holds: nothing is filled for a proof that does not.
using ArenaOf = std::function<Result<std::shared_ptr<const VdfArena>>(const VdfClockWork& work)>;

CommandResult verify_with(const Globals& globals, const VdfVerifyArguments& arguments,
                          const VdfContext& context, const VdfProof& proof,
                          const ArenaOf& arena_of) {
    ClockProgress progress(globals, "height " + std::to_string(context.height.value) + ": ");
    const VdfClockWork work = progress.work();
    Output out;
    out.field("height", context.height.value);
    out.field("evaluator", to_hex(proof.evaluator));
    if (const Verdict claim = verify_vdf_claim(context, proof); !claim) {
        out.verdict(claim);
        return out;
    }
    if (arguments.segment && *arguments.segment >= proof.params.checkpoints) {
        return fail(ErrorCode::kInvalidArgument,
                    "--segment must be below " + std::to_string(proof.params.checkpoints));
    }
    HOLDFAST_ASSIGN(arena, arena_of(work));
    VdfVerifyOptions options;
    options.parallel = pool_parallel(arguments.threads);
    options.stop = work.stop;
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
        work.progress("verifying", done, total);
    };
    std::vector<std::uint32_t> picked;
    std::string strength = "full";
    if (arguments.segment) {
        picked = {*arguments.segment};
        strength = "segment " + std::to_string(*arguments.segment);
    } else if (arguments.spot) {
        Digest fresh;
        HOLDFAST_TRY(random_bytes(fresh.bytes));
        picked = pick_spot_segments(fresh, proof.params.checkpoints, *arguments.spot);
        strength = "spot " + std::to_string(picked.size());
    }
    const auto start = std::chrono::steady_clock::now();
    const auto verdict = picked.empty()
                             ? verify_vdf_full(context, proof, arena->view(), options)
                             : verify_vdf_spot(context, proof, picked, arena->view(), options);
    if (!verdict) return fail(verdict.error());
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    out.field("strength", strength);
    out.verdict(*verdict);
    out.field("y", to_hex(proof.y));
    out.field("usable", verdict->accepted() && picked.empty());
    out.json["seconds"] = seconds;
    if (verdict->accepted() && !picked.empty()) {
        out.line("not refuted; only full verification makes y usable");
    }
    out.line("took " + format_duration(seconds) + ", the arena beside it");
    return out;
}

CommandResult verify(const Globals& globals, const VdfVerifyArguments& arguments) {
    if (arguments.spot && *arguments.spot == 0) {
        return fail(ErrorCode::kInvalidArgument, "--spot needs at least one segment");
    }
    if (arguments.public_folder.empty() == arguments.loose.input.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "give --public FOLDER, or the network and --input of the height");
    }
    HOLDFAST_ASSIGN(proof, read_vdf_proof(arguments.file));
    if (arguments.public_folder.empty()) {
        LooseInput loose = arguments.loose;
        loose.height = proof.height.value;
        HOLDFAST_ASSIGN(world, LooseWorld::from(loose));
        const VdfContext& context = world->context;
        return verify_with(globals, arguments, context, proof, [&](const VdfClockWork& work) {
            FillOptions fill;
            fill.parallel = pool_parallel(arguments.threads);
            fill.stop = work.stop;
            return VdfArena::fill(context.params.vdf, context.epoch, context.epoch_seed, fill);
        });
    }
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    PublicBlockchain chain(record);
    PublicBeacon beacon(record);
    HOLDFAST_ASSIGN(clock, VdfClock::open(record.params(), chain, &beacon, std::nullopt,
                                          {std::filesystem::path(arguments.public_folder) /
                                               PublicRecord::kVdfFolder,
                                           arguments.threads, ClockFolder::kForeign}));
    // Nothing is evaluated or filled for a proof that is not of this network.
    if (const Verdict policy = record.params().check_vdf(proof.params); !policy) {
        Output out;
        out.field("height", proof.height.value);
        out.verdict(policy);
        return out;
    }
    ClockProgress progress(globals, "height " + std::to_string(proof.height.value) + ": ");
    HOLDFAST_ASSIGN(context, clock.context(proof.height, progress.work()));
    return verify_with(globals, arguments, context, proof,
                       [&](const VdfClockWork& work) { return clock.arena(context, work); });
}

Json optional_height(const std::optional<Height>& height) {
    return height ? Json(height->value) : Json(nullptr);
}

CommandResult clock_status(const std::string& dir) {
    VdfClockOptions options;
    options.access = ClockFolder::kOwnReadOnly;
    HOLDFAST_ASSIGN(node, ClockNode::open(dir, options));
    HOLDFAST_ASSIGN(s, node.clock->status());
    Output out;
    out.field("tip", s.tip.value);
    out.field("newest_final", optional_height(s.newest_final));
    out.field("settled", optional_height(s.settled));
    out.field("behind", s.behind);
    out.field("behind_tip", s.behind_tip);
    out.field("steps", node.params().vdf.total_steps());
    out.field("arena_bytes", node.params().vdf.arena_bytes());
    out.json["in_progress"] = Json::array();
    for (const KeptCheckpoints& kept : s.in_progress) {
        out.json["in_progress"].push_back({{"height", kept.height.value},
                                           {"segments", kept.segments},
                                           {"of", s.segments_in_all}});
        out.line("height " + std::to_string(kept.height.value) + ": " +
                 std::to_string(kept.segments) + " of " + std::to_string(s.segments_in_all) +
                 " segments are on disk");
    }
    out.line(s.behind == 0 ? "every final height has its y"
                           : std::to_string(s.behind) +
                                 " final height(s) lack y; holdfast vdf catch-up evaluates them");
    return out;
}

struct CatchUpArguments {
    std::string dir = "node";
    std::string proofs;
    std::optional<std::uint64_t> from;
    bool final_only = false;
    std::uint64_t keep = 0;
    unsigned at_once = 8;
    unsigned threads = 0;
    std::uint64_t ceiling_mib = 0;
};

Json heights_json(const std::vector<Height>& heights) {
    Json out = Json::array();
    for (const Height h : heights) out.push_back(h.value);
    return out;
}

CommandResult catch_up(const Globals& globals, const CatchUpArguments& arguments) {
    if (!arguments.proofs.empty() && !std::filesystem::is_directory(arguments.proofs)) {
        return fail(ErrorCode::kNotFound, arguments.proofs + " is no folder");
    }
    VdfClockOptions options;
    options.threads = arguments.threads;
    options.at_once = arguments.at_once;
    options.from_tip = !arguments.final_only;
    options.keep_proofs = arguments.keep;
    options.arena_ceiling_bytes = arguments.ceiling_mib << 20;
    if (arguments.from) options.first = Height(*arguments.from);
    if (!arguments.proofs.empty()) {
        options.proofs = [&](Height height, const Seed&) {
            return read_vdf_proof(vdf_proof_file(arguments.proofs, height));
        };
    }
    HOLDFAST_ASSIGN(node, ClockNode::open(arguments.dir, options));
    ClockProgress progress(globals, "clock: ");
    HOLDFAST_ASSIGN(report, node.clock->advance(progress.work()));
    HOLDFAST_ASSIGN(s, node.clock->status());
    Output out;
    out.json["evaluated"] = heights_json(report.evaluated);
    out.json["verified"] = heights_json(report.verified);
    out.line(std::to_string(report.evaluated.size()) + " height(s) evaluated, " +
             std::to_string(report.verified.size()) + " taken from others' proofs");
    out.json["refused"] = Json::array();
    for (const RefusedOutput& r : report.refused) {
        out.json["refused"].push_back({{"height", r.height.value},
                                       {"reason", describe(r.verdict.reason).name},
                                       {"from", r.from}});
        out.line("height " + std::to_string(r.height.value) + ": refused from " + r.from + ": " +
                 to_string(r.verdict));
    }
    out.json["waiting"] = Json::array();
    for (const WaitingHeight& w : report.waiting) {
        out.json["waiting"].push_back({{"height", w.height.value}, {"message", w.error.message}});
        out.line("height " + std::to_string(w.height.value) + ": " + w.error.message);
    }
    out.field("behind", s.behind);
    out.field("behind_tip", s.behind_tip);
    out.field("settled", optional_height(s.settled));
    if (!report.waiting.empty()) out.exit_code = kExitEnvironment;
    return out;
}

void add_eval(Commands& commands, CLI::App* vdf) {
    auto a = std::make_shared<EvalArguments>();
    CLI::App* command = vdf->add_subcommand(
        "eval", "evaluate a height of a node, or any input; resumes where it was stopped");
    a->command = command;
    add_dir_option(command, a->dir);
    command->add_option("--height", a->loose.input.height, "the height")->required();
    add_loose_options(command, a->loose.input);
    command->add_option("--key", a->loose.key, "without a node: signs the proof");
    command->add_option("--checkpoints", a->loose.checkpoints,
                        "without a node: file that keeps them (default: OUT.vdf until done)");
    command->add_flag("--resume", a->loose.resume,
                      "resume from the checkpoints kept (a node always does)");
    command->add_option("-o,--out", a->loose.out, "file for the proof");
    command->add_flag("--force", a->loose.force, "replace the file");
    command->add_option("--threads", a->loose.threads, "for filling and verifying; 0: all cores")
        ->capture_default_str();
    commands.run(command,
                 "  holdfast vdf eval --dir node --height 12 --out 12.vdf-proof\n"
                 "  holdfast vdf eval --network network.params --height 12 --input 5f…e1 --key "
                 "me.key --out 12.vdf-proof\n"
                 "  holdfast vdf eval … --resume\n",
                 [a, &commands] { return eval(commands.globals(), *a); });
}

void add_verify(Commands& commands, CLI::App* vdf) {
    auto a = std::make_shared<VdfVerifyArguments>();
    CLI::App* command = vdf->add_subcommand("verify", "check a VDF proof");
    command->add_option("file", a->file, "the proof")->required();
    command->add_option("-p,--public", a->public_folder, "folder of public data");
    add_loose_options(command, a->loose);
    CLI::Option* full =
        command->add_flag("--full", a->full, "every segment (the default): makes y usable");
    CLI::Option* spot = command->add_option("--spot", a->spot, "so many segments, drawn at random");
    CLI::Option* segment = command->add_option("--segment", a->segment, "this segment only");
    spot->excludes(full);
    segment->excludes(full)->excludes(spot);
    command->add_option("--threads", a->threads, "0: all cores")->capture_default_str();
    commands.run(command,
                 "  holdfast vdf verify 12.vdf-proof --public public\n"
                 "  holdfast vdf verify 12.vdf-proof --public public --spot 16\n"
                 "  holdfast vdf verify 12.vdf-proof --network network.params --input 5f…e1\n",
                 [a, &commands] { return verify(commands.globals(), *a); });
}

void add_catch_up(Commands& commands, CLI::App* vdf) {
    auto a = std::make_shared<CatchUpArguments>();
    CLI::App* command = vdf->add_subcommand(
        "catch-up", "give every height up to the tip its y: by others' proofs, or evaluated");
    add_dir_option(command, a->dir);
    command->add_option("--proofs", a->proofs,
                        "folder with HEIGHT.vdfproof files of others; each is verified in full");
    command->add_option("--from", a->from, "first height (default: the network's)");
    command->add_flag("--final", a->final_only, "final heights only");
    command->add_option("--keep", a->keep, "newest proofs to keep; 0: all")->capture_default_str();
    command->add_option("--at-once", a->at_once, "heights evaluated side by side")
        ->capture_default_str()
        ->check(CLI::Range(1U, 1'024U));
    command->add_option("--threads", a->threads, "0: all cores")->capture_default_str();
    command
        ->add_option("--ceiling-mib", a->ceiling_mib, "memory for arenas; 0: two of the network's")
        ->capture_default_str()
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 30));
    commands.run(command,
                 "  holdfast vdf catch-up --dir node\n"
                 "  holdfast vdf catch-up --dir node --proofs others --final\n",
                 [a, &commands] { return catch_up(commands.globals(), *a); });
}

}  // namespace

void add_vdf_commands(Commands& commands) {
    CLI::App* vdf = commands.app().add_subcommand("vdf", "the network's clock");
    vdf->require_subcommand(1);
    add_eval(commands, vdf);
    add_verify(commands, vdf);
    auto dir = std::make_shared<std::string>("node");
    CLI::App* status_command =
        vdf->add_subcommand("status", "how far the clock of a node is behind");
    add_dir_option(status_command, *dir);
    commands.run(status_command, "  holdfast vdf status --dir node --json\n",
                 [dir] { return clock_status(*dir); });
    add_catch_up(commands, vdf);
    add_vdf_measure_commands(commands, vdf);
}

}  // namespace holdfast::cli
