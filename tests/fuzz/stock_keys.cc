#include "stock_keys.hpp"

#include <string_view>

namespace fuzz {
namespace {

using api_test::Buffer;
using api_test::RsaParts;

std::uint8_t digit(char c) { return static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'A' + 10); }

Buffer from_hex(std::string_view hex) {
    Buffer bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(digit(hex[i]) << 4 | digit(hex[i + 1])));
    return bytes;
}

// Random primes, none of them 1 mod 3.
constexpr std::string_view k256a = "EA4EED93E465705F04BA9F12C6385CDA945E1210699DD098AB5B54B68D6C57B5";
constexpr std::string_view k256b = "EC9932AAA5E32AA73250ED7094806BF5DC2D9BD1DE7708CDCD7E02B3316ED7E3";
constexpr std::string_view k171[] = {"07606E44BF6E0491BFC2922FD3251F2C3F4A11F91429",
                                     "076F5C06C9BFE193FD5CFA6BA64CC5500F84D9F0B9C9",
                                     "07624F5BC5FF2E377361F886A978C90A22B673C969D1"};
constexpr std::string_view k1024a =
    "EA279C101F24782BD58AF7E2B7EA67F1AE4F4EAACB756AEF5C203736E8C51C81536547718ED49937F34502F021635E0E"
    "7B3E0596A232EEF6635161F276775C209C1A5E4BBEDD1E0DDC6A889A726AE195E2FF8AA394D45C31A44E992EAD21B0BD"
    "2F6D05E4247A66767443319921FFBB245616C8A5F0491E72773B08D34CA61C27";
constexpr std::string_view k1024b =
    "D5D7DB4CE55BEA8755FB4490A9A6F0DD763291BC190D0EF8E7C0F79FB1C7ADA75FEAD2CC9CC3A186A5AAF62D687AB7F0"
    "4A4A8BCD0E6633B4D1101BA91983ABB5181AB30F2628BBE4AC221E91B6D1BCDD829704FBDBED2855C5AEA99594A1A951"
    "BA22952A96721B5029BA0EFCE4E58CE367CA640F628315B5E3A79464BCC49893";

std::vector<RsaParts> make_keys() {
    const auto two = api_test::parts_from({from_hex(k256a), from_hex(k256b)}, 65537);
    const auto e3 = api_test::parts_from({from_hex(k256b), from_hex(k256a)}, 3);
    const auto three = api_test::parts_from({from_hex(k171[0]), from_hex(k171[1]), from_hex(k171[2])}, 65537);
    const auto lanes = api_test::parts_from({from_hex(k1024a), from_hex(k1024b)}, 65537);
    return {two, e3, three, api_test::without_crt(two), api_test::public_half(two), lanes};
}

}  // namespace

const std::vector<RsaParts>& stock_keys() {
    static const auto keys = make_keys();
    return keys;
}

std::vector<Buffer*> fields_of(RsaParts& k) {
    std::vector<Buffer*> fields = {&k.n, &k.e, &k.d, &k.p, &k.q, &k.dp, &k.dq, &k.qinv};
    for (auto& x : k.extra) fields.insert(fields.end(), {&x.prime, &x.exponent, &x.coefficient});
    return fields;
}

}  // namespace fuzz
