#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <iosfwd>
#include <octavo/octavo.hpp>
#include <string>
#include <string_view>

#include "numbers.hpp"

/// What the tests of the public API share: owners made from parts, and checks that print what the library says.

/// GoogleTest prints statuses by name.
void PrintTo(octavo_status status, std::ostream* out);

namespace octavo {
void PrintTo(Status status, std::ostream* out);
}  // namespace octavo

namespace api_test {

octavo::Key make_key(const RsaParts& parts);
/// One that makes key pairs on the curve: without numbers of its own.
octavo::Key curve_key(octavo_curve curve);
octavo::Instance make_instance(octavo::Driver driver = octavo::Driver::automatic, std::uint32_t ring_size = 0);

/// True where `text` has `word` as a word of its own, in any case.
bool names(std::string_view text, std::string_view word);

/// That a call was refused with one of these statuses, and that the text names the field.
testing::AssertionResult refused(octavo_status got, std::initializer_list<octavo_status> wanted, const char* field);

inline constexpr octavo::Driver kAllDrivers[] = {octavo::Driver::in_line, octavo::Driver::threads,
                                                 octavo::Driver::automatic};
inline std::string driver_name(const testing::TestParamInfo<octavo::Driver>& driver) {
    constexpr const char* kNames[] = {"auto", "inline", "threads"};
    return kNames[static_cast<std::size_t>(driver.param)];
}

/// Whether lane rows run here: the CPU has what they need, and nothing in the environment forbids them.
bool has_lanes();
inline constexpr char kNoLanes[] =
    "NOT TESTED: lanes, there is no AVX512-IFMA here, or OCTAVO_DISABLE_CPU or OCTAVO_FORCE_ROW forbids it";

octavo_statistics statistics_of(octavo_instance instance);
/// submitted = completed + failed + cancelled + in flight.
testing::AssertionResult adds_up(const octavo_statistics& s);

/// Whether this program's tests that `filter` names pass in a process of their own, with `setting` ("NAME=value") in its environment: for what
/// a process reads once.
bool pass_with(const std::string& setting, const std::string& filter);

/// A submission of `operation` without callback or wake-up.
octavo_submission plain_submission(const octavo::Key& key, std::uint32_t operation, View input);

/// Reaps until `done` or a few seconds have passed; for drivers with an engine thread.
template <typename Done>
bool poll_until(octavo_instance instance, Done&& done);

}  // namespace api_test

#include <chrono>
#include <thread>

template <typename Done>
bool api_test::poll_until(octavo_instance instance, Done&& done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!done()) {
        if (std::chrono::steady_clock::now() > limit) return false;
        size_t num_reaped = 0;
        if (octavo_poll(instance, 64, &num_reaped) != OCTAVO_OK) return false;
        if (num_reaped == 0) std::this_thread::yield();
    }
    return true;
}
