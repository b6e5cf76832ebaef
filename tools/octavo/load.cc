#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "command.hpp"
#include "load/memory.hpp"
#include "load/options.hpp"
#include "load/report.hpp"
#include "load/runner.hpp"
#include "speed/progress.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

constexpr const char* kToStdout = "-";

/// A file that an option names; opened before the run, so that a wrong path costs no time.
class OutputFile {
public:
    OutputFile(const char* option, const std::string& path) : option_(option), path_(path) {
        if (path.empty() || path == kToStdout) return;
        file_.open(path);
        if (!file_) fail();
    }
    [[nodiscard]] bool wanted() const { return !path_.empty(); }
    void write(const std::string& text) {
        if (path_ == kToStdout) return fmt::print("{}", text);
        file_ << text << std::flush;
        if (!file_) fail();
    }

private:
    [[noreturn]] void fail() const {
        throw UsageError(fmt::format("{} {}: the file cannot be written: {}", option_, path_, std::strerror(errno)));
    }

    const char* option_;
    std::string path_;
    std::ofstream file_;
};

load::Result run_shown(const load::Plan& plan, bool quiet) {
    Progress progress;
    return load::run_load(plan, [&](const load::Sample& sample) {
        if (!quiet) progress.begin(load::to_progress(sample));
    });
}

int run(const load::Options& options) {
    load::use_lean_memory();
    const load::Plan plan = load::understand(options);
    OutputFile json("--json", options.json), html("--html", options.html);
    const bool text = !options.quiet && options.json != kToStdout && options.html != kToStdout;
    if (text) fmt::print("{}\n", load::headline(plan));
    std::fflush(stdout);
    const load::Result result = run_shown(plan, options.quiet);
    if (text) fmt::print("{}", load::to_text(result));
    if (json.wanted()) json.write(load::to_json(result));
    if (html.wanted()) html.write(load::to_html(result));
    return result.total.failures == 0 && result.total.handshakes + result.total.aborted > 0 ? kExitOk : kExitFailure;
}

struct OptionRow {
    const char* name;
    std::string load::Options::*value;
    const char* type;
    const char* text;
};

constexpr OptionRow kOptions[] = {
    {"-c,--connections", &load::Options::connections, "N", "Connections at a time (64; with --rate at most 4096)"},
    {"-d,--duration", &load::Options::duration, "S", "Seconds to run after the warm-up (10)"},
    {"-n,--count", &load::Options::count, "N", "End after this many connections"},
    {"--warmup", &load::Options::warmup, "S", "Seconds to run before anything but failures is counted (0)"},
    {"--timeout", &load::Options::timeout, "S", "Seconds that a connection may take (10)"},
    {"--rate", &load::Options::rate, "R",
     "Open loop: start R connections a second, come what may; latency counts from when each was due"},
    {"--threads", &load::Options::threads, "N", "Threads (one for each available core)"},
    {"--cpu", &load::Options::cpu, "LIST", "Cores to pin threads to, such as 1 or 0,2-3"},
    {"--tls", &load::Options::tls, "1.2|1.3", "Only this version (the server chooses)"},
    {"--groups", &load::Options::groups, "LIST", "Key exchange groups, the first is tried (X25519:P-256:P-384:P-521)"},
    {"--ciphers", &load::Options::ciphers, "LIST", "Ciphers of TLS 1.2"},
    {"--ciphersuites", &load::Options::ciphersuites, "LIST", "Cipher suites of TLS 1.3"},
    {"--sni", &load::Options::sni, "NAME", "Server name to ask for (HOST, where it is a name)"},
    {"--resume", &load::Options::resume, "SHARE", "Share of connections that resume a session, 0 to 1 (0)"},
    {"--request", &load::Options::request, "PATH", "Ask for this page on each connection, and check the status"},
    {"--ca", &load::Options::ca, "FILE", "Verify certificates against these (without: not verified)"},
    {"--server-pid", &load::Options::server_pid, "PID,...",
     "Report the CPU time of these processes and their descendants, per handshake"},
    {"--abort", &load::Options::abort, "SHARE", "Share of connections to break off within the handshake, 0 to 1 (0)"},
    {"--json", &load::Options::json, "FILE", "Write the figures there (-: to standard output, and nothing else)"},
    {"--html", &load::Options::html, "FILE", "Write a page with charts there"},
};

}  // namespace

Command add_load(CLI::App& parent) {
    auto options = std::make_shared<load::Options>();
    auto* app = parent.add_subcommand("load", "Load a TLS server with full handshakes, and measure them");
    app->add_option("HOST:PORT", options->target, "The server, such as 127.0.0.1:8443")->type_name("");
    for (const auto& row : kOptions) app->add_option(row.name, (*options).*row.value, row.text)->type_name(row.type);
    app->add_flag("--insecure", options->insecure, "Do not verify certificates: the default, said aloud");
    app->add_flag("-q,--quiet", options->quiet, "No progress, no text: files and the exit code only");
    return {app, [options] { return run(*options); }};
}

}  // namespace octavo::cli
