#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "speed/progress.hpp"
#include "speed/side.hpp"

namespace octavo::cli {

struct Operation;

/// Which kernel row to take: the lane row that takes the key (else `ref`), or whichever of the two is faster at this depth.
enum class RowChoice { lane, cheapest };

/// Where a family of operations (RSA, ...) makes its sides. `depth` is 1 or more.
struct Family {
    /// Makes keys that later calls use, once for each size; tells `progress`.
    void (*prepare)(const Operation&, Progress& progress);
    SidePtr (*kernel)(const Operation&, std::size_t depth, RowChoice);
    SidePtr (*api)(const Operation&, std::size_t depth);
    /// Through the provider: in `depth` jobs at a time, or one by one without a job.
    SidePtr (*provider)(const Operation&, std::size_t depth, bool jobs);
    /// What the kernel and the C interface are measured against: the bare operation by EVP calls.
    SidePtr (*openssl_raw)(const Operation&);
    /// What the provider is measured against: the same EVP calls, answered by OpenSSL's default provider.
    SidePtr (*openssl_evp)(const Operation&);
    /// Vector multiply-adds (vpmadd52, eight lanes each) that one operation needs, lanes full; 0: no formula.
    double (*multiply_adds)(const Operation&);
};

/// A row of `octavo speed`.
struct Operation {
    const char* name;
    const char* text;
    const Family* family;
    unsigned bits;
    bool is_private;
};

std::span<const Operation> operations() noexcept;

/// The operations that the arguments name, in the table's order: a whole name, or its part before the dash ("rsa2048"). All where
/// there are no arguments. UsageError names the first argument that fits none.
std::vector<const Operation*> choose_operations(const std::vector<std::string>& arguments);

}  // namespace octavo::cli
