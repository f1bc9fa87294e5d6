// Line charts as one self-contained SVG text: axes with round ticks, titles, a legend, no script
// and no font file.
//
// Pure functions of values, any thread. All text is escaped; characters that XML does not allow are
// left out. A point that is not finite, or not above zero on a logarithmic axis, breaks its line;
// a chart without any point says so. Sizes are in SVG user units (pixels at 100%).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::cli {

struct ChartPoint {
    double x = 0;
    double y = 0;
};

struct ChartSeries {
    std::string name;  // in the legend; empty: not listed
    std::vector<ChartPoint> points;
    bool dashed = false;   // for limits and forecasts
    bool markers = false;  // a dot at each point
};

enum class ChartScale { kLinear, kLogarithmic };

struct Chart {
    std::string title;
    std::string subtitle;
    std::string x_label;
    std::string y_label;
    ChartScale x_scale = ChartScale::kLinear;
    ChartScale y_scale = ChartScale::kLinear;
    bool y_from_zero = true;  // on a linear axis
    std::vector<ChartSeries> series;
};

/// The charts one below the other.
[[nodiscard]] std::string svg_charts(const std::vector<Chart>& charts);

/// Text as it may stand between tags and within quotes.
[[nodiscard]] std::string svg_escaped(std::string_view text);

}  // namespace holdfast::cli
