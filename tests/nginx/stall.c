/* Preloaded into a server: as long as the file exists that STALL_FILE names, the device does nothing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <octavo/octavo.h>
#include <stdlib.h>
#include <unistd.h>

octavo_status octavo_poll_batch(octavo_instance instance, size_t* num_reaped) {
    static octavo_status (*real)(octavo_instance, size_t*);
    const char* file = getenv("STALL_FILE");
    if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "octavo_poll_batch");
    if (file != NULL && access(file, F_OK) == 0) {
        if (num_reaped != NULL) *num_reaped = 0;
        return OCTAVO_OK;
    }
    return real(instance, num_reaped);
}
