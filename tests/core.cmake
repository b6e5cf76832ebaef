# Unit tests that live beside the code of base, ring, device, instance and config.
add_executable(core-tests
  ${PROJECT_SOURCE_DIR}/src/base/base_test.cc
  ${PROJECT_SOURCE_DIR}/src/base/handles_test.cc
  ${PROJECT_SOURCE_DIR}/src/config/configuration_test.cc
  ${PROJECT_SOURCE_DIR}/src/config/endpoint_test.cc
  ${PROJECT_SOURCE_DIR}/src/device/cost_test.cc
  ${PROJECT_SOURCE_DIR}/src/device/scratch_test.cc
  ${PROJECT_SOURCE_DIR}/src/instance/alone_test.cc
  ${PROJECT_SOURCE_DIR}/src/instance/endpoint_health_test.cc
  ${PROJECT_SOURCE_DIR}/src/ring/ring_test.cc)
target_link_libraries(core-tests PRIVATE octavo_core GTest::gtest_main)
gtest_discover_tests(core-tests PROPERTIES LABELS unit DISCOVERY_TIMEOUT 60)
