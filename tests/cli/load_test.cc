// `octavo load` as users run it, against servers on loopback: what it counts, what it calls a failure, what it refuses.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>

#include "load_servers.hpp"
#include "program.hpp"

namespace octavo::test {
namespace {

using Json = nlohmann::json;

class Load : public testing::Test {
protected:
    static void SetUpTestSuite() {
        folder_ = new Folder;
        make_certificate(*folder_, "rsa", "rsa:2048");
        make_certificate(*folder_, "ec", "ec");
    }
    static void TearDownTestSuite() { delete std::exchange(folder_, nullptr); }

    static Json load(const std::string& address, const Words& options, int exit_code, const Words& environment = {}) {
        Words arguments{"load", address, "--json", "-"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        const auto outcome = run(arguments, environment);
        EXPECT_EQ(outcome.exit_code, exit_code) << outcome.out << outcome.err;
        EXPECT_EQ(outcome.err, "");
        return Json::parse(outcome.out);
    }

    /// All connections failed, for the one reason.
    static void expect_failures(const Json& report, const std::string& kind, int count) {
        EXPECT_EQ(report["failures"], count);
        EXPECT_EQ(report["handshakes"], 0);
        EXPECT_EQ(report["failures_by_kind"], (Json{{kind, count}}));
    }

    static Folder* folder_;
};

Folder* Load::folder_ = nullptr;

TEST_F(Load, EveryVersionAndCertificateAndItsFields) {
    for (const std::string certificate : {"rsa", "ec"}) {
        const TlsServer server(*folder_, certificate);
        for (const std::string tls : {"1.2", "1.3"}) {
            const Json report = load(server.address(), {"-c", "4", "-n", "40", "--threads", "2", "--tls", tls}, 0);
            EXPECT_EQ(report["handshakes"], 40);
            EXPECT_EQ(report["failures"], 0);
            EXPECT_EQ(report["failures_by_kind"], Json::object());
            EXPECT_EQ(report["resumed"], 0);
            EXPECT_EQ(report["aborted"], 0);
            EXPECT_EQ(report["tls"], tls);
            EXPECT_EQ(report["connections"], 4);
            EXPECT_EQ(report["threads"], 2);
            EXPECT_EQ(report["group"], "X25519");
            EXPECT_EQ(report["certificate"], certificate == "rsa" ? "RSA 2048" : "EC 256");
            EXPECT_EQ(report["cpu_us_per_handshake"], nullptr);
            EXPECT_NEAR(report["handshakes_s"].get<double>() * report["seconds"].get<double>(), 40, 0.01);
            double last = 0;
            for (const char* key : {"p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms"}) {
                EXPECT_GE(report[key].get<double>(), last) << key;
                last = report[key];
            }
            EXPECT_GT(report["p50_ms"].get<double>(), 0.05);
        }
    }
}

TEST_F(Load, GroupsAndCiphersAreAsAsked) {
    const TlsServer server(*folder_, "rsa");
    const Json newer =
        load(server.address(),
             {"-n", "2", "--tls", "1.3", "--groups", "P-384", "--ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"}, 0);
    EXPECT_EQ(newer["cipher"], "TLS_CHACHA20_POLY1305_SHA256");
    EXPECT_EQ(newer["group"], "secp384r1");
    const Json older = load(server.address(), {"-n", "2", "--tls", "1.2", "--ciphers", "AES128-SHA"}, 0);
    EXPECT_EQ(older["cipher"], "AES128-SHA");  // its MACs need another kind of key than AEAD ciphers
}

TEST_F(Load, SharesOfResumedAndAbortedConnections) {
    const TlsServer server(*folder_, "rsa");
    for (const std::string tls : {"1.2", "1.3"}) {
        const Json report =
            load(server.address(), {"-c", "2", "-n", "60", "--threads", "1", "--resume", "0.5", "--tls", tls}, 0);
        EXPECT_EQ(report["handshakes"], 60);
        EXPECT_GE(report["resumed"], 27) << tls;
        EXPECT_LE(report["resumed"], 30) << tls;
        const Json all =
            load(server.address(), {"-c", "1", "-n", "20", "--resume", "1", "--request", "/", "--tls", tls}, 0);
        EXPECT_EQ(all["resumed"], 19) << tls;
    }
    const Json report = load(server.address(), {"-c", "4", "-n", "90", "--threads", "1", "--abort", "0.3333334"}, 0);
    EXPECT_EQ(report["aborted"], 30);
    EXPECT_EQ(report["handshakes"], 60);
    EXPECT_EQ(report["failures"], 0);
}

TEST_F(Load, RequestsAreAnsweredAndTheirStatusCounts) {
    const TlsServer server(*folder_, "rsa");
    EXPECT_EQ(load(server.address(), {"-n", "10", "-c", "2", "--request", "/"}, 0)["handshakes"], 10);
    // -HTTP: files are whole answers, sent as they are.
    const TlsServer files(*folder_, "rsa", {"-HTTP"});
    const auto ask = [&](const std::string& answer) {
        std::ofstream(folder_->file("answer")) << answer;
        return load(files.address(), {"-n", "4", "-c", "2", "--request", "/answer"},
                    answer.starts_with("HTTP/1.1 2") ? 0 : 1);
    };
    EXPECT_EQ(ask("HTTP/1.1 204 None\r\n\r\n")["failures"], 0);
    expect_failures(ask("HTTP/1.1 503 Busy\r\n\r\n"), "http: 503", 4);
    expect_failures(ask("Hello"), "http: no status line", 4);
    expect_failures(ask(""), "http: no answer", 4);
}

TEST_F(Load, CertificatesAreVerifiedOnRequest) {
    const TlsServer server(*folder_, "rsa");
    const std::string own = folder_->file("rsa.pem"), other = folder_->file("ec.pem");
    EXPECT_EQ(load(server.address(), {"-n", "6", "-c", "2", "--ca", own}, 0)["verified"], true);
    EXPECT_EQ(load(server.address(), {"-n", "6", "-c", "2"}, 0)["verified"], false);
    EXPECT_EQ(load(server.address(), {"-n", "6", "-c", "2", "--ca", own, "--sni", "localhost"}, 0)["handshakes"], 6);
    expect_failures(load(server.address(), {"-n", "6", "-c", "2", "--ca", other}, 1),
                    "certificate: self-signed certificate", 6);
    expect_failures(load(server.address(), {"-n", "6", "-c", "2", "--ca", own, "--sni", "example.org"}, 1),
                    "certificate: hostname mismatch", 6);
}

TEST_F(Load, FailuresHaveTheNameOfTheirCause) {
    expect_failures(load(refusing_address(), {"-n", "5", "-c", "2"}, 1), "refused", 5);
    const PlainServer hangs_up([](int fd) {
        char bytes[4096];
        (void)!read(fd, bytes, sizeof bytes);  // with the ClientHello unread, it would be a reset
        close(fd);
    });
    expect_failures(load(hangs_up.address(), {"-n", "5", "-c", "2"}, 1), "closed by server", 5);
    const PlainServer resets([](int fd) {
        char bytes[8];
        (void)!read(fd, bytes, sizeof bytes);
        const linger now{1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(fd);
    });
    expect_failures(load(resets.address(), {"-n", "5", "-c", "2"}, 1), "reset", 5);
    const PlainServer speaks_http([](int fd) {
        char bytes[4096];
        (void)!read(fd, bytes, sizeof bytes);
        (void)!write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
        close(fd);
    });
    expect_failures(load(speaks_http.address(), {"-n", "5", "-c", "2"}, 1), "tls: wrong version number", 5);
}

TEST_F(Load, SilentServersTimeOut) {
    std::vector<int> kept;
    const PlainServer silent([&](int fd) { kept.push_back(fd); });
    expect_failures(load(silent.address(), {"-n", "4", "-c", "4", "--timeout", "0.3"}, 1), "timeout: handshake", 4);
    for (const int fd : kept) close(fd);
}

TEST_F(Load, AlertsAreNamedAlsoAfterTheHandshake) {
    const TlsServer old(*folder_, "rsa", {"-no_tls1_3"});
    expect_failures(load(old.address(), {"-n", "4", "-c", "2", "--tls", "1.3"}, 1), "alert: protocol version", 4);
    // In TLS 1.3 the client is done before the server misses its certificate.
    const TlsServer strict(*folder_, "rsa", {"-Verify", "1"});
    const Json report = load(strict.address(), {"-n", "4", "-c", "2", "--tls", "1.3"}, 1);
    EXPECT_EQ(report["failures"], 4) << report;
    ASSERT_EQ(report["failures_by_kind"].size(), 1U) << report;
    EXPECT_TRUE(report["failures_by_kind"].begin().key().starts_with("alert: ")) << report;
}

TEST_F(Load, OpenLoopKeepsItsRateAndCountsFromTheIntendedStart) {
    const TlsServer server(*folder_, "rsa");
    const Json report = load(server.address(), {"--rate", "50", "-d", "2", "--threads", "2"}, 0);
    EXPECT_NEAR(report["handshakes"].get<double>(), 100, 2);
    // A server that takes 50 ms for each connection, of which there is one at a time, cannot do 100 a second: those that
    // wait for their turn have waited since they were due.
    const PlainServer slow([](int fd) {
        usleep(50000);
        close(fd);
    });
    const Json late = load(slow.address(), {"--rate", "100", "-d", "1", "-c", "1"}, 1);
    EXPECT_GE(late["unstarted"], 50) << late;
    EXPECT_LE(late["failures"], 25) << late;
    const Json queued = load(server.address(), {"--rate", "100000", "-d", "1", "-c", "4"}, 0);
    EXPECT_GE(queued["max_ms"].get<double>(), 500) << queued;
}

TEST_F(Load, WarmupIsNotCountedAndServerCpuIs) {
    const TlsServer server(*folder_, "rsa");
    const Json report = load(
        server.address(), {"-d", "1", "--warmup", "1.5", "-c", "2", "--server-pid", std::to_string(server.pid())}, 0);
    EXPECT_NEAR(report["seconds"].get<double>(), 1, 0.3);
    EXPECT_GT(report["cpu_us_per_handshake"].get<double>(), 100) << report;  // an RSA-2048 signature alone takes more
    EXPECT_LT(report["cpu_us_per_handshake"].get<double>(), 50000) << report;
    EXPECT_GT(report["client_cpu_us_per_handshake"].get<double>(), 50) << report;
    EXPECT_EQ(report["samples"][0]["handshakes"], 0);  // its second lies within the warm-up
    std::uint64_t in_samples = 0;
    for (const auto& sample : report["samples"]) in_samples += sample["handshakes"].get<std::uint64_t>();
    EXPECT_EQ(report["handshakes"], in_samples);
}

TEST_F(Load, NoConfigurationOfOpensslReachesTheClient) {
    const TlsServer server(*folder_, "rsa");
    const std::string path = folder_->file("openssl.cnf");
    std::ofstream(path) << "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
                           "Ciphersuites = TLS_CHACHA20_POLY1305_SHA256\n";
    EXPECT_EQ(load(server.address(), {"-n", "4", "-c", "1"}, 0, {"OPENSSL_CONF=" + path})["cipher"],
              "TLS_AES_256_GCM_SHA384");
}

TEST_F(Load, AnInterruptEndsTheRunWithFigures) {
    const TlsServer server(*folder_, "rsa");
    Program program({"load", server.address(), "-d", "60", "-c", "2", "--json", "-"});
    usleep(1500000);
    ::kill(program.pid(), SIGINT);
    const auto outcome = program.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    const Json report = Json::parse(outcome.out);
    EXPECT_EQ(report["interrupted"], true);
    EXPECT_LT(report["seconds"].get<double>(), 30);
    EXPECT_GT(report["handshakes"], 0);
}

TEST_F(Load, HtmlIsCompleteInItself) {
    const TlsServer server(*folder_, "rsa");
    const std::string path = folder_->file("report.html");
    const auto outcome = run({"load", server.address(), "-d", "1.2", "-c", "2", "--html", path, "--quiet"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_EQ(outcome.out + outcome.err, "");
    std::ifstream file(path);
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
    EXPECT_TRUE(page.ends_with("</html>\n"));
    const std::regex chart("<svg ");
    EXPECT_EQ(std::distance(std::sregex_iterator(page.begin(), page.end(), chart), std::sregex_iterator()), 4);
    EXPECT_FALSE(std::regex_search(page, std::regex("https?://|<script|<link|url\\(|@import"))) << page;
}

TEST_F(Load, TextSaysWhatWasMeasuredAndWhatNot) {
    const TlsServer server(*folder_, "rsa");
    const auto outcome = run({"load", server.address(), "-n", "10", "-c", "2"});
    for (const std::string words :
         {"2 connections", "handshakes   10 in", "p99.9", "failures     0", "certificates were not verified"})
        EXPECT_NE(outcome.out.find(words), std::string::npos) << words << "\n" << outcome.out;
}

struct Mistake {
    Words arguments, words;
};

const Mistake kMistakes[] = {
    {{}, {"HOST:PORT", "127.0.0.1:8443"}},
    {{"127.0.0.1"}, {"\"127.0.0.1\" is no HOST:PORT"}},
    {{"::1:443"}, {"\"::1:443\"", "[::1]:443"}},
    {{"127.0.0.1:http"}, {"the port", "\"http\"", "65535"}},
    {{"127.0.0.1:0"}, {"the port", "\"0\""}},
    {{std::string(64, 'x') + ":443"}, {"has no address"}},  // too long for any look-up to be tried
    {{"127.0.0.1:1", "-c", "0"}, {"--connections", "\"0\"", "from 1"}},
    {{"127.0.0.1:1", "-d", "-1"}, {"--duration", "\"-1\"", "above 0"}},
    {{"127.0.0.1:1", "-n", "x"}, {"--count", "\"x\""}},
    {{"127.0.0.1:1", "--threads", "0"}, {"--threads", "\"0\""}},
    {{"127.0.0.1:1", "--cpu", "3-1"}, {"--cpu", "\"3-1\"", "low to high"}},
    {{"127.0.0.1:1", "--cpu", "1023", "-n", "1"}, {"--cpu 1023", "taskset"}},
    {{"127.0.0.1:1", "--cpu", "0,"}, {"--cpu", "\"0,\"", "empty"}},
    {{"127.0.0.1:1", "--tls", "1.1"}, {"--tls", "1.2 or 1.3", "\"1.1\""}},
    {{"127.0.0.1:1", "--groups", "X25518"}, {"--groups", "\"X25518\"", "X25519:P-256"}},
    {{"127.0.0.1:1", "--ciphers", "none-such"}, {"--ciphers", "\"none-such\"", "openssl ciphers"}},
    {{"127.0.0.1:1", "--ciphersuites", "none-such"}, {"--ciphersuites", "\"none-such\"", "openssl ciphers"}},
    {{"127.0.0.1:1", "--tls", "1.3", "--ciphers", "AES128-SHA"}, {"--ciphers is for TLS 1.2", "--ciphersuites"}},
    {{"127.0.0.1:1", "--tls", "1.2", "--ciphersuites", "x"}, {"--ciphersuites is for TLS 1.3", "--ciphers"}},
    {{"127.0.0.1:1", "--resume", "50"}, {"--resume", "0 to 1", "\"50\""}},
    {{"127.0.0.1:1", "--abort", "nan"}, {"--abort", "0 to 1", "\"nan\""}},
    {{"127.0.0.1:1", "--rate", "0"}, {"--rate", "above 0", "\"0\""}},
    {{"127.0.0.1:1", "--request", "index.html"}, {"--request", "begins with \"/\"", "\"index.html\""}},
    {{"127.0.0.1:1", "--request", "/a b"}, {"--request", "no spaces"}},
    {{"127.0.0.1:1", "--timeout", "0"}, {"--timeout", "\"0\""}},
    {{"127.0.0.1:1", "--warmup", "long"}, {"--warmup", "\"long\""}},
    {{"127.0.0.1:1", "--ca", "/nonexistent"}, {"--ca \"/nonexistent\"", "PEM"}},
    {{"127.0.0.1:1", "--ca", "/dev/null", "--insecure"}, {"--insecure and --ca"}},
    {{"127.0.0.1:1", "--server-pid", "1,,2"}, {"--server-pid", "empty"}},
    {{"127.0.0.1:1", "--server-pid", "2147483647"}, {"--server-pid 2147483647", "no such process"}},
    {{"127.0.0.1:1", "--json", "/nonexistent/x"}, {"--json /nonexistent/x", "cannot be written"}},
    {{"127.0.0.1:1", "--html", "/nonexistent/x"}, {"--html /nonexistent/x", "cannot be written"}},
    {{"127.0.0.1:1", "--conections", "4"}, {"unknown option \"--conections\"", "--connections"}},
};

TEST_F(Load, MistakesAreNamed) {
    for (const auto& mistake : kMistakes) {
        Words arguments{"load"};
        arguments.insert(arguments.end(), mistake.arguments.begin(), mistake.arguments.end());
        const auto outcome = run(arguments);
        EXPECT_EQ(outcome.exit_code, 2) << testing::PrintToString(arguments) << outcome.err;
        EXPECT_TRUE(is_one_line(outcome.err)) << outcome.err;
        for (const auto& words : mistake.words)
            EXPECT_NE(outcome.err.find(words), std::string::npos) << words << "\n" << outcome.err;
    }
}

TEST_F(Load, ManualPageHasEveryOption) {
    std::ifstream file(OCTAVO_MAN_PAGES "octavo-load.1");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    const std::string help = run({"load", "--help"}).out;
    const std::regex option("--([a-z-]+)");
    int num_options = 0;
    for (std::sregex_iterator at(help.begin(), help.end(), option), end; at != end; ++at, ++num_options)
        EXPECT_TRUE(std::regex_search(page, std::regex("\\.It Fl ([a-z] , )?-" + (*at)[1].str() + "( |\n)")))
            << at->str();
    EXPECT_GT(num_options, 20);
}

}  // namespace
}  // namespace octavo::test
