// SPDX-License-Identifier: MIT
// What xl reads from a disk specification, by the rules of libxlu_disk 4.17. It is a lexer: at each
// place the rule that reaches furthest wins, and of two that reach as far the earlier one.
#include "platform/toolstack/xl_config/check_translate.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace dm::toolstack {

namespace {

constexpr std::string_view kFormats[] = {"", "raw", "qcow", "qcow2", "vhd", "empty", "qed"};
constexpr std::string_view kBackends[] = {"phy", "tap", "qdisk", "standalone"};

bool starts_with(std::string_view text, std::string_view prefix) noexcept {
  return text.substr(0, prefix.size()) == prefix;
}
template <class Words>
bool is_one_of(const Words& words, std::string_view word) noexcept {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}
bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n';
}
bool is_lower_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
std::size_t line_length(std::string_view text) noexcept {
  return std::min(text.find('\n'), text.size());
}

/// "phy", "tap", "qcow2", ... of "phy:/dev/vg/g".
bool is_old_disk_prefix(std::string_view name) noexcept {
  static constexpr std::string_view kPrefixes[] = {"raw",  "qcow", "qcow2", "vhd",     "iscsi",
                                                   "nbd",  "enbd", "drbd",  "tapdisk", "tap",
                                                   "tap2", "aio",  "ioemu", "file",    "phy"};
  return is_one_of(kPrefixes, name);
}

bool is_key(std::string_view name) noexcept {
  static constexpr std::string_view kKeys[] = {
      "format", "devtype",   "access",    "backend",     "backendtype", "specification", "vdev",
      "script", "colo-host", "colo-port", "colo-export", "active-disk", "hidden-disk"};
  return is_one_of(kKeys, name);
}

/// Reads one specification, piece by piece.
class DiskReader {
 public:
  explicit DiskReader(std::string_view text) noexcept : rest_{text} {}
  Result<DiskSpec> run();

 private:
  bool fault(std::string_view what, std::string_view piece) {
    problem_ = "disk: " + std::string{what} + ": " + shown(piece);
    return false;
  }
  bool step();
  bool old_prefix(std::string_view name);
  bool piece(std::string_view piece);
  bool key(std::string_view key, std::string_view value, std::string_view piece);
  bool positional(std::string_view piece);
  bool take_format(std::string_view value);
  bool take_access(std::string_view value);
  bool take_vdev_and_type(std::string_view value, std::size_t colon);
  /// A value may stand in the place of an empty one, not in that of another.
  bool save(std::optional<std::string>& into, std::string_view value, std::string_view piece) {
    if (into && !into->empty()) {
      return fault("given twice", piece);
    }
    into = value;
    return true;
  }
  /// For words of which the same may come twice.
  bool set(std::string& into, std::string_view word, std::string_view piece) {
    if (!into.empty() && into != word) {
      return fault("given twice", piece);
    }
    into = word;
    return true;
  }

  std::string_view rest_;
  DiskSpec disk_;
  std::optional<std::string> target_;
  std::optional<std::string> vdev_;
  std::optional<std::string> script_;
  std::optional<std::string> backend_;
  std::string problem_;
  bool has_access_ = false;
  bool old_prefix_ = false;
};

Result<DiskSpec> DiskReader::run() {
  while (!rest_.empty()) {
    if (!step()) {
      return Error{problem_};
    }
  }
  if (disk_.format.empty()) {
    disk_.format = "raw";
  }
  disk_.target = target_.value_or("");
  disk_.vdev = vdev_.value_or("");
  disk_.script = script_;
  disk_.backend_domain = backend_;
  if (disk_.cdrom) {
    disk_.writable = false;
    disk_.format = disk_.target.empty() ? "empty" : disk_.format;
  }
  if (!vdev_) {
    return fail("disk: no vdev (hda, xvda, ...) in it");
  }
  if (!target_ && !disk_.cdrom) {
    return fail("disk: no target (a path) in it, and it is not a CD-ROM drive");
  }
  return std::move(disk_);
}

/// One rule's worth of text.
bool DiskReader::step() {
  const auto lead = static_cast<std::size_t>(
      std::find_if_not(rest_.begin(), rest_.end(), is_space) - rest_.begin());
  const std::size_t run = std::min(rest_.find_first_of("=,"), rest_.size());
  const std::size_t plain = run < rest_.size() && rest_[run] == ',' ? run + 1 : run;
  if (lead != 0 && lead + line_length(rest_.substr(lead)) >= plain) {
    rest_.remove_prefix(lead);
    return true;
  }
  if (starts_with(rest_, "target=")) {  // takes all of the line, commas included
    std::string_view value = rest_.substr(0, line_length(rest_));
    rest_.remove_prefix(value.size());
    if (value == "target=" && !rest_.empty()) {
      return fault("xl does not understand", value);  // before a line end another rule wins
    }
    value.remove_suffix(value.back() == ',' ? 1 : 0);
    return save(target_, value.substr(value.find('=') + 1), value);
  }
  const auto word = static_cast<std::size_t>(
      std::find_if_not(rest_.begin(), rest_.end(), is_lower_or_digit) - rest_.begin());
  const bool named = word != 0 && (rest_[0] < '0' || rest_[0] > '9');
  if (named && word < rest_.size() && rest_[word] == ':') {
    const std::string_view after = rest_.substr(word + 1);
    // Before a line end the rule for unknown ones reaches further.
    const bool known = is_old_disk_prefix(rest_.substr(0, word)) && !starts_with(after, "\n");
    const bool alone = !after.empty() && is_lower_or_digit(after[0]) && !known;
    const std::size_t first = after.empty() ? 0 : 1;  // may be a line end, the rest may not
    const std::size_t reach =
        alone ? word + 1
              : word + 1 + (known ? line_length(after) : first + line_length(after.substr(first)));
    if (reach >= plain) {
      const std::string_view name = rest_.substr(0, word);
      rest_.remove_prefix(word + 1);
      return known ? old_prefix(name) : fault("xl knows no such prefix", name);
    }
  }
  std::size_t end = plain;
  if (run + 1 == rest_.size() && rest_[run] == '=' && !is_key(rest_.substr(0, run))) {
    const std::string_view before = rest_.substr(0, run);  // xl overlooks a last '=' after no key
    rest_ = {};
    return before.empty() || piece(before);
  }
  if (run < rest_.size() && rest_[run] == '=') {  // KEY=VALUE
    end = std::min(rest_.find(',', run), rest_.size());
    end += end < rest_.size() ? 1U : 0U;
  }
  std::string_view one = rest_.substr(0, end);
  rest_.remove_prefix(end);
  one.remove_suffix(!one.empty() && one.back() == ',' ? 1 : 0);
  return piece(one);
}

/// "phy:", "file:", "tap:aio:", "qcow2:": before commas came into use, and still understood.
bool DiskReader::old_prefix(std::string_view name) {
  static constexpr std::string_view kScripts[] = {"iscsi", "enbd", "nbd", "drbd"};
  old_prefix_ = true;
  if (is_one_of(kScripts, name)) {
    return save(script_, "block-" + std::string{name}, name);
  }
  return !is_one_of(kFormats, name) || take_format(name);
}

bool DiskReader::take_format(std::string_view value) {
  if (!is_one_of(kFormats, value)) {
    return fault("xl knows the formats raw, qcow, qcow2, vhd and qed, not", value);
  }
  return set(disk_.format, value.empty() ? "raw" : value, value);
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
bool DiskReader::take_vdev_and_type(std::string_view value, std::size_t colon) {
  const std::string_view type = value.substr(colon + 1);
  if (type != "cdrom" && type != "disk") {
    return fault("unknown device type", value);
  }
  disk_.cdrom = type == "cdrom";
  return save(vdev_, value.substr(0, colon), value);
}

bool DiskReader::positional(std::string_view piece) {
  const std::size_t colon = piece.rfind(':');
  const bool typed = colon != std::string_view::npos;
  if (!target_) {
    target_ = piece;
    return true;
  }
  if (!old_prefix_ && disk_.format.empty()) {
    if (target_->empty() && typed) {
      disk_.format = "empty";
      return take_vdev_and_type(piece, colon);
    }
    return take_format(piece);
  }
  if (!vdev_) {
    return typed ? take_vdev_and_type(piece, colon) : save(vdev_, piece, piece);
  }
  if (!std::exchange(has_access_, true)) {
    return take_access(piece);
  }
  return fault("one part too many", piece);
}

bool DiskReader::piece(std::string_view piece) {
  static constexpr std::string_view kFlags[] = {"direct-io-safe", "discard", "no-discard"};
  if (piece == "cdrom") {
    disk_.cdrom = true;
    return true;
  }
  if (piece == "colo" || piece == "no-colo") {
    disk_.colo = piece == "colo";
    return true;
  }
  if (is_one_of(kFlags, piece)) {
    return true;
  }
  const std::size_t equals = piece.find('=');
  return equals == std::string_view::npos
             ? positional(piece)
             : key(piece.substr(0, equals), piece.substr(equals + 1), piece);
}

bool DiskReader::key(std::string_view key, std::string_view value, std::string_view piece) {
  static constexpr std::array<std::string_view, 4> kColo = {"colo-host", "colo-export",
                                                            "active-disk", "hidden-disk"};
  if (key == "format") {
    return take_format(value);
  }
  if (key == "access") {
    return take_access(value);
  }
  if (key == "vdev") {
    return save(vdev_, value, piece);
  }
  if (key == "script") {
    return save(script_, value, piece);
  }
  if (key == "backend") {
    return save(backend_, value, piece);
  }
  if (key == "devtype" && (value == "cdrom" || value == "disk")) {
    disk_.cdrom = value == "cdrom";
    return true;
  }
  if (key == "backendtype" && is_one_of(kBackends, value)) {
    return set(disk_.backend_type, value, piece);
  }
  if (key == "specification" && (value == "xen" || value == "virtio")) {
    return set(disk_.specification, value, piece);
  }
  if (const auto* const colo = std::find(kColo.begin(), kColo.end(), key); colo != kColo.end()) {
    return save(disk_.colo_values.at(static_cast<std::size_t>(colo - kColo.begin())), value, piece);
  }
  if (key == "colo-port" && std::atoi(std::string{value}.c_str()) != 0) {
    return true;
  }
  return fault("xl does not understand", piece);
}

}  // namespace

Result<DiskSpec> parse_disk_spec(std::string_view text) {
  return DiskReader{text}.run();
}

}  // namespace dm::toolstack
