// bounds: how likely a prover that does not store everything goes undetected.

#include <cmath>
#include <cstdio>

#include "analysis/bounds.hpp"
#include "analysis/durability.hpp"
#include "cli/commands.hpp"
#include "cli/svg_chart.hpp"
#include "core/params.hpp"
#include "storage/file.hpp"

namespace holdfast::cli {
namespace {

constexpr std::uint64_t kMaxLinks = 1'000'000'000;

struct BoundsArguments {
    std::vector<double> missing = {0.5, 1.0 / 3.0, 0.1, 0.01, 0.001};
    std::uint64_t chunks = kMaxChunks;
    std::uint64_t links = 5;
    double target = 40;
    std::uint64_t window = NetworkParams{}.rate_window;
    std::uint64_t allowed = NetworkParams{}.misses_late;
    std::uint32_t data = 4;
    std::uint32_t parity = 2;
    double shard_loss = 0.01;
    std::uint64_t seal_windows = NetworkParams{}.seal_windows;
    std::uint64_t seal_cells = NetworkParams{}.seal_cells;
    std::uint64_t segments = 1024;
    std::uint64_t spot = 16;
    bool durability = false;
    double failures = 0.1;     // a year, of one shard
    double repair_hours = 24;  // until it is proven again
    std::uint32_t repairs_at_once = 1;
    double years = 1;
    std::string svg;
    bool force = false;
};

Status check_arguments(const BoundsArguments& a) {
    for (const double d : a.missing) {
        if (!(d > 0.0 && d <= 1.0)) {
            return fail(ErrorCode::kInvalidArgument, "--missing is above 0 and at most 1");
        }
    }
    if (a.chunks < kMinChunks || a.chunks > kMaxChunks) {
        return fail(ErrorCode::kInvalidArgument, "--chunks is 16 to 2^20, the sizes of a replica");
    }
    if (a.links < 1 || a.links > kMaxLinks) {
        return fail(ErrorCode::kInvalidArgument, "--links is 1 to 10^9");
    }
    if (!(a.target > 0.0 && a.target <= 1e6)) {
        return fail(ErrorCode::kInvalidArgument, "--target is above 0 and at most 10^6 bits");
    }
    if (a.window < 1 || a.window > kMaxLinks || a.allowed >= a.window) {
        return fail(ErrorCode::kInvalidArgument,
                    "--window is 1 to 10^9 heights and --allowed less than that");
    }
    if (a.data < 1 || a.data > 255 || a.parity > 255 - a.data ||
        !(a.shard_loss >= 0.0 && a.shard_loss <= 1.0)) {
        return fail(ErrorCode::kInvalidArgument,
                    "--data is at least 1, --data + --parity at most 255, --shard-loss 0 to 1");
    }
    if (a.segments < 1 || a.segments > kMaxCheckpoints || a.spot > a.segments) {
        return fail(ErrorCode::kInvalidArgument,
                    "--segments is 1 to 2^16 and --spot at most as many");
    }
    return {};
}

/// "2^-46.80", "never" for what is impossible, "1" for what is certain.
std::string power(double log2_p) {
    if (std::isinf(log2_p)) return "never";
    if (log2_p >= 0.0) return "1";
    char text[32];
    std::snprintf(text, sizeof text, "2^-%.2f", -log2_p);
    return text;
}

/// JSON has no infinity: null stands for "impossible".
Json power_json(double log2_p) { return std::isinf(log2_p) ? Json() : Json(log2_p); }

std::uint64_t bad_of(double missing, std::uint64_t population) {
    const double bad = std::ceil(missing * static_cast<double>(population));
    return std::min(population, static_cast<std::uint64_t>(bad));
}

std::string count_text(std::uint64_t n) { return n == UINT64_MAX ? "never" : std::to_string(n); }

void add_links(Output& out, const BoundsArguments& a) {
    char line[160];
    out.line("A chain of " + std::to_string(a.chunks) + " chunks that lacks some and answers:");
    std::snprintf(line, sizeof line, "  %-10s %-22s %-18s %s", "missing",
                  ("passes " + std::to_string(a.links) + " links").c_str(),
                  ("links to 2^-" + std::to_string(static_cast<int>(a.target))).c_str(),
                  "compact proofs alone");
    out.line(line);
    Json rows = Json::array();
    for (const double d : a.missing) {
        const std::uint64_t bad = bad_of(d, a.chunks);
        const double passes = log2_links_undetected(a.chunks, bad, a.links);
        const std::uint64_t full = links_until(a.chunks, bad, -a.target);
        const std::uint64_t compact = links_until(a.chunks, bad, -a.target, 1);
        std::snprintf(line, sizeof line, "  %-10.4g %-22s %-18s %s", d, power(passes).c_str(),
                      count_text(full).c_str(), count_text(compact).c_str());
        out.line(line);
        rows.push_back({{"missing", d},
                        {"bad_chunks", bad},
                        {"log2_passes", power_json(passes)},
                        {"links_to_target", full},
                        {"compact_links_to_target", compact}});
    }
    out.json["chunks"] = a.chunks;
    out.json["links"] = a.links;
    out.json["target_bits"] = a.target;
    out.json["detection"] = rows;
}

void add_silence(Output& out, const BoundsArguments& a) {
    const double storable = storable_by_silence(a.window, a.allowed);
    const double compact = tolerated_garbage(a.window, a.allowed, GarbageRule::kCompactOnly);
    const double full = tolerated_garbage(a.window, a.allowed, GarbageRule::kFullNowAndThen);
    char line[160];
    out.line("One that may miss " + std::to_string(a.allowed) + " of " + std::to_string(a.window) +
             " heights:");
    std::snprintf(line, sizeof line,
                  "  must store %.4f of its data to stay silent at the others\n"
                  "  may lack %.4f with garbage in openings (%.4f with compact proofs alone)",
                  storable, full, compact);
    out.line(line);
    out.json["rate_window"] = a.window;
    out.json["misses_allowed"] = a.allowed;
    out.json["storable_by_silence"] = storable;
    out.json["tolerated_garbage"] = full;
    out.json["tolerated_garbage_compact_only"] = compact;
}

void add_rest(Output& out, const BoundsArguments& a) {
    const double loss = log2_file_loss(a.data, a.parity, a.shard_loss);
    char line[160];
    std::snprintf(line, sizeof line,
                  "A file of %u+%u shards, each lost with probability %g: lost with %s", a.data,
                  a.parity, a.shard_loss, power(loss).c_str());
    out.line(line);
    out.json["shards"] = {{"data", a.data},
                          {"parity", a.parity},
                          {"shard_loss", a.shard_loss},
                          {"log2_file_loss", power_json(loss)}};
    Json seal = Json::array();
    Json spot = Json::array();
    out.line("A seal proof of " + std::to_string(a.seal_windows) + " windows and " +
             std::to_string(a.seal_cells) + " cells, and a spot check of " +
             std::to_string(a.spot) + " of " + std::to_string(a.segments) + " segments, pass");
    constexpr std::uint64_t kWindowCells = 524'288;  // of 128 MiB
    const std::uint64_t windows = std::max<std::uint64_t>(1, a.chunks / 32'768);
    for (const double d : a.missing) {
        const double cells =
            log2_seal_undetected({windows, windows, kWindowCells, bad_of(d, kWindowCells)},
                                 a.seal_windows, a.seal_cells);
        const double steps = log2_spot_undetected(a.segments, bad_of(d, a.segments), a.spot);
        std::snprintf(line, sizeof line,
                      "  with %-10.4g of cells not sealed: %-12s of segments false: %s", d,
                      power(cells).c_str(), power(steps).c_str());
        out.line(line);
        seal.push_back({{"unsealed", d}, {"log2_passes", power_json(cells)}});
        spot.push_back({{"false_segments", d}, {"log2_passes", power_json(steps)}});
    }
    out.json["seal_proof"] = {{"windows", a.seal_windows}, {"cells", a.seal_cells}, {"rows", seal}};
    out.json["spot_check"] = {{"segments", a.segments}, {"drawn", a.spot}, {"rows", spot}};
}

Status write_chart(const BoundsArguments& a) {
    Chart chart;
    chart.title = "A chain that lacks a part of its chunks goes unnoticed";
    chart.subtitle = std::to_string(a.chunks) + " chunks, 16 openings a link, full proofs";
    chart.x_label = "links";
    chart.y_label = "probability, bits below 1";
    chart.x_scale = ChartScale::kLogarithmic;
    for (const double d : a.missing) {
        ChartSeries line;
        char name[32];
        std::snprintf(name, sizeof name, "%.4g missing", d);
        line.name = name;
        const std::uint64_t bad = bad_of(d, a.chunks);
        for (double n = 1; n <= 10'000; n *= 1.3) {
            const auto links = static_cast<std::uint64_t>(n);
            const double bits = -log2_links_undetected(a.chunks, bad, links);
            if (bits > 2 * a.target) break;
            line.points.push_back({n, bits});
        }
        chart.series.push_back(std::move(line));
    }
    ChartSeries limit;
    limit.name = "target";
    limit.dashed = true;
    limit.points = {{1, a.target}, {10'000, a.target}};
    chart.series.push_back(std::move(limit));
    const std::string text = svg_charts({chart});
    return write_file(a.svg, view(text), a.force);
}

// --- losing a file -------------------------------------------------------------------------------

constexpr double kHoursAYear = 365.25 * 24;

DurabilityModel durability_model(const BoundsArguments& a, std::uint32_t parity, double hours) {
    return {a.data, parity, a.failures, hours / kHoursAYear, a.repairs_at_once};
}

/// Decimal, also far below what a double holds: "3.4e-16".
std::string decimal_power(double log2_p) {
    if (std::isinf(log2_p)) return "0";
    const double log10_p = log2_p * std::log10(2.0);
    const double exponent = std::floor(log10_p);
    char text[48];
    std::snprintf(text, sizeof text, "%.2fe%+.0f", std::pow(10.0, log10_p - exponent), exponent);
    return text;
}

std::string years_text(double years) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", years);
    return text;
}

Status write_durability_chart(const BoundsArguments& a) {
    Chart chart;
    chart.title = "How a file of " + std::to_string(a.data) + " + m shards is lost";
    char words[160];
    std::snprintf(words, sizeof words,
                  "%g failures a year of a shard, %u rebuilt at once, within %g years", a.failures,
                  a.repairs_at_once, a.years);
    chart.subtitle = words;
    chart.x_label = "hours until a failed shard is proven again";
    chart.y_label = "probability of loss, bits below 1";
    chart.x_scale = ChartScale::kLogarithmic;
    const std::uint32_t first = a.parity < 2 ? 0 : a.parity - 2;
    for (std::uint32_t parity = first; parity <= a.parity + 1; ++parity) {
        if (a.data + parity > kMostDurabilityShards) break;
        ChartSeries line;
        line.name = std::to_string(a.data) + "+" + std::to_string(parity);
        for (double hours = 1; hours <= kHoursAYear; hours *= 1.4) {
            HOLDFAST_ASSIGN(loss, log2_loss_within(durability_model(a, parity, hours), a.years));
            line.points.push_back({hours, -loss});
        }
        chart.series.push_back(std::move(line));
    }
    const std::string text = svg_charts({chart});
    return write_file(a.svg, view(text), a.force);
}

CommandResult run_durability(const BoundsArguments& a) {
    HOLDFAST_TRY(check_durability_model(durability_model(a, a.parity, a.repair_hours)));
    Output out;
    char line[200];
    std::snprintf(line, sizeof line,
                  "A shard fails %g times a year and is proven again after %g hours, both on "
                  "average; %u at once:",
                  a.failures, a.repair_hours, a.repairs_at_once);
    out.line(line);
    std::snprintf(line, sizeof line, "  %-8s %-9s %-22s %-12s %s", "shards", "stored",
                  ("lost within " + years_text(a.years) + " years").c_str(), "",
                  "years to loss, mean");
    out.line(line);
    Json rows = Json::array();
    for (std::uint32_t parity = 0; parity <= a.parity; ++parity) {
        // Every m below the one that was asked for, up to twenty.
        if (parity + 20 < a.parity) continue;
        const DurabilityModel model = durability_model(a, parity, a.repair_hours);
        HOLDFAST_ASSIGN(loss, log2_loss_within(model, a.years));
        HOLDFAST_ASSIGN(mean, mean_years_to_loss(model));
        const double stored = double(a.data + parity) / a.data;
        std::snprintf(line, sizeof line, "  %-8s %-9.2f %-22s %-12s %.3g",
                      (std::to_string(a.data) + "+" + std::to_string(parity)).c_str(), stored,
                      decimal_power(loss).c_str(), power(loss).c_str(), mean);
        out.line(line);
        rows.push_back({{"data", a.data},
                        {"parity", parity},
                        {"stored", stored},
                        {"log2_loss", power_json(loss)},
                        {"mean_years_to_loss", power_json(mean)}});
    }
    out.line("Failures are taken to be independent: docs/security.md, \"Losing a file\".");
    out.json["durability"] = {{"failures_a_year", a.failures},
                              {"repair_hours", a.repair_hours},
                              {"repairs_at_once", a.repairs_at_once},
                              {"years", a.years},
                              {"rows", rows}};
    if (!a.svg.empty()) {
        HOLDFAST_TRY(write_durability_chart(a));
        out.field("chart", a.svg);
    }
    return out;
}

CommandResult run_bounds(const BoundsArguments& a) {
    if (a.durability) return run_durability(a);
    HOLDFAST_TRY(check_arguments(a));
    Output out;
    add_links(out, a);
    add_silence(out, a);
    add_rest(out, a);
    if (!a.svg.empty()) {
        HOLDFAST_TRY(write_chart(a));
        out.field("chart", a.svg);
    }
    return out;
}

}  // namespace

void add_bounds_commands(Commands& commands) {
    auto a = std::make_shared<BoundsArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "bounds", "how likely a prover that does not store everything goes undetected");
    command->add_option("--missing", a->missing, "fractions missing, unsealed or false")
        ->delimiter(',');
    command->add_option("--chunks", a->chunks, "chunks of the replica")->capture_default_str();
    command->add_option("--links", a->links, "links that are checked in full")
        ->capture_default_str();
    command->add_option("--target", a->target, "bits below 1 to reach")->capture_default_str();
    command->add_option("--window", a->window, "heights over which misses count")
        ->capture_default_str();
    command->add_option("--allowed", a->allowed, "misses allowed in it")->capture_default_str();
    command->add_option("--data", a->data, "data shards")->capture_default_str();
    command->add_option("--parity", a->parity, "parity shards")->capture_default_str();
    command->add_option("--shard-loss", a->shard_loss, "probability that a shard is lost")
        ->capture_default_str();
    command->add_option("--seal-windows", a->seal_windows, "windows of a seal proof")
        ->capture_default_str();
    command->add_option("--seal-cells", a->seal_cells, "cells of each")->capture_default_str();
    command->add_option("--segments", a->segments, "segments of a VDF proof")
        ->capture_default_str();
    command->add_option("--spot", a->spot, "segments of a spot check")->capture_default_str();
    CLI::Option* durability = command->add_flag(
        "--durability", a->durability,
        "how likely a file of --data + --parity shards that are rebuilt is lost, instead");
    command->add_option("--failures", a->failures, "failures a year of one shard")
        ->capture_default_str()
        ->needs(durability);
    command
        ->add_option("--repair-hours", a->repair_hours,
                     "from a shard's failure until it is proven again, on average")
        ->capture_default_str()
        ->needs(durability);
    command->add_option("--repairs-at-once", a->repairs_at_once, "of one file")
        ->capture_default_str()
        ->needs(durability);
    command->add_option("--years", a->years, "within which it is lost")
        ->capture_default_str()
        ->needs(durability);
    command->add_option("--svg", a->svg, "writes a chart");
    command->add_flag("--force", a->force, "replace the chart's file");
    commands.run(command,
                 "  holdfast bounds\n"
                 "  holdfast bounds --missing 0.01 --links 173 --json\n"
                 "  holdfast bounds --svg bounds.svg\n"
                 "  holdfast bounds --durability --failures 0.1 --repair-hours 24 --svg loss.svg\n",
                 [a] { return run_bounds(*a); });
}

}  // namespace holdfast::cli
