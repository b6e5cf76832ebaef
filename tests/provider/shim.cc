#include "shim.hpp"

#include <dlfcn.h>

#include <cstdint>
#include <vector>

namespace octavo::test::shim {

std::atomic<int> executed{0}, submitted{0}, cancelled{0}, retries{0}, failure{OCTAVO_OK};
std::atomic<bool> takes_all{true};

namespace {

struct Held {
    octavo_submission submission;
    std::vector<std::uint8_t> input;
};
std::vector<Held> held;  // of one thread: that which holds
std::atomic<bool> holds{false};
constexpr std::uint64_t kFirstHeld = std::uint64_t{1} << 63;

octavo_request keep(const octavo_submission& submission) {
    held.push_back({submission, {submission.input, submission.input + submission.input_len}});
    return {kFirstHeld + held.size() - 1};
}

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

void hold() {
    held.clear();
    holds = true;
}
void release() { holds = false; }
std::size_t num_held() { return held.size(); }
octavo_wakeup held_wakeup(std::size_t index) { return held[index].submission.wakeup; }

}  // namespace octavo::test::shim

using namespace octavo::test;

octavo_status octavo_execute(octavo_instance instance, octavo_key key, uint32_t operation, const uint8_t* input,
                             size_t input_len, uint8_t* output, size_t capacity, size_t* output_len) {
    static auto* const real = shim::next<decltype(octavo_execute)>("octavo_execute");
    if (shim::failure != OCTAVO_OK) return static_cast<octavo_status>(shim::failure.load());
    shim::executed++;
    return real(instance, key, operation, input, input_len, output, capacity, output_len);
}

octavo_status octavo_submit(octavo_instance instance, const octavo_submission* submission, octavo_request* request) {
    static auto* const real = shim::next<decltype(octavo_submit)>("octavo_submit");
    if (shim::failure != OCTAVO_OK) return static_cast<octavo_status>(shim::failure.load());
    if (shim::retries > 0) {
        shim::retries--;
        return OCTAVO_RETRY;
    }
    shim::submitted++;
    if (shim::holds) {
        *request = shim::keep(*submission);
        return OCTAVO_PENDING;
    }
    return real(instance, submission, request);
}

octavo_status octavo_consult(octavo_instance instance, octavo_key key, uint32_t operation, int will_wait) {
    static auto* const real = shim::next<decltype(octavo_consult)>("octavo_consult");
    return shim::takes_all ? OCTAVO_OK : real(instance, key, operation, will_wait);
}

octavo_status octavo_result(octavo_instance instance, octavo_request request, uint8_t* output, size_t capacity,
                            size_t* output_len) {
    static auto* const real = shim::next<decltype(octavo_result)>("octavo_result");
    if (request.id < shim::kFirstHeld) return real(instance, request, output, capacity, output_len);
    if (shim::holds) return OCTAVO_PENDING;
    const auto& held = shim::held[request.id - shim::kFirstHeld];
    return octavo_execute(instance, held.submission.key, held.submission.operation, held.input.data(),
                          held.input.size(), output, capacity, output_len);
}

octavo_status octavo_cancel(octavo_instance instance, octavo_request request) {
    static auto* const real = shim::next<decltype(octavo_cancel)>("octavo_cancel");
    shim::cancelled++;
    return real(instance, request);
}
