# The drop-in for OpenSSL's ASYNC_*: each test on it, and on OpenSSL's own runtime for an oracle.
foreach(runtime async async_openssl)
  foreach(part async tls)
    set(name ${runtime}_${part}_test)
    add_executable(${name} async/${part}_test.cc)
    target_compile_definitions(${name} PRIVATE OCTAVO_DROP_IN=$<STREQUAL:${runtime},async>)
    # Its own file tests what OpenSSL 3 deprecates: keys with a method of their own.
    target_compile_options(${name} PRIVATE -Wno-deprecated-declarations)
    if(runtime STREQUAL async)
      target_link_libraries(${name} PRIVATE octavo_async)
    endif()
    target_link_libraries(${name} PRIVATE OpenSSL::SSL OpenSSL::Crypto GTest::gtest_main)
  endforeach()
  add_test(NAME ${runtime}.functions COMMAND ${runtime}_async_test)
  set_tests_properties(${runtime}.functions PROPERTIES LABELS unit)
endforeach()

add_test(NAME async.tls COMMAND async_tls_test)
# `slow` keeps it out of the asan preset, whose quarantine holds what was freed: resident memory says nothing there.
set_tests_properties(async.tls PROPERTIES LABELS "e2e;slow")

# Preloading a library with a sanitizer into a program without: not meant to work.
if(NOT OCTAVO_SANITIZE)
  add_test(NAME async.programs COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/async/programs ${PROJECT_BINARY_DIR})
  set_tests_properties(async.programs PROPERTIES LABELS e2e TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()
