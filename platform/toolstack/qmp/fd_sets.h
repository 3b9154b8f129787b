// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/unique_fd.h"
#include "platform/toolstack/qmp/qmp_commands.h"

#include <boost/json/array.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dm::toolstack {

/// Sets of descriptors that a client has passed (add-fd) and that later commands name by a path,
/// /dev/fdset/K: a medium to insert, a file to save to. libxl makes a set with one descriptor for
/// each operation and never removes one. So a descriptor goes with the connection that added it, as
/// in QEMU. open() gives the caller a duplicate, which outlives the set.
///
/// Limits: 16 sets of 8 descriptors. Thread rule: the loop's thread only. Source: QEMU
/// qapi/misc.json; libxl_qmp.c.
class FdSets {
 public:
  static constexpr std::size_t kMaxSets = 16;
  static constexpr std::size_t kMaxPerSet = 8;
  static constexpr std::int64_t kMaxId = 0x7fffffff;

  FdSets() = default;
  FdSets(const FdSets&) = delete;
  FdSets& operator=(const FdSets&) = delete;
  ~FdSets() = default;

  struct Added {
    std::int64_t set;
    int fd;
  };
  /// Adds `fd` to set `id`, or to a new set with the lowest free number from 0. `owner` is the
  /// number given to connection_ended(); 0: no owner, the descriptor stays until it is removed. On
  /// failure the descriptor is closed.
  [[nodiscard]] Result<Added> add(host::UniqueFd fd,
                                  std::optional<std::int64_t> id,
                                  std::string_view opaque,
                                  std::uint64_t owner);
  /// Closes one descriptor of a set, or all. False when there is no such set or descriptor.
  [[nodiscard]] bool remove(std::int64_t id, std::optional<int> fd) noexcept;
  void connection_ended(std::uint64_t owner) noexcept;

  /// True if `path` has the form of a set's name, whether or not there is such a set.
  [[nodiscard]] static bool is_name(std::string_view path) noexcept;
  /// Returns a duplicate (close-on-exec) of the set's descriptor that allows `access`: O_RDONLY,
  /// O_WRONLY or O_RDWR. The same access mode is preferred, else one that allows more. The
  /// duplicate shares offset and status flags with the descriptor that was passed.
  [[nodiscard]] Result<host::UniqueFd> open(std::string_view path, int access) const;

  /// Whether a descriptor came with these words (add-fd's `opaque`).
  [[nodiscard]] bool holds(std::string_view opaque) const noexcept;

  [[nodiscard]] boost::json::array describe() const;

 private:
  struct Entry {
    host::UniqueFd fd;
    std::string opaque;
    std::uint64_t owner;
  };
  struct Set {
    std::int64_t id;
    std::vector<Entry> entries;
  };
  [[nodiscard]] const Set* find(std::int64_t id) const noexcept;

  std::vector<Set> sets_;  ///< none is empty
  std::uint64_t last_owner_ = 0;

  friend void add_fd_set_commands(QmpCommands&, FdSets&, std::function<void()>);
};

/// add-fd, remove-fd, query-fdsets. `sets` outlives `commands` and every connection. `before_query`
/// is called, if there is one, before query-fdsets answers: it may add sets.
void add_fd_set_commands(QmpCommands& commands,
                         FdSets& sets,
                         std::function<void()> before_query = {});

}  // namespace dm::toolstack
