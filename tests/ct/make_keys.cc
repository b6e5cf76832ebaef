#include <cstdio>
#include <cstring>
#include <exception>

#include "ct_key.hpp"
#include "kernel/rsa/rsa_test_keys.hpp"

/// Writes fresh keys for rsa_ct. A program of its own: OpenSSL is not built with MemorySanitizer, and what it writes would
/// look uninitialised.
namespace {

namespace test = octavo::kernel::rsa::test;

template <std::size_t N>
void put(std::uint8_t (&field)[N], const test::ByteVector& number, std::size_t len) {
    const auto padded = test::bytes_of(test::bn(octavo::Bytes{number}), len);
    std::memcpy(field, padded.data(), padded.size());
}

octavo::ct::Key convert(const test::TestKey& key, std::uint32_t bits) {
    octavo::ct::Key out{};
    const std::size_t len = bits / 8, half = len / 2;
    out.bits = bits;
    put(out.e, key.e, sizeof out.e);
    put(out.n, key.n, len);
    put(out.in, test::random_below(key.n), len);
    put(out.p, key.p, half);
    put(out.q, key.q, half);
    put(out.dp, key.dp, half);
    put(out.dq, key.dq, half);
    put(out.qinv, key.qinv, half);
    return out;
}

void write_keys(std::FILE* file) {
    for (const std::uint32_t bits : octavo::ct::kSizes) {
        for (int i = 0; i < octavo::ct::kKeysPerSize; ++i) {
            const octavo::ct::Key key = convert(test::keys_of_size(bits)[static_cast<std::size_t>(i)], bits);
            if (std::fwrite(&key, sizeof key, 1, file) != 1) throw std::runtime_error("cannot write");
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: make_keys FILE\n");
        return 2;
    }
    try {
        std::FILE* file = std::fopen(argv[1], "wb");
        if (file == nullptr) throw std::runtime_error("cannot open");
        write_keys(file);
        if (std::fclose(file) != 0) throw std::runtime_error("cannot write");
    } catch (const std::exception& e) {
        std::fprintf(stderr, "make_keys: %s: %s\n", argv[1], e.what());
        return 1;
    }
    return 0;
}
