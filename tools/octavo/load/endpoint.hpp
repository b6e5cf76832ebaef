#pragma once

#include <sys/socket.h>

#include <string>

namespace octavo::cli::load {

/// Where to connect: the first address that HOST stands for. All traffic goes there and nowhere else.
struct Endpoint {
    std::string host, port;  ///< as given, without brackets
    std::string address;     ///< numeric, `127.0.0.1:443` or `[::1]:443`
    bool host_is_name = false;
    sockaddr_storage socket_address{};
    socklen_t length = 0;
};

/// `text` is HOST:PORT, IPv6 addresses in brackets. Throws UsageError, also when HOST has no address.
Endpoint parse_endpoint(const std::string& text);

}  // namespace octavo::cli::load
