#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.hpp"
#include "ct_key.hpp"
#include "kernel/rsa/rsa_forms.hpp"
#include "kernel/rsa/rsa_rows.hpp"

/// Runs RSA's preparation and lanes with every secret poisoned. No iostream, container or test framework: they are not
/// built with MemorySanitizer.
namespace {

using namespace octavo;
using namespace octavo::ct;
using namespace octavo::kernel::rsa;

constexpr std::size_t kMaxLen = 512;
constexpr std::size_t kLanes = kKeysPerSize;

Key keys[kLanes];
alignas(64) PrivateForm private_forms[kLanes];
alignas(64) PublicForm public_forms[kLanes];
KeyForms forms[kLanes];
alignas(64) std::uint8_t scratch[kLaneScratchLen];
std::uint8_t outs[kLanes][kMaxLen];
int num_runs = 0;

/// n and e are the public key. Everything else, and the input (a plaintext, or a hash yet unpublished), is not.
void classify(const Key& key) {
    secret(key.in, sizeof key.in);
    secret(key.p, sizeof key.p);
    secret(key.q, sizeof key.q);
    secret(key.dp, sizeof key.dp);
    secret(key.dq, sizeof key.dq);
    secret(key.qinv, sizeof key.qinv);
}

Components components(const Key& key) {
    const std::size_t len = key.bits / 8, half = len / 2;
    Components c;
    c.n = {key.n, len};
    c.e = {key.e, sizeof key.e};
    c.p = {key.p, half};
    c.q = {key.q, half};
    c.dp = {key.dp, half};
    c.dq = {key.dq, half};
    c.qinv = {key.qinv, half};
    return c;
}

void prepare(std::size_t i) {
    const Components c = components(keys[i]);
    forms[i].public_form = prepare_public(c, &public_forms[i]);
    forms[i].private_form = prepare_private(c, &private_forms[i]);
    for (const HalfForm* half : {&private_forms[i].p, &private_forms[i].q}) {
        require(is_all_secret(half->modulus.enter, 1), "the form's prime lost its secrecy");
        require(is_all_secret(half->exponent, 1), "the form's exponent lost its secrecy");
    }
    require(is_all_secret(private_forms[i].qinv, 1), "the form's qinv lost its secrecy");
    require(is_public(&private_forms[i].pub, sizeof(PublicForm)), "the public part of the form depends on a secret");
    // whole again: what travelled by carries alone was lost (prepare_memcheck looks at that part)
    secret(&private_forms[i].p, sizeof(HalfForm));
    secret(&private_forms[i].q, sizeof(HalfForm));
    secret(private_forms[i].qinv, sizeof private_forms[i].qinv);
}

void run(Batch* batch, std::size_t count) {
    Job jobs[kLanes];
    const std::size_t len = keys[0].bits / 8;
    for (std::size_t i = 0; i < count; ++i) jobs[i] = {&forms[i], keys[i].in, outs[i], len, false};
    batch(jobs, count, scratch);
    for (std::size_t i = 0; i < count; ++i) {
        require(is_all_secret(outs[i], len), "the result does not depend on the secrets: nothing was checked");
        // whether a fault happened is told to the caller, who runs the operation again and counts it
        declassify(&jobs[i].ok, sizeof jobs[i].ok);
        require(jobs[i].ok, "the kernel refused a good key");
    }
    ++num_runs;
}

/// A result's public power is the input: the checked program computes what it should.
void check_results(std::size_t count) {
    const std::size_t len = keys[0].bits / 8;
    std::uint8_t back[kLanes][kMaxLen];
    Job jobs[kLanes];
    for (std::size_t i = 0; i < count; ++i) jobs[i] = {&forms[i], outs[i], back[i], len, false};
    run_public_avx512ifma(jobs, count, scratch);
    for (std::size_t i = 0; i < count; ++i) {
        // the test's own comparison
        declassify(back[i], len);
        declassify(keys[i].in, len);
        require(memcmp(back[i], keys[i].in, len) == 0, "wrong result");
        secret(keys[i].in, len);
    }
}

/// The path of a fault is as silent as the other.
void check_fault() {
    const std::size_t len = keys[0].bits / 8;
    Limb& limb = private_forms[1].q.modulus.enter[3];
    limb ^= 1;
    Job jobs[2] = {{&forms[0], keys[0].in, outs[0], len, false}, {&forms[1], keys[1].in, outs[1], len, false}};
    run_private_avx512ifma(jobs, 2, scratch);
    limb ^= 1;
    // as in run()
    declassify(&jobs[0].ok, sizeof(bool));
    declassify(&jobs[1].ok, sizeof(bool));
    require(jobs[0].ok && !jobs[1].ok, "a damaged form was not noticed");
    // a refused result is all zeros
    declassify(outs[1], len);
    for (std::size_t i = 0; i < len; ++i) require(outs[1][i] == 0, "a faulty result left");
}

void check_size(FILE* file, std::size_t only_count) {
    require(fread(keys, sizeof keys[0], kLanes, file) == kLanes, "the key file is too short");
    for (std::size_t i = 0; i < kLanes; ++i) {
        classify(keys[i]);
        prepare(i);
    }
    for (std::size_t count = 1; count <= kLanes; ++count) {
        if (only_count != 0 && count != only_count) continue;
        run(run_private_avx512ifma, count);
        check_results(count);
        run(run_public_avx512ifma, count);
    }
    check_fault();
    printf("%u bits: no branch or address depends on a secret\n", keys[0].bits);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc != 3)
        fail("usage: rsa_ct KEYS [COUNT] (a file from make_keys; one batch size, or else 1 to 8)");
    const std::size_t only_count = argc == 3 ? strtoul(argv[2], nullptr, 10) : 0;
    require(only_count <= kLanes, "COUNT is more than a batch holds");
    if (!__builtin_cpu_supports("avx512ifma") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq")) {
        fprintf(stderr,
                "\n*** NOT CHECKED: this CPU has no AVX512-IFMA, the lanes' constant time was not looked at ***\n\n");
        return 3;
    }
    FILE* file = fopen(argv[1], "rb");
    require(file != nullptr, "cannot open the key file");
    for (const std::uint32_t bits : kSizes) {
        check_size(file, only_count);
        require(keys[0].bits == bits, "the key file has other sizes");
    }
    fclose(file);
    printf("%d batches\n", num_runs);
    return 0;
}
