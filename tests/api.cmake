# The public API, as an outside program sees it: against liboctavo.so, with OpenSSL's big numbers as the oracle.
add_library(api_support STATIC api/numbers.cc api/support.cc)
target_include_directories(api_support PUBLIC api ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(api_support PUBLIC GTest::gtest OpenSSL::Crypto Threads::Threads)

function(octavo_api_test name library)
  add_executable(api_${name}_test api/${name}_test.cc ${ARGN})
  target_link_libraries(api_${name}_test PRIVATE api_support GTest::gtest_main ${library})
  add_test(NAME api.${name} COMMAND api_${name}_test --gtest_brief=1)
  set_tests_properties(api.${name} PROPERTIES LABELS api TIMEOUT 600)
endfunction()

foreach(name key ec modulus instance thread request result batch cancel consult wake cpu fork polling polling_matrix waiter)
  octavo_api_test(${name} octavo)
endforeach()
# Reads another process's statistics with the core's own reader.
octavo_api_test(statistics octavo_core)
octavo_api_test(hpp octavo api/hpp_plain.cc)
set_source_files_properties(api/hpp_plain.cc PROPERTIES COMPILE_OPTIONS "-fno-exceptions;-fno-rtti")

add_test(NAME api.headers COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/headers ${PROJECT_SOURCE_DIR}/include)
set_tests_properties(api.headers PROPERTIES LABELS api TIMEOUT 60)

octavo_api_test(property octavo api/property_model.cc api/property_worker.cc)
octavo_forks_while_busy(api_fork_test)
octavo_forks_while_busy(api_property_test)
set_tests_properties(api.property PROPERTIES LABELS "api;property" TIMEOUT 1200)

# They write endpoint files with the helper of the parser's own tests.
add_executable(section_program api/section_program.cc)
target_link_libraries(section_program PRIVATE octavo)
foreach(name section section_folder section_instances section_storm)
  octavo_api_test(${name} octavo_core)
  target_compile_definitions(api_${name}_test PRIVATE SECTION_PROGRAM="$<TARGET_FILE:section_program>")
  add_dependencies(api_${name}_test section_program)
endforeach()
octavo_api_test(cost_table octavo_core)

# Faults come in through the core's own side of the file that `octavo fault` writes.
octavo_api_test(health octavo_core api/health_events_test.cc api/health_chaos_test.cc)
set_tests_properties(api.health PROPERTIES LABELS "api;property")
octavo_forks_while_busy(api_health_test)
