#include "config/configuration.hpp"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/folder.hpp"

namespace octavo::config {
namespace {

constexpr const char* kSystemFolder = "/etc/octavo";

std::string place(const Endpoint& endpoint, const UserSection& user) {
    return endpoint.file + ":" + std::to_string(user.line);
}

/// A section that several endpoints name must mean the same on each.
void check_section(const Endpoint& endpoint, const UserSection& user, const Endpoint& first_endpoint,
                   const UserSection& first, Errors& errors) {
    const auto differ = [&](const char* key, unsigned here, unsigned there) {
        errors.push_back({endpoint.file, user.line,
                          "[" + user.name + "] " + key + " is " + std::to_string(here) + " here and " +
                              std::to_string(there) + " in " + place(first_endpoint, first)});
    };
    if (user.limit_dev_access != first.limit_dev_access)
        differ("LimitDevAccess", user.limit_dev_access, first.limit_dev_access);
    else if (!user.limit_dev_access && user.num_processes != first.num_processes)
        differ("NumProcesses (LimitDevAccess = 0: one list over all endpoints)", user.num_processes,
               first.num_processes);
}

void check_sections(const Configuration& configuration, Errors& errors) {
    std::map<std::string, InternalSection::Part> first;
    for (const auto& endpoint : configuration.endpoints)
        for (const auto& user : endpoint.sections) {
            const auto [known, is_new] = first.try_emplace(user.name, InternalSection::Part{&endpoint, &user});
            if (!is_new) check_section(endpoint, user, *known->second.endpoint, *known->second.section, errors);
        }
}

/// [SSL_DEV0] for all endpoints and [SSL] for endpoint 0 would give processes the same names.
void check_internal_names(const Configuration& configuration, Errors& errors) {
    std::map<std::string, std::string> seen;
    for (const auto& internal : internal_sections(configuration)) {
        const auto [other, is_new] = seen.emplace(internal.name, internal.section);
        if (is_new) continue;
        const auto& part = internal.parts.front();
        errors.push_back({part.endpoint->file, part.section->line,
                          "[" + internal.section + "]: its processes' section " + internal.name + " is also one of [" +
                              other->second + "]; rename one of the two"});
        return;
    }
}

void check_endpoints(const Configuration& configuration, Errors& errors) {
    const auto& all = configuration.endpoints;
    for (std::size_t i = 1; i < all.size(); ++i)
        if (all[i].number == all[i - 1].number)
            errors.push_back({all[i].file, 0,
                              "describes endpoint " + std::to_string(all[i].number) + ", as " + all[i - 1].file +
                                  " does; remove or rename one of the two"});
}

void read_file(const std::string& file, std::vector<Endpoint>& endpoints, Errors& errors) {
    const int number = endpoint_number(file);
    if (number < 0) {
        errors.push_back({file, 0,
                          "a file's name is <device>_dev<N>.conf, with N from 0 to " +
                              std::to_string(kMaxEndpoints - 1) + ": octavo_dev0.conf"});
        return;
    }
    const auto text = read_text(file, errors);
    const auto document = read_document(file, text, errors);
    endpoints.push_back(read_endpoint(document, static_cast<unsigned>(number), errors));
}

/// The endpoint files of a folder, sorted. An error where the folder is there and cannot be read.
std::vector<std::string> files_in(const std::string& folder, Errors& errors) {
    std::vector<std::string> files;
    const auto listing = list_folder(folder);
    for (const auto& name : listing.names)
        if (endpoint_number(name) >= 0) files.push_back(path_in(folder, name));
    if (listing.error != 0) errors.push_back({folder, 0, std::string{"cannot be read: "} + ::strerror(listing.error)});
    std::sort(files.begin(), files.end());
    return files;
}

std::vector<InternalSection> of_one_endpoint(const Endpoint& endpoint, const UserSection& user) {
    std::vector<InternalSection> list;
    const auto beginning = user.name + "_DEV" + std::to_string(endpoint.number) + "_INT_";
    for (unsigned i = 0; i < user.num_processes; ++i)
        list.push_back({beginning + std::to_string(i), user.name, i, {{&endpoint, &user}}});
    return list;
}

std::vector<InternalSection> of_all_endpoints(const std::vector<InternalSection::Part>& parts) {
    std::vector<InternalSection> list;
    const auto& user = *parts.front().section;
    for (unsigned i = 0; i < user.num_processes; ++i)
        list.push_back({user.name + "_INT_" + std::to_string(i), user.name, i, parts});
    return list;
}

}  // namespace

std::vector<SectionInstance> InternalSection::instances(std::vector<GivenInstance> UserSection::*kind) const {
    std::vector<SectionInstance> list;
    for (const auto& part : parts)
        for (const auto& given : part.section->*kind) {
            std::optional<Cores> cores;
            if (!given.cores.empty()) cores = given.cores[process % given.cores.size()];
            list.push_back({given.name, part.endpoint->number, given.polled, cores, &part.endpoint->general,
                            part.section->checks_ecdsa});
        }
    return list;
}

std::vector<std::string> section_names(const Configuration& configuration) {
    std::vector<std::string> names;
    for (const auto& endpoint : configuration.endpoints)
        for (const auto& user : endpoint.sections)
            if (std::find(names.begin(), names.end(), user.name) == names.end()) names.push_back(user.name);
    return names;
}

std::vector<InternalSection> internal_sections(const Configuration& configuration, const std::string& section) {
    std::vector<InternalSection::Part> parts;
    for (const auto& endpoint : configuration.endpoints)
        for (const auto& user : endpoint.sections)
            if (user.name == section) parts.push_back({&endpoint, &user});
    if (parts.empty()) return {};
    if (!parts.front().section->limit_dev_access) return of_all_endpoints(parts);
    std::vector<InternalSection> list;
    for (const auto& part : parts) {
        auto here = of_one_endpoint(*part.endpoint, *part.section);
        std::move(here.begin(), here.end(), std::back_inserter(list));
    }
    return list;
}

std::vector<InternalSection> internal_sections(const Configuration& configuration) {
    std::vector<InternalSection> list;
    for (const auto& name : section_names(configuration)) {
        auto here = internal_sections(configuration, name);
        std::move(here.begin(), here.end(), std::back_inserter(list));
    }
    return list;
}

Loaded combine(std::vector<Endpoint> endpoints, Errors errors) {
    Configuration configuration{std::move(endpoints)};
    std::stable_sort(configuration.endpoints.begin(), configuration.endpoints.end(),
                     [](const auto& a, const auto& b) { return a.number < b.number; });
    check_endpoints(configuration, errors);
    if (errors.empty()) check_sections(configuration, errors);
    if (errors.empty()) check_internal_names(configuration, errors);
    if (!errors.empty()) return {"", nullptr, std::move(errors)};
    return {"", std::make_shared<const Configuration>(std::move(configuration)), {}};
}

Loaded load_files(const std::vector<std::string>& files) {
    std::vector<Endpoint> endpoints;
    Errors errors;
    for (const auto& file : files) read_file(file, endpoints, errors);
    return combine(std::move(endpoints), std::move(errors));
}

Loaded load_system() {
    const char* const set = secure_getenv("OCTAVO_CONFIG_DIR");
    const std::string folder = set != nullptr ? set : kSystemFolder;
    Loaded none{folder, nullptr, {}};
    if (folder.empty() || (set == nullptr && ::access(folder.c_str(), F_OK) != 0)) return none;
    const auto files = files_in(folder, none.errors);
    if (!none.errors.empty()) return none;
    if (files.empty()) {
        if (set != nullptr)
            none.errors.push_back({folder, 0, "OCTAVO_CONFIG_DIR names this folder, and it has no octavo_dev0.conf"});
        return none;
    }
    auto loaded = load_files(files);
    loaded.where = folder;
    return loaded;
}

}  // namespace octavo::config
