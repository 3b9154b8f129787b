// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/disk/block_engine.h"
#include "platform/linux/disk/disk_file.h"
#include "platform/linux/disk/pool_engine.h"
#include "platform/linux/file_ring.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"

#include <memory>

namespace dm::host {

/// An engine whose requests wait in the kernel. Each disk has one ring, which can do no more than
/// the disk needs. The ring is made disabled; it gets its one file and its eventfd; it is
/// restricted to four operations on fixed files, and of all registrations to the one that gives the
/// file back; only then is it enabled (io_uring_register(2)).
///
/// The guest's pages are mapped frames of another domain, which the kernel cannot pin. So no
/// buffers are registered: the kernel copies from and to them as for preadv2(2).
///
/// Syncs (flushes, durable writes) run one by one: a sync consumes the errors of all writes before
/// it, and a failure must be known before the next one (tests/unit/SECURITY.md, B33). Thread rule:
/// the loop's thread only.
class UringEngine final : public BlockEngine {
 public:
  /// Most requests in the kernel at a time; more wait here.
  static constexpr unsigned kInFlight = 64;

  struct Made {
    std::unique_ptr<UringEngine> engine;  ///< nullptr: this kernel has, or allows, no such ring
    int error = 0;                        ///< why
  };
  [[nodiscard]] static Made make(Loop& loop, DiskFile& file, Finished finished);
  ~UringEngine() override = default;

  void start(BlockRequest& request) noexcept override;
  void wait() noexcept override;

 private:
  UringEngine(Loop& loop, DiskFile& file, Finished finished);
  [[nodiscard]] int set_up(Loop& loop);

  void issue(BlockRequest& request) noexcept;
  void prepare(BlockRequest& request) noexcept;
  void hand_in(BlockRequest& request) noexcept;
  void pool_finished(BlockRequest& request) noexcept;
  void answered(BlockRequest& request, int result) noexcept;
  void moved(BlockRequest& request, int result) noexcept;
  void durable_write_ended(BlockRequest& request, int error) noexcept;
  void finish(BlockRequest& request, int error) noexcept;
  void go_on() noexcept;
  bool report_one() noexcept;
  void announce() noexcept;
  void tell_later() noexcept;
  void on_event() noexcept;

  DiskFile& file_;
  Finished finished_;
  /// For requests that io_uring has no operation for (BLKDISCARD) or that the kernel refuses. Costs
  /// nothing until then.
  PoolEngine pool_;
  FileRing ring_;
  Watch event_;
  /// The kernel reads it inside submit() (IORING_FEAT_SUBMIT_STABLE), so one is enough.
  Vectors vectors_{};
  unsigned in_flight_ = 0;
  bool syncing_ = false;
  bool reporting_ = false;  ///< on_event() or wait() is at work and will look again
  unsigned again_ = 0;      ///< answers in a row that said "try again"
  RequestList waiting_;
  RequestList syncs_waiting_;
  RequestList done_;  ///< their status is final, and nobody has been told yet
};

}  // namespace dm::host
