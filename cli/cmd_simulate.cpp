// simulate: many real sealed replicas through many blocks, measured and recomputed from scratch.

#include <algorithm>
#include <fstream>

#include "cli/commands.hpp"
#include "cli/simulate_report.hpp"
#include "storage/file.hpp"
#include "storage/parallel.hpp"

namespace holdfast::cli {
using namespace simulation;
namespace {

constexpr std::uint64_t kMostChains = 1'000'000;
constexpr std::uint64_t kMostBlocks = 200;
constexpr std::uint64_t kLeastBlocks = 2;

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

class Simulation {
  public:
    Simulation(const Globals& globals, const SimulationOrder& order, const SimulationSize& size)
        : globals_(globals), order_(order), size_(size) {}

    Status run();
    [[nodiscard]] SimulationRun told() const { return {world_->params(), rows_, totals_}; }

  private:
    Status make_replicas();
    Status block(std::uint64_t number);
    Status submit_changes(std::uint64_t number);
    Status block_the_other_way(std::span<ProverSet* const> sets, SimulationRow& row);
    Status look_back(const BlockReport& report);
    Status check_honest();
    [[nodiscard]] bool late_is_away(std::uint64_t number) const {
        const std::uint64_t first = order_.blocks / 4;
        return number >= first && number < first + 3;
    }

    const Globals& globals_;
    const SimulationOrder& order_;
    SimulationSize size_;
    std::unique_ptr<SimulationWorld> world_;
    TakenLinks taken_;
    std::vector<SimulationRow> rows_;
    SimulationTotals totals_;
    std::uint64_t enlisted_ = 0;
    std::vector<ChainId> removed_;
};

Status Simulation::make_replicas() {
    const NetworkParams params = simulation_network();
    const std::pair<const char*, std::uint64_t> fleets[] = {
        {"honest", size_.honest + order_.additions * order_.blocks},
        {"late", size_.late},
        {"cheat", size_.cheaters}};
    for (const auto& [name, count] : fleets) {
        Progress progress(globals_, std::string("sealing (") + name + ")", "replicas");
        const Fleet fleet(order_.dir, name, order_.seed);
        HOLDFAST_TRY(fleet.make(
            params, count, order_.threads, stop_requested(),
            [&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); }));
    }
    return {};
}

/// What the host chain lists next: registrations of new chains, removals of old ones.
Status Simulation::submit_changes(std::uint64_t number) {
    const Fleet fleet(order_.dir, "honest", order_.seed);
    for (std::uint64_t i = 0; i < order_.additions; ++i, ++enlisted_) {
        HOLDFAST_TRY(world_->enlist(fleet.replica(size_.honest + enlisted_)));
        ++totals_.additions;
    }
    HOLDFAST_ASSIGN(tip, world_->registry().tip());
    const auto members = world_->honest().members();
    for (std::uint64_t i = 0; tip && i < order_.removals; ++i) {
        const std::uint64_t index = number * order_.removals + i;
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
        globals_, "block " + std::to_string(number + 1) + " of " + std::to_string(order_.blocks),
        "steps");
    VdfClockWork work;
    work.stop = stop_requested();
    HOLDFAST_ASSIGN(report, world_->aggregator().advance({}, sets, work));
    if (!report) return fail(ErrorCode::kCorrupt, "the new block did not become final");
    SimulationRow row;
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
    row.bundles = world_->take_cost();
    RegistryDuties duties(world_->registry());
    HOLDFAST_ASSIGN(cheated, cheat(world_->params(), duties, world_->cheaters(), report->height));
    totals_.cheats.receipts_taken += cheated.receipts_taken;
    totals_.cheats.proofs_refused += cheated.proofs_refused;
    totals_.cheats.proofs_taken += cheated.proofs_taken;
    HOLDFAST_TRY(block_the_other_way(sets, row));
    row.process = process_figures();
    row.process.open_files -=
        std::min<std::uint64_t>(row.process.open_files, world_->open_replica_files());
    rows_.push_back(row);
    progress.update(number + 1, order_.blocks);
    return look_back(*report);
}

/// The same by the second registry, where there is one.
Status Simulation::block_the_other_way(std::span<ProverSet* const> sets, SimulationRow& row) {
    SecondWay* const second = world_->second();
    if (second == nullptr) return {};
    const Height height(row.height);
    HOLDFAST_TRY(second->take_block(world_->chain(), world_->registry(), height));
    HOLDFAST_ASSIGN(cost, second->drive(sets, world_->cheaters(), height, stop_requested()));
    row.singles = cost;
    HOLDFAST_ASSIGN(digests, second->compare(world_->registry()));
    for (const DigestPair& pair : digests) {
        ++totals_.digests_compared;
        totals_.digests_unequal += pair.bundles == pair.singles ? 0 : 1;
    }
    row.digests = std::move(digests);
    return {};
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
    if (!order_.way.empty()) way = batch_reader_way(order_.way);
    BlockProcessorOptions processing;
    processing.threads = order_.threads;
    processing.way = way;
    processing.on_links = [this](const LinkPlace& place, std::span<const ChainLink> links) {
        taken_.note(place.height, links);
    };
    HOLDFAST_TRY(SimulationWorld::claim_cache(order_.dir, order_.seed));
    HOLDFAST_TRY(make_replicas());
    PhaseProgress progress(globals_, "chains");
    HOLDFAST_ASSIGN(world, SimulationWorld::open({stop_requested(), std::ref(progress)}, order_.dir,
                                                 order_.seed, size_, processing,
                                                 order_.one_way ? Ways::kBundles : Ways::kBoth));
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
    for (std::uint64_t i = 0; i < order_.blocks; ++i) {
        if (stop_requested()()) return interrupted();
        HOLDFAST_TRY(block(i));
    }
    HOLDFAST_TRY(check_honest());
    HOLDFAST_ASSIGN(scratch, recompute_digests(world_->registry(), first, stop_requested()));
    totals_.scratch = scratch;
    return {};
}

Result<SimulationSize> check(const SimulationOrder& a) {
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

CommandResult simulate(const Globals& globals, const SimulationOrder& order) {
    HOLDFAST_ASSIGN(size, check(order));
    Simulation simulation(globals, order, size);
    HOLDFAST_TRY(simulation.run());
    const SimulationRun run = simulation.told();
    if (!order.svg.empty()) {
        const std::string svg = simulation_chart(order, run.rows);
        HOLDFAST_TRY(write_file(order.svg, view(std::string_view(svg)), true));
    }
    return simulation_report(order, size, run);
}

}  // namespace

void add_simulate_command(Commands& commands) {
    auto a = std::make_shared<SimulationOrder>();
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
    command->add_flag("--one-way", a->one_way,
                      "in bundles and short proofs alone: no second registry beside that is handed "
                      "a signature for each link, and proofs with receipts");
    command->add_option("--svg", a->svg, "file for a chart");
    commands.run(command,
                 "  holdfast simulate --chains 1000 --blocks 20 --svg simulation.svg\n"
                 "  holdfast simulate --chains 100000 --blocks 20 --dir cache --json\n",
                 [a, &commands] { return simulate(commands.globals(), *a); });
}

}  // namespace holdfast::cli
