// What a TLS record of 16 KiB costs through libssl, sealed and opened: by OpenSSL alone, by the provider and by the engine, in interleaved rounds.
//   records_bench [SUITE]     of TLS 1.3, or of TLS 1.2 by OpenSSL's name; TLS_AES_128_GCM_SHA256 without
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "records.hpp"
#include "support.hpp"

namespace octavo::test {
namespace {

constexpr std::size_t kRecord = 16384, kTurn = 32;
constexpr int kRounds = 201;

struct Way {
    const char* name;
    Connection connection;
    std::vector<double> seal_ns{}, open_ns{};
};

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "records_bench: %s fails: %s\n", what, first_reason().c_str());
    std::exit(1);
}

template <class Call>
double time_ns(Call&& call) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    call();
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

void turn(Way& way) {
    static Data record(kRecord, 7);
    double seal = 0, open = 0;
    std::size_t done = 0;
    for (std::size_t i = 0; i < kTurn; ++i) {
        seal += time_ns([&] { SSL_write_ex(way.connection.server.get(), record.data(), kRecord, &done); });
        if (done != kRecord) fail("a write");
        open += time_ns([&] { SSL_read_ex(way.connection.client.get(), record.data(), kRecord, &done); });
        if (done != kRecord) fail("a read");
    }
    way.seal_ns.push_back(seal / kTurn);
    way.open_ns.push_back(open / kTurn);
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + kRounds / 2, values.end());
    return values[kRounds / 2];
}

int run(const char* name) {
    const Suite suite{std::string(name).starts_with("TLS_") ? TLS1_3_VERSION : TLS1_2_VERSION, name};
    // A connection keeps the ciphers that its handshake found: the engine's come last, because it is the process's default then.
    std::vector<Way> ways;
    ways.push_back({"OpenSSL", connect_in_memory(without_octavo(), suite)});
    ways.push_back({"provider", connect_in_memory(with_octavo(), suite)});
    if (ENGINE_set_default_ciphers(engine()) != 1) fail("the engine");
    ways.push_back({"engine", connect_in_memory(without_octavo(), suite)});
    for (int i = 0; i < kRounds; ++i)
        for (auto& way : ways) turn(way);
    std::printf("%s, records of 16 KiB, medians of %d rounds\n", name, kRounds);
    for (const auto& way : ways)
        std::printf("%-9s seal %6.0f ns (%.2f of OpenSSL's rate)  open %6.0f ns (%.2f)\n", way.name,
                    median(way.seal_ns), median(ways[0].seal_ns) / median(way.seal_ns), median(way.open_ns),
                    median(ways[0].open_ns) / median(way.open_ns));
    return 0;
}

}  // namespace
}  // namespace octavo::test

int main(int count, char** arguments) { return octavo::test::run(count > 1 ? arguments[1] : "TLS_AES_128_GCM_SHA256"); }
