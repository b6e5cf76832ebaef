#pragma once

#include <openssl/ssl.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "openssl_handles.hpp"

namespace octavo::cli::load {

using SslContext = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, FreeWith<SSL_free>>;
using Session = std::unique_ptr<SSL_SESSION, FreeWith<SSL_SESSION_free>>;

/// A file descriptor, closed with its scope.
class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    void reset() {
        if (const int fd = std::exchange(fd_, -1); fd >= 0) close(fd);
    }

private:
    int fd_;
};

}  // namespace octavo::cli::load
