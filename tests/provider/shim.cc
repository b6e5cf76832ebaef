#include "shim.hpp"

#include <dlfcn.h>

namespace octavo::test::shim {

std::atomic<int> executed{0}, submitted{0}, cancelled{0}, retries{0}, failure{OCTAVO_OK};
std::atomic<bool> takes_all{true};

namespace {

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace
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
    return real(instance, submission, request);
}

octavo_status octavo_consult(octavo_instance instance, octavo_key key, uint32_t operation, int will_wait) {
    static auto* const real = shim::next<decltype(octavo_consult)>("octavo_consult");
    return shim::takes_all ? OCTAVO_OK : real(instance, key, operation, will_wait);
}

octavo_status octavo_cancel(octavo_instance instance, octavo_request request) {
    static auto* const real = shim::next<decltype(octavo_cancel)>("octavo_cancel");
    shim::cancelled++;
    return real(instance, request);
}
