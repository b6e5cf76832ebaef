#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "secret.hpp"

/// Proves that the checker fires: each planted leak runs in a child, which must die of MemorySanitizer's report; a child
/// that uses a secret as the kernels do must live.
namespace {

using octavo::ct::secret;

volatile uint64_t sink;
alignas(64) uint64_t table[64];
alignas(64) uint64_t secrets[8] = {3, 1, 4, 1, 5, 9, 2, 6};

[[gnu::noinline]] void touch(uint64_t value) { sink = value; }

[[gnu::noinline]] void secret_branch() {
    if (secrets[0] & 1)
        touch(1);
    else
        table[5] = 7;
}

[[gnu::noinline]] void secret_index() {
    const uint64_t value = table[secrets[0] & 63];
    octavo::ct::declassify(&value, sizeof value);
    touch(value);
}

[[gnu::noinline]] void secret_store_index() { table[secrets[0] & 63] = 1; }

[[gnu::noinline]] void secret_loop_bound() {
    for (uint64_t i = 0; i < secrets[0]; ++i) touch(i);
}

[[gnu::noinline, gnu::target("avx512f")]] void secret_gather() {
    const __m512i index = _mm512_and_si512(_mm512_load_si512(secrets), _mm512_set1_epi64(63));
    _mm512_store_si512(table, _mm512_i64gather_epi64(index, table, 8));
}

/// A bit of a secret through the lanes' multiply-add, compare and blend, and only then into a branch.
[[gnu::noinline, gnu::target("avx512f,avx512ifma")]] void branch_behind_lanes() {
    const __m512i x = _mm512_load_si512(secrets);
    const __m512i product = _mm512_madd52hi_epu64(_mm512_madd52lo_epu64(x, x, x), x, x);
    const __mmask8 chosen = _mm512_cmpeq_epi64_mask(product, _mm512_set1_epi64(18));
    const __m512i result = _mm512_mask_blend_epi64(chosen, _mm512_setzero_si512(), product);
    alignas(64) uint64_t lanes[8];
    _mm512_store_si512(lanes, result);
    if (lanes[3] != 0) touch(lanes[3]);
}

/// The secret reaches the branch by a borrow alone.
[[gnu::noinline, gnu::target("avx512f")]] void branch_behind_borrow() {
    const __m512i low = _mm512_and_si512(_mm512_load_si512(secrets), _mm512_set1_epi64(0xFF));
    const __m512i borrow = _mm512_srai_epi64(_mm512_sub_epi64(low, _mm512_set1_epi64(4)), 52);
    alignas(64) uint64_t lanes[8];
    _mm512_store_si512(lanes, borrow);
    if (lanes[3] != 0) touch(1);
}

/// A permute takes its words from public ones, and what it takes is secret.
[[gnu::noinline, gnu::target("avx512f")]] void branch_behind_permute() {
    const __m512i low = _mm512_load_si512(table), high = _mm512_load_si512(table + 8);
    const __m512i chosen = _mm512_mask2_permutex2var_epi64(low, _mm512_load_si512(secrets), 1 << 3, high);
    alignas(64) uint64_t lanes[8];
    _mm512_store_si512(lanes, chosen);
    if (lanes[3] != 0) touch(lanes[3]);
}

/// Seven lanes are secret; the eighth is not, and may be branched on.
[[gnu::noinline, gnu::target("avx512f,avx512ifma")]] void public_lane() {
    octavo::ct::declassify(secrets + 6, sizeof secrets[6]);  // this plant's public number
    const __m512i x = _mm512_load_si512(secrets);
    alignas(64) uint64_t lanes[8];
    _mm512_store_si512(lanes, _mm512_madd52lo_epu64(_mm512_add_epi64(x, x), x, x));
    if (lanes[6] != 0) touch(lanes[6]);
}

/// Reads every entry and keeps one: what the kernels do.
[[gnu::noinline, gnu::target("avx512f,avx512ifma")]] void silent_choice() {
    const __m512i index = _mm512_load_si512(secrets);
    __m512i result = _mm512_setzero_si512();
    for (int i = 0; i < 8; ++i) {
        const __mmask8 chosen = _mm512_cmpeq_epi64_mask(index, _mm512_set1_epi64(i));
        result = _mm512_mask_blend_epi64(chosen, result, _mm512_load_si512(table + 8 * i));
    }
    _mm512_store_si512(table, _mm512_madd52lo_epu64(result, result, index));
}

struct Plant {
    const char* name;
    void (*run)();
    bool leaks;
};
constexpr Plant kPlants[] = {
    {"branch", secret_branch, true},
    {"index", secret_index, true},
    {"index of a store", secret_store_index, true},
    {"loop bound", secret_loop_bound, true},
    {"gather", secret_gather, true},
    {"branch behind lanes", branch_behind_lanes, true},
    {"branch behind borrow", branch_behind_borrow, true},
    {"branch behind permute", branch_behind_permute, true},
    {"public lane", public_lane, false},
    {"silent choice", silent_choice, false},
};

struct Outcome {
    int status;
    bool reported;
};

/// Runs the plant in a child and reads what it says on stderr.
Outcome run_child(const Plant& plant) {
    int ends[2];
    if (pipe(ends) != 0) return {-1, false};
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        secret(secrets, sizeof secrets);
        plant.run();
        _exit(0);
    }
    close(ends[1]);
    static char text[1 << 16];
    size_t len = 0;
    for (ssize_t got; len + 1 < sizeof text && (got = read(ends[0], text + len, sizeof text - 1 - len)) > 0;)
        len += static_cast<size_t>(got);
    text[len] = '\0';
    close(ends[0]);
    int status = -1;
    waitpid(child, &status, 0);
    return {status, strstr(text, "MemorySanitizer: use-of-uninitialized-value") != nullptr};
}

bool check(const Plant& plant) {
    const Outcome outcome = run_child(plant);
    const bool died = !WIFEXITED(outcome.status) || WEXITSTATUS(outcome.status) != 0;
    const bool good = died == plant.leaks && outcome.reported == plant.leaks;
    printf("%-21s %s: %s\n", plant.name, outcome.reported ? "reported" : "silent", good ? "as it should be" : "WRONG");
    return good;
}

}  // namespace

int main() {
    bool all_good = true;
    for (const Plant& plant : kPlants) {
        all_good = check(plant) && all_good;
    }
    return all_good ? 0 : 1;
}
