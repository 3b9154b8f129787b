// SPDX-License-Identifier: MIT
#include "platform/pv/backends.h"

#include "platform/pv/console.h"
#include "platform/pv/keyboard.h"
#include "platform/pv/qdisk.h"
#include "platform/pv/store_values.h"

#include <algorithm>
#include <utility>

namespace dm::pv {

namespace {

std::string_view directory(Backends::Kind kind) noexcept {
  switch (kind) {
    case Backends::Kind::console:
      return "console";
    case Backends::Kind::qdisk:
      return "qdisk";
    case Backends::Kind::vkbd:
      return "vkbd";
    case Backends::Kind::vfb:
      break;
  }
  return "vfb";
}

/// A name in the directory; what is no number is not a device of ours.
std::optional<std::uint32_t> device_id(std::string_view name) {
  return number<std::uint32_t>(std::string{name.substr(0, 16)});
}

}  // namespace

Backends::Backends(Host host, std::vector<Kind> kinds)
    : host_{std::move(host)}, sweep_{Work::bind<&Backends::sweep>(host_.work, *this)} {
  // Answered before any device is found. Where it is missing we are domain 0 as far as we know.
  host_.store.read(this, {"domid"}, [this](const Values& values) {
    host_.own_domid = number<std::uint32_t>(values[0]).value_or(0);
  });
  for (const Kind kind : kinds) {
    std::string path{"backend/"};
    path.append(directory(kind)).append("/").append(std::to_string(host_.domid));
    classes_.push_back(std::make_unique<Class>());
    Class& of = *classes_.back();
    of.kind = kind;
    of.path = std::move(path);
    // The first event of a watch comes at once, and it lists what is there.
    host_.store.watch(this, of.path,
                      [this, &of](std::string_view changed) { on_changed(of, changed); });
  }
}

Backends::~Backends() {
  host_.store.forget(this);
}

void Backends::on_changed(Class& of, std::string_view path) {
  if (!path.starts_with(of.path)) {
    return;
  }
  path.remove_prefix(of.path.size());
  if (path.size() < 2 || path.front() != '/') {
    list(of);
    return;
  }
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  const auto id = device_id(path.substr(0, end));
  const auto found = id ? of.devices.find(*id) : of.devices.end();
  if (found == of.devices.end()) {
    list(of);
    return;
  }
  path.remove_prefix(std::min(end + 1, path.size()));
  found->second->on_backend_changed(path);
}

void Backends::list(Class& of) {
  if (of.listing) {
    of.list_again = true;
    return;
  }
  of.listing = true;
  host_.store.list(this, of.path,
                   [this, &of](const StorePort::Names& names) { on_list(of, names); });
}

void Backends::on_list(Class& of, const StorePort::Names& names) {
  of.listing = false;
  of.listed = true;
  for (const std::string& name : names.value_or(std::vector<std::string>{})) {
    const auto id = device_id(name);
    if (!id || of.devices.contains(*id)) {
      continue;
    }
    if (of.devices.size() == kMostDevices) {
      complaints_.warning(of.path, ": more than ", kMostDevices,
                          " devices; the rest is not served");
      break;
    }
    auto driver = make_driver(of.kind, *id);
    if (paused_) {  // it has acknowledged nothing yet
      static_cast<void>(driver->pause());
    }
    if (handed_over_) {
      static_cast<void>(driver->hand_over());
    }
    of.devices.emplace(
        *id, std::make_unique<Device>(host_, of.path + "/" + name, std::move(driver), sweep_));
  }
  // A removal further up is one event, which names none of them.
  for (const auto& [id, device] : of.devices) {
    const std::string name = std::to_string(id);
    if (!names || std::find(names->begin(), names->end(), name) == names->end()) {
      device->on_backend_changed({});
    }
  }
  if (std::exchange(of.list_again, false)) {
    list(of);
  }
}

std::unique_ptr<Driver> Backends::make_driver(Kind kind, std::uint32_t id) const {
  switch (kind) {
    case Kind::console:
      return std::make_unique<Console>(host_, id);
    case Kind::qdisk:
      return std::make_unique<Qdisk>(host_, id);
    case Kind::vkbd:
      return std::make_unique<Keyboard>();
    case Kind::vfb:
      break;
  }
  return std::make_unique<Unserved>();
}

bool Backends::sweep() noexcept {
  for (const auto& of : classes_) {
    std::erase_if(of->devices, [](const auto& entry) { return entry.second->gone(); });
  }
  return false;
}

bool Backends::settled() const noexcept {
  return std::all_of(classes_.begin(), classes_.end(), [](const auto& of) {
    return of->listed && std::all_of(of->devices.begin(), of->devices.end(),
                                     [](const auto& entry) { return entry.second->settled(); });
  });
}

std::optional<Error> Backends::failure() const {
  for (const auto& of : classes_) {
    for (const auto& [id, device] : of->devices) {
      if (device->failure()) {
        return fail(device->path(), ": ", device->failure()->message);
      }
    }
  }
  return std::nullopt;
}

void Backends::disconnect() noexcept {
  for (const auto& of : classes_) {
    for (const auto& [id, device] : of->devices) {
      device->disconnect();
    }
  }
}

bool Backends::pause() noexcept {
  paused_ = true;
  bool durable = true;
  for (const auto& of : classes_) {
    for (const auto& [id, device] : of->devices) {
      durable = device->driver().pause() && durable;
    }
  }
  return durable;
}

void Backends::resume() noexcept {
  paused_ = false;
  for (const auto& of : classes_) {
    for (const auto& [id, device] : of->devices) {
      device->driver().resume();
    }
  }
}

bool Backends::hand_over() noexcept {
  handed_over_ = true;
  bool all = true;
  for (const auto& of : classes_) {
    for (const auto& [id, device] : of->devices) {
      all = device->driver().hand_over() && all;
    }
  }
  return all;
}

void Backends::take_back() {
  handed_over_ = false;
  for (const auto& of : classes_) {
    for (const auto& [id, device] : of->devices) {
      device->driver().take_back();
      device->go_on();
    }
  }
}

std::vector<ChardevInfo> Backends::chardevs() const {
  std::vector<ChardevInfo> all;
  for (const auto& of : classes_) {
    for (const auto& [id, device] : of->devices) {
      if (auto info = std::as_const(*device).driver().chardev_info()) {
        all.push_back(std::move(*info));
      }
    }
  }
  return all;
}

std::vector<DriveInfo> Backends::drives() const {
  std::vector<DriveInfo> all;
  for (const auto& of : classes_) {
    for (const auto& [id, device] : of->devices) {
      if (auto info = std::as_const(*device).driver().drive_info()) {
        all.push_back(std::move(*info));
      }
    }
  }
  return all;
}

std::size_t Backends::devices() const noexcept {
  std::size_t count = 0;
  for (const auto& of : classes_) {
    count += of->devices.size();
  }
  return count;
}

const Device* Backends::find(Kind kind, std::uint32_t id) const noexcept {
  for (const auto& of : classes_) {
    const auto found = of->devices.find(id);
    if (of->kind == kind && found != of->devices.end()) {
      return found->second.get();
    }
  }
  return nullptr;
}

}  // namespace dm::pv
