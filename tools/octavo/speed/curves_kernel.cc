#include <fmt/core.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "kernel/ed25519/ed25519.hpp"
#include "kernel/p256/p256.hpp"
#include "kernel/p384/p384.hpp"
#include "kernel/x25519/x25519.hpp"
#include "speed/curves.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

namespace ec = kernel::ec;
namespace x25519 = kernel::x25519;
namespace ed25519 = kernel::ed25519;

/// Operands and results; they stay where they are.
class Memory {
public:
    std::uint8_t* zeros(std::size_t len) { return all_.emplace_back(len, std::uint8_t{0}).data(); }
    std::uint8_t* random(std::size_t len) {
        std::uint8_t* bytes = zeros(len);
        if (RAND_bytes(bytes, static_cast<int>(len)) != 1) throw Failure("OpenSSL gives no random bytes");
        return bytes;
    }
    /// Big-endian, less than every order: they have their top bit set.
    std::uint8_t* scalar(std::size_t len) {
        std::uint8_t* bytes = random(len);
        bytes[0] &= 0x7F;
        return bytes;
    }

private:
    std::deque<std::vector<std::uint8_t>> all_;
};

/// A row's batch function on `depth` jobs. `check` says whether the results are right.
template <typename Row, typename Job>
class KernelSide final : public Side {
public:
    using Batch = std::function<void(std::vector<Job>& jobs, std::size_t first, std::size_t count)>;
    using Check = std::function<bool(const std::vector<Job>&)>;
    KernelSide(const Row& row, Batch batch, std::shared_ptr<Memory> memory, std::vector<Job> jobs, Check check)
        : row_(row),
          batch_(std::move(batch)),
          memory_(std::move(memory)),
          jobs_(std::move(jobs)),
          check_(std::move(check)) {}

    void run(std::size_t calls) override {
        for (std::size_t call = 0; call < calls; ++call)
            for (std::size_t i = 0; i < jobs_.size(); i += row_.max_batch)
                batch_(jobs_, i, std::min(row_.max_batch, jobs_.size() - i));
    }
    std::size_t ops_per_call() const noexcept override { return jobs_.size(); }
    void check() const override {
        const bool all_ok = std::all_of(jobs_.begin(), jobs_.end(), [](const Job& job) { return job.ok; });
        if (!all_ok || !check_(jobs_)) throw Failure(fmt::format("row {} contradicts row ref", row_.name));
    }
    std::string row() const override { return row_.name; }
    std::string note() const override { return row_note(row_.name, row_.max_batch, jobs_.size()); }

private:
    const Row& row_;
    Batch batch_;
    std::shared_ptr<Memory> memory_;
    std::vector<Job> jobs_;
    Check check_;
};

/// Whether `batch`, a function of the ref row, gives the same outputs.
template <typename Job, typename... Outputs>
auto same_as(void (*batch)(Job*, std::size_t) noexcept, std::size_t len, Outputs... outputs) {
    return [=](std::vector<Job> jobs) {
        for (Job& job : jobs) {
            Memory memory;
            const Job done = job;
            ((job.*outputs = memory.zeros(len)), ...);
            batch(&job, 1);
            if (!job.ok || !((std::memcmp(job.*outputs, done.*outputs, len) == 0) && ...)) return false;
        }
        return true;
    };
}

template <typename Row, typename Job>
SidePtr make_side(const Row& row, void (*batch)(Job*, std::size_t) noexcept, std::shared_ptr<Memory> memory,
                  std::vector<Job> jobs, typename KernelSide<Row, Job>::Check check) {
    const auto run = [batch](std::vector<Job>& all, std::size_t first, std::size_t count) {
        batch(&all[first], count);
    };
    return std::make_unique<KernelSide<Row, Job>>(row, run, std::move(memory), std::move(jobs), std::move(check));
}

/// A curve of ec.hpp.
struct EcCurve {
    std::size_t len;
    const ec::Row* lanes;
    const ec::Row& ref;
};
EcCurve p256() { return {kernel::p256::kLen, kernel::p256::lane_row(), kernel::p256::ref_row()}; }
EcCurve p384() { return {kernel::p384::kLen, kernel::p384::lane_row(), kernel::p384::ref_row()}; }

ec::KeygenJob key_pair(const EcCurve& curve, Memory& memory) {
    ec::KeygenJob job{memory.scalar(curve.len), memory.zeros(curve.len), memory.zeros(curve.len), false};
    curve.ref.keygen(&job, 1);
    return job;
}

SidePtr ec_keygen(const EcCurve& curve, const ec::Row& row, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    std::vector<ec::KeygenJob> jobs;
    for (std::size_t i = 0; i < depth; ++i)
        jobs.push_back({memory->scalar(curve.len), memory->zeros(curve.len), memory->zeros(curve.len), false});
    return make_side(row, row.keygen, memory, std::move(jobs),
                     same_as(curve.ref.keygen, curve.len, &ec::KeygenJob::x, &ec::KeygenJob::y));
}

SidePtr ec_derive(const EcCurve& curve, const ec::Row& row, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    std::vector<ec::DeriveJob> jobs;
    for (std::size_t i = 0; i < depth; ++i) {
        const auto peer = key_pair(curve, *memory);
        jobs.push_back({memory->scalar(curve.len), peer.x, peer.y, memory->zeros(curve.len), false});
    }
    return make_side(row, row.derive, memory, std::move(jobs),
                     same_as(curve.ref.derive, curve.len, &ec::DeriveJob::shared));
}

struct EcSignatures {
    std::vector<ec::NonceJob> nonces;
    std::vector<ec::SignJob> signatures;
    std::vector<ec::VerifyJob> checks;
};

EcSignatures ec_signatures(const EcCurve& curve, Memory& memory, std::size_t depth) {
    EcSignatures made;
    for (std::size_t i = 0; i < depth; ++i) {
        const auto key = key_pair(curve, memory);
        const std::uint8_t* digest = memory.random(curve.len);
        std::uint8_t *r = memory.zeros(curve.len), *s = memory.zeros(curve.len);
        std::uint8_t* nonce = memory.zeros(curve.len);
        made.nonces.push_back({key.scalar, digest, memory.random(ec::kNonceExtraLen), nonce});
        made.signatures.push_back({digest, key.scalar, nonce, r, s, false});
        made.checks.push_back({digest, r, s, key.x, key.y, false});
    }
    return made;
}

SidePtr ec_sign(const EcCurve& curve, const ec::Row& row, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    auto made = ec_signatures(curve, *memory, depth);
    const auto verifies = [verify = curve.ref.verify,
                           checks = std::move(made.checks)](const std::vector<ec::SignJob>&) {
        auto jobs = checks;
        for (auto& job : jobs) verify(&job, 1);
        return std::all_of(jobs.begin(), jobs.end(), [](const auto& job) { return job.ok; });
    };
    // The ref row draws its nonces itself.
    const auto run = [nonces = &row == &curve.ref ? nullptr : row.nonces, sign = row.sign,
                      inputs = std::move(made.nonces)](std::vector<ec::SignJob>& jobs, std::size_t first,
                                                       std::size_t count) mutable {
        if (nonces != nullptr) nonces(&inputs[first], count);
        sign(&jobs[first], count);
    };
    return std::make_unique<KernelSide<ec::Row, ec::SignJob>>(row, run, memory, std::move(made.signatures), verifies);
}

SidePtr ec_verify(const EcCurve& curve, const ec::Row& row, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    auto made = ec_signatures(curve, *memory, depth);
    for (auto& job : made.signatures) curve.ref.sign(&job, 1);
    return make_side(row, row.verify, memory, std::move(made.checks), [](const auto&) { return true; });
}

SidePtr ec_side(const EcCurve& curve, Action action, const ec::Row& row, std::size_t depth) {
    switch (action) {
        case Action::sign:
            return ec_sign(curve, row, depth);
        case Action::verify:
            return ec_verify(curve, row, depth);
        case Action::derive:
            return ec_derive(curve, row, depth);
        case Action::keygen:
            return ec_keygen(curve, row, depth);
    }
    return nullptr;
}

struct EdSignatures {
    std::vector<ed25519::SignJob> signatures;
    std::vector<ed25519::VerifyJob> checks;
};

EdSignatures ed_signatures(Memory& memory, std::size_t depth) {
    EdSignatures made;
    for (std::size_t i = 0; i < depth; ++i) {
        ed25519::KeygenJob key{memory.random(ed25519::kKeyLen), memory.zeros(ed25519::kKeyLen), false};
        ed25519::ref_row().keygen(&key, 1);
        const std::uint8_t* message = memory.random(kMessageLen);
        std::uint8_t* signature = memory.zeros(ed25519::kSignatureLen);
        made.signatures.push_back({key.seed, key.public_key, message, kMessageLen, signature, false});
        made.checks.push_back({key.public_key, message, kMessageLen, signature, false});
    }
    return made;
}

SidePtr x25519_derive(const x25519::Row& row, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    std::vector<x25519::DeriveJob> jobs;
    for (std::size_t i = 0; i < depth; ++i)
        jobs.push_back(
            {memory->random(x25519::kLen), memory->random(x25519::kLen), memory->zeros(x25519::kLen), false});
    return make_side(row, row.derive, memory, std::move(jobs),
                     same_as(x25519::ref_row().derive, x25519::kLen, &x25519::DeriveJob::shared));
}

SidePtr x25519_keygen(const x25519::Row& row, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    std::vector<x25519::KeygenJob> jobs;
    for (std::size_t i = 0; i < depth; ++i)
        jobs.push_back({memory->random(x25519::kLen), memory->zeros(x25519::kLen), false});
    return make_side(row, row.keygen, memory, std::move(jobs),
                     same_as(x25519::ref_row().keygen, x25519::kLen, &x25519::KeygenJob::public_key));
}

SidePtr ed25519_sign(const ed25519::Row& row, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    auto made = ed_signatures(*memory, depth);
    return make_side(row, row.sign, memory, std::move(made.signatures),
                     same_as(ed25519::ref_row().sign, ed25519::kSignatureLen, &ed25519::SignJob::signature));
}

SidePtr ed25519_verify(const ed25519::Row& row, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    auto made = ed_signatures(*memory, depth);
    for (auto& job : made.signatures) ed25519::ref_row().sign(&job, 1);
    return make_side(row, row.verify, memory, std::move(made.checks), [](const auto&) { return true; });
}

SidePtr ed25519_keygen(const ed25519::Row& row, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    std::vector<ed25519::KeygenJob> jobs;
    for (std::size_t i = 0; i < depth; ++i)
        jobs.push_back({memory->random(ed25519::kKeyLen), memory->zeros(ed25519::kKeyLen), false});
    return make_side(row, row.keygen, memory, std::move(jobs),
                     same_as(ed25519::ref_row().keygen, ed25519::kKeyLen, &ed25519::KeygenJob::public_key));
}

SidePtr ed25519_side(Action action, const ed25519::Row& row, std::size_t depth) {
    if (action == Action::sign) return ed25519_sign(row, depth);
    return action == Action::verify ? ed25519_verify(row, depth) : ed25519_keygen(row, depth);
}

/// Calls `use` with the lane row or with the ref row; the answer is empty where there is no such row.
template <typename Row, typename Use>
auto with_row(const Row* lane, const Row& ref, bool lanes, Use use) -> decltype(use(ref)) {
    if (!lanes) return use(ref);
    return lane == nullptr ? decltype(use(ref)){} : use(*lane);
}

/// `use` on the curve's row, whatever its type.
template <typename Use>
auto with_row_of(const Curve& curve, bool lanes, Use use) {
    switch (curve.number) {
        case OCTAVO_CURVE_P256:
            return with_row(p256().lanes, p256().ref, lanes, use);
        case OCTAVO_CURVE_P384:
            return with_row(p384().lanes, p384().ref, lanes, use);
        case OCTAVO_CURVE_X25519:
            return with_row(x25519::lane_row(), x25519::ref_row(), lanes, use);
        default:
            return with_row(ed25519::lane_row(), ed25519::ref_row(), lanes, use);
    }
}

}  // namespace

SidePtr curve_kernel_side(const Curve& curve, Action action, std::size_t depth, bool lanes) {
    struct Make {
        const Curve& curve;
        Action action;
        std::size_t depth;

        SidePtr operator()(const ec::Row& row) const {
            return ec_side(curve.number == OCTAVO_CURVE_P256 ? p256() : p384(), action, row, depth);
        }
        SidePtr operator()(const x25519::Row& row) const {
            return action == Action::derive ? x25519_derive(row, depth) : x25519_keygen(row, depth);
        }
        SidePtr operator()(const ed25519::Row& row) const { return ed25519_side(action, row, depth); }
    };
    return with_row_of(curve, lanes, Make{curve, action, depth});
}

std::size_t curve_max_batch(const Curve& curve) {
    const auto size = [](const auto& row) { return row.max_batch; };
    const std::size_t of_lanes = with_row_of(curve, true, size);
    return of_lanes > 0 ? of_lanes : with_row_of(curve, false, size);
}

}  // namespace octavo::cli
