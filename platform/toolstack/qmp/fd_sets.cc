// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/fd_sets.h"

#include "core/text/number.h"
#include "platform/linux/error_text.h"

#include <boost/json/array.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

constexpr std::string_view kPrefix = "/dev/fdset/";
/// A path with a word before it: xl cd-insert describes a disc by its format and image.
constexpr std::size_t kMaxOpaque = 4096 + 256;

/// The number in /dev/fdset/K: digits only.
std::optional<std::int64_t> number_of(std::string_view path) noexcept {
  if (!FdSets::is_name(path)) {
    return std::nullopt;
  }
  path.remove_prefix(kPrefix.size());
  return parse_number<std::int64_t>(path, 0, FdSets::kMaxId);
}

/// The set's number in a command's arguments.
std::optional<std::int64_t> set_argument(const json::object& arguments) {
  const json::value* const value = arguments.if_contains("fdset-id");
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0 ||
      value->get_int64() > FdSets::kMaxId) {
    return std::nullopt;
  }
  return value->get_int64();
}

/// Lives in a connection; its end is the connection's.
class Lease {
 public:
  Lease(FdSets& sets, std::uint64_t owner) noexcept : sets_{sets}, owner_{owner} {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() { sets_.connection_ended(owner_); }
  [[nodiscard]] std::uint64_t owner() const noexcept { return owner_; }

 private:
  FdSets& sets_;
  std::uint64_t owner_;
};

}  // namespace

const FdSets::Set* FdSets::find(std::int64_t id) const noexcept {
  const auto found = std::ranges::find(sets_, id, &Set::id);
  return found != sets_.end() ? &*found : nullptr;
}

Result<FdSets::Added> FdSets::add(host::UniqueFd fd,
                                  std::optional<std::int64_t> id,
                                  std::string_view opaque,
                                  std::uint64_t owner) {
  if (!fd) {
    return fail("no descriptor came with the command");
  }
  if (opaque.size() > kMaxOpaque) {
    return fail("opaque is longer than ", std::to_string(kMaxOpaque), " bytes");
  }
  if (!id) {
    std::int64_t lowest = 0;
    while (find(lowest) != nullptr) {
      ++lowest;
    }
    id = lowest;
  }
  auto set = std::ranges::find(sets_, *id, &Set::id);
  if (set == sets_.end()) {
    if (sets_.size() == kMaxSets) {
      return fail("there are ", std::to_string(kMaxSets), " descriptor sets already: remove-fd");
    }
    sets_.push_back({*id, {}});
    set = sets_.end() - 1;
  }
  if (set->entries.size() == kMaxPerSet) {
    return fail("the set holds ", std::to_string(kMaxPerSet), " descriptors already: remove-fd");
  }
  const int number = fd.get();
  set->entries.push_back({std::move(fd), std::string{opaque}, owner});
  return Added{*id, number};
}

bool FdSets::remove(std::int64_t id, std::optional<int> fd) noexcept {
  const auto set = std::ranges::find(sets_, id, &Set::id);
  if (set == sets_.end()) {
    return false;
  }
  if (fd && std::erase_if(set->entries, [&](const Entry& e) { return e.fd.get() == *fd; }) == 0) {
    return false;
  }
  if (!fd || set->entries.empty()) {
    sets_.erase(set);
  }
  return true;
}

void FdSets::connection_ended(std::uint64_t owner) noexcept {
  for (Set& set : sets_) {
    std::erase_if(set.entries, [owner](const Entry& e) { return e.owner == owner; });
  }
  std::erase_if(sets_, [](const Set& set) { return set.entries.empty(); });
}

bool FdSets::is_name(std::string_view path) noexcept {
  return path.starts_with(kPrefix);
}

Result<host::UniqueFd> FdSets::open(std::string_view path, int access) const {
  const auto id = number_of(path);
  const Set* const set = id ? find(*id) : nullptr;
  if (set == nullptr) {
    return fail("there is no descriptor set ", path.substr(0, 64));
  }
  const Entry* best = nullptr;
  for (const Entry& entry : set->entries) {
    const int flags = ::fcntl(entry.fd.get(), F_GETFL);
    if (flags < 0) {
      continue;
    }
    const int mode = flags & O_ACCMODE;
    if (mode == access) {
      best = &entry;
      break;
    }
    if (mode == O_RDWR && best == nullptr) {
      best = &entry;
    }
  }
  if (best == nullptr) {
    return fail("no descriptor of ", path.substr(0, 64), " was opened for ",
                access == O_RDONLY   ? "reading"
                : access == O_WRONLY ? "writing"
                                     : "reading and writing");
  }
  host::UniqueFd copy = host::duplicate(best->fd.get(), 3);
  if (!copy) {
    return fail("cannot duplicate a descriptor: ", host::error_text(errno));
  }
  return copy;
}

bool FdSets::holds(std::string_view opaque) const noexcept {
  return std::ranges::any_of(sets_, [opaque](const Set& set) {
    return std::ranges::find(set.entries, opaque, &Entry::opaque) != set.entries.end();
  });
}

json::array FdSets::describe() const {
  json::array list;
  for (const Set& set : sets_) {
    json::array fds;
    for (const Entry& entry : set.entries) {
      json::object one{{"fd", entry.fd.get()}};
      if (!entry.opaque.empty()) {
        one["opaque"] = entry.opaque;
      }
      fds.push_back(std::move(one));
    }
    list.push_back(json::object{{"fdset-id", set.id}, {"fds", std::move(fds)}});
  }
  return list;
}

void add_fd_set_commands(QmpCommands& commands, FdSets& sets, std::function<void()> before_query) {
  using Type = QmpParameter::Type;
  QmpParameters for_add{{"fdset-id", Type::integer}, {"opaque"}};
  commands.add("add-fd", std::move(for_add).with_descriptor(), [&sets](QmpCall& call) -> QmpResult {
    host::UniqueFd fd = call.descriptors.take();
    const auto id = set_argument(call.arguments);
    if (call.arguments.contains("fdset-id") && !id) {
      return QmpError{kGenericError, "fdset-id has to be a number from 0 to 2147483647"};
    }
    std::string_view opaque;
    if (const json::value* const value = call.arguments.if_contains("opaque"); value != nullptr) {
      opaque = value->get_string();
    }
    auto lease = std::static_pointer_cast<Lease>(call.descriptors.companion());
    if (lease == nullptr) {
      lease = std::make_shared<Lease>(sets, ++sets.last_owner_);
      call.descriptors.set_companion(lease);
    }
    const auto added = sets.add(std::move(fd), id, opaque, lease->owner());
    if (!added) {
      return QmpError{kGenericError, added.error().message};
    }
    return json::object{{"fdset-id", added->set}, {"fd", added->fd}};
  });
  const QmpParameters for_remove{{"fdset-id", Type::integer, QmpParameter::Presence::required},
                                 {"fd", Type::integer}};
  commands.add("remove-fd", for_remove, [&sets](QmpCall& call) -> QmpResult {
    const auto id = set_argument(call.arguments);
    const json::value* const fd = call.arguments.if_contains("fd");
    const bool is_number = fd != nullptr && fd->is_int64() && fd->get_int64() >= 0 &&
                           fd->get_int64() <= FdSets::kMaxId;
    if (!id || (fd != nullptr && !is_number)) {
      return QmpError{kGenericError, "fdset-id (and fd, if given) have to be numbers"};
    }
    const auto one = is_number ? std::optional{static_cast<int>(fd->get_int64())} : std::nullopt;
    if (!sets.remove(*id, one)) {
      return QmpError{kGenericError, "no such descriptor set, or no such descriptor in it"};
    }
    return json::object{};
  });
  commands.add("query-fdsets", [&sets, before = std::move(before_query)](QmpCall&) -> QmpResult {
    if (before) {
      before();
    }
    return sets.describe();
  });
}

}  // namespace dm::toolstack
