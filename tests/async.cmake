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
endforeach()
add_test(NAME async.functions COMMAND async_async_test)
add_test(NAME async_openssl.functions COMMAND async_openssl_async_test --gtest_filter=-AsyncDropIn.*)
set_tests_properties(async.functions async_openssl.functions PROPERTIES LABELS unit)

add_test(NAME async.tls COMMAND async_tls_test)
add_test(NAME async.programs COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/async/programs ${PROJECT_BINARY_DIR})
set_tests_properties(async.tls async.programs PROPERTIES LABELS e2e TIMEOUT 120 SKIP_RETURN_CODE 77)
# async.tls too: a sanitizer's quarantine holds what was freed, and resident memory says nothing.
octavo_not_sanitized(async.tls async.programs)
