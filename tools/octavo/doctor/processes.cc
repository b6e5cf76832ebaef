#include "doctor/processes.hpp"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace octavo::cli {
namespace {

struct Reason {
    const char* name;
    const char* words;
    const char* advice;
};
constexpr const char* kAloneAdvice =
    "its requests do not overlap: lanes need several at a time. Either there is one connection at a time, or the "
    "program does not use "
    "asynchronous jobs (nginx's module, SSL_MODE_ASYNC)";
constexpr Reason kReasons[OCTAVO_FALLBACK_REASONS] = {
    {"cpu", "no fast row on this CPU, or an override took it away",
     "see the row check above; the process may have other variables"},
    {"size", "a key size that the fast row does not take", "use RSA keys of 2048, 3072 or 4096 bits"},
    {"no_crt", "a private key without CRT values", "use the key with p, q, dP, dQ and qInv"},
    {"primes", "a key with more than two primes, or with primes of unequal size", "use a two-prime key"},
    {"exponent", "a public exponent that the fast row does not take", "use a key with the exponent 65537"},
    {"check", "results that failed their check and were computed again",
     "suspect the hardware, and please report this"},
    {"fork", "requests in flight at a fork", ""},
    {"curve", "a curve that no fast row takes", "use P-256, P-384, X25519 or Ed25519"},
    {"section", "the process has no section, or no instance in it", "\"octavo sections\" shows who holds them"},
    {"alone", "with nobody to share lanes, OpenSSL does it at once", kAloneAdvice},
    {"endpoint", "the endpoint restarted or was down", "\"octavo fault list\" shows injected faults"},
    {"device", "the endpoint answered with an error", "\"octavo fault list\" shows injected faults"},
};
constexpr Reason kUnknown = {"unknown", "a reason that this program does not know",
                             "use the octavo program of the library's version"};

const Reason& reason_at(std::size_t number) noexcept {
    return kReasons[number].name == nullptr ? kUnknown : kReasons[number];
}

Activity counted(const octavo_statistics& counters) {
    Activity activity;
    activity.submitted = counters.submitted;
    activity.lanes = counters.lane_requests;
    activity.scalar = counters.scalar_requests;
    activity.in_place = counters.in_place;
    activity.completed = counters.completed;
    activity.failed = counters.failed;
    activity.cancelled = counters.cancelled;
    std::copy(std::begin(counters.fallback), std::end(counters.fallback), activity.fallback);
    for (std::size_t i = 0; i < OCTAVO_BATCH_BUCKETS; ++i) {
        activity.batches += counters.batch_size[i];
        activity.batched += counters.batch_size[i] * (i + 1);
    }
    return activity;
}

/// a += sign * b, where counters that went back (an instance ended in between) stop at 0.
void add(std::uint64_t& a, std::uint64_t b) { a += b; }
void subtract(std::uint64_t& a, std::uint64_t b) { a -= std::min(a, b); }

template <typename Change>
void combine(Activity& a, const Activity& b, Change change) {
    change(a.submitted, b.submitted);
    change(a.lanes, b.lanes);
    change(a.scalar, b.scalar);
    change(a.in_place, b.in_place);
    change(a.completed, b.completed);
    change(a.failed, b.failed);
    change(a.cancelled, b.cancelled);
    change(a.batches, b.batches);
    change(a.batched, b.batched);
    for (std::size_t i = 0; i < OCTAVO_FALLBACK_REASONS; ++i) change(a.fallback[i], b.fallback[i]);
}

Activity total_of(const instance::ProcessStats& process) {
    Activity total;
    for (const auto& one : process.instances) combine(total, counted(one.counters), add);
    return total;
}

std::string share(std::uint64_t part, std::uint64_t whole) {
    return fmt::format("{:.0f}%", whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string describe(const Activity& activity) {
    const auto done = activity.done();
    std::string text =
        fmt::format("{} in lanes, {} one by one", share(activity.lanes, done), share(activity.scalar, done));
    for (std::size_t i = 0; i < OCTAVO_FALLBACK_REASONS; ++i)
        if (activity.fallback[i] > 0)
            text += fmt::format(", {} fell back: {}", share(activity.fallback[i], done), fallback_words(i));
    if (activity.in_place > 0)
        text +=
            fmt::format("; {} in place, by a submitter that was alone or synchronous", share(activity.in_place, done));
    if (activity.batches > 0)
        text += fmt::format("; {:.1f} a batch",
                            static_cast<double>(activity.batched) / static_cast<double>(activity.batches));
    if (activity.failed > 0) text += fmt::format("; {} failed", activity.failed);
    return text;
}

std::size_t main_fallback(const Activity& activity) {
    const auto* most = std::max_element(std::begin(activity.fallback), std::end(activity.fallback));
    return static_cast<std::size_t>(most - std::begin(activity.fallback));
}

std::string since(std::uint64_t then_ns, std::uint64_t now_ns) {
    const double seconds = now_ns > then_ns ? static_cast<double>(now_ns - then_ns) / 1e9 : 0;
    if (seconds < 120) return fmt::format("{:.0f} s ago", seconds);
    return seconds < 7200 ? fmt::format("{:.0f} min ago", seconds / 60) : fmt::format("{:.0f} h ago", seconds / 3600);
}

/// Nothing was submitted in the interval.
void judge_idle(ProcessReport& report, double seconds, std::uint64_t now_ns) {
    report.verdict = Verdict::warn;
    if (report.last_submit_ns == 0) {
        report.text = "nothing was ever submitted";
        report.advice = "no operation has reached Octavo: are clients connecting?";
        return;
    }
    report.text = fmt::format("nothing submitted in {} s; the last request came {}; before that: {}", seconds,
                              since(report.last_submit_ns, now_ns), describe(report.total));
    report.advice = "look again while it has work to do";
}

/// Requests came, but none was folded with another.
void judge_unfolded(ProcessReport& report) {
    report.verdict = Verdict::warn;
    const auto& now = report.now;
    if (now.fallbacks() > now.scalar) {
        report.advice = reason_at(main_fallback(now)).advice;
    } else {
        report.advice = kAloneAdvice;
    }
}

void judge(ProcessReport& report, double seconds, std::uint64_t now_ns) {
    if (report.now.submitted == 0 && report.now.done() == 0) return judge_idle(report, seconds, now_ns);
    report.verdict = Verdict::ok;
    report.text =
        fmt::format("{:.0f} requests/s: {}", static_cast<double>(report.now.submitted) / seconds, describe(report.now));
    if (report.now.lanes == 0) return judge_unfolded(report);
    if (report.now.fallback[OCTAVO_FALLBACK_CHECK] > 0) {
        report.verdict = Verdict::warn;
        report.advice = kReasons[OCTAVO_FALLBACK_CHECK].advice;
    }
}

/// A process without the section that it asked for offloads nothing: that reason comes before all others.
void judge_section(ProcessReport& report) {
    if (report.section.state != instance::SectionNote::denied) return;
    report.verdict = Verdict::warn;
    report.advice = "it works on the portable row until it is started again, or asks again, and gets a section";
}

/// Endpoints that are not up: everything falls back there.
void judge_endpoints(ProcessReport& report, const instance::ProcessStats& process) {
    for (const auto& one : process.instances) {
        if (one.state == OCTAVO_ENDPOINT_UP) continue;
        const auto words = fmt::format("endpoint {} is {}", one.endpoint,
                                       one.state == OCTAVO_ENDPOINT_RESTARTING ? "restarting" : "down");
        if (report.away.find(words) == std::string::npos) report.away += (report.away.empty() ? "" : ", ") + words;
    }
    if (report.away.empty()) return;
    report.verdict = Verdict::warn;
    report.text = report.away + "; " + report.text;
    report.advice =
        "it computes on the portable row until that is up again; \"octavo fault list\" shows injected faults";
}

std::uint64_t monotonic_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

std::uint64_t Activity::fallbacks() const noexcept {
    std::uint64_t sum = 0;
    for (const auto count : fallback) sum += count;
    return sum;
}

std::vector<ProcessReport> compare(const std::vector<instance::ProcessStats>& before,
                                   const std::vector<instance::ProcessStats>& after, double seconds,
                                   std::uint64_t now_ns) {
    std::vector<ProcessReport> reports;
    for (const auto& process : after) {
        if (process.pid == static_cast<std::uint32_t>(getpid())) continue;
        const auto total = total_of(process);
        ProcessReport report{process.pid, process.command, process.instances.size(),
                             total,       total,           0,
                             0,           Verdict::ok,     "",
                             "",          process.section, ""};
        const auto same = [&](const auto& other) { return other.pid == process.pid; };
        if (const auto then = std::find_if(before.begin(), before.end(), same); then != before.end())
            combine(report.now, total_of(*then), subtract);
        for (const auto& one : process.instances) {
            report.in_flight += one.counters.in_flight;
            report.last_submit_ns = std::max(report.last_submit_ns, one.last_submit_ns);
        }
        judge(report, seconds, now_ns);
        judge_section(report);
        judge_endpoints(report, process);
        reports.push_back(std::move(report));
    }
    return reports;
}

std::vector<ProcessReport> report_processes(double seconds) {
    const auto before = instance::read_all_stats();
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    return compare(before, instance::read_all_stats(), seconds, monotonic_ns());
}

std::string section_words(const instance::SectionNote& section) {
    switch (section.state) {
        case instance::SectionNote::held:
            return "section " + section.name;
        case instance::SectionNote::denied:
            return "no section (" + section.reason + ")";
        default:
            return {};
    }
}

const char* fallback_words(std::size_t reason) noexcept { return reason_at(reason).words; }
const char* fallback_name(std::size_t reason) noexcept { return reason_at(reason).name; }

}  // namespace octavo::cli
