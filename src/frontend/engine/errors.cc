#include "frontend/engine/errors.hpp"

#include <openssl/err.h>

#include <cstdarg>

#include "frontend/bridge/made_once.hpp"

namespace octavo::engine {
namespace {

constexpr unsigned long code(Reason reason) { return ERR_PACK(0, 0, static_cast<int>(reason)); }

// OpenSSL writes the library's number into the codes, and keeps the table.
ERR_STRING_DATA library_name[] = {{0, "octavo engine"}, {0, nullptr}};
ERR_STRING_DATA reasons[] = {
    {code(Reason::version), "the libraries are of other versions than the engine"},
    {code(Reason::no_memory), "memory ran out"},
    {code(Reason::job_cancelled), "the job was cancelled"},
    {code(Reason::unknown_command), "no such control command"},
    {code(Reason::already_initialised), "too late: the engine is initialised"},
    {code(Reason::not_initialised), "too early: the engine is not initialised"},
    {code(Reason::already_set), "it was set before"},
    {code(Reason::conflicting_mode), "it does not go with the polling mode that was set before"},
    {code(Reason::out_of_range), "the number is out of its range"},
    {code(Reason::null_argument), "the command needs a pointer, and has none"},
    {code(Reason::bad_section_name), "that is no name for a section"},
    {code(Reason::section_refused), "the section cannot be had"},
    {code(Reason::no_such_instance), "there is no such instance"},
    {code(Reason::bad_bitmap), "that is no bitmap of algorithms"},
    {code(Reason::bad_threshold), "that is no list of ciphers and thresholds"},
    {code(Reason::refused), "the library refused"},
    {code(Reason::device), "the endpoint failed, restarts or is down, and the software fallback is switched off"},
    {0, nullptr},
};

int load() noexcept {
    const int library = ERR_get_next_error_library();
    return ERR_load_strings(library, library_name) == 1 && ERR_load_strings(library, reasons) == 1 ? library : 0;
}

int library() noexcept {
    static bridge::MadeOnce<int, 0> once;
    return once.get(load);
}

}  // namespace

bool load_errors() noexcept { return library() != 0; }

int raise(Reason reason, const char* where, const char* format, ...) noexcept {
    std::va_list arguments;
    va_start(arguments, format);
    ERR_new();
    ERR_set_debug("octavo", 0, where);
    ERR_vset_error(library(), static_cast<int>(reason), format, arguments);
    va_end(arguments);
    return 0;
}

}  // namespace octavo::engine
