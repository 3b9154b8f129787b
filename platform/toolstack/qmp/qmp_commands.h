// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/machine_control.h"
#include "platform/linux/unique_fd.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/system/result.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dm::toolstack {

/// Error classes that libxl tells apart (libxl_qmp.c): CommandNotFound makes it try an older
/// command, all others are failures.
inline constexpr std::string_view kGenericError = "GenericError";
inline constexpr std::string_view kCommandNotFound = "CommandNotFound";
inline constexpr std::string_view kDeviceNotActive = "DeviceNotActive";
inline constexpr std::string_view kDeviceNotFound = "DeviceNotFound";

struct QmpError {
  std::string_view error_class = kGenericError;
  std::string desc;
};

using QmpResult = boost::system::result<boost::json::value, QmpError>;

/// Descriptors that a connection has received (SCM_RIGHTS) and no command has taken yet; closed
/// with the connection.
class QmpDescriptors {
 public:
  /// libxl sends one with a command.
  static constexpr std::size_t kCapacity = 8;

  /// Takes ownership; closes it at once when the queue is full.
  void put(host::UniqueFd fd) noexcept;
  /// The oldest one, or none.
  [[nodiscard]] host::UniqueFd take() noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Something of a command that ends with the connection: FdSets'.
  void set_companion(std::shared_ptr<void> companion) noexcept {
    companion_ = std::move(companion);
  }
  [[nodiscard]] const std::shared_ptr<void>& companion() const noexcept { return companion_; }

 private:
  host::UniqueFd fds_[kCapacity];
  std::size_t size_ = 0;
  std::shared_ptr<void> companion_;
};

/// The answer of a command that takes its time. Whoever gives it may outlive the connection, where
/// it then goes nowhere.
struct QmpDeferral {
  std::optional<QmpResult> result;  ///< given before the handler returned
  std::function<void(QmpResult)> deliver;

  void answer(QmpResult given) {
    if (deliver) {
      std::exchange(deliver, nullptr)(std::move(given));
    } else {
      result = std::move(given);
    }
  }
};

/// What a command gets to see.
struct QmpCall {
  const boost::json::object& arguments;
  QmpDescriptors& descriptors;
  std::shared_ptr<QmpDeferral> deferral{};

  /// For a handler that cannot answer yet: what it returns is not looked at, and the connection's
  /// later commands wait until answer() of this has been called, once.
  [[nodiscard]] std::shared_ptr<QmpDeferral> defer() {
    deferral = std::make_shared<QmpDeferral>();
    return deferral;
  }
};

/// A member of a command's "arguments".
struct QmpParameter {
  enum class Type : std::uint8_t { boolean, integer, string, array };
  enum class Presence : std::uint8_t { optional, required };

  std::string_view name;  ///< a literal
  Type type = Type::string;
  Presence presence = Presence::optional;
};

/// What a command takes. Everything else is refused before the command sees it, in QEMU's words:
/// what is overlooked would be something that the client wanted.
class QmpParameters {
 public:
  QmpParameters(std::initializer_list<QmpParameter> list) : list_{list} {}
  /// Whatever there is: the handler looks at all of it.
  [[nodiscard]] static QmpParameters any() {
    QmpParameters all{};
    all.any_ = true;
    return all;
  }
  /// A descriptor comes with the command. It goes with a refused one.
  [[nodiscard]] QmpParameters with_descriptor() && {
    takes_descriptor_ = true;
    return std::move(*this);
  }
  [[nodiscard]] bool takes_descriptor() const noexcept { return takes_descriptor_; }
  /// What is wrong with these arguments.
  [[nodiscard]] std::optional<QmpError> refuse(const boost::json::object& arguments) const;

 private:
  std::vector<QmpParameter> list_;
  bool any_ = false;
  bool takes_descriptor_ = false;
};

/// Runs on the loop's thread and answers before it returns, unless it defers that. An exception
/// becomes a GenericError.
using QmpHandler = std::function<QmpResult(QmpCall&)>;

/// The commands that can be called. Other parts of the program add theirs at start-up:
///
///     commands.add("eject", {{"id"}, {"force", QmpParameter::Type::boolean}},
///                  [&cd](QmpCall& call) -> QmpResult { ... return boost::json::object{}; });
///
/// Thread rule: the loop's thread only.
class QmpCommands {
 public:
  /// Knows query-commands only.
  QmpCommands();
  QmpCommands(const QmpCommands&) = delete;
  QmpCommands& operator=(const QmpCommands&) = delete;
  ~QmpCommands() = default;

  /// A later one of the same name takes the earlier one's place.
  void add(std::string_view name, QmpParameters parameters, QmpHandler handler);
  /// One without arguments.
  void add(std::string_view name, QmpHandler handler) { add(name, {}, std::move(handler)); }
  /// CommandNotFound, with a reason where there is one, for what is not there.
  [[nodiscard]] QmpResult call(std::string_view name, QmpCall& call) const;

 private:
  struct Command {
    std::string name;
    QmpParameters parameters;
    QmpHandler handler;
  };
  std::vector<Command> commands_;
};

/// The commands that need nothing but the machine; README.md lists them all. `machine` outlives
/// `commands`.
void add_machine_commands(QmpCommands& commands, MachineControl& machine, std::string guest_name);

/// The `version` object of the greeting and of query-version. libxl reads numbers of QEMU from it
/// to know what it may send: from 2.11 on everything that 4.17 knows; we say 7.2.0, whose command
/// set ours is a part of.
[[nodiscard]] boost::json::object qmp_version();

}  // namespace dm::toolstack
