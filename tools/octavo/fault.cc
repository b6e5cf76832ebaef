#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "endpoints.hpp"
#include "instance/fault_file.hpp"
#include "recovery.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

using instance::Fault;
using instance::FaultControl;
using instance::FaultKind;
using instance::FaultList;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxDeaths = 100'000;
constexpr double kNsPerMs = 1e6, kPpmPerPercent = 1e4;

const std::vector<std::string> kKinds = {"delay", "error", "hang", "restart", "kill"};  // by FaultKind, from 1
const std::vector<std::string> kOperations = {"rsa-private", "rsa-public",  "ecdsa-sign", "ecdsa-verify",  // by
                                              "ecdh-derive", "ec-generate", "eddsa-sign", "eddsa-verify", "mod-exp"};

struct Options {
    std::vector<std::string> pids;
    bool all = false, json = false;
    std::string endpoint, operation, ms, percent, deaths;
};

std::size_t number_in(const std::vector<std::string>& names, const std::string& name) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == name) return i + 1;
    return 0;
}

/// A number above 0 and at most `max`.
double parse_positive(std::string_view option, const std::string& text, double max) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc{} && stop == end && std::isfinite(number) && number > 0 && number <= max) return number;
    throw UsageError(fmt::format("{} takes a number above 0 and at most {:.0f}, not \"{}\"", option, max, text));
}

std::uint64_t parse_ms(const std::string& text) {
    constexpr double kMaxMs = 3'600'000;
    return static_cast<std::uint64_t>(parse_positive("--ms", text, kMaxMs) * kNsPerMs);
}

/// Parts of a million, at least one.
std::uint64_t parse_percent(const std::string& text) {
    return static_cast<std::uint64_t>(std::max(1.0, parse_positive("--percent", text, 100) * kPpmPerPercent));
}

/// What the options of place say.
Fault parse_place(const Options& options) {
    Fault fault;
    if (!options.endpoint.empty())
        fault.endpoint =
            static_cast<std::uint32_t>(parse_index("--endpoint", options.endpoint, device::kMaxEndpoints - 1));
    if (options.operation.empty()) return fault;
    fault.operation = static_cast<std::uint32_t>(number_in(kOperations, options.operation));
    if (fault.operation != Fault::kAnyOperation) return fault;
    throw UsageError(fmt::format("--operation: there is no \"{}\"{} (they are {})", options.operation,
                                 did_you_mean(options.operation, kOperations), fmt::join(kOperations, ", ")));
}

Fault parse_fault(FaultKind kind, const Options& options) {
    auto fault = parse_place(options);
    fault.kind = kind;
    if (kind == FaultKind::delay || kind == FaultKind::restart) fault.value = parse_ms(options.ms);
    if (kind == FaultKind::error) fault.value = parse_percent(options.percent);
    return fault;
}

std::vector<std::uint32_t> parse_pids(const Options& options) {
    if (options.all == !options.pids.empty())
        throw UsageError("name the processes: --pid PID, which \"octavo fault list\" shows, or --all");
    if (options.all) {
        const auto all = instance::processes_with_faults();
        if (all.empty()) throw Failure("no process of this user allows faults; start it with OCTAVO_FAULTS=1");
        return all;
    }
    std::vector<std::uint32_t> pids;
    for (const auto& text : options.pids)
        pids.push_back(static_cast<std::uint32_t>(parse_count("--pid", text, 4'194'304)));
    return pids;
}

const char* complaint(FaultControl::Answer answer) noexcept {
    switch (answer) {
        case FaultControl::Answer::ok:
            break;
        case FaultControl::Answer::no_process:
            return "there is no such process";
        case FaultControl::Answer::not_allowed:
            return "it has no instance of Octavo, or does not allow faults; start it with OCTAVO_FAULTS=1, or set "
                   "FaultInjection = 1 in its endpoint file";
        case FaultControl::Answer::not_yours:
            return "it is another user's";
        case FaultControl::Answer::full:
            return "it has as many faults as there can be; clear some";
        case FaultControl::Answer::no_answer:
            return "it does not answer; it may be stopped";
    }
    return "";
}

void expect_ok(std::uint32_t pid, FaultControl::Answer answer) {
    if (answer != FaultControl::Answer::ok) throw Failure(fmt::format("process {}: {}", pid, complaint(answer)));
}

std::unique_ptr<FaultControl> open(std::uint32_t pid) {
    auto answer = FaultControl::Answer::ok;
    auto control = FaultControl::open(pid, answer);
    expect_ok(pid, answer);
    return control;
}

int inject(FaultKind kind, const Options& options) {
    const auto fault = parse_fault(kind, options);
    for (const auto pid : parse_pids(options)) {
        const auto control = open(pid);
        if (!control->allows(fault.endpoint))
            throw Failure(
                fmt::format("process {}: its endpoint {} does not allow faults; set FaultInjection = 1 in the "
                            "endpoint's file",
                            pid, options.endpoint));
        expect_ok(pid, control->add(fault));
    }
    return kExitOk;
}

/// Those that the options name; by endpoint and operation where one is named.
int clear(const Options& options) {
    const auto which = parse_place(options);
    for (const auto pid : parse_pids(options)) {
        const auto control = open(pid);
        FaultList gone;
        for (const auto& fault : control->list())
            if ((options.endpoint.empty() || fault.endpoint == which.endpoint) &&
                (options.operation.empty() || fault.operation == which.operation))
                gone.add(fault);
        expect_ok(pid, control->remove(gone));
    }
    return kExitOk;
}

// ---- list ----

std::string describe(const Fault& fault) {
    const auto value = static_cast<double>(fault.value);
    std::string text = kKinds[static_cast<std::size_t>(fault.kind) - 1];
    if (fault.kind == FaultKind::delay || fault.kind == FaultKind::restart)
        text += fmt::format(" of {} ms", value / kNsPerMs);
    if (fault.kind == FaultKind::error) text += fmt::format(" in {} %", value / kPpmPerPercent);
    text += fault.endpoint == Fault::kAnyEndpoint ? ", every endpoint" : fmt::format(", endpoint {}", fault.endpoint);
    const auto operation = fault.operation;
    if (operation != Fault::kAnyOperation)
        text += fmt::format(", {}", operation <= kOperations.size() ? kOperations[operation - 1] : "?");
    return text;
}

Json fault_object(const Fault& fault) {
    Json object = {
        {"kind", kKinds[static_cast<std::size_t>(fault.kind) - 1]}, {"endpoint", nullptr}, {"operation", nullptr}};
    if (fault.endpoint != Fault::kAnyEndpoint) object["endpoint"] = fault.endpoint;
    if (fault.operation != Fault::kAnyOperation && fault.operation <= kOperations.size())
        object["operation"] = kOperations[fault.operation - 1];
    const auto value = static_cast<double>(fault.value);
    if (fault.kind == FaultKind::error) object["percent"] = value / kPpmPerPercent;
    if (fault.kind == FaultKind::delay || fault.kind == FaultKind::restart) object["ms"] = value / kNsPerMs;
    return object;
}

struct Listed {
    std::uint32_t pid;
    std::string command;
    EndpointStates states;
    FaultList faults;
};

std::vector<Listed> gather() {
    std::vector<Listed> all;
    const auto endpoints = read_endpoints();
    for (const auto pid : instance::processes_with_faults()) {
        auto answer = FaultControl::Answer::ok;
        const auto control = FaultControl::open(pid, answer);
        if (control == nullptr) continue;  // it has ended meanwhile
        Listed one{pid, "?", {}, control->list()};
        for (const auto& process : endpoints)
            if (process.pid == pid) one.command = process.command, one.states = process.states;
        all.push_back(std::move(one));
    }
    return all;
}

int list(const Options& options) {
    Json processes = Json::array();
    for (const auto& process : gather()) {
        Json faults = Json::array();
        for (const auto& fault : process.faults) faults.push_back(fault_object(fault));
        processes.push_back({{"pid", process.pid},
                             {"command", process.command},
                             {"endpoints", to_json(process.states)},
                             {"faults", faults}});
        if (options.json) continue;
        fmt::print("process {} ({})\n", process.pid, process.command);
        for (const auto& [number, state] : process.states) fmt::print("  endpoint {}: {}\n", number, state);
        for (const auto& fault : process.faults) fmt::print("  {}\n", describe(fault));
    }
    if (options.json)
        fmt::print("{}\n", Json{{"processes", processes}}.dump(2, ' ', false, Json::error_handler_t::replace));
    return kExitOk;
}

// ---- options ----

CLI::App* add_part(CLI::App& parent, const std::string& name, const char* what, Options& options, bool has_operation) {
    auto* app = parent.add_subcommand(name, what);
    app->add_option("--pid", options.pids, "In this process; several by commas")->type_name("PID")->delimiter(',');
    app->add_flag("--all", options.all, "In all processes of this user that allow it");
    app->add_option("--endpoint", options.endpoint, "On this endpoint alone")->type_name("N");
    if (has_operation)
        app->add_option("--operation", options.operation, "For this operation alone, such as rsa-private")
            ->type_name("NAME");
    return app;
}

}  // namespace

Command add_fault(CLI::App& parent) {
    auto options = std::make_shared<Options>();
    auto* app = parent.add_subcommand("fault", "Put faults into the endpoints of running processes, for tests");
    app->require_subcommand(0, 1);
    std::vector<CLI::App*> kinds = {
        add_part(*app, "delay", "Each operation takes longer", *options, true),
        add_part(*app, "error", "Some operations fail", *options, true),
        add_part(*app, "hang", "Operations are taken and not answered, until the endpoint is restarted for it",
                 *options, true),
        add_part(*app, "restart", "The endpoint goes away for a while", *options, false),
        add_part(*app, "kill", "The endpoint goes away until the fault is cleared", *options, false)};
    kinds[0]->add_option("--ms", options->ms, "By so many milliseconds")->type_name("MS")->required();
    kinds[1]->add_option("--percent", options->percent, "How many of them")->type_name("PERCENT")->default_val("100");
    kinds[3]->add_option("--ms", options->ms, "For so many milliseconds")->type_name("MS")->default_val("100");
    auto* listing = app->add_subcommand("list", "Show the processes that allow faults, and what they have");
    listing->add_flag("--json", options->json, "Print a JSON object");
    auto* measuring = app->add_subcommand(
        "measure", "Measure how soon operations are done elsewhere when an endpoint of this very program dies");
    measuring->add_option("--deaths", options->deaths, "How often it dies, for each driver")
        ->type_name("N")
        ->default_val("50");
    measuring->add_flag("--json", options->json, "Print a JSON object");
    const auto* clearing = add_part(*app, "clear", "Take faults away", *options, true);
    return {app, [options, kinds, listing, measuring, clearing] {
                if (listing->parsed()) return list(*options);
                if (measuring->parsed())
                    return print_recovery(parse_count("--deaths", options->deaths, kMaxDeaths), options->json);
                if (clearing->parsed()) return clear(*options);
                for (std::size_t i = 0; i < kinds.size(); ++i)
                    if (kinds[i]->parsed()) return inject(static_cast<FaultKind>(i + 1), *options);
                throw UsageError("name a fault (delay, error, hang, restart, kill), or list, measure or clear");
            }};
}

}  // namespace octavo::cli
