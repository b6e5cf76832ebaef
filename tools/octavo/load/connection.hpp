#pragma once

#include <array>
#include <optional>
#include <random>
#include <string>

#include "load/clock.hpp"
#include "load/handles.hpp"
#include "load/tls_client.hpp"

namespace octavo::cli::load {

/// What the connections of one thread share.
struct Kit {
    explicit Kit(const Plan& plan_)
        : plan(plan_), client(plan_.tls, plan_.resume > 0), epoll(epoll_create1_or_throw()) {}

    const Plan& plan;
    TlsClient client;
    Descriptor epoll;
    std::mt19937_64 random;
    std::array<unsigned char, 16384> buffer{};  // one TLS record

private:
    static int epoll_create1_or_throw();
};

/// Where a connection that is to be aborted ends.
enum class AbortPoint {
    none,
    silent,         ///< connected, nothing sent
    partial_hello,  ///< after some bytes of the ClientHello
    waiting,        ///< after the ClientHello: when the worker says so, or else when the server's answer arrives
    finished,       ///< right after the client's Finished
};

struct Start {
    TimePoint intended;  ///< latency counts from here
    AbortPoint abort = AbortPoint::none;
    bool resume = false;
};

struct Outcome {
    enum class Kind { ok, failed, aborted } kind = Kind::ok;
    std::string why;  ///< for `failed`, see failure.hpp
    bool resumed = false;
    Duration latency{};  ///< for `ok`: from the intended start to the end of the handshake
};

/// One connection after another in the same place, so that the TLS object and its buffers are used again.
/// Life of one: connect, handshake, then with a request: send it and read the answer to its end; without: send
/// close_notify and read until the server closes. So the server has always done all its work, and always closes first:
/// no TIME_WAIT is left here, and the RST that ends the connection hits a server that has nothing left to do.
class Connection {
public:
    enum class Step { waiting, ended };

    explicit Connection(Kit& kit) : kit_(kit) {}

    /// Starts, and goes as far as possible; when it waits, events arrive at the kit's epoll with `this` as data.
    Step open(const Start& start);
    /// After an event.
    Step advance();
    /// The deadline has passed.
    Step give_up();
    /// AbortPoint::waiting: now.
    Step abort();

    [[nodiscard]] const Outcome& outcome() const { return outcome_; }

private:
    enum class Stage { connecting, handshaking, replying, closing };

    Step watch(unsigned events);
    Step want_write();
    Step connected();
    void prepare_tls();
    Step send_partial_hello();
    Step handshake();
    Step handshake_done();
    Step read_on();
    Step ended_by_server();
    Step broken(int ssl_error, int error);
    void take(std::size_t num_bytes);
    [[nodiscard]] bool server_spoke_last();
    Step judge_answer();
    Step succeed();
    Step fail(std::string why);
    void hang_up(bool reset);

    Kit& kit_;
    Descriptor socket_;
    Ssl ssl_;
    Start start_;
    Stage stage_ = Stage::connecting;
    Outcome outcome_;
    std::string status_line_;
    bool confirmed_ = false;                // the server's part of the handshake came last
    std::uint64_t num_read_at_finish_ = 0;  // bytes read when our Finished went out
};

}  // namespace octavo::cli::load
