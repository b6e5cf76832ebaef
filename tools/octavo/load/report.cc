#include "load/report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "installation.hpp"

namespace octavo::cli::load {
namespace {

// From here up the figures say more about this program than about the server.
constexpr double kBusyClient = 0.9;

double ms(const Tally& tally, double share) { return static_cast<double>(tally.latencies.percentile(share)) / 1e6; }

std::string plural(std::size_t count, const char* noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string handshake_kind(const Negotiated& settled) {
    if (settled.tls.empty()) return "none";
    return fmt::format("TLS {}, {}, {}, certificate {}", settled.tls, settled.cipher, settled.group,
                       settled.certificate);
}

std::string or_dash(const std::optional<double>& us) { return us ? fmt::format("{:.1f} us", *us) : "-"; }

std::string latency_line(const Tally& total) {
    if (total.latencies.count() == 0) return "latency, ms  -\n";
    return fmt::format("latency, ms  p50 {:.3f}  p90 {:.3f}  p99 {:.3f}  p99.9 {:.3f}  max {:.3f}\n", ms(total, 0.5),
                       ms(total, 0.9), ms(total, 0.99), ms(total, 0.999), ms(total, 1));
}

std::string notes(const Result& result) {
    std::string text;
    if (result.interrupted) text += "note: interrupted before its time\n";
    if (result.plan.tls.ca_file.empty()) text += "note: certificates were not verified (--ca FILE verifies them)\n";
    if (result.client_busy > kBusyClient)
        text += fmt::format("note: this client was busy for {:.0f} % of its threads' time: the server may do more\n",
                            result.client_busy * 100);
    if (result.total.unstarted > 0)
        text += fmt::format(
            "note: {} connections were due but not begun: the server, --connections or the client held "
            "them up\n",
            result.total.unstarted);
    return text;
}

nlohmann::ordered_json optional_number(const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json samples_of(const Result& result) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& sample : result.samples)
        list.push_back({{"at", sample.at},
                        {"seconds", sample.seconds},
                        {"handshakes", sample.handshakes},
                        {"failures", sample.failures},
                        {"aborted", sample.aborted},
                        {"in_flight", sample.in_flight},
                        {"p50_ms", sample.p50_ms},
                        {"p99_ms", sample.p99_ms}});
    return list;
}

}  // namespace

std::string headline(const Plan& plan) {
    const std::string load =
        plan.rate ? fmt::format("{} new connections/s, at most {} at a time", *plan.rate, plan.connections)
                  : plural(plan.connections, "connection");
    const std::string end = plan.count ? fmt::format("{} of them", *plan.count) : fmt::format("{} s", plan.duration);
    return fmt::format("octavo load {} ({}): {}, {}, {}", plan.target.host, plan.target.address, load,
                       plural(plan.threads, "thread"), end);
}

std::string to_progress(const Sample& sample) {
    return fmt::format("{:.0f} s: {:.0f} handshakes/s, {} in flight, {} failed, p50 {:.2f} ms", sample.at,
                       static_cast<double>(sample.handshakes) / sample.seconds, sample.in_flight, sample.failures,
                       sample.p50_ms);
}

std::string to_text(const Result& result) {
    const Tally& total = result.total;
    std::string text = fmt::format("handshake    {}\n", handshake_kind(result.negotiated));
    text += fmt::format("handshakes   {} in {:.2f} s: {:.1f}/s", total.handshakes, result.seconds, result.handshakes_s);
    text += fmt::format("; {} resumed, {} aborted on purpose\n", total.resumed, total.aborted);
    text += latency_line(total);
    text += fmt::format("CPU time     per handshake: server {}, this client {} ({:.0f} % busy)\n",
                        or_dash(result.cpu_us_per_handshake), or_dash(result.client_cpu_us_per_handshake),
                        result.client_busy * 100);
    text += fmt::format("failures     {}\n", total.failures);
    for (const auto& [kind, count] : total.failures_by_kind) text += fmt::format("  {:>10}  {}\n", count, kind);
    return text + notes(result);
}

std::string to_json(const Result& result) {
    const Tally& total = result.total;
    const auto percentile = [&](double share) -> nlohmann::ordered_json {
        if (total.latencies.count() == 0) return nullptr;
        return ms(total, share);
    };
    const nlohmann::ordered_json object = {
        {"target", result.plan.target.address},
        {"handshakes", total.handshakes},
        {"handshakes_s", result.handshakes_s},
        {"seconds", result.seconds},
        {"connections", result.plan.connections},
        {"threads", result.plan.threads},
        {"rate", optional_number(result.plan.rate)},
        {"tls", result.negotiated.tls},
        {"cipher", result.negotiated.cipher},
        {"group", result.negotiated.group},
        {"certificate", result.negotiated.certificate},
        {"verified", !result.plan.tls.ca_file.empty()},
        {"p50_ms", percentile(0.5)},
        {"p90_ms", percentile(0.9)},
        {"p99_ms", percentile(0.99)},
        {"p999_ms", percentile(0.999)},
        {"max_ms", percentile(1)},
        {"failures", total.failures},
        {"failures_by_kind", total.failures_by_kind},
        {"aborted", total.aborted},
        {"resumed", total.resumed},
        {"unstarted", total.unstarted},
        {"cpu_us_per_handshake", optional_number(result.cpu_us_per_handshake)},
        {"client_cpu_us_per_handshake", optional_number(result.client_cpu_us_per_handshake)},
        {"client_busy", result.client_busy},
        {"interrupted", result.interrupted},
        {"octavo_version", library_version()},
        {"openssl_version", openssl_version()},
        {"samples", samples_of(result)},
    };
    return object.dump(2) + "\n";
}

}  // namespace octavo::cli::load
