// TLS records by the provider's ciphers, against OpenSSL's own.
#include "records.hpp"

namespace octavo::test {
namespace {

TEST(Records, of_every_suite_go_both_ways) { exchange_all(with_octavo(), nullptr); }

}  // namespace
}  // namespace octavo::test
