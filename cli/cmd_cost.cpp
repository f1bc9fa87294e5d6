// cost: what cheating on a sealed replica costs, and what a node does at a height, from measurement
// here.

#include <cmath>
#include <cstdio>
#include <iterator>

#include "analysis/cost_measurement.hpp"
#include "analysis/node_work.hpp"
#include "analysis/seal_cost.hpp"
#include "api/forecast.hpp"
#include "cli/commands.hpp"
#include "embedded/local_chain.hpp"
#include "hierarchy/block_limits.hpp"
#include "json/param_fields.hpp"

namespace holdfast::cli {
namespace {

struct CostArguments {
    std::string preset = "standard";
    std::vector<std::string> settings;
    std::uint64_t bytes = kMaxChunks * kChunkBytes;
    SealPrices prices;
    double margin = 10;
    double least_kept = 0.5;
    bool quick = false;
    WorkSize work{.chains = 100'000,
                  .listed = kMaxSubmissionsPerBlock,
                  .workers = 2,
                  .evidence_fills = kEvidenceFillsPerBlock};
};

/// Everything that the verdict is drawn from and that is printed.
struct Cost {
    NetworkParams params;
    SealParams seal;
    WindowPlan plan;
    CostMeasures measures;
    SealEconomy economy;     // nothing kept but the raw copy
    double referenced = 0;   // batched a month where references are kept: rent, and their storing
    double challenge_s = 0;  // all chunks of one availability challenge, one core
    double least_ratio = 0;  // of any way of cheating on links to storing
    NodeWork node = {};
    WorkRates rates = {};
};

std::string number(double value, int digits = 3) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    return text;
}

std::string fixed(double value, int digits) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

/// "label                 value": one column of labels for the whole table.
void row(Output& out, const std::string& label, const std::string& value) {
    std::string padded = label;
    padded.resize(std::max<std::size_t>(padded.size() + 1, 28), ' ');
    out.line(padded + value);
}

Status check_arguments(const CostArguments& a, const NetworkParams& params) {
    const SealPrices& p = a.prices;
    for (const double price :
         {p.core_hour, p.disk_tb, p.disk_months, p.kwh, p.watts, p.attacker_speed, a.margin}) {
        if (!(price > 0 && price <= 1e12)) {
            return fail(ErrorCode::kInvalidArgument,
                        "prices, --attacker-speed and --margin are above 0 and at most 10^12");
        }
    }
    if (!(a.least_kept >= 0 && a.least_kept <= 1)) {
        return fail(ErrorCode::kInvalidArgument, "--least-kept is 0 to 1");
    }
    if (a.bytes < 1 || a.bytes > kMaxChunks * kChunkBytes) {
        return fail(ErrorCode::kInvalidArgument, "--bytes is 1 to 2^32, the sizes of a replica");
    }
    if (chunk_count(a.bytes).value < params.min_chunks) {
        return fail(ErrorCode::kInvalidArgument, "--bytes is less than the " +
                                                     std::to_string(params.min_chunks) +
                                                     " chunks that the network asks for");
    }
    return {};
}

double allowed_seconds(const NetworkParams& params, const SealPrices& prices) {
    return params.deadline_ms / 1e3 * prices.attacker_speed;
}

Result<Cost> find_out(const Globals& globals, const CostArguments& a) {
    NetworkParams params;
    HOLDFAST_TRY(apply_settings(params, a.settings));
    HOLDFAST_TRY(check_arguments(a, params));
    HOLDFAST_ASSIGN(seal, seal_params_from(a.preset));
    if (!seal.validate()) {
        return fail(ErrorCode::kInvalidArgument, "--preset breaks the bounds of seal presets");
    }
    const WindowPlan plan(chunk_count(a.bytes), seal);
    CostMeasureRequest request;
    request.window = plan.window(0);
    request.smallest = WindowPlan(ChunkCount(params.min_chunks), seal).window(0);
    request.allowed_s = allowed_seconds(params, a.prices);
    request.quick = a.quick;
    PhaseProgress progress(globals, "blocks");
    request.stop = stop_requested();
    request.progress = std::ref(progress);
    HOLDFAST_ASSIGN(measures, measure_cost(request));
    progress.finish();
    const SealEconomy economy = seal_economy(params, plan, measures.fill_s, a.prices);
    const RefillRow& references = measures.rows[1];
    const SealEconomy faster = seal_economy(params, plan, references.cells[0].seconds, a.prices);
    HOLDFAST_ASSIGN(rates, measure_work_rates());
    rates.fill_s = measures.fill_s;
    rates.arena_s = measures.step_s * params.vdf.arena_kib * params.vdf.passes;
    Cost cost{params, seal, plan, measures, economy};
    cost.rates = rates;
    cost.node = node_work(params, plan, a.work, rates);
    const double kept = references.kept * economy.storing_a_month;
    cost.referenced = faster.batched.rent_a_month + kept;
    cost.challenge_s = windows_touched(plan, 1, params.availability_chunks) * measures.fill_s;
    cost.least_ratio = std::min({economy.batched.rent_ratio, economy.batched.energy_ratio,
                                 cost.referenced / economy.storing_a_month,
                                 (faster.batched.energy_a_month + kept) / economy.storing_a_month});
    return cost;
}

/// Why these parameters are too weak; empty where they hold.
std::vector<std::string> weaknesses(const Cost& cost, const CostArguments& a) {
    const CostMeasures& m = cost.measures;
    const double deadline = cost.params.deadline_ms / 1e3;
    const double speed = a.prices.attacker_speed;
    std::vector<std::string> out;
    if (m.smallest_fill_s / speed <= deadline) {
        out.push_back("the smallest replica (" + std::to_string(cost.params.min_chunks) +
                      " chunks) is refilled from its raw data in " +
                      number(m.smallest_fill_s / speed) + " s, within the " + number(deadline) +
                      " s of an availability challenge");
    }
    if (m.least.possible && m.least.kept < a.least_kept) {
        out.push_back("with " + fixed(m.least.kept, 2) + " of a window kept (" + m.least.keeps +
                      ") it is refilled in " + number(m.least.seconds / speed) + " s, within the " +
                      number(deadline) + " s of an availability challenge");
    }
    if (cost.least_ratio < a.margin) {
        out.push_back("refilling for links costs " + number(cost.least_ratio) +
                      " times as much as storing, less than " + number(a.margin) + " times");
    }
    return out;
}

void describe_work(const Cost& cost, const CostArguments& a, Output& out) {
    const CostMeasures& m = cost.measures;
    const std::string_view named = seal_preset_name(cost.seal);
    row(out, "parameters",
        (named.empty() ? "" : std::string(named) + ": ") + "windows of " +
            format_bytes(m.window.bytes()) + ", " + std::to_string(m.window.passes) +
            " passes; replica of " + format_bytes(a.bytes) + ", " +
            std::to_string(cost.plan.count()) + " window(s)");
    row(out, "one chunk from the raw copy",
        fixed(m.fill_s, 3) + " s and " + format_bytes(m.window.bytes()) +
            " on one core; the deadline is " + number(cost.params.deadline_ms / 1e3) + " s");
    row(out, "one availability challenge",
        fixed(cost.challenge_s, 3) + " core-seconds for " +
            std::to_string(cost.params.availability_chunks) + " chunks in expectation");
    row(out, "smallest replica",
        fixed(m.smallest_fill_s, 3) + " s for " +
            format_bytes(cost.params.min_chunks * kChunkBytes) + " on one core");
    const double gibs = static_cast<double>(m.window.bytes()) / static_cast<double>(1ULL << 30);
    row(out, "honest sealing",
        fixed((m.fill_s + m.trees_s) / gibs, 1) +
            " core-seconds per GiB: " + fixed(m.fill_s / gibs, 1) + " fill, " +
            fixed(m.trees_s / gibs, 1) + " both trees; reading and writing not counted");
    out.json["preset"] = named;
    out.json["window_chunks"] = cost.seal.window_chunks;
    out.json["work_blocks"] = cost.seal.work_blocks;
    out.json["bytes"] = a.bytes;
    out.json["windows"] = cost.plan.count();
    out.json["window_bytes"] = m.window.bytes();
    out.json["passes"] = m.window.passes;
    out.json["measured_passes"] = m.measured_passes;
    out.json["deadline_seconds"] = cost.params.deadline_ms / 1e3;
    out.json["one_chunk"] = {{"seconds", m.fill_s}, {"memory_bytes", m.window.bytes()}};
    out.json["challenge_core_seconds"] = cost.challenge_s;
    out.json["smallest_replica_seconds"] = m.smallest_fill_s;
    out.json["seal_core_seconds_per_gib"] = (m.fill_s + m.trees_s) / gibs;
    out.json["step_ns"] = m.step_s * 1e9;
    out.json["fetched_step_ns"] = m.fetched_step_s * 1e9;
}

void describe_refills(const Cost& cost, Output& out) {
    const CostMeasures& m = cost.measures;
    out.line("Seconds to refill one window, by what is kept of it and the number of threads:");
    char line[160];
    std::snprintf(line, sizeof line, "  %-22s %6s", "kept", "part");
    std::string head = line;
    for (const unsigned threads : kCostThreads) {
        std::snprintf(line, sizeof line, " %8u ", threads);
        head += line;
    }
    out.line(head);
    Json rows = Json::array();
    for (const RefillRow& r : m.rows) {
        std::snprintf(line, sizeof line, "  %-22s %6.2f", r.keeps.c_str(), r.kept);
        std::string text = line;
        Json cells = Json::array();
        for (std::size_t i = 0; i < r.cells.size(); ++i) {
            std::snprintf(line, sizeof line, " %8.3f%c", r.cells[i].seconds,
                          r.cells[i].measured ? '*' : ' ');
            text += line;
            cells.push_back({{"threads", kCostThreads[i]},
                             {"seconds", r.cells[i].seconds},
                             {"measured", r.cells[i].measured}});
        }
        out.line(text);
        rows.push_back({{"keeps", r.keeps}, {"kept", r.kept}, {"refills", cells}});
    }
    out.line(
        "  * carried out here and compared with the true window; the others: block "
        "computations counted, times the");
    out.line(
        "    time of one here, threads that never wait for memory or for each other: the "
        "cheater's best case");
    if (m.measured_passes < m.window.passes) {
        out.line("  " + std::to_string(m.measured_passes) + " of " +
                 std::to_string(m.window.passes) + " passes were measured; all is scaled up");
    }
    out.json["refills"] = rows;
    const unsigned most = *std::rbegin(kCostThreads);
    if (m.least.possible) {
        row(out, "least kept for the deadline",
            fixed(m.least.kept, 2) + " of the window (" + m.least.keeps + "), on at most " +
                std::to_string(most) + " threads");
        out.json["least_kept"] = {
            {"kept", m.least.kept}, {"keeps", m.least.keeps}, {"seconds", m.least.seconds}};
    } else {
        row(out, "least kept for the deadline",
            "the window itself: nothing less was found to do, on " + std::to_string(most) +
                " threads");
        out.json["least_kept"] = nullptr;
    }
}

Json bill_json(const RefillBill& b) {
    return {{"windows_a_link", b.windows_a_link},
            {"core_seconds_a_link", b.core_seconds_a_link},
            {"core_hours_a_month", b.core_hours_a_month},
            {"rent_a_month", b.rent_a_month},
            {"rent_ratio", b.rent_ratio},
            {"energy_a_month", b.energy_a_month},
            {"energy_ratio", b.energy_ratio}};
}

void describe_bill(const std::string& label, const RefillBill& b, Output& out) {
    row(out, label,
        number(b.windows_a_link) + " windows and " + number(b.core_seconds_a_link) +
            " core-seconds a link; rent " + number(b.rent_a_month) + " a month (" +
            number(b.rent_ratio) + " times storing), energy alone " + number(b.energy_a_month) +
            " (" + number(b.energy_ratio) + " times)");
}

void describe_economy(const Cost& cost, const CostArguments& a, Output& out) {
    const SealEconomy& e = cost.economy;
    const SealPrices& p = a.prices;
    out.line("A month of links, " + number(e.links_a_month, 6) + " of them, at " +
             number(p.core_hour) + " a core-hour, " + number(p.disk_tb) + " a TB of disk over " +
             number(p.disk_months) + " months, " + number(p.kwh) + " a kWh and " + number(p.watts) +
             " W a core, an attacker " + number(p.attacker_speed) + " times as fast as here:");
    row(out, "  storing the replica", number(e.storing_a_month) + " a month");
    describe_bill("  refilling, one by one", e.one_by_one, out);
    describe_bill("  refilling, " + std::to_string(links_in_a_batch(cost.params)) + " at once",
                  e.batched, out);
    row(out, "  the same with references",
        "rent and their storing " + number(cost.referenced) + " a month (" +
            number(cost.referenced / e.storing_a_month) + " times storing)");
    out.json["prices"] = {{"core_hour", p.core_hour},
                          {"disk_tb", p.disk_tb},
                          {"disk_months", p.disk_months},
                          {"kwh", p.kwh},
                          {"watts", p.watts},
                          {"attacker_speed", p.attacker_speed}};
    out.json["links_a_month"] = e.links_a_month;
    out.json["storing_a_month"] = e.storing_a_month;
    out.json["one_by_one"] = bill_json(e.one_by_one);
    out.json["batched"] = bill_json(e.batched);
    out.json["batched_with_references_a_month"] = cost.referenced;
    out.json["least_ratio"] = cost.least_ratio;
}

Json describe_items(const std::vector<WorkItem>& items, Output& out) {
    Json list = Json::array();
    char line[160];
    for (const WorkItem& i : items) {
        const double each_us = i.times > 0 ? i.core_s / i.times * 1e6 : 0;
        std::snprintf(line, sizeof line, "  %-36s %9.0f x %12.1f us %10.2f s", i.what.c_str(),
                      i.times, each_us, i.core_s);
        out.line(line);
        list.push_back({{"what", i.what}, {"times", i.times}, {"core_seconds", i.core_s}});
    }
    return list;
}

/// docs/security.md, section 3.14.
void describe_node(const Cost& cost, const CostArguments& a, Output& out) {
    const NodeWork& n = cost.node;
    out.line("A height with " + with_commas(a.work.chains) +
             " chains, each of a prover of its own, in core-seconds of this machine:");
    Json height = describe_items(n.height, out);
    row(out, "  in all",
        fixed(n.height_s, 1) + " core-seconds in the " + number(n.block_s) + " s of a block");
    out.line("What strangers can make a node do in a block, at most:");
    Json strangers = describe_items(n.strangers, out);
    row(out, "  the ceiling", fixed(n.strangers_s, 1) + " core-seconds a block");
    row(out, "a machine for both",
        std::to_string(n.cores) + " cores such as these, one of them for y alone, and " +
            format_bytes(n.memory_bytes) + " of memory");
    out.json["rates"] = {{"signature_seconds", cost.rates.signature_s},
                         {"hash_seconds", cost.rates.hash_s},
                         {"record_seconds", cost.rates.record_s},
                         {"fill_seconds", cost.rates.fill_s},
                         {"arena_seconds", cost.rates.arena_s}};
    out.json["height"] = {{"chains", a.work.chains},
                          {"block_seconds", n.block_s},
                          {"items", height},
                          {"core_seconds", n.height_s}};
    out.json["strangers"] = {{"items", strangers}, {"ceiling_core_seconds", n.strangers_s}};
    out.json["operator"] = {{"cores", n.cores}, {"memory_bytes", n.memory_bytes}};
}

CommandResult run_cost(const Globals& globals, const CostArguments& a) {
    HOLDFAST_ASSIGN(cost, find_out(globals, a));
    Output out;
    describe_work(cost, a, out);
    describe_refills(cost, out);
    describe_economy(cost, a, out);
    describe_node(cost, a, out);
    const std::vector<std::string> weak = weaknesses(cost, a);
    for (const std::string& reason : weak) out.line("TOO WEAK: " + reason);
    if (weak.empty()) {
        out.line("These parameters hold: cheating costs at least " + number(cost.least_ratio) +
                 " times storing, and no answer in time is known from less than " +
                 fixed(cost.measures.least.possible ? cost.measures.least.kept : 1, 2) +
                 " of a window.");
    }
    out.json["too_weak"] = !weak.empty();
    out.json["reasons"] = weak;
    out.exit_code = weak.empty() ? kExitOk : kExitRefused;
    return out;
}

}  // namespace

void add_cost_command(Commands& commands) {
    auto a = std::make_shared<CostArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "cost",
        "what cheating on a sealed replica costs, what a node does at a height and what strangers "
        "can make it do, from measurement here; exit code 1 where the parameters are too weak");
    command
        ->add_option("--preset", a->preset,
                     "standard, hardened, economy, dev or WINDOW_CHUNKS:WORK_BLOCKS")
        ->capture_default_str();
    command->add_option("--bytes", a->bytes, "size of the replica")->capture_default_str();
    command->add_option("--set", a->settings,
                        "another network: block_ms, deadline_ms, link_lag, min_chunks … as "
                        "NAME=VALUE");
    command->add_option("--chains", a->work.chains, "chains of the network, for a node's work")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 32))
        ->capture_default_str();
    command
        ->add_option("--listed", a->work.listed,
                     "objects that a block lists at most; the default is the local chain's")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 32))
        ->capture_default_str();
    command->add_option("--workers", a->work.workers, "threads of the node that answer peers")
        ->check(CLI::Range(1U, 64U))
        ->capture_default_str();
    command->add_flag("--quick", a->quick, "measures at most 10 passes and scales them up");
    command
        ->add_option("--attacker-speed", a->prices.attacker_speed,
                     "how many times faster than here the attacker fills")
        ->capture_default_str();
    command->add_option("--core-hour", a->prices.core_hour, "price of a rented core for an hour")
        ->capture_default_str();
    command->add_option("--disk-tb", a->prices.disk_tb, "price of 10^12 bytes of disk")
        ->capture_default_str();
    command->add_option("--disk-months", a->prices.disk_months, "months that a disk lasts")
        ->capture_default_str();
    command->add_option("--kwh", a->prices.kwh, "price of a kilowatt-hour")->capture_default_str();
    command->add_option("--watts", a->prices.watts, "watts of what fills one window at a time")
        ->capture_default_str();
    command->add_option("--margin", a->margin, "too weak where refilling costs less times storing")
        ->capture_default_str();
    command
        ->add_option("--least-kept", a->least_kept,
                     "too weak where a smaller part of a window is enough to meet the deadline")
        ->capture_default_str();
    commands.run(command,
                 "  holdfast cost\n"
                 "  holdfast cost --preset economy --quick\n"
                 "  holdfast cost --quick --chains 1000000\n"
                 "  holdfast cost --attacker-speed 3 --core-hour 0.01 --json\n"
                 "  holdfast cost --preset 32768:20971520 --set deadline_ms=1000\n",
                 [a, &commands] { return run_cost(commands.globals(), *a); });
}

}  // namespace holdfast::cli
