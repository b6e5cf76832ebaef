# octavo_layout(TARGET WARM source... [FUNCTIONS name...] [COLD pattern...]): the order of a shared object's code and constants.
# Whatever a process touches of a file that it maps, the system maps a block of 64 KiB. So what every process runs, to start and for an operation,
# stands first, together:
#   WARM       all of these sources; besides, what constructors run before main(), and of the compiler's runtime what they call
#   FUNCTIONS  of other sources, functions with this in their mangled names
#   COLD       objects that come last of all
# What a list forgets costs memory alone, which tests/e2e/memory.sh measures.
function(octavo_layout target)
  cmake_parse_arguments(PARSE_ARGV 1 layout "" "" "WARM;FUNCTIONS;COLD")
  if(OCTAVO_SANITIZE)
    return()
  endif()
  set(warm "    *(.text.startup .text.startup.*)\n")
  # What __builtin_cpu_supports() asks, new and delete, and the guards of static variables.
  foreach(object IN ITEMS crt* cpuinfo _popcountsi2 new_op* del_op* guard atexit* pthread_atfork)
    string(APPEND warm "    *:${object}.o*(.text .text.*)\n    */${object}.o(.text .text.*)\n")
  endforeach()
  set(function ".text.[!u]")  # but .text.unlikely, what compilers expect never to run
  foreach(source IN LISTS layout_WARM)
    string(APPEND warm "    *:${source}.cc.o(.text ${function}*)\n    */${source}.cc.o(.text ${function}*)\n")
  endforeach()
  foreach(name IN LISTS layout_FUNCTIONS)
    string(APPEND warm "    *.cc.o(${function}*${name}*)\n")
  endforeach()
  set(script "SECTIONS\n{\n  .text.warm : {\n${warm}  }\n}\nINSERT BEFORE .text;\n")
  if(layout_COLD)
    list(JOIN layout_COLD "(.text .text.*) " code)
    list(JOIN layout_COLD "(.rodata .rodata.*) " constants)
    string(APPEND script "SECTIONS\n{\n  .text.cold : { ${code}(.text .text.*) }\n}\nINSERT AFTER .text;\n")
    string(APPEND script "SECTIONS\n{\n  .rodata.cold : { ${constants}(.rodata .rodata.*) }\n}\nINSERT AFTER .gcc_except_table;\n")
  endif()
  set(file ${CMAKE_CURRENT_BINARY_DIR}/${target}.ld)
  file(CONFIGURE OUTPUT ${file} CONTENT "${script}" @ONLY)
  # Segments begin with a block, wherever the loader puts them.
  target_link_options(${target} PRIVATE -Wl,-T,${file} -Wl,-z,max-page-size=65536)
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${file})
endfunction()
