#include "cli/simulate_report.hpp"

#include <algorithm>
#include <cmath>

#include "cli/svg_chart.hpp"
#include "json/blocks.hpp"

namespace holdfast::cli {
using namespace simulation;
namespace {

double quantile(std::vector<double> values, double q) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(
        std::lround(q * static_cast<double>(values.size() - 1)))];
}

template <class Of>
std::vector<double> column(const std::vector<SimulationRow>& rows, const Of& of) {
    std::vector<double> out;
    for (const SimulationRow& r : rows) out.push_back(of(r));
    return out;
}

Json percentiles(const std::vector<double>& values) {
    return {{"p50", quantile(values, 0.5)},
            {"p90", quantile(values, 0.9)},
            {"p99", quantile(values, 0.99)},
            {"max", quantile(values, 1)}};
}

// --- both ways -----------------------------------------------------------------------------------

Json cost_json(const HandOverCost& cost) {
    return {{"links", cost.links},
            {"proofs", cost.proofs},
            {"bytes", cost.bytes},
            {"signatures", cost.signatures},
            {"provers_cpu_seconds", cost.provers_seconds},
            {"registry_cpu_seconds", cost.registry_seconds}};
}

/// What handing over has cost, for each chain and height.
struct PerLink {
    double bytes = 0;
    double signatures = 0;
    double provers_us = 0;
    double registry_us = 0;

    explicit PerLink(const HandOverCost& c) {
        const auto links = static_cast<double>(std::max<std::uint64_t>(c.links, 1));
        bytes = static_cast<double>(c.bytes) / links;
        signatures = static_cast<double>(c.signatures) / links;
        provers_us = c.provers_seconds / links * 1e6;
        registry_us = c.registry_seconds / links * 1e6;
    }
    [[nodiscard]] Json json() const {
        return {{"bytes", bytes},
                {"signatures", signatures},
                {"provers_cpu_us", provers_us},
                {"registry_cpu_us", registry_us}};
    }
};

std::string way_line(const char* way, const PerLink& each) {
    char text[160];
    std::snprintf(text, sizeof text, "%-48s %8.0f %11.4f %9.1f us %9.1f us", way, each.bytes,
                  each.signatures, each.provers_us, each.registry_us);
    return text;
}

/// What links and proofs cost, handed over one way and the other at the same heights.
void tell_ways(const SimulationRun& run, Output& out) {
    HandOverCost bundles;
    std::optional<HandOverCost> singles;
    for (const SimulationRow& row : run.rows) {
        bundles += row.bundles;
        if (!row.singles) continue;
        if (!singles) singles.emplace();
        *singles += *row.singles;
    }
    Json& json = out.json["handed_over"];
    json["bundles"] = cost_json(bundles);
    json["bundles"]["each"] = PerLink(bundles).json();
    out.line(
        "links and proofs, a chain and height                bytes  signatures       prover     "
        "registry");
    out.line(way_line("in bundles, short proofs", PerLink(bundles)));
    if (!singles) return;
    json["singles"] = cost_json(*singles);
    json["singles"]["each"] = PerLink(*singles).json();
    out.line(way_line("a signature for each link, proofs with receipts", PerLink(*singles)));
    out.field("digests_compared_of_both_ways", run.totals.digests_compared);
    out.field("digests_that_differ_between_them", run.totals.digests_unequal);
}

// --- blocks --------------------------------------------------------------------------------------

Json row_json(const SimulationRow& row) {
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
    out["handed_over"]["bundles"] = cost_json(row.bundles);
    if (row.singles) out["handed_over"]["singles"] = cost_json(*row.singles);
    for (const DigestPair& pair : row.digests) {
        out["digests"].push_back({{"height", pair.height.value},
                                  {"bundles", to_hex(pair.bundles)},
                                  {"singles", to_hex(pair.singles)}});
    }
    return out;
}

std::uint64_t most_open_files(const std::vector<SimulationRow>& rows) {
    std::uint64_t own = 0;
    std::size_t replicas = 0;
    for (const SimulationRow& r : rows) {
        own = std::max(own, r.process.open_files);
        replicas = std::max(replicas, r.most_replica_files);
    }
    return own + replicas;
}

std::string line_of(const SimulationRow& row) {
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

}  // namespace

std::string simulation_chart(const SimulationOrder& order, const std::vector<SimulationRow>& rows) {
    const auto series = [&](const char* name, const auto& of) {
        ChartSeries s;
        s.name = name;
        s.markers = true;
        for (const SimulationRow& r : rows)
            s.points.push_back({static_cast<double>(r.height), of(r)});
        return s;
    };
    Chart times;
    times.title = "Time of a block, " + with_commas(order.chains) + " chains";
    times.subtitle = "64 KiB replicas on disk, all links and proofs; the VDF is a toy here";
    times.x_label = "height";
    times.y_label = "seconds";
    times.series = {
        series("whole block", [](const SimulationRow& r) { return r.seconds; }),
        series("links", [](const SimulationRow& r) { return r.times.links; }),
        series("signatures", [](const SimulationRow& r) { return r.times.sign; }),
        series("bundles taken", [](const SimulationRow& r) { return r.times.bundles; }),
        series("proofs", [](const SimulationRow& r) { return r.times.proofs + r.times.proven; })};
    Chart chains;
    chains.title = "Chains that are not simply active";
    chains.x_label = "height of the block that closed the digest";
    chains.y_label = "chains";
    chains.series = {
        series("late", [](const SimulationRow& r) { return static_cast<double>(r.counts.late); }),
        series("removing",
               [](const SimulationRow& r) { return static_cast<double>(r.counts.removing); }),
        series("expired",
               [](const SimulationRow& r) { return static_cast<double>(r.counts.expired); })};
    Chart memory;
    memory.title = "Memory of the process";
    memory.subtitle = "resident, pages of the registry's map included";
    memory.x_label = "height";
    memory.y_label = "MiB";
    memory.series = {
        series("resident", [](const SimulationRow& r) { return r.process.resident_mib; })};
    return svg_charts({times, chains, memory});
}

Output simulation_report(const SimulationOrder& order, const SimulationSize& size,
                         const SimulationRun& run) {
    const std::vector<SimulationRow>& rows = run.rows;
    const SimulationTotals& t = run.totals;
    Output out;
    out.field("chains", size.chains());
    out.field("late_chains", size.late);
    out.field("cheating_chains", size.cheaters);
    out.field("blocks", rows.size());
    out.json["network"] = {{"name", run.params.name},
                           {"rate_window", run.params.rate_window},
                           {"misses_late", run.params.misses_late},
                           {"misses_expired", run.params.misses_expired},
                           {"proof_deadline", run.params.proof_deadline},
                           {"vdf_steps", run.params.vdf.total_steps()}};
    out.line("network: deadlines of a few blocks, a miss window of " +
             std::to_string(run.params.rate_window) + ", a toy VDF of " +
             std::to_string(run.params.vdf.total_steps()) +
             " steps: its time is not part of what is shown");
    out.line(
        "height   block s  no proofs    links     sign  bundles   proofs     links    active"
        "  not act  MiB");
    for (const SimulationRow& row : rows) {
        out.json["rows"].push_back(row_json(row));
        out.line(line_of(row));
    }
    const auto whole = column(rows, [](const SimulationRow& r) { return r.seconds; });
    const auto bare = column(rows, [](const SimulationRow& r) { return r.without_proofs(); });
    out.json["block_seconds"] = percentiles(whole);
    out.json["block_seconds_without_proofs"] = percentiles(bare);
    const auto told = [](const std::vector<double>& v) {
        return format_duration(quantile(v, 0.5)) + ", " + format_duration(quantile(v, 0.9)) + ", " +
               format_duration(quantile(v, 0.99)) + ", " + format_duration(quantile(v, 1));
    };
    out.line("block (p50, p90, p99, max): " + told(whole) + "; without proofs: " + told(bare));
    tell_ways(run, out);
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
    if (!order.svg.empty()) out.field("svg", order.svg);
    return out;
}

}  // namespace holdfast::cli
