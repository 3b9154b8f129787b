// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/store_port.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dm::rig {

/// Xenstore in memory, as dom0 sees it: nodes with owners, watches with relative paths, answers in
/// the order of the questions and not before settle(). The test is toolstack and guest.
class SimStore final : public StorePort {
 public:
  // The test's side: absolute paths.
  void set(const std::string& path, std::string_view value, std::uint32_t owner = 0) {
    nodes_[path] = {std::string{value}, owner};
    fire(path);
  }
  /// With everything below it.
  void remove(const std::string& path) {
    std::erase_if(nodes_, [&path](const auto& node) { return below(node.first, path); });
    fire(path);
    for (const Watch& watch : watches_) {
      if (watch.absolute != path && below(watch.absolute, path)) {
        tell(watch, watch.absolute);
      }
    }
  }
  [[nodiscard]] std::optional<std::string> get(const std::string& path) const {
    const auto node = nodes_.find(path);
    return node == nodes_.end() ? std::nullopt : std::optional{node->second.value};
  }
  /// One answer or event; false when there was none.
  bool step() {
    if (queue_.empty()) {
      return false;
    }
    const Call call = std::move(queue_.front());
    queue_.pop_front();
    if (call.run) {
      call.run();
    }
    return true;
  }
  [[nodiscard]] std::size_t waiting() const noexcept { return queue_.size(); }
  [[nodiscard]] std::size_t watches() const noexcept { return watches_.size(); }
  std::uint64_t reads = 0;  ///< nodes read

  // The backend's side
  void read(const void* owner,
            const std::vector<std::string>& paths,
            std::function<void(const Values&)> done) override {
    push(owner, [this, paths, done = std::move(done)] {
      Values values;
      for (const std::string& path : paths) {
        ++reads;
        values.push_back(get(absolute(path)));
      }
      done(values);
    });
  }
  void list(const void* owner,
            const std::string& path,
            std::function<void(const Names&)> done) override {
    push(owner, [this, path = absolute(path) + "/", done = std::move(done)] {
      Names names;
      for (const auto& [node, value] : nodes_) {
        if (node.starts_with(path)) {
          const std::string name =
              node.substr(path.size(), node.find('/', path.size()) - path.size());
          names = names.value_or(std::vector<std::string>{});
          if (names->empty() || names->back() != name) {
            names->push_back(name);
          }
        }
      }
      done(names);
    });
  }
  void node_owner(const void* owner,
                  const std::string& path,
                  std::function<void(std::optional<std::uint32_t>)> done) override {
    push(owner, [this, path = absolute(path), done = std::move(done)] {
      const auto node = nodes_.find(path);
      done(node == nodes_.end() ? std::nullopt : std::optional{node->second.owner});
    });
  }
  void write(const std::string& path, std::string_view value) override {
    const auto node = nodes_.find(absolute(path));
    set(absolute(path), value, node == nodes_.end() ? 0 : node->second.owner);
  }
  void watch(const void* owner,
             const std::string& path,
             std::function<void(std::string_view changed)> changed) override {
    watches_.push_back({owner, path, absolute(path), std::move(changed)});
    tell(watches_.back(), watches_.back().absolute);
  }
  void forget(const void* owner) override {
    std::erase_if(watches_, [owner](const Watch& watch) { return watch.owner == owner; });
    for (Call& call : queue_) {
      if (call.owner == owner) {
        call.run = nullptr;
      }
    }
  }

 private:
  struct Node {
    std::string value;
    std::uint32_t owner;
  };
  struct Watch {
    const void* owner;
    std::string path;  ///< as it was given
    std::string absolute;
    std::function<void(std::string_view)> changed;
  };
  struct Call {
    const void* owner;
    std::function<void()> run;
  };

  [[nodiscard]] static std::string absolute(const std::string& path) {
    return path.starts_with('/') ? path : "/local/domain/0/" + path;
  }
  [[nodiscard]] static bool below(const std::string& path, const std::string& top) {
    return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
  }
  void push(const void* owner, std::function<void()> run) {
    queue_.push_back({owner, std::move(run)});
  }
  void fire(const std::string& path) {
    for (const Watch& watch : watches_) {
      if (below(path, watch.absolute)) {
        tell(watch, path);
      }
    }
  }
  void tell(const Watch& watch, const std::string& path) {
    push(watch.owner,
         [changed = watch.changed, shown = watch.path + path.substr(watch.absolute.size())] {
           changed(shown);
         });
  }

  std::map<std::string, Node> nodes_;
  std::deque<Watch> watches_;
  std::deque<Call> queue_;
};

}  // namespace dm::rig
