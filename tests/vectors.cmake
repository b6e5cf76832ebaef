# Third-party vectors: OCTAVO_VECTORS names their folder, at configuration or in the environment of a run.
set(OCTAVO_VECTORS ${PROJECT_SOURCE_DIR}/../shared/vectors CACHE PATH "Folder of the third-party test vectors")
find_package(nlohmann_json REQUIRED)
add_executable(vectors_test vectors/wycheproof.cc vectors/rsa_oracle.cc vectors/rsa_vectors_test.cc)
target_include_directories(vectors_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(vectors_test PRIVATE OCTAVO_VECTORS_DEFAULT="${OCTAVO_VECTORS}")
target_link_libraries(vectors_test PRIVATE rsa_test_keys nlohmann_json::nlohmann_json GTest::gtest_main)
add_test(NAME vectors.rsa COMMAND vectors_test)

add_executable(ec_vectors_test vectors/wycheproof.cc vectors/ec_vectors_test.cc vectors/ed25519_vectors_test.cc
  vectors/x25519_vectors_test.cc)
target_include_directories(ec_vectors_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(ec_vectors_test PRIVATE OCTAVO_VECTORS_DEFAULT="${OCTAVO_VECTORS}")
target_link_libraries(ec_vectors_test PRIVATE octavo_kernel nlohmann_json::nlohmann_json GTest::gtest_main)
add_test(NAME vectors.ec COMMAND ec_vectors_test)
set_tests_properties(vectors.rsa vectors.ec PROPERTIES LABELS vectors)
