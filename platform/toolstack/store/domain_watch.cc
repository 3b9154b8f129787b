// SPDX-License-Identifier: MIT
#include "platform/toolstack/store/domain_watch.h"

#include <utility>

namespace dm::toolstack {

DomainWatch::DomainWatch(StoreClient& store, std::uint32_t domid, host::Callback gone)
    : store_{store}, domid_{domid}, gone_{gone} {
  store_.watch(this, "@releaseDomain", [this](std::string_view) { ask(); });
}

DomainWatch::~DomainWatch() {
  store_.forget(this);
}

void DomainWatch::ask() {
  if (asking_) {
    ask_again_ = true;
    return;
  }
  asking_ = true;
  store_.is_introduced(this, domid_, [this](std::optional<bool> known) { answered(known); });
}

void DomainWatch::answered(std::optional<bool> known) {
  asking_ = false;
  if (known.value_or(false)) {
    known_ = true;
  } else if (known && known_) {
    store_.forget(this);
    gone_();
    return;
  }
  if (std::exchange(ask_again_, false)) {
    ask();
  }
}

}  // namespace dm::toolstack
