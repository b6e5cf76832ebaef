#include "property_model.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace api_test::model {

std::atomic<std::uint64_t> current_seed{0};

void failed(const char* file, int line, const char* condition) {
    std::fprintf(stderr, "%s:%d: %s\n  last error: %s\n  run again with OCTAVO_PROPERTY_SEED=%llu\n", file, line,
                 condition, octavo_error_text(), static_cast<unsigned long long>(current_seed.load()));
    std::fflush(nullptr);
    std::abort();
}

// ---- keys ----

namespace {

std::vector<Answer> known_answers(const RsaParts& parts, bool with_private) {
    std::vector<Answer> answers;
    for (int i = 0; i < 16; ++i) {
        const auto plain = random_below(parts.n);
        const auto raised = mod_exp(plain, parts.e, parts.n);
        answers.push_back({OCTAVO_RSA_PUBLIC, plain, raised});
        if (with_private && i == 0) answers.push_back({OCTAVO_RSA_PRIVATE, raised, plain});
    }
    return answers;
}

std::uint64_t register_key(const RsaParts& parts) {
    octavo_key key{};
    MODEL_CHECK(octavo_key_create_rsa(RawKey{parts}.get(), &key) == OCTAVO_OK);
    return key.id;
}

}  // namespace

KeyRing::KeyRing() {
    struct Row {
        int bits;
        std::uint64_t e;
        bool is_private;
        unsigned weight;
    };
    constexpr Row kRows[] = {{512, 65537, true, 30}, {512, 65537, false, 25}, {512, 3, true, 20},
                             {1024, 65537, true, 4}, {1024, 3, false, 8},     {2048, 65537, false, 10},
                             {2048, 65537, true, 2}, {2048, 3, false, 1}};
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const auto& row = kRows[i];
        const auto parts = random_parts(row.bits, row.e);
        slots_[i].parts = row.is_private ? parts : public_half(parts);
        slots_[i].answers = known_answers(parts, row.is_private);
        slots_[i].weight = row.weight;
        slots_[i].id = register_key(slots_[i].parts);
    }
}

KeyRing::~KeyRing() {
    for (const auto& slot : slots_) octavo_key_destroy({slot.id});
}

KeyRing::Pick KeyRing::pick(Random& random) const {
    auto dice = static_cast<unsigned>(random() % 100);
    std::size_t i = 0;
    while (dice >= slots_[i].weight) dice -= slots_[i++].weight;
    const auto& answers = slots_[i].answers;
    return {i, slots_[i].id, &answers[random() % answers.size()]};
}

void KeyRing::replace(Random& random) {
    auto& slot = slots_[random() % slots_.size()];
    const auto old = slot.id.exchange(register_key(slot.parts));
    MODEL_CHECK(octavo_key_destroy({old}) == OCTAVO_OK);
    MODEL_CHECK(octavo_key_destroy({old}) == OCTAVO_ERR_BAD_HANDLE);
}

// ---- wake-ups ----

WakeTarget::WakeTarget(bool by_fd) {
    if (by_fd) fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

WakeTarget::~WakeTarget() {
    if (fd_ >= 0) close(fd_);
}

octavo_wakeup WakeTarget::wakeup() {
    if (fd_ >= 0) return {fd_, nullptr, nullptr};
    return {-1, [](void* self) { ++static_cast<WakeTarget*>(self)->calls_; }, this};
}

int WakeTarget::take() {
    if (fd_ < 0) return calls_.exchange(0);
    std::uint64_t count = 0;
    return read(fd_, &count, sizeof count) == sizeof count ? static_cast<int>(count) : 0;
}

// ---- instances ----

Bench::Bench(Worker& owner, Random& random) : worker(owner) { create(random); }
Bench::~Bench() { destroy(); }

void Bench::create(Random& random) {
    driver = kAllDrivers[random() % 3];
    ring_size_ = 2U << random() % 7;
    octavo_instance_config config{};
    config.size = sizeof config;
    config.name = "property";
    config.driver = static_cast<std::uint32_t>(driver);
    config.ring_size = ring_size_;
    config.never_in_place = random() % 4 == 0 ? 1 : 0;
    MODEL_CHECK(octavo_instance_create(&config, &handle) == OCTAVO_OK);
    accepted_ = executed = retried = 0;
    zombies_ = 0;
    voids_ = {};  // request handles mean something together with their instance only
    counts_known_ = true;
}

void Bench::destroy() {
    MODEL_CHECK(octavo_instance_destroy(handle) == OCTAVO_OK);
    for (auto& live : live_) MODEL_CHECK(live->inherited || !live->wake || live->wake->take() <= 1);
    live_.clear();
    MODEL_CHECK(octavo_instance_destroy(handle) == OCTAVO_ERR_BAD_HANDLE);
}

void Bench::accept(std::unique_ptr<Live> live) {
    MODEL_CHECK(live_.size() < ring_size_);
    MODEL_CHECK(live->request.id != 0);
    live->index = live_.size();
    live_.push_back(std::move(live));
    ++accepted_;
}

void Bench::remove(Live& live) {
    voids_[next_void_++ % voids_.size()] = live.request.id;
    const auto index = live.index;
    live_.back()->index = index;
    std::swap(live_[index], live_.back());
    live_.pop_back();
}

void Bench::complete(Live& live, octavo_status status, View output) {
    const auto& right = live.answer->output;
    if (status == OCTAVO_OK)
        MODEL_CHECK(std::equal(right.begin(), right.end(), output.begin(), output.end()));
    else
        MODEL_CHECK(status == OCTAVO_CANCELLED && live.inherited);
    if (!live.inherited && live.wake) MODEL_CHECK(live.wake->take() == (live.pending ? 1 : 0));
    remove(live);
}

void Bench::cancelled(Live& live) {
    if (!live.inherited && live.wake) MODEL_CHECK(live.wake->take() <= (live.pending ? 1 : 0));
    if (!live.done) ++zombies_;
    remove(live);
}

void Bench::inherit() {
    for (auto& live : live_) live->inherited = true;
    counts_known_ = false;
}

void Bench::check_retry() {
    const std::size_t being_called = in_callback ? 1 : 0;  // gives its place back when the callback returns
    MODEL_CHECK(live_.size() + zombies_ + being_called >= ring_size_);
    ++retried;
}

void Bench::check_polled(std::size_t quota, std::size_t num_reaped, std::size_t callbacks_before) {
    MODEL_CHECK(num_reaped <= quota);
    MODEL_CHECK(num_callbacks - callbacks_before <= num_reaped);
    if (driver != octavo::Driver::in_line || quota != SIZE_MAX) return;
    zombies_ = 0;
    for (auto& live : live_) {
        MODEL_CHECK(!live->has_callback);
        live->done = true;
    }
}

void Bench::check_statistics() {
    const auto s = statistics_of(handle);
    MODEL_CHECK(adds_up(s));
    MODEL_CHECK(s.failed == 0 && s.in_flight <= live_.size());
    if (!counts_known_) return;
    MODEL_CHECK(s.submitted == accepted_ + executed);
    MODEL_CHECK(s.retried == retried);
}

}  // namespace api_test::model
