# SPDX-License-Identifier: MIT
cmake_minimum_required(VERSION 3.25)
# cmake -DSCRATCH=<directory> -P include_layers_test.cmake: include_layers.cmake refuses one wrong
# line of each kind, and nothing else. Each case is a tree of its own with one file in it.

if(NOT SCRATCH)
  message(FATAL_ERROR "-DSCRATCH=<a directory to be filled and emptied> is missing")
endif()
set(cases 0)
set(wrong "")

# judge(FILE LINE): run the check on a tree that is FILE with this one line below the SPDX line
function(judge file line spdx)
  file(REMOVE_RECURSE ${SCRATCH}/tree)
  file(WRITE ${SCRATCH}/tree/${file} "${spdx}${line}\n")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -DROOT=${SCRATCH}/tree -DFEWEST=1
      -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/include_layers.cmake
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(status ${status} PARENT_SCOPE)
  set(output "${output}" PARENT_SCOPE)
endfunction()

macro(refuses file line words)
  math(EXPR cases "${cases} + 1")
  judge("${file}" "${line}" "// SPDX-License-Identifier: MIT\n")
  if(status EQUAL 0 OR NOT output MATCHES "${words}")
    string(APPEND wrong "  ${file} with ${line}: not refused with \"${words}\" but:\n${output}\n")
  endif()
endmacro()

macro(takes file line)
  math(EXPR cases "${cases} + 1")
  judge("${file}" "${line}" "// SPDX-License-Identifier: MIT\n")
  if(NOT status EQUAL 0)
    string(APPEND wrong "  ${file} with ${line}: refused:\n${output}\n")
  endif()
endmacro()

# layers
refuses(core/io/a.h "#include \"devices/e1000/e1000.h\"" "core may not include")
refuses(devices/e1000/a.h "#include \"platform/linux/nap.h\"" "devices/e1000 may not include")
refuses(devices/e1000/a.h "#include \"ioreq/slot.h\"" "devices/e1000 may not include")
refuses(ioreq/a.h "#include \"devices/e1000/e1000.h\"" "ioreq may not include")
refuses(platform/xen/a.h "#include \"ioreq/slot.h\"" "platform/xen may not include")
refuses(core/a.h "#include \"tests/rig/a.h\"" "core may not include")
takes(devices/e1000/a.h "#include \"core/io/access.h\"")
# devices do not know each other; the transport knows its disks, and not the other way round
refuses(devices/e1000/a.h "#include \"devices/ide/a.h\"" "devices/e1000 may not include")
refuses(devices/ata/a.h "#include \"devices/ide/a.h\"" "devices/ata may not include")
takes(devices/ide/a.h "#include \"devices/ata/drive.h\"")
refuses(devices/ide/a.h "#include \"devices/ata/atapi_drive.h\"" "a controller needs no")
# Asio stays in one room
refuses(platform/toolstack/qmp/a.h "#include <boost/asio/post.hpp>" "Asio stays behind Loop")
refuses(platform/linux/disk/a.h "#include <boost/asio/post.hpp>" "Asio stays behind Loop")
takes(platform/linux/loop/a.cc "#include <boost/asio/post.hpp>")
takes(devices/e1000/a.h "#include \"devices/e1000/b.h\"")
# the composition roots
refuses(ioreq/a.h "#include \"ioreq/machine/machine.h\"" "ioreq may not include")
refuses(ioreq/machine/a.h "#include \"platform/linux/nap.h\"" "ioreq/machine may not include")
refuses(ioreq/machine/a.h "#include \"ioreq/daemon/daemon.h\"" "ioreq/machine may not include")
refuses(tests/rig/a.h "#include \"ioreq/daemon/daemon.h\"" "tests may not include")
takes(ioreq/machine/a.h "#include \"devices/e1000/e1000.h\"")
takes(ioreq/daemon/a.h "#include \"platform/linux/net/net.h\"")
takes(tests/unit/ioreq/daemon/a.h "#include \"ioreq/daemon/daemon.h\"")
# rooms
refuses(platform/linux/a.h "#include \"platform/linux/loop/loop.h\"" "platform/linux may not")
refuses(platform/linux/loop/a.h "#include \"platform/linux/disk/a.h\"" "linux/loop may not")
refuses(platform/linux/disk/a.h "#include \"platform/linux/nbd/a.h\"" "linux/disk may not")
refuses(platform/linux/net/a.h "#include \"platform/linux/chardev/a.h\"" "linux/net may not")
refuses(platform/linux/process/a.h "#include \"platform/linux/chardev/a.h\"" "process may not")
refuses(platform/toolstack/command_line/a.h "#include \"platform/linux/nap.h\"" "line may not")
refuses(platform/toolstack/xl_config/a.h "#include \"platform/toolstack/qmp/a.h\"" "config may not")
refuses(platform/toolstack/qmp/a.h "#include \"platform/toolstack/store/a.h\"" "qmp may not")
refuses(platform/pv/a.h "#include \"platform/xen/a.h\"" "platform/pv may not")
refuses(platform/sim/a.h "#include \"platform/linux/nap.h\"" "platform/sim may not")
refuses(platform/linux/cupboard.d/a.h "#include \"platform/linux/loop/a.h\"" "linux may not")
refuses(ioreq/machine/a.h "#include \"cellar/a.h\"" "is in no room")
takes(platform/linux/nbd/a.h "#include \"platform/linux/disk/a.h\"")
takes(platform/linux/image/a.h "#include \"platform/linux/nbd/a.h\"")
takes(platform/toolstack/store/a.h "#include \"platform/linux/loop/a.h\"")
# the host's headers
refuses(core/a.h "#include <unistd.h>" "core may not have")
refuses(devices/e1000/a.cc "#include <boost/asio/post.hpp>" "devices/e1000 may not have")
refuses(ioreq/a.h "#include <xenevtchn.h>" "ioreq may not have")
refuses(ioreq/machine/a.h "#include <thread>" "ioreq/machine may not have")
takes(ioreq/a.h "#include <xen/hvm/ioreq.h>")
takes(core/obs/a.h "#include <sys/sdt.h>")
# register lists, and the SPDX line
refuses(tests/unit/a.cc "#include \"devices/e1000/regs.h\"" "a test may not include the device's")
math(EXPR cases "${cases} + 1")
judge(core/a.h "#include <vector>" "")
if(status EQUAL 0 OR NOT output MATCHES "the first line must be the SPDX line")
  string(APPEND wrong "  a file without the SPDX line was taken:\n${output}\n")
endif()

file(REMOVE_RECURSE ${SCRATCH}/tree)
if(wrong)
  message(FATAL_ERROR "include_layers.cmake judges wrongly:\n${wrong}")
endif()
message(STATUS "${cases} trees judged rightly")
