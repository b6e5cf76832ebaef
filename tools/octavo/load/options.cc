#include "load/options.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "load/server_cpu.hpp"
#include "load/tls_client.hpp"
#include "usage.hpp"

namespace octavo::cli::load {
namespace {

constexpr std::size_t kMaxConnections = 200000, kMaxThreads = 1024, kMaxPath = 4096;
constexpr std::size_t kOpenLoopConnections = 4096;
constexpr double kMaxRate = 1e6;

/// A decimal number with nothing after it.
bool parse_number(std::string_view text, double& number) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && stop == end && std::isfinite(number);
}

double parse_share(std::string_view option, const std::string& text) {
    double share = 0;
    if (text.empty()) return 0;
    if (parse_number(text, share) && share >= 0 && share <= 1) return share;
    throw UsageError(
        fmt::format("{} takes a share from 0 to 1, such as 0.5 for every second connection, not \"{}\"", option, text));
}

std::optional<double> parse_rate(const std::string& text) {
    double rate = 0;
    if (text.empty()) return std::nullopt;
    if (parse_number(text, rate) && rate > 0 && rate <= kMaxRate) return rate;
    throw UsageError(
        fmt::format("--rate takes handshakes per second, above 0 and at most {}, not \"{}\"", kMaxRate, text));
}

/// `each` gets the items between commas.
template <typename Each>
void split_list(std::string_view option, const std::string& text, const Each& each) {
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        if (end == begin) throw UsageError(fmt::format("{} \"{}\": an item of the list is empty", option, text));
        each(text.substr(begin, end - begin));
        begin = end + 1;
    }
}

std::vector<int> parse_cpus(const std::string& text) {
    std::vector<int> cpus;
    if (text.empty()) return cpus;
    split_list("--cpu", text, [&](const std::string& item) {
        const auto dash = item.find('-');
        const auto first = parse_index("--cpu", item.substr(0, dash), CPU_SETSIZE - 1);
        const auto last =
            dash == std::string::npos ? first : parse_index("--cpu", item.substr(dash + 1), CPU_SETSIZE - 1);
        if (last < first) throw UsageError(fmt::format("--cpu \"{}\": a range goes from low to high", item));
        for (auto cpu = first; cpu <= last; ++cpu) cpus.push_back(static_cast<int>(cpu));
    });
    return cpus;
}

std::vector<pid_t> parse_pids(const std::string& text) {
    std::vector<pid_t> pids;
    if (text.empty()) return pids;
    split_list("--server-pid", text, [&](const std::string& item) {
        pids.push_back(static_cast<pid_t>(parse_count("--server-pid", item, std::numeric_limits<pid_t>::max())));
    });
    return pids;
}

std::size_t available_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
}

TlsWishes understand_tls(const Options& options, const Endpoint& target) {
    if (!options.tls.empty() && options.tls != "1.2" && options.tls != "1.3")
        throw UsageError(fmt::format("--tls takes 1.2 or 1.3, not \"{}\"; without it the server chooses", options.tls));
    if (options.tls == "1.3" && !options.ciphers.empty())
        throw UsageError("--ciphers is for TLS 1.2, and --tls 1.3 leaves it out; use --ciphersuites");
    if (options.tls == "1.2" && !options.ciphersuites.empty())
        throw UsageError("--ciphersuites is for TLS 1.3, and --tls 1.2 leaves it out; use --ciphers");
    if (options.insecure && !options.ca.empty())
        throw UsageError("--insecure and --ca contradict each other: leave one out");
    TlsWishes wishes{options.tls, options.groups, options.ciphers, options.ciphersuites,
                     options.sni, options.sni,    options.ca};
    if (options.sni.empty()) wishes.verified_name = target.host;
    if (options.sni.empty() && target.host_is_name) wishes.server_name = target.host;
    return wishes;
}

std::string make_request(const std::string& path, const Plan& plan) {
    if (path.empty()) return "";
    const auto is_bad = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
    if (path.front() != '/' || path.size() > kMaxPath || std::any_of(path.begin(), path.end(), is_bad))
        throw UsageError(
            fmt::format("--request takes a path that begins with \"/\" and has no spaces, not \"{}\"", path));
    const bool is_v6 = !plan.target.host_is_name && plan.target.host.find(':') != std::string::npos;
    const std::string host = is_v6 ? "[" + plan.target.host + "]" : plan.target.host;
    return fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: octavo-load\r\nConnection: close\r\n\r\n", path,
                       plan.tls.server_name.empty() ? host : plan.tls.server_name);
}

void understand_amounts(const Options& options, Plan& plan) {
    plan.rate = parse_rate(options.rate);
    if (plan.rate) plan.connections = kOpenLoopConnections;
    if (!options.connections.empty())
        plan.connections = parse_count("--connections", options.connections, kMaxConnections);
    if (!options.count.empty())
        plan.count = parse_count("--count", options.count, std::numeric_limits<std::size_t>::max() / 2);
    // With a count alone, the count ends the run.
    if (plan.count) plan.duration = 24 * 3600;
    if (!options.duration.empty()) plan.duration = parse_seconds("--duration", options.duration);
    if (!options.timeout.empty()) plan.timeout = parse_seconds("--timeout", options.timeout);
    if (!options.warmup.empty() && options.warmup != "0") plan.warmup = parse_seconds("--warmup", options.warmup);
    plan.resume = parse_share("--resume", options.resume);
    plan.abort = parse_share("--abort", options.abort);
}

void understand_threads(const Options& options, Plan& plan) {
    plan.cpus = parse_cpus(options.cpu);
    plan.threads = plan.cpus.empty() ? available_cpus() : plan.cpus.size();
    if (!options.threads.empty()) plan.threads = parse_count("--threads", options.threads, kMaxThreads);
    plan.threads = std::min(plan.threads, plan.connections);
}

}  // namespace

Plan understand(const Options& options) {
    if (options.target.empty())
        throw UsageError("load: name the server to connect to as HOST:PORT, such as 127.0.0.1:8443");
    Plan plan;
    plan.target = parse_endpoint(options.target);
    plan.tls = understand_tls(options, plan.target);
    understand_amounts(options, plan);
    understand_threads(options, plan);
    plan.request = make_request(options.request, plan);
    plan.server_pids = parse_pids(options.server_pid);
    // Made to say now what the run would trip over.
    const ServerCpu processes(plan.server_pids);
    const TlsClient client(plan.tls, false);
    return plan;
}

}  // namespace octavo::cli::load
