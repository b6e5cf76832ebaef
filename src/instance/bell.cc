#include "instance/bell.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace octavo::instance {

Watch::Watch() noexcept : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}

Watch::~Watch() {
    if (fd_ >= 0) ::close(fd_);
}

bool Watch::add(int fd) const noexcept {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    return ::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) == 0;
}

Bell::~Bell() {
    if (const int fd = fd_.load(std::memory_order_relaxed); fd >= 0) ::close(fd);
}

bool Bell::hang(const Watch& watch) noexcept {
    if (fd_.load(std::memory_order_relaxed) >= 0) return true;
    const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) return false;
    if (!watch.add(fd)) {
        ::close(fd);
        return false;
    }
    watch_ = watch.fd();
    fd_.store(fd, std::memory_order_release);
    return true;
}

void Bell::take_down() noexcept {
    const int fd = fd_.exchange(-1, std::memory_order_acq_rel);
    if (fd < 0) return;
    ::epoll_ctl(watch_, EPOLL_CTL_DEL, fd, nullptr);  // a copy of it in a child would keep it in the set
    ::close(fd);
}

void Bell::write() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_.load(std::memory_order_relaxed), &one, sizeof one);
}

void Bell::read() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(fd_.load(std::memory_order_relaxed), &count, sizeof count);
}

}  // namespace octavo::instance
