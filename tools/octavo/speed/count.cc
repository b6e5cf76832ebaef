#include "speed/count.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "speed/limit.hpp"
#include "speed/measure.hpp"
#include "usage.hpp"

extern "C" const char __executable_start, etext;  // the linker's

namespace octavo::cli {
namespace {

/// How often each instruction of this program was executed, by its distance from the program's start.
struct Trace {
    std::unordered_map<std::uint64_t, std::uint64_t> here;
    std::uint64_t elsewhere = 0;
};

std::uint64_t address_of(const char& symbol) { return reinterpret_cast<std::uint64_t>(&symbol); }

[[noreturn]] void fail_tracing(const char* what) {
    throw Failure(fmt::format("--count: {}: {} (is tracing forbidden here?)", what, std::strerror(errno)));
}

/// The child: stops before and after the call.
[[noreturn]] void run_traced(Side& side) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(1);
    raise(SIGSTOP);
    side.run(1);
    raise(SIGSTOP);
    _exit(0);
}

bool wait_for_stop(pid_t child, int signal) {
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFSTOPPED(status) && WSTOPSIG(status) == signal;
}

#if defined(__x86_64__)
Trace follow(pid_t child) {
    const auto start = address_of(__executable_start), end = address_of(etext);
    if (!wait_for_stop(child, SIGSTOP)) fail_tracing("the child did not stop");
    Trace trace;
    for (;;) {
        if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) fail_tracing("single steps");
        if (!wait_for_stop(child, SIGTRAP)) return trace;  // the second SIGSTOP
        const auto at = static_cast<std::uint64_t>(ptrace(PTRACE_PEEKUSER, child, offsetof(user, regs.rip), nullptr));
        if (at >= start && at < end)
            ++trace.here[at - start];
        else
            ++trace.elsewhere;
    }
}
#else
Trace follow(pid_t) { throw Failure("--count: counts on x86-64 alone"); }
#endif

Trace trace_call(Side& side) {
    side.run(1);  // what is made once is made now
    const pid_t child = fork();
    if (child < 0) fail_tracing("fork");
    if (child == 0) run_traced(side);
    struct Reaper {
        pid_t pid;
        ~Reaper() {
            kill(pid, SIGKILL);
            waitpid(pid, nullptr, 0);
        }
    } reaper{child};
    return follow(child);
}

struct Close {
    void operator()(FILE* pipe) const noexcept { pclose(pipe); }
};

/// Calls `use(distance from the program's start, mnemonic, operands)` for every instruction of this program.
template <typename Use>
void disassemble(Use&& use) {
    const std::string command =
        "objdump -d -w -M intel --no-show-raw-insn /proc/" + std::to_string(getpid()) + "/exe 2>/dev/null";
    const std::unique_ptr<FILE, Close> pipe(popen(command.c_str(), "r"));
    if (pipe == nullptr) throw Failure(fmt::format("--count: cannot start objdump: {}", std::strerror(errno)));
    std::array<char, 512> line;
    bool any = false;
    while (std::fgets(line.data(), line.size(), pipe.get()) != nullptr) {
        char mnemonic[32] = "";
        unsigned long long address = 0;
        int operands = 0;
        if (std::sscanf(line.data(), " %llx:\t%31s %n", &address, mnemonic, &operands) < 2) continue;
        any = true;
        use(address, mnemonic, operands > 0 ? line.data() + operands : "");
    }
    if (!any) throw Failure("--count: no objdump here, which tells what the instructions are: install binutils");
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

Kind kind_of(std::string_view mnemonic, std::string_view operands) noexcept {
    if (mnemonic.starts_with("vpmadd52")) return Kind::multiply_add;
    const bool vector = mnemonic.starts_with("v") || mnemonic.starts_with("k") || contains(operands, "xmm");
    if (!vector) return Kind::scalar;
    const bool moves = contains(mnemonic, "mov") || mnemonic.starts_with("vpbroadcast");
    const auto memory = operands.find('['), comma = operands.find(',');
    if (!moves || memory == std::string_view::npos) return Kind::vector;
    return memory < comma ? Kind::store : Kind::load;
}

InstructionCount count_instructions(const Operation& operation, std::size_t depth) {
    const auto side = operation.kernel(depth, RowChoice::lane);
    if (side->row() == "ref") throw Failure(fmt::format("--count: no lane row runs {} here", operation.name()));
    const auto trace = trace_call(*side);
    InstructionCount count;
    count.by_kind[static_cast<std::size_t>(Kind::elsewhere)] = trace.elsewhere;
    disassemble([&](std::uint64_t address, std::string_view mnemonic, std::string_view operands) {
        const auto found = trace.here.find(address);
        if (found == trace.here.end()) return;
        const auto kind = kind_of(mnemonic, operands);
        count.by_kind[static_cast<std::size_t>(kind)] += found->second;
        const bool computes = kind == Kind::multiply_add || kind == Kind::vector;
        if (computes && contains(operands, "[")) count.memory_operands += found->second;
    });
    return count;
}

void print_counts(const Operations& chosen, std::size_t depth) {
    const auto peak = multiply_add_peak();
    if (!peak) throw Failure("--count: this CPU has no avx512ifma, or OCTAVO_DISABLE_CPU takes it away");
    Progress progress;
    fmt::print(
        "instructions for one operation of {} in a call; {:.2f} multiply-adds (vpmadd52) per ns are the limit\n\n",
        depth, *peak);
    fmt::print("{:<16} {:>13} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>6}\n", "operation", "multiply-adds",
               "vector", "loads", "stores", "scalar", "libc", "from mem.", "us", "limit");
    for (const auto* operation : chosen) {
        if (operation->is_in_place()) continue;
        operation->prepare(progress);
        const auto count = count_instructions(*operation, depth);
        const auto side = operation->kernel(depth, RowChoice::lane);
        Side* const sides[] = {side.get()};
        const double ns = median(measure(sides, make_plan(0.5, 1), progress).ns_per_op[0]);
        progress.clear();
        const auto each = [&](std::uint64_t all) { return static_cast<double>(all) / static_cast<double>(depth); };
        fmt::print("{:<16} {:>13.0f} {:>9.0f} {:>9.0f} {:>9.0f} {:>9.0f} {:>9.0f} {:>9.0f} {:>9.2f} {:>5.0f}%\n",
                   operation->name(), each(count.of(Kind::multiply_add)), each(count.of(Kind::vector)),
                   each(count.of(Kind::load)), each(count.of(Kind::store)), each(count.of(Kind::scalar)),
                   each(count.of(Kind::elsewhere)), each(count.memory_operands), ns / 1e3,
                   100 * each(count.of(Kind::multiply_add)) / ns / *peak);
        std::fflush(stdout);
    }
}

}  // namespace octavo::cli
