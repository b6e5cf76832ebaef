#pragma once

#include <cstdint>
#include <string_view>

/// The engine's life: settings, init, finish. There is one in a process, whatever the number of ENGINE objects and of their ids. Any thread.
namespace octavo::engine {

/// As ENGINE_init() and ENGINE_finish() want them. The last finish puts all settings back.
int init() noexcept;
int finish() noexcept;
/// INIT_ENGINE: init without a reference, once. False with an error raised.
bool ensure_init() noexcept;
bool is_init() noexcept;

/// The ways of polling that commands ask for; they add up to one of Octavo's modes when the engine is initialised.
enum class Way { external, heuristic, inline_, event_driven, timer };
/// Each only before init, once, and as far as they go together; else false with an error raised.
bool choose(Way way, const char* command) noexcept;
/// Whether the application polls.
bool is_external() noexcept;

/// Numbers in their range. After init they count only where nothing has started yet: else false with an error raised.
bool set_interval(std::uint64_t nanoseconds) noexcept;
bool set_timeout(std::uint32_t milliseconds) noexcept;

/// The library's software fallback, which is on from the start, switched on again at init where somebody has switched it off; and a section
/// that cannot be had is no reason then to refuse init. Before init, once; else false with an error raised.
bool enable_fallback() noexcept;

/// The section to start at init; false with an error raised where that is no name for one, or one was set.
bool set_section(std::string_view name) noexcept;

}  // namespace octavo::engine
