# SPDX-License-Identifier: MIT
cmake_minimum_required(VERSION 3.25)
# cmake -DROOT=<checkout> -P include_layers.cmake: who may include whom. The CMake targets say the same; this also catches
# headers that happen to be reachable. Ends with an error that lists every line that breaks a rule.

# directory -> the top-level directories its own includes may name
set(allow_core core)
set(allow_devices core devices)
set(allow_ioreq core ioreq)
set(allow_platform core platform)
set(allow_ioreq_machine core devices ioreq)
set(allow_ioreq_daemon core devices ioreq platform)
set(allow_tests_rig core devices ioreq platform tests)
# A device as README.md of devices/ has it: core, and itself.
set(allow_tests_example_device core tests)
set(allow_tests core devices ioreq platform tests)
set(allow_bench core devices ioreq platform tests bench)

# No OS, Xen or Asio header in core and devices: what they need of the host is a port in core/ports or core/backend.
set(forbidden_core "<(sys/|unistd|fcntl|poll|pthread|linux/|netinet/|arpa/|termios|xen|boost/asio|boost/json|thread>|mutex>)")
set(forbidden_devices "${forbidden_core}")
# ioreq knows the layout of a request from Xen's public headers and nothing else of Xen.
set(forbidden_ioreq "<(sys/|unistd|fcntl|poll|pthread|linux/|xenctrl|xendevicemodel|xenforeignmemory|xenevtchn|xenstore|boost/asio|thread>|mutex>)")

# devices/ROOM: what its files may include of other rooms. Devices do not know each other; a controller of drives knows what a
# drive is, and not which drives there are.
set(neighbours_ide "ata/(drive|geometry|regs|state|transfer_port)\\.h")

set(errors "")
macro(complain text)
  string(APPEND errors "  ${text}\n")
endmacro()

function(check_file file layer)
  file(STRINGS ${ROOT}/${file} includes REGEX "^#[ ]*include")
  foreach(line IN LISTS includes)
    if(line MATCHES "\"([a-z]+)/([^\"]+)\"")
      set(target ${CMAKE_MATCH_1})
      set(rest ${CMAKE_MATCH_2})
      if(NOT target IN_LIST allow_${layer})
        complain("${file}: ${layer} may not include \"${target}/${rest}\"")
      endif()
      # The composition root is nobody's dependency.
      if(target STREQUAL "ioreq" AND rest MATCHES "^daemon/" AND NOT layer STREQUAL "ioreq_daemon" AND NOT file MATCHES "^tests/(unit/ioreq/daemon|fuzz|qtest)/")
        complain("${file}: only the daemon and its tests include \"ioreq/${rest}\"")
      endif()
      if(target STREQUAL "ioreq" AND rest MATCHES "^machine/" AND NOT layer MATCHES "^ioreq_(machine|daemon)$" AND NOT file MATCHES "^tests/")
        complain("${file}: only the machine, the daemon and tests include \"ioreq/${rest}\"")
      endif()
      if(layer STREQUAL "devices" AND target STREQUAL "devices")
        string(REGEX REPLACE "^devices/([a-z0-9]+)/.*" "\\1" own "${file}")
        if(NOT rest MATCHES "^${own}/" AND NOT (DEFINED neighbours_${own} AND rest MATCHES "^${neighbours_${own}}$"))
          complain("${file}: devices/${own} may not include \"devices/${rest}\"")
        endif()
      endif()
      if(layer STREQUAL "tests_example_device" AND target STREQUAL "tests" AND NOT rest MATCHES "^example_device/")
        complain("${file}: the example device includes \"tests/${rest}\"")
      endif()
      # Tests type register numbers anew: two transcriptions of a datasheet check each other.
      if(file MATCHES "^tests/(unit|drivers|property|fuzz|qtest)" AND target STREQUAL "devices" AND rest MATCHES "regs\\.h$")
        complain("${file}: a test may not include the device's \"devices/${rest}\"")
      endif()
    elseif(DEFINED forbidden_${layer} AND line MATCHES "${forbidden_${layer}}" AND NOT line MATCHES "${always_allowed}")
      complain("${file}: ${layer} may not have ${line}")
    endif()
  endforeach()
  set(errors "${errors}" PARENT_SCOPE)
endfunction()

# No interface of any OS: instructions for tracers.
set(always_allowed "<sys/sdt.h>")

set(files_seen 0)
foreach(top core devices ioreq platform tests bench)
  file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${top}/*.h ${ROOT}/${top}/*.cc)
  foreach(file IN LISTS files)
    math(EXPR files_seen "${files_seen} + 1")
    set(layer ${top})
    if(file MATCHES "^ioreq/machine/")
      set(layer ioreq_machine)
    elseif(file MATCHES "^ioreq/daemon/")
      set(layer ioreq_daemon)
    elseif(file MATCHES "^tests/example_device/")
      set(layer tests_example_device)
    elseif(file MATCHES "^tests/rig/")
      set(layer tests_rig)
    endif()
    check_file(${file} ${layer})
    file(STRINGS ${ROOT}/${file} first LIMIT_COUNT 1)
    if(NOT first MATCHES "SPDX-License-Identifier: MIT")
      complain("${file}: the first line must be the SPDX line")
    endif()
  endforeach()
endforeach()

if(files_seen LESS 40)
  complain("only ${files_seen} files found below ${ROOT}: wrong ROOT?")
endif()
if(errors)
  message(FATAL_ERROR "layers are broken:\n${errors}")
endif()
message(STATUS "${files_seen} files keep the layers")
