// SPDX-License-Identifier: MIT
#include "platform/toolstack/store/store_rules.h"

#include "core/text/number.h"

#include <algorithm>
#include <array>
#include <optional>

namespace dm::toolstack {

namespace {

/// The kinds of platform/pv, by their names in a back end's directory and in a front end's.
constexpr std::array<std::string_view, 4> kBackends{"qdisk", "vkbd", "vfb", "console"};
constexpr std::array<std::string_view, 4> kFrontends{"vbd", "vkbd", "vfb", "console"};
/// What back ends publish (io/blkif.h, io/kbdif.h, io/xenbus.h). Features begin with "feature-".
constexpr std::array<std::string_view, 8> kPublished{
    "state", "max-ring-page-order",  "sectors",           "sector-size",
    "info",  "physical-sector-size", "discard-alignment", "discard-granularity"};

template <std::size_t N>
[[nodiscard]] bool is_one_of(std::string_view name,
                             const std::array<std::string_view, N>& names) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Takes "part/" off the front. The last part has no slash behind it.
[[nodiscard]] std::string_view take_part(std::string_view& path) noexcept {
  const std::string_view part = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(path.size(), part.size() + 1));
  return part;
}

[[nodiscard]] bool take_prefix(std::string_view& path, std::string_view prefix) noexcept {
  if (!path.starts_with(prefix)) {
    return false;
  }
  path.remove_prefix(prefix.size());
  return true;
}

/// As xenstore has numbers in paths: "07" is another node than "7".
[[nodiscard]] std::optional<std::uint32_t> number(std::string_view part) noexcept {
  return part.size() > 1 && part.front() == '0' ? std::nullopt : parse_number<std::uint32_t>(part);
}

[[nodiscard]] bool is_guest(std::string_view part, std::uint32_t domid) noexcept {
  return number(part) == domid;
}

/// "backend/KIND/N": takes it off the front.
[[nodiscard]] bool take_backend(std::string_view& path, std::uint32_t domid) noexcept {
  return take_prefix(path, "backend/") && is_one_of(take_part(path), kBackends) &&
         is_guest(take_part(path), domid);
}

[[nodiscard]] bool may_look(std::string_view path, std::uint32_t domid) noexcept {
  if (path == "domid") {
    return true;  // its own, whichever that is
  }
  std::string_view rest = path;
  if (take_backend(rest, domid)) {
    return true;
  }
  rest = path;
  if (!take_prefix(rest, "/local/domain/") || !is_guest(take_part(rest), domid)) {
    return false;
  }
  const std::string_view directory = take_part(rest);
  return directory == "console" ||
         (directory == "device" && is_one_of(take_part(rest), kFrontends));
}

[[nodiscard]] bool may_write(std::string_view path, std::uint32_t domid) noexcept {
  if (!take_backend(path, domid) || !number(take_part(path))) {
    return false;
  }
  return is_one_of(path, kPublished) ||
         (path.starts_with("feature-") && path.find('/') == std::string_view::npos);
}

/// The text up to a zero byte, which is taken off the front, too.
[[nodiscard]] std::optional<std::string_view> take_text(std::string_view& payload) noexcept {
  const std::size_t end = payload.find('\0');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view text = payload.substr(0, end);
  payload.remove_prefix(end + 1);
  return text;
}

}  // namespace

bool may_say(std::uint32_t domid, const wire::Header& header, std::string_view payload) noexcept {
  const auto path = take_text(payload);
  if (!path || header.transaction != 0) {
    return false;
  }
  switch (header.type) {
    case wire::kRead:
    case wire::kDirectory:
    case wire::kGetPerms:
      return payload.empty() && may_look(*path, domid);
    case wire::kWrite:
      return may_write(*path, domid);
    case wire::kWatch:
    case wire::kUnwatch:
      return take_text(payload) && payload.empty() &&
             (*path == "@releaseDomain" || may_look(*path, domid));
    case wire::kIsDomainIntroduced:
      return payload.empty() && is_guest(*path, domid);
    default:
      return false;
  }
}

}  // namespace dm::toolstack
