// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "platform/pv/blk_ring.h"
#include "platform/pv/driver.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dm::pv {

/// The backend of one PV disk, which libxl calls qdisk: for images that are not raw, and for
/// CD-ROMs.
///
/// The image is opened when the frontend connects for the first time, not before. An HVM guest has
/// the same image under its emulated disk until it unplugs that, and two users of one qcow2 file
/// would destroy it. The image stays open until the toolstack takes the device away or changes the
/// disc: a frontend may come and go as often as it likes, and each opening costs the host a line in
/// the log and often a process. When the frontend has gone, what it wrote is durable.
///
/// A request is copied from the ring once and checked. Its pages are mapped together, and the
/// kernel (or the image's back end) reads and writes them in place. At most kInFlight requests are
/// in flight; the others wait in the guest's ring. Each request that was taken is answered,
/// whatever the image does. One unit of work is one request. Thread rule: the loop's thread only.
/// Source: Xen public header io/blkif.h.
class Qdisk final : public Driver, private EventClient {
 public:
  static constexpr std::size_t kInFlight = 32;
  static constexpr std::size_t kMostSegments = 256;  ///< 1 MiB, as blkback offers
  static constexpr unsigned kMostRingOrder = 4;      ///< 16 pages
  /// Most attempts to open one image. There may be more than one, because the emulated disk may
  /// still have it.
  static constexpr unsigned kMostOpenings = 8;

  struct Counters {
    std::uint64_t requests = 0;
    std::uint64_t refused = 0;   ///< requests that make no sense
    std::uint64_t unmapped = 0;  ///< requests whose grants cannot be mapped
  };

  /// `host` outlives it.
  Qdisk(const Host& host, std::uint32_t id);
  ~Qdisk() override;

  [[nodiscard]] Keys backend_keys() const override;
  [[nodiscard]] Keys frontend_keys() const override;
  [[nodiscard]] Result<std::optional<Nodes>> prepare(const Values& values) override;
  [[nodiscard]] Result<Nodes> connect(const Values& values) override;
  void disconnect() noexcept override;
  void release() noexcept override { close_image(); }
  [[nodiscard]] bool pause() noexcept override;
  void resume() noexcept override;
  [[nodiscard]] bool hand_over() noexcept override;
  /// The image is opened again for the first request that needs it.
  void take_back() noexcept override { handed_over_ = false; }
  [[nodiscard]] bool may_connect() const noexcept override {
    return !handed_over_ || image_ != nullptr;
  }
  [[nodiscard]] bool broken() const noexcept override { return ring_.broken(); }
  [[nodiscard]] std::optional<Nodes> changed(const Values& backend_values) override;
  [[nodiscard]] std::optional<DriveInfo> drive_info() const override;
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  struct Slot;

  [[nodiscard]] Result<> take_config(const Values& values);
  [[nodiscard]] Result<> open_image();
  [[nodiscard]] Result<> map_ring(const Values& values);
  [[nodiscard]] Nodes properties() const;
  void drain() noexcept;
  bool make_durable() noexcept;
  void close_image() noexcept;

  void on_event() noexcept override { work_.schedule(); }
  bool serve() noexcept;
  void start(const BlkRequest& request) noexcept;
  [[nodiscard]] BlkStatus check(const BlkRequest& request, Slot& slot) noexcept;
  [[nodiscard]] BlkStatus check_discard(const BlkRequest& request, Slot& slot) noexcept;
  [[nodiscard]] BlkStatus check_transfer(const BlkRequest& request, Slot& slot) noexcept;
  [[nodiscard]] bool copy_indirect(const BlkRequest& request) noexcept;
  [[nodiscard]] bool map_data(Slot& slot, std::size_t segments, bool into_guest) noexcept;
  void submit(Slot& slot) noexcept;
  void submit_barrier() noexcept;
  static void on_done(BlockRequest& request, BlockStatus status) noexcept;
  void finish(Slot& slot, BlkStatus status) noexcept;
  void push() noexcept;

  const Host& host_;
  const std::uint32_t id_;
  DiskConfig config_;
  std::string device_name_;  ///< "xvda"
  std::string params_;       ///< as the toolstack wrote them
  bool offer_discard_ = true;
  std::unique_ptr<BlockBackend> image_;  ///< null: not opened yet, or a drive without a disc
  unsigned openings_ = 0;                ///< attempts since the toolstack named the image
  std::uint64_t changes_flushed_ = 0;    ///< of the image, when it was durable last

  std::byte* ring_memory_ = nullptr;
  std::size_t ring_pages_ = 0;
  BlkRing ring_;
  std::uint32_t port_ = 0;
  Work work_;
  std::vector<Slot> slots_;  ///< while connected
  Slot* free_ = nullptr;
  Slot* barrier_ = nullptr;    ///< a request that all others must be finished for
  std::size_t under_way_ = 0;  ///< requests that the image has
  bool draining_ = false;
  bool paused_ = false;
  bool handed_over_ = false;
  bool away_ = false;  ///< the image was handed over, and nothing has asked for it since
  bool told_broken_ = false;
  std::array<BlkSegment, kMostSegments> segments_{};  ///< of the request that is being checked
  std::array<std::uint32_t, kMostSegments> grants_{};
  Counters counters_;
  log::Limit complaints_{2};
};

}  // namespace dm::pv
