// SPDX-License-Identifier: MIT
// libxl 4.17's command line, typed from its contract in the order in which libxl_dm.c emits it.
#pragma once

#include "platform/toolstack/command_line/command_line.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace dm::toolstack::test {

using Arguments = std::vector<std::string_view>;

/// What differs from guest to guest. The defaults are a guest that stubdm can serve: vga="none",
/// vnc=0, usb=0, vif=[ 'type=vif' ], serial="pty", one raw disk.
struct Golden {
  Arguments qmp = {"-chardev",
                   "socket,id=libxl-cmd,path=/var/run/xen/qmp-libxl-7,server=on,wait=off"};
  Arguments channels = {};
  Arguments attach = {};
  Arguments name = {"-name", "guest"};
  Arguments vnc = {"-vnc", "none"};
  Arguments display = {};
  Arguments kernel = {};
  Arguments serial = {"-serial", "pty"};
  Arguments graphics = {};
  Arguments boot = {"-boot", "order=cda"};
  Arguments usb_sound_acpi = {};
  Arguments smp = {};
  Arguments nics = {"-net", "none"};
  Arguments restrict = {};
  Arguments incoming = {};
  Arguments device_model_args = {};
  Arguments machine = {"-machine", "xenfv,suppress-vmdesc=on"};
  Arguments disks = {"-drive",
                     "file=/dev/vg/guest,if=ide,index=0,media=disk,format=raw,cache=writeback"};
  Arguments last = {};

  [[nodiscard]] Arguments arguments() const {
    Arguments all = {"-xen-domid", "7", "-no-shutdown"};
    const auto add = [&all](const Arguments& more) {
      all.insert(all.end(), more.begin(), more.end());
    };
    add(qmp);
    add({"-mon", "chardev=libxl-cmd,mode=control", "-chardev",
         "socket,id=libxenstat-cmd,path=/var/run/xen/qmp-libxenstat-7,server=on,wait=off", "-mon",
         "chardev=libxenstat-cmd,mode=control"});
    add(channels);
    add({"-nodefaults", "-no-user-config"});
    for (const Arguments* part : {&attach, &name, &vnc}) {
      add(*part);
    }
    add({"-display", "none"});
    for (const Arguments* part :
         {&display, &kernel, &serial, &graphics, &boot, &usb_sound_acpi, &smp, &nics, & restrict,
          &incoming, &device_model_args, &machine}) {
      add(*part);
    }
    add({"-m", "512"});
    add(disks);
    add(last);
    return all;
  }
};

inline Result<Invocation> parse(const Arguments& arguments) {
  return parse_command_line(arguments);
}
inline Result<Invocation> parse(const Golden& guest) {
  return parse(guest.arguments());
}

/// The machine that a good command line asks for.
inline MachineConfig machine_of(const Golden& guest) {
  const auto invocation = parse(guest);
  BOOST_REQUIRE_MESSAGE(invocation.has_value(), invocation.error().message);
  BOOST_TEST_REQUIRE((invocation->action == Invocation::Action::serve));
  return invocation->config;
}

/// The message that a bad one ends in.
inline std::string refusal_of(const Golden& guest) {
  const auto invocation = parse(guest);
  BOOST_TEST_REQUIRE(!invocation.has_value());
  return invocation.error().message;
}

inline bool says(const std::string& message, std::string_view part) {
  return message.find(part) != std::string::npos;
}

/// Is it among what the machine does without, which the log will say?
inline bool noted(const MachineConfig& machine, std::string_view part) {
  return std::any_of(machine.notes.begin(), machine.notes.end(),
                     [part](const std::string& note) { return says(note, part); });
}

}  // namespace dm::toolstack::test
