#include "cli/vdf_without_network.hpp"

#include "cli/workspace.hpp"
#include "clock/checkpoint_file.hpp"
#include "json/param_fields.hpp"
#include "storage/begun.hpp"
#include "storage/key_file.hpp"
#include "storage/parallel.hpp"
#include "vdf/arena.hpp"
#include "vdf/evaluate.hpp"

namespace holdfast::cli {
namespace {

std::filesystem::path checkpoint_path(const LooseEvaluation& wanted) {
    if (!wanted.checkpoints.empty()) return wanted.checkpoints;
    return wanted.out.empty() ? std::string() : wanted.out + ".vdf";
}

/// Opens the file of checkpoints; refuses to go on from what it keeps, or to lose it, unasked.
Result<VdfCheckpointFile> open_checkpoints(const std::filesystem::path& path,
                                           const VdfContext& context, bool resume) {
    HOLDFAST_ASSIGN(file, VdfCheckpointFile::open(path));
    const std::size_t kept = file.checkpoints(context.height, context.input).size();
    if (kept > 1 && !resume) {
        return fail(ErrorCode::kAlreadyExists,
                    path.string() + " keeps " + std::to_string(kept - 1) +
                        " segment(s) of this evaluation; --resume goes on from there, and without "
                        "the file it starts over");
    }
    return file;
}

Result<std::vector<Digest>> walk(const LooseEvaluation& wanted, const VdfContext& context,
                                 const VdfArena& arena, const VdfClockWork& work,
                                 std::size_t& resumed) {
    VdfEvaluateOptions options;
    options.stop = work.stop;
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
        work.progress("evaluating", done, total);
    };
    const VdfJob job{context.height, context.input, {}};
    const std::filesystem::path path = checkpoint_path(wanted);
    if (path.empty()) {
        return evaluate(arena.view(), context.params.vdf, context.network_id, job, options);
    }
    HOLDFAST_ASSIGN(file, open_checkpoints(path, context, wanted.resume));
    const std::size_t kept = file.checkpoints(context.height, context.input).size();
    resumed = kept > 0 ? kept - 1 : 0;
    auto all = evaluate_durably(file, arena.view(), context.params.vdf, context.network_id,
                                {&job, 1}, options);
    if (!all && all.error().code == ErrorCode::kInterrupted) {
        return fail(ErrorCode::kInterrupted,
                    "evaluation stopped; " + path.string() + " keeps " +
                        std::to_string(file.checkpoints(context.height, context.input).size() - 1) +
                        " of " + std::to_string(context.params.vdf.checkpoints) +
                        " segments: the same command with --resume goes on from there");
    }
    if (!all) return fail(all.error());
    return std::move(all->front());
}

}  // namespace

void add_loose_options(CLI::App* command, LooseInput& input) {
    command->add_option("--network", input.network,
                        "without a node: network.params file, node or public folder (default: the "
                        "default network)");
    command->add_option("--set", input.settings,
                        "without a node: a parameter as NAME=VALUE (names: holdfast params)");
    command->add_option("--input", input.input,
                        "without a node: the input (seed of the height), 64 hexadecimal digits");
    command->add_option("--epoch-source", input.epoch_source,
                        "without a node: y that the height's epoch is made from (epochs above 0)");
}

Result<std::unique_ptr<LooseWorld>> LooseWorld::from(const LooseInput& input) {
    NetworkParams params;
    if (!input.network.empty()) {
        HOLDFAST_ASSIGN(read, read_network(input.network));
        params = read;
    }
    HOLDFAST_TRY(apply_settings(params, input.settings));
    if (!params.has_vdf) return fail(ErrorCode::kInvalidArgument, "this network has no VDF");
    HOLDFAST_ASSIGN(seed, parse_hex<Seed>(input.input, "--input"));
    const Height height(input.height);
    if (height < params.genesis_height) {
        return fail(ErrorCode::kInvalidArgument, "--height is below the network's first, " +
                                                     std::to_string(params.genesis_height.value));
    }
    auto world = std::make_unique<LooseWorld>(params);
    const std::uint64_t epoch = epoch_of(world->params, height);
    VdfOutput source = genesis_output(world->params.id());
    if (!input.epoch_source.empty()) {
        HOLDFAST_ASSIGN(given, parse_hex<VdfOutput>(input.epoch_source, "--epoch-source"));
        source = given;
    } else if (epoch > 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "height " + std::to_string(height.value) + " is in epoch " +
                        std::to_string(epoch) + ": give --epoch-source, y of height " +
                        std::to_string(epoch_source_height(world->params, epoch)->value));
    }
    world->context.height = height;
    world->context.input = seed;
    world->context.epoch = epoch;
    world->context.epoch_seed = epoch_seed(world->context.network_id, epoch, source);
    return world;
}

CommandResult evaluate_loose(const Globals& globals, const LooseEvaluation& wanted) {
    if (!wanted.out.empty() && wanted.key.empty()) {
        return fail(ErrorCode::kInvalidArgument, "--out needs --key: a proof is signed");
    }
    if (wanted.resume && checkpoint_path(wanted).empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "--resume needs the file of checkpoints: --checkpoints, or --out");
    }
    HOLDFAST_ASSIGN(world, LooseWorld::from(wanted.input));
    const VdfContext& context = world->context;
    KeyPair key = KeyPair::from_secret(view(Digest{}));  // of no use to anybody: nothing is kept
    if (!wanted.key.empty()) {
        HOLDFAST_ASSIGN(loaded, load_key_pair(wanted.key));
        key = std::move(loaded);
    }
    if (!wanted.out.empty() && !wanted.force && std::filesystem::exists(wanted.out)) {
        return fail(ErrorCode::kAlreadyExists,
                    wanted.out + " exists already (use --force to replace it)");
    }
    ClockProgress progress(globals, "height " + std::to_string(context.height.value) + ": ");
    const VdfClockWork work = progress.work();
    FillOptions fill;
    fill.parallel = pool_parallel(wanted.threads);
    fill.stop = work.stop;
    fill.progress = [&](std::uint64_t done, std::uint64_t total) {
        work.progress("filling the arena", done, total);
    };
    HOLDFAST_ASSIGN(arena,
                    VdfArena::fill(context.params.vdf, context.epoch, context.epoch_seed, fill));
    const auto start = std::chrono::steady_clock::now();
    std::size_t resumed = 0;
    HOLDFAST_ASSIGN(checkpoints, walk(wanted, context, *arena, work, resumed));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    HOLDFAST_ASSIGN(proof, make_vdf_proof(context.params.vdf, context.network_id, context.height,
                                          context.input, std::move(checkpoints), key));
    VdfVerifyOptions verify;
    verify.parallel = fill.parallel;
    verify.stop = work.stop;
    verify.progress = [&](std::uint64_t done, std::uint64_t total) {
        work.progress("verifying", done, total);
    };
    HOLDFAST_ASSIGN(verdict, verify_vdf_full(context, proof, arena->view(), verify));
    const std::filesystem::path kept = checkpoint_path(wanted);
    if (!verdict) {
        return fail(ErrorCode::kCorrupt,
                    "what was evaluated does not hold (" + to_string(verdict) + "): " +
                        (resumed > 0 ? "remove " + kept.string() + " and start over"
                                     : "this machine's memory is not to be trusted"));
    }
    Output out;
    out.field("height", context.height.value);
    out.field("input", to_hex(context.input));
    out.field("y", to_hex(proof.y));
    out.field("steps", context.params.vdf.total_steps());
    out.field("resumed_segments", resumed);
    if (!wanted.out.empty()) {
        const Bytes object = wrap_object(Kind::kVdfProof, proof.encode());
        HOLDFAST_TRY(write_object(wanted.out, object, wanted.force));
        out.field("bytes", object.size() - 2);
        out.field("file", wanted.out);
        // What the proof holds need not be kept twice; a file of the user's own choice stays.
        if (wanted.checkpoints.empty()) (void)remove_store_file(kept);
    }
    out.json["seconds"] = took.count();
    out.line("took " + format_duration(took.count()) + ", verified in full");
    return out;
}

}  // namespace holdfast::cli
