// SPDX-License-Identifier: MIT
// What xl reads from a disk specification.
#include "platform/toolstack/check_translate.h"

#include <algorithm>
#include <utility>

namespace dm::toolstack {

namespace {

constexpr std::string_view kFormats[] = {"", "raw", "qcow", "qcow2", "vhd", "empty", "qed"};

bool starts_with(std::string_view text, std::string_view prefix) noexcept {
  return text.substr(0, prefix.size()) == prefix;
}

/// Reads one specification, piece by piece.
class DiskReader {
 public:
  explicit DiskReader(std::string_view text) noexcept : rest_{text} {}
  Result<DiskSpec> run();

 private:
  [[nodiscard]] bool fault(std::string_view what, std::string_view piece) {
    problem_ = "disk: " + std::string{what} + ": " + shown(piece);
    return false;
  }
  bool piece(std::string_view piece);
  bool key(std::string_view key, std::string_view value, std::string_view piece);
  bool positional(std::string_view piece);
  bool take_format(std::string_view value);
  bool take_access(std::string_view value);
  bool take_vdev(std::string_view value);
  bool once(std::string& into, std::string_view value, std::string_view piece) {
    if (!into.empty()) {
      return fault("given twice", piece);
    }
    into = value;
    return true;
  }
  void strip_old_prefixes();

  std::string_view rest_;
  DiskSpec disk_;
  std::string problem_;
  bool has_format_ = false;
  bool has_vdev_ = false;
  bool has_access_ = false;
  bool old_prefix_ = false;
};

Result<DiskSpec> DiskReader::run() {
  while (!rest_.empty()) {
    const std::size_t start = rest_.find_first_not_of(" \t\n");
    rest_.remove_prefix(std::min(start, rest_.size()));
    if (rest_.empty()) {
      break;
    }
    if (starts_with(rest_, "target=")) {  // takes all that follows, commas included
      if (!once(disk_.target, rest_.substr(rest_.find('=') + 1), rest_)) {
        return Error{problem_};
      }
      disk_.has_target = true;
      break;
    }
    strip_old_prefixes();
    const std::size_t end = std::min(rest_.find(','), rest_.size());
    const std::string_view one = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (!problem_.empty() || !piece(one)) {
      return Error{problem_};
    }
  }
  if (disk_.format.empty()) {
    disk_.format = "raw";
  }
  if (disk_.cdrom) {
    disk_.writable = false;
    disk_.format = disk_.target.empty() ? "empty" : disk_.format;
  }
  if (disk_.vdev.empty()) {
    return fail("disk: no vdev (hda, xvda, ...) in it");
  }
  if (!disk_.has_target && !disk_.cdrom) {
    return fail("disk: no target (a path) in it, and it is not a CD-ROM drive");
  }
  return std::move(disk_);
}

/// "phy:", "file:", "tap:aio:", "qcow2:": before commas came into use, and still understood.
void DiskReader::strip_old_prefixes() {
  static constexpr std::string_view kIgnored[] = {
      "tapdisk:", "tap2:", "tap:", "aio:", "ioemu:", "file:", "phy:"};
  static constexpr std::string_view kFormat[] = {"raw:", "qcow2:", "qcow:", "vhd:"};
  static constexpr std::string_view kScript[] = {"iscsi:", "enbd:", "nbd:", "drbd:"};
  const auto strip = [this](const auto& prefixes, auto use) {
    for (const std::string_view prefix : prefixes) {
      if (starts_with(rest_, prefix)) {
        use(prefix.substr(0, prefix.size() - 1));
        rest_.remove_prefix(prefix.size());
        old_prefix_ = true;
        return true;
      }
    }
    return false;
  };
  while (strip(kIgnored, [](std::string_view) {}) ||
         strip(kFormat, [this](std::string_view name) { (void)take_format(name); }) ||
         strip(kScript,
               [this](std::string_view name) { disk_.script = "block-" + std::string{name}; })) {
  }
}

bool DiskReader::take_format(std::string_view value) {
  if (std::find(std::begin(kFormats), std::end(kFormats), value) == std::end(kFormats)) {
    return fault("xl knows the formats raw, qcow, qcow2, vhd and qed, not", value);
  }
  has_format_ = true;
  const std::string_view format = value.empty() ? "raw" : value;
  return disk_.format == format || once(disk_.format, format, value);
}

bool DiskReader::take_access(std::string_view value) {
  const bool read_only = value == "r" || value == "ro";
  if (!read_only && value != "w" && value != "rw" && !value.empty()) {
    return fault("access is ro or rw, not", value);
  }
  disk_.writable = !read_only;
  return true;
}

/// "hdc:cdrom" is an old way to say devtype=cdrom.
bool DiskReader::take_vdev(std::string_view value) {
  const std::size_t colon = value.rfind(':');
  if (colon != std::string_view::npos) {
    const std::string_view type = value.substr(colon + 1);
    if (type != "cdrom" && type != "disk") {
      return fault("unknown device type", value);
    }
    disk_.cdrom = type == "cdrom";
    value = value.substr(0, colon);
  }
  has_vdev_ = true;
  return once(disk_.vdev, value, value);
}

bool DiskReader::positional(std::string_view piece) {
  if (!disk_.has_target) {
    disk_.target = piece;
    disk_.has_target = true;
    return true;
  }
  if (!old_prefix_ && !has_format_) {
    if (disk_.target.empty() && piece.find(':') != std::string_view::npos) {
      disk_.format = "empty";
      has_format_ = true;
      return take_vdev(piece);
    }
    return take_format(piece);
  }
  if (!has_vdev_) {
    return take_vdev(piece);
  }
  if (!std::exchange(has_access_, true)) {
    return take_access(piece);
  }
  return fault("one part too many", piece);
}

bool DiskReader::piece(std::string_view piece) {
  static constexpr std::string_view kFlags[] = {"direct-io-safe", "discard",   "no-discard",
                                                "trusted",        "untrusted", "no-colo"};
  if (piece == "cdrom") {
    disk_.cdrom = true;
    return true;
  }
  if (piece == "colo") {
    disk_.colo = true;
    return true;
  }
  if (std::find(std::begin(kFlags), std::end(kFlags), piece) != std::end(kFlags)) {
    return true;
  }
  const std::size_t equals = piece.find('=');
  return equals == std::string_view::npos
             ? positional(piece)
             : key(piece.substr(0, equals), piece.substr(equals + 1), piece);
}

bool DiskReader::key(std::string_view key, std::string_view value, std::string_view piece) {
  static constexpr std::string_view kColo[] = {"colo-host", "colo-port", "colo-export",
                                               "active-disk", "hidden-disk"};
  if (key == "format") {
    return take_format(value);
  }
  if (key == "access") {
    return take_access(value);
  }
  if (key == "vdev") {
    has_vdev_ = true;
    return once(disk_.vdev, value, piece);
  }
  if (key == "script") {
    return once(disk_.script, value, piece);
  }
  if (key == "backend") {
    disk_.backend_domain = true;
    return true;
  }
  if (key == "devtype" && (value == "cdrom" || value == "disk")) {
    disk_.cdrom = value == "cdrom";
    return true;
  }
  if (key == "backendtype" &&
      (value == "phy" || value == "tap" || value == "qdisk" || value == "standalone")) {
    return disk_.backend_type == value || once(disk_.backend_type, value, piece);
  }
  if (key == "specification" && (value == "xen" || value == "virtio")) {
    return disk_.specification == value || once(disk_.specification, value, piece);
  }
  if (std::find(std::begin(kColo), std::end(kColo), key) != std::end(kColo)) {
    return true;
  }
  return fault("xl does not understand", piece);
}

}  // namespace

Result<DiskSpec> parse_disk_spec(std::string_view text) {
  return DiskReader{text}.run();
}

}  // namespace dm::toolstack
