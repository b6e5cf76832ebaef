#include "load/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace octavo::cli::load {
namespace {

constexpr double kWidth = 720, kHeight = 240, kLeft = 64, kRight = 16, kTop = 16, kBottom = 40;
constexpr double kPlotWidth = kWidth - kLeft - kRight, kPlotHeight = kHeight - kTop - kBottom;
constexpr int kMaxXTicks = 8;

/// The least of 1, 2, 5 times a power of ten that is not below `value`.
double round_up(double value) {
    if (value <= 0) return 1;
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= value) return factor * power;
    return 10 * power;
}

struct Axis {
    double step, top;
};

Axis value_axis(const Chart& chart) {
    double greatest = 0;
    for (const auto& series : chart.series)
        for (const double value : series.values) greatest = std::max(greatest, value);
    const double step = round_up(greatest / 4);
    return {step, step * std::max(1.0, std::ceil(greatest / step))};
}

double y_of(double value, const Axis& axis) { return kTop + kPlotHeight * (1 - value / axis.top); }

std::string number(double value) { return fmt::format("{:.4g}", value); }

std::string grid(const Chart& chart, const Axis& axis) {
    std::string svg;
    for (double value = 0; value <= axis.top * 1.0001; value += axis.step) {
        const double y = y_of(value, axis);
        svg += fmt::format(R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", kLeft, kWidth - kRight, y,
                           y);
        svg += fmt::format(R"(<text class="end" x="{}" y="{:.1f}">{}</text>)", kLeft - 6, y + 4, number(value));
    }
    svg += fmt::format(R"(<text class="mid" x="{}" y="{}">{}</text>)", kLeft + kPlotWidth / 2, kHeight - 4,
                       escape_html(chart.x_label));
    return svg;
}

std::string x_tick(const Chart& chart, std::size_t i, double x) {
    const std::string text = chart.x_ticks.empty() ? number(chart.x[i]) : chart.x_ticks[i];
    return text.empty() ? "" : fmt::format(R"(<text class="mid" x="{:.1f}" y="{}">{}</text>)", x, kHeight - 22, text);
}

std::string frame(const Chart& chart, const std::string& inside) {
    std::string legend;
    for (std::size_t i = 0; i < chart.series.size() && chart.series.size() > 1; ++i)
        legend += fmt::format(R"(<span class="key s{}">{}</span> )", i, escape_html(chart.series[i].name));
    return fmt::format(R"(<figure><figcaption>{} <small>{}</small> {}</figcaption><svg viewBox="0 0 {} {}" role="img" )"
                       R"(aria-label="{}">{}</svg></figure>)"
                       "\n",
                       escape_html(chart.title), escape_html(chart.unit), legend, kWidth, kHeight,
                       escape_html(chart.title), inside);
}

std::string draw_series(const Chart& chart, std::size_t index, const Axis& axis, const std::vector<double>& places) {
    const auto& series = chart.series[index];
    std::string path, points;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const double y = y_of(series.values[i], axis);
        path += fmt::format("{}{:.1f},{:.1f}", i == 0 ? "M" : "L", places[i], y);
        points +=
            fmt::format(R"(<circle class="s{}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{} {} at {}</title></circle>)",
                        index, places[i], y, number(series.values[i]), escape_html(chart.unit), number(chart.x[i]));
    }
    return fmt::format(R"(<path class="s{}" d="{}"/>)", index, path) + points;
}

}  // namespace

std::string escape_html(const std::string& text) {
    std::string safe;
    for (const char c : text) {
        switch (c) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            case '\'':
                safe += "&#39;";
                break;
            default:
                safe += c;
        }
    }
    return safe;
}

std::string draw_lines(const Chart& chart) {
    if (chart.x.empty()) return "";
    const Axis axis = value_axis(chart);
    const double first = chart.x.front(), span = std::max(chart.x.back() - first, 1e-9);
    std::vector<double> places;
    for (const double x : chart.x) places.push_back(kLeft + kPlotWidth * (x - first) / span);
    std::string svg = grid(chart, axis);
    const std::size_t every = chart.x_ticks.empty() ? (chart.x.size() + kMaxXTicks - 1) / kMaxXTicks : 1;
    for (std::size_t i = 0; i < places.size(); i += every) svg += x_tick(chart, i, places[i]);
    for (std::size_t i = 0; i < chart.series.size(); ++i) svg += draw_series(chart, i, axis, places);
    return frame(chart, svg);
}

std::string draw_bars(const Chart& chart) {
    if (chart.x.empty()) return "";
    const Axis axis = value_axis(chart);
    const double width = kPlotWidth / static_cast<double>(chart.x.size());
    std::string svg = grid(chart, axis);
    for (std::size_t i = 0; i < chart.x.size(); ++i) {
        const double x = kLeft + width * static_cast<double>(i), value = chart.series[0].values[i];
        const double y = y_of(value, axis);
        svg += fmt::format(
            R"(<rect class="s0" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{} {} at {} {}</title></rect>)",
            x, y, std::max(width - 1, 0.5), kTop + kPlotHeight - y, number(value), escape_html(chart.unit),
            number(chart.x[i]), escape_html(chart.x_label));
        svg += x_tick(chart, i, x + width / 2);
    }
    return frame(chart, svg);
}

}  // namespace octavo::cli::load
