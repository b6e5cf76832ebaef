#pragma once

#include <vector>

#include "numbers.hpp"

namespace fuzz {

/// Good keys, the same in every run: two and three primes, e = 3, without CRT values, public alone, and one that lanes take.
const std::vector<api_test::RsaParts>& stock_keys();

/// The fields of a key in the order that the fuzz targets use; extra primes come last.
std::vector<api_test::Buffer*> fields_of(api_test::RsaParts& parts);

}  // namespace fuzz
