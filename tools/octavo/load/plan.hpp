#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load/endpoint.hpp"

namespace octavo::cli::load {

/// What the client offers and demands. Empty strings: OpenSSL's own choice, X25519 first among the groups.
struct TlsWishes {
    std::string version;  ///< "1.2", "1.3" or "" for either
    std::string groups, ciphers, ciphersuites;
    std::string server_name;    ///< SNI; "" for none
    std::string verified_name;  ///< the name or address that the certificate must have
    std::string ca_file;        ///< "" where certificates are not verified
};

/// A run, understood: every value is in range, and consistent with the others.
struct Plan {
    Endpoint target;
    TlsWishes tls;
    std::size_t connections = 64;        ///< at most so many at a time, all threads together
    std::size_t threads = 1;             ///< at most `connections`
    std::vector<int> cpus;               ///< thread i runs on cpus[i % size]; empty: anywhere
    double duration = 10;                ///< seconds after the warm-up
    double warmup = 0, timeout = 10;     ///< seconds
    std::optional<std::uint64_t> count;  ///< connections to start after the warm-up
    std::optional<double> rate;          ///< open loop: connections started each second, all threads together
    double resume = 0, abort = 0;        ///< shares, 0..1
    std::string request;                 ///< a whole HTTP request, or "" for none
    std::vector<pid_t> server_pids;
};

}  // namespace octavo::cli::load
