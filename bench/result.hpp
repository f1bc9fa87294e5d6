// How a bench program measures and reports: shared by every bench/*_bench.cpp.
//
// Convention. One program per file NAME_bench.cpp (bench/CMakeLists.txt builds them all). A program
// is a list of cases, each named by its target's id ("V4", or "V4/fill/avx512" for one of several
// entries under it), and a main that hands them to run():
//
//     int main(int argc, char** argv) {
//         return holdfast::bench::run(argc, argv, {{"V4/fill/avx512", fill_avx512}, …});
//     }
//     void fill_avx512(const Options& options) {
//         require(same_tag, "the tag equals libargon2's");          // the answer before the time
//         const auto times = interleave(options.rounds(5, 25), {ours, theirs});
//         report({.id = "V4/fill/avx512", .what = "Argon2d, one pass, 256 MiB", …});
//     }
//
// `program [quick|full] [ID…]` runs the cases whose id equals ID or begins with ID and a slash
// (none given: all). report() prints one line "HOLDFAST-RESULT {json}" per entry on stdout;
// scripts/bench collects these lines into bench-results.json and prints the table. Everything else
// that a program prints is for the reader. A case that cannot run on this machine (no AVX-512)
// calls skip() and is absent from the results, never faked. What is compared is sampled in turns,
// because the speed of a shared machine drifts; medians are reported. Flags that begin with
// --benchmark_ make a program that has Google Benchmark cases of its own run those as well.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "json/json.hpp"

namespace holdfast::bench {

struct Options {
    bool full = false;
    unsigned threads = std::max(1U, std::thread::hardware_concurrency());  // cores of this machine
    /// Number of rounds to take: `quick_rounds` or `full_rounds`.
    [[nodiscard]] unsigned rounds(unsigned quick_rounds, unsigned full_rounds) const {
        return full ? full_rounds : quick_rounds;
    }
};

/// Wall-clock seconds of every run of one function.
struct Samples {
    std::vector<double> seconds;
    [[nodiscard]] std::size_t size() const { return seconds.size(); }
    [[nodiscard]] double quantile(double q) const {
        std::vector<double> sorted = seconds;
        std::sort(sorted.begin(), sorted.end());
        return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5)];
    }
    [[nodiscard]] double median() const { return quantile(0.5); }
    [[nodiscard]] double least() const { return quantile(0); }
};

/// Runs every function once per round, in turns: what is compared sees the same moments of the
/// machine. One round more runs first and is not counted.
inline std::vector<Samples> interleave(unsigned rounds,
                                       const std::vector<std::function<void()>>& functions) {
    std::vector<Samples> out(functions.size());
    for (unsigned round = 0; round <= rounds; ++round) {
        for (std::size_t i = 0; i < functions.size(); ++i) {
            const auto start = std::chrono::steady_clock::now();
            functions[i]();
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
            if (round > 0) out[i].seconds.push_back(took.count());
        }
    }
    return out;
}

/// What has to hold: nothing, or a bound on the value itself or on the ratio to the peer.
struct Target {
    enum class Of { kNothing, kValue, kRatio };
    Of of = Of::kNothing;
    bool at_least = true;
    double bound = 0;

    static Target ratio_at_least(double b) { return {Of::kRatio, true, b}; }
    static Target ratio_at_most(double b) { return {Of::kRatio, false, b}; }
    static Target value_at_least(double b) { return {Of::kValue, true, b}; }
    static Target value_at_most(double b) { return {Of::kValue, false, b}; }
};

/// One entry of bench-results.json. `value` and `peer_value` are in `unit`. The ratio is value /
/// peer_value for rates and peer_value / value for times unless set: above 1 means that we are
/// faster.
struct Entry {
    std::string id;
    std::string what;
    double value = 0;
    std::string unit;       // "MiB/s", "us", "bytes", …
    std::string peer = {};  // the peer or the physical limit measured in the same run
    std::optional<double> peer_value = {};
    std::optional<double> ratio = {};
    Target target = {};
    std::string kernel = "portable";
    unsigned threads = 1;
    std::size_t samples = 1;
};

inline bool unit_is_time(std::string_view unit) {
    return unit == "s" || unit == "ms" || unit == "us" || unit == "ns";
}

inline void report(const Entry& entry) {
    std::optional<double> ratio = entry.ratio;
    if (!ratio && entry.peer_value && *entry.peer_value > 0 && entry.value > 0) {
        ratio = unit_is_time(entry.unit) ? *entry.peer_value / entry.value
                                         : entry.value / *entry.peer_value;
    }
    json::Json line;
    line["id"] = entry.id;
    line["what"] = entry.what;
    line["value"] = entry.value;
    line["unit"] = entry.unit;
    line["peer"] = nullptr;
    if (!entry.peer.empty()) line["peer"] = entry.peer;
    line["peer_value"] = entry.peer_value ? json::Json(*entry.peer_value) : nullptr;
    line["ratio"] = ratio ? json::Json(*ratio) : nullptr;
    line["target"] = nullptr;
    line["met"] = nullptr;
    const bool of_ratio = entry.target.of == Target::Of::kRatio;
    if (entry.target.of != Target::Of::kNothing) {
        char text[64];
        std::snprintf(text, sizeof(text), "%s %s %g", of_ratio ? "ratio" : "value",
                      entry.target.at_least ? ">=" : "<=", entry.target.bound);
        line["target"] = text;
        const std::optional<double> measured = of_ratio ? ratio : std::optional(entry.value);
        line["met"] = measured && (entry.target.at_least ? *measured >= entry.target.bound
                                                         : *measured <= entry.target.bound);
    }
    line["kernel"] = entry.kernel;
    line["threads"] = entry.threads;
    line["samples"] = entry.samples;
    std::printf("HOLDFAST-RESULT %s\n", json::dump(line).c_str());
    if (std::fflush(stdout) != 0) {
        std::perror("bench: the result could not be written");
        std::exit(1);
    }
}

/// Says why a case has no entry on this machine.
inline void skip(std::string_view id, std::string_view why) {
    std::printf("%.*s: not measured: %.*s\n", static_cast<int>(id.size()), id.data(),
                static_cast<int>(why.size()), why.data());
}

/// Ends the program when an answer is wrong: no time is reported for a wrong answer.
inline void require(bool holds, std::string_view what) {
    if (holds) return;
    std::fprintf(stderr, "bench: wrong answer: %.*s\n", static_cast<int>(what.size()), what.data());
    std::exit(1);
}

struct Case {
    std::string id;
    std::function<void(const Options&)> body;
};

inline int run(int argc, char** argv, const std::vector<Case>& cases) {
    Options options;
    std::vector<std::string> ids;
    bool google = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument.starts_with("--benchmark_")) {
            google = true;
        } else if (argument == "quick" || argument == "full") {
            options.full = argument == "full";
        } else {
            ids.emplace_back(argument);
        }
    }
    const auto chosen = [&](const std::string& id) {
        return ids.empty() || std::any_of(ids.begin(), ids.end(), [&](const std::string& wanted) {
                   return id == wanted || id.starts_with(wanted + "/");
               });
    };
    for (const Case& c : cases) {
        if (chosen(c.id)) c.body(options);
    }
    if (google) {
        ::benchmark::Initialize(&argc, argv);
        ::benchmark::RunSpecifiedBenchmarks();
    }
    return 0;
}

}  // namespace holdfast::bench
