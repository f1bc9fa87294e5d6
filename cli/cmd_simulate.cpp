// simulate: many real sealed replicas through many blocks, measured and recomputed from scratch.

#include <algorithm>
#include <cmath>
#include <fstream>

#include "cli/commands.hpp"
#include "cli/svg_chart.hpp"
#include "json/blocks.hpp"
#include "simulation/cheat.hpp"
#include "simulation/check.hpp"
#include "simulation/world.hpp"
#include "storage/file.hpp"
#include "storage/parallel.hpp"

namespace holdfast::cli {
using namespace simulation;
namespace {

constexpr std::uint64_t kMostChains = 1'000'000;
constexpr std::uint64_t kMostBlocks = 200;
constexpr std::uint64_t kLeastBlocks = 2;

struct Arguments {
    std::uint64_t chains = 1'000;
    std::uint64_t blocks = 20;
    std::string dir = "simulation";
    std::uint64_t seed = 1;
    std::uint64_t additions = 2;
    std::uint64_t removals = 2;
    std::optional<std::uint64_t> late;
    std::optional<std::uint64_t> cheaters;
    unsigned threads = 0;
    std::string way;
    std::string svg;
};

/// What the system says of this process.
struct ProcessFigures {
    double resident_mib = 0;
    double peak_mib = 0;           // since the run began, where the system lets that be reset
    std::uint64_t open_files = 0;  // beside those of replicas
};

ProcessFigures process_figures() {
    ProcessFigures out;
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        const auto kib = [&] { return std::strtod(line.c_str() + line.find(':') + 1, nullptr); };
        if (line.starts_with("VmRSS:")) out.resident_mib = kib() / 1'024;
        if (line.starts_with("VmHWM:")) out.peak_mib = kib() / 1'024;
    }
    std::error_code error;
    for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
         at.increment(error)) {
        ++out.open_files;
    }
    return out;
}

void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

struct Row {
    std::uint64_t height = 0;
    double seconds = 0;
    double vdf = 0;
    SetTimes times;
    std::uint64_t links = 0;
    std::uint64_t proofs = 0;
    std::uint64_t seal_proofs = 0;
    std::uint64_t faults = 0;
    StatusCounts counts;
    ProcessFigures process;
    std::size_t most_replica_files = 0;
    std::optional<BlockForecast> forecast;

    /// Without making and checking the proofs of an earlier height and seal proofs.
    [[nodiscard]] double without_proofs() const {
        return seconds - times.proofs - times.proven - times.seal;
    }
};

void add(SetTimes& to, const SetTimes& t) {
    to.plan += t.plan;
    to.seal += t.seal;
    to.links += t.links;
    to.record += t.record;
    to.sign += t.sign;
    to.bundles += t.bundles;
    to.proofs += t.proofs;
    to.proven += t.proven;
}

struct Totals {
    CheatCounts cheats;
    std::uint64_t additions = 0;
    std::uint64_t removals = 0;
    std::uint64_t links_missing = 0;
    std::uint64_t honest_not_active = 0;
    std::uint64_t faults = 0;
    ScratchCheck scratch;
    double scratch_seconds = 0;
    [[nodiscard]] bool good() const {
        return cheats.proofs_taken == 0 && links_missing == 0 && honest_not_active == 0 &&
               faults == 0 && scratch.wrong == 0 && scratch.digests > 0;
    }
};

class Simulation {
  public:
    Simulation(const Globals& globals, const Arguments& arguments, const SimulationSize& size)
        : globals_(globals), arguments_(arguments), size_(size) {}

    Status run();
    [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
    [[nodiscard]] const Totals& totals() const { return totals_; }
    [[nodiscard]] const NetworkParams& params() const { return world_->params(); }

  private:
    Status make_replicas();
    Status block(std::uint64_t number);
    Status submit_changes(std::uint64_t number);
    Status look_back(const BlockReport& report);
    Status check_honest();
    [[nodiscard]] bool late_is_away(std::uint64_t number) const {
        const std::uint64_t first = arguments_.blocks / 4;
        return number >= first && number < first + 3;
    }

    const Globals& globals_;
    const Arguments& arguments_;
    SimulationSize size_;
    std::unique_ptr<SimulationWorld> world_;
    TakenLinks taken_;
    std::vector<Row> rows_;
    Totals totals_;
    std::uint64_t enlisted_ = 0;
    std::vector<ChainId> removed_;
};

Status Simulation::make_replicas() {
    const NetworkParams params = simulation_network();
    const std::pair<const char*, std::uint64_t> fleets[] = {
        {"honest", size_.honest + arguments_.additions * arguments_.blocks},
        {"late", size_.late},
        {"cheat", size_.cheaters}};
    for (const auto& [name, count] : fleets) {
        Progress progress(globals_, std::string("sealing (") + name + ")", "replicas");
        const Fleet fleet(arguments_.dir, name, arguments_.seed);
        HOLDFAST_TRY(fleet.make(
            params, count, arguments_.threads, stop_requested(),
            [&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); }));
    }
    return {};
}

/// What the host chain lists next: registrations of new chains, removals of old ones.
Status Simulation::submit_changes(std::uint64_t number) {
    const Fleet fleet(arguments_.dir, "honest", arguments_.seed);
    for (std::uint64_t i = 0; i < arguments_.additions; ++i, ++enlisted_) {
        HOLDFAST_TRY(world_->enlist(fleet.replica(size_.honest + enlisted_)));
        ++totals_.additions;
    }
    HOLDFAST_ASSIGN(tip, world_->registry().tip());
    const auto members = world_->honest().members();
    for (std::uint64_t i = 0; tip && i < arguments_.removals; ++i) {
        const std::uint64_t index = number * arguments_.removals + i;
        const auto& chain_id = members[static_cast<std::size_t>(index)].chain_id;
        if (index >= size_.honest || !chain_id) break;
        HOLDFAST_ASSIGN(removal, make_removal(world_->network_id(), *chain_id, 1, *tip,
                                              world_->honest().key()));
        HOLDFAST_TRY(
            world_->chain().submit(Kind::kRemoval, wrap_object(Kind::kRemoval, removal.encode())));
        removed_.push_back(*chain_id);
        ++totals_.removals;
    }
    return {};
}

Status Simulation::look_back(const BlockReport& report) {
    for (const ObjectOutcome& o : report.objects) totals_.faults += o.verdict ? 0 : 1;
    if (!report.closed) return {};
    HOLDFAST_ASSIGN(missing, taken_.missing_in(world_->registry(), *report.closed));
    totals_.links_missing += missing;
    return {};
}

Status Simulation::block(std::uint64_t number) {
    HOLDFAST_TRY(submit_changes(number));
    HOLDFAST_TRY(world_->chain().append_block());
    std::vector<ProverSet*> sets = {&world_->honest()};
    if (size_.late > 0 && !late_is_away(number)) sets.push_back(&world_->late());
    Progress progress(
        globals_,
        "block " + std::to_string(number + 1) + " of " + std::to_string(arguments_.blocks),
        "steps");
    VdfClockWork work;
    work.stop = stop_requested();
    HOLDFAST_ASSIGN(report, world_->aggregator().advance({}, sets, work));
    if (!report) return fail(ErrorCode::kCorrupt, "the new block did not become final");
    Row row;
    row.height = report->height.value;
    row.seconds = report->seconds;
    row.vdf = report->vdf_seconds;
    row.counts = report->counts;
    row.forecast = report->forecast;
    for (const SetReport& set : report->sets) {
        add(row.times, set.times);
        row.links += set.links;
        row.proofs += set.compact_proofs + set.full_proofs;
        row.seal_proofs += set.seal_proofs;
        row.faults += set.fault_count;
        row.most_replica_files += set.most_open_files;
    }
    totals_.faults += row.faults;
    HOLDFAST_ASSIGN(
        cheated, cheat(world_->params(), world_->registry(), world_->cheaters(), report->height));
    totals_.cheats.receipts_taken += cheated.receipts_taken;
    totals_.cheats.proofs_refused += cheated.proofs_refused;
    totals_.cheats.proofs_taken += cheated.proofs_taken;
    row.process = process_figures();
    row.process.open_files -=
        std::min<std::uint64_t>(row.process.open_files, world_->open_replica_files());
    rows_.push_back(row);
    progress.update(number + 1, arguments_.blocks);
    return look_back(*report);
}

/// Whoever kept its data and stayed is active in the newest digest.
Status Simulation::check_honest() {
    std::sort(removed_.begin(), removed_.end());
    HOLDFAST_ASSIGN(closed, world_->registry().closed());
    if (!closed) return {};
    HOLDFAST_ASSIGN(tree, world_->registry().tree(*closed));
    tree.for_each([&](std::uint64_t, const ChainLeaf& leaf) {
        if (leaf.status == ChainStatus::kActive || !world_->honest().member_of(leaf.chain_id) ||
            std::binary_search(removed_.begin(), removed_.end(), leaf.chain_id)) {
            return;
        }
        ++totals_.honest_not_active;
    });
    return {};
}

Status Simulation::run() {
    std::optional<BatchReader::Way> way;
    if (!arguments_.way.empty()) way = batch_reader_way(arguments_.way);
    BlockProcessorOptions processing;
    processing.threads = arguments_.threads;
    processing.way = way;
    processing.on_links = [this](const LinkPlace& place, std::span<const ChainLink> links) {
        taken_.note(place.height, links);
    };
    HOLDFAST_TRY(SimulationWorld::claim_cache(arguments_.dir, arguments_.seed));
    HOLDFAST_TRY(make_replicas());
    PhaseProgress progress(globals_, "chains");
    HOLDFAST_ASSIGN(world,
                    SimulationWorld::open({stop_requested(), std::ref(progress)}, arguments_.dir,
                                          arguments_.seed, size_, processing));
    progress.finish();
    world_ = std::move(world);
    // Taking up the state once more costs a block's work again, which is not a block's time.
    HOLDFAST_ASSIGN(nothing, world_->aggregator().advance({}, {}, {}));
    if (nothing) return fail(ErrorCode::kCorrupt, "the cached state lags behind its chain");
    RegistryDuties duties(world_->registry());
    HOLDFAST_TRY(world_->honest().find_chains(duties, {}));
    HOLDFAST_ASSIGN(tip, world_->registry().tip());
    const Height first = tip ? *tip : world_->params().genesis_height;
    reset_peak();
    for (std::uint64_t i = 0; i < arguments_.blocks; ++i) {
        if (stop_requested()()) return interrupted();
        HOLDFAST_TRY(block(i));
    }
    const auto start = std::chrono::steady_clock::now();
    HOLDFAST_TRY(check_honest());
    HOLDFAST_ASSIGN(scratch, recompute_digests(world_->registry(), first, stop_requested()));
    totals_.scratch = scratch;
    totals_.scratch_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return {};
}

// --- what is told --------------------------------------------------------------------------------

double quantile(std::vector<double> values, double q) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(
        std::lround(q * static_cast<double>(values.size() - 1)))];
}

template <class Of>
std::vector<double> column(const std::vector<Row>& rows, const Of& of) {
    std::vector<double> out;
    for (const Row& r : rows) out.push_back(of(r));
    return out;
}

Json percentiles(const std::vector<double>& values) {
    return {{"p50", quantile(values, 0.5)},
            {"p90", quantile(values, 0.9)},
            {"p99", quantile(values, 0.99)},
            {"max", quantile(values, 1)}};
}

Json row_json(const Row& row) {
    Json out = {{"height", row.height},
                {"seconds", row.seconds},
                {"without_proofs_seconds", row.without_proofs()},
                {"vdf_seconds", row.vdf},
                {"times", json_of(row.times)},
                {"links", row.links},
                {"proofs", row.proofs},
                {"seal_proofs", row.seal_proofs},
                {"faults", row.faults},
                {"statistics", json_of(row.counts)},
                {"resident_mib", row.process.resident_mib},
                {"open_files", row.process.open_files}};
    if (row.forecast) out["forecast"] = json_of(*row.forecast);
    return out;
}

std::uint64_t most_open_files(const std::vector<Row>& rows) {
    std::uint64_t own = 0;
    std::size_t replicas = 0;
    for (const Row& r : rows) {
        own = std::max(own, r.process.open_files);
        replicas = std::max(replicas, r.most_replica_files);
    }
    return own + replicas;
}

std::string line_of(const Row& row) {
    char text[256];
    std::snprintf(text, sizeof text,
                  "%6llu  %8.3f  %8.3f  %7.3f  %7.3f  %7.3f  %7.3f  %8llu  %8llu  %7llu  %6.0f",
                  static_cast<unsigned long long>(row.height), row.seconds, row.without_proofs(),
                  row.times.links, row.times.sign, row.times.bundles,
                  row.times.proofs + row.times.proven, static_cast<unsigned long long>(row.links),
                  static_cast<unsigned long long>(row.counts.active),
                  static_cast<unsigned long long>(row.counts.late + row.counts.expired),
                  row.process.resident_mib);
    return text;
}

std::string chart_of(const Arguments& arguments, const std::vector<Row>& rows) {
    const auto series = [&](const char* name, const auto& of) {
        ChartSeries s;
        s.name = name;
        s.markers = true;
        for (const Row& r : rows) s.points.push_back({static_cast<double>(r.height), of(r)});
        return s;
    };
    Chart times;
    times.title = "Time of a block, " + with_commas(arguments.chains) + " chains";
    times.subtitle = "64 KiB replicas on disk, all links and proofs; the VDF is a toy here";
    times.x_label = "height";
    times.y_label = "seconds";
    times.series = {series("whole block", [](const Row& r) { return r.seconds; }),
                    series("links", [](const Row& r) { return r.times.links; }),
                    series("signatures", [](const Row& r) { return r.times.sign; }),
                    series("bundles taken", [](const Row& r) { return r.times.bundles; }),
                    series("proofs", [](const Row& r) { return r.times.proofs + r.times.proven; })};
    Chart chains;
    chains.title = "Chains that are not simply active";
    chains.x_label = "height of the block that closed the digest";
    chains.y_label = "chains";
    chains.series = {
        series("late", [](const Row& r) { return static_cast<double>(r.counts.late); }),
        series("removing", [](const Row& r) { return static_cast<double>(r.counts.removing); }),
        series("expired", [](const Row& r) { return static_cast<double>(r.counts.expired); })};
    Chart memory;
    memory.title = "Memory of the process";
    memory.subtitle = "resident, pages of the registry's map included";
    memory.x_label = "height";
    memory.y_label = "MiB";
    memory.series = {series("resident", [](const Row& r) { return r.process.resident_mib; })};
    return svg_charts({times, chains, memory});
}

Output output_of(const Arguments& arguments, const SimulationSize& size, const Simulation& done) {
    const std::vector<Row>& rows = done.rows();
    const Totals& t = done.totals();
    Output out;
    out.field("chains", size.chains());
    out.field("late_chains", size.late);
    out.field("cheating_chains", size.cheaters);
    out.field("blocks", rows.size());
    out.json["network"] = {{"name", done.params().name},
                           {"rate_window", done.params().rate_window},
                           {"misses_late", done.params().misses_late},
                           {"misses_expired", done.params().misses_expired},
                           {"proof_deadline", done.params().proof_deadline},
                           {"vdf_steps", done.params().vdf.total_steps()}};
    out.line("network: deadlines of a few blocks, a miss window of " +
             std::to_string(done.params().rate_window) + ", a toy VDF of " +
             std::to_string(done.params().vdf.total_steps()) +
             " steps: its time is not part of what is shown");
    out.line(
        "height   block s  no proofs    links     sign  receipt   proofs     links    active"
        "  not act  MiB");
    for (const Row& row : rows) {
        out.json["rows"].push_back(row_json(row));
        out.line(line_of(row));
    }
    const auto whole = column(rows, [](const Row& r) { return r.seconds; });
    const auto bare = column(rows, [](const Row& r) { return r.without_proofs(); });
    out.json["block_seconds"] = percentiles(whole);
    out.json["block_seconds_without_proofs"] = percentiles(bare);
    const auto told = [](const std::vector<double>& v) {
        return format_duration(quantile(v, 0.5)) + ", " + format_duration(quantile(v, 0.9)) + ", " +
               format_duration(quantile(v, 0.99)) + ", " + format_duration(quantile(v, 1));
    };
    out.line("block (p50, p90, p99, max): " + told(whole) + "; without proofs: " + told(bare));
    out.field("peak_resident_mib", std::lround(rows.back().process.peak_mib));
    out.field("most_open_files", most_open_files(rows));
    out.field("additions", t.additions);
    out.field("removals", t.removals);
    out.field("cheating_receipts_taken", t.cheats.receipts_taken);
    out.field("cheating_proofs_refused", t.cheats.proofs_refused);
    out.field("cheating_proofs_taken", t.cheats.proofs_taken);
    out.field("links_missing_in_digests", t.links_missing);
    out.field("honest_chains_not_active", t.honest_not_active);
    out.field("faults", t.faults);
    out.field("digests_recomputed", t.scratch.digests);
    out.field("leaves_hashed", t.scratch.leaves);
    out.field("digests_that_differ", t.scratch.wrong);
    if (rows.back().forecast) {
        out.json["forecast"] = json_of(*rows.back().forecast);
        out.line(rows.back().forecast->text());
    }
    out.field("result", t.good() ? "everything agrees" : "SOMETHING DIFFERS");
    if (!t.good()) out.exit_code = kExitEnvironment;
    if (!arguments.svg.empty()) out.field("svg", arguments.svg);
    return out;
}

Result<SimulationSize> check(const Arguments& a) {
    if (a.chains < 1 || a.chains > kMostChains) {
        return fail(ErrorCode::kInvalidArgument, "--chains must be 1 to 1000000");
    }
    if (a.blocks < kLeastBlocks || a.blocks > kMostBlocks) {
        return fail(ErrorCode::kInvalidArgument, "--blocks must be 2 to 200");
    }
    if (a.additions > kMostChains / a.blocks) {
        return fail(ErrorCode::kInvalidArgument, "--additions adds up to too many chains");
    }
    SimulationSize size;
    size.late = a.late.value_or(a.chains / 100);
    size.cheaters = a.cheaters.value_or(a.chains / 500);
    if (size.late >= a.chains || size.cheaters >= a.chains - size.late) {
        return fail(ErrorCode::kInvalidArgument,
                    "--late and --cheaters must leave at least one honest chain");
    }
    size.honest = a.chains - size.late - size.cheaters;
    if (a.removals > size.honest / a.blocks) {
        return fail(ErrorCode::kInvalidArgument, "--removals would remove every honest chain");
    }
    if (!a.way.empty()) {
        const auto way = batch_reader_way(a.way);
        if (!way) {
            return fail(ErrorCode::kInvalidArgument,
                        "--reader must be advised, mapped, threads or uring");
        }
        HOLDFAST_TRY(BatchReader::make(*way));
    }
    if (!a.svg.empty() && std::filesystem::is_directory(a.svg)) {
        return fail(ErrorCode::kInvalidArgument, "--svg " + a.svg + " is a folder");
    }
    return size;
}

CommandResult simulate(const Globals& globals, const Arguments& arguments) {
    HOLDFAST_ASSIGN(size, check(arguments));
    Simulation simulation(globals, arguments, size);
    HOLDFAST_TRY(simulation.run());
    if (!arguments.svg.empty()) {
        const std::string svg = chart_of(arguments, simulation.rows());
        HOLDFAST_TRY(write_file(arguments.svg, view(std::string_view(svg)), true));
    }
    return output_of(arguments, size, simulation);
}

}  // namespace

void add_simulate_command(Commands& commands) {
    auto a = std::make_shared<Arguments>();
    CLI::App* command = commands.app().add_subcommand(
        "simulate",
        "many real sealed replicas through many blocks: times, memory, every digest recomputed");
    command->add_option("--chains", a->chains, "chains at the start")->capture_default_str();
    command->add_option("--blocks", a->blocks, "blocks to run")->capture_default_str();
    command->add_option("-d,--dir", a->dir, "folder of the cache (about 80 KiB a chain)")
        ->capture_default_str();
    command->add_option("--seed", a->seed, "data and keys follow from it")->capture_default_str();
    command->add_option("--additions", a->additions, "chains that join with each block")
        ->capture_default_str();
    command->add_option("--removals", a->removals, "chains that leave with each block")
        ->capture_default_str();
    command->add_option("--late", a->late,
                        "chains that are away for three blocks (default: 1 in 100)");
    command->add_option("--cheaters", a->cheaters,
                        "chains that threw their data away (default: 1 in 500)");
    command->add_option("--threads", a->threads, "0: one for each core")
        ->check(CLI::Range(0U, 256U))
        ->capture_default_str();
    command->add_option("--reader", a->way,
                        "advised, mapped, threads or uring (default: the best)");
    command->add_option("--svg", a->svg, "file for a chart");
    commands.run(command,
                 "  holdfast simulate --chains 1000 --blocks 20 --svg simulation.svg\n"
                 "  holdfast simulate --chains 100000 --blocks 20 --dir cache --json\n",
                 [a, &commands] { return simulate(commands.globals(), *a); });
}

}  // namespace holdfast::cli
