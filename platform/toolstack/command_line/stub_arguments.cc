// SPDX-License-Identifier: MIT
#include "platform/toolstack/command_line/stub_arguments.h"

#include "core/config/machine_config.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace dm::toolstack {

namespace {

/// "/vm/6c3cbd80-7bd7-4c3b-8e0a-7b1c9f7b7d0a", nothing else.
bool is_vm_path(std::string_view path) noexcept {
  static constexpr std::string_view kPrefix = "/vm/";
  static constexpr std::size_t kUuid = 36;
  if (path.size() != kPrefix.size() + kUuid || path.substr(0, kPrefix.size()) != kPrefix) {
    return false;
  }
  return std::all_of(path.begin() + kPrefix.size(), path.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
  });
}

/// 1 is "001".
std::string node_name(std::size_t number) {
  std::string digits = std::to_string(number);
  return digits.insert(0, digits.size() < 3 ? 3 - digits.size() : 0, '0');
}

/// How many there are, if they are numbered as they should be.
Result<std::size_t> count_arguments(const XenstoreReader& xenstore, const std::string& directory) {
  auto names = xenstore.list(directory);
  if (!names || names->empty()) {
    return fail("xenstore has no arguments in ", directory,
                ": this domain was not started by libxl as a device model of type qemu-xen");
  }
  if (names->size() > kMaxStubArguments) {
    return fail("more than ", std::to_string(kMaxStubArguments), " arguments in ", directory);
  }
  std::sort(names->begin(), names->end());
  for (std::size_t i = 0; i < names->size(); ++i) {
    if ((*names)[i] != node_name(i + 1)) {
      return fail("the arguments in ", directory, " are not numbered: ", node_name(i + 1),
                  " is missing");
    }
  }
  return names->size();
}

}  // namespace

Result<StubArguments> read_stub_arguments(const XenstoreReader& xenstore) {
  const auto target = xenstore.read("target");
  const auto domid = target ? parse_domid(*target) : std::nullopt;
  if (!domid) {
    return fail("xenstore's node 'target' of this domain ",
                target ? "is no domain id" : "does not exist",
                ": it is not the stub domain of a guest");
  }
  const auto vm = xenstore.read("/local/domain/" + std::to_string(*domid) + "/vm");
  if (!vm || !is_vm_path(*vm)) {
    return fail("xenstore's node 'vm' of domain ", std::to_string(*domid),
                vm ? " is not /vm/ and a UUID" : " does not exist or may not be read");
  }
  const std::string directory = *vm + "/image/dm-argv";
  const auto count = count_arguments(xenstore, directory);
  if (!count) {
    return count.error();
  }
  StubArguments found{.domid = *domid, .arguments = {}};
  std::size_t bytes = 0;
  for (std::size_t i = 1; i <= *count; ++i) {
    auto argument = xenstore.read(directory + "/" + node_name(i));
    if (!argument) {
      return fail("argument ", node_name(i), " in ", directory, " cannot be read");
    }
    bytes += argument->size();
    if (bytes > kMaxStubArgumentBytes || argument->find('\0') != std::string::npos) {
      return fail("the arguments in ", directory,
                  bytes > kMaxStubArgumentBytes ? " are more than 64 KiB" : " are not text");
    }
    found.arguments.push_back(std::move(*argument));
  }
  return found;
}

std::vector<std::string> unserved_pv_disks(const XenstoreReader& xenstore, std::uint32_t domid) {
  const std::string id = std::to_string(domid);
  const std::string frontends = "/local/domain/" + id + "/device/vbd";
  const std::string ours = "/local/domain/0/backend/qdisk/" + id + "/";
  std::vector<std::string> found;
  for (const std::string& name : xenstore.list(frontends).value_or(std::vector<std::string>{})) {
    const auto backend = xenstore.read(frontends + "/" + name + "/backend");
    if (!backend || backend->substr(0, ours.size()) != ours ||
        xenstore.read(*backend + "/device-type") == "cdrom") {
      continue;
    }
    found.push_back(xenstore.read(*backend + "/dev").value_or(name));
    if (found.size() == kMostNamedDisks) {
      break;
    }
  }
  return found;
}

std::optional<std::string> disc_file(const XenstoreReader& xenstore,
                                     const std::string& device,
                                     unsigned position) {
  const auto backend = xenstore.read("device/vbd/" + device + "/backend");
  if (!backend) {
    return std::nullopt;
  }
  const bool empty = xenstore.read(*backend + "/params").value_or("").empty();
  return empty ? "/dev/null" : std::string{"/dev/xvd"} + static_cast<char>('a' + position);
}

}  // namespace dm::toolstack
