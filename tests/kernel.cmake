# Unit tests of the kernels live beside their code.
set(rsa_dir ${PROJECT_SOURCE_DIR}/src/kernel/rsa)
add_library(rsa_test_keys STATIC ${rsa_dir}/rsa_test_keys.cc)
target_link_libraries(rsa_test_keys PUBLIC octavo_kernel)

add_executable(rsa_test ${rsa_dir}/rsa_test.cc ${rsa_dir}/rsa_ref_test.cc ${rsa_dir}/rsa_check_test.cc)
target_link_libraries(rsa_test PRIVATE rsa_test_keys GTest::gtest_main)
octavo_forks_while_busy(rsa_test)

# A process for each group of tests: keys are slow to make, and are made once per process.
set(rows *RsaRow*:*RsaFault*)
set(features *RsaWithout*)
add_test(NAME kernel.rsa.rows COMMAND rsa_test --gtest_filter=${rows})
add_test(NAME kernel.rsa.features COMMAND rsa_test --gtest_filter=${features})
add_test(NAME kernel.rsa.other COMMAND rsa_test --gtest_filter=-${rows}:${features})
set_tests_properties(kernel.rsa.rows kernel.rsa.features kernel.rsa.other PROPERTIES LABELS unit)

include(ct/memcheck.cmake)

add_executable(ec_test ${PROJECT_SOURCE_DIR}/src/kernel/ec/ec_test.cc ${PROJECT_SOURCE_DIR}/src/kernel/ec/ec_test_oracle.cc
  ${PROJECT_SOURCE_DIR}/src/kernel/ec/secret_test.cc)
target_link_libraries(ec_test PRIVATE octavo_kernel GTest::gtest_main)
add_test(NAME kernel.ec COMMAND ec_test)
set_tests_properties(kernel.ec PROPERTIES LABELS unit)

add_executable(curve25519_test ${PROJECT_SOURCE_DIR}/src/kernel/curve25519/field_test.cc)
target_link_libraries(curve25519_test PRIVATE octavo_kernel GTest::gtest_main)
add_test(NAME kernel.curve25519 COMMAND curve25519_test)
set_tests_properties(kernel.curve25519 PROPERTIES LABELS unit)

add_executable(x25519_test ${PROJECT_SOURCE_DIR}/src/kernel/x25519/x25519_test.cc)
target_link_libraries(x25519_test PRIVATE octavo_kernel GTest::gtest_main)
add_test(NAME kernel.x25519 COMMAND x25519_test)
set_tests_properties(kernel.x25519 PROPERTIES LABELS unit)

add_executable(ed25519_test ${PROJECT_SOURCE_DIR}/src/kernel/ed25519/ed25519_test.cc)
target_link_libraries(ed25519_test PRIVATE octavo_kernel GTest::gtest_main)
add_test(NAME kernel.ed25519 COMMAND ed25519_test)
set_tests_properties(kernel.ed25519 PROPERTIES LABELS unit)

add_executable(modexp_test ${PROJECT_SOURCE_DIR}/src/kernel/modexp/modexp_test.cc)
target_link_libraries(modexp_test PRIVATE octavo_kernel GTest::gtest_main)
add_test(NAME kernel.modexp COMMAND modexp_test)
set_tests_properties(kernel.modexp PROPERTIES LABELS unit)
