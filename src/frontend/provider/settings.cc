#include "frontend/provider/settings.hpp"

#include <openssl/params.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "frontend/bridge/section.hpp"
#include "octavo/octavo.h"

namespace octavo::provider {
namespace {

constexpr const char* kModes[] = {"auto", "timer", "event", "external", "heuristic", "inline"};
constexpr const char* kDrivers[] = {"auto", "inline", "threads"};

/// The section's values; null where one is not given.
struct Given {
    char *polling = nullptr, *driver = nullptr, *interval = nullptr, *timeout = nullptr, *retries = nullptr,
         *section = nullptr;
};

bool read(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* functions, Given& given) noexcept {
    OSSL_FUNC_core_get_params_fn* get_params = nullptr;
    for (const auto* f = functions; f->function_id != 0; ++f)
        if (f->function_id == OSSL_FUNC_CORE_GET_PARAMS) get_params = OSSL_FUNC_core_get_params(f);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_ptr("polling", &given.polling, 0),
                           OSSL_PARAM_construct_utf8_ptr("polling_driver", &given.driver, 0),
                           OSSL_PARAM_construct_utf8_ptr("polling_interval_ns", &given.interval, 0),
                           OSSL_PARAM_construct_utf8_ptr("polling_timeout_ms", &given.timeout, 0),
                           OSSL_PARAM_construct_utf8_ptr("retry_limit", &given.retries, 0),
                           OSSL_PARAM_construct_utf8_ptr("section", &given.section, 0),
                           OSSL_PARAM_construct_end()};
    return get_params != nullptr && get_params(core, params) == 1;
}

/// Takes values apart, and raises what is wrong with the first that is.
class Reader {
public:
    explicit Reader(const Errors& errors) noexcept : errors_(errors) {}

    bool good() const noexcept { return good_; }
    bool complain(const char* name, const char* value, const char* what) noexcept {
        if (good_) errors_.raise(Reason::bad_setting, "OSSL_provider_init", "%s = %s: %s", name, value, what);
        return good_ = false;
    }

    /// The place of the value among the words.
    template <std::size_t n>
    std::uint32_t word(const char* name, const char* value, const char* const (&words)[n], const char* all) noexcept {
        for (std::size_t i = 0; value != nullptr && i < n; ++i)
            if (std::strcmp(value, words[i]) == 0) return static_cast<std::uint32_t>(i);
        if (value != nullptr) complain(name, value, all);
        return 0;
    }
    /// 0 where there is none.
    std::int64_t number(const char* name, const char* value, std::int64_t min, std::int64_t max,
                        const char* range) noexcept {
        if (value == nullptr) return 0;
        std::int64_t number = 0;
        const auto* const end = value + std::strlen(value);
        const auto [stop, error] = std::from_chars(value, end, number);
        const bool is_number = error == std::errc{} && stop == end;
        if (is_number && number >= min && number <= max) return number;
        complain(name, value, range);
        return 0;
    }

private:
    const Errors& errors_;
    bool good_ = true;
};

octavo_polling to_polling(const Given& given, Reader& reader) noexcept {
    octavo_polling polling{};
    polling.size = sizeof polling;
    polling.mode =
        reader.word("polling", given.polling, kModes, "one of auto, timer, event, external, heuristic, inline");
    polling.driver = reader.word("polling_driver", given.driver, kDrivers, "one of auto, inline, threads");
    polling.interval_ns = static_cast<std::uint64_t>(
        reader.number("polling_interval_ns", given.interval, 1, 10'000'000, "a number from 1 to 10000000"));
    polling.timeout_ms = static_cast<std::uint32_t>(
        reader.number("polling_timeout_ms", given.timeout, 1, 60'000, "a number from 1 to 60000"));
    return polling;
}

/// A setting that nothing would follow is a mistake.
void check_use(const Given& given, const octavo_polling& polling, Reader& reader) noexcept {
    if (given.interval != nullptr && polling.mode != OCTAVO_POLLING_TIMER)
        reader.complain("polling_interval_ns", given.interval, "only polling = timer has an interval");
    if (given.timeout != nullptr && polling.mode != OCTAVO_POLLING_EVENT)
        reader.complain("polling_timeout_ms", given.timeout, "only polling = event has a timeout");
    if (given.driver != nullptr && polling.mode == OCTAVO_POLLING_DEFAULT)
        reader.complain("polling_driver", given.driver, "polling = auto chooses by itself; name a mode");
}

/// Where the section's name comes from, and the name: nulls where nothing names one.
bridge::NamedByEnvironment section_of(const Given& given, Reader& reader) noexcept {
    const auto named = given.section != nullptr ? bridge::NamedByEnvironment{"section", given.section}
                                                : bridge::section_of_environment();
    if (named.value != nullptr && !bridge::is_section_name(named.value))
        reader.complain(named.variable, named.value, bridge::kSectionNameRule);
    return named;
}

/// What the program has started itself comes before the environment, but not before what was set for this provider.
bool apply_section(const Given& given, const char* name, Reader& reader) noexcept {
    if (name == nullptr || octavo_section_set(name) == OCTAVO_OK || given.section == nullptr) return true;
    return reader.complain("section", name, octavo_error_text());
}

}  // namespace

bool apply_settings(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* functions, const Errors& errors) noexcept {
    Given given;
    if (!read(core, functions, given)) return true;
    Reader reader{errors};
    const auto polling = to_polling(given, reader);
    const auto limit = static_cast<std::int32_t>(
        reader.number("retry_limit", given.retries, -1, 100'000, "a number from -1 to 100000"));
    check_use(given, polling, reader);
    const auto section = section_of(given, reader);
    if (!reader.good()) return false;
    if (given.polling != nullptr && polling.mode != OCTAVO_POLLING_DEFAULT && octavo_polling_set(&polling) != OCTAVO_OK)
        return reader.complain("polling", given.polling, octavo_error_text());
    if (given.retries != nullptr) octavo_retry_limit_set(limit);
    return apply_section(given, section.value, reader);
}

}  // namespace octavo::provider
