#include <octavo/octavo.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "capi/guard.hpp"
#include "config/process.hpp"
#include "config/thread_instance.hpp"

namespace {

using octavo::fail;
using octavo::capi::check_size;
using octavo::capi::guarded;
using octavo::capi::null_argument;
namespace config = octavo::config;

void describe(const config::SectionInstance& given, octavo_section_instance& out) noexcept {
    octavo::copy_text(out.name, given.name);
    out.endpoint = given.endpoint;
    out.first_core = given.cores ? static_cast<int>(given.cores->first) : -1;
    out.last_core = given.cores ? static_cast<int>(given.cores->last) : -1;
    out.is_polled = static_cast<std::uint32_t>(given.polled);
    out.driver = given.general->driver;
    out.ring_size = config::ring_size(*given.general);
}

}  // namespace

extern "C" {

octavo_status octavo_section_start(const char* name) {
    return guarded(
        [&] { return name == nullptr ? config::start_section_of_environment() : config::start_section(name); });
}

octavo_status octavo_section_set(const char* name) {
    if (name == nullptr) return null_argument("name");
    return guarded([&] { return config::set_section(name); });
}

octavo_status octavo_section_stop(void) {
    return guarded([] {
        config::stop_section();
        return OCTAVO_OK;
    });
}

octavo_status octavo_section_name(char* name, size_t capacity) {
    if (name == nullptr) return null_argument("name");
    if (capacity < OCTAVO_SECTION_NAME)
        return fail(OCTAVO_ERR_BAD_LENGTH, "capacity: %zu bytes; at least %d", capacity, OCTAVO_SECTION_NAME);
    return guarded([&] {
        octavo::copy_text({name, capacity}, config::process_plan()->internal_name);
        return OCTAVO_OK;
    });
}

octavo_status octavo_section_count(size_t* count) {
    if (count == nullptr) return null_argument("count");
    return guarded([&] {
        *count = config::process_plan()->instances.size();
        return OCTAVO_OK;
    });
}

octavo_status octavo_section_get(size_t index, octavo_section_instance* instance) {
    if (instance == nullptr) return null_argument("instance");
    if (const auto status = check_size("instance", *instance); status != OCTAVO_OK) return status;
    return guarded([&] {
        const auto plan = config::process_plan();
        if (index >= plan->instances.size())
            return fail(OCTAVO_ERR_BAD_ARGUMENT, "index: %zu; the process's section has %zu instances", index,
                        plan->instances.size());
        describe(plan->instances[index], *instance);
        return OCTAVO_OK;
    });
}

octavo_status octavo_section_bind(size_t index) {
    return guarded([&] { return config::bind_thread(index); });
}

octavo_status octavo_section_binding(size_t* index) {
    if (index == nullptr) return null_argument("index");
    return guarded([&] {
        *index = config::thread_binding();
        return OCTAVO_OK;
    });
}

}  // extern "C"
