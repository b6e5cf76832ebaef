#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>

#include "octavo/octavo.hpp"
#include "vectors/curve_files.hpp"
#include "vectors/rsa_files.hpp"

/// Third-party vectors by the C interface, as a program calls it: many requests in flight, polled or waited for.
namespace octavo::vectors {
namespace {

/// Empty where it was refused.
using Key = std::shared_ptr<const octavo::Key>;

Key curve_key(octavo_curve curve, const ByteVector& private_key, const ByteVector& public_key) {
    auto made = octavo::Key::create_ec({static_cast<octavo::Curve>(curve), private_key, public_key});
    return std::make_shared<octavo::Key>(made ? std::move(*made) : octavo::Key());
}

Key rsa_key(const TestKey& from) {
    auto made = octavo::Key::create_rsa({from.n, from.e, from.d, from.p, from.q, from.dp, from.dq, from.qinv});
    EXPECT_TRUE(made) << octavo_error_text();
    return std::make_shared<octavo::Key>(made ? std::move(*made) : octavo::Key());
}

struct Answer {
    octavo_status status = OCTAVO_PORTABLE;
    ByteVector output;
};

struct Request {
    Key key;
    octavo_operation operation;
    ByteVector input;
    std::function<void(const Answer&)> judge;
};

class Driver {
public:
    explicit Driver(octavo_driver driver) {
        octavo_instance_config config{};
        config.size = sizeof config;
        config.name = "vectors";
        config.driver = driver;
        config.ring_size = 64;
        EXPECT_EQ(octavo_instance_create(&config, &instance_), OCTAVO_OK) << octavo_error_text();
    }
    ~Driver() { octavo_instance_destroy(instance_); }
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;

    /// Every second one has a callback, and is polled for; the others are waited for, and their results fetched.
    void run(const std::vector<Request>& requests) {
        for (std::size_t i = 0; i < requests.size();) {
            std::vector<Flight> flights;
            flights.reserve(kInFlight);
            for (; i < requests.size() && flights.size() < kInFlight; ++i) submit(requests[i], flights);
            for (auto& flight : flights) finish(flight);
        }
    }

private:
    static constexpr std::size_t kInFlight = 48;

    struct Flight {
        const Request& request;
        octavo_request handle{};
        Answer answer;
        bool has_callback = false, is_done = false;
    };

    static void done(void* argument, octavo_request, octavo_status status, const uint8_t* output, size_t len) {
        auto& flight = *static_cast<Flight*>(argument);
        EXPECT_FALSE(flight.is_done) << "twice";
        flight.is_done = true;
        flight.answer = {status, ByteVector(output, output + len)};
    }

    void submit(const Request& request, std::vector<Flight>& flights) {
        auto& flight = flights.emplace_back(Flight{request, {}, {}, false, false});
        flight.has_callback = flights.size() % 2 == 0;
        octavo_submission submission = OCTAVO_SUBMISSION_INIT;
        submission.key = request.key->handle();
        submission.operation = request.operation;
        submission.input = request.input.data();
        submission.input_len = request.input.size();
        if (flight.has_callback) submission.callback = done;
        submission.callback_argument = &flight;
        const auto status = octavo_submit(instance_, &submission, &flight.handle);
        if (status == OCTAVO_OK || status == OCTAVO_PENDING) return;
        flight.answer.status = status;  // a key that was refused, say
        flight.is_done = true;
    }

    void finish(Flight& flight) {
        constexpr std::uint64_t kMinute = 60'000'000'000;
        if (!flight.is_done) {
            EXPECT_EQ(octavo_wait(instance_, flight.handle, kMinute), OCTAVO_OK);
        }
        if (flight.has_callback) {
            EXPECT_EQ(octavo_poll(instance_, SIZE_MAX, nullptr), OCTAVO_OK);
        } else if (!flight.is_done) {
            fetch(flight);
        }
        EXPECT_TRUE(flight.is_done);
        flight.request.judge(flight.answer);
    }

    void fetch(Flight& flight) {
        std::array<std::uint8_t, 2048> output;
        std::size_t len = 0;
        flight.answer.status = octavo_result(instance_, flight.handle, output.data(), output.size(), &len);
        flight.is_done = true;
        if (flight.answer.status == OCTAVO_OK) flight.answer.output.assign(output.data(), output.data() + len);
    }

    octavo_instance instance_{};
};

ByteVector joined(const ByteVector& a, const ByteVector& b) {
    ByteVector all(a);
    all.insert(all.end(), b.begin(), b.end());
    return all;
}

ByteVector point(const PointBytes& of) { return joined({4}, joined(of.x, of.y)); }

class ApiVectors : public testing::TestWithParam<octavo_driver> {
protected:
    void SetUp() override {
        const auto found = folder();
        if (!found) GTEST_SKIP() << "no third-party vectors";
        folder_ = *found + "/";
    }
    void run(const std::vector<Request>& requests) {
        ASSERT_FALSE(requests.empty());
        Driver(GetParam()).run(requests);
        std::printf("%zu requests\n", requests.size());
    }
    std::string folder_;
};

struct NistCurve : CurveName {
    octavo_curve number;
    const char* hash;
};
/// Curves without lanes go the same way by either driver, and are slow: one is enough.
bool is_left_out(octavo_curve curve, octavo_driver driver) {
    return driver == OCTAVO_DRIVER_THREADS && (curve == OCTAVO_CURVE_P521 || curve == OCTAVO_CURVE_X448);
}

constexpr NistCurve kNist[] = {{{"secp256r1", 32, 256}, OCTAVO_CURVE_P256, "sha256"},
                               {{"secp384r1", 48, 384}, OCTAVO_CURVE_P384, "sha384"},
                               {{"secp521r1", 66, 521}, OCTAVO_CURVE_P521, "sha512"}};

TEST_P(ApiVectors, Ecdh) {
    for (const auto& curve : kNist) {
        if (is_left_out(curve.number, GetParam())) continue;
        std::vector<Request> requests;
        for (auto& test : read_ecdh(folder_ + "ecdh_" + curve.name + "_ecpoint_test.json", curve).tests) {
            const auto judge = [test](const Answer& answer) {
                EXPECT_EQ(answer.status, test.valid ? OCTAVO_OK : OCTAVO_ERR_BAD_POINT) << test.where;
                if (test.valid) {
                    EXPECT_EQ(answer.output, test.shared) << test.where;
                }
            };
            requests.push_back({curve_key(curve.number, test.scalar, {}), OCTAVO_ECDH_DERIVE, point(test.peer), judge});
        }
        run(requests);
    }
}

TEST_P(ApiVectors, Ecdsa) {
    for (const auto& curve : kNist) {
        if (is_left_out(curve.number, GetParam())) continue;
        std::map<ByteVector, Key> keys;
        std::vector<Request> requests;
        for (const auto& test :
             read_ecdsa(folder_ + "ecdsa_" + curve.name + "_" + curve.hash + "_test.json", curve).tests) {
            auto& key = keys[point(test.key)];
            if (key == nullptr) key = curve_key(curve.number, {}, point(test.key));
            const auto judge = [valid = test.valid, where = test.where](const Answer& answer) {
                EXPECT_EQ(answer.status, valid ? OCTAVO_OK : OCTAVO_ERR_BAD_SIGNATURE) << where;
            };
            requests.push_back({key, OCTAVO_ECDSA_VERIFY, joined(joined(test.r, test.s), test.digest), judge});
        }
        run(requests);
    }
}

TEST_P(ApiVectors, Xdh) {
    struct File {
        const char *name, *curve;
        octavo_curve number;
    };
    for (const auto& file : {File{"x25519_test.json", "curve25519", OCTAVO_CURVE_X25519},
                             File{"x448_test.json", "curve448", OCTAVO_CURVE_X448}}) {
        if (is_left_out(file.number, GetParam())) continue;
        std::vector<Request> requests;
        for (const auto& test : read_xdh(folder_ + file.name, file.curve)) {
            const auto expected = test.u.size() != test.scalar.size()                ? OCTAVO_ERR_BAD_LENGTH
                                  : test.shared == ByteVector(test.shared.size(), 0) ? OCTAVO_ERR_BAD_POINT
                                                                                     : OCTAVO_OK;
            const auto judge = [test, expected](const Answer& answer) {
                EXPECT_EQ(answer.status, expected) << test.where;
                if (expected == OCTAVO_OK) {
                    EXPECT_EQ(answer.output, test.shared) << test.where;
                }
            };
            requests.push_back({curve_key(file.number, test.scalar, {}), OCTAVO_ECDH_DERIVE, test.u, judge});
        }
        run(requests);
    }
}

TEST_P(ApiVectors, Ed25519) {
    std::map<ByteVector, Key> keys;
    std::vector<Request> requests;
    for (const auto& test : read_eddsa(folder_ + "ed25519_test.json").tests) {
        auto& key = keys[test.key];
        if (key == nullptr) key = curve_key(OCTAVO_CURVE_ED25519, {}, test.key);
        const auto judge = [valid = test.valid, where = test.where](const Answer& answer) {
            EXPECT_EQ(answer.status, valid ? OCTAVO_OK : OCTAVO_ERR_BAD_SIGNATURE) << where;
        };
        requests.push_back({key, OCTAVO_EDDSA_VERIFY, joined(test.signature, test.message), judge});
    }
    run(requests);
}

TEST_P(ApiVectors, Rsa) {
    for (const auto* name : kRsaFiles) {
        const auto file = read_rsa(folder_ + name);
        std::map<const TestKey*, Key> keys;
        std::vector<Request> requests;
        for (const auto& operation : file.operations) {
            auto& key = keys[operation.key.get()];
            if (key == nullptr) key = rsa_key(*operation.key);
            const auto judge = [&operation](const Answer& answer) {
                SCOPED_TRACE(operation.where);
                EXPECT_EQ(answer.status, OCTAVO_OK);
                operation.judge(answer.output);
            };
            requests.push_back(
                {key, operation.is_private ? OCTAVO_RSA_PRIVATE : OCTAVO_RSA_PUBLIC, operation.in, judge});
        }
        run(requests);
    }
}

INSTANTIATE_TEST_SUITE_P(Drivers, ApiVectors, testing::Values(OCTAVO_DRIVER_INLINE, OCTAVO_DRIVER_THREADS),
                         [](const auto& driver) {
                             return std::string(driver.param == OCTAVO_DRIVER_INLINE ? "inline" : "threads");
                         });

}  // namespace
}  // namespace octavo::vectors
