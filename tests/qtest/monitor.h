// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "ioreq/machine/control.h"
#include "platform/linux/loop/host_clock.h"
#include "platform/linux/loop/loop.h"
#include "platform/toolstack/qmp/fd_sets.h"
#include "platform/toolstack/qmp/qmp_commands.h"
#include "platform/toolstack/qmp/qmp_session.h"
#include "tests/qtest/board.h"
#include "tests/qtest/held_flushes.h"
#include "tests/qtest/peer.h"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dm::qtest {

/// The small QMP beside a qtest: the product's own commands over sockets that the test listens on,
/// the events that libqtest waits for, and "qemu-io DRIVE ..." of the human monitor as far as it
/// holds and lets go flushes. Thread rule: the loop's thread only.
class Monitor final : private ControlHost {
 public:
  struct Parts {
    host::Loop& loop;
    Board& board;
    std::array<HeldFlushes*, 4> held;  ///< by IDE position; null: not that kind of image
    std::function<void()> quit;
  };
  explicit Monitor(Parts parts);

  [[nodiscard]] Result<> connect(const std::string& path);
  [[nodiscard]] bool guest_runs() const noexcept {
    return control_.running() || control_.prelaunch();
  }
  /// `data` is a JSON object.
  void send_event(std::string_view name, std::string_view data = "{}");

 private:
  struct Client {
    std::unique_ptr<Peer> peer;
    toolstack::QmpSession session;
  };
  /// Nobody migrates a simulated guest.
  struct NobodyCounts final : DirtySink {
    void written(std::uint64_t, std::uint64_t) noexcept override {}
  };

  [[nodiscard]] bool launch() noexcept override { return true; }
  void quit() noexcept override;
  [[nodiscard]] bool asleep() noexcept override { return false; }
  void wake() noexcept override {}
  [[nodiscard]] bool pause_others() noexcept override { return true; }
  void resume_others() noexcept override {}
  [[nodiscard]] bool hand_over_others() noexcept override { return true; }
  void take_back_others() noexcept override {}

  void received(Client& client, std::string_view bytes);
  [[nodiscard]] toolstack::QmpResult human_command(toolstack::QmpCall& call);
  [[nodiscard]] HeldFlushes* find_held(std::string_view drive) const;

  Parts parts_;
  NobodyCounts dirty_;
  host::HostClock unread_clock_;  ///< control stops it; the guest's clock is the test's
  Control control_;
  toolstack::FdSets fd_sets_;
  toolstack::QmpCommands product_;  ///< as in the product
  toolstack::QmpCommands commands_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace dm::qtest
