# The preparation of private keys, as it is shipped, under valgrind: see prepare_memcheck.cc.
find_program(VALGRIND valgrind)
find_path(VALGRIND_HEADERS valgrind/memcheck.h)
if(OCTAVO_SANITIZE OR NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  return()  # valgrind cannot run under a sanitizer, and another build is not the shipped one
endif()
if(NOT VALGRIND OR NOT VALGRIND_HEADERS)
  message(STATUS "SKIPPED: no valgrind, so the constant time of RSA's key preparation is not looked at")
  return()
endif()

add_executable(make_keys ct/make_keys.cc)
target_link_libraries(make_keys PRIVATE rsa_test_keys)
add_executable(prepare_memcheck ct/prepare_memcheck.cc)
target_include_directories(prepare_memcheck SYSTEM PRIVATE ${VALGRIND_HEADERS})
target_link_libraries(prepare_memcheck PRIVATE octavo_kernel)

set(keys ${CMAKE_CURRENT_BINARY_DIR}/rsa_keys)
set(memcheck ${VALGRIND} --quiet --error-exitcode=1 --track-origins=yes $<TARGET_FILE:prepare_memcheck>)
add_test(NAME kernel.rsa.prepare.keys COMMAND make_keys ${keys})
add_test(NAME kernel.rsa.prepare.memcheck COMMAND ${memcheck} ${keys})
add_test(NAME kernel.rsa.prepare.selftest COMMAND ${memcheck} --plant)
set_tests_properties(kernel.rsa.prepare.keys PROPERTIES FIXTURES_SETUP rsa_prepare_keys)
set_tests_properties(kernel.rsa.prepare.memcheck PROPERTIES FIXTURES_REQUIRED rsa_prepare_keys)
set_tests_properties(kernel.rsa.prepare.keys kernel.rsa.prepare.memcheck kernel.rsa.prepare.selftest PROPERTIES LABELS unit)
set_tests_properties(kernel.rsa.prepare.selftest PROPERTIES
  PASS_REGULAR_EXPRESSION "Conditional jump or move depends on uninitialised value")
