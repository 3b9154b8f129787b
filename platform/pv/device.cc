// SPDX-License-Identifier: MIT
#include "platform/pv/device.h"

#include "platform/pv/store_values.h"

#include <memory>
#include <utility>

namespace dm::pv {

namespace {

constexpr std::size_t kIdentityKeys = 2;  ///< frontend, frontend-id

XenbusState parse_state(const std::optional<std::string>& value) noexcept {
  return static_cast<XenbusState>(
      number<std::uint8_t>(value, static_cast<std::uint8_t>(XenbusState::reconfigured))
          .value_or(0));
}

}  // namespace

Device::Device(const Host& host, std::string path, std::unique_ptr<Driver> driver, Work& sweep)
    : host_{host}, path_{std::move(path)}, driver_{std::move(driver)}, sweep_{sweep} {
  driver_->on_broken = [this] { look(); };
  identify();
}

Device::~Device() {
  disconnect();
  host_.store.forget(this);
}

void Device::identify() {
  busy_ = true;
  std::vector<std::string> paths{path_ + "/frontend", path_ + "/frontend-id"};
  for (const std::string& key : driver_->backend_keys()) {
    paths.push_back(path_ + "/" + key);
  }
  read_believed(std::move(paths), [this](const Values& values) { on_identity(values); });
}

/// The directory is the toolstack's. It must lead to the domain that we serve, whatever else is
/// there.
void Device::on_identity(const Values& values) {
  const std::string prefix = "/local/domain/" + std::to_string(host_.domid) + "/";
  const std::string_view frontend = text(values[0]);
  if (number<std::uint32_t>(values[1]) != host_.domid || !frontend.starts_with(prefix)) {
    settled_ = true;
    go();  // half made: another change will show it again
    return;
  }
  frontend_ = frontend;
  values_.assign(values.begin() + kIdentityKeys, values.end());
  std::vector<std::string> paths;
  for (const std::string& key : driver_->toolstack_keys()) {
    paths.push_back(frontend_ + "/" + key);
  }
  if (paths.empty()) {
    prepare();
    return;
  }
  read_believed(std::move(paths), [this](const Values& found) {
    values_.insert(values_.end(), found.begin(), found.end());
    prepare();
  });
}

/// A question about nodes that name files, devices and programs of the host.
struct Device::Believed {
  std::vector<std::string> paths;
  Values values;
  std::function<void(const Values&)> done;
};

/// What is in a directory that a guest owns may be anybody's: the guest may remove a node, write
/// its own, or let a third domain write. A node whose owner may not say such things counts as
/// absent. The owner is asked for after the value was read: a node that is still the toolstack's
/// now was so then, since nobody but domain 0 can give one away.
void Device::read_believed(std::vector<std::string> paths,
                           std::function<void(const Values&)> done) {
  auto question = std::make_shared<Believed>(Believed{std::move(paths), {}, std::move(done)});
  host_.store.read(this, question->paths, [this, question](const Values& values) {
    question->values = values;
    check_owner(question, 0);
  });
}

void Device::check_owner(const std::shared_ptr<Believed>& question, std::size_t index) {
  while (index != question->values.size() && !question->values[index]) {
    ++index;
  }
  if (index == question->values.size()) {
    question->done(question->values);
    return;
  }
  host_.store.node_owner(
      this, question->paths[index], [this, question, index](std::optional<std::uint32_t> owner) {
        if (!owner || !host_.believes(*owner)) {
          if (owner) {
            complaints_.warning(question->paths[index], ": it is domain ", *owner,
                                "'s, which may not say this; passed over");
          }
          question->values[index].reset();
        }
        check_owner(question, index + 1);
      });
}

void Device::prepare() {
  auto nodes = driver_->prepare(values_);
  settled_ = true;
  if (!nodes) {
    failure_ = nodes.error();
    log::error(path_, ": ", std::string_view{nodes.error().message});
    set(XenbusState::closed);
    busy_ = false;
    done();
    return;
  }
  if (!*nodes) {
    foreign_ = true;
    busy_ = false;
    done();
    return;
  }
  on_prepared(std::move(**nodes));
  if (std::exchange(reread_, false)) {
    reread_parameters();
  }
}

void Device::on_prepared(Nodes nodes) {
  publish(nodes);
  set(driver_->starts_closed() ? XenbusState::closed : XenbusState::init_wait);
  busy_ = false;
  if (driver_->always_ready()) {
    look();
  } else {
    host_.store.watch(this, frontend_ + "/state", [this](std::string_view) { look(); });
  }
}

void Device::on_backend_changed(std::string_view key) {
  if (key == "params") {
    reread_parameters();
  } else if (key.empty() || key == "state" || key == "online") {
    look();
  }
}

void Device::look() {
  if (busy_) {
    again_ = true;
    return;
  }
  busy_ = true;
  host_.store.read(this,
                   {path_ + "/state", path_ + "/online", frontend_ + "/state", path_ + "/frontend"},
                   [this](const Values& values) { on_look(values); });
}

void Device::go_on() {
  if (!connected_) {
    look();
  }
}

/// A directory that was removed while we wrote into it is there again, with what we wrote and
/// nothing else: it has gone.
void Device::on_look(const Values& values) {
  if (!values[0] || !values[3]) {
    disconnect();
    go();
    return;
  }
  busy_ = false;
  if (!foreign_ && !failure_) {
    const bool online = number<std::uint32_t>(values[1]).value_or(0) != 0;
    const XenbusState theirs =
        driver_->always_ready() ? XenbusState::connected : parse_state(values[2]);
    advance(parse_state(values[0]), online, theirs);
  } else if (failure_ && parse_state(values[0]) == XenbusState::closing) {
    set(XenbusState::closed);  // the toolstack waits for it
  }
  done();
}

/// For good: no question is asked any more.
void Device::go() {
  gone_ = busy_ = true;
  sweep_.schedule();
}

void Device::done() {
  if (!busy_ && std::exchange(again_, false)) {
    look();
  }
}

void Device::advance(XenbusState ours, bool online, XenbusState theirs) {
  const bool alive = theirs == XenbusState::initialised || theirs == XenbusState::connected;
  if (connected_ && driver_->broken()) {
    close_for_error(Error{"the frontend broke the rules of its ring"});
  }
  if (ours == XenbusState::closing && state_ != XenbusState::closing &&
      state_ != XenbusState::closed) {
    // The toolstack's wish. A frontend that is there gets to finish first: it sees our state, too.
    state_ = XenbusState::closing;
    if (!connected_ || !alive || driver_->always_ready()) {
      close(online);
    }
    return;
  }
  if (ours == XenbusState::closing && state_ == XenbusState::closed) {
    set(XenbusState::closed);  // its wish wrote over what we had shown, and it waits for that
  }
  switch (theirs) {
    case XenbusState::initialising:
      if ((state_ == XenbusState::closed || state_ == XenbusState::closing) && online &&
          !driver_->starts_closed()) {
        disconnect();
        set(XenbusState::init_wait);
      } else if (connected_) {  // a new driver, which has not closed what the old one left
        disconnect();
        set(XenbusState::closed);
        again_ = true;
      }
      break;
    case XenbusState::initialised:
    case XenbusState::connected:
      if (state_ == XenbusState::init_wait) {
        begin_connect();
      }
      break;
    case XenbusState::closing:
      disconnect();
      if (state_ != XenbusState::closing && state_ != XenbusState::closed) {
        set(XenbusState::closing);
      }
      break;
    case XenbusState::unknown:
    case XenbusState::closed:
      close(online);
      break;
    case XenbusState::init_wait:
    case XenbusState::reconfiguring:
    case XenbusState::reconfigured:
      break;
  }
}

/// Closed is what a toolstack that takes the device away waits for: it is in no use any more then.
void Device::close(bool online) {
  disconnect();
  if (!online) {
    driver_->release();
  }
  if (state_ != XenbusState::closed) {
    set(XenbusState::closed);
  }
}

void Device::begin_connect() {
  busy_ = true;
  std::vector<std::string> paths;
  for (const std::string& key : driver_->frontend_keys()) {
    paths.push_back(frontend_ + "/" + key);
  }
  if (paths.empty()) {
    on_transport({});
    return;
  }
  host_.store.read(this, paths, [this](const Values& values) {
    on_transport(values);
    done();
  });
}

void Device::on_transport(const Values& values) {
  busy_ = false;
  if (!driver_->may_connect()) {
    return;  // go_on() looks again
  }
  auto nodes = driver_->connect(values);
  if (!nodes) {
    close_for_error(nodes.error());
    return;
  }
  connected_ = true;
  publish(*nodes);
  set(XenbusState::connected);
}

void Device::close_for_error(const Error& error) {
  complaints_.warning(path_, ": closed: ", std::string_view{error.message});
  disconnect();
  set(XenbusState::closing);
}

/// One question is open at a time; what is written meanwhile is read after it.
void Device::reread_parameters() {
  if (!settled_ || rereading_) {
    reread_ = true;
    return;
  }
  std::vector<std::string> paths{path_ + "/frontend"};
  for (const std::string& key : driver_->backend_keys()) {
    paths.push_back(path_ + "/" + key);
  }
  if (foreign_ || failure_ || gone_ || paths.size() == 1) {
    return;
  }
  rereading_ = true;
  read_believed(std::move(paths), [this](const Values& values) {
    rereading_ = false;
    if (!values[0]) {
      return;  // removed: look() hears of it, too, and nothing is to be written any more
    }
    const auto nodes = driver_->changed({values.begin() + 1, values.end()});
    if (nodes && connected_) {
      publish(*nodes);
      set(state_);  // a second Connected is how a frontend learns of another size
    }
    if (std::exchange(reread_, false)) {
      reread_parameters();
    }
  });
}

void Device::publish(const Nodes& nodes) {
  for (const Node& node : nodes) {
    host_.store.write((node.side == Node::Side::backend ? path_ : frontend_) + "/" + node.key,
                      node.value);
  }
}

void Device::set(XenbusState state) {
  state_ = state;
  host_.store.write(path_ + "/state", std::to_string(static_cast<unsigned>(state)));
}

void Device::disconnect() noexcept {
  connected_ = false;
  driver_->disconnect();
}

}  // namespace dm::pv
