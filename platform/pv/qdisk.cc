// SPDX-License-Identifier: MIT
// The device: its nodes in xenstore, its ring, its image. What is in the ring: qdisk_requests.cc.
#include "platform/pv/qdisk.h"

#include "platform/pv/qdisk_slot.h"
#include "platform/pv/store_values.h"

#include <array>
#include <bit>
#include <span>
#include <utility>

namespace dm::pv {

namespace {

enum BackendKey : std::size_t { kParams, kMode, kDeviceType, kDev, kDiscardEnable, kDevicePath };
enum FrontendKey : std::size_t {
  kEventChannel,
  kProtocol,
  kRingOrder,
  kRingPages,
  kRingRef,
  kRingRefs
};

// Bits of `info` (io/blkif.h, VDISK_*).
constexpr unsigned kInfoCdrom = 1;
constexpr unsigned kInfoReadOnly = 4;

/// Whatever may have changed the image, failed or not.
std::uint64_t changes(const BlockStats& stats) noexcept {
  std::uint64_t count = 0;
  for (const BlockOp op : {BlockOp::write, BlockOp::discard}) {
    const auto index = static_cast<std::size_t>(op);
    count += stats.operations.at(index) + stats.failed.at(index);
  }
  return count;
}

Node node(std::string key, std::uint64_t value) {
  return {.key = std::move(key), .value = std::to_string(value)};
}

/// "aio:/srv/image": libxl's word for the format, then the path, colons and all.
Result<> parse_params(std::string_view params, DiskConfig& config) {
  const std::size_t colon = params.find(':');
  if (params.empty() || params.starts_with('/') || colon == std::string_view::npos) {
    config.path = params;
    return {};
  }
  const std::string_view word = params.substr(0, colon);
  if (word != "aio" && word != "file" && word != "phy") {
    const auto format = image_format(word == "vhd" ? "vpc" : word);
    if (!format) {
      return fail("an image of format \"", word, "\" is not served; convert it to raw");
    }
    config.format = *format;
  }
  config.path = params.substr(colon + 1);
  return {};
}

}  // namespace

Qdisk::Qdisk(const Host& host, std::uint32_t id)
    : host_{host}, id_{id}, work_{Work::bind<&Qdisk::serve>(host.work, *this)} {}

Qdisk::~Qdisk() {
  Qdisk::disconnect();
  Qdisk::release();
}

Keys Qdisk::backend_keys() const {
  return {"params", "mode", "device-type", "dev", "discard-enable", "physical-device-path"};
}

Keys Qdisk::frontend_keys() const {
  Keys keys{"event-channel", "protocol", "ring-page-order", "num-ring-pages", "ring-ref"};
  for (unsigned i = 0; i < (1U << kMostRingOrder); ++i) {
    keys.push_back("ring-ref" + std::to_string(i));
  }
  return keys;
}

Result<> Qdisk::take_config(const Values& values) {
  DiskConfig config;
  params_ = text(values[kParams]);
  if (const std::string_view device = text(values[kDevicePath]); !device.empty()) {
    config.path = device;  // a hotplug script has found it
  } else if (auto parsed = parse_params(params_, config); !parsed) {
    return parsed;
  }
  config.cdrom = text(values[kDeviceType]) == "cdrom";
  config.read_only = config.cdrom || text(values[kMode]) != "w";
  if (config.path.empty() && !config.cdrom) {
    return Error{"the toolstack does not say which image it is"};
  }
  device_name_ = text(values[kDev]);
  offer_discard_ = text(values[kDiscardEnable]) != "0";
  config_ = std::move(config);
  return {};
}

Result<std::optional<Nodes>> Qdisk::prepare(const Values& values) {
  if (auto taken = take_config(values); !taken) {
    return taken.error();
  }
  return std::optional{Nodes{node("feature-flush-cache", 1), node("feature-barrier", 1),
                             node("feature-persistent", 0),
                             node("feature-max-indirect-segments", kMostSegments),
                             node("max-ring-page-order", kMostRingOrder)}};
}

Result<Nodes> Qdisk::connect(const Values& values) {
  if (auto mapped = map_ring(values); !mapped) {
    return mapped.error();
  }
  if (auto opened = open_image(); !opened) {
    disconnect();
    return opened.error();
  }
  const auto remote = number<std::uint32_t>(values[kEventChannel]);
  const auto port = remote ? host_.frontend.bind(*remote, *this) : std::nullopt;
  if (!port) {
    disconnect();
    return Error{"the event channel in `event-channel` cannot be bound"};
  }
  port_ = *port;
  slots_ = std::vector<Slot>(kInFlight);
  for (Slot& slot : slots_) {
    slot.disk = this;
    slot.next_free = std::exchange(free_, &slot);
  }
  told_broken_ = false;
  work_.schedule();
  return properties();
}

Result<> Qdisk::map_ring(const Values& values) {
  const std::string_view protocol = text(values[kProtocol]);
  if (!protocol.empty() && protocol != "x86_64-abi" && protocol != "x86_32-abi") {
    return Error{"the frontend speaks a protocol for other machines"};
  }
  const BlkAbi abi = protocol == "x86_32-abi" ? BlkAbi::x86_32 : BlkAbi::x86_64;
  const auto pages = number<std::uint32_t>(values[kRingPages], 1U << kMostRingOrder).value_or(1);
  unsigned order = pages == 0 ? 0 : std::bit_width(pages) - 1;
  if (values[kRingOrder]) {
    const auto given = number<std::uint32_t>(values[kRingOrder], kMostRingOrder);
    if (!given) {
      return Error{"`ring-page-order` is larger than what is offered, or no number"};
    }
    order = *given;
  }
  const std::size_t count = std::size_t{1} << order;
  std::array<std::uint32_t, 1U << kMostRingOrder> grants{};
  for (std::size_t i = 0; i < count; ++i) {
    // A single page is in ring-ref; some frontends that could have more write ring-ref0.
    auto grant = number<std::uint32_t>(values[kRingRefs + i]);
    if (count == 1 && values[kRingRef]) {
      grant = number<std::uint32_t>(values[kRingRef]);
    }
    if (!grant) {
      return Error{"a page of the ring is missing"};
    }
    grants[i] = *grant;
  }
  ring_memory_ = host_.frontend.map_grants(std::span{grants}.first(count), true);
  if (ring_memory_ == nullptr) {
    return Error{"the ring cannot be mapped"};
  }
  ring_pages_ = count;
  ring_ = BlkRing{ring_memory_, count, abi};
  return {};
}

Result<> Qdisk::open_image() {
  if (image_ != nullptr || config_.path.empty()) {
    return {};  // kept from the last frontend, or a drive without a disc
  }
  if (openings_ == kMostOpenings) {
    return Error{"its image could not be opened too often to try it again"};
  }
  ++openings_;
  auto image = host_.open_disk(config_);
  if (!image) {
    return image.error();
  }
  image_ = std::move(*image);
  changes_flushed_ = 0;
  return {};
}

Nodes Qdisk::properties() const {
  const BlockInfo info = image_ != nullptr ? image_->info() : BlockInfo{};
  Nodes nodes;
  const bool discard = offer_discard_ && info.can_discard && !info.read_only;
  nodes.push_back(node("feature-discard", discard ? 1 : 0));
  if (discard) {
    nodes.push_back(node("discard-granularity", kSector));
    nodes.push_back(node("discard-alignment", 0));
  }
  nodes.push_back(node("sector-size", kSector));
  if (info.physical_block != 0 && info.size % info.physical_block == 0) {
    nodes.push_back(node("physical-sector-size", info.physical_block));
  }
  nodes.push_back(node("sectors", info.size / kSector));
  nodes.push_back(
      node("info", (config_.cdrom ? kInfoCdrom : 0) | (config_.read_only ? kInfoReadOnly : 0)));
  return nodes;
}

/// Until the image has nothing of ours under way. A barrier that waits for its turn is not started:
/// whoever drains goes on with it (resume()) or ends it (disconnect(), close_image()).
void Qdisk::drain() noexcept {
  draining_ = true;
  while (under_way_ != 0) {
    image_->drain();
  }
  draining_ = false;
}

bool Qdisk::pause() noexcept {
  paused_ = true;
  drain();
  push();
  return make_durable();
}

bool Qdisk::hand_over() noexcept {
  handed_over_ = true;
  away_ = image_ != nullptr && image_->hand_over() == BlockStatus::ok;
  return away_ || image_ == nullptr;
}

void Qdisk::resume() noexcept {
  paused_ = false;
  if (barrier_ != nullptr) {
    submit_barrier();
  }
  work_.schedule();
}

void Qdisk::disconnect() noexcept {
  if (ring_memory_ == nullptr) {
    return;
  }
  work_.cancel();
  drain();
  if (barrier_ != nullptr) {
    finish(*barrier_, BlkStatus::error);
  }
  if (port_ != 0) {
    push();
    host_.frontend.unbind(std::exchange(port_, 0));
  }
  work_.cancel();
  slots_.clear();
  free_ = barrier_ = nullptr;
  ring_ = BlkRing{};
  host_.frontend.unmap_grants(std::exchange(ring_memory_, nullptr), ring_pages_);
  make_durable();
}

/// What was handed over is durable, and another's by now.
bool Qdisk::make_durable() noexcept {
  const std::uint64_t now = image_ != nullptr ? changes(image_->stats()) : changes_flushed_;
  if (away_ || now == changes_flushed_) {
    return true;
  }
  if (image_->flush_now() != BlockStatus::ok) {
    complaints_.error("disk ", image_->name(),
                      ": what was written last may not be on stable storage");
    return false;
  }
  changes_flushed_ = now;
  return true;
}

/// The one way by which an image goes. What is under way finishes first; what was checked against
/// this image and waits for its turn must reach no other one, and none that is not there.
void Qdisk::close_image() noexcept {
  drain();
  make_durable();
  image_.reset();
  away_ = false;
  if (barrier_ != nullptr) {
    barrier_->order = Slot::Order::lost;
    submit_barrier();
  }
}

std::optional<Nodes> Qdisk::changed(const Values& backend_values) {
  if (text(backend_values[kParams]) == params_ || !config_.cdrom) {
    return std::nullopt;
  }
  close_image();
  openings_ = 0;
  if (auto taken = take_config(backend_values); !taken) {
    complaints_.warning("disk ", device_name_, ": ", std::string_view{taken.error().message});
    config_.path.clear();
  }
  if (ring_memory_ == nullptr) {
    return std::nullopt;
  }
  if (auto opened = open_image(); !opened) {
    complaints_.warning("disk ", device_name_, ": ", std::string_view{opened.error().message});
  }
  work_.schedule();
  return properties();
}

std::optional<DriveInfo> Qdisk::drive_info() const {
  DriveInfo info{.name = device_name_.empty() ? "vbd" + std::to_string(id_) : device_name_,
                 .image = config_.path,
                 .removable = config_.cdrom,
                 .read_only = config_.read_only,
                 .format = std::string{name_of(config_.format)},
                 .stats = {}};
  if (image_ != nullptr) {
    info.size = image_->info().size;
    info.stats = image_->stats();
  }
  return info;
}

}  // namespace dm::pv
