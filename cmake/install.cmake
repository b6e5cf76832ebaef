# What `cmake --install` lays down besides the CLI: library, headers, CMake package, octavo.pc, provider, engine, manual pages. Included by
# the root, last.
# Everything finds its neighbours by relative paths, so that the installed tree can be staged (DESTDIR) or moved.
include(CMakePackageConfigHelpers)

set(OCTAVO_MODULES_DIR "" CACHE STRING
    "Folder for the provider. Empty: OpenSSL's own where the prefix is /usr or /usr/local, else ossl-modules beside the library")
set(OCTAVO_ENGINES_DIR "" CACHE STRING
    "Folder for the engine. Empty: OpenSSL's own where the prefix is /usr or /usr/local, else engines-3 beside the library")

install(TARGETS octavo EXPORT octavo-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/octavo DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/SECURITY.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})

# ---- manual pages, each into its section ----
file(GLOB octavo_man_pages ${PROJECT_SOURCE_DIR}/docs/man/*.[1-9])
foreach(page ${octavo_man_pages})
  string(REGEX MATCH "[1-9]$" section ${page})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

# ---- find_package(octavo) and pkg-config ----
set(octavo_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/octavo)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/octavo-config.cmake.in
                              ${PROJECT_BINARY_DIR}/octavo-config.cmake INSTALL_DESTINATION ${octavo_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/octavo-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/octavo-config.cmake ${PROJECT_BINARY_DIR}/octavo-config-version.cmake
        DESTINATION ${octavo_package_dir})
install(EXPORT octavo-targets NAMESPACE octavo:: DESTINATION ${octavo_package_dir})

file(RELATIVE_PATH octavo_pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${PROJECT_SOURCE_DIR}/cmake/octavo.pc.in ${PROJECT_BINARY_DIR}/octavo.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/octavo.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# ---- the provider and the engine ----
# Their folders are chosen at installation, because `cmake --install --prefix` may name another prefix than the one configured. The built
# files are installed as they stand: their search path is $ORIGIN/.., right in the build tree and in any ossl-modules or engines-3 beside
# the library. In OpenSSL's own folders the library comes from the linker's cache, as for any program.
find_package(PkgConfig QUIET)

# octavo_install_module(TARGET VARIABLE FOLDER-BESIDE-THE-LIBRARY PKG-CONFIG-VARIABLE `openssl version`-OPTION [ANOTHER-NAME])
function(octavo_install_module octavo_target octavo_variable octavo_beside pc_variable option)
  set(octavo_configured "${${octavo_variable}}")
  set(octavo_other_name "${ARGV5}")
  if(PKG_CONFIG_FOUND)
    pkg_get_variable(octavo_openssl_folder libcrypto ${pc_variable})
  endif()
  if(NOT octavo_openssl_folder)
    execute_process(COMMAND openssl version ${option} OUTPUT_VARIABLE says ERROR_QUIET)
    string(REGEX REPLACE "^[A-Z]*: \"([^\"]*)\".*" "\\1" octavo_openssl_folder "${says}")
  endif()
  set(script ${PROJECT_BINARY_DIR}/install-${octavo_target}.cmake)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/install-module.cmake.in ${script}.in @ONLY)
  file(GENERATE OUTPUT ${script} INPUT ${script}.in)
  install(SCRIPT ${script})
endfunction()
octavo_install_module(octavo_provider OCTAVO_MODULES_DIR ossl-modules modulesdir -m)
octavo_install_module(octavo_engine OCTAVO_ENGINES_DIR engines-3 enginesdir -e qatengine.so)
