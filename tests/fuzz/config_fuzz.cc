#include <algorithm>
#include <set>

#include "config/configuration.hpp"
#include "require.hpp"

/// Endpoint files, one after the other with a zero byte between. What is refused is refused with a place; what is accepted gives
/// every process a section of its own.

namespace {

using namespace octavo::config;
using fuzz::require;

void check_errors(const Errors& errors, std::string_view text) {
    const auto lines = 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    for (const auto& error : errors) {
        require(error.line >= 1 && error.line <= lines, "an error in a line that is not there");
        require(!error.text.empty(), "an error without a text");
    }
}

void check_sections(const Configuration& configuration) {
    std::set<std::string> names;
    for (const auto& section : internal_sections(configuration)) {
        require(names.insert(section.name).second, "an internal section that is there twice");
        std::size_t expected = 0;
        for (const auto& part : section.parts) expected += part.section->cy.size();
        require(section.crypto().size() == expected, "instances were lost");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input{reinterpret_cast<const char*>(data), size};
    std::vector<Endpoint> endpoints;
    Errors errors;
    while (!input.empty() && endpoints.size() < 4) {
        const auto text = input.substr(0, input.find('\0'));
        input.remove_prefix(std::min(input.size(), text.size() + 1));
        Errors here;
        const auto document = read_document("octavo_dev0.conf", text, here);
        endpoints.push_back(read_endpoint(document, static_cast<unsigned>(endpoints.size()), here));
        check_errors(here, text);
        errors.insert(errors.end(), here.begin(), here.end());
    }
    const bool refused = !errors.empty();
    const auto loaded = combine(std::move(endpoints), std::move(errors));
    require((loaded.configuration == nullptr) == !loaded.errors.empty(), "neither a configuration nor an error");
    require(!refused || loaded.configuration == nullptr, "a configuration with errors");
    if (loaded.configuration != nullptr) check_sections(*loaded.configuration);
    return 0;
}
