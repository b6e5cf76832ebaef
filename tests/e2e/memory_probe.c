/* One signature, in a job, as a server's process makes them; then what of the process is resident, in KiB. Whether Octavo makes it is OPENSSL_CONF's matter. */
#include <openssl/async.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

static void require(int good, const char* what) {
    if (good) return;
    fprintf(stderr, "memory_probe: %s failed\n", what);
    exit(1);
}

static EVP_PKEY* key;

static int sign(void* unused) {
    static const unsigned char message[32] = {1};
    unsigned char signature[256];
    size_t len = sizeof signature;
    (void)unused;
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    require(context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1, "EVP_DigestSignInit");
    require(EVP_DigestSign(context, signature, &len, message, sizeof message) == 1, "EVP_DigestSign");
    EVP_MD_CTX_free(context);
    return 1;
}

static void sign_in_job(void) {
    ASYNC_JOB* job = NULL;
    ASYNC_WAIT_CTX* waiting = ASYNC_WAIT_CTX_new();
    int result = 0, status = ASYNC_PAUSE;
    while (status == ASYNC_PAUSE) status = ASYNC_start_job(&job, waiting, &result, sign, NULL, 0);
    require(status == ASYNC_FINISH && result == 1, "ASYNC_start_job");
    ASYNC_WAIT_CTX_free(waiting);
    ASYNC_cleanup_thread();
}

static void print_resident(void) {
    char line[256];
    FILE* file = fopen("/proc/self/smaps_rollup", "r");
    require(file != NULL, "/proc/self/smaps_rollup");
    while (fgets(line, sizeof line, file) != NULL) fputs(line, stdout);
    fclose(file);
}

int main(void) {
    key = EVP_RSA_gen(2048);
    require(key != NULL, "EVP_RSA_gen");
    sign_in_job();
    print_resident();
    EVP_PKEY_free(key);
    return 0;
}
