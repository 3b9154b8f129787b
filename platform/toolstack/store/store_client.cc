// SPDX-License-Identifier: MIT
#include "platform/toolstack/store/store_client.h"

#include "core/text/number.h"
#include "platform/linux/error_text.h"
#include "platform/linux/unix_address.h"
#include "platform/toolstack/store/store_wire.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace dm::toolstack {

namespace {

using wire::Header;
using wire::kDirectory;
using wire::kError;
using wire::kGetPerms;
using wire::kIsDomainIntroduced;
using wire::kRead;
using wire::kUnwatch;
using wire::kWatch;
using wire::kWatchEvent;
using wire::kWrite;

constexpr std::string_view kSocket = "/run/xenstored/socket";
constexpr const char* kDevice = "/dev/xen/xenbus";

std::string terminated(std::string_view text) {
  return std::string{text}.append(1, '\0');
}

/// Up to the first NUL, or all.
std::string_view first_string(std::string_view bytes) noexcept {
  return bytes.substr(0, bytes.find('\0'));
}

}  // namespace

Result<host::UniqueFd> StoreClient::connect() {
  const sockaddr_un address = host::unix_address(kSocket).value();
  host::UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (fd && ::connect(fd.get(), host::generic(address), sizeof address) == 0) {
    return fd;
  }
  fd = host::UniqueFd{::open(kDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC)};
  if (!fd) {
    return fail("neither ", kSocket, " nor ", kDevice, ": ", host::error_text(errno));
  }
  return fd;
}

StoreClient::StoreClient(host::Loop& loop, host::UniqueFd connection) {
  int type = 0;
  socklen_t size = sizeof type;
  is_device_ = ::getsockopt(connection.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0;
  connection_ = host::Watch{loop, std::move(connection),
                            host::Callback::bind<&StoreClient::on_readable>(*this),
                            host::Callback::bind<&StoreClient::send>(*this)};
  active_ = connection_.ok();
  if (!active_) {
    give_up("the loop cannot watch it");
    return;
  }
  connection_.await_readable();
}

StoreClient::~StoreClient() = default;

void StoreClient::give_up(std::string_view why) noexcept {
  active_ = false;
  connection_ = host::Watch{};
  waiting_.clear();
  asked_.clear();
  log::warning("the connection to xenstore is lost: ", why);
}

void StoreClient::ask(const void* owner,
                      std::uint32_t type,
                      std::string_view payload,
                      Answer answer) {
  if (!active_) {
    return;
  }
  Question question;
  question.id = ++last_id_;
  question.type = type;
  question.owner = owner;
  question.answer = std::move(answer);
  const Header header{.type = type,
                      .request = question.id,
                      .transaction = 0,
                      .length = static_cast<std::uint32_t>(payload.size())};
  question.message.resize(sizeof header);
  std::memcpy(question.message.data(), &header, sizeof header);
  question.message += payload;
  if (payload.size() > kMaxPayload) {
    refusals_.warning("a question to xenstore is too long and was not asked");
    return;
  }
  waiting_.push_back(std::move(question));
  send();
}

void StoreClient::send() noexcept {
  while (active_ && !waiting_.empty() && asked_.size() < kMostAsked) {
    if (!put(waiting_.front().message)) {
      return;
    }
    sent_ = 0;
    waiting_.front().message.clear();
    asked_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

/// True when the whole message is on its way. The kernel's device takes one message with each
/// write().
bool StoreClient::put(const std::string& message) {
  while (sent_ < message.size()) {
    const char* const from = message.data() + sent_;
    const std::size_t left = message.size() - sent_;
    const ssize_t count = is_device_ ? ::write(connection_.fd(), from, left)
                                     : ::send(connection_.fd(), from, left, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0 && errno == EAGAIN) {
      connection_.await_writable();
      return false;
    }
    if (count <= 0) {
      give_up(host::error_text(errno));
      return false;
    }
    sent_ += static_cast<std::size_t>(count);
  }
  return true;
}

void StoreClient::on_readable() noexcept {
  const ssize_t got = ::read(connection_.fd(), buffer_.data() + size_, buffer_.size() - size_);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    connection_.await_readable();
    return;
  }
  if (got <= 0) {
    give_up(got < 0 ? host::error_text(errno) : "xenstored has closed it");
    return;
  }
  size_ += static_cast<std::size_t>(got);
  if (!take_messages()) {
    give_up("a message that makes no sense");
    return;
  }
  send();
  connection_.await_readable();
}

bool StoreClient::take_messages() noexcept {
  std::size_t at = 0;
  while (active_ && size_ - at >= kHeader) {
    Header header{};
    std::memcpy(&header, buffer_.data() + at, sizeof header);
    if (header.length > kMaxPayload) {
      return false;
    }
    if (size_ - at - kHeader < header.length) {
      break;
    }
    const std::string_view payload{buffer_.data() + at + kHeader, header.length};
    at += kHeader + header.length;
    if (!handle(header.type, header.request, payload)) {
      return false;
    }
  }
  std::memmove(buffer_.data(), buffer_.data() + at, size_ - at);
  size_ -= at;
  return true;
}

/// xenstored takes one message of a connection after the other. An answer out of its turn, or of
/// another type, would leave a question open for ever, and eight of those the whole connection.
bool StoreClient::handle(std::uint32_t type, std::uint32_t id, std::string_view payload) {
  if (type == kWatchEvent) {
    handle_event(payload);
    return true;
  }
  const auto found =
      std::find_if(asked_.begin(), asked_.end(), [id](const Question& q) { return q.id == id; });
  if (found == asked_.end()) {
    return true;  // an answer to nothing that is asked
  }
  if (found != asked_.begin() || (type != found->type && type != kError)) {
    return false;
  }
  const Question question = std::move(asked_.front());
  asked_.pop_front();
  if (question.answer) {
    question.answer(type != kError, type == kError ? first_string(payload) : payload);
  }
  return true;
}

void StoreClient::handle_event(std::string_view payload) {
  const std::string_view path = first_string(payload);
  const std::string_view token =
      path.size() < payload.size() ? first_string(payload.substr(path.size() + 1)) : "";
  const auto found = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                  [token](const Subscription& s) { return s.token == token; });
  if (found != subscriptions_.end()) {
    const auto changed = found->changed;  // stays until it returns, whoever forgets it meanwhile
    (*changed)(path);
  }
}

void StoreClient::read(const void* owner,
                       const std::vector<std::string>& paths,
                       std::function<void(const Values&)> done) {
  struct Batch {
    Values values;
    std::size_t open;
    std::function<void(const Values&)> done;
  };
  const auto batch =
      std::make_shared<Batch>(Batch{Values(paths.size()), paths.size(), std::move(done)});
  for (std::size_t i = 0; i < paths.size(); ++i) {
    ask(owner, kRead, terminated(paths[i]), [batch, i](bool good, std::string_view text) {
      if (good) {
        batch->values[i].emplace(text);
      }
      if (--batch->open == 0) {
        batch->done(batch->values);
      }
    });
  }
}

void StoreClient::list(const void* owner,
                       const std::string& path,
                       std::function<void(const Names&)> done) {
  ask(owner, kDirectory, terminated(path),
      [done = std::move(done)](bool good, std::string_view text) {
        Names names;
        if (good) {
          names.emplace();
          while (!text.empty()) {
            const std::string_view name = first_string(text);
            names->emplace_back(name);
            text.remove_prefix(std::min(name.size() + 1, text.size()));
          }
        }
        done(names);
      });
}

void StoreClient::node_owner(const void* owner,
                             const std::string& path,
                             std::function<void(std::optional<std::uint32_t>)> done) {
  ask(owner, kGetPerms, terminated(path),
      [done = std::move(done)](bool good, std::string_view text) {
        // "n0", then one for each domain that may do something: the first names the owner.
        const std::string_view first = first_string(text);
        done(good && !first.empty() ? parse_number<std::uint32_t>(first.substr(1)) : std::nullopt);
      });
}

void StoreClient::write(const std::string& path, std::string_view value) {
  ask(nullptr, kWrite, terminated(path).append(value),
      [this, path](bool good, std::string_view error) {
        if (!good) {
          refusals_.warning("xenstore does not take node ", path, ": ", error);
        }
      });
}

void StoreClient::watch(const void* owner,
                        const std::string& path,
                        std::function<void(std::string_view changed)> changed) {
  const std::string token = "w" + std::to_string(++last_token_);
  subscriptions_.push_back(
      {token, path, owner,
       std::make_shared<std::function<void(std::string_view)>>(std::move(changed))});
  ask(owner, kWatch, terminated(path) + terminated(token),
      [this, path](bool good, std::string_view error) {
        if (!good) {
          refusals_.warning("xenstore does not tell of changes at ", path, ": ", error);
        }
      });
}

void StoreClient::forget(const void* owner) {
  for (auto* const questions : {&waiting_, &asked_}) {
    for (Question& question : *questions) {
      if (question.owner == owner && owner != nullptr) {
        question.answer = nullptr;
      }
    }
  }
  std::vector<Subscription> gone;
  for (auto at = subscriptions_.begin(); at != subscriptions_.end();) {
    if (at->owner == owner) {
      gone.push_back(std::move(*at));
      at = subscriptions_.erase(at);
    } else {
      ++at;
    }
  }
  for (const Subscription& subscription : gone) {
    ask(nullptr, kUnwatch, terminated(subscription.path) + terminated(subscription.token), {});
  }
}

void StoreClient::is_introduced(const void* owner,
                                std::uint32_t domid,
                                std::function<void(std::optional<bool>)> done) {
  ask(owner, kIsDomainIntroduced, terminated(std::to_string(domid)),
      [done = std::move(done)](bool good, std::string_view text) {
        const std::string_view word = first_string(text);
        done(good && (word == "T" || word == "F") ? std::optional{word == "T"} : std::nullopt);
      });
}

}  // namespace dm::toolstack
