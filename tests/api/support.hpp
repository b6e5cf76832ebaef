#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <iosfwd>
#include <octavo/octavo.hpp>
#include <span>
#include <string_view>
#include <vector>

/// What the tests of the public API share: keys made with OpenSSL's big numbers, an oracle on the same, and checks that print what
/// the library says.

/// GoogleTest prints statuses by name.
void PrintTo(octavo_status status, std::ostream* out);

namespace octavo {
void PrintTo(Status status, std::ostream* out);
}  // namespace octavo

namespace api_test {

using Buffer = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

struct ExtraParts {
    Buffer prime, exponent, coefficient;
};

/// A key's numbers in memory that a test may spoil.
struct RsaParts {
    Buffer n, e, d, p, q, dp, dq, qinv;
    std::vector<ExtraParts> extra;
};

/// The parts as the C struct, which borrows from them.
class RawKey {
public:
    explicit RawKey(const RsaParts& parts);
    octavo_rsa_key& operator*() { return raw_; }
    octavo_rsa_key* operator->() { return &raw_; }
    octavo_rsa_key* get() { return &raw_; }
    octavo_rsa_prime& extra(std::size_t i) { return extra_[i]; }

private:
    std::vector<octavo_rsa_prime> extra_;
    octavo_rsa_key raw_{};
};

/// A new random key. `num_primes` from 2 to 5.
RsaParts random_parts(int bits, std::uint64_t e = 65537, int num_primes = 2);
/// A random key with p of `p_bits` and q of `q_bits`.
RsaParts unequal_parts(int p_bits, int q_bits);
/// The product of two well-known primes (RFC 3526 and RFC 7919) of half its width, because random ones would take minutes: for `bits` 4096,
/// 6144, 8192, 12288 or 16384.
RsaParts well_known_parts(int bits);
/// A key made once per process and width, random up to 4096 bits and well-known above.
const RsaParts& shared_parts(int bits);
/// Parts with these primes, whatever they are, and everything else computed as if all were well.
RsaParts parts_from(const std::vector<Buffer>& primes, std::uint64_t e);
Buffer random_prime(int bits, std::uint64_t e);

/// The same key without its CRT values.
RsaParts without_crt(RsaParts parts);
/// The same key's public half.
RsaParts public_half(const RsaParts& parts);

octavo::Key make_key(const RsaParts& parts);
octavo::Instance make_instance(octavo::Driver driver = octavo::Driver::automatic, std::uint32_t ring_size = 0);

/// base^exponent mod modulus, by OpenSSL, as long as the modulus.
Buffer mod_exp(View base, View exponent, View modulus);
/// A random number below `modulus`, as long as it.
Buffer random_below(View modulus);
/// `number` plus or minus a small number, of the same length.
Buffer plus(View number, int addend);
Buffer sum(View a, View b);
Buffer product(View a, View b);
Buffer small_number(std::uint64_t value);

/// True where `text` has `word` as a word of its own, in any case.
bool names(std::string_view text, std::string_view word);

/// That a call was refused with one of these statuses, and that the text names the field.
testing::AssertionResult refused(octavo_status got, std::initializer_list<octavo_status> wanted, const char* field);

inline constexpr octavo::Driver kAllDrivers[] = {octavo::Driver::in_line, octavo::Driver::threads,
                                                 octavo::Driver::automatic};
inline std::string driver_name(const testing::TestParamInfo<octavo::Driver>& driver) {
    constexpr const char* kNames[] = {"auto", "inline", "threads"};
    return kNames[static_cast<std::size_t>(driver.param)];
}

octavo_statistics statistics_of(octavo_instance instance);
/// submitted = completed + failed + cancelled + in flight.
testing::AssertionResult adds_up(const octavo_statistics& s);

/// A submission of `operation` without callback or wake-up.
octavo_submission plain_submission(const octavo::Key& key, std::uint32_t operation, View input);

/// Reaps until `done` or a few seconds have passed; for drivers with an engine thread.
template <typename Done>
bool poll_until(octavo_instance instance, Done&& done);

}  // namespace api_test

#include <chrono>
#include <thread>

template <typename Done>
bool api_test::poll_until(octavo_instance instance, Done&& done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!done()) {
        if (std::chrono::steady_clock::now() > limit) return false;
        size_t num_reaped = 0;
        if (octavo_poll(instance, 64, &num_reaped) != OCTAVO_OK) return false;
        if (num_reaped == 0) std::this_thread::yield();
    }
    return true;
}
