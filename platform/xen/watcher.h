// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/black_box.h"
#include "core/result.h"
#include "platform/xen/dm_ops.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace dm::xen {

/// A second, tiny process that outlives the worker by a moment. An ioreq server belongs to the
/// guest, not to us: when its device model dies, vCPUs that touch a device hang for ever and nobody
/// is told. The watcher then crashes the guest (so that the toolstack acts on on_crash=), destroys
/// the server, says in the log what the worker did last, and ends. Of an orderly end it is told,
/// and ends silently.
///
/// start() forks, so it comes before handles on Xen, mappings and threads; the watcher closes all
/// descriptors it inherits but standard error. It opens its own privcmd handle and confines it to
/// the guest. It holds nothing else, wakes up for nothing else, ignores SIGHUP, SIGINT and SIGTERM
/// (a terminal or a toolstack sends them to the whole group; the worker's end decides) and never
/// outlives the worker. The worker in its turn has a descriptor that tells of the watcher's end:
/// from then on nobody would clean up after it.
///
/// What the two share is one page-sized structure that the worker writes and the watcher reads
/// after the worker's death. The watcher trusts none of it: a wrong server id is refused by Xen,
/// text is printed filtered. Thread rule: worker side, the loop's thread only.
class Watcher {
 public:
  enum class Place : std::uint8_t {
    child,   ///< dom0: the worker keeps the pid that libxl recorded
    parent,  ///< stub domain: the watcher stays pid 1, the worker is its child, and orphans are
             ///< reaped
  };
  struct Options {
    DomId domid = 0;
    Place place = Place::child;
    /// Makes the watcher's own handle; called in the watcher.
    Result<std::unique_ptr<DmOps>> (*open_ops)(DomId) = &open_dm_ops;
    /// Called in the watcher once it has its handle: gives up privileges. May be null.
    void (*confine)() noexcept = nullptr;
    /// How the watcher ends, with 0 after an orderly end of the worker, else 1; does not return.
    /// Null: _exit. As parent it knows, too, when the worker fails before it serves.
    void (*finish)(int status) noexcept = nullptr;
  };

  /// Forks. Returns in the worker only.
  [[nodiscard]] static Result<Watcher> start(const Options& options);

  Watcher(Watcher&& other) noexcept
      : shared_{std::exchange(other.shared_, nullptr)},
        lifeline_{std::exchange(other.lifeline_, -1)} {}
  Watcher& operator=(Watcher&&) = delete;
  /// Counts as an orderly end.
  ~Watcher();

  /// From now on a sudden death crashes the guest and destroys this server.
  void server_created(ioservid_t id) noexcept;
  /// The worker ends on purpose; call it when the server is destroyed.
  void orderly_end() noexcept;
  /// Gives away a descriptor that becomes readable when the watcher has ended, and not before.
  [[nodiscard]] int take_lifeline() noexcept { return std::exchange(lifeline_, -1); }
  /// For the dispatcher to record requests in. Valid as long as the process.
  [[nodiscard]] BlackBox& black_box() noexcept;

 private:
  struct Shared;
  Watcher(Shared* shared, int lifeline) noexcept : shared_{shared}, lifeline_{lifeline} {}
  [[noreturn]] static void watch_parent(const Options& options,
                                        const Shared& shared,
                                        int worker,
                                        int pidfd);
  [[noreturn]] static void watch_child(const Options& options, const Shared& shared, int child);
  /// What the watcher can act with.
  struct Means {
    std::unique_ptr<DmOps> ops;
    std::string why_not;  ///< when there are none
  };
  static Means settle(const Options& options);
  /// The worker is dead.
  [[noreturn]] static void conclude(
      const Options& options, const Shared& shared, const Means& means, int worker, int status);

  Shared* shared_;
  int lifeline_;  ///< pidfd of the watcher
};

}  // namespace dm::xen
