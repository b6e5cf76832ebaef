/* Preloaded into a server: every SSL_CTX logs its secrets into the file that KEYLOG_FILE names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

static void log_line(const SSL* ssl, const char* line) {
    FILE* file = fopen(getenv("KEYLOG_FILE"), "a");
    (void)ssl;
    if (file == NULL) return;
    fprintf(file, "%s\n", line);
    fclose(file);
}

SSL_CTX* SSL_CTX_new(const SSL_METHOD* method) {
    static SSL_CTX* (*real)(const SSL_METHOD*);
    SSL_CTX* ctx;
    if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "SSL_CTX_new");
    ctx = real(method);
    if (ctx != NULL) SSL_CTX_set_keylog_callback(ctx, log_line);
    return ctx;
}
