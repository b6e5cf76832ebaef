#include <map>
#include <string>

#include "support.hpp"

/// Results against OpenSSL's big numbers: every width, every shape of key, one at a time and in batches, by every driver.

namespace api_test {
namespace {

using octavo::Driver;
using octavo::Operation;

struct Shape {
    const char* name;
    RsaParts (*parts)();
};
template <int bits>
RsaParts shared() {
    return shared_parts(bits);
}
const Shape kShapes[] = {
    {"w512", shared<512>},
    {"w1024", shared<1024>},
    {"w1536", shared<1536>},
    {"w2048", shared<2048>},
    {"w2056", [] { return random_parts(2056); }},
    {"w3072", shared<3072>},
    {"w4096", shared<4096>},
    {"w6144", shared<6144>},
    {"w8192", shared<8192>},
    {"w12288", shared<12288>},
    {"w16384", shared<16384>},
    {"w1021", [] { return random_parts(1021); }},
    {"w2047", [] { return random_parts(2047); }},
    {"w2041", [] { return random_parts(2041); }},
    {"w4095", [] { return random_parts(4095); }},
    {"e3_w2048", [] { return random_parts(2048, 3); }},
    {"e3_w1024", [] { return random_parts(1024, 3); }},
    {"e17_w3072", [] { return random_parts(3072, 17); }},
    {"e_of_40_bits", [] { return random_parts(2048, 0x8000000001); }},
    {"e_of_64_bits_w4096",
     [] {
         return parts_from({random_prime(2048, UINT64_MAX), random_prime(2048, UINT64_MAX)}, UINT64_MAX);
     }},
    {"three_primes_w2048", [] { return random_parts(2048, 65537, 3); }},
    {"four_primes_w4096", [] { return random_parts(4096, 65537, 4); }},
    {"five_primes_w4096", [] { return random_parts(4096, 65537, 5); }},
    {"no_crt_w512", [] { return without_crt(shared_parts(512)); }},
    {"no_crt_w2048", [] { return without_crt(shared_parts(2048)); }},
    {"no_crt_w4096", [] { return without_crt(shared_parts(4096)); }},
    {"no_crt_e3", [] { return without_crt(random_parts(2048, 3)); }},
    {"unequal_primes", [] { return unequal_parts(1100, 948); }},
    {"unequal_primes_small_p", [] { return unequal_parts(948, 1100); }},
    {"very_unequal_primes", [] { return unequal_parts(1792, 256); }},
    {"well_known_w4096", [] { return well_known_parts(4096); }},
};

struct Pair {
    Buffer plain, raised;  // raised = plain^e mod n
};

std::vector<Pair> make_pairs(const RsaParts& parts, int count) {
    std::vector<Pair> pairs;
    for (int i = 0; i < count; ++i) {
        const auto plain = random_below(parts.n);
        pairs.push_back({plain, mod_exp(plain, parts.e, parts.n)});
    }
    Buffer zero(parts.n.size()), one = zero;
    one.back() = 1;
    pairs.push_back({zero, zero});
    pairs.push_back({one, one});
    pairs.push_back({plus(parts.n, -1), plus(parts.n, -1)});  // e is odd
    return pairs;
}

class Results : public testing::TestWithParam<Shape> {};

/// Everything both ways, as one batch.
void check_batch(octavo::Instance& instance, const octavo::Key& key, const std::vector<Pair>& pairs) {
    struct Waiting {
        octavo::Request request;
        const Buffer* right;
    };
    std::vector<Waiting> waiting;
    for (const auto& pair : pairs) {
        waiting.push_back({*instance.submit(key, Operation::rsa_public, pair.plain), &pair.raised});
        waiting.push_back({*instance.submit(key, Operation::rsa_private, pair.raised), &pair.plain});
    }
    for (auto& w : waiting) {
        ASSERT_EQ(w.request.wait(), octavo::Status::ok);
        Buffer output(w.right->size());
        ASSERT_EQ(w.request.result(output).status(), octavo::Status::ok);
        EXPECT_EQ(output, *w.right);
    }
}

TEST_P(Results, OneAtATime) {
    const auto parts = GetParam().parts();
    const auto key = make_key(parts);
    auto instance = make_instance();
    for (const auto& pair : make_pairs(parts, 2)) {
        Buffer output(parts.n.size());
        ASSERT_EQ(instance.execute(key, Operation::rsa_public, pair.plain, output).status(), octavo::Status::ok);
        EXPECT_EQ(output, pair.raised);
        ASSERT_EQ(instance.execute(key, Operation::rsa_private, pair.raised, output).status(), octavo::Status::ok);
        EXPECT_EQ(output, pair.plain);
    }
}

TEST_P(Results, BatchesByEveryDriver) {
    const auto parts = GetParam().parts();
    const auto key = make_key(parts);
    const bool large = parts.n.size() > 512;
    const auto pairs = make_pairs(parts, large ? 0 : 9);
    for (const auto driver : kAllDrivers) {
        if (large && driver == Driver::automatic) continue;  // seconds, for nothing new
        auto instance = make_instance(driver);
        check_batch(instance, key, pairs);
        EXPECT_TRUE(adds_up(statistics_of(instance.handle())));
        EXPECT_EQ(instance.statistics()->failed, 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Results, testing::ValuesIn(kShapes),
                         [](const auto& shape) { return std::string{shape.param.name}; });

/// Many keys and widths in flight at once: no result strays to another request.
TEST(ResultsMixed, KeysWidthsAndOperationsInOneRing) {
    std::vector<octavo::Key> keys;
    std::vector<RsaParts> parts;
    for (const int bits : {512, 2048, 2048, 2048, 3072, 4096, 1024}) parts.push_back(random_parts(bits));
    parts.push_back(random_parts(2048, 3));
    parts.push_back(without_crt(random_parts(2048)));
    for (const auto& p : parts) keys.push_back(make_key(p));
    for (const auto driver : kAllDrivers) {
        auto instance = make_instance(driver);
        std::vector<std::pair<octavo::Request, Buffer>> waiting;
        for (int round = 0; round < 6; ++round)
            for (std::size_t i = 0; i < keys.size(); ++i) {
                const auto plain = random_below(parts[i].n);
                const auto raised = mod_exp(plain, parts[i].e, parts[i].n);
                waiting.emplace_back(*instance.submit(keys[i], Operation::rsa_private, raised), plain);
                waiting.emplace_back(*instance.submit(keys[i], Operation::rsa_public, plain), raised);
            }
        while (!waiting.empty()) {  // last in, first out: not the order of completion
            auto [request, right] = std::move(waiting.back());
            waiting.pop_back();
            ASSERT_EQ(request.wait(), octavo::Status::ok);
            Buffer output(right.size());
            ASSERT_TRUE(request.result(output));
            EXPECT_EQ(output, right);
        }
    }
}

/// Batches of every size from 1 to 40, by callback.
TEST(ResultsMixed, EveryBatchSize) {
    const auto& parts = shared_parts(2048);
    const auto key = make_key(parts);
    auto instance = make_instance(Driver::in_line);
    const auto pairs = make_pairs(parts, 37);
    for (std::size_t size = 1; size <= pairs.size(); ++size) {
        std::size_t right = 0;
        struct Check {
            const Buffer* wanted;
            std::size_t* right;
            void operator()(octavo::Status status, View output) const {
                EXPECT_EQ(status, octavo::Status::ok);
                if (std::equal(output.begin(), output.end(), wanted->begin(), wanted->end())) ++*right;
            }
        };
        std::vector<std::unique_ptr<octavo::Completion<Check>>> completions;
        for (std::size_t i = 0; i < size; ++i) {
            completions.push_back(std::make_unique<octavo::Completion<Check>>(Check{&pairs[i].plain, &right}));
            ASSERT_FALSE(is_error(instance.submit(key, Operation::rsa_private, pairs[i].raised, *completions.back())));
        }
        ASSERT_TRUE(poll_until(instance.handle(), [&] { return statistics_of(instance.handle()).in_flight == 0; }));
        EXPECT_EQ(right, size);
    }
}

/// A private exponent that is in range and not the inverse of e: no wrong result may leave.
TEST(ResultsMixed, WrongPrivateExponentWithoutCrtIsNoticed) {
    auto parts = without_crt(shared_parts(1024));
    parts.d = plus(parts.d, 2);
    octavo_key raw{};
    const auto created = octavo_key_create_rsa(RawKey{parts}.get(), &raw);
    if (created != OCTAVO_OK) {
        EXPECT_EQ(created, OCTAVO_ERR_KEY_D);
        return;
    }
    octavo::Key key;
    key.reset(raw);
    auto instance = make_instance();
    Buffer output(128, 0xee);
    const auto input = random_below(parts.n);
    EXPECT_EQ(instance.execute(key, Operation::rsa_private, input, output).status(), octavo::Status::operation_failed);
    EXPECT_EQ(output, Buffer(128)) << "nothing of the wrong result may leave";
    auto request = instance.submit(key, Operation::rsa_private, input);
    ASSERT_TRUE(request);
    ASSERT_EQ(request->wait(), octavo::Status::ok);
    EXPECT_EQ(request->result(output).status(), octavo::Status::operation_failed);
    EXPECT_EQ(instance.statistics()->failed, 2U);
    EXPECT_TRUE(adds_up(statistics_of(instance.handle())));
}

}  // namespace
}  // namespace api_test
