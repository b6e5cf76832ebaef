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
  ${PROJECT_SOURCE_DIR}/src/instance/progress_test.cc
  ${PROJECT_SOURCE_DIR}/src/ring/ring_test.cc)
target_link_libraries(core-tests PRIVATE octavo_core GTest::gtest_main)
add_test(NAME core.statics COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/statics $<TARGET_FILE:octavo> $<TARGET_FILE:octavo_provider>
  $<TARGET_FILE:octavo_engine> $<TARGET_FILE:octavo_async>)
set_tests_properties(core.statics PROPERTIES LABELS unit TIMEOUT 60)
gtest_discover_tests(core-tests PROPERTIES LABELS unit DISCOVERY_TIMEOUT 60)
