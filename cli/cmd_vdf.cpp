// vdf eval, vdf verify.

#include "cli/commands.hpp"
#include "cli/object_json.hpp"
#include "cli/workspace.hpp"
#include "core/parallel.hpp"

namespace holdfast::cli {
namespace {

struct VdfArguments {
    std::string dir = "node";
    std::string public_folder;
    std::uint64_t height = 0;
    std::string out;
    bool force = false;
    std::string file;
    std::optional<std::uint32_t> spot;
    std::optional<std::uint32_t> segment;
    unsigned threads = 0;
};

CommandResult eval(const Globals& globals, const VdfArguments& arguments) {
    HOLDFAST_ASSIGN(node, Node::open(arguments.dir));
    if (!node.params().has_vdf) return fail(ErrorCode::kInvalidArgument, "this network has no VDF");
    ClockProgress progress(globals, "height " + std::to_string(arguments.height) + ": ");
    const auto start = std::chrono::steady_clock::now();
    HOLDFAST_ASSIGN(entropy, node.clock->at(Height(arguments.height), progress.work()));
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    HOLDFAST_ASSIGN(proof, node.clock->proof(Height(arguments.height)));
    const Bytes object = wrap_object(Kind::kVdfProof, proof.encode());
    if (!arguments.out.empty()) HOLDFAST_TRY(write_object(arguments.out, object, arguments.force));
    Output out;
    out.field("height", arguments.height);
    out.field("input", to_hex(entropy.seed));
    out.field("y", to_hex(entropy.y));
    out.field("steps", node.params().vdf.total_steps());
    out.field("bytes", object.size() - 2);
    if (!arguments.out.empty()) out.field("file", arguments.out);
    out.json["seconds"] = seconds;
    out.line("took " + format_duration(seconds) + " (0 when it was stored already)");
    return out;
}

CommandResult verify(const Globals& globals, const VdfArguments& arguments) {
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    HOLDFAST_ASSIGN(proof, read_vdf_proof(arguments.file));
    PublicBlockchain chain(record);
    PublicBeacon beacon(record);
    HOLDFAST_ASSIGN(clock, VdfClock::open(record.params(), chain, &beacon, std::nullopt,
                                          {std::filesystem::path(arguments.public_folder) /
                                               PublicRecord::kVdfFolder,
                                           arguments.threads}));
    const Height height = proof.height;
    ClockProgress progress(globals, "height " + std::to_string(height.value) + ": ");
    HOLDFAST_ASSIGN(context, clock.context(height, progress.work()));
    Output out;
    out.field("height", height.value);
    out.field("evaluator", to_hex(proof.evaluator));
    if (const Verdict claim = verify_vdf_claim(context, proof); !claim) {
        out.verdict(claim);
        return out;
    }
    HOLDFAST_ASSIGN(arena, clock.arena(context, progress.work()));
    VdfVerifyOptions options;
    options.parallel = pool_parallel(arguments.threads);
    options.stop = stop_requested();
    const auto start = std::chrono::steady_clock::now();
    Verdict verdict;
    if (arguments.segment) {
        const std::uint32_t segments[] = {*arguments.segment};
        HOLDFAST_ASSIGN(v, verify_vdf_spot(context, proof, segments, arena->view(), options));
        verdict = v;
        out.field("strength", "segment " + std::to_string(*arguments.segment));
    } else if (arguments.spot) {
        Digest fresh;
        HOLDFAST_TRY(random_bytes(fresh.bytes));
        const std::vector<std::uint32_t> segments =
            pick_spot_segments(fresh, proof.params.checkpoints, *arguments.spot);
        HOLDFAST_ASSIGN(v, verify_vdf_spot(context, proof, segments, arena->view(), options));
        verdict = v;
        out.field("strength", "spot " + std::to_string(segments.size()));
    } else {
        HOLDFAST_ASSIGN(v, verify_vdf_full(context, proof, arena->view(), options));
        verdict = v;
        out.field("strength", "full");
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    out.verdict(verdict);
    out.field("y", to_hex(proof.y));
    out.json["seconds"] = seconds;
    if (verdict && (arguments.segment || arguments.spot)) {
        out.json["usable"] = false;
        out.line("not refuted; only full verification makes y usable");
    }
    return out;
}

}  // namespace

void add_vdf_commands(Commands& commands) {
    CLI::App* vdf = commands.app().add_subcommand("vdf", "the network's clock");
    vdf->require_subcommand(1);
    auto a = std::make_shared<VdfArguments>();
    CLI::App* eval_command =
        vdf->add_subcommand("eval", "evaluate a height, or show its stored proof");
    add_dir_option(eval_command, a->dir);
    eval_command->add_option("--height", a->height, "a height of the chain")->required();
    eval_command->add_option("-o,--out", a->out, "file for the proof");
    eval_command->add_flag("--force", a->force, "replace the file");
    commands.run(eval_command, "  holdfast vdf eval --dir node --height 12 --out 12.vdf-proof\n",
                 [a, &commands] { return eval(commands.globals(), *a); });
    CLI::App* verify_command = vdf->add_subcommand("verify", "check a VDF proof from public data");
    verify_command->add_option("file", a->file, "the proof")->required();
    verify_command->add_option("-p,--public", a->public_folder, "folder of public data")
        ->required();
    CLI::Option* spot =
        verify_command->add_option("--spot", a->spot, "so many segments, drawn afresh");
    verify_command->add_option("--segment", a->segment, "this segment only")->excludes(spot);
    verify_command->add_option("--threads", a->threads, "default: all cores");
    commands.run(verify_command,
                 "  holdfast vdf verify 12.vdf-proof --public public\n"
                 "  holdfast vdf verify 12.vdf-proof --public public --spot 16\n",
                 [a, &commands] { return verify(commands.globals(), *a); });
}

}  // namespace holdfast::cli
