// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/unique_fd.h"
#include "platform/toolstack/qmp/qmp_commands.h"

#include <boost/json/array.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dm::toolstack {

/// Sets of descriptors that management has handed over (add-fd) and that later commands name by
/// path, /dev/fdset/K: a medium to insert, a file to save to. libxl makes a set with one descriptor
/// for each operation and never removes one, so what a connection has added goes with the
/// connection, as in QEMU. Whoever opens a set gets a descriptor of its own, which outlives it.
///
/// Bounded: 16 sets with 8 descriptors each. Thread rule: the loop's thread only. Source: QEMU
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
  /// Into set `id`, or a new one under the lowest free number from 0. `owner` as given to
  /// connection_ended(); 0: nobody, stays until removed. The descriptor is closed on failure.
  [[nodiscard]] Result<Added> add(host::UniqueFd fd,
                                  std::optional<std::int64_t> id,
                                  std::string_view opaque,
                                  std::uint64_t owner);
  /// Closes one descriptor of a set, or all. False when there is no such thing.
  [[nodiscard]] bool remove(std::int64_t id, std::optional<int> fd) noexcept;
  void connection_ended(std::uint64_t owner) noexcept;

  /// Is `path` the name of a set, whether or not there is such a set?
  [[nodiscard]] static bool is_name(std::string_view path) noexcept;
  /// A duplicate (close-on-exec) of the set's descriptor that can do what `access` wants: O_RDONLY,
  /// O_WRONLY or O_RDWR, the same access mode first, else one that can do more. It shares offset
  /// and status flags with the one that was handed over.
  [[nodiscard]] Result<host::UniqueFd> open(std::string_view path, int access) const;

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

  friend void add_fd_set_commands(QmpCommands& commands, FdSets& sets);
};

/// add-fd, remove-fd, query-fdsets. `sets` outlives `commands` and every connection.
void add_fd_set_commands(QmpCommands& commands, FdSets& sets);

}  // namespace dm::toolstack
