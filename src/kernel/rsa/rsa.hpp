#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.hpp"
#include "base/cpu.hpp"

/// Raw RSA (RFC 8017: RSAEP/RSAVP1 in 5.1.1 and 5.2.2, RSADP/RSASP1 with the CRT in 5.1.2 and 5.2.1), many at a time.
namespace octavo::kernel::rsa {

/// One factor beyond p and q of a multi-prime key (RFC 8017, 3.2): r_i, d_i = d mod (r_i - 1), t_i.
struct ExtraPrime {
    Bytes r, d, t;
};

/// A key's numbers, big-endian, borrowed. Empty means absent: a public key has n and e alone; a private key has d, and
/// either all five CRT values or none. Leading zeros are allowed.
struct Components {
    Bytes n, e, d, p, q, dp, dq, qinv;
    std::span<const ExtraPrime> extra = {};
};

inline constexpr std::size_t kMaxModulusBits = 16384;
inline constexpr std::size_t kMaxModulusBytes = kMaxModulusBits / 8;

/// Lane form of a public key: all that depends on n and e alone. Plain memory, sized for 4096 bits.
struct PublicForm;
/// Lane form of a private key with CRT values: plain memory, all of it secret; whoever owns the memory wipes it.
struct PrivateForm;
/// Portable form: an OpenSSL key in a library context of our own, which holds only the default provider.
class RefForm;

/// A key in the forms that the rows read; a row uses only its own, and the caller has made it.
struct KeyForms {
    const PublicForm* public_form = nullptr;
    const PrivateForm* private_form = nullptr;
    const RefForm* ref = nullptr;
};

/// One operation of a batch.
///   forms  the key
///   in     `len` bytes, big-endian, less than the modulus (the caller has checked it)
///   out    `len` bytes, big-endian; may be `in`, may not overlap it otherwise; all zeros where `ok` is false
///   len    the modulus length in bytes
///   ok     set by the row. False: the result was wrong by the check with the public exponent, or the row failed
struct Job {
    const KeyForms* forms;
    const std::uint8_t* in;
    std::uint8_t* out;
    std::size_t len;
    bool ok;
};

/// Runs `count` jobs, 1 <= count <= the row's `max_batch`, all of one modulus length, keys in any mix.
/// `scratch`: the row's `scratch_len` bytes, 64-byte aligned, for one batch at a time; no secret is left in it.
/// Lane rows: cannot fail but by `ok`; no allocation; wipe what they leave on the stack. A private batch takes time
/// that depends on `len`, `count` and the public exponents alone; every result has been checked with the public exponent
/// against its modulus. A public batch takes time that depends on `len`, `count` and the public exponents.
/// The `ref` row: blinds, and checks by the public exponent as OpenSSL does; allocates.
using Batch = void(Job* jobs, std::size_t count, void* scratch) noexcept;

/// One implementation. The first usable row that takes a key's shape is the lane row for it; `ref` ends the table and
/// takes every shape.
///   takes_public, takes_private  judge by shape alone (sizes, exponent, presence of CRT values), never by secret values
///   group_private, group_public  operations that one pass through the lanes holds: costs rise in steps of it
struct Row {
    const char* name;
    cpu::Features needs;
    bool (*takes_public)(const Components&) noexcept;
    bool (*takes_private)(const Components&) noexcept;
    Batch* run_public;
    Batch* run_private;
    std::size_t group_private, group_public, max_batch;
    std::size_t scratch_len;
};
std::span<const Row> rows() noexcept;

/// The first usable lane row, or null where the CPU (or an override) leaves only `ref`.
const Row* lane_row() noexcept;
/// The `ref` row.
const Row& ref_row() noexcept;

/// Sizes for the memory of the lane forms, 64-byte aligned.
extern const std::size_t kPublicFormSize, kPrivateFormSize;

/// Computes the lane forms in memory of the sizes above. The components have the shape that `takes_*` accepts and are
/// consistent (p q = n, qinv q = 1 mod p, ...: check_components). The private form's computation is constant time in its
/// secrets; it contains the public form that its result check needs. Runs on any CPU; allocates nothing.
PublicForm* prepare_public(const Components& key, void* memory) noexcept;
PrivateForm* prepare_private(const Components& key, void* memory) noexcept;

/// What is wrong with a key's numbers, or `ok`. Named after the field at fault.
enum class Fault { ok, n, e, d, p, q, dp, dq, qinv, extra, no_memory };

/// Checks consistency beyond shape: p q (r_3 ...) = n, p != q, e dP = 1 mod p - 1, e dQ = 1 mod q - 1, qInv q = 1 mod p; the
/// same for extra primes; 0 < d < n. Does not test primality. For public keys: nothing. Allocates.
Fault check_components(const Components& key) noexcept;

struct RefFormDelete {
    void operator()(RefForm* form) const noexcept;
};
using RefFormPtr = std::unique_ptr<RefForm, RefFormDelete>;
/// Null when OpenSSL refuses the key or memory runs out. The form may be used by many threads at once.
RefFormPtr make_ref_form(const Components& key) noexcept;

}  // namespace octavo::kernel::rsa
