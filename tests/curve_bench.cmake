# What `octavo speed` measures with, on the kernels of the curves.
find_package(fmt REQUIRED)
set(speed ${PROJECT_SOURCE_DIR}/tools/octavo/speed)
add_executable(octavo-curve-bench curve_bench.cc
  ${speed}/core_time.cc
  ${speed}/curves.cc
  ${speed}/curves_kernel.cc
  ${speed}/curves_openssl.cc
  ${speed}/limit.cc
  ${speed}/measure.cc
  ${speed}/progress.cc)
target_include_directories(octavo-curve-bench PRIVATE ${PROJECT_SOURCE_DIR}/tools/octavo)
target_link_libraries(octavo-curve-bench PRIVATE octavo_kernel fmt::fmt)
