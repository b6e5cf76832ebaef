#pragma once

#include <string>

#include "load/plan.hpp"

namespace octavo::cli::load {

/// The command line of `octavo load`, as given; empty strings where an option is absent.
struct Options {
    std::string target, connections, duration, count, threads, cpu, tls, groups, ciphers, ciphersuites, sni, resume,
        request, rate, warmup, timeout, ca, server_pid, abort, json, html;
    bool insecure = false, quiet = false;
};

/// Throws UsageError, which names the option, what is wrong, and what to do.
Plan understand(const Options& options);

}  // namespace octavo::cli::load
