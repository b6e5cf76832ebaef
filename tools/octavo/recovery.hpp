#pragma once

#include <cstddef>

namespace octavo::cli {

/// Lets an endpoint of this process die `deaths` times under each driver, with requests in flight, and prints how long it took from the death to
/// the first request completed elsewhere. Failure where a request is lost, or answered wrong or twice.
int print_recovery(std::size_t deaths, bool json);

}  // namespace octavo::cli
