# Installation, and the scripts' tests of themselves. Neither depends on how the code was compiled: once is enough.
if(OCTAVO_SANITIZE)
  return()
endif()

add_test(NAME install COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/install/run ${PROJECT_BINARY_DIR} ${CMAKE_C_COMPILER} ${CMAKE_CXX_COMPILER})
set_tests_properties(install PROPERTIES LABELS install TIMEOUT 300)

foreach(script bootstrap check-format check-includes test)
  add_test(NAME scripts.${script} COMMAND ${PROJECT_SOURCE_DIR}/scripts/selftest/${script})
  set_tests_properties(scripts.${script} PROPERTIES LABELS scripts TIMEOUT 120)
endforeach()
