#define OPENSSL_SUPPRESS_DEPRECATED  // EC_KEY: an EVP_PKEY of each job's numbers would cost more than the operation

#include "kernel/ec/ec_ref.hpp"

#include <openssl/ecdsa.h>
#include <string.h>

#include <memory>
#include <span>

#include "kernel/ec/secret.hpp"
#include "kernel/evp_ref.hpp"
#include "kernel/openssl_ref.hpp"

namespace octavo::kernel::ec {
namespace {

using KeyPtr = std::unique_ptr<EC_KEY, Deleter<EC_KEY_free>>;
using SigPtr = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;

template <RefCurve>
struct Names;
template <>
struct Names<RefCurve::p256> {
    static constexpr const char* kName = "P-256";
    static constexpr int kLen = 32;
};
template <>
struct Names<RefCurve::p384> {
    static constexpr const char* kName = "P-384";
    static constexpr int kLen = 48;
};

template <RefCurve kCurve>
const EC_GROUP* group_of() noexcept {
    static std::atomic<NamedGroup*> newest{nullptr};
    return kernel::group_of(Names<kCurve>::kName, newest);
}

BnPtr number(const std::uint8_t* bytes, int len) noexcept { return BnPtr{BN_bin2bn(bytes, len, nullptr)}; }

/// What the jobs of a batch share.
template <RefCurve kCurve>
class Arithmetic {
public:
    static constexpr int kLen = Names<kCurve>::kLen;

    Arithmetic() noexcept : group_(group_of<kCurve>()), ctx_(BN_CTX_new_ex(openssl_library())), prime_(BN_new()) {
        good_ = group_ != nullptr && ctx_ && prime_ &&
                EC_GROUP_get_curve(group_, prime_.get(), nullptr, nullptr, ctx_.get()) == 1;
    }
    bool good() const noexcept { return good_; }

    /// A secret scalar; null unless it is from 1 to n - 1.
    BnPtr scalar(const std::uint8_t* bytes) const noexcept {
        BnPtr k = number(bytes, kLen);
        if (!k || BN_is_zero(k.get()) || BN_cmp(k.get(), EC_GROUP_get0_order(group_)) >= 0) return nullptr;
        BN_set_flags(k.get(), BN_FLG_CONSTTIME);
        return k;
    }
    /// Null unless the point is on the curve, its coordinates less than p.
    PointPtr point(const std::uint8_t* x_bytes, const std::uint8_t* y_bytes) const noexcept {
        const BnPtr x = number(x_bytes, kLen), y = number(y_bytes, kLen);
        PointPtr point{EC_POINT_new(group_)};
        if (!x || !y || !point) return nullptr;
        if (BN_cmp(x.get(), prime_.get()) >= 0 || BN_cmp(y.get(), prime_.get()) >= 0) return nullptr;
        if (EC_POINT_set_affine_coordinates(group_, point.get(), x.get(), y.get(), ctx_.get()) != 1) return nullptr;
        return point;
    }
    /// Coordinates of scalar * point, or of scalar * G where there is no point; y may be null.
    bool multiply(const BnPtr& scalar, const EC_POINT* point, std::uint8_t* x, std::uint8_t* y) const noexcept {
        const PointPtr result{EC_POINT_new(group_)};
        const BnPtr x_number{BN_new()}, y_number{BN_new()};
        if (!result || !x_number || !y_number) return false;
        const BIGNUM* of_base = point == nullptr ? scalar.get() : nullptr;
        const BIGNUM* of_point = point == nullptr ? nullptr : scalar.get();
        if (EC_POINT_mul(group_, result.get(), of_base, point, of_point, ctx_.get()) != 1) return false;
        if (EC_POINT_get_affine_coordinates(group_, result.get(), x_number.get(), y_number.get(), ctx_.get()) != 1)
            return false;
        if (BN_bn2binpad(x_number.get(), x, kLen) != kLen) return false;
        return y == nullptr || BN_bn2binpad(y_number.get(), y, kLen) == kLen;
    }
    /// A key of either kind, or null.
    KeyPtr key(const BIGNUM* secret, const EC_POINT* point) const noexcept {
        KeyPtr key{EC_KEY_new_ex(openssl_library(), nullptr)};
        if (!key || EC_KEY_set_group(key.get(), group_) != 1) return nullptr;
        if (secret != nullptr && EC_KEY_set_private_key(key.get(), secret) != 1) return nullptr;
        if (point != nullptr && EC_KEY_set_public_key(key.get(), point) != 1) return nullptr;
        return key;
    }

private:
    const EC_GROUP* group_;
    BnCtxPtr ctx_;
    BnPtr prime_;
    bool good_;
};

template <RefCurve kCurve>
bool keygen(const Arithmetic<kCurve>& on, const KeygenJob& job) noexcept {
    const BnPtr k = on.scalar(job.scalar);
    return k && on.multiply(k, nullptr, job.x, job.y);
}

template <RefCurve kCurve>
bool derive(const Arithmetic<kCurve>& on, const DeriveJob& job) noexcept {
    const BnPtr k = on.scalar(job.scalar);
    const PointPtr peer = on.point(job.x, job.y);
    return k && peer && on.multiply(k, peer.get(), job.shared, nullptr);
}

template <RefCurve kCurve>
bool sign(const Arithmetic<kCurve>& on, const SignJob& job) noexcept {
    constexpr int kLen = Names<kCurve>::kLen;
    const BnPtr k = on.scalar(job.scalar);
    const KeyPtr key = k ? on.key(k.get(), nullptr) : nullptr;
    if (!key) return false;
    const SigPtr signature{ECDSA_do_sign(job.digest, kLen, key.get())};
    return signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), job.r, kLen) == kLen &&
           BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), job.s, kLen) == kLen;
}

template <RefCurve kCurve>
bool verify(const Arithmetic<kCurve>& on, const VerifyJob& job) noexcept {
    constexpr int kLen = Names<kCurve>::kLen;
    const PointPtr point = on.point(job.x, job.y);
    const KeyPtr key = point ? on.key(nullptr, point.get()) : nullptr;
    const SigPtr signature{ECDSA_SIG_new()};
    BnPtr r = number(job.r, kLen), s = number(job.s, kLen);
    if (!key || !signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return false;
    (void)r.release(), (void)s.release();
    return ECDSA_do_verify(job.digest, kLen, signature.get(), key.get()) == 1;
}

/// Runs each job, and zeroes its outputs where it fails.
template <RefCurve kCurve, typename Job, typename... Outputs>
void run_each(bool (*run)(const Arithmetic<kCurve>&, const Job&) noexcept, Job* jobs, std::size_t count,
              Outputs... outputs) noexcept {
    KeepErrors keep;
    const Arithmetic<kCurve> arithmetic;
    for (Job& job : std::span{jobs, count}) {
        job.ok = arithmetic.good() && run(arithmetic, job);
        if (!job.ok) (memset(job.*outputs, 0, Names<kCurve>::kLen), ...);
    }
}

}  // namespace

template <RefCurve kCurve>
void keygen_ref(KeygenJob* jobs, std::size_t count) noexcept {
    run_each(keygen<kCurve>, jobs, count, &KeygenJob::x, &KeygenJob::y);
}
template <RefCurve kCurve>
void derive_ref(DeriveJob* jobs, std::size_t count) noexcept {
    run_each(derive<kCurve>, jobs, count, &DeriveJob::shared);
}
template <RefCurve kCurve>
void sign_ref(SignJob* jobs, std::size_t count) noexcept {
    run_each(sign<kCurve>, jobs, count, &SignJob::r, &SignJob::s);
}
template <RefCurve kCurve>
void verify_ref(VerifyJob* jobs, std::size_t count) noexcept {
    run_each(verify<kCurve>, jobs, count);
}

template <RefCurve kCurve>
void nonces_ref(NonceJob* jobs, std::size_t count) noexcept {
    constexpr std::size_t kLen = Names<kCurve>::kLen;
    const auto& group = kCurve == RefCurve::p256 ? kGroupP256 : kGroupP384;
    for (NonceJob& job : std::span{jobs, count})
        derive_nonce(group, {job.scalar, kLen}, {job.digest, kLen}, {job.extra, kNonceExtraLen}, {job.nonce, kLen});
}

template void keygen_ref<RefCurve::p256>(KeygenJob*, std::size_t) noexcept;
template void keygen_ref<RefCurve::p384>(KeygenJob*, std::size_t) noexcept;
template void derive_ref<RefCurve::p256>(DeriveJob*, std::size_t) noexcept;
template void derive_ref<RefCurve::p384>(DeriveJob*, std::size_t) noexcept;
template void sign_ref<RefCurve::p256>(SignJob*, std::size_t) noexcept;
template void sign_ref<RefCurve::p384>(SignJob*, std::size_t) noexcept;
template void verify_ref<RefCurve::p256>(VerifyJob*, std::size_t) noexcept;
template void verify_ref<RefCurve::p384>(VerifyJob*, std::size_t) noexcept;

template void nonces_ref<RefCurve::p256>(NonceJob*, std::size_t) noexcept;
template void nonces_ref<RefCurve::p384>(NonceJob*, std::size_t) noexcept;

}  // namespace octavo::kernel::ec
