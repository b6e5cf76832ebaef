# Third-party vectors: OCTAVO_VECTORS names their folder, at configuration or in the environment of a run.
set(OCTAVO_VECTORS ${PROJECT_SOURCE_DIR}/../shared/vectors CACHE PATH "Folder of the third-party test vectors")
find_package(nlohmann_json REQUIRED)
add_library(vector_files STATIC vectors/curve_files.cc vectors/rsa_files.cc vectors/rsa_oracle.cc vectors/wycheproof.cc)
target_include_directories(vector_files PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(vector_files PRIVATE OCTAVO_VECTORS_DEFAULT="${OCTAVO_VECTORS}")
target_link_libraries(vector_files PUBLIC rsa_test_keys nlohmann_json::nlohmann_json GTest::gtest)

# By each row of the kernels, and by the C interface.
foreach(name rsa ec api)
  add_executable(${name}_vectors_test vectors/${name}_vectors_test.cc)
  target_link_libraries(${name}_vectors_test PRIVATE vector_files GTest::gtest_main)
  add_test(NAME vectors.${name} COMMAND ${name}_vectors_test)
  set_tests_properties(vectors.${name} PROPERTIES LABELS vectors)
endforeach()
target_sources(ec_vectors_test PRIVATE vectors/ed25519_vectors_test.cc vectors/x25519_vectors_test.cc)
target_link_libraries(api_vectors_test PRIVATE octavo)
