# The distribution's HAProxy, end to end. Skips itself, loudly, where there is none.
if(OCTAVO_SANITIZE)
  return()
endif()

add_test(NAME haproxy COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/haproxy/haproxy_test.py)
set_tests_properties(haproxy PROPERTIES
  LABELS "e2e;haproxy" TIMEOUT 600 SKIP_RETURN_CODE 77 ENVIRONMENT "OCTAVO_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
