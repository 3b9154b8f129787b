// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dm {

/// Port to xenstore, where the two ends of a PV device find each other. No call waits: the answers
/// come from the loop, in the order of the questions. Relative paths are those of our own domain
/// (/local/domain/<own id>/...).
///
/// Every question names its owner. forget() drops the open questions and watches of an owner that
/// goes. This is a cold path: it allocates. Callers limit the number of open questions (a PV device
/// has one at a time), never what a guest writes. Thread rule: the loop's thread only; nothing is
/// called back from inside a call. Source: Xen, docs/misc/xenstore.txt.
class StorePort {
 public:
  /// In the order of the paths; nothing for a node that does not exist or may not be read.
  using Values = std::vector<std::optional<std::string>>;
  using Names = std::optional<std::vector<std::string>>;

  StorePort() = default;
  StorePort(const StorePort&) = delete;
  StorePort& operator=(const StorePort&) = delete;
  virtual ~StorePort() = default;

  virtual void read(const void* owner,
                    const std::vector<std::string>& paths,
                    std::function<void(const Values&)> done) = 0;
  /// Asks for the names below a node; nothing when there is no such node.
  virtual void list(const void* owner,
                    const std::string& path,
                    std::function<void(const Names&)> done) = 0;
  /// Asks for the domain that owns a node; nothing when there is no such node.
  virtual void node_owner(const void* owner,
                          const std::string& path,
                          std::function<void(std::optional<std::uint32_t>)> done) = 0;
  /// Writes a node, and makes it if there is none. If xenstore refuses, the log says so.
  virtual void write(const std::string& path, std::string_view value) = 0;
  /// Calls `changed` with the path of each change at or below `path`, and once at the beginning.
  virtual void watch(const void* owner,
                     const std::string& path,
                     std::function<void(std::string_view changed)> changed) = 0;
  /// Takes back all watches and open questions of an owner.
  virtual void forget(const void* owner) = 0;
};

}  // namespace dm
