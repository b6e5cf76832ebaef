#define OPENSSL_SUPPRESS_DEPRECATED  // ENGINE: deprecated in OpenSSL 3, gone in 4
#include "frontend/engine/control.hpp"

#include <openssl/engine.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "frontend/engine/errors.hpp"
#include "frontend/engine/life.hpp"
#include "frontend/engine/offload.hpp"
#include "frontend/engine/thresholds.hpp"
#include "octavo/octavo.h"

namespace octavo::engine {
namespace {

constexpr long kMaxRetries = 100000, kMaxIntervalNs = 10000000, kMaxTimeoutMs = 10000;
/// What POLL and HEARTBEAT_POLL write: as a card's driver has it.
constexpr int kSuccess = 0, kFailure = -1;

struct Command;
struct Call {
    const Command& command;
    long number;
    void* pointer;
};

struct Command {
    unsigned number;  // from ENGINE_CMD_BASE on
    const char* name;
    const char* description;
    unsigned flags;
    enum class When { any_time, after_init } when;
    /// False with an error raised.
    bool (*run)(const Call& call);
};

bool refuse(const Call& call, Reason reason) { return raise(reason, call.command.name) != 0; }
/// With the library's sentence for its last error.
bool refuse_with_text(const Call& call, Reason reason) {
    return raise(reason, call.command.name, "%s", octavo_error_text()) != 0;
}

bool in_range(const Call& call, long first, long last) {
    if (call.number >= first && call.number <= last) return true;
    return raise(Reason::out_of_range, call.command.name, "%ld: %ld to %ld", call.number, first, last) != 0;
}

/// Where the answer goes.
template <class Value>
bool answer(const Call& call, Value value) {
    if (call.pointer == nullptr) return refuse(call, Reason::null_argument);
    *static_cast<Value*>(call.pointer) = value;
    return true;
}

template <Way way>
bool choose_way(const Call& call) {
    return choose(way, call.command.name);
}

bool poll(const Call& call) {
    if (call.pointer == nullptr) return refuse(call, Reason::null_argument);
    if (!is_external()) return refuse(call, Reason::conflicting_mode);
    return answer(call, octavo_polling_poll(OCTAVO_POLLING_ALL, nullptr) == OCTAVO_OK ? kSuccess : kFailure);
}

bool bind_thread(const Call& call) {
    if (call.number < 0) return refuse(call, Reason::no_such_instance);
    if (!ensure_init()) return false;
    return octavo_polling_bind(static_cast<std::size_t>(call.number)) == OCTAVO_OK ||
           refuse_with_text(call, Reason::no_such_instance);
}

bool get_retries(const Call& call) {
    std::uint64_t count = 0;
    octavo_retry_count(&count);
    return answer(call, static_cast<unsigned>(count));
}

bool set_retries(const Call& call) {
    return in_range(call, -1, kMaxRetries) &&
           (octavo_retry_limit_set(static_cast<std::int32_t>(call.number)) == OCTAVO_OK ||
            refuse_with_text(call, Reason::refused));
}

bool interval(const Call& call) {
    return in_range(call, 1, kMaxIntervalNs) && set_interval(static_cast<std::uint64_t>(call.number));
}

bool timeout(const Call& call) {
    return in_range(call, 1, kMaxTimeoutMs) && set_timeout(static_cast<std::uint32_t>(call.number));
}

bool get_fd(const Call& call) {
    int fd = -1;
    if (call.pointer == nullptr) return refuse(call, Reason::null_argument);
    if (!is_external()) return refuse(call, Reason::conflicting_mode);
    if (call.number < 0 || octavo_polling_fd(static_cast<std::size_t>(call.number), &fd) != OCTAVO_OK)
        return refuse(call, Reason::no_such_instance);
    return answer(call, fd);
}

bool get_instances(const Call& call) {
    std::size_t count = 0;
    if (octavo_polling_count(&count) != OCTAVO_OK) return refuse_with_text(call, Reason::refused);
    return answer(call, static_cast<int>(count));
}

/// The counter's address, which the application reads from then on.
bool get_in_flight(const Call& call) {
    const volatile std::int32_t* count = nullptr;
    if (!in_range(call, OCTAVO_IN_FLIGHT_ASYMMETRIC, OCTAVO_IN_FLIGHT_CIPHER)) return false;
    if (octavo_polling_in_flight(static_cast<std::uint32_t>(call.number), &count) != OCTAVO_OK)
        return refuse_with_text(call, Reason::refused);
    return answer(call, const_cast<int*>(count));
}

bool thresholds(const Call& call) {
    if (call.pointer == nullptr) return refuse(call, Reason::null_argument);
    return set_thresholds(static_cast<const char*>(call.pointer));
}

bool section(const Call& call) {
    if (call.pointer == nullptr) return refuse(call, Reason::null_argument);
    return set_section(static_cast<const char*>(call.pointer));
}

bool initialise(const Call&) { return ensure_init(); }

/// Whether every endpoint that the process uses answers.
bool heartbeat(const Call& call) {
    std::size_t count = 0;
    int status = kSuccess;
    if (octavo_endpoint_count(&count) != OCTAVO_OK) return refuse_with_text(call, Reason::refused);
    for (std::size_t i = 0; i < count; ++i) {
        octavo_endpoint endpoint{};
        endpoint.size = sizeof endpoint;
        if (octavo_endpoint_get(i, &endpoint) == OCTAVO_OK && endpoint.is_alive == 0) status = kFailure;
    }
    return answer(call, status);
}

bool fall_back(const Call&) { return enable_fallback(); }

bool disable_offload(const Call&) {
    set_offload(false);
    return true;
}

/// Hexadecimal, with 0x or without.
bool read_bitmap(const char* text, std::uint32_t& bits) {
    if (std::strncmp(text, "0x", 2) == 0 || std::strncmp(text, "0X", 2) == 0) text += 2;
    constexpr int kHexadecimal = 16;
    const auto* last = text + std::strlen(text);
    const auto [end, error] = std::from_chars(text, last, bits, kHexadecimal);
    return error == std::errc() && end == last && (bits & ~kAlgorithmBits) == 0;
}

template <Bitmap which>
bool bitmap(const Call& call) {
    std::uint32_t bits = 0;
    if (call.pointer == nullptr) return refuse(call, Reason::null_argument);
    if (!read_bitmap(static_cast<const char*>(call.pointer), bits))
        return raise(Reason::bad_bitmap, call.command.name, "a hexadecimal number up to 0x%x is wanted",
                     kAlgorithmBits) != 0;
    set_bitmap(which, bits);
    return true;
}

using When = Command::When;
constexpr unsigned kNoInput = ENGINE_CMD_FLAG_NO_INPUT, kNumeric = ENGINE_CMD_FLAG_NUMERIC,
                   kString = ENGINE_CMD_FLAG_STRING;

/// In the order of their numbers, by which programs made for cards know them, too.
constexpr Command kCommands[] = {
    {0, "ENABLE_EXTERNAL_POLLING", "The application polls, with POLL", kNoInput, When::any_time,
     choose_way<Way::external>},
    {1, "POLL", "Polls all instances once; writes an int: 0, or -1 for a failure", kNoInput, When::after_init, poll},
    {2, "SET_INSTANCE_FOR_THREAD", "Binds the calling thread to an instance, by number", kNumeric, When::any_time,
     bind_thread},
    {3, "GET_NUM_OP_RETRIES", "Writes an unsigned: how often a full ring refused a request", kNoInput, When::after_init,
     get_retries},
    {4, "SET_MAX_RETRY_COUNT", "How often a job tries again at a full ring: 0 to 100000, -1 for ever", kNumeric,
     When::any_time, set_retries},
    {5, "SET_INTERNAL_POLL_INTERVAL", "Nanoseconds between polls in timer mode: 1 to 10000000", kNumeric,
     When::any_time, interval},
    {6, "GET_EXTERNAL_POLLING_FD", "Writes an int: the descriptor that tells when to POLL that instance", kNumeric,
     When::after_init, get_fd},
    {7, "ENABLE_EVENT_DRIVEN_POLLING_MODE", "An internal thread waits for events", kNoInput, When::any_time,
     choose_way<Way::event_driven>},
    {8, "GET_NUM_CRYPTO_INSTANCES", "Writes an int: the number of instances", kNoInput, When::after_init,
     get_instances},
    {9, "DISABLE_EVENT_DRIVEN_POLLING_MODE", "An internal thread polls by a timer", kNoInput, When::any_time,
     choose_way<Way::timer>},
    {10, "SET_EPOLL_TIMEOUT", "Milliseconds that the event-driven thread sleeps at most: 1 to 10000", kNumeric,
     When::any_time, timeout},
    {11, "SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD", "CIPHER:BYTES,...: smaller records stay with OpenSSL", kString,
     When::any_time, thresholds},
    {12, "ENABLE_INLINE_POLLING", "Whoever waits polls", kNoInput, When::any_time, choose_way<Way::inline_>},
    {13, "ENABLE_HEURISTIC_POLLING",
     "The application polls by GET_NUM_REQUESTS_IN_FLIGHT; after ENABLE_EXTERNAL_POLLING", kNoInput, When::any_time,
     choose_way<Way::heuristic>},
    {14, "GET_NUM_REQUESTS_IN_FLIGHT",
     "Writes the address of an int: requests in flight; 1 asymmetric, 2 KDF, 3 cipher", kNumeric, When::after_init,
     get_in_flight},
    {15, "INIT_ENGINE", "Initialises the engine where that has not been done", kNoInput, When::any_time, initialise},
    {16, "SET_CONFIGURATION_SECTION_NAME", "The section of the endpoint files that the process takes part in", kString,
     When::any_time, section},
    {17, "ENABLE_SW_FALLBACK", "What a failed endpoint cannot do is done by OpenSSL", kNoInput, When::any_time,
     fall_back},
    {18, "HEARTBEAT_POLL", "Writes an int: 0, or -1 where an endpoint does not answer", kNoInput, When::after_init,
     heartbeat},
    {19, "DISABLE_QAT_OFFLOAD", "Leaves all operations to OpenSSL from now on", kNoInput, When::after_init,
     disable_offload},
    {20, "HW_ALGO_BITMAP", "Hexadecimal: the algorithms to take over", kString, When::any_time,
     bitmap<Bitmap::hardware>},
    {21, "SW_ALGO_BITMAP", "Hexadecimal: the algorithms to take over", kString, When::any_time,
     bitmap<Bitmap::software>},
};
constexpr std::size_t kNumCommands = std::size(kCommands);

constexpr auto kDefinitions = [] {
    std::array<ENGINE_CMD_DEFN, kNumCommands + 1> table{};  // the last is zeroed, and so ends it
    for (std::size_t i = 0; i < kNumCommands; ++i)
        table[i] = {ENGINE_CMD_BASE + kCommands[i].number, kCommands[i].name, kCommands[i].description,
                    kCommands[i].flags};
    return table;
}();

int control(ENGINE*, int number, long value, void* pointer, void (*)()) {
    const auto* command = std::find_if(std::begin(kCommands), std::end(kCommands), [number](const Command& known) {
        return ENGINE_CMD_BASE + static_cast<int>(known.number) == number;
    });
    if (command == std::end(kCommands)) return raise(Reason::unknown_command, __func__, "%d", number);
    if (command->when == When::after_init && !is_init()) return raise(Reason::not_initialised, command->name);
    return command->run({*command, value, pointer}) ? 1 : 0;
}

}  // namespace

bool add_commands(ENGINE* engine) noexcept {
    return ENGINE_set_cmd_defns(engine, kDefinitions.data()) == 1 && ENGINE_set_ctrl_function(engine, control) == 1;
}

}  // namespace octavo::engine
