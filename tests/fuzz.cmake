# libFuzzer targets. The library is compiled once more, with coverage and the sanitizers, but for the lane kernels:
# with coverage they compile for minutes.
set(OCTAVO_FUZZ_SECONDS 30 CACHE STRING "How long ctest runs each fuzz target")

function(octavo_sources target result)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources EXCLUDE REGEX "job|_avx512|OBJECTS:")
  list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/src/)
  set(${result} ${sources} PARENT_SCOPE)
endfunction()
octavo_sources(octavo_core core_sources)
octavo_sources(octavo_kernel kernel_sources)

add_library(octavo_fuzzed STATIC ${core_sources} ${kernel_sources} api/numbers.cc fuzz/stock_keys.cc)
target_include_directories(octavo_fuzzed PUBLIC fuzz api)
target_compile_options(octavo_fuzzed PUBLIC -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
target_link_options(octavo_fuzzed PUBLIC -fsanitize=address,undefined)
target_link_libraries(octavo_fuzzed PUBLIC octavo_kernel)

add_executable(make_corpus fuzz/make_corpus.cc)
target_link_libraries(make_corpus PRIVATE octavo_fuzzed)
add_test(NAME fuzz.corpus COMMAND make_corpus ${CMAKE_BINARY_DIR}/seeds)
set_tests_properties(fuzz.corpus PROPERTIES FIXTURES_SETUP seeds LABELS fuzz)

foreach(name key api config stats faults)
  add_executable(${name}_fuzz fuzz/${name}_fuzz.cc)
  target_link_libraries(${name}_fuzz PRIVATE octavo_fuzzed)
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/corpus/${name})
  set(seconds ${OCTAVO_FUZZ_SECONDS})
  if(name STREQUAL faults) # little to read: a quarter of the time is plenty
    math(EXPR seconds "(${seconds} + 3) / 4")
  endif()
  add_test(NAME fuzz.${name} COMMAND ${name}_fuzz -max_total_time=${seconds} -timeout=20 -max_len=8192 -print_final_stats=1
    ${CMAKE_BINARY_DIR}/corpus/${name} ${CMAKE_BINARY_DIR}/seeds/${name})
  set_tests_properties(fuzz.${name} PROPERTIES FIXTURES_REQUIRED seeds LABELS fuzz TIMEOUT 600)
endforeach()
