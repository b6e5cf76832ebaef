#include "frontend/async/libssl.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <new>
#include <type_traits>

#include "frontend/bridge/made_once.hpp"

namespace octavo::async {

const LibSsl& LibSsl::get() noexcept {
    static bridge::MadeOnce<const LibSsl*, nullptr> once;
    const auto* const libssl = once.get([] { return new (std::nothrow) LibSsl; });
    if (libssl == nullptr) std::abort();  // as without the functions: somebody has called us for them
    return *libssl;
}

LibSsl::LibSsl() noexcept {
    // Next in line where libssl is the program's own; else it came with a plug-in, in a scope that we do not see.
    void* library =
        dlsym(RTLD_NEXT, "SSL_free") != nullptr ? RTLD_NEXT : dlopen("libssl.so.3", RTLD_LAZY | RTLD_NOLOAD);
    const auto find = [&](auto& function, const char* name) {
        void* address = library == nullptr ? nullptr : dlsym(library, name);
        if (address == nullptr) std::abort();  // somebody has called us for libssl, so there is one
        function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
    };
    find(free, "SSL_free");
    find(up_ref, "SSL_up_ref");
    find(waiting_for_async, "SSL_waiting_for_async");
    find(ctrl, "SSL_ctrl");
    find(set_bio, "SSL_set_bio");
    find(set_msg_callback, "SSL_set_msg_callback");
    find(in_init, "SSL_in_init");
    find(do_handshake, "SSL_do_handshake");
    find(peek, "SSL_peek");
    find(get_context, "SSL_get_SSL_CTX");
    find(get_ex_data, "SSL_get_ex_data");
    find(set_ex_data, "SSL_set_ex_data");
    find(get_context_ex_data, "SSL_CTX_get_ex_data");
    find(set_context_ex_data, "SSL_CTX_set_ex_data");
    find(set_info_callback, "SSL_set_info_callback");
    find(get_info_callback, "SSL_get_info_callback");
    find(set_context_info_callback, "SSL_CTX_set_info_callback");
    find(get_context_info_callback, "SSL_CTX_get_info_callback");
}

}  // namespace octavo::async
