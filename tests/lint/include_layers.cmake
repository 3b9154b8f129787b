# SPDX-License-Identifier: MIT
cmake_minimum_required(VERSION 3.25)
# cmake -DROOT=<checkout> -P include_layers.cmake: who may include whom. The CMake targets say much
# the same; this also knows the rooms within a target, and headers that happen to be reachable. Ends
# with an error that lists every line that breaks a rule.

# The rooms, and whom each may include besides itself. A file is in the room whose name is the
# longest beginning of its path. "a/*" are all rooms directly below a/, each for itself; "a/**" are
# a and all rooms below it.
set(linux "core platform/linux") # directly in it: descriptors, errors in words, naps; for all
set(loop "${linux} platform/linux/loop")
set(command_line "platform/toolstack platform/toolstack/command_line")
set(table
# room                             may include
"core                            | "
"devices/*                       | core"
"devices/ide                     | core devices/ata"
"devices/e1000                   | core devices/nic"
"devices/rtl8139                 | core devices/nic"
"ioreq                           | core"
"ioreq/machine                   | core devices/* ioreq"
"ioreq/daemon                    | core devices/* ioreq ioreq/machine platform/**"

"platform/linux                  | core"
"platform/linux/loop             | ${linux}"
"platform/linux/chardev          | ${loop}"
"platform/linux/disk             | ${loop}"
"platform/linux/nbd              | ${loop} platform/linux/disk"
"platform/linux/image            | ${loop} platform/linux/disk platform/linux/nbd"
"platform/linux/net              | ${loop}"
"platform/linux/process          | ${loop}"

"platform/toolstack              | core"
"platform/toolstack/command_line | core platform/toolstack"
"platform/toolstack/xl_config    | core ${command_line}"
"platform/toolstack/qmp          | ${loop} ${command_line}"
"platform/toolstack/store        | ${loop} ${command_line}"
"platform/toolstack/saved_guest  | ${linux}"

"platform/xen                    | ${linux}"
"platform/supervisor             | ${loop} platform/linux/process platform/xen"
"platform/display                | ${loop}"
"platform/display/server         | ${linux} platform/linux/process platform/xen platform/display"
"platform/pv                     | core"
"platform/sim                    | core"

# The daemon is a process and no library: what is to be tested without one belongs elsewhere.
"bench                           | core devices/* ioreq ioreq/machine platform/** tests/**"
"tests                           | core devices/* ioreq ioreq/machine platform/** tests/**"
# A device as devices/README.md has it.
"tests/example_device            | core"
"tests/fuzz                      | core devices/* ioreq/** platform/** tests/**"
"tests/qtest                     | core devices/* ioreq/** platform/** tests/**"
"tests/unit/ioreq/daemon         | core devices/* ioreq/** platform/** tests/**"
)

# No interface of an operating system, of Xen or of Asio in core and devices: what they need of the
# host is a port in core/ports or core/backend. ioreq knows the layout of a request from Xen's
# public headers and nothing else of Xen.
string(CONCAT no_os "<(sys/|unistd|fcntl|poll|pthread|linux/|netinet/|arpa/|termios|xen|"
  "boost/asio|boost/json|thread>|mutex>)")
string(CONCAT no_os_but_requests "<(sys/|unistd|fcntl|poll|pthread|linux/|xenctrl|xendevicemodel|"
  "xenforeignmemory|xenevtchn|xenstore|boost/asio|thread>|mutex>)")
set(no_header_core "${no_os}")
set(no_header_devices "${no_os}")
set(no_header_ioreq "${no_os_but_requests}")
set(no_header_ioreq/machine "${no_os_but_requests}")
# No interface of any OS: instructions for tracers.
set(always_allowed "<sys/sdt.h>")
# Tests type register numbers anew: two transcriptions of a datasheet check each other.
set(types_registers_anew "^tests/(unit|drivers|property|fuzz|qtest)/")

# More rows than the shortest tree can have: a wrong ROOT is an error. The self-test says 0.
if(NOT DEFINED FEWEST)
  set(FEWEST 40)
endif()

set(rooms "")
foreach(row IN LISTS table)
  string(REGEX MATCH "^([^ |]+) *\\|(.*)$" matched "${row}")
  string(STRIP "${CMAKE_MATCH_2}" may)
  string(REPLACE " " ";" may "${may}")
  list(APPEND rooms ${CMAKE_MATCH_1})
  set(may_${CMAKE_MATCH_1} "${may}")
endforeach()

# room_of(PATH NAME ROW): the room's name, and the table's row for it
function(room_of path name row)
  get_filename_component(directory "${path}" DIRECTORY)
  while(directory)
    if(directory IN_LIST rooms)
      set(${name} ${directory} PARENT_SCOPE)
      set(${row} ${directory} PARENT_SCOPE)
      return()
    endif()
    get_filename_component(above "${directory}" DIRECTORY)
    if(above AND "${above}/*" IN_LIST rooms)
      set(${name} ${directory} PARENT_SCOPE)
      set(${row} ${above}/* PARENT_SCOPE)
      return()
    endif()
    set(directory "${above}")
  endwhile()
  set(${name} "" PARENT_SCOPE)
  set(${row} "" PARENT_SCOPE)
endfunction()

# may_include(ROW ROOM RESULT): whether the row's list names the room
function(may_include row room result)
  set(${result} FALSE PARENT_SCOPE)
  get_filename_component(above "${room}" DIRECTORY)
  foreach(one IN LISTS may_${row})
    if(one STREQUAL room OR one STREQUAL "${above}/*")
      set(${result} TRUE PARENT_SCOPE)
    elseif(one MATCHES "^(.*)/\\*\\*$")
      string(FIND "${room}/" "${CMAKE_MATCH_1}/" at)
      if(at EQUAL 0)
        set(${result} TRUE PARENT_SCOPE)
      endif()
    endif()
  endforeach()
endfunction()

# A controller of drives knows what a drive is, and not which drives there are.
set(ata_for_controllers "^devices/ata/(drive|geometry|regs|state|transfer_port)\\.h$")
# Boost.Asio stays behind Loop.
set(may_have_asio "^(platform/linux/loop/|tests/unit/platform/linux/loop\\.cc$|bench/peer/floor/)")

set(errors "")
macro(complain text)
  string(APPEND errors "  ${text}\n")
endmacro()

function(check_file file)
  room_of(${file} room row)
  if(NOT room)
    complain("${file}: no room of the table in tests/lint/include_layers.cmake")
    set(errors "${errors}" PARENT_SCOPE)
    return()
  endif()
  string(REGEX MATCH "^[a-z]+" top "${file}")
  set(no_header "${no_header_${room}}")
  if(top STREQUAL "devices")
    set(no_header "${no_header_devices}")
  endif()
  file(STRINGS ${ROOT}/${file} includes REGEX "^#[ ]*include")
  foreach(line IN LISTS includes)
    if(line MATCHES "\"(([a-z]+)/[^\"]+)\"")
      set(target ${CMAKE_MATCH_1})
      set(target_top ${CMAKE_MATCH_2})
      room_of(${target} target_room target_row)
      may_include(${row} "${target_room}" allowed)
      if(NOT target_room)
        complain("${file}: \"${target}\" is in no room")
      elseif(NOT target_room STREQUAL room AND NOT allowed)
        complain("${file}: ${room} may not include \"${target}\"")
      endif()
      if(room STREQUAL "devices/ide" AND target MATCHES "^devices/ata/"
          AND NOT target MATCHES "${ata_for_controllers}")
        complain("${file}: a controller needs no \"${target}\"")
      endif()
      if(file MATCHES "${types_registers_anew}" AND target_top STREQUAL "devices"
          AND target MATCHES "regs\\.h$")
        complain("${file}: a test may not include the device's \"${target}\"")
      endif()
    elseif(no_header AND line MATCHES "${no_header}" AND NOT line MATCHES "${always_allowed}")
      complain("${file}: ${room} may not have ${line}")
    elseif(line MATCHES "<boost/asio" AND NOT file MATCHES "${may_have_asio}")
      complain("${file}: Asio stays behind Loop, not ${line}")
    endif()
  endforeach()
  set(errors "${errors}" PARENT_SCOPE)
endfunction()

set(files_seen 0)
foreach(top core devices ioreq platform tests bench)
  file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${top}/*.h ${ROOT}/${top}/*.cc)
  foreach(file IN LISTS files)
    math(EXPR files_seen "${files_seen} + 1")
    check_file(${file})
    file(STRINGS ${ROOT}/${file} first LIMIT_COUNT 1)
    if(NOT first MATCHES "SPDX-License-Identifier: MIT")
      complain("${file}: the first line must be the SPDX line")
    endif()
  endforeach()
endforeach()

if(files_seen LESS FEWEST)
  complain("only ${files_seen} files found below ${ROOT}: wrong ROOT?")
endif()
if(errors)
  message(FATAL_ERROR "layers are broken:\n${errors}")
endif()
message(STATUS "${files_seen} files keep the layers")
