# The engine, loaded from the build tree, beside OpenSSL's own methods. It changes the process: what makes it the default runs in a
# process of its own.
foreach(name rsa ec ffc gcm kdf pipeline records control health life)
  add_executable(engine_${name}_test engine/${name}_test.cc engine/support.cc provider/shim.cc)
  set_target_properties(engine_${name}_test PROPERTIES ENABLE_EXPORTS ON)
  target_compile_definitions(engine_${name}_test PRIVATE OCTAVO_ENGINES="${CMAKE_BINARY_DIR}/lib/engines-3"
    OPENSSL_SUPPRESS_DEPRECATED)
  target_link_libraries(engine_${name}_test PRIVATE provider_support GTest::gtest_main
    -Wl,--push-state,--no-as-needed octavo -Wl,--pop-state ${CMAKE_DL_LIBS})
  add_dependencies(engine_${name}_test octavo_engine octavo_provider)
endforeach()
foreach(name gcm kdf life)
  octavo_counts_own_work(engine_${name}_test)
endforeach()
# Puts faults into its own process, as `octavo fault` does.
target_link_libraries(engine_health_test PRIVATE octavo_core)
target_include_directories(engine_health_test PRIVATE api)
target_include_directories(engine_life_test PRIVATE api ${PROJECT_SOURCE_DIR}/src)
foreach(name rsa ec ffc gcm kdf pipeline records control health)
  add_test(NAME engine.${name} COMMAND engine_${name}_test --gtest_brief=1)
  set_tests_properties(engine.${name} PROPERTIES LABELS engine TIMEOUT 300)
endforeach()
octavo_forks_while_busy(engine_life_test)
gtest_discover_tests(engine_life_test TEST_PREFIX engine. DISCOVERY_MODE PRE_TEST PROPERTIES LABELS engine TIMEOUT 300)

# For people to run: what a record costs through libssl.
add_executable(records_bench engine/records_bench.cc engine/support.cc provider/shim.cc)
target_compile_options(records_bench PRIVATE -O2)
target_compile_definitions(records_bench PRIVATE OCTAVO_ENGINES="${CMAKE_BINARY_DIR}/lib/engines-3" OPENSSL_SUPPRESS_DEPRECATED)
target_link_libraries(records_bench PRIVATE provider_support -Wl,--push-state,--no-as-needed octavo -Wl,--pop-state ${CMAKE_DL_LIBS})
add_dependencies(records_bench octavo_engine octavo_provider)
