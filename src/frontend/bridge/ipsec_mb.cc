#include "frontend/bridge/ipsec_mb.hpp"

#include <dlfcn.h>

#include <new>

#include "frontend/bridge/made_once.hpp"

namespace octavo::bridge {
namespace {

/// The functions that are no fields of a manager.
struct Library {
    decltype(&alloc_mb_mgr) alloc;
    decltype(&init_mb_mgr_auto) init;
    decltype(&free_mb_mgr) free;
};

/// As the loader would have bound it: what the program itself brings comes first.
template <typename Function>
bool take(void* library, const char* name, Function& function) noexcept {
    void* symbol = dlsym(RTLD_DEFAULT, name);
    if (symbol == nullptr) symbol = dlsym(library, name);
    function = reinterpret_cast<Function>(symbol);
    return symbol != nullptr;
}

/// Never closed: managers hold pointers into it. Null where it is not to be had.
const Library* load() noexcept {
    Library found;
    void* const library = dlopen(OCTAVO_IPSEC_MB_SONAME, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr || !take(library, "alloc_mb_mgr", found.alloc) ||
        !take(library, "init_mb_mgr_auto", found.init) || !take(library, "free_mb_mgr", found.free))
        return nullptr;
    return new (std::nothrow) Library(found);
}

const Library* library() noexcept {
    static MadeOnce<const Library*, nullptr> once;
    return once.get(load);
}

}  // namespace

void FreeIpsecManager::operator()(IMB_MGR* manager) const noexcept { library()->free(manager); }

IpsecManager make_ipsec_manager() noexcept {
    const auto* const mb = library();
    if (mb == nullptr) return nullptr;
    IpsecManager made(mb->alloc(0));
    if (made != nullptr) mb->init(made.get(), nullptr);
    return made;
}

}  // namespace octavo::bridge
