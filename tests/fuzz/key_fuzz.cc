#include <octavo/octavo.h>

#include <algorithm>
#include <cstring>

#include "bytes.hpp"
#include "require.hpp"
#include "stock_keys.hpp"

/// Key import. The first byte chooses: a key of arbitrary fields, or a stock key with mutations. A key that is refused is refused
/// properly; one that is accepted never gives out a private result that its public half does not confirm.

namespace {

using api_test::RsaParts;
using fuzz::Buffer;
using fuzz::Reader;
using fuzz::require;

RsaParts arbitrary_key(Reader& in) {
    RsaParts parts;
    parts.extra.resize(in.byte() % 6);
    for (auto* field : fuzz::fields_of(parts)) *field = in.bytes(in.number(2) % 2200);
    return parts;
}

/// One change to one field.
void mutate(RsaParts& parts, Reader& in) {
    auto fields = fuzz::fields_of(parts);
    Buffer& field = *fields[in.byte() % fields.size()];
    const auto at = field.empty() ? 0 : in.number(2) % field.size();
    switch (in.byte() % 8) {
        case 0:
            if (!field.empty()) field[at] ^= static_cast<std::uint8_t>(1U << in.byte() % 8);
            break;
        case 1:
            if (!field.empty()) field[at] = in.byte();
            break;
        case 2:
            field.resize(at);
            break;
        case 3:
            field.insert(field.begin(), in.number(2) % 300, 0);
            break;
        case 4:
            field.insert(field.end(), in.byte() % 64, in.byte());
            break;
        case 5:
            std::fill(field.begin(), field.end(), std::uint8_t{0});
            break;
        case 6:
            field = *fields[in.byte() % fields.size()];
            break;
        default:
            parts.extra.resize(in.byte() % 6);
            break;
    }
}

/// Makes one field lie about its length. No longer than the library must refuse before it reads, if it points anywhere.
void lie(octavo_rsa_key& raw, Reader& in) {
    octavo_number* const numbers[] = {&raw.n, &raw.e, &raw.d, &raw.p, &raw.q, &raw.dp, &raw.dq, &raw.qinv};
    octavo_number& number = *numbers[in.byte() % 8];
    switch (in.byte() % 4) {
        case 0:
            number.data = nullptr;
            break;
        case 1:
            number.len = in.number(8) | std::size_t{1} << 12;
            break;
        case 2:
            raw.num_extra_primes = in.number(8) | 4;
            break;
        default:
            raw.size = in.number(8) == sizeof raw ? 0 : in.number(2);
            break;
    }
}

octavo_status execute(octavo_key key, std::uint32_t operation, const Buffer& in, Buffer& out) {
    static const octavo_instance instance = [] {
        octavo_instance made{};
        require(octavo_instance_create(nullptr, &made) == OCTAVO_OK, "no instance");
        return made;
    }();
    std::size_t len = 0;
    const auto status = octavo_execute(instance, key, operation, in.data(), in.size(), out.data(), out.size(), &len);
    require(status != OCTAVO_OK || len == in.size(), "the output has another length");
    return status;
}

Buffer without_zeros(const Buffer& number) {
    return {std::find_if(number.begin(), number.end(), [](auto b) { return b != 0; }), number.end()};
}

/// The key has a stock key's n and e: then RSA is a bijection, and its private operation has one right answer.
bool is_stock(const RsaParts& parts) {
    return std::any_of(fuzz::stock_keys().begin(), fuzz::stock_keys().end(), [&](const RsaParts& stock) {
        return without_zeros(parts.n) == without_zeros(stock.n) && without_zeros(parts.e) == without_zeros(stock.e);
    });
}

void use(octavo_key key, const RsaParts& parts, Reader& in) {
    std::size_t len = 0;
    require(octavo_key_length(key, &len) == OCTAVO_OK, "no length");
    require(len == without_zeros(parts.n).size(), "a wrong length");
    Buffer x(len), c(len), y(len), check(len);
    const auto low = in.bytes(len / 2);
    std::copy(low.begin(), low.end(), x.end() - static_cast<std::ptrdiff_t>(low.size()));
    require(execute(key, OCTAVO_RSA_PUBLIC, x, c) == OCTAVO_OK, "a public operation failed");
    const auto status = execute(key, OCTAVO_RSA_PRIVATE, c, y);
    if (status == OCTAVO_ERR_NO_PRIVATE_KEY) return require(parts.d.empty(), "the private key is gone");
    if (status == OCTAVO_ERR_OPERATION_FAILED) return;  // "primes" that are none, or a wrong d: noticed
    require(status == OCTAVO_OK, "an undocumented error of a private operation");
    require(execute(key, OCTAVO_RSA_PUBLIC, y, check) == OCTAVO_OK, "a public operation failed");
    require(check == c, "a wrong private result left");
    require(y == x || !is_stock(parts), "private(public(x)) is not x");
}

void check_refusal(octavo_status status, octavo_key key) {
    const bool documented = status == OCTAVO_ERR_NULL_ARGUMENT || status == OCTAVO_ERR_BAD_ARGUMENT ||
                            (status <= OCTAVO_ERR_KEY_N && status >= OCTAVO_ERR_KEY_EXTRA_PRIME);
    require(documented, "an undocumented refusal");
    require(key.id == 0, "a handle in spite of an error");
    require(std::strlen(octavo_error_text()) > 0, "no error text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Reader in{{data, size}};
    const auto mode = in.byte();
    RsaParts parts;
    if (mode % 4 == 0) {
        parts = arbitrary_key(in);
    } else {
        parts = fuzz::stock_keys()[in.byte() % fuzz::stock_keys().size()];
        for (int i = 0; i < mode % 4; ++i) mutate(parts, in);
    }
    api_test::RawKey raw{parts};
    if (mode & 0x80) lie(*raw, in);
    octavo_key key{1};
    const auto status = octavo_key_create_rsa(raw.get(), &key);
    if (status != OCTAVO_OK) {
        check_refusal(status, key);
        return 0;
    }
    use(key, parts, in);
    require(octavo_key_destroy(key) == OCTAVO_OK, "the key cannot be destroyed");
    return 0;
}
