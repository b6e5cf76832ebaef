#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>

/// A cipher of OpenSSL's as the ground of one of the engine's: its functions do what Octavo does not, on the same EVP_CIPHER_CTX.
namespace octavo::engine {

class OwnCipher {
public:
    using Init = int(EVP_CIPHER_CTX*, const unsigned char*, const unsigned char*, int);
    using Run = int(EVP_CIPHER_CTX*, unsigned char*, const unsigned char*, size_t);
    using Control = int(EVP_CIPHER_CTX*, int, int, void*);
    using Cleanup = int(EVP_CIPHER_CTX*);

    /// Null where this build of OpenSSL or this CPU has none.
    explicit OwnCipher(const EVP_CIPHER* cipher) noexcept : cipher_(cipher) {
        if (cipher == nullptr) return;
        init = EVP_CIPHER_meth_get_init(cipher);
        run = EVP_CIPHER_meth_get_do_cipher(cipher);
        control = EVP_CIPHER_meth_get_ctrl(cipher);
        cleanup = EVP_CIPHER_meth_get_cleanup(cipher);
    }
    bool good() const noexcept { return init != nullptr && run != nullptr && control != nullptr; }

    Init* init = nullptr;
    Run* run = nullptr;
    Control* control = nullptr;
    Cleanup* cleanup = nullptr;  ///< null: nothing to do

    /// A cipher like it with these functions, whose contexts have a `State` behind OpenSSL's own data, zeros in the beginning. `more_flags` add to
    /// OpenSSL's. Null when memory has run out. (OpenSSL lets nobody replace the functions of a copy.)
    template <class State>
    EVP_CIPHER* extend(Init* its_init, Run* its_run, Control* its_control, Cleanup* its_cleanup,
                       unsigned long more_flags = 0) const noexcept {
        auto* made = EVP_CIPHER_meth_new(EVP_CIPHER_get_nid(cipher_), EVP_CIPHER_get_block_size(cipher_),
                                         EVP_CIPHER_get_key_length(cipher_));
        const bool good =
            made != nullptr && EVP_CIPHER_meth_set_iv_length(made, EVP_CIPHER_get_iv_length(cipher_)) == 1 &&
            EVP_CIPHER_meth_set_flags(made, EVP_CIPHER_get_flags(cipher_) | more_flags) == 1 &&
            EVP_CIPHER_meth_set_impl_ctx_size(made, static_cast<int>(own_size() + sizeof(State))) == 1 &&
            EVP_CIPHER_meth_set_init(made, its_init) == 1 && EVP_CIPHER_meth_set_do_cipher(made, its_run) == 1 &&
            EVP_CIPHER_meth_set_ctrl(made, its_control) == 1 &&
            (its_cleanup == nullptr || EVP_CIPHER_meth_set_cleanup(made, its_cleanup) == 1);
        if (good) return made;
        EVP_CIPHER_meth_free(made);
        return nullptr;
    }
    template <class State>
    State& state(EVP_CIPHER_CTX* context) const noexcept {
        return *reinterpret_cast<State*>(static_cast<std::uint8_t*>(EVP_CIPHER_CTX_get_cipher_data(context)) +
                                         own_size());
    }

private:
    /// Up to a boundary that any State may lie on: OpenSSL allocates by malloc().
    std::size_t own_size() const noexcept {
        constexpr std::size_t kBoundary = alignof(std::max_align_t);
        return (static_cast<std::size_t>(EVP_CIPHER_impl_ctx_size(cipher_)) + kBoundary - 1) / kBoundary * kBoundary;
    }

    const EVP_CIPHER* cipher_;
};

}  // namespace octavo::engine
