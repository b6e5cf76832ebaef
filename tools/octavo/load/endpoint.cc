#include "load/endpoint.hpp"

#include <fmt/format.h>
#include <netdb.h>

#include <cstring>
#include <memory>

#include "load/handles.hpp"
#include "usage.hpp"

namespace octavo::cli::load {
namespace {

using Addresses = std::unique_ptr<addrinfo, FreeWith<freeaddrinfo>>;

[[noreturn]] void refuse(const std::string& text) {
    throw UsageError(fmt::format("\"{}\" is no HOST:PORT; examples: 127.0.0.1:443, [::1]:443, localhost:8443", text));
}

Endpoint split(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) refuse(text);
    Endpoint endpoint;
    endpoint.host = text.substr(0, colon);
    endpoint.port = text.substr(colon + 1);
    const bool bracketed = endpoint.host.starts_with('[') && endpoint.host.ends_with(']');
    if (bracketed) endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
    if (!bracketed && endpoint.host.find(':') != std::string::npos) refuse(text);
    return endpoint;
}

addrinfo* look_up(const Endpoint& endpoint, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* list = nullptr;
    const int error = getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &list);
    if (error == 0 || (flags & AI_NUMERICHOST) != 0) return list;
    throw UsageError(
        fmt::format("HOST:PORT: \"{}\" has no address ({}); name a host that resolves, or give its address",
                    endpoint.host, gai_strerror(error)));
}

std::string numeric(const addrinfo& found) {
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getnameinfo(found.ai_addr, found.ai_addrlen, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return "?";
    return found.ai_family == AF_INET6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace

Endpoint parse_endpoint(const std::string& text) {
    Endpoint endpoint = split(text);
    parse_count("HOST:PORT: the port", endpoint.port, 65535);
    Addresses found(look_up(endpoint, AI_NUMERICHOST));
    endpoint.host_is_name = found == nullptr;
    if (!found) found.reset(look_up(endpoint, 0));
    endpoint.address = numeric(*found);
    endpoint.length = found->ai_addrlen;
    std::memcpy(&endpoint.socket_address, found->ai_addr, found->ai_addrlen);
    return endpoint;
}

}  // namespace octavo::cli::load
