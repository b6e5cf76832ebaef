#include "frontend/engine/life.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "frontend/bridge/section.hpp"
#include "frontend/engine/errors.hpp"
#include "frontend/engine/offload.hpp"
#include "frontend/engine/thresholds.hpp"
#include "octavo/octavo.h"

namespace octavo::engine {
namespace {

struct Settings {
    bool external = false, heuristic = false, inline_ = false, fallback = false;
    bool event_driven = false, timer = false;  // the last of the two that was asked for
    std::uint64_t interval_ns = 0;
    std::uint32_t timeout_ms = 0;
    std::array<char, bridge::kMaxSectionName + 1> section{};

    std::uint32_t mode() const {
        if (heuristic) return OCTAVO_POLLING_HEURISTIC;
        if (external) return OCTAVO_POLLING_EXTERNAL;
        if (inline_) return OCTAVO_POLLING_INLINE;
        if (event_driven) return OCTAVO_POLLING_EVENT;
        return timer ? OCTAVO_POLLING_TIMER : OCTAVO_POLLING_DEFAULT;
    }
};

struct Life {
    Settings settings{};
    unsigned num_users = 0;
    bool is_init = false, has_section = false, has_polling = false;
};

// OpenSSL holds its own lock of engines around init(): under this one nothing may be called that might ask OpenSSL for an engine, and that is
// all that computes.
std::mutex mutex;
Life life;

// A child finds it unlocked, and the settings whole.
void lock() { mutex.lock(); }
void unlock() { mutex.unlock(); }
[[maybe_unused]] const int registered = pthread_atfork(lock, unlock, unlock);

bool check_section(std::string_view name, const char* source) {
    if (bridge::is_section_name(name)) return true;
    return raise(Reason::bad_section_name, __func__, "%s: %s", source, bridge::kSectionNameRule) != 0;
}

/// The section that was asked for, by command or in the environment. False where the environment has nonsense.
bool find_section(const char*& name) {
    name = life.settings.section.data();
    if (*name != '\0') return true;
    const auto environment = bridge::section_of_environment();
    name = environment.value;
    return name == nullptr || check_section(name, environment.variable);
}

bool start_section() {
    const char* name = nullptr;
    if (!find_section(name)) return false;
    if (name == nullptr) return true;
    const auto status = octavo_section_start(name);
    if (status != OCTAVO_OK && life.settings.fallback) return true;
    if (status != OCTAVO_OK) return raise(Reason::section_refused, __func__, "%s: %s", name, octavo_error_text()) != 0;
    life.has_section = true;
    return true;
}

octavo_status apply_polling(const Settings& settings) {
    octavo_polling polling{};
    polling.size = sizeof polling;
    polling.mode = settings.mode();
    polling.interval_ns = settings.interval_ns;
    polling.timeout_ms = settings.timeout_ms;
    return octavo_polling_set(&polling);
}

/// Without any command, whatever holds in the process holds.
bool start_polling() {
    if (life.settings.mode() == OCTAVO_POLLING_DEFAULT) return true;
    if (apply_polling(life.settings) != OCTAVO_OK)
        return raise(Reason::refused, __func__, "%s", octavo_error_text()) != 0;
    life.has_polling = true;
    return true;
}

void stop() {
    if (life.has_polling) octavo_polling_reset();
    if (life.has_section) octavo_section_stop();
    life = {};
    reset_offload();
    reset_thresholds();
}

bool start() {
    if (life.is_init) return true;
    if (life.settings.fallback) octavo_software_fallback_set(1);
    if (start_section() && start_polling()) return life.is_init = true;
    if (life.has_section) octavo_section_stop();
    life.has_section = false;
    return false;
}

bool refuse(Reason reason, const char* command) { return raise(reason, __func__, "%s", command) != 0; }

/// What cannot be together: one way of waiting, and heuristics are for those who poll themselves.
bool conflicts(const Settings& now, Way way) {
    switch (way) {
        case Way::external:
            return now.inline_;
        case Way::heuristic:
            return !now.external;
        case Way::inline_:
            return now.external || now.event_driven || now.timer;
        default:
            return now.inline_;
    }
}

bool& flag_of(Settings& settings, Way way) {
    switch (way) {
        case Way::external:
            return settings.external;
        case Way::heuristic:
            return settings.heuristic;
        case Way::inline_:
            return settings.inline_;
        case Way::event_driven:
            return settings.event_driven;
        default:
            return settings.timer;
    }
}

/// Takes a change of numbers where it comes in time.
bool take(const Settings& changed, const char* command) {
    if (life.has_polling && apply_polling(changed) != OCTAVO_OK) return refuse(Reason::already_initialised, command);
    life.settings = changed;
    return true;
}

}  // namespace

int init() noexcept {
    const std::lock_guard guard(mutex);
    if (!start()) return 0;
    ++life.num_users;
    return 1;
}

int finish() noexcept {
    const std::lock_guard guard(mutex);
    if (life.num_users > 0 && --life.num_users == 0) stop();
    return 1;
}

bool ensure_init() noexcept {
    const std::lock_guard guard(mutex);
    return start();
}

bool is_init() noexcept {
    const std::lock_guard guard(mutex);
    return life.is_init;
}

bool choose(Way way, const char* command) noexcept {
    const std::lock_guard guard(mutex);
    auto& flag = flag_of(life.settings, way);
    if (life.is_init) return refuse(Reason::already_initialised, command);
    if (flag) return refuse(Reason::already_set, command);
    if (conflicts(life.settings, way)) return refuse(Reason::conflicting_mode, command);
    if (way == Way::event_driven) life.settings.timer = false;
    if (way == Way::timer) life.settings.event_driven = false;
    return flag = true;
}

bool enable_fallback() noexcept {
    constexpr char kCommand[] = "ENABLE_SW_FALLBACK";
    const std::lock_guard guard(mutex);
    if (life.is_init) return refuse(Reason::already_initialised, kCommand);
    if (life.settings.fallback) return refuse(Reason::already_set, kCommand);
    return life.settings.fallback = true;
}

bool is_external() noexcept {
    const std::lock_guard guard(mutex);
    return life.settings.external;
}

bool set_interval(std::uint64_t nanoseconds) noexcept {
    const std::lock_guard guard(mutex);
    auto changed = life.settings;
    changed.interval_ns = nanoseconds;
    return take(changed, "SET_INTERNAL_POLL_INTERVAL");
}

bool set_timeout(std::uint32_t milliseconds) noexcept {
    const std::lock_guard guard(mutex);
    auto changed = life.settings;
    changed.timeout_ms = milliseconds;
    return take(changed, "SET_EPOLL_TIMEOUT");
}

bool set_section(std::string_view name) noexcept {
    constexpr char kCommand[] = "SET_CONFIGURATION_SECTION_NAME";
    const std::lock_guard guard(mutex);
    if (life.is_init) return refuse(Reason::already_initialised, kCommand);
    if (life.settings.section[0] != '\0') return refuse(Reason::already_set, kCommand);
    if (!check_section(name, kCommand)) return false;
    std::copy(name.begin(), name.end(), life.settings.section.begin());
    return true;
}

}  // namespace octavo::engine
