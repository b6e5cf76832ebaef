#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "config/configuration.hpp"
#include "config/costs.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::vector<std::string> files;
    bool json = false;
};

std::string counted(std::size_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// The files named, or where none is, what a process started in this environment would read. Errors go to standard error.
std::shared_ptr<const config::Configuration> load(const Options& options) {
    const auto loaded = options.files.empty() ? config::load_system() : config::load_files(options.files);
    for (const auto& error : loaded.errors) fmt::print(stderr, "octavo: {}\n", config::to_string(error));
    if (loaded.configuration == nullptr && loaded.errors.empty())
        throw Failure(
            "there is no configuration: OCTAVO_CONFIG_DIR is not set or empty, and /etc/octavo has no "
            "octavo_dev0.conf");
    return loaded.configuration;
}

int check(const Options& options) {
    const auto configuration = load(options);
    if (configuration == nullptr) return kExitFailure;
    for (const auto& endpoint : configuration->endpoints)
        fmt::print("{}: ok: endpoint {}, {}\n", endpoint.file, endpoint.number,
                   counted(endpoint.sections.size(), "section"));
    return kExitOk;
}

std::string cores_text(const std::optional<config::Cores>& cores) {
    if (!cores) return "any";
    return cores->first == cores->last ? std::to_string(cores->first) : fmt::format("{}-{}", cores->first, cores->last);
}

std::string instance_text(const config::SectionInstance& instance) {
    return fmt::format("{} (endpoint {}, core {}, polled {}{})", instance.name, instance.endpoint,
                       cores_text(instance.cores), static_cast<unsigned>(instance.polled),
                       instance.checks_ecdsa ? ", ECDSA checked" : "");
}

/// "0, 1": the endpoints of an internal section.
std::string endpoints_text(const config::InternalSection& section) {
    std::vector<unsigned> numbers;
    for (const auto& part : section.parts) numbers.push_back(part.endpoint->number);
    return fmt::format("{}", fmt::join(numbers, ","));
}

void print_instances(const char* kind, const std::vector<config::SectionInstance>& instances) {
    for (const auto& instance : instances) fmt::print("    {:<4} {}\n", kind, instance_text(instance));
}

void print_endpoint(const config::Endpoint& endpoint) {
    const auto& general = endpoint.general;
    fmt::print("endpoint {}  {}\n  services {}, driver {}, rings of {}, polling mode {}\n", endpoint.number,
               endpoint.file, config::service_names(general.services), config::name(general.driver),
               config::ring_size(general), config::name(general.polling_mode));
    config::for_each_cost(general.costs, [](const char* operation, const device::Cost& cost) {
        fmt::print("  cost of {}: {:.0f} ns; in lanes {:.0f} ns for a pass, {:.0f} ns for each more\n", operation,
                   cost.portable, cost.first_pass, cost.next_pass);
    });
    for (const auto& note : config::notes(endpoint)) fmt::print("  note: {}\n", note);
}

void print_text(const config::Configuration& configuration) {
    for (const auto& endpoint : configuration.endpoints) print_endpoint(endpoint);
    fmt::print("\n{:<36} {:<10} {:>7} {:>6} {:>11}\n", "internal section", "endpoints", "process", "crypto",
               "compression");
    for (const auto& section : config::internal_sections(configuration)) {
        const auto crypto = section.crypto(), compression = section.compression();
        fmt::print("{:<36} {:<10} {:>7} {:>6} {:>11}\n", section.name, endpoints_text(section), section.process,
                   crypto.size(), compression.size());
        print_instances("cy", crypto);
        print_instances("dc", compression);
    }
    for (const auto& endpoint : configuration.endpoints)
        for (const auto& key : endpoint.without_effect)
            fmt::print("\n{}:{}: [{}] {} = {}: without effect", endpoint.file, key.line, key.section, key.key,
                       key.value);
    fmt::print("\n");
}

Json instance_object(const config::SectionInstance& instance) {
    Json cores = nullptr;
    if (instance.cores) cores = {instance.cores->first, instance.cores->last};
    return {{"name", instance.name},
            {"endpoint", instance.endpoint},
            {"cores", cores},
            {"is_polled", static_cast<unsigned>(instance.polled)},
            {"driver", config::name(instance.general->driver)},
            {"ring_size", config::ring_size(*instance.general)},
            {"ecdsa_check", instance.checks_ecdsa}};
}

Json instance_list(const std::vector<config::SectionInstance>& instances) {
    Json list = Json::array();
    for (const auto& instance : instances) list.push_back(instance_object(instance));
    return list;
}

Json section_object(const config::InternalSection& section) {
    Json endpoints = Json::array();
    for (const auto& part : section.parts) endpoints.push_back(part.endpoint->number);
    return {{"name", section.name},
            {"section", section.section},
            {"process", section.process},
            {"endpoints", endpoints},
            {"crypto", instance_list(section.crypto())},
            {"compression", instance_list(section.compression())}};
}

Json endpoint_object(const config::Endpoint& endpoint) {
    const auto& general = endpoint.general;
    Json ignored = Json::array(), costs = Json::object();
    config::for_each_cost(general.costs, [&](const char* operation, const device::Cost& cost) {
        costs[operation] = {
            {"portable_ns", cost.portable}, {"first_pass_ns", cost.first_pass}, {"next_pass_ns", cost.next_pass}};
    });
    for (const auto& key : endpoint.without_effect)
        ignored.push_back({{"line", key.line}, {"section", key.section}, {"key", key.key}, {"value", key.value}});
    return {{"endpoint", endpoint.number},
            {"file", endpoint.file},
            {"services", config::service_names(general.services)},
            {"driver", config::name(general.driver)},
            {"asym_requests", general.asym_requests},
            {"sym_requests", general.sym_requests},
            {"ring_size", config::ring_size(general)},
            {"polling_mode", config::name(general.polling_mode)},
            {"polling_interval_ns", general.polling_interval_ns},
            {"event_timeout_ms", general.event_timeout_ms},
            {"cost_table", costs},
            {"hang_timeout_ms", general.hang_timeout_ms},
            {"fault_injection", general.allows_faults},
            {"notes", config::notes(endpoint)},
            {"without_effect", ignored}};
}

void print_json(const config::Configuration& configuration) {
    Json endpoints = Json::array(), sections = Json::array();
    for (const auto& endpoint : configuration.endpoints) endpoints.push_back(endpoint_object(endpoint));
    for (const auto& section : config::internal_sections(configuration)) sections.push_back(section_object(section));
    const Json document = {{"endpoints", endpoints}, {"sections", sections}};
    // names may be of any bytes, UTF-8 or not
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

int explain(const Options& options) {
    const auto configuration = load(options);
    if (configuration == nullptr) return kExitFailure;
    options.json ? print_json(*configuration) : print_text(*configuration);
    return kExitOk;
}

CLI::App* add_part(CLI::App& parent, Options& options, const char* name, const char* what) {
    auto* app = parent.add_subcommand(name, what);
    app->add_option("FILE", options.files, "Endpoint files; none: those that a process would read")->type_name("");
    return app;
}

}  // namespace

Command add_config(CLI::App& parent) {
    auto options = std::make_shared<Options>();
    auto* app = parent.add_subcommand("config", "Check endpoint files, or show what processes get of them");
    app->require_subcommand(0, 1);
    const auto* checking = add_part(*app, *options, "check", "Name every mistake in endpoint files");
    auto* explaining = add_part(*app, *options, "explain", "Show the internal sections and their instances");
    explaining->add_flag("--json", options->json, "Print a JSON object");
    return {app, [options, checking, explaining] {
                if (checking->parsed()) return check(*options);
                if (explaining->parsed()) return explain(*options);
                throw UsageError("name what to do: octavo config check, or octavo config explain");
            }};
}

}  // namespace octavo::cli
