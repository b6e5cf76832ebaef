# Built with the tests, run by hand: it wants a quiet core and minutes. See rsa_timing --help.
add_executable(rsa_timing timing/rsa_timing.cc)
target_compile_options(rsa_timing PRIVATE -O2)
target_include_directories(rsa_timing PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(rsa_timing PRIVATE rsa_test_keys)
