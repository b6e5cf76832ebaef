#pragma once

#include <functional>

#include "sides.hpp"

namespace octavo::test {

/// Where a sequence of calls may run: with the default provider alone; and with Octavo in no job, in a job of ours, in an ASYNC_JOB.
/// The jobs wait for their descriptors, as an event loop does.
struct Place {
    const char* name;
    OSSL_LIB_CTX* (*side)();
    void (*run)(const std::function<void()>& work);
};
inline constexpr std::size_t kNumPlaces = 4;
extern const Place kPlaces[kNumPlaces];

void in_no_job(const std::function<void()>& work);
void in_own_job(const std::function<void()>& work);
void in_async_job(const std::function<void()>& work);

/// Runs the same in all places and compares with the first. Gives back what they agree in.
std::string compare_places(const std::string& what, const std::function<void(Trace&, OSSL_LIB_CTX*)>& run);

}  // namespace octavo::test
