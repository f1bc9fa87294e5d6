// What `holdfast cost` measures: fills and refills of one window, here and now.
//
// Times are wall-clock seconds of this machine; everything else follows from counting. Memory: the
// window, 4 bytes for every block of work, and what a cheater keeps of it. Starts at most two
// threads and joins them. Spec: docs/security.md section 3.4.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/attacker_refill.hpp"

namespace holdfast {

/// Numbers of threads that a cheater is counted with.
inline constexpr unsigned kCostThreads[] = {1, 2, 4, 8, 16};

/// A cheater that keeps `kept` of the window's size, and how long it refills.
struct RefillRow {
    struct Cell {
        double seconds = 0;
        bool measured = false;  // else: block computations counted, times what one takes
    };
    std::string keeps;
    bool references = false;
    double kept = 0;
    std::vector<Cell> cells;  // of kCostThreads
};

/// The least of a window's size that was found to be enough for an answer in time.
struct LeastKept {
    bool possible = false;  // else: no less than the window itself
    std::string keeps;
    double kept = 0;
    double seconds = 0;  // on the most threads
};

struct CostMeasures {
    Window window;
    std::uint32_t measured_passes = 0;  // of the window's; fewer: times and sizes are scaled up
    double fill_s = 0;                  // one core, the whole window
    double trees_s = 0;                 // both trees over the window, one core
    double step_s = 0;                  // a block of the fill
    double fetched_step_s = 0;          // a block where references are kept and fetched ahead
    double smallest_fill_s = 0;         // the smallest replica that is allowed, one core
    std::vector<RefillRow> rows;
    LeastKept least;
};

struct CostMeasureRequest {
    Window window;         // the largest of the replica
    Window smallest;       // of the smallest replica under the same parameters
    double allowed_s = 0;  // time for an answer, as this machine counts it
    bool quick = false;
    StopCheck stop;
    /// What is going on, and how many blocks of it are done; called by one thread at a time.
    std::function<void(const std::string& what, std::uint64_t done, std::uint64_t total)> progress;
};

/// The most blocks of work that are measured in full: their references take 512 MiB.
inline constexpr std::uint64_t kMostStepsMeasured = std::uint64_t{1} << 27;

/// kInvalidArgument for more work than kMostStepsMeasured, which `quick` (at most 10 passes)
/// shortens; kOutOfMemory, kInterrupted. kCorrupt: a refilled window is not the
/// true one, so that neither memory nor processor can be trusted.
[[nodiscard]] Result<CostMeasures> measure_cost(const CostMeasureRequest& request);

}  // namespace holdfast
