#pragma once

#include "speed/operations.hpp"

/// Ciphers' side of `octavo speed`.
namespace octavo::cli {

/// Records of TLS by one cipher and key, sealed as libssl does it.
struct Records {
    const char* cipher;
    std::size_t key_len, text_len;
};

class CipherOperation final : public InPlaceOperation {
public:
    CipherOperation(const char* name, const char* text, const Records& records) noexcept
        : InPlaceOperation(name, text), records_(records) {}

    SidePtr provider(std::size_t depth, bool jobs) const override;
    SidePtr openssl(Counterpart of) const override;

private:
    Records records_;
};
Operations cipher_operations();

}  // namespace octavo::cli
