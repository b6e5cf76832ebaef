#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

/// Servers on loopback for the tests of `octavo load`, and their certificates.
namespace octavo::test {

/// A folder that goes with its scope.
class Folder {
public:
    Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder();
    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

/// Makes NAME.pem and NAME.key for localhost and 127.0.0.1; `key` is what `openssl req -newkey` takes.
void make_certificate(const Folder& folder, const std::string& name, const std::string& key);

/// `openssl s_server -www` on a port of its own.
class TlsServer {
public:
    TlsServer(const Folder& folder, const std::string& certificate, const std::vector<std::string>& options = {});
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;
    ~TlsServer();

    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    std::string address_;
    pid_t pid_;
};

/// Accepts TCP connections, and hands each to `serve`, which owns the descriptor.
class PlainServer {
public:
    explicit PlainServer(std::function<void(int fd)> serve);
    PlainServer(const PlainServer&) = delete;
    PlainServer& operator=(const PlainServer&) = delete;
    ~PlainServer();

    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] std::uint64_t accepted() const { return accepted_; }

private:
    int listener_;
    std::string address_;
    std::function<void(int)> serve_;
    std::atomic<bool> stop_{false};
    std::atomic<std::uint64_t> accepted_{0};
    std::thread thread_;
};

/// 127.0.0.1 and a port that nothing listens on.
std::string refusing_address();

}  // namespace octavo::test
