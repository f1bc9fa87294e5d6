// vdf bench, vdf calibrate: what the VDF costs on this machine.

#include <cstdio>

#include "analysis/vdf_calibration.hpp"
#include "cli/commands.hpp"
#include "json/param_fields.hpp"

namespace holdfast::cli {
namespace {

struct MeasureArguments {
    std::vector<std::string> settings;
    unsigned threads = 0;
    unsigned rounds = VdfMeasureOptions{}.rounds;
    double seconds = 40;
    std::optional<std::uint64_t> block_ms;
    VdfAttacker attacker;
};

std::string decimal(double value, int digits = 1) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

/// "label                 value": one column of labels for the whole table.
void table_row(Output& out, const std::string& label, const std::string& value) {
    std::string padded = label;
    padded.resize(std::max<std::size_t>(padded.size() + 1, 24), ' ');
    out.line(padded + value);
}

Result<VdfSpeed> measure(const Globals& globals, const MeasureArguments& arguments,
                         NetworkParams& params) {
    HOLDFAST_TRY(apply_settings(params, arguments.settings));
    Progress progress(globals, "measuring", "rounds");
    VdfMeasureOptions options;
    options.threads = arguments.threads;
    options.rounds = arguments.rounds;
    options.stop = stop_requested();
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
        progress.update(done, total);
    };
    return measure_vdf(params.vdf, options);
}

void describe_speed(const VdfSpeed& speed, Output& out) {
    Json kernels = Json::array();
    Json threads = Json::array();
    const double one = speed.best().evaluate_ns;
    table_row(out, "arena",
              format_bytes(speed.arena.arena_bytes()) + ", " + std::to_string(speed.arena.passes) +
                  " pass(es), " + std::to_string(speed.arena.lanes) + " lane(s): filled in " +
                  decimal(speed.fill_seconds, 2) + " s (" + std::string(speed.fill_kernel) +
                  (speed.huge_pages ? ", huge pages)" : ", no huge pages)"));
    table_row(out, "limits",
              decimal(speed.read_ns) + " ns a dependent read, " + decimal(speed.f_ns) + " ns F");
    table_row(out, "evaluation",
              decimal(one) + " ns a step, " + decimal(1e3 / one, 2) + " million steps a second (" +
                  std::string(speed.walk_kernel) + "); median of the samples " +
                  decimal(speed.median_ns) + " ns");
    for (const WalkSpeed& k : speed.kernels) {
        kernels.push_back({{"kernel", k.kernel},
                           {"evaluate_ns", k.evaluate_ns},
                           {"verify_ns", k.verify_ns},
                           {"times_faster", one / k.verify_ns}});
        table_row(out, "  kernel " + std::string(k.kernel),
                  decimal(k.evaluate_ns) + " ns a step evaluated, " + decimal(k.verify_ns) +
                      " ns verified on one core: " + decimal(one / k.verify_ns) + " times faster");
    }
    for (const ThreadSpeed& t : speed.threads) {
        threads.push_back({{"threads", t.threads},
                           {"verify_ns", t.verify_ns},
                           {"evaluate_ns", t.evaluate_ns},
                           {"times_faster", one / t.verify_ns}});
    }
    out.json["arena"] = {{"arena_kib", speed.arena.arena_kib}, {"passes", speed.arena.passes},
                         {"lanes", speed.arena.lanes},         {"fill_seconds", speed.fill_seconds},
                         {"fill_kernel", speed.fill_kernel},   {"huge_pages", speed.huge_pages}};
    out.json["read_ns"] = speed.read_ns;
    out.json["f_ns"] = speed.f_ns;
    out.json["walk_kernel"] = speed.walk_kernel;
    out.json["median_ns"] = speed.median_ns;
    out.json["kernels"] = kernels;
    out.json["threads"] = threads;
}

/// Whether the figures fit together; says so where they do not.
bool describe_reliability(const VdfSpeed& speed, Output& out) {
    const std::vector<std::string> contradictions = vdf_contradictions(speed);
    out.json["reliable"] = contradictions.empty();
    out.json["contradictions"] = contradictions;
    for (const std::string& c : contradictions) table_row(out, "UNRELIABLE", c);
    if (!contradictions.empty()) {
        out.line(
            "Figures that contradict each other mean that something else was at work; measure "
            "again on an idle machine, or with more --rounds.");
    }
    return contradictions.empty();
}

CommandResult bench(const Globals& globals, const MeasureArguments& arguments) {
    NetworkParams params;
    HOLDFAST_ASSIGN(speed, measure(globals, arguments, params));
    Output out;
    describe_speed(speed, out);
    for (const ThreadSpeed& t : speed.threads) {
        table_row(out, "  on " + std::to_string(t.threads) + " core(s)",
                  decimal(t.verify_ns) + " ns a step verified, " + decimal(t.evaluate_ns) +
                      " ns a step of each of " + std::to_string(t.threads) + " height(s)");
    }
    describe_reliability(speed, out);
    return out;
}

void describe_advice(const VdfSpeed& speed, const VdfAdvice& advice, double block_seconds,
                     const VdfAttacker& attacker, Output& out) {
    const VdfParams& p = advice.params;
    table_row(out, "recommended",
              "--set vdf.steps_per_checkpoint=" + std::to_string(p.steps_per_checkpoint) +
                  " --set vdf.checkpoints=" + std::to_string(p.checkpoints));
    table_row(out, "",
              std::to_string(p.total_steps()) + " steps: " + decimal(advice.evaluate_seconds) +
                  " s here");
    Json checks = Json::array();
    for (std::size_t i = 0; i < advice.verify_seconds.size(); ++i) {
        const unsigned threads = speed.threads[i].threads;
        const double seconds = advice.verify_seconds[i];
        checks.push_back({{"threads", threads}, {"seconds", seconds}});
        table_row(out, "full check, " + std::to_string(threads) + " core(s)",
                  decimal(seconds, 2) + " s, " + decimal(advice.evaluate_seconds / seconds) +
                      " times faster");
    }
    table_row(out, "heights at once",
              std::to_string(advice.heights_at_once) + " for blocks of " +
                  decimal(block_seconds, 2) + " s" +
                  (advice.heights_at_once > 1
                       ? ", " + decimal(advice.heights_seconds) + " s each on these cores"
                       : ""));
    table_row(out, "attacker",
              decimal(attacker.memory_latency_ns) + " ns memory + " +
                  decimal(attacker.f_latency_ns) + " ns F: " + decimal(advice.attacker_seconds, 2) +
                  " s, " + decimal(advice.attacker_times_faster) + " times faster");
    table_row(out, "",
              "safe where withholding a block for " + decimal(advice.attacker_seconds, 2) +
                  " s does not go unpunished");
    out.line(
        "Each time is the least disturbed of short samples on this machine now. The attacker's "
        "latencies are an assumption, not a measurement.");
    out.json["recommended"] = {{"vdf.steps_per_checkpoint", p.steps_per_checkpoint},
                               {"vdf.checkpoints", p.checkpoints},
                               {"vdf.arena_kib", p.arena_kib},
                               {"vdf.passes", p.passes},
                               {"vdf.lanes", p.lanes}};
    out.json["steps"] = p.total_steps();
    out.json["evaluate_seconds"] = advice.evaluate_seconds;
    out.json["checks"] = checks;
    out.json["block_seconds"] = block_seconds;
    out.json["heights_at_once"] = advice.heights_at_once;
    out.json["heights_seconds"] = advice.heights_seconds;
    out.json["attacker"] = {{"memory_latency_ns", attacker.memory_latency_ns},
                            {"f_latency_ns", attacker.f_latency_ns},
                            {"seconds", advice.attacker_seconds},
                            {"times_faster", advice.attacker_times_faster}};
}

CommandResult calibrate(const Globals& globals, const MeasureArguments& arguments) {
    NetworkParams params;
    HOLDFAST_ASSIGN(speed, measure(globals, arguments, params));
    const double block_seconds =
        static_cast<double>(arguments.block_ms.value_or(params.block_ms)) / 1e3;
    HOLDFAST_ASSIGN(advice,
                    advise_vdf(speed, arguments.seconds, block_seconds, arguments.attacker));
    Output out;
    describe_speed(speed, out);
    if (!describe_reliability(speed, out)) {
        out.line("Nothing is recommended from them.");
        out.exit_code = kExitEnvironment;
        return out;
    }
    describe_advice(speed, advice, block_seconds, arguments.attacker, out);
    return out;
}

void add_measure_options(CLI::App* command, MeasureArguments& a) {
    command->add_option(
        "--set", a.settings,
        "measure another arena: vdf.arena_kib, vdf.passes, vdf.lanes as NAME=VALUE");
    command->add_option("--threads", a.threads, "at most so many cores; 0: all")
        ->capture_default_str();
    command->add_option("--rounds", a.rounds, "samples of each time")
        ->capture_default_str()
        ->check(CLI::Range(1U, 100'000U));
}

}  // namespace

void add_vdf_measure_commands(Commands& commands, CLI::App* vdf) {
    auto b = std::make_shared<MeasureArguments>();
    CLI::App* bench_command = vdf->add_subcommand(
        "bench", "speed of evaluation and verification by every kernel, beside the limits");
    add_measure_options(bench_command, *b);
    commands.run(bench_command, "  holdfast vdf bench\n  holdfast vdf bench --rounds 101 --json\n",
                 [b, &commands] { return bench(commands.globals(), *b); });

    auto c = std::make_shared<MeasureArguments>();
    CLI::App* calibrate_command = vdf->add_subcommand(
        "calibrate", "parameters for an evaluation of so many seconds on this machine");
    add_measure_options(calibrate_command, *c);
    const CLI::Range above_zero(1e-9, 1e12);
    calibrate_command->add_option("--seconds", c->seconds, "length of an evaluation")
        ->capture_default_str()
        ->check(above_zero);
    calibrate_command
        ->add_option("--block-ms", c->block_ms,
                     "time between blocks (default: the default network's)")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40));
    calibrate_command
        ->add_option("--memory-latency-ns", c->attacker.memory_latency_ns,
                     "the attacker's time for one line of its memory")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1e9));
    calibrate_command
        ->add_option("--f-latency-ns", c->attacker.f_latency_ns, "the attacker's time for F")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1e9));
    commands.run(calibrate_command,
                 "  holdfast vdf calibrate --seconds 40\n"
                 "  holdfast vdf calibrate --seconds 10 --block-ms 6000 --memory-latency-ns 8 "
                 "--f-latency-ns 6 --json\n",
                 [c, &commands] { return calibrate(commands.globals(), *c); });
}

}  // namespace holdfast::cli
