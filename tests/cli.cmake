# The command line program, run as users run it; and the parts of it that judge, by themselves.
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)

add_library(cli_support STATIC cli/program.cc)
target_include_directories(cli_support PUBLIC cli)
if(OCTAVO_SANITIZE)
  target_compile_options(cli_support PUBLIC -O0)  # as for the program: compile time
endif()
target_compile_definitions(cli_support PUBLIC
  OCTAVO_PROGRAM="$<TARGET_FILE:octavo_cli>"
  OCTAVO_OPENSSL_CONF="${CMAKE_BINARY_DIR}/openssl.cnf"
  OCTAVO_MAN_PAGES="${PROJECT_SOURCE_DIR}/docs/man/")
target_link_libraries(cli_support PUBLIC GTest::gtest nlohmann_json::nlohmann_json)

foreach(name usage info speed doctor fault config sections)
  add_executable(cli_${name}_test cli/${name}_test.cc)
  target_link_libraries(cli_${name}_test PRIVATE cli_support GTest::gtest_main)
  add_dependencies(cli_${name}_test octavo_cli octavo_provider)
  add_test(NAME cli.${name} COMMAND cli_${name}_test --gtest_brief=1)
  set_tests_properties(cli.${name} PROPERTIES LABELS cli TIMEOUT 300)
endforeach()

# Its own process is one of those that it puts faults into.
target_link_libraries(cli_fault_test PRIVATE octavo)

# They write endpoint files with the helper of the parser's own tests.
foreach(name config sections speed)
  target_link_libraries(cli_${name}_test PRIVATE octavo_core)
endforeach()

set(cli_dir ${PROJECT_SOURCE_DIR}/tools/octavo)
add_executable(cli_parts_test cli/parts_test.cc
  ${cli_dir}/usage.cc ${cli_dir}/doctor/processes.cc ${cli_dir}/speed/core_time.cc
  ${cli_dir}/speed/count.cc ${cli_dir}/speed/limit.cc ${cli_dir}/speed/measure.cc ${cli_dir}/speed/progress.cc)
target_include_directories(cli_parts_test PRIVATE ${cli_dir})
target_link_libraries(cli_parts_test PRIVATE octavo_core fmt::fmt GTest::gtest_main)
add_test(NAME cli.parts COMMAND cli_parts_test --gtest_brief=1)
set_tests_properties(cli.parts PROPERTIES LABELS cli TIMEOUT 120)
