// SPDX-License-Identifier: MIT
#include "platform/toolstack/saved_guest/saved_guest.h"

#include <boost/endian/arithmetic.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dm::toolstack {

namespace {

namespace endian = boost::endian;

// What xl puts before libxl's stream: tools/xl/xl.h.
struct XlHeader {
  std::array<char, 32> magic{};
  endian::little_uint32_t byteorder{};
  endian::little_uint32_t mandatory_flags{};
  endian::little_uint32_t optional_flags{};
  endian::little_uint32_t optional_data_len{};
};
static_assert(sizeof(XlHeader) == 48);
constexpr std::string_view kXlMagic{"Xen saved domain, xl format\n \0 \r", 32};
constexpr std::uint32_t kXlByteorder = 0x01020304;
constexpr std::uint32_t kXlStreamV2 = 1U << 1U;

// libxl's stream.
struct LibxlHeader {
  std::array<char, 8> ident{};
  endian::big_uint32_t version{};
  endian::big_uint32_t options{};
};
static_assert(sizeof(LibxlHeader) == 16);
constexpr std::string_view kLibxlIdent = "LibxlFmt";
constexpr std::uint32_t kLibxlVersion = 2;
constexpr std::uint32_t kBigEndian = 1;

enum LibxlRecord : std::uint32_t { kLibxlEnd = 0, kLibxcContext = 1, kEmulatorContext = 3 };

// libxc's stream in it.
struct LibxcHeader {
  endian::big_uint64_t marker{};
  endian::big_uint32_t id{};
  endian::big_uint32_t version{};
  endian::big_uint16_t options{};
  std::array<std::byte, 6> reserved{};
};
static_assert(sizeof(LibxcHeader) == 24);
constexpr std::uint64_t kLibxcMarker = ~std::uint64_t{0};
constexpr std::uint32_t kLibxcId = 0x58454e46;  // XENF
constexpr std::uint32_t kLibxcVersions[]{2, 3};
constexpr std::uint64_t kDomainHeader = 16;  ///< bytes

enum LibxcRecord : std::uint32_t { kLibxcEnd = 0, kCheckpoint = 14 };

// A record of either.
struct RecordHead {
  endian::little_uint32_t type{};
  endian::little_uint32_t length{};
};
constexpr std::uint64_t kEmulatorHeader = 8;  ///< bytes: id and index

constexpr std::uint64_t padded(std::uint64_t length) noexcept {
  return (length + 7) & ~std::uint64_t{7};
}

template <class Head>
std::optional<Head> head_at(const SavedFile& file, std::uint64_t offset) {
  Head head;
  std::array<std::byte, sizeof(Head)> bytes{};
  if (!file.read(offset, bytes)) {
    return std::nullopt;
  }
  std::memcpy(&head, bytes.data(), sizeof head);
  return head;
}

class Walk {
 public:
  Walk(const SavedFile& file, std::uint64_t begin) noexcept : file_{file}, at_{begin} {}

  [[nodiscard]] Result<DeviceModelPart> find() {
    if (auto begun = begin_libxl(); !begun) {
      return begun.error();
    }
    auto walked = walk_libxl();
    if (found_) {
      found_->cut_behind = walked.has_error();
      return *found_;
    }
    return walked ? Error{"the saved guest has no state of a device model in it"} : walked.error();
  }

 private:
  [[nodiscard]] Result<> begin_libxl() {
    const auto head = head_at<LibxlHeader>(file_, at_);
    if (!head || std::string_view{head->ident.data(), head->ident.size()} != kLibxlIdent) {
      return Error{"what follows xl's header is no stream of libxl"};
    }
    if (head->version != kLibxlVersion || (head->options & kBigEndian) != 0) {
      return fail("the stream of libxl has version ", std::to_string(head->version),
                  " and options ", std::to_string(head->options),
                  ", and only version 2 of a PC is known here");
    }
    at_ += sizeof *head;
    return {};
  }

  /// The head of the next record, at_ behind it.
  [[nodiscard]] Result<RecordHead> next_record() {
    if (records_++ == kMostRecords) {
      return Error{"the saved guest has more records than any guest"};
    }
    const auto head = head_at<RecordHead>(file_, at_);
    if (!head) {
      return Error{"the saved guest is cut: its END record is missing"};
    }
    at_ += sizeof *head;
    return *head;
  }
  void skip(const RecordHead& head) noexcept { at_ += padded(head.length); }

  [[nodiscard]] Result<> walk_libxl() {
    for (;;) {
      const auto head = next_record();
      if (!head) {
        return head.error();
      }
      if (head->type == kLibxlEnd) {
        return {};
      }
      if (head->type == kEmulatorContext) {
        if (auto taken = take_emulator(*head); !taken) {
          return taken.error();
        }
      }
      skip(*head);
      if (head->type == kLibxcContext) {
        if (auto walked = walk_libxc(); !walked) {
          return walked.error();
        }
      }
    }
  }

  [[nodiscard]] Result<> take_emulator(const RecordHead& head) {
    const std::uint64_t left = file_.size() - at_;
    if (head.length < kEmulatorHeader || head.length > left) {
      return fail("the saved guest is cut or damaged: the device model's record has ",
                  std::to_string(left), " of its ", std::to_string(head.length), " bytes");
    }
    found_ = DeviceModelPart{.offset = at_ + kEmulatorHeader,
                             .length = head.length - kEmulatorHeader,
                             .in_stream = true};
    return {};
  }

  [[nodiscard]] Result<> walk_libxc() {
    const auto image = head_at<LibxcHeader>(file_, at_);
    if (!image || image->marker != kLibxcMarker || image->id != kLibxcId) {
      return Error{"the saved guest is damaged: the stream of libxc does not begin"};
    }
    if (std::ranges::count(kLibxcVersions, std::uint32_t{image->version}) == 0 ||
        (image->options & kBigEndian) != 0) {
      return fail("the stream of libxc has version ", std::to_string(image->version),
                  ", and only versions 2 and 3 of a PC are known here");
    }
    at_ += sizeof *image + kDomainHeader;
    for (;;) {
      const auto head = next_record();
      if (!head) {
        return head.error();
      }
      skip(*head);
      if (head->type == kLibxcEnd) {
        return {};
      }
      if (head->type == kCheckpoint) {
        return Error{"this is a stream of checkpoints (xl remus), and no file of xl save"};
      }
    }
  }

  const SavedFile& file_;
  std::uint64_t at_;
  unsigned records_ = 0;
  std::optional<DeviceModelPart> found_;
};

}  // namespace

Result<DeviceModelPart> find_device_model(const SavedFile& file) {
  std::array<char, kXlMagic.size()> begin{};
  const std::size_t size = std::min<std::uint64_t>(file.size(), begin.size());
  if (!file.read(0, std::as_writable_bytes(std::span{begin}).first(size))) {
    return Error{"it cannot be read"};
  }
  const std::string_view text{begin.data(), size};
  if (text.starts_with(kLibxlIdent)) {
    return Walk{file, 0}.find();
  }
  if (text != kXlMagic) {
    return DeviceModelPart{.offset = 0, .length = file.size()};
  }
  const auto header = head_at<XlHeader>(file, 0);
  if (!header || header->byteorder != kXlByteorder ||
      (header->mandatory_flags & kXlStreamV2) == 0) {
    return Error{"xl's header is cut, of another machine, or older than Xen 4.6"};
  }
  return Walk{file, sizeof *header + std::uint64_t{header->optional_data_len}}.find();
}

}  // namespace dm::toolstack
