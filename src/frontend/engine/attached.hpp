#pragma once

#include <openssl/crypto.h>

#include <new>

#include "frontend/bridge/made_once.hpp"

/// What the engine keeps with a key of OpenSSL's: an object in the key's extra data.
namespace octavo::engine {

/// `Kind` says how OpenSSL's key type names its functions:
///   using Key, using State; static int new_index(CRYPTO_EX_dup*);
///   static void* get(const Key*, int); static int set(Key*, int, void*)
template <class Kind>
class Attached {
public:
    using Key = typename Kind::Key;
    using State = typename Kind::State;

    /// When the key is made. False when memory has run out.
    static bool attach(Key* key) noexcept {
        if (index() < 0) return false;
        auto* state = new (std::nothrow) State;
        if (state == nullptr) return false;
        if (Kind::set(key, index(), state) == 1) return true;
        delete state;
        return false;
    }
    /// When the key goes, or gets another method: before its extra data goes, for the engine may be gone by then.
    static void detach(Key* key) noexcept {
        delete of(key);
        Kind::set(key, index(), nullptr);
    }
    /// Null for a key that another method made.
    static State* of(const Key* key) noexcept { return static_cast<State*>(Kind::get(key, index())); }

private:
    static int index() noexcept {
        static bridge::MadeOnce<int, -1> once;
        return once.get([] { return Kind::new_index(duplicate); });
    }
    /// A copy keeps the state that it had, if it had one, and its numbers are others.
    static int duplicate(CRYPTO_EX_DATA* to, const CRYPTO_EX_DATA*, void** state, int number, long, void*) {
        auto* own = static_cast<State*>(CRYPTO_get_ex_data(to, number));
        if (own != nullptr) own->forget();
        *state = own;
        return 1;
    }
};

}  // namespace octavo::engine
