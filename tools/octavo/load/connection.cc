#include "load/connection.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "load/failure.hpp"
#include "usage.hpp"

namespace octavo::cli::load {
namespace {

constexpr std::size_t kMaxStatusLine = 128;
constexpr const char* kTimeouts[] = {"timeout: connect", "timeout: handshake", "timeout: http answer",
                                     "timeout: close"};

void set_flag(int fd, int level, int name) {
    const int on = 1;
    setsockopt(fd, level, name, &on, sizeof on);
}

bool is_success(const std::string& status_line) {
    return status_line.starts_with("HTTP/1.") && status_line.size() >= 12 &&
           (status_line[9] == '2' || status_line[9] == '3');
}

}  // namespace

int Kit::epoll_create1_or_throw() {
    const int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw Failure(fmt::format("epoll: {}", std::strerror(errno)));
    return fd;
}

Connection::Step Connection::open(const Start& start) {
    start_ = start;
    outcome_ = {};
    stage_ = Stage::connecting;
    status_line_.clear();
    const auto& target = kit_.plan.target;
    socket_ = Descriptor(socket(target.socket_address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket_.get() < 0) return fail(explain_errno(errno));
    // The request and close_notify follow our Finished at once: Nagle would hold them for the server's delayed ACK.
    set_flag(socket_.get(), IPPROTO_TCP, TCP_NODELAY);
    if (connect(socket_.get(), reinterpret_cast<const sockaddr*>(&target.socket_address), target.length) == 0)
        return watch(EPOLLIN) == Step::ended ? Step::ended : connected();
    return errno == EINPROGRESS ? watch(EPOLLIN | EPOLLOUT) : fail(explain_errno(errno));
}

Connection::Step Connection::watch(unsigned events) {
    epoll_event event{events | EPOLLET, {.ptr = this}};
    if (epoll_ctl(kit_.epoll.get(), EPOLL_CTL_ADD, socket_.get(), &event) == 0) return Step::waiting;
    return fail(explain_errno(errno));
}

Connection::Step Connection::want_write() {
    epoll_event event{EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = this}};
    epoll_ctl(kit_.epoll.get(), EPOLL_CTL_MOD, socket_.get(), &event);
    return Step::waiting;
}

Connection::Step Connection::advance() {
    switch (stage_) {
        case Stage::connecting: {
            int error = 0;
            socklen_t length = sizeof error;
            getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
            return error == 0 ? connected() : fail(explain_errno(error));
        }
        case Stage::handshaking:
            return start_.abort == AbortPoint::waiting ? abort() : handshake();
        case Stage::replying:
        case Stage::closing:
            return read_on();
    }
    return Step::ended;
}

Connection::Step Connection::connected() {
    stage_ = Stage::handshaking;
    if (start_.abort == AbortPoint::silent) return abort();
    prepare_tls();
    return start_.abort == AbortPoint::partial_hello ? send_partial_hello() : handshake();
}

void Connection::prepare_tls() {
    if (ssl_) {
        SSL_set_session(ssl_.get(), nullptr);
        SSL_clear(ssl_.get());
    } else {
        ssl_ = kit_.client.make();
    }
    BIO_set_fd(SSL_get_rbio(ssl_.get()), socket_.get(), BIO_NOCLOSE);
    SSL_set_connect_state(ssl_.get());
    if (!start_.resume) return;
    if (const Session session = kit_.client.take_session()) SSL_set_session(ssl_.get(), session.get());
}

Connection::Step Connection::send_partial_hello() {
    BIO* hello = BIO_new(BIO_s_mem());
    if (hello == nullptr) throw std::bad_alloc();
    SSL_set0_wbio(ssl_.get(), hello);
    SSL_connect(ssl_.get());
    char* bytes = nullptr;
    const long num_bytes = BIO_get_mem_data(hello, &bytes);
    const auto part = std::uniform_int_distribution<long>(1, std::max(1L, num_bytes - 1))(kit_.random);
    if (num_bytes > 0) (void)send(socket_.get(), bytes, static_cast<std::size_t>(part), MSG_NOSIGNAL);
    return abort();
}

Connection::Step Connection::handshake() {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_connect(ssl_.get());
    if (result == 1) return handshake_done();
    const int error = errno;
    const int ssl_error = SSL_get_error(ssl_.get(), result);
    if (ssl_error == SSL_ERROR_WANT_READ) return Step::waiting;
    if (ssl_error == SSL_ERROR_WANT_WRITE) return want_write();
    return fail(explain_tls(ssl_.get(), ssl_error, error));
}

Connection::Step Connection::handshake_done() {
    outcome_.latency = Clock::now() - start_.intended;
    outcome_.resumed = SSL_session_reused(ssl_.get()) == 1;
    kit_.client.note(ssl_.get());
    if (start_.abort == AbortPoint::finished) return abort();
    confirmed_ = SSL_version(ssl_.get()) < TLS1_3_VERSION && !outcome_.resumed;
    num_read_at_finish_ = BIO_number_read(SSL_get_rbio(ssl_.get()));
    const std::string& request = kit_.plan.request;
    // A short write into an empty socket buffer succeeds, or the connection is broken: reading tells how.
    if (request.empty())
        SSL_shutdown(ssl_.get());
    else
        SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size()));
    stage_ = request.empty() ? Stage::closing : Stage::replying;
    return read_on();
}

Connection::Step Connection::read_on() {
    for (;;) {
        ERR_clear_error();
        errno = 0;
        std::size_t num_bytes = 0;
        const int result = SSL_read_ex(ssl_.get(), kit_.buffer.data(), kit_.buffer.size(), &num_bytes);
        if (result == 1) {
            take(num_bytes);
            continue;
        }
        const int error = errno;
        const int ssl_error = SSL_get_error(ssl_.get(), result);
        if (ssl_error == SSL_ERROR_WANT_READ) return Step::waiting;
        if (ssl_error == SSL_ERROR_WANT_WRITE) return want_write();
        if (ssl_error == SSL_ERROR_ZERO_RETURN) return ended_by_server();
        return broken(ssl_error, error);
    }
}

void Connection::take(std::size_t num_bytes) {
    if (status_line_.size() >= kMaxStatusLine) return;
    const std::size_t missing = kMaxStatusLine - status_line_.size();
    status_line_.append(reinterpret_cast<const char*>(kit_.buffer.data()), std::min(missing, num_bytes));
}

Connection::Step Connection::ended_by_server() { return stage_ == Stage::replying ? judge_answer() : succeed(); }

Connection::Step Connection::broken(int ssl_error, int error) {
    if (is_end_of_stream(ssl_error, error)) return ended_by_server();
    // A server that closes at once answers our close_notify with a reset; that is no failure if its part was done.
    if (stage_ == Stage::closing && is_reset(ssl_error, error) && server_spoke_last()) return succeed();
    return fail(explain_tls(ssl_.get(), ssl_error, error));
}

bool Connection::server_spoke_last() {
    return confirmed_ || BIO_number_read(SSL_get_rbio(ssl_.get())) > num_read_at_finish_;
}

Connection::Step Connection::judge_answer() {
    const std::string line = status_line_.substr(0, status_line_.find_first_of("\r\n"));
    if (is_success(line)) return succeed();
    if (line.empty()) return fail("http: no answer");
    return fail(line.starts_with("HTTP/1.") && line.size() >= 12 ? "http: " + line.substr(9, 3)
                                                                 : "http: no status line");
}

Connection::Step Connection::give_up() {
    // The server ignores close_notify, but its part of the handshake is done.
    if (stage_ == Stage::closing && server_spoke_last()) return succeed();
    return fail(kTimeouts[static_cast<std::size_t>(stage_)]);
}

Connection::Step Connection::abort() {
    outcome_.kind = Outcome::Kind::aborted;
    ssl_.reset();
    hang_up(kit_.random() % 2 == 0);
    return Step::ended;
}

Connection::Step Connection::succeed() {
    // Else OpenSSL takes the session for broken, and does not resume it.
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    hang_up(true);
    return Step::ended;
}

Connection::Step Connection::fail(std::string why) {
    outcome_.kind = Outcome::Kind::failed;
    outcome_.why = std::move(why);
    ssl_.reset();
    hang_up(true);
    return Step::ended;
}

void Connection::hang_up(bool reset) {
    const linger now{1, 0};
    if (reset) setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket_.reset();
}

}  // namespace octavo::cli::load
