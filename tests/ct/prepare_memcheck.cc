#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "ct_key.hpp"
#include "kernel/rsa/rsa_forms.hpp"
#include "kernel/rsa/rsa_rows.hpp"

/// prepare_private, as the release's compiler made it, under valgrind's memcheck with the secrets undefined. Memcheck follows
/// a secret through carries, where MemorySanitizer loses it; it cannot run the lanes, which are AVX-512.
namespace {

using namespace octavo;
using namespace octavo::kernel::rsa;

ct::Key key;
alignas(64) unsigned char form_memory[sizeof(PrivateForm)];

template <std::size_t N>
Bytes secret(const std::uint8_t (&number)[N], std::size_t len) {
    VALGRIND_MAKE_MEM_UNDEFINED(number, N);
    return {number, len};
}

void prepare() {
    const std::size_t len = key.bits / 8, half = len / 2;
    Components c;
    c.n = {key.n, len};
    c.e = {key.e, sizeof key.e};
    c.p = secret(key.p, half);
    c.q = secret(key.q, half);
    c.dp = secret(key.dp, half);
    c.dq = secret(key.dq, half);
    c.qinv = secret(key.qinv, half);
    prepare_private(c, form_memory);
}

/// The secrets have reached the form: else nothing was checked.
bool flowed() {
    unsigned char bits[sizeof(PrivateForm)];
    if (VALGRIND_GET_VBITS(form_memory, bits, sizeof bits) != 1) return false;
    const auto undefined = [&](std::size_t at) { return bits[at] != 0; };
    return undefined(offsetof(PrivateForm, p.modulus.enter)) && undefined(offsetof(PrivateForm, q.exponent)) &&
           undefined(offsetof(PrivateForm, qinv)) && !undefined(offsetof(PrivateForm, pub.modulus.enter));
}

/// What the check has to find: a branch on the borrow of a subtraction, which MemorySanitizer does not see.
int planted_branch() {
    VALGRIND_MAKE_MEM_UNDEFINED(key.p, sizeof key.p);
    volatile unsigned zeros = 0;
    const std::uint64_t difference = (std::uint64_t{key.p[0]} & 0x7F) - 5;
    if ((difference >> 63) != 0) zeros = 1;
    return static_cast<int>(zeros & 0);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: valgrind --error-exitcode=1 prepare_memcheck KEYS|--plant\n");
        return 2;
    }
    if (strcmp(argv[1], "--plant") == 0) return planted_branch();
    if (RUNNING_ON_VALGRIND == 0) return fprintf(stderr, "prepare_memcheck: not under valgrind\n"), 2;
    FILE* file = fopen(argv[1], "rb");
    int num_keys = 0;
    while (file != nullptr && fread(&key, sizeof key, 1, file) == 1) {
        prepare();
        if (!flowed()) return fprintf(stderr, "prepare_memcheck: the secrets did not reach the form\n"), 1;
        ++num_keys;
    }
    printf("%d keys prepared\n", num_keys);
    return num_keys == ct::kKeysPerSize * 3 ? 0 : 1;
}
