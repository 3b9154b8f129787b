// SPDX-License-Identifier: MIT
#include "platform/toolstack/store/xenstore.h"

#include "core/config/machine_config.h"
#include "platform/linux/error_text.h"

extern "C" {  // the header does not say it itself
#include <xenstore.h>
}

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace dm::toolstack {

namespace {

struct Free {
  void operator()(void* memory) const noexcept {
    std::free(memory);
  }  // NOLINT(cppcoreguidelines-no-malloc): the library's
};

}  // namespace

void Xenstore::Closer::operator()(xs_handle* handle) const noexcept {
  ::xs_close(handle);
}

Result<Xenstore> Xenstore::open() {
  xs_handle* const handle = ::xs_open(0);
  if (handle == nullptr) {
    return fail("cannot reach xenstore: ", host::error_text(errno),
                " (is xenstored running, or in a domain /dev/xen/xenbus there?)");
  }
  return Xenstore{handle};
}

std::optional<std::string> Xenstore::read(const std::string& path) const {
  unsigned int size = 0;
  const std::unique_ptr<void, Free> value{::xs_read(handle_.get(), XBT_NULL, path.c_str(), &size)};
  if (!value) {
    return std::nullopt;
  }
  return std::string{static_cast<const char*>(value.get()), size};
}

std::optional<std::vector<std::string>> Xenstore::list(const std::string& path) const {
  unsigned int count = 0;
  // One block with the pointers and the names.
  const std::unique_ptr<char*, Free> names{
      ::xs_directory(handle_.get(), XBT_NULL, path.c_str(), &count)};
  if (!names) {
    return std::nullopt;
  }
  return std::vector<std::string>{names.get(), names.get() + count};
}

Result<> Xenstore::write(const std::string& path, std::string_view value) {
  if (!::xs_write(handle_.get(), XBT_NULL, path.c_str(), value.data(),
                  static_cast<unsigned int>(value.size()))) {
    return fail("cannot write xenstore node ", path, ": ", host::error_text(errno));
  }
  return {};
}

Result<> Xenstore::write_for(std::uint32_t reader,
                             const std::string& path,
                             std::string_view value) {
  if (auto written = write(path, value); !written) {
    return written;
  }
  unsigned int count = 0;
  const std::unique_ptr<xs_permissions, Free> now{
      ::xs_get_permissions(handle_.get(), XBT_NULL, path.c_str(), &count)};
  if (!now || count == 0) {
    return fail("cannot find who owns xenstore node ", path, ": ", host::error_text(errno));
  }
  // The first entry is the owner, and what all others may do.
  std::array<xs_permissions, 2> wanted{*now, *now};
  wanted[0].perms = XS_PERM_NONE;
  wanted[1].id = reader;
  wanted[1].perms = XS_PERM_READ;
  if (!::xs_set_permissions(handle_.get(), XBT_NULL, path.c_str(), wanted.data(), wanted.size())) {
    return fail("cannot let domain ", std::to_string(reader), " read xenstore node ", path, ": ",
                host::error_text(errno));
  }
  return {};
}

Result<> Xenstore::report_running(std::uint32_t domid) {
  return write("device-model/" + std::to_string(domid) + "/state", "running");
}

Result<> Xenstore::report_failure(std::string_view why) {
  const auto target = read("target");
  const auto domid = target ? parse_domid(*target) : std::nullopt;
  if (!domid) {
    return Error{"this is no stub domain: xenstore's node 'target' is no domain id"};
  }
  const std::string path = "device-model/" + std::to_string(*domid) + "/error";
  if (read(path)) {
    return {};
  }
  std::string text{why.substr(0, kMostReason)};
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  return write(path, text);
}

}  // namespace dm::toolstack
