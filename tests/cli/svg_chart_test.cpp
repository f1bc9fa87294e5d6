// Charts: well formed whatever the values and texts are.
#include "cli/svg_chart.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace holdfast::cli {
namespace {

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        ++n;
    return n;
}

/// Every tag is closed, in order; no number is "nan" or "inf".
void expect_well_formed(const std::string& svg) {
    std::vector<std::string> open;
    for (std::size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
        const std::size_t end = svg.find('>', at);
        ASSERT_NE(end, std::string::npos);
        const std::string tag = svg.substr(at + 1, end - at - 1);
        ASSERT_EQ(tag.find('<'), std::string::npos) << tag;
        EXPECT_EQ(count(tag, "\"") % 2, 0U) << tag;
        if (tag.ends_with("/")) continue;
        const std::string name = tag.substr(0, tag.find(' '));
        if (!name.starts_with("/")) {
            open.push_back(name);
            continue;
        }
        ASSERT_FALSE(open.empty()) << tag;
        EXPECT_EQ("/" + open.back(), name);
        open.pop_back();
    }
    EXPECT_TRUE(open.empty());
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
}

Chart sample() {
    Chart chart;
    chart.title = "Time of a block";
    chart.x_label = "height";
    chart.y_label = "seconds";
    chart.series.push_back({"links", {{0, 1}, {1, 2.5}, {2, 1.75}}, false, true});
    chart.series.push_back({"limit", {{0, 3}, {2, 3}}, true, false});
    return chart;
}

TEST(SvgChart, HasAxesLegendAndOneLineForEachSeries) {
    const std::string svg = svg_charts({sample(), sample()});
    expect_well_formed(svg);
    EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    EXPECT_EQ(count(svg, "<path "), 4U);
    EXPECT_EQ(count(svg, "<circle "), 6U);
    for (const char* words : {">Time of a block<", ">height<", ">seconds<", ">links<", ">limit<",
                              ">0<", ">1.5<", ">2<"}) {
        EXPECT_NE(svg.find(words), std::string::npos) << words;
    }
}

TEST(SvgChart, TextIsEscaped) {
    Chart chart = sample();
    chart.title = "a < b & \"c\" > 'd'\x01";
    chart.series[0].name = "</svg><script>";
    const std::string svg = svg_charts({chart});
    expect_well_formed(svg);
    EXPECT_NE(svg.find("a &lt; b &amp; &quot;c&quot; &gt; &#39;d&#39;<"), std::string::npos);
    EXPECT_EQ(svg.find("<script>"), std::string::npos);
}

TEST(SvgChart, PointsThatCannotBeDrawnBreakTheLine) {
    Chart chart = sample();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    chart.series = {{"broken", {{0, 1}, {1, nan}, {2, 2}, {3, infinity}, {4, 1}}}};
    const std::string svg = svg_charts({chart});
    expect_well_formed(svg);
    const std::size_t path = svg.find("<path d=\"");
    ASSERT_NE(path, std::string::npos);
    const std::string d = svg.substr(path, svg.find('>', path) - path);
    EXPECT_EQ(count(d, "M"), 3U);
    EXPECT_EQ(count(d, "L"), 0U);
}

TEST(SvgChart, LogarithmicAxesHaveDecadesAndSkipWhatIsNotPositive) {
    Chart chart = sample();
    chart.y_scale = ChartScale::kLogarithmic;
    chart.x_scale = ChartScale::kLogarithmic;
    chart.series = {{"falls", {{0, 1}, {1, 1}, {10, 1e-3}, {100, 0}, {1000, 1e-12}}}};
    const std::string svg = svg_charts({chart});
    expect_well_formed(svg);
    EXPECT_NE(svg.find(">1e-12<"), std::string::npos);
    EXPECT_NE(svg.find(">1000<"), std::string::npos);
}

TEST(SvgChart, NothingOnePointAndLevelLinesAreDrawn) {
    Chart chart = sample();
    chart.series.clear();
    EXPECT_NE(svg_charts({chart}).find("no data"), std::string::npos);
    expect_well_formed(svg_charts({}));
    for (const double value : {0.0, 5.0, -5.0, 1e-9, 1e12}) {
        for (const bool from_zero : {false, true}) {
            chart.y_from_zero = from_zero;
            chart.series = {{"level", {{7, value}, {8, value}}}};
            expect_well_formed(svg_charts({chart}));
            chart.series = {{"point", {{7, value}}}};
            expect_well_formed(svg_charts({chart}));
        }
    }
}

}  // namespace
}  // namespace holdfast::cli
