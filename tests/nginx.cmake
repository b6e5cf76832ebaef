# nginx with its module, end to end. The tests skip themselves, loudly, where there is no nginx; server/nginx says so where there is no module.
if(NOT TARGET octavo_nginx)
  return()
endif()

foreach(name closer keylog version)
  add_library(nginx_test_${name} MODULE nginx/${name}.c)
  target_include_directories(nginx_test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
  target_compile_options(nginx_test_${name} PRIVATE -Wno-pedantic)
  set_target_properties(nginx_test_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/nginx-tests)
endforeach()
target_link_libraries(nginx_test_closer PRIVATE octavo_nginx_headers)
set_target_properties(nginx_test_closer PROPERTIES C_EXTENSIONS ON)

foreach(name config function life aborts stall chaos)
  add_test(NAME nginx.${name} COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/nginx/${name}_test.py)
  set_tests_properties(nginx.${name} PROPERTIES
    LABELS "e2e;nginx" TIMEOUT 600 SKIP_RETURN_CODE 77 ENVIRONMENT "OCTAVO_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
endforeach()
