// SPDX-License-Identifier: MIT
#include "platform/linux/chardev/state_file.h"

#include "platform/linux/error_text.h"
#include "platform/linux/whole_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace dm::host {

namespace {

constexpr std::string_view kFile = "file:";
constexpr std::string_view kName = "qemu-save.";  // libxl_internal.h, LIBXL_DEVICE_MODEL_SAVE_FILE

/// Every state through a console has that much padding (ioreq/daemon/save_console.h). A shorter one
/// is none, so a hostile stub domain costs one open(2) for 2 KiB at most.
constexpr std::size_t kLeast = 2048;

/// A regular file is always ready.
constexpr std::chrono::milliseconds kPatience{1000};

}  // namespace

bool StateFile::is_one(std::string_view spec) noexcept {
  const std::size_t slash = spec.rfind('/');
  return spec.starts_with(kFile) && slash != std::string_view::npos &&
         spec.substr(slash + 1).starts_with(kName);
}

StateFile::StateFile(std::string name, UniqueFd directory, std::uint64_t budget)
    : name_{std::move(name)}, directory_{std::move(directory)}, budget_{budget} {}

Result<std::unique_ptr<Chardev>> StateFile::open(std::string_view spec, const CharLimits& limits) {
  const std::string path{spec.substr(kFile.size())};
  const std::size_t slash = path.rfind('/');
  const std::string where = path.substr(0, slash + 1);
  UniqueFd directory{::open(where.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (directory) {
    std::unique_ptr<StateFile> made{
        new StateFile{path.substr(slash + 1), std::move(directory), limits.file_bytes}};
    if (made->begin()) {
      return std::unique_ptr<Chardev>{std::move(made)};
    }
  }
  return fail("console \"", spec, "\": cannot open it for writing: ", error_text(errno),
              ". The guest could not be saved");
}

bool StateFile::begin() noexcept {
  file_ = UniqueFd{::openat(directory_.get(), name_.c_str(),
                            O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
  return static_cast<bool>(file_);
}

std::size_t StateFile::write(std::span<const std::byte> bytes) noexcept {
  auto rest = bytes;
  while (!rest.empty()) {
    if (left_ == 0 && !foreign_) {
      rest = rest.subspan(take_header(rest));
      continue;
    }
    const auto piece = foreign_ ? rest : rest.first(std::min(left_, rest.size()));
    keep(piece);
    left_ -= foreign_ ? 0 : piece.size();
    rest = rest.subspan(piece.size());
  }
  return bytes.size();
}

/// How many bytes of it were taken.
std::size_t StateFile::take_header(std::span<const std::byte> bytes) noexcept {
  const std::size_t size = std::min(bytes.size(), header_.size() - header_size_);
  std::copy_n(bytes.begin(), size, header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
  header_size_ += size;
  if (header_size_ < header_.size()) {
    return size;
  }
  header_size_ = 0;
  const auto header = state::read_saved_header(header_);
  if (!header || header->length < kLeast) {
    foreign_ = true;
  } else {
    left_ = header->length - header_.size();
    if (!begin()) {
      give_up(error_text(errno));
    }
  }
  keep(header_);
  return size;
}

void StateFile::keep(std::span<const std::byte> bytes) noexcept {
  auto fits = bytes;
  if (foreign_ && budget_ != 0) {
    fits = bytes.first(
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), budget_ - kept_)));
    kept_ += fits.size();
  }
  counters_.dropped += bytes.size() - fits.size();
  if (!file_ || fits.empty()) {
    counters_.dropped += fits.size();
    return;
  }
  ++counters_.writes;
  if (auto written = write_whole(file_.get(), fits, kPatience); !written) {
    counters_.dropped += fits.size();
    give_up(written.error().message);
    return;
  }
  counters_.output += fits.size();
}

void StateFile::give_up(std::string_view why) noexcept {
  log_.error("the state of the guest's devices cannot be written to ", std::string_view{name_},
             ": ", why, ". The file is removed, so that xl save fails and the guest ", "goes on");
  file_.reset();
  static_cast<void>(::unlinkat(directory_.get(), name_.c_str(), 0));
}

}  // namespace dm::host
