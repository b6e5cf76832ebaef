# The provider, loaded from the build tree, beside the default provider alone.
find_package(nlohmann_json REQUIRED)

add_library(provider_support STATIC provider/curve_keys.cc provider/digest_signatures.cc provider/finite_keys.cc provider/gcm_session.cc provider/kdf_session.cc provider/keys.cc provider/places.cc provider/records.cc provider/sides.cc
  provider/wycheproof.cc)
target_include_directories(provider_support PUBLIC provider ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(provider_support PUBLIC
  OCTAVO_MODULES="${CMAKE_BINARY_DIR}/lib/ossl-modules"
  OCTAVO_SHARED_VECTORS="${PROJECT_SOURCE_DIR}/../shared/vectors")
target_link_libraries(provider_support PUBLIC octavo GTest::gtest OpenSSL::Crypto OpenSSL::SSL Threads::Threads
  nlohmann_json::nlohmann_json)

foreach(name sign cipher key curve_key dh dsa exchange ecdsa eddsa async job curve_job polling section settings wycheproof curve_wycheproof padding kdf kdf_wycheproof tls13_kdf gcm chacha20_poly1305 records)
  add_executable(provider_${name}_test provider/${name}_test.cc provider/shim.cc)
  # The shim's symbols must be seen by the provider before the library's own.
  set_target_properties(provider_${name}_test PROPERTIES ENABLE_EXPORTS ON)
  target_link_libraries(provider_${name}_test PRIVATE provider_support GTest::gtest_main
    -Wl,--push-state,--no-as-needed octavo -Wl,--pop-state ${CMAKE_DL_LIBS})
  add_dependencies(provider_${name}_test octavo_provider)
  add_test(NAME provider.${name} COMMAND provider_${name}_test --gtest_brief=1)
  set_tests_properties(provider.${name} PROPERTIES LABELS provider TIMEOUT 600)
endforeach()
# Internals that nothing outside can reach: the encodings, and what a pause does to the error queue.
target_sources(provider_padding_test PRIVATE
  ${PROJECT_SOURCE_DIR}/src/frontend/provider/digest.cc
  ${PROJECT_SOURCE_DIR}/src/frontend/provider/padding.cc
  ${PROJECT_SOURCE_DIR}/src/frontend/provider/pss.cc)
target_link_libraries(provider_padding_test PRIVATE octavo_bridge)
octavo_has_library_sources(provider_padding_test)

# By their sources alone: what the bridge has besides takes the thread sanitizer's build longer than they do.
set(bridge_dir ${PROJECT_SOURCE_DIR}/src/frontend/bridge)
add_executable(bridge_ciphers_test
  ${bridge_dir}/ciphers_test.cc ${bridge_dir}/cbc_hmac.cc ${bridge_dir}/chacha20_poly1305.cc ${bridge_dir}/gcm.cc
  ${bridge_dir}/ipsec_mb.cc)
target_include_directories(bridge_ciphers_test PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
octavo_has_library_sources(bridge_ciphers_test)
target_link_libraries(bridge_ciphers_test PRIVATE GTest::gtest_main octavo_ipsec_mb OpenSSL::Crypto Threads::Threads)
add_test(NAME bridge.ciphers COMMAND bridge_ciphers_test --gtest_brief=1)
set_tests_properties(bridge.ciphers PROPERTIES LABELS "unit;property" TIMEOUT 120)

# What counts the work: symbols that the modules must see before libcrypto's and libipsec-mb's own.
function(octavo_counts_own_work program)
  target_sources(${program} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/own_work.cc)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/support/own_work.cc PROPERTIES COMPILE_DEFINITIONS OPENSSL_SUPPRESS_DEPRECATED)
  target_link_libraries(${program} PRIVATE -Wl,--push-state,--no-as-needed ${OCTAVO_IPSEC_MB} -Wl,--pop-state)
endfunction()
foreach(name gcm chacha20_poly1305 kdf tls13_kdf)
  octavo_counts_own_work(provider_${name}_test)
endforeach()

foreach(name section settings)
  target_include_directories(provider_${name}_test PRIVATE api ${PROJECT_SOURCE_DIR}/src)
endforeach()

add_executable(memory_probe e2e/memory_probe.c)
target_link_libraries(memory_probe PRIVATE OpenSSL::Crypto)
add_dependencies(memory_probe octavo_provider)

# The openssl command is not built with sanitizers and cannot load what is.
foreach(name commands tls speed engine memory)
  add_test(NAME e2e.${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/e2e/${name}.sh ${CMAKE_BINARY_DIR})
  set_tests_properties(e2e.${name} PROPERTIES LABELS e2e TIMEOUT 300)
  octavo_not_sanitized(e2e.${name})
endforeach()
