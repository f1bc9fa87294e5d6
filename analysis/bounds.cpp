#include "analysis/bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace holdfast {
namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();
constexpr double kCertain = 0.0;

double as_double(std::uint64_t n) { return static_cast<double>(n); }

double clamp_fraction(double p) { return p > 0.0 ? std::min(p, 1.0) : 0.0; }

/// log2(1 - x), exact for small x.
double log2_one_minus(double x) { return x >= 1.0 ? kImpossible : std::log1p(-x) / std::log(2.0); }

/// log2(2^a + 2^b).
double log2_sum(double a, double b) {
    const double high = std::max(a, b);
    if (high == kImpossible) return kImpossible;
    return high + std::log1p(std::exp2(std::min(a, b) - high)) / std::log(2.0);
}

/// The product over i < count of (top - i) / (bottom - i), count <= top <= bottom.
double log2_falling_ratio(std::uint64_t top, std::uint64_t bottom, std::uint64_t count) {
    const double gap = as_double(bottom - top);
    double sum = 0.0;
    for (std::uint64_t i = 0; i < count; ++i) sum += log2_one_minus(gap / as_double(bottom - i));
    return sum;
}

/// log2 of the number of ways to choose k of n.
double log2_choose(std::uint64_t n, std::uint64_t k) {
    double sum = 0.0;
    const std::uint64_t fewer = std::min(k, n - k);
    for (std::uint64_t i = 0; i < fewer; ++i) {
        sum += std::log2(as_double(n - i)) - std::log2(as_double(i + 1));
    }
    return sum;
}

/// log2 of C(n, k) p^k (1-p)^(n-k), 0 <= p <= 1.
double log2_binomial(std::uint64_t n, std::uint64_t k, double p) {
    const double hits = k == 0 ? kCertain : as_double(k) * std::log2(p);
    const double misses = k == n ? kCertain : as_double(n - k) * log2_one_minus(p);
    return log2_choose(n, k) + hits + misses;
}

/// Sum of log2_binomial over first <= k <= last, each term from the one before it.
double log2_binomial_range(std::uint64_t n, std::uint64_t first, std::uint64_t last, double p) {
    if (first > last || first > n) return kImpossible;
    if (first == 0 && last >= n) return kCertain;
    if (p == 0.0) return first == 0 ? kCertain : kImpossible;
    if (p == 1.0) return last >= n ? kCertain : kImpossible;
    const double odds = std::log2(p) - log2_one_minus(p);
    double term = log2_binomial(n, first, p);
    double sum = term;
    for (std::uint64_t k = first; k < std::min(last, n); ++k) {
        term += odds + std::log2(as_double(n - k)) - std::log2(as_double(k + 1));
        sum = log2_sum(sum, term);
    }
    return std::min(sum, kCertain);
}

/// Probability that a link of a chain that lacks a fraction d cannot be answered.
double link_failure(double missing) {
    return -std::expm1(kChunksPerLink * std::log1p(-clamp_fraction(missing)));
}

}  // namespace

double log2_all_good(std::uint64_t population, std::uint64_t bad, std::uint64_t drawn) {
    bad = std::min(bad, population);
    drawn = std::min(drawn, population);
    if (drawn > population - bad) return kImpossible;
    // C(N-b, s) / C(N, s) is symmetric in b and s: the shorter product.
    return log2_falling_ratio(population - std::max(bad, drawn), population, std::min(bad, drawn));
}

double log2_all_good(double missing, std::uint64_t drawn) {
    if (drawn == 0) return kCertain;
    return as_double(drawn) * log2_one_minus(clamp_fraction(missing));
}

double log2_exactly_bad(std::uint64_t population, std::uint64_t bad, std::uint64_t drawn,
                        std::uint64_t j) {
    bad = std::min(bad, population);
    drawn = std::min(drawn, population);
    if (j > bad || j > drawn || drawn - j > population - bad) return kImpossible;
    return log2_choose(bad, j) + log2_choose(population - bad, drawn - j) -
           log2_choose(population, drawn);
}

double log2_at_most(std::uint64_t trials, std::uint64_t allowed, double p) {
    return log2_binomial_range(trials, 0, allowed, clamp_fraction(p));
}

double log2_more_than(std::uint64_t trials, std::uint64_t allowed, double p) {
    if (allowed >= trials) return kImpossible;
    return log2_binomial_range(trials, allowed + 1, trials, clamp_fraction(p));
}

std::uint64_t repetitions_until(double log2_once, double log2_target) {
    if (log2_target >= kCertain) return 0;
    if (log2_once >= kCertain) return UINT64_MAX;
    if (log2_once == kImpossible) return 1;
    const double count = std::ceil(log2_target / log2_once);
    return count >= std::exp2(64.0) ? UINT64_MAX : static_cast<std::uint64_t>(count);
}

double log2_links_undetected(std::uint64_t chunks, std::uint64_t bad, std::uint64_t links,
                             std::uint32_t openings) {
    return links == 0 ? kCertain : as_double(links) * log2_all_good(chunks, bad, openings);
}

std::uint64_t links_until(std::uint64_t chunks, std::uint64_t bad, double log2_target,
                          std::uint32_t openings) {
    return repetitions_until(log2_all_good(chunks, bad, openings), log2_target);
}

double log2_window_undetected(double missing, std::uint64_t openings, const WindowChoice& choice) {
    const std::uint64_t starts = std::max<std::uint64_t>(choice.starts, 1);
    const std::uint64_t others = choice.links > 0 ? choice.links - 1 : 0;
    const std::uint64_t free = std::max(choice.span > 0 ? choice.span - 1 : 0, others);
    const double choices = std::log2(as_double(starts)) + log2_choose(free, others);
    return std::min(kCertain, choices + log2_all_good(missing, openings));
}

double storable_by_silence(std::uint64_t window, std::uint64_t allowed) {
    if (allowed >= window) return 0.0;
    return std::pow(1.0 - as_double(allowed) / as_double(window), 1.0 / kChunksPerLink);
}

double garbage_misses(double missing, GarbageRule rule) {
    const double d = clamp_fraction(missing);
    if (rule == GarbageRule::kCompactOnly) return d;
    constexpr double kFullHeights = 1.0 / kChunksPerLink;
    return (1.0 - kFullHeights) * d + kFullHeights * kChunksPerLink * link_failure(d);
}

double tolerated_garbage(std::uint64_t window, std::uint64_t allowed, GarbageRule rule) {
    if (window == 0) return 0.0;
    const double budget = as_double(allowed) / as_double(window);
    double low = 0.0;
    double high = 1.0;
    if (garbage_misses(high, rule) <= budget) return high;
    for (int halving = 0; halving < 64; ++halving) {
        const double middle = (low + high) / 2.0;
        (garbage_misses(middle, rule) <= budget ? low : high) = middle;
    }
    return low;
}

double log2_file_loss(std::uint32_t k, std::uint32_t m, double p) {
    return log2_more_than(std::uint64_t{k} + m, m, p);
}

double log2_seal_undetected(const SealFraud& fraud, std::uint64_t drawn_windows,
                            std::uint64_t drawn_cells) {
    const std::uint64_t drawn = std::min(drawn_windows, fraud.windows);
    const double window_passes =
        log2_all_good(fraud.cells_per_window, fraud.bad_cells, drawn_cells);
    double sum = kImpossible;
    for (std::uint64_t j = 0; j <= drawn; ++j) {
        const double drawn_so = log2_exactly_bad(fraud.windows, fraud.bad_windows, drawn, j);
        const double all_pass = j == 0 ? kCertain : as_double(j) * window_passes;
        sum = log2_sum(sum, drawn_so + all_pass);
    }
    return std::min(sum, kCertain);
}

double audit_rate(const NetworkParams& params, std::uint64_t total) {
    std::uint64_t audits = params.audits_per_block;
    if (params.version == kParamsVersion2) {
        const std::uint64_t period = params.liability_blocks;
        audits = std::max(audits, (total + period - 1) / period);
    }
    const std::uint64_t least = audits * (std::uint64_t{params.misses_late} + 1);
    const std::uint64_t of = std::max(total, least);
    return of == 0 ? 0 : static_cast<double>(audits) / static_cast<double>(of);
}

double heights_until_out(const NetworkParams& params, std::uint64_t total, double failing) {
    return 1 / (audit_rate(params, total) * failing) + params.seal_delay +
           3.0 * params.seal_deadline;
}

double unaudited(const NetworkParams& params, std::uint64_t total, double failing, double heights) {
    return std::pow(1 - audit_rate(params, total) * failing, heights);
}

double leaves_with_part(const NetworkParams& params, std::uint64_t total, double failing) {
    const double heights = static_cast<double>(params.removal_delay) + params.liability_blocks;
    return unaudited(params, total, failing, heights) * (1 - failing);
}

double log2_spot_undetected(std::uint64_t segments, std::uint64_t bad, std::uint64_t drawn) {
    return log2_all_good(segments, bad, drawn);
}

}  // namespace holdfast
