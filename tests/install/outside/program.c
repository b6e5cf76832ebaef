/* Raises 2 to the power of 65537 modulo n = 2^2047 + 1. As 2^2047 = -1 and 65537 = 32 * 2047 + 33, that is 2^33. */
#include <octavo/octavo.h>
#include <stdio.h>
#include <string.h>

enum { kLen = 256 };

static int fail(const char* what) {
    fprintf(stderr, "%s: %s\n", what, octavo_error_text());
    return 1;
}

static int is_right(const uint8_t* result) {
    uint8_t expected[kLen] = {0};
    expected[kLen - 1 - 33 / 8] = 1 << (33 % 8);
    return memcmp(result, expected, kLen) == 0;
}

int main(void) {
    uint8_t n[kLen] = {0}, input[kLen] = {0}, output[kLen];
    const uint8_t e[] = {1, 0, 1};
    octavo_rsa_key numbers = {0};
    octavo_key key;
    octavo_instance instance;
    size_t len = 0;

    n[0] = 0x80;
    n[kLen - 1] = 1;
    input[kLen - 1] = 2;
    numbers.size = sizeof numbers;
    numbers.n = (octavo_number){n, sizeof n};
    numbers.e = (octavo_number){e, sizeof e};
    if (octavo_key_create_rsa(&numbers, &key) != OCTAVO_OK) return fail("octavo_key_create_rsa");
    if (octavo_instance_create(NULL, &instance) != OCTAVO_OK) return fail("octavo_instance_create");
    if (octavo_execute(instance, key, OCTAVO_RSA_PUBLIC, input, kLen, output, kLen, &len) != OCTAVO_OK)
        return fail("octavo_execute");
    octavo_instance_destroy(instance);
    octavo_key_destroy(key);
    printf("C, version %u: %s\n", (unsigned)octavo_version(), len == kLen && is_right(output) ? "right" : "WRONG");
    return len == kLen && is_right(output) ? 0 : 1;
}
