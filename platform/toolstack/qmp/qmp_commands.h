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

/// Error classes that libxl distinguishes (libxl_qmp.c): CommandNotFound makes it try an older
/// command, all others are failures.
inline constexpr std::string_view kGenericError = "GenericError";
inline constexpr std::string_view kCommandNotFound = "CommandNotFound";
inline constexpr std::string_view kDeviceNotFound = "DeviceNotFound";

struct QmpError {
  std::string_view error_class = kGenericError;
  std::string desc;
};

using QmpResult = boost::system::result<boost::json::value, QmpError>;

/// Descriptors that a connection has received (SCM_RIGHTS) and that no command has taken yet. They
/// are closed with the connection. Thread rule: the loop's thread only.
class QmpDescriptors {
 public:
  /// libxl sends one with a command.
  static constexpr std::size_t kCapacity = 8;

  /// Takes ownership; closes it at once when the queue is full.
  void put(host::UniqueFd fd) noexcept;
  /// The oldest one, or none.
  [[nodiscard]] host::UniqueFd take() noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// An object of a command that must end with the connection; FdSets uses it.
  void set_companion(std::shared_ptr<void> companion) noexcept {
    companion_ = std::move(companion);
  }
  [[nodiscard]] const std::shared_ptr<void>& companion() const noexcept { return companion_; }

 private:
  host::UniqueFd fds_[kCapacity];
  std::size_t size_ = 0;
  std::shared_ptr<void> companion_;
};

/// The answer of a command that cannot answer at once. The answer may come after the connection has
/// gone; it is then dropped.
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

/// What the handler of a command gets.
struct QmpCall {
  const boost::json::object& arguments;
  QmpDescriptors& descriptors;
  std::shared_ptr<QmpDeferral> deferral{};

  /// For a handler that cannot answer yet. Its return value is then ignored, and later commands of
  /// the connection wait until answer() of this object has been called, once.
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

/// The arguments of a command. Everything else is refused before the command sees it, in QEMU's
/// words: an argument that we ignored would be something that the client wanted.
class QmpParameters {
 public:
  QmpParameters(std::initializer_list<QmpParameter> list) : list_{list} {}
  /// Accepts any argument: the handler looks at all of them.
  [[nodiscard]] static QmpParameters any() {
    QmpParameters all{};
    all.any_ = true;
    return all;
  }
  /// The command takes a descriptor that comes with it. If the command is refused, the descriptor
  /// is closed.
  [[nodiscard]] QmpParameters with_descriptor() && {
    takes_descriptor_ = true;
    return std::move(*this);
  }
  [[nodiscard]] bool takes_descriptor() const noexcept { return takes_descriptor_; }
  /// Returns what is wrong with these arguments, or nothing.
  [[nodiscard]] std::optional<QmpError> refuse(const boost::json::object& arguments) const;

 private:
  std::vector<QmpParameter> list_;
  bool any_ = false;
  bool takes_descriptor_ = false;
};

/// Carries out a command, on the loop's thread. It answers before it returns, or calls
/// QmpCall::defer(). An exception becomes a GenericError.
using QmpHandler = std::function<QmpResult(QmpCall&)>;

/// The commands that can be called. Other parts of the program add theirs at start-up:
///
///     commands.add("eject", {{"id"}, {"force", QmpParameter::Type::boolean}},
///                  [&cd](QmpCall& call) -> QmpResult { ... return boost::json::object{}; });
///
/// Thread rule: the loop's thread only.
class QmpCommands {
 public:
  /// Starts with one command, query-commands.
  QmpCommands();
  QmpCommands(const QmpCommands&) = delete;
  QmpCommands& operator=(const QmpCommands&) = delete;
  ~QmpCommands() = default;

  /// Adds a command. It replaces an earlier one with the same name.
  void add(std::string_view name, QmpParameters parameters, QmpHandler handler);
  /// Adds a command without arguments.
  void add(std::string_view name, QmpHandler handler) { add(name, {}, std::move(handler)); }
  /// Runs a command. CommandNotFound, with a reason where we know one, if there is no such command.
  [[nodiscard]] QmpResult call(std::string_view name, QmpCall& call) const;

 private:
  struct Command {
    std::string name;
    QmpParameters parameters;
    QmpHandler handler;
  };
  std::vector<Command> commands_;
};

/// Adds the commands that need only the machine; README.md lists them all. `machine` outlives
/// `commands`.
void add_machine_commands(QmpCommands& commands, MachineControl& machine, std::string guest_name);

/// The `version` object of the greeting and of query-version. libxl decides by these numbers what
/// it may send; from 2.11 on, that is everything that libxl 4.17 knows. We say 7.2.0, because our
/// commands are a part of that QEMU's.
[[nodiscard]] boost::json::object qmp_version();

}  // namespace dm::toolstack
