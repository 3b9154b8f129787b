// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "core/ports/store_port.h"
#include "core/result.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"
#include "platform/linux/unique_fd.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dm::toolstack {

/// Xenstore's wire protocol on a connection of our own and on the program's loop. libxenstore is
/// not used: it would start a thread for the first watch and wait for each answer.
///
/// At most eight questions are in flight; the others wait here. xenstored answers them in order,
/// each with a message of its own type or with an error. A message with an id that no open question
/// has is ignored. Any other message that makes no sense ends the connection, and so does a
/// xenstored that goes away. Then the log says so, active() is false, open questions are never
/// answered, and new ones are dropped. There is no timer: an idle store costs nothing.
///
/// The connection has all rights of its opener, and xentoolcore_restrict_all() does not confine it.
/// So do not make one in a process that gives up its privileges. A callback must not destroy this
/// object. Thread rule: the loop's thread only. Source: Xen public header io/xs_wire.h;
/// docs/misc/xenstore.txt.
class StoreClient final : public StorePort {
 public:
  /// Connects to xenstored: to its socket in dom0, else to the kernel's device. The descriptor is
  /// non-blocking and close-on-exec. Fails with the reason when neither can be opened.
  [[nodiscard]] static Result<host::UniqueFd> connect();

  StoreClient(host::Loop& loop, host::UniqueFd connection);
  ~StoreClient() override;

  [[nodiscard]] bool active() const noexcept { return active_; }
  /// True when no question is open and nothing waits to be sent.
  [[nodiscard]] bool idle() const noexcept { return waiting_.empty() && asked_.empty(); }

  void read(const void* owner,
            const std::vector<std::string>& paths,
            std::function<void(const Values&)> done) override;
  void list(const void* owner,
            const std::string& path,
            std::function<void(const Names&)> done) override;
  void node_owner(const void* owner,
                  const std::string& path,
                  std::function<void(std::optional<std::uint32_t>)> done) override;
  void write(const std::string& path, std::string_view value) override;
  void watch(const void* owner,
             const std::string& path,
             std::function<void(std::string_view changed)> changed) override;
  void forget(const void* owner) override;
  /// Asks whether xenstored knows a domain with this id. `done` gets nothing when xenstored does
  /// not say.
  void is_introduced(const void* owner,
                     std::uint32_t domid,
                     std::function<void(std::optional<bool>)> done);

 private:
  static constexpr std::size_t kHeader = 16;
  static constexpr std::size_t kMaxPayload = 4096;  ///< XENSTORE_PAYLOAD_MAX
  /// Questions in flight at most. xenstored's own limit for a guest's connection is larger.
  static constexpr std::size_t kMostAsked = 8;

  /// `good`: the answer is not an error; `text` is then the answer, else the name of the error.
  using Answer = std::function<void(bool good, std::string_view text)>;
  struct Question {
    std::uint32_t id = 0;
    std::uint32_t type = 0;
    std::string message;  ///< header and payload
    const void* owner = nullptr;
    Answer answer;  ///< empty: its owner has called forget()
  };
  struct Subscription {
    std::string token;
    std::string path;
    const void* owner;
    std::shared_ptr<std::function<void(std::string_view)>> changed;
  };

  void ask(const void* owner, std::uint32_t type, std::string_view payload, Answer answer);
  void send() noexcept;
  [[nodiscard]] bool put(const std::string& message);
  void on_readable() noexcept;
  /// False when the stream makes no sense.
  [[nodiscard]] bool take_messages() noexcept;
  /// False as above.
  [[nodiscard]] bool handle(std::uint32_t type, std::uint32_t id, std::string_view payload);
  void handle_event(std::string_view payload);
  void give_up(std::string_view why) noexcept;

  host::Watch connection_;
  bool active_ = false;
  bool is_device_ = false;  ///< /dev/xen/xenbus, which takes no send()
  std::uint32_t last_id_ = 0;
  std::uint32_t last_token_ = 0;
  std::deque<Question> waiting_;
  std::deque<Question> asked_;
  std::size_t sent_ = 0;  ///< bytes of the first waiting question that are sent
  std::vector<Subscription> subscriptions_;
  log::Limit refusals_;
  std::size_t size_ = 0;  ///< bytes in buffer_
  std::array<char, kHeader + kMaxPayload> buffer_{};
};

}  // namespace dm::toolstack
