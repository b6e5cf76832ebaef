#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "command.hpp"
#include "config/configuration.hpp"
#include "config/locks.hpp"
#include "endpoints.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

using Json = nlohmann::ordered_json;

/// How many of a user section's internal sections are held in this environment's lock folder.
struct Share {
    std::string section;
    std::size_t taken, of;
};

struct Overview {
    std::vector<config::FolderLocks> folders;
    std::map<pid_t, EndpointStates> endpoints;  ///< of holders that can be seen
    std::vector<Share> shares;                  ///< none without a configuration
    std::vector<std::string> complaints;        ///< what could not be looked at
};

std::set<std::string> held_in(const std::vector<config::FolderLocks>& folders, const std::string& folder) {
    std::set<std::string> names;
    for (const auto& locks : folders)
        if (locks.folder == folder)
            for (const auto& held : locks.held) names.insert(held.name);
    return names;
}

std::vector<Share> shares_of(const config::Configuration& configuration, const std::set<std::string>& held) {
    std::vector<Share> shares;
    for (const auto& name : config::section_names(configuration)) {
        const auto all = config::internal_sections(configuration, name);
        const auto taken =
            std::count_if(all.begin(), all.end(), [&](const auto& section) { return held.contains(section.name); });
        shares.push_back({name, static_cast<std::size_t>(taken), all.size()});
    }
    return shares;
}

Overview look() {
    Overview overview;
    for (auto& process : read_endpoints())
        overview.endpoints.emplace(static_cast<pid_t>(process.pid), std::move(process.states));
    for (const auto& folder : config::run_folders()) {
        overview.folders.push_back(config::look_at_locks(folder));
        if (const auto& error = overview.folders.back().error; !error.empty()) overview.complaints.push_back(error);
    }
    const auto loaded = config::load_system();
    for (const auto& error : loaded.errors) overview.complaints.push_back(config::to_string(error));
    if (loaded.configuration != nullptr)
        overview.shares = shares_of(*loaded.configuration, held_in(overview.folders, config::run_folder()));
    return overview;
}

/// Any process may call itself what it likes; it must not speak to the terminal.
std::string printable(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    return text;
}

const EndpointStates& states_of(const Overview& overview, pid_t pid) {
    static const EndpointStates none;
    const auto found = overview.endpoints.find(pid);
    return found == overview.endpoints.end() ? none : found->second;
}

void print_folder(const Overview& overview, const config::FolderLocks& locks) {
    if (locks.held.empty()) return;
    fmt::print("{}\n  {:<36} {:>7} {:>8} {:<16} {:<19} {}\n", locks.folder, "internal section", "process", "pid",
               "command", "since", "endpoints");
    for (const auto& [name, process, holder] : locks.held) {
        const auto states = to_words(states_of(overview, holder.pid));
        fmt::print("  {:<36} {:>7} {:>8} {:<16} {:%Y-%m-%d %H:%M:%S} {}\n", name, process,
                   holder.pid > 0 ? std::to_string(holder.pid) : "?",
                   holder.command.empty() ? "?" : printable(holder.command), fmt::localtime(holder.since_s),
                   states.empty() ? "?" : states);
    }
}

void print_text(const Overview& overview) {
    const bool none = std::all_of(overview.folders.begin(), overview.folders.end(),
                                  [](const auto& locks) { return locks.held.empty(); });
    if (none) fmt::print("no process holds a section\n");
    for (const auto& locks : overview.folders) print_folder(overview, locks);
    for (const auto& [section, taken, of] : overview.shares) fmt::print("[{}] {} of {} taken\n", section, taken, of);
}

Json lock_object(const Overview& overview, const std::string& folder, const config::HeldLock& lock) {
    Json pid = nullptr;
    if (lock.holder.pid > 0) pid = lock.holder.pid;
    return {{"name", lock.name},
            {"process", lock.process},
            {"pid", pid},
            {"command", lock.holder.command},
            {"since", lock.holder.since_s},
            {"folder", folder},
            {"endpoints", to_json(states_of(overview, lock.holder.pid))}};
}

void print_json(const Overview& overview) {
    Json held = Json::array(), shares = Json::array();
    for (const auto& locks : overview.folders)
        for (const auto& lock : locks.held) held.push_back(lock_object(overview, locks.folder, lock));
    for (const auto& [section, taken, of] : overview.shares)
        shares.push_back({{"section", section}, {"taken", taken}, {"of", of}});
    const Json document = {{"held", held}, {"configured", shares}};
    // a process may be called anything, UTF-8 or not
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

int run(bool json) {
    const auto overview = look();
    json ? print_json(overview) : print_text(overview);
    for (const auto& complaint : overview.complaints) fmt::print(stderr, "octavo: {}\n", complaint);
    return overview.complaints.empty() ? kExitOk : kExitFailure;
}

}  // namespace

Command add_sections(CLI::App& parent) {
    auto json = std::make_shared<bool>(false);
    auto* app = parent.add_subcommand("sections", "Show which process holds which internal section, and since when");
    app->add_flag("--json", *json, "Print a JSON object");
    return {app, [json] { return run(*json); }};
}

}  // namespace octavo::cli
