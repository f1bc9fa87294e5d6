// Security bounds: how likely a prover that does not store everything goes undetected.
//
// Pure functions, any thread. With analysis/seal_cost the only place of the engine with floating
// point: nothing here is hashed, signed or part of a verdict. Probabilities are logarithms to base
// 2 (0: certain, -infinity: impossible), summed term by term, so that 2^-400 is as exact as 1/2.
// Arguments out of range are clamped: fractions to 0..1, bad or drawn items to the population.
// Spec: docs/security.md; formulas named beside each function.
#pragma once

#include <cstdint>

#include "core/constants.hpp"
#include "core/params.hpp"

namespace holdfast {

// --- drawing -------------------------------------------------------------------------------------

/// No bad item among `drawn` distinct ones of `population`: C(N-b, s) / C(N, s), hypergeometric.
[[nodiscard]] double log2_all_good(std::uint64_t population, std::uint64_t bad,
                                   std::uint64_t drawn);
/// The same where the population is so large that draws are independent: (1-d)^s.
[[nodiscard]] double log2_all_good(double missing, std::uint64_t drawn);
/// Exactly j bad items among `drawn`.
[[nodiscard]] double log2_exactly_bad(std::uint64_t population, std::uint64_t bad,
                                      std::uint64_t drawn, std::uint64_t j);
/// At most `allowed` successes in `trials` of probability p: binomial.
[[nodiscard]] double log2_at_most(std::uint64_t trials, std::uint64_t allowed, double p);
/// More than `allowed` successes.
[[nodiscard]] double log2_more_than(std::uint64_t trials, std::uint64_t allowed, double p);

/// Least number of repetitions of an event of probability 2^log2_once until all together are no
/// more likely than 2^log2_target. UINT64_MAX when the event is certain.
[[nodiscard]] std::uint64_t repetitions_until(double log2_once, double log2_target);

// --- links ---------------------------------------------------------------------------------------

/// A chain that lacks `bad` of its `chunks` and must answer passes this many fully checked links.
[[nodiscard]] double log2_links_undetected(std::uint64_t chunks, std::uint64_t bad,
                                           std::uint64_t links,
                                           std::uint32_t openings = kChunksPerLink);
/// Fully checked links until passing is no more likely than 2^log2_target.
[[nodiscard]] std::uint64_t links_until(std::uint64_t chunks, std::uint64_t bad, double log2_target,
                                        std::uint32_t openings = kChunksPerLink);

/// Fraction that must be stored so that silence costs `allowed` misses of `window` on average:
/// (1 - allowed/window)^(1/16).
[[nodiscard]] double storable_by_silence(std::uint64_t window, std::uint64_t allowed);

/// How a prover is checked that puts garbage in place of openings it lacks and never stays silent.
enum class GarbageRule {
    kCompactOnly,    // one opening a link
    kFullNowAndThen  // at one height in sixteen all of them, or sixteen misses (spec section 7)
};
/// Misses a height that a fraction `missing` costs on average.
[[nodiscard]] double garbage_misses(double missing, GarbageRule rule);
/// Fraction that may be missing so that garbage costs `allowed` misses of `window` on average.
[[nodiscard]] double tolerated_garbage(std::uint64_t window, std::uint64_t allowed,
                                       GarbageRule rule);

/// Whose choice the heights of a window of links were.
struct WindowChoice {
    std::uint64_t links = 1;   // shown
    std::uint64_t span = 1;    // heights that could be shown between the first and the last of them
    std::uint64_t starts = 1;  // heights at which such a window could begin
};
/// A prover that lacks a fraction `missing` of its cells, but not more, finds a window of links
/// that open `openings` cells together: at most all its choices together, starts · C(span - 1,
/// links - 1) · (1-d)^openings.
[[nodiscard]] double log2_window_undetected(double missing, std::uint64_t openings,
                                            const WindowChoice& choice = {});

// --- shards --------------------------------------------------------------------------------------

/// More than m of k + m shards are lost, each independently with probability p: the file is gone.
[[nodiscard]] double log2_file_loss(std::uint32_t k, std::uint32_t m, double p);

// --- seal proofs and spot checks -----------------------------------------------------------------

/// A replica of which some windows hold cells that are not sealed.
struct SealFraud {
    std::uint64_t windows = 1;
    std::uint64_t bad_windows = 0;
    std::uint64_t cells_per_window = 16;
    std::uint64_t bad_cells = 0;  // in each bad window
};
/// It passes a proof over `drawn_windows` windows and `drawn_cells` cells in each: the sum over the
/// bad windows drawn of their probability times that of missing every bad cell in them.
[[nodiscard]] double log2_seal_undetected(const SealFraud& fraud, std::uint64_t drawn_windows,
                                          std::uint64_t drawn_cells);

// --- audits (spec 15.3) --------------------------------------------------------------------------

/// That a chain is audited at a height with y, in a network of `total` chains.
[[nodiscard]] double audit_rate(const NetworkParams& params, std::uint64_t total);
/// Heights, on average, from the slot of a chain until its part is taken, when an audit of it fails
/// with probability `failing`: until one is drawn that fails, and until that is missed three times.
[[nodiscard]] double heights_until_out(const NetworkParams& params, std::uint64_t total,
                                       double failing);
/// That no audit of `heights` heights is drawn that fails.
[[nodiscard]] double unaudited(const NetworkParams& params, std::uint64_t total, double failing,
                               double heights);
/// That such a chain leaves at once and gets its part back: no failing audit until the end of its
/// liability, and the last audit passes.
[[nodiscard]] double leaves_with_part(const NetworkParams& params, std::uint64_t total,
                                      double failing);

/// A VDF proof with `bad` false segments of `segments` passes spot(s).
[[nodiscard]] double log2_spot_undetected(std::uint64_t segments, std::uint64_t bad,
                                          std::uint64_t drawn);

}  // namespace holdfast
