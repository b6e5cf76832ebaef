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

constexpr std::size_t kMessageLen = 32;

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
    using Batch = void(Job*, std::size_t) noexcept;
    using Check = std::function<bool(const std::vector<Job>&)>;
    KernelSide(const Row& row, Batch* batch, std::shared_ptr<Memory> memory, std::vector<Job> jobs, Check check)
        : row_(row), batch_(batch), memory_(std::move(memory)), jobs_(std::move(jobs)), check_(std::move(check)) {}

    void run(std::size_t calls) override {
        for (std::size_t call = 0; call < calls; ++call)
            for (std::size_t i = 0; i < jobs_.size(); i += row_.max_batch)
                batch_(&jobs_[i], std::min(row_.max_batch, jobs_.size() - i));
    }
    std::size_t ops_per_call() const noexcept override { return jobs_.size(); }
    void check() const override {
        const bool all_ok = std::all_of(jobs_.begin(), jobs_.end(), [](const Job& job) { return job.ok; });
        if (!all_ok || !check_(jobs_)) throw Failure(fmt::format("row {} contradicts row ref", row_.name));
    }
    std::string row() const override { return row_.name; }

private:
    const Row& row_;
    Batch* batch_;
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
    return std::make_unique<KernelSide<Row, Job>>(row, batch, std::move(memory), std::move(jobs), std::move(check));
}

/// A curve of ec.hpp.
struct EcCurve {
    std::size_t len;
    const ec::Row* lanes;
    const ec::Row& ref;

    const ec::Row& row() const { return lanes == nullptr ? ref : *lanes; }
};
EcCurve p256() { return {kernel::p256::kLen, kernel::p256::lane_row(), kernel::p256::ref_row()}; }
EcCurve p384() { return {kernel::p384::kLen, kernel::p384::lane_row(), kernel::p384::ref_row()}; }

ec::KeygenJob key_pair(const EcCurve& curve, Memory& memory) {
    ec::KeygenJob job{memory.scalar(curve.len), memory.zeros(curve.len), memory.zeros(curve.len), false};
    curve.ref.keygen(&job, 1);
    return job;
}

SidePtr ec_keygen(const EcCurve& curve, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    std::vector<ec::KeygenJob> jobs;
    for (std::size_t i = 0; i < depth; ++i)
        jobs.push_back({memory->scalar(curve.len), memory->zeros(curve.len), memory->zeros(curve.len), false});
    return make_side(curve.row(), curve.row().keygen, memory, std::move(jobs),
                     same_as(curve.ref.keygen, curve.len, &ec::KeygenJob::x, &ec::KeygenJob::y));
}

SidePtr ec_derive(const EcCurve& curve, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    std::vector<ec::DeriveJob> jobs;
    for (std::size_t i = 0; i < depth; ++i) {
        const auto peer = key_pair(curve, *memory);
        jobs.push_back({memory->scalar(curve.len), peer.x, peer.y, memory->zeros(curve.len), false});
    }
    return make_side(curve.row(), curve.row().derive, memory, std::move(jobs),
                     same_as(curve.ref.derive, curve.len, &ec::DeriveJob::shared));
}

struct EcSignatures {
    std::vector<ec::SignJob> signatures;
    std::vector<ec::VerifyJob> checks;
};

EcSignatures ec_signatures(const EcCurve& curve, Memory& memory, std::size_t depth) {
    EcSignatures made;
    for (std::size_t i = 0; i < depth; ++i) {
        const auto key = key_pair(curve, memory);
        const std::uint8_t* digest = memory.random(curve.len);
        std::uint8_t *r = memory.zeros(curve.len), *s = memory.zeros(curve.len);
        made.signatures.push_back({digest, key.scalar, memory.scalar(curve.len), r, s, false});
        made.checks.push_back({digest, r, s, key.x, key.y, false});
    }
    return made;
}

SidePtr ec_sign(const EcCurve& curve, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    auto made = ec_signatures(curve, *memory, depth);
    const auto verifies = [verify = curve.ref.verify, checks = std::move(made.checks)](const auto&) {
        auto jobs = checks;
        for (auto& job : jobs) verify(&job, 1);
        return std::all_of(jobs.begin(), jobs.end(), [](const auto& job) { return job.ok; });
    };
    return make_side(curve.row(), curve.row().sign, memory, std::move(made.signatures), verifies);
}

SidePtr ec_verify(const EcCurve& curve, std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    auto made = ec_signatures(curve, *memory, depth);
    for (auto& job : made.signatures) curve.ref.sign(&job, 1);
    return make_side(curve.row(), curve.row().verify, memory, std::move(made.checks), [](const auto&) { return true; });
}

const x25519::Row& x25519_row() { return x25519::lane_row() == nullptr ? x25519::ref_row() : *x25519::lane_row(); }
const ed25519::Row& ed25519_row() { return ed25519::lane_row() == nullptr ? ed25519::ref_row() : *ed25519::lane_row(); }

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

}  // namespace

SidePtr p256_sign_side(std::size_t depth) { return ec_sign(p256(), depth); }
SidePtr p256_verify_side(std::size_t depth) { return ec_verify(p256(), depth); }
SidePtr p256_derive_side(std::size_t depth) { return ec_derive(p256(), depth); }
SidePtr p256_keygen_side(std::size_t depth) { return ec_keygen(p256(), depth); }
SidePtr p384_sign_side(std::size_t depth) { return ec_sign(p384(), depth); }
SidePtr p384_verify_side(std::size_t depth) { return ec_verify(p384(), depth); }
SidePtr p384_derive_side(std::size_t depth) { return ec_derive(p384(), depth); }
SidePtr p384_keygen_side(std::size_t depth) { return ec_keygen(p384(), depth); }

SidePtr x25519_derive_side(std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    std::vector<x25519::DeriveJob> jobs;
    for (std::size_t i = 0; i < depth; ++i)
        jobs.push_back(
            {memory->random(x25519::kLen), memory->random(x25519::kLen), memory->zeros(x25519::kLen), false});
    return make_side(x25519_row(), x25519_row().derive, memory, std::move(jobs),
                     same_as(x25519::ref_row().derive, x25519::kLen, &x25519::DeriveJob::shared));
}

SidePtr x25519_keygen_side(std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    std::vector<x25519::KeygenJob> jobs;
    for (std::size_t i = 0; i < depth; ++i)
        jobs.push_back({memory->random(x25519::kLen), memory->zeros(x25519::kLen), false});
    return make_side(x25519_row(), x25519_row().keygen, memory, std::move(jobs),
                     same_as(x25519::ref_row().keygen, x25519::kLen, &x25519::KeygenJob::public_key));
}

SidePtr ed25519_sign_side(std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    auto made = ed_signatures(*memory, depth);
    return make_side(ed25519_row(), ed25519_row().sign, memory, std::move(made.signatures),
                     same_as(ed25519::ref_row().sign, ed25519::kSignatureLen, &ed25519::SignJob::signature));
}

SidePtr ed25519_verify_side(std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    auto made = ed_signatures(*memory, depth);
    for (auto& job : made.signatures) ed25519::ref_row().sign(&job, 1);
    return make_side(ed25519_row(), ed25519_row().verify, memory, std::move(made.checks),
                     [](const auto&) { return true; });
}

SidePtr ed25519_keygen_side(std::size_t depth) {
    auto memory = std::make_shared<Memory>();
    std::vector<ed25519::KeygenJob> jobs;
    for (std::size_t i = 0; i < depth; ++i)
        jobs.push_back({memory->random(ed25519::kKeyLen), memory->zeros(ed25519::kKeyLen), false});
    return make_side(ed25519_row(), ed25519_row().keygen, memory, std::move(jobs),
                     same_as(ed25519::ref_row().keygen, ed25519::kKeyLen, &ed25519::KeygenJob::public_key));
}

}  // namespace octavo::cli
