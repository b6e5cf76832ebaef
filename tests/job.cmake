# Jobs: the runtime behind octavo/job.h, and its benchmark.
add_executable(job_test job/job_test.cc job/cancel_test.cc job/wait_test.cc job/stack_test.cc job/switch_test.cc)
target_include_directories(job_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(job_test PRIVATE octavo_core GTest::gtest_main)

# The same with Boost's switch, which other machines than x86-64 use.
add_executable(job_boost_test job/job_test.cc job/cancel_test.cc job/switch_test.cc ${PROJECT_SOURCE_DIR}/src/job/switch.cc)
octavo_has_library_sources(job_boost_test)
target_compile_definitions(job_boost_test PRIVATE OCTAVO_JOB_BOOST)
target_include_directories(job_boost_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(job_boost_test PRIVATE octavo_core GTest::gtest_main)

# `property`, so that they run under every sanitizer.
set(deaths *Death*)
add_test(NAME job.runtime COMMAND job_test --gtest_filter=-${deaths})
add_test(NAME job.boost COMMAND job_boost_test --gtest_filter=-${deaths})
set_tests_properties(job.runtime job.boost PROPERTIES LABELS property)
add_test(NAME job.deaths COMMAND job_test --gtest_filter=${deaths})
set_tests_properties(job.deaths PROPERTIES LABELS unit)

add_executable(octavo-job-bench job/bench.cc)
target_compile_options(octavo-job-bench PRIVATE -O2)
target_link_libraries(octavo-job-bench PRIVATE octavo OpenSSL::Crypto)

# What an outside program sees: headers and shared library.
add_executable(job_hpp_test job/hpp_test.cc)
target_include_directories(job_hpp_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(job_hpp_test PRIVATE api_support GTest::gtest_main octavo)
add_test(NAME job.hpp COMMAND job_hpp_test)
set_tests_properties(job.hpp PROPERTIES LABELS unit)
