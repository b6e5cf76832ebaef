#include "base/overflow.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <iterator>

namespace octavo::overflow {
namespace {

/// Room for a signal frame with every register that a CPU may have (AMX: 11 KiB), and for the handler.
constexpr std::size_t kAlternateSize = std::size_t{64} * 1024;

std::array<std::atomic<const Kind*>, 2> kinds{};

void add(const Kind& kind) noexcept {
    for (auto& slot : kinds) {
        const Kind* present = nullptr;
        if (slot.compare_exchange_strong(present, &kind, std::memory_order_relaxed) || present == &kind) return;
    }
}

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

void tell(const Kind& kind, std::size_t size) noexcept {
    Line line;
    line.add("octavo: ");
    line.add(kind.what);
    line.add(" of ");
    line.add(size);
    line.add(" bytes; ");
    line.add(kind.cure);
    line.add("\n");
    line.print();
}

void on_fault(int, siginfo_t* info, void*) noexcept {
    for (const auto& slot : kinds) {
        const auto* kind = slot.load(std::memory_order_relaxed);
        const auto size = info->si_code > 0 && kind != nullptr ? kind->overflowed(info->si_addr) : 0;
        if (size != 0) tell(*kind, size);
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

/// A thread's alternate signal stack, where it had none. A thread that ends gives it back, where it is still the thread's.
class Alternate {
public:
    Alternate() noexcept {
        stack_t present{};
        if (sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return;
        void* memory =
            mmap(nullptr, kAlternateSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) return;
        stack_t ours{};
        ours.ss_sp = memory;
        ours.ss_size = kAlternateSize;
        if (sigaltstack(&ours, nullptr) == 0)
            memory_ = memory;
        else
            munmap(memory, kAlternateSize);
    }
    Alternate(const Alternate&) = delete;
    Alternate& operator=(const Alternate&) = delete;
    ~Alternate() {
        stack_t present{};
        if (memory_ == nullptr || sigaltstack(nullptr, &present) != 0 || present.ss_sp != memory_) return;
        stack_t none{};
        none.ss_flags = SS_DISABLE;
        if (sigaltstack(&none, nullptr) == 0) munmap(memory_, kAlternateSize);
    }

private:
    void* memory_ = nullptr;
};

}  // namespace

void watch_thread(const Kind& kind) noexcept {
    static std::atomic<bool> is_installed{false};
    add(kind);
    // Twice does no harm.
    if (!is_installed.load(std::memory_order_relaxed)) {
        install_handler();
        is_installed.store(true, std::memory_order_relaxed);
    }
    [[maybe_unused]] static thread_local const Alternate alternate;
}

}  // namespace octavo::overflow
