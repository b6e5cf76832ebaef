#include <fmt/format.h>
#include <octavo/octavo.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "endpoints.hpp"
#include "installation.hpp"
#include "kernel/row.hpp"
#include "offers.hpp"
#include "rows.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

using Json = nlohmann::ordered_json;

/// All that `octavo info` knows, gathered once for both ways to print it.
struct Facts {
    std::string cpu = cpu_model();
    std::vector<std::string> detected = names_of(cpu::detected());
    std::vector<std::string> available = names_of(cpu::available());
    std::vector<KernelRow> rows = kernel_rows();
    std::vector<std::string> warnings = override_warnings(rows);
    std::vector<ProcessEndpoints> processes = read_endpoints();
    ProviderModule module = provider_module();
    ProviderIdentity identity = identify_provider(module);
    std::vector<FrontEndOffer> offers = front_end_offers(module);

    std::vector<std::string> disabled() const {
        std::vector<std::string> names;
        for (const auto& name : detected)
            if (std::find(available.begin(), available.end(), name) == available.end()) names.push_back(name);
        return names;
    }
    std::vector<std::string> absent() const {
        std::vector<std::string> names;
        for (const auto& feature : cpu::feature_names())
            if (!cpu::has(cpu::detected(), feature.feature)) names.emplace_back(feature.name);
        return names;
    }
};

std::string words(const std::vector<std::string>& names) {
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, " "));
}

void print_row(const KernelRow& row) {
    const char* state = row.chosen ? "chosen" : row.usable ? "can run" : "cannot run";
    fmt::print("  {:<8} {:<10} {:<10} {}\n", row.table, row.name, state, row.why);
    if (!row.needs.empty()) fmt::print("  {:<8} {:<10} {:<10} needs {}\n", "", "", "", words(row.needs));
}

void print_offer(const FrontEndOffer& offer) {
    fmt::print("  {:<23} {:<8} {:<11} {}\n", offer.name, offer.front_end, offer.offered ? "offered" : "not offered",
               offer.why);
}

void print_provider(const Facts& facts) {
    fmt::print("provider    {}\n", facts.module.path);
    if (facts.identity.loaded)
        fmt::print("            {}, version {}\n", facts.identity.name, facts.identity.version);
    else
        fmt::print("            cannot be loaded: {}\n", facts.identity.error);
}

void print_text(const Facts& facts) {
    fmt::print("octavo      {}.{}.{}\n", OCTAVO_VERSION_MAJOR, OCTAVO_VERSION_MINOR, OCTAVO_VERSION_PATCH);
    fmt::print("library     {}, version {}\n", library_path(), library_version());
    print_provider(facts);
    fmt::print("OpenSSL     {}, version {}\n", openssl_path(), openssl_version());
    fmt::print("\nCPU         {}\n", facts.cpu);
    fmt::print("  detected  {}\n", words(facts.detected));
    fmt::print("  absent    {}\n", words(facts.absent()));
    fmt::print("  disabled  {}{}\n", words(facts.disabled()),
               facts.disabled().empty() ? "" : " (by OCTAVO_DISABLE_CPU)");
    fmt::print("\nkernel rows\n");
    for (const auto& row : facts.rows) print_row(row);
    fmt::print("\nciphers and key derivations\n");
    for (const auto& offer : facts.offers) print_offer(offer);
    fmt::print("\nendpoints of running processes{}\n", facts.processes.empty() ? ": no process has an instance" : "");
    for (const auto& process : facts.processes)
        fmt::print("  {:>8} {:<16} {}\n", process.pid, process.command, to_words(process.states));
    for (const auto& warning : facts.warnings) fmt::print("\nwarning: {}\n", warning);
}

Json row_object(const KernelRow& row) {
    return {{"table", row.table},   {"row", row.name},      {"needs", row.needs},
            {"usable", row.usable}, {"chosen", row.chosen}, {"why", row.why}};
}

Json offer_list(const Facts& facts) {
    Json list = Json::array();
    for (const auto& offer : facts.offers)
        list.push_back({{"name", offer.name},
                        {"front_end", offer.front_end},
                        {"needs", offer.needs},
                        {"offered", offer.offered},
                        {"why", offer.why}});
    return list;
}

Json provider_object(const Facts& facts) {
    Json provider = {{"path", facts.module.path}, {"exists", facts.module.exists}, {"loadable", facts.identity.loaded}};
    if (facts.identity.loaded) {
        provider["name"] = facts.identity.name;
        provider["version"] = facts.identity.version;
    } else {
        provider["error"] = facts.identity.error;
    }
    return provider;
}

Json process_list(const Facts& facts) {
    Json list = Json::array();
    for (const auto& process : facts.processes)
        list.push_back({{"pid", process.pid}, {"command", process.command}, {"endpoints", to_json(process.states)}});
    return list;
}

void print_json(const Facts& facts) {
    Json rows = Json::array();
    for (const auto& row : facts.rows) rows.push_back(row_object(row));
    const char* forced = kernel::forced_row();
    const Json document = {
        {"version", fmt::format("{}.{}.{}", OCTAVO_VERSION_MAJOR, OCTAVO_VERSION_MINOR, OCTAVO_VERSION_PATCH)},
        {"library", {{"path", library_path()}, {"version", library_version()}}},
        {"provider", provider_object(facts)},
        {"openssl", {{"path", openssl_path()}, {"version", openssl_version()}}},
        {"cpu",
         {{"model", facts.cpu},
          {"detected", facts.detected},
          {"absent", facts.absent()},
          {"disabled", facts.disabled()}}},
        {"forced_row", forced == nullptr ? Json(nullptr) : Json(forced)},
        {"rows", rows},
        {"offers", offer_list(facts)},
        {"processes", process_list(facts)},
        {"warnings", facts.warnings},
    };
    // a process may be called anything, UTF-8 or not
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

Command add_info(CLI::App& parent) {
    auto json = std::make_shared<bool>(false);
    auto* app = parent.add_subcommand(
        "info",
        "Show versions, paths, CPU features, the kernel rows chosen and why, ciphers and key derivations, and "
        "endpoints' states");
    app->add_flag("--json", *json, "Print a JSON object");
    return {app, [json] {
                const Facts facts;
                *json ? print_json(facts) : print_text(facts);
                return kExitOk;
            }};
}

}  // namespace octavo::cli
