#include "cli/svg_chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

namespace holdfast::cli {
namespace {

constexpr double kWidth = 960;
constexpr double kPanelHeight = 400;
constexpr double kLeft = 92;
constexpr double kRight = 24;
constexpr double kTop = 84;  // title, subtitle, legend
constexpr double kBottom = 56;
constexpr int kTicks = 6;
// Told apart also by those who see no red or green (Okabe and Ito).
constexpr std::array<const char*, 7> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                 "#e69f00", "#56b4e9", "#000000"};

std::string coordinate(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

std::string tick_label(double value) {
    char text[32];
    const double size = std::fabs(value);
    if (size != 0 && (size >= 1e7 || size < 1e-3)) {
        std::snprintf(text, sizeof text, "%.0e", value);
    } else {
        std::snprintf(text, sizeof text, "%.10g", value);
    }
    return text;
}

/// One direction of a chart: from values to positions, and the ticks in between.
class Axis {
  public:
    Axis(ChartScale scale, double from, double to) : log_(scale == ChartScale::kLogarithmic) {
        log_ ? decades(from, to) : round_steps(from, to);
    }
    void place(double begin, double end) {
        begin_ = begin;
        end_ = end;
    }
    [[nodiscard]] double at(double value) const {
        const double share =
            log_ ? (std::log10(value) - std::log10(from_)) / (std::log10(to_) - std::log10(from_))
                 : (value - from_) / (to_ - from_);
        return begin_ + share * (end_ - begin_);
    }
    [[nodiscard]] const std::vector<double>& ticks() const { return ticks_; }

  private:
    void decades(double from, double to) {
        const int low = static_cast<int>(std::floor(std::log10(from)));
        const int high = std::max(low + 1, static_cast<int>(std::ceil(std::log10(to))));
        const int step = std::max(1, (high - low + kTicks - 1) / kTicks);
        for (int e = low; e <= high; e += step) ticks_.push_back(std::pow(10.0, e));
        from_ = std::pow(10.0, low);
        to_ = std::pow(10.0, high);
    }
    void round_steps(double from, double to) {
        if (!(to > from)) {
            const double around = from == 0 ? 1 : std::fabs(from) / 2;
            from -= from == 0 ? 0 : around;
            to += around;
        }
        const double rough = (to - from) / (kTicks - 1);
        const double magnitude = std::pow(10.0, std::floor(std::log10(rough)));
        double step = 10 * magnitude;
        for (const double factor : {5.0, 2.0, 1.0}) {
            if (factor * magnitude >= rough) step = factor * magnitude;
        }
        const double first = std::floor(from / step);
        const double last = std::ceil(to / step);
        for (double k = first; k <= last; ++k) ticks_.push_back(k * step);
        from_ = first * step;
        to_ = last * step;
    }

    bool log_;
    double from_ = 0;
    double to_ = 1;
    double begin_ = 0;
    double end_ = 1;
    std::vector<double> ticks_;
};

bool usable(const Chart& chart, const ChartPoint& p) {
    const auto on_axis = [](double v, ChartScale scale) {
        return std::isfinite(v) && std::fabs(v) < 1e300 &&
               (scale == ChartScale::kLinear || v >= 1e-300);
    };
    return on_axis(p.x, chart.x_scale) && on_axis(p.y, chart.y_scale);
}

struct Extent {
    double from = std::numeric_limits<double>::infinity();
    double to = -std::numeric_limits<double>::infinity();
    void add(double v) {
        from = std::min(from, v);
        to = std::max(to, v);
    }
};

/// Draws one chart whose panel begins at `top`.
class Panel {
  public:
    Panel(const Chart& chart, double top) : chart_(chart), top_(top) {}

    std::string draw() {
        heading();
        Extent x;
        Extent y;
        for (const ChartSeries& s : chart_.series) {
            for (const ChartPoint& p : s.points) {
                if (!usable(chart_, p)) continue;
                x.add(p.x);
                y.add(p.y);
            }
        }
        if (x.from > x.to) {
            text(kWidth / 2, top_ + kPanelHeight / 2, "middle", 14, "no data");
            return std::move(out_);
        }
        if (chart_.y_from_zero && chart_.y_scale == ChartScale::kLinear) y.add(0);
        Axis across(chart_.x_scale, x.from, x.to);
        Axis upward(chart_.y_scale, y.from, y.to);
        across.place(kLeft, kWidth - kRight);
        upward.place(top_ + kPanelHeight - kBottom, top_ + kTop);
        axes(across, upward);
        for (std::size_t i = 0; i < chart_.series.size(); ++i) {
            line(chart_.series[i], kColours[i % kColours.size()], across, upward);
        }
        legend();
        return std::move(out_);
    }

  private:
    void text(double x, double y, const char* anchor, int size, std::string_view words,
              const char* more = "") {
        out_ += "<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" text-anchor=\"" +
                anchor + "\" font-size=\"" + std::to_string(size) + "\"" + more + ">" +
                svg_escaped(words) + "</text>\n";
    }
    void stroke(double x1, double y1, double x2, double y2, const std::string& how) {
        out_ += "<line x1=\"" + coordinate(x1) + "\" y1=\"" + coordinate(y1) + "\" x2=\"" +
                coordinate(x2) + "\" y2=\"" + coordinate(y2) + "\" " + how + "/>\n";
    }
    void heading() {
        text(kLeft, top_ + 24, "start", 17, chart_.title, " font-weight=\"bold\"");
        text(kLeft, top_ + 44, "start", 12, chart_.subtitle, " fill=\"#555\"");
    }
    void axes(const Axis& across, const Axis& upward) {
        const double bottom = top_ + kPanelHeight - kBottom;
        const double right = kWidth - kRight;
        for (const double v : upward.ticks()) {
            stroke(kLeft, upward.at(v), right, upward.at(v), "stroke=\"#ddd\"");
            text(kLeft - 8, upward.at(v) + 4, "end", 12, tick_label(v));
        }
        for (const double v : across.ticks()) {
            stroke(across.at(v), bottom, across.at(v), bottom + 5, "stroke=\"#333\"");
            text(across.at(v), bottom + 20, "middle", 12, tick_label(v));
        }
        stroke(kLeft, bottom, right, bottom, "stroke=\"#333\"");
        stroke(kLeft, top_ + kTop, kLeft, bottom, "stroke=\"#333\"");
        text((kLeft + right) / 2, bottom + 42, "middle", 13, chart_.x_label);
        const double middle = top_ + (kTop + kPanelHeight - kBottom) / 2;
        const std::string turned =
            " transform=\"rotate(-90 22 " + coordinate(middle) + ")\"";  // around its own place
        text(22, middle, "middle", 13, chart_.y_label, turned.c_str());
    }
    void line(const ChartSeries& series, const char* colour, const Axis& across,
              const Axis& upward) {
        std::string path;
        bool pen_down = false;
        for (const ChartPoint& p : series.points) {
            if (!usable(chart_, p)) {
                pen_down = false;
                continue;
            }
            const std::string x = coordinate(across.at(p.x));
            const std::string y = coordinate(upward.at(p.y));
            path += (pen_down ? " L" : " M") + x + " " + y;
            pen_down = true;
            if (series.markers) {
                out_ +=
                    "<circle cx=\"" + x + "\" cy=\"" + y + "\" r=\"3\" fill=\"" + colour + "\"/>\n";
            }
        }
        if (path.empty()) return;
        out_ += "<path d=\"" + path.substr(1) + "\" fill=\"none\" stroke=\"" + colour +
                "\" stroke-width=\"2\"" + (series.dashed ? " stroke-dasharray=\"7 5\"" : "") +
                "/>\n";
    }
    void legend() {
        constexpr double kCharacter = 7;  // of the legend's font, about
        double x = kLeft;
        for (std::size_t i = 0; i < chart_.series.size(); ++i) {
            const ChartSeries& s = chart_.series[i];
            if (s.name.empty()) continue;
            stroke(x, top_ + 62, x + 24, top_ + 62,
                   std::string("stroke=\"") + kColours[i % kColours.size()] +
                       "\" stroke-width=\"3\"" + (s.dashed ? " stroke-dasharray=\"7 5\"" : ""));
            text(x + 30, top_ + 66, "start", 12, s.name);
            x += 30 + kCharacter * static_cast<double>(s.name.size()) + 24;
        }
    }

    const Chart& chart_;
    double top_;
    std::string out_;
};

}  // namespace

std::string svg_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                if (static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n') out += c;
        }
    }
    return out;
}

std::string svg_charts(const std::vector<Chart>& charts) {
    const double height =
        kPanelHeight * static_cast<double>(std::max<std::size_t>(1, charts.size()));
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " +
                      coordinate(kWidth) + " " + coordinate(height) + "\" width=\"" +
                      coordinate(kWidth) + "\" height=\"" + coordinate(height) +
                      "\" font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" "
                      "fill=\"#fff\"/>\n";
    double top = 0;
    for (const Chart& chart : charts) {
        out += "<g><title>" + svg_escaped(chart.title) + "</title>\n";
        out += Panel(chart, top).draw();
        out += "</g>\n";
        top += kPanelHeight;
    }
    return out + "</svg>\n";
}

}  // namespace holdfast::cli
