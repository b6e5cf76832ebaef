#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "installation.hpp"
#include "load/chart.hpp"
#include "load/report.hpp"

namespace octavo::cli::load {
namespace {

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5c6675; --line: #d8dde5; --page: #fff; --s0: #1f6fb2; --s1: #c2571a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --soft: #9aa4b2; --line: #39414d; --page: #14181e; --s0: #6cb2ee; --s1: #f09a5f; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 760px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em; margin: 0; } p, small { color: var(--soft); }
table { border-collapse: collapse; width: 100%; margin: 1em 0; } td { padding: .3em .5em; border-top: 1px solid var(--line); }
td + td { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.5em 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; display: block; }
svg text { font-size: 11px; fill: var(--soft); } .end { text-anchor: end; } .mid { text-anchor: middle; }
.grid { stroke: var(--line); } path { fill: none; stroke-width: 2; }
path.s0 { stroke: var(--s0); } path.s1 { stroke: var(--s1); } circle.s0, rect.s0 { fill: var(--s0); } circle.s1 { fill: var(--s1); }
.key { font-weight: 400; } .key.s0 { color: var(--s0); } .key.s1 { color: var(--s1); })";

constexpr int kBarsPerOctave = 4;

std::string row(const std::string& name, const std::string& value) {
    return fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", escape_html(name), escape_html(value));
}

std::string figures(const Result& result) {
    const Tally& total = result.total;
    std::string rows = row("Handshakes per second", fmt::format("{:.1f}", result.handshakes_s));
    rows += row("Handshakes", fmt::format("{} in {:.2f} s", total.handshakes, result.seconds));
    for (const auto& [name, share] :
         {std::pair{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}})
        rows += row(fmt::format("Latency, {}", name),
                    fmt::format("{:.3f} ms", static_cast<double>(total.latencies.percentile(share)) / 1e6));
    if (result.cpu_us_per_handshake)
        rows += row("Server CPU per handshake", fmt::format("{:.1f} us", *result.cpu_us_per_handshake));
    if (result.client_cpu_us_per_handshake)
        rows +=
            row("Client CPU per handshake",
                fmt::format("{:.1f} us, {:.0f} % busy", *result.client_cpu_us_per_handshake, result.client_busy * 100));
    rows += row("Resumed", fmt::format("{}", total.resumed));
    rows += row("Aborted on purpose", fmt::format("{}", total.aborted));
    rows += row("Failures", fmt::format("{}", total.failures));
    for (const auto& [kind, count] : total.failures_by_kind) rows += row("  " + kind, fmt::format("{}", count));
    return "<table>\n" + rows + "</table>\n";
}

std::string over_time(const Result& result) {
    Chart rate{"Handshakes per second", "seconds since the start", "handshakes/s", {}, {{"handshakes/s", {}}}, {}};
    Chart latency{"Latency", "seconds since the start", "ms", {}, {{"p50", {}}, {"p99", {}}}, {}};
    for (const auto& sample : result.samples) {
        if (sample.seconds < 0.1) continue;  // the run's last moment, too short for a rate
        rate.x.push_back(std::round(sample.at * 10) / 10);
        rate.series[0].values.push_back(static_cast<double>(sample.handshakes) / sample.seconds);
        latency.series[0].values.push_back(sample.p50_ms);
        latency.series[1].values.push_back(sample.p99_ms);
    }
    latency.x = rate.x;
    return draw_lines(rate) + draw_lines(latency);
}

int bar_of(const Histogram::Bucket& bucket) {
    return static_cast<int>(
        std::floor(std::log2(static_cast<double>(std::max<std::uint64_t>(bucket.low, 1))) * kBarsPerOctave));
}

std::string distribution(const Result& result) {
    const auto buckets = result.total.latencies.buckets();
    if (buckets.empty()) return "";
    const int first = bar_of(buckets.front());
    const auto num_bars = static_cast<std::size_t>(bar_of(buckets.back()) - first + 1);
    Chart chart{
        "Latencies, by how often they came", "ms, each bar 1.19 times the last", "handshakes", {}, {{"", {}}}, {}};
    chart.series[0].values.resize(num_bars);
    const std::size_t every = (num_bars + 9) / 10;
    for (std::size_t i = 0; i < num_bars; ++i) {
        chart.x.push_back(std::exp2((first + static_cast<double>(i)) / kBarsPerOctave) / 1e6);
        chart.x_ticks.push_back(i % every == 0 ? fmt::format("{:.3g}", chart.x.back()) : "");
    }
    for (const auto& bucket : buckets)
        chart.series[0].values[static_cast<std::size_t>(bar_of(bucket) - first)] += static_cast<double>(bucket.count);
    return draw_bars(chart);
}

std::string by_percentile(const Result& result) {
    if (result.total.latencies.count() == 0) return "";
    Chart chart{
        "Latency by percentile", "percentile; each step right is half as many handshakes", "ms", {}, {{"", {}}}, {}};
    const int steps = std::max(1, static_cast<int>(std::log2(static_cast<double>(result.total.latencies.count()))));
    for (int i = 0; i <= steps; ++i) {
        const double share = 1 - std::exp2(-i);
        chart.x.push_back(i);
        chart.x_ticks.push_back(fmt::format("{:.4g}", share * 100));
        chart.series[0].values.push_back(static_cast<double>(result.total.latencies.percentile(share)) / 1e6);
    }
    return draw_lines(chart);
}

}  // namespace

std::string to_html(const Result& result) {
    const Negotiated& settled = result.negotiated;
    const std::string title = headline(result.plan);
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\">\n<title>{0}</title>\n<style>{1}\n</style></head>\n<body>\n<h1>{0}</h1>\n"
        "<p>TLS {2}, {3}, {4}, certificate {5}; certificates {6}; {7}</p>\n{8}{9}{10}{11}</body></html>\n",
        escape_html(title), kStyle, escape_html(settled.tls), escape_html(settled.cipher), escape_html(settled.group),
        escape_html(settled.certificate), result.plan.tls.ca_file.empty() ? "not verified" : "verified",
        escape_html(version_line()), figures(result), over_time(result), distribution(result), by_percentile(result));
}

}  // namespace octavo::cli::load
