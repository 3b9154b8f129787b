# SPDX-License-Identifier: MIT
# The one home of language standard, warnings, hardening and sanitizers.
#
# dm_library(NAME SOURCES... DEPENDS... [PRECOMPILED SET]) makes a static library of one layer: it
# sees only what DEPENDS names. dm_precompiled(SET HEADERS...) compiles foreign headers once;
# dm_use_precompiled(TARGET SET) gives them to a target.

option(DM_BUILD_TESTS "Build the tests" OFF)
option(DM_BUILD_BENCH "Build the benchmarks" OFF)
option(DM_BUILD_FUZZERS "Build libFuzzer targets (needs clang)" OFF)
option(DM_WERROR "Treat warnings as errors" OFF)
# Off in a release, which so judges that every file includes what it uses.
option(DM_PRECOMPILE "Compile Boost's and the library's headers once" OFF)
set(DM_SANITIZE "" CACHE STRING "Value for -fsanitize=, empty for none")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

add_library(dm_flags INTERFACE)
target_compile_options(dm_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wcast-qual
  -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference -Wformat=2 -Wundef -Wvla
  $<$<CXX_COMPILER_ID:GNU>:-Wcast-align=strict;-Wsuggest-override;-Wduplicated-cond;-Wduplicated-branches;-Wlogical-op;-Wuseless-cast>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety;-Wno-unused-const-variable>
  $<$<BOOL:${DM_WERROR}>:-Werror>)

if(DM_SANITIZE)
  add_compile_options($<IF:$<BOOL:${DM_BUILD_FUZZERS}>,-O2,-O1> -fsanitize=${DM_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DM_SANITIZE})
  # Instrumented code looks uninitialized and null to gcc where it is not; the plain builds judge
  # these two.
  target_compile_options(dm_flags INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-null-dereference>)
else()
  set(dm_hardening -fstack-protector-strong -fstack-clash-protection -fcf-protection
    -ftrivial-auto-var-init=zero)
  target_compile_options(dm_flags INTERFACE "$<$<CONFIG:Release>:${dm_hardening}>")
  target_compile_definitions(dm_flags
    INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2;_GLIBCXX_ASSERTIONS>)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION_RELEASE ON)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
# The same bytes wherever the tree lies.
add_compile_options($<$<CONFIG:Release>:-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.>)
if(DM_BUILD_FUZZERS)
  # Every library tells libFuzzer which code an input reached; the targets alone bring its main().
  # Comparisons are not traced: that takes half of the time, and the targets know the words that
  # matter (dictionaries, and lists of ports, registers and commands in their sources).
  set(dm_not_ours ${CMAKE_SOURCE_DIR}/tests/fuzz/not_ours.txt)
  add_compile_options(-fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp
    -fsanitize-ignorelist=${dm_not_ours} -fsanitize-coverage-ignorelist=${dm_not_ours})
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
include(CheckPIESupported)
check_pie_supported()

# Header-only parts of Boost 1.81 that the layers use. SYSTEM: its warnings are not ours.
find_path(DM_BOOST_INCLUDE boost/version.hpp REQUIRED)
file(STRINGS ${DM_BOOST_INCLUDE}/boost/version.hpp dm_boost_version
  REGEX "define BOOST_LIB_VERSION")
if(NOT dm_boost_version MATCHES "\"1_(8[1-9]|9[0-9])\"")
  message(FATAL_ERROR "Boost 1.81 or newer is needed: apt-get install libboost1.81-dev")
endif()
add_library(dm_boost INTERFACE)
target_include_directories(dm_boost SYSTEM INTERFACE ${DM_BOOST_INCLUDE})

function(dm_precompiled set)
  if(DM_PRECOMPILE)
    file(WRITE ${CMAKE_BINARY_DIR}/precompiled/${set}.cc "")
    add_library(${set} OBJECT ${CMAKE_BINARY_DIR}/precompiled/${set}.cc)
    target_link_libraries(${set} PRIVATE dm_boost dm_flags)
    target_precompile_headers(${set} PRIVATE ${ARGN})
  endif()
endfunction()

function(dm_use_precompiled target set)
  if(DM_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${set})
  endif()
endfunction()

set(dm_standard_headers
  <algorithm> <array> <cerrno> <chrono> <cstddef> <cstdint> <cstring> <functional> <limits> <memory>
  <optional> <span> <string> <string_view> <utility> <vector>)
dm_precompiled(dm_library_headers ${dm_standard_headers}
  <boost/json/array.hpp> <boost/json/object.hpp>)

function(dm_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PRECOMPILED" "SOURCES;DEPENDS")
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_DEPENDS} dm_boost PRIVATE dm_flags)
  if(arg_PRECOMPILED)
    dm_use_precompiled(${name} ${arg_PRECOMPILED})
  endif()
endfunction()
