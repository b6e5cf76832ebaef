#include "job/overflow.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <iterator>
#include <mutex>

namespace octavo::job::overflow {
namespace {

/// Room for a signal frame with every register that a CPU may have (AMX: 11 KiB), and for the handler.
constexpr std::size_t kAlternateSize = std::size_t{64} * 1024;

std::atomic<Overflowed*> is_overflow{nullptr};
thread_local void* alternate = nullptr;

/// A line of text, put together without anything that a signal handler may not call.
class Line {
public:
    void add(const char* text) noexcept { add(text, std::strlen(text)); }
    void add(std::size_t number) noexcept {
        char digits[20];
        char* first = std::end(digits);
        do {
            *--first = static_cast<char>('0' + number % 10);
            number /= 10;
        } while (number != 0);
        add(first, static_cast<std::size_t>(std::end(digits) - first));
    }
    void print() const noexcept { [[maybe_unused]] const auto written = write(STDERR_FILENO, text_, len_); }

private:
    void add(const char* text, std::size_t len) noexcept {
        len = std::min(len, sizeof text_ - len_);
        std::memcpy(text_ + len_, text, len);
        len_ += len;
    }

    char text_[256] = {};
    std::size_t len_ = 0;
};

void on_fault(int, siginfo_t* info, void*) noexcept {
    auto* test = is_overflow.load(std::memory_order_relaxed);
    const auto size = info->si_code > 0 && test != nullptr ? test(info->si_addr) : 0;
    if (size != 0) {
        Line line;
        line.add("octavo: a job has overflowed its stack of ");
        line.add(size);
        line.add(" bytes; octavo_job_set_stack_size(), or OCTAVO_JOB_STACK in the environment, sets another size\n");
        line.print();
    }
    // The fault comes again when this returns, and has its default effect. A signal that was sent would not.
    signal(SIGSEGV, SIG_DFL);
    if (info->si_code <= 0) raise(SIGSEGV);
}

void install_handler() noexcept {
    struct sigaction present {};
    if (sigaction(SIGSEGV, nullptr, &present) != 0) return;
    if ((present.sa_flags & SA_SIGINFO) != 0 || present.sa_handler != SIG_DFL) return;
    struct sigaction ours {};
    ours.sa_sigaction = on_fault;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    sigaction(SIGSEGV, &ours, nullptr);
}

}  // namespace

void watch_thread(Overflowed* overflowed) noexcept {
    static std::once_flag once;
    is_overflow.store(overflowed, std::memory_order_relaxed);
    std::call_once(once, install_handler);
    stack_t present{};
    if (sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return;
    void* memory =
        mmap(nullptr, kAlternateSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return;
    stack_t ours{};
    ours.ss_sp = memory;
    ours.ss_size = kAlternateSize;
    if (sigaltstack(&ours, nullptr) == 0)
        alternate = memory;
    else
        munmap(memory, kAlternateSize);
}

void unwatch_thread() noexcept {
    if (alternate == nullptr) return;
    stack_t present{};
    if (sigaltstack(nullptr, &present) != 0 || present.ss_sp != alternate) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    if (sigaltstack(&none, nullptr) == 0) munmap(alternate, kAlternateSize);
    alternate = nullptr;
}

}  // namespace octavo::job::overflow
