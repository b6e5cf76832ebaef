#pragma once

#include <string>
#include <vector>

namespace octavo::cli::load {

/// One line of a chart; the page's style colours it by its place.
struct Series {
    std::string name;
    std::vector<double> values;  ///< one for each x
};

/// Charts as inline SVG with the classes that html.cc's style names; each point says its value as a tooltip.
struct Chart {
    std::string title, x_label, unit;  ///< `unit` of the values
    std::vector<double> x;             ///< rising
    std::vector<Series> series;
    std::vector<std::string> x_ticks;  ///< "" where a point has none; empty: the numbers
};

std::string draw_lines(const Chart& chart);
/// The first series only, as bars side by side.
std::string draw_bars(const Chart& chart);

/// `text` with &, <, > and quotes made harmless for HTML.
std::string escape_html(const std::string& text);

}  // namespace octavo::cli::load
