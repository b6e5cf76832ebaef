# `octavo load`: its parts by themselves, and the program against openssl s_server on loopback.
if(NOT TARGET cli_support)
  return()
endif()

add_executable(load_parts_test cli/load_parts_test.cc ${PROJECT_SOURCE_DIR}/tools/octavo/usage.cc)
octavo_has_library_sources(load_parts_test)
target_link_libraries(load_parts_test PRIVATE octavo_load octavo_core GTest::gtest_main)
add_test(NAME load.parts COMMAND load_parts_test --gtest_brief=1)

add_executable(load_test cli/load_test.cc cli/load_servers.cc)
target_link_libraries(load_test PRIVATE cli_support Threads::Threads GTest::gtest_main)
add_dependencies(load_test octavo_cli)
add_test(NAME load.servers COMMAND load_test --gtest_brief=1)

set_tests_properties(load.parts load.servers PROPERTIES LABELS cli TIMEOUT 300)
