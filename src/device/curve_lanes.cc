#include <algorithm>
#include <array>

#include "base/wipe.hpp"
#include "device/lanes.hpp"
#include "kernel/ec/secret.hpp"
#include "kernel/ed25519/ed25519.hpp"
#include "kernel/p256/p256.hpp"
#include "kernel/p384/p384.hpp"
#include "kernel/x25519/x25519.hpp"
#include "request/ec_key.hpp"

namespace octavo::device {
namespace {

namespace ec = kernel::ec;
namespace ed25519 = kernel::ed25519;
namespace x25519 = kernel::x25519;

constexpr std::uint8_t kUncompressed = 4;

struct P256 {
    static constexpr std::size_t kLen = 32;
    static const ec::Row& row() noexcept { return *kernel::p256::lane_row(); }
    static const ec::Group& group() noexcept { return ec::kGroupP256; }
};
struct P384 {
    static constexpr std::size_t kLen = 48;
    static const ec::Row& row() noexcept { return *kernel::p384::lane_row(); }
    static const ec::Group& group() noexcept { return ec::kGroupP384; }
};

template <typename Curve>
using Field = std::array<std::uint8_t, Curve::kLen>;

const request::EcKey& key_of(const Work& work) noexcept { return static_cast<const request::EcKey&>(*work.key); }

void done(Work& work, octavo_status status, Counters::Work& counters) noexcept {
    work.status = status;
    add(counters.lane_requests, 1);
}

void again(Work& work, Counters::Work& counters) noexcept {
    add(counters.fallback[OCTAVO_FALLBACK_CHECK], 1);
    run_on_ref_row(work);
}

/// Ends one whose `ok` judges its input: `status` where that is bad.
void judge(Work& work, bool ok, octavo_status status, Counters::Work& counters) noexcept {
    done(work, ok ? OCTAVO_OK : status, counters);
}

/// Ends one whose input is known to be good. Where lanes could not do it, the portable row does, whose operand lies where
/// `deliver` puts the result.
template <typename Deliver>
void finish(Work& work, bool ok, Counters::Work& counters, Deliver&& deliver) noexcept {
    if (!ok) return again(work, counters);
    deliver();
    done(work, OCTAVO_OK, counters);
}

/// FIPS 186-5, 6.4.1, step 2: a longer hash is cut, a shorter one is a number as it is.
template <typename Curve>
void take_digest(Bytes digest, Field<Curve>& out) noexcept {
    const auto used = digest.first(std::min(digest.size(), out.size()));
    const auto begin = std::fill_n(out.begin(), out.size() - used.size(), std::uint8_t{0});
    std::copy(used.begin(), used.end(), begin);
}

/// The points that signatures must verify under: the keys' own; computed for keys that were given without.
template <typename Curve>
struct Points {
    std::array<Field<Curve>, kMaxBatch> x, y;

    void fill(std::span<const Work> batch) noexcept {
        std::array<ec::KeygenJob, kMaxBatch> jobs;
        std::size_t count = 0;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const Bytes point = key_of(batch[i]).public_key();
            if (point.empty()) {
                jobs[count++] = {key_of(batch[i]).private_key().data(), x[i].data(), y[i].data(), false};
            } else {
                std::copy_n(point.begin() + 1, Curve::kLen, x[i].begin());
                std::copy_n(point.begin() + 1 + Curve::kLen, Curve::kLen, y[i].begin());
            }
        }
        if (count > 0) Curve::row().keygen(jobs.data(), count);
    }
};

/// Takes back the `ok` of signatures that do not verify.
template <typename Curve>
[[gnu::noinline]] void check_signatures(std::span<const Work> batch, std::span<ec::SignJob> jobs) noexcept {
    Points<Curve> points;
    points.fill(batch);
    std::array<ec::VerifyJob, kMaxBatch> checks;
    for (std::size_t i = 0; i < batch.size(); ++i)
        checks[i] = {jobs[i].digest, jobs[i].r, jobs[i].s, points.x[i].data(), points.y[i].data(), false};
    Curve::row().verify(checks.data(), batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) jobs[i].ok = jobs[i].ok && checks[i].ok;
}

template <typename Curve>
void sign(std::span<Work> batch, Counters::Work& counters) noexcept {
    struct {
        std::array<Field<Curve>, kMaxBatch> digests, nonces, r, s;
        std::array<std::uint8_t, kMaxBatch * ec::kNonceExtraLen> extra{};
    } data;
    const WipeOnExit wiper{data};
    std::array<ec::NonceJob, kMaxBatch> nonces;
    std::array<ec::SignJob, kMaxBatch> jobs;
    // Without randomness the nonces are those of RFC 6979 alone: as safe, but for faults.
    [[maybe_unused]] const bool hedged = ec::random_secret({data.extra.data(), batch.size() * ec::kNonceExtraLen});
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const Bytes scalar = key_of(batch[i]).private_key();
        take_digest<Curve>(batch[i].in, data.digests[i]);
        nonces[i] = {scalar.data(), data.digests[i].data(), data.extra.data() + i * ec::kNonceExtraLen,
                     data.nonces[i].data()};
        jobs[i] = {data.digests[i].data(), scalar.data(),    data.nonces[i].data(),
                   data.r[i].data(),       data.s[i].data(), false};
    }
    Curve::row().nonces(nonces.data(), batch.size());
    Curve::row().sign(jobs.data(), batch.size());
    if (batch[0].route.is_checked) check_signatures<Curve>(batch, {jobs.data(), batch.size()});
    for (std::size_t i = 0; i < batch.size(); ++i)
        finish(batch[i], jobs[i].ok, counters, [&] {
            const auto end = std::copy(data.r[i].begin(), data.r[i].end(), batch[i].out.begin());
            std::copy(data.s[i].begin(), data.s[i].end(), end);
        });
}

template <typename Curve>
void verify(std::span<Work> batch, Counters::Work& counters) noexcept {
    std::array<Field<Curve>, kMaxBatch> digests;
    std::array<ec::VerifyJob, kMaxBatch> jobs;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto* signature = batch[i].in.data();
        const auto* point = key_of(batch[i]).public_key().data() + 1;
        take_digest<Curve>(batch[i].in.subspan(2 * Curve::kLen), digests[i]);
        jobs[i] = {digests[i].data(), signature, signature + Curve::kLen, point, point + Curve::kLen, false};
    }
    Curve::row().verify(jobs.data(), batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) judge(batch[i], jobs[i].ok, OCTAVO_ERR_BAD_SIGNATURE, counters);
}

template <typename Curve>
void derive(std::span<Work> batch, Counters::Work& counters) noexcept {
    std::array<Field<Curve>, kMaxBatch> secrets;
    const WipeOnExit wiper{secrets};
    std::array<ec::DeriveJob, kMaxBatch> jobs;
    std::array<Work*, kMaxBatch> owners;
    std::size_t count = 0;
    for (auto& work : batch) {
        if (work.in.size() != 1 + 2 * Curve::kLen || work.in[0] != kUncompressed) {
            run_on_ref_row(work);  // a compressed point: rare, and a square root away
            add(counters.fallback[OCTAVO_FALLBACK_CURVE], 1);
            continue;
        }
        const auto* point = work.in.data() + 1;
        jobs[count] = {key_of(work).private_key().data(), point, point + Curve::kLen, secrets[count].data(), false};
        owners[count++] = &work;
    }
    if (count > 0) Curve::row().derive(jobs.data(), count);
    for (std::size_t i = 0; i < count; ++i) {
        std::copy(secrets[i].begin(), secrets[i].end(), owners[i]->out.begin());
        judge(*owners[i], jobs[i].ok, OCTAVO_ERR_BAD_POINT, counters);
    }
}

template <typename Curve>
void generate(std::span<Work> batch, Counters::Work& counters) noexcept {
    std::array<ec::KeygenJob, kMaxBatch> jobs;
    std::array<Work*, kMaxBatch> owners;
    std::size_t count = 0;
    for (auto& work : batch) {
        auto* const scalar = work.out.data();
        if (!ec::random_scalar(Curve::group(), {scalar, Curve::kLen})) {
            work.status = OCTAVO_ERR_OPERATION_FAILED;
            continue;
        }
        scalar[Curve::kLen] = kUncompressed;
        jobs[count] = {scalar, scalar + Curve::kLen + 1, scalar + 2 * Curve::kLen + 1, false};
        owners[count++] = &work;
    }
    if (count > 0) Curve::row().keygen(jobs.data(), count);
    for (std::size_t i = 0; i < count; ++i) finish(*owners[i], jobs[i].ok, counters, [] {});
}

/// Key pairs of 32 random bytes each.
template <typename Job, typename Run>
void generate_bytes(std::span<Work> batch, Counters::Work& counters, Run&& run) noexcept {
    constexpr std::size_t kLen = 32;
    std::array<std::uint8_t, kMaxBatch * kLen> secrets;
    const WipeOnExit wiper{secrets};
    if (!ec::random_secret({secrets.data(), batch.size() * kLen})) {
        for (auto& work : batch) work.status = OCTAVO_ERR_OPERATION_FAILED;
        return;
    }
    std::array<Job, kMaxBatch> jobs;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        auto* const out = batch[i].out.data();
        std::copy_n(secrets.data() + i * kLen, kLen, out);
        jobs[i] = {out, out + kLen, false};
    }
    run(jobs.data(), batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) finish(batch[i], jobs[i].ok, counters, [] {});
}

}  // namespace

void sign_p256_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    sign<P256>(batch, counters);
}
void verify_p256_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    verify<P256>(batch, counters);
}
void derive_p256_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    derive<P256>(batch, counters);
}
void generate_p256_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    generate<P256>(batch, counters);
}
void sign_p384_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    sign<P384>(batch, counters);
}
void verify_p384_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    verify<P384>(batch, counters);
}
void derive_p384_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    derive<P384>(batch, counters);
}
void generate_p384_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    generate<P384>(batch, counters);
}

void derive_x25519_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    std::array<std::array<std::uint8_t, x25519::kLen>, kMaxBatch> secrets;
    const WipeOnExit wiper{secrets};
    std::array<x25519::DeriveJob, kMaxBatch> jobs;
    for (std::size_t i = 0; i < batch.size(); ++i)
        jobs[i] = {key_of(batch[i]).private_key().data(), batch[i].in.data(), secrets[i].data(), false};
    x25519::lane_row()->derive(jobs.data(), batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        std::copy(secrets[i].begin(), secrets[i].end(), batch[i].out.begin());
        judge(batch[i], jobs[i].ok, OCTAVO_ERR_BAD_POINT, counters);
    }
}

void generate_x25519_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    generate_bytes<x25519::KeygenJob>(
        batch, counters, [](auto* jobs, std::size_t count) noexcept { x25519::lane_row()->keygen(jobs, count); });
}

void sign_ed25519_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    std::array<std::array<std::uint8_t, ed25519::kSignatureLen>, kMaxBatch> signatures;
    std::array<ed25519::SignJob, kMaxBatch> jobs;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto& key = key_of(batch[i]);
        jobs[i] = {key.private_key().data(), key.public_key().data(), batch[i].in.data(),
                   batch[i].in.size(),       signatures[i].data(),    false};
    }
    ed25519::lane_row()->sign(jobs.data(), batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i)
        finish(batch[i], jobs[i].ok, counters,
               [&] { std::copy(signatures[i].begin(), signatures[i].end(), batch[i].out.begin()); });
}

void verify_ed25519_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    std::array<ed25519::VerifyJob, kMaxBatch> jobs;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto message = batch[i].in.subspan(ed25519::kSignatureLen);
        jobs[i] = {key_of(batch[i]).public_key().data(), message.data(), message.size(), batch[i].in.data(), false};
    }
    ed25519::lane_row()->verify(jobs.data(), batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) judge(batch[i], jobs[i].ok, OCTAVO_ERR_BAD_SIGNATURE, counters);
}

void generate_ed25519_lanes(std::span<Work> batch, const Scratch&, Counters::Work& counters) noexcept {
    generate_bytes<ed25519::KeygenJob>(
        batch, counters, [](auto* jobs, std::size_t count) noexcept { ed25519::lane_row()->keygen(jobs, count); });
}

}  // namespace octavo::device
