#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "doctor/processes.hpp"
#include "doctor/setup.hpp"
#include "usage.hpp"

namespace octavo::cli {

const char* verdict_name(Verdict verdict) noexcept {
    switch (verdict) {
        case Verdict::ok:
            return "ok";
        case Verdict::warn:
            return "warn";
        case Verdict::fail:
            return "fail";
    }
    return "?";
}

namespace {

using Json = nlohmann::ordered_json;

struct Diagnosis {
    double seconds;
    std::vector<Check> checks;
    std::vector<ProcessReport> processes;

    Verdict verdict() const {
        Verdict worst = Verdict::ok;
        for (const auto& check : checks) worst = std::max(worst, check.verdict);
        for (const auto& process : processes) worst = std::max(worst, process.verdict);
        return worst;
    }
};

/// Whether anything is offloaded right now, of all processes together.
Check check_offload(const std::vector<ProcessReport>& processes, double seconds) {
    if (processes.empty())
        return {"offload", Verdict::warn, "no process of this user uses Octavo now",
                "start a server with this configuration and look again while it is under load; other users' processes "
                "show to root"};
    std::uint64_t lanes = 0;
    for (const auto& process : processes) lanes += process.now.lanes;
    if (lanes > 0)
        return {"offload", Verdict::ok,
                fmt::format("{:.0f} requests/s go through lanes", static_cast<double>(lanes) / seconds), ""};
    return {"offload", Verdict::warn, fmt::format("nothing went through lanes in {} s", seconds),
            "each process below says why"};
}

Diagnosis diagnose(double seconds) {
    Diagnosis diagnosis{seconds, check_setup(), report_processes(seconds)};
    diagnosis.checks.push_back(check_offload(diagnosis.processes, seconds));
    return diagnosis;
}

void print_line(Verdict verdict, const std::string& text, const std::string& advice) {
    fmt::print("{:<5} {}\n", verdict_name(verdict), text);
    if (!advice.empty()) fmt::print("      -> {}\n", advice);
}

void print_text(const Diagnosis& diagnosis) {
    for (const auto& check : diagnosis.checks) print_line(check.verdict, check.text, check.advice);
    for (const auto& process : diagnosis.processes) {
        const auto section = section_words(process.section);
        const auto head =
            fmt::format("process {} ({}), {} instance{}{}{}: ", process.pid, process.command, process.num_instances,
                        process.num_instances == 1 ? "" : "s", section.empty() ? "" : ", ", section);
        print_line(process.verdict, head + process.text, process.advice);
    }
}

Json activity_object(const Activity& activity) {
    Json fallback = Json::object();
    for (std::size_t i = 0; i < OCTAVO_FALLBACK_REASONS; ++i)
        if (activity.fallback[i] > 0) fallback[fallback_name(i)] = activity.fallback[i];
    return {{"submitted", activity.submitted},    {"lane_requests", activity.lanes},
            {"scalar_requests", activity.scalar}, {"in_place", activity.in_place},
            {"completed", activity.completed},    {"failed", activity.failed},
            {"cancelled", activity.cancelled},    {"fallback", fallback}};
}

Json section_object(const instance::SectionNote& section) {
    static constexpr const char* kStates[] = {"none", "held", "denied"};
    const char* const state = section.state < std::size(kStates) ? kStates[section.state] : "none";
    return {{"state", state}, {"name", section.name}, {"reason", section.reason}};
}

Json process_object(const ProcessReport& process) {
    return {{"pid", process.pid},
            {"command", process.command},
            {"instances", process.num_instances},
            {"section", section_object(process.section)},
            {"in_flight", process.in_flight},
            {"away", process.away},
            {"interval", activity_object(process.now)},
            {"total", activity_object(process.total)},
            {"verdict", verdict_name(process.verdict)},
            {"text", process.text},
            {"advice", process.advice}};
}

void print_json(const Diagnosis& diagnosis) {
    Json checks = Json::array(), processes = Json::array();
    for (const auto& check : diagnosis.checks)
        checks.push_back({{"check", check.name},
                          {"verdict", verdict_name(check.verdict)},
                          {"text", check.text},
                          {"advice", check.advice}});
    for (const auto& process : diagnosis.processes) processes.push_back(process_object(process));
    const Json document = {{"verdict", verdict_name(diagnosis.verdict())},
                           {"seconds", diagnosis.seconds},
                           {"checks", checks},
                           {"processes", processes}};
    // a process may be called anything, UTF-8 or not
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

struct Options {
    bool json = false;
    std::string seconds = "1";
};

int run(const Options& options) {
    const auto diagnosis = diagnose(parse_seconds("--seconds", options.seconds));
    options.json ? print_json(diagnosis) : print_text(diagnosis);
    return diagnosis.verdict() == Verdict::fail ? kExitFailure : kExitOk;
}

}  // namespace

Command add_doctor(CLI::App& parent) {
    auto options = std::make_shared<Options>();
    auto* app = parent.add_subcommand(
        "doctor", "Check the installation and the configuration, and what is being offloaded right now");
    app->add_flag("--json", options->json, "Print a JSON object");
    app->add_option("--seconds", options->seconds, "How long to watch the processes")
        ->type_name("S")
        ->capture_default_str();
    return {app, [options] { return run(*options); }};
}

}  // namespace octavo::cli
