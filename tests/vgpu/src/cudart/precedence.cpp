// SPDX-License-Identifier: Apache-2.0
#include "cudart/precedence.h"

#include <algorithm>
#include <utility>

namespace vgpu::cudart {
namespace {

std::uint32_t place_in(const Clock& clock, std::size_t chain) { return chain < clock.size() ? clock[chain] : 0; }

void join(Clock& clock, const Clock& other) {
  if (clock.size() < other.size()) clock.resize(other.size());
  for (std::size_t chain = 0; chain < other.size(); ++chain) clock[chain] = std::max(clock[chain], other[chain]);
}

void join(Clock& clock, const Moment& moment) {
  join(clock, moment.before);
  if (clock.size() <= moment.chain) clock.resize(moment.chain + 1);
  clock[moment.chain] = std::max(clock[moment.chain], moment.place);
}

}  // namespace

Moment Precedence::next(int device, const std::vector<const Moment*>& after, std::string label) {
  Moment moment;
  moment.number = first_ + entries_.size();
  moment.before = known_;
  for (const Moment* other : after)
    if (other != nullptr && other->number >= first_) join(moment.before, *other);
  while (moment.chain < ends_.size() && ends_[moment.chain] > place_in(moment.before, moment.chain)) ++moment.chain;
  if (moment.chain == ends_.size()) ends_.push_back(0);
  moment.place = ++ends_[moment.chain];
  entries_.push_back({moment.chain, moment.place, std::move(label)});
  join(submitted_[device], moment);
  return moment;
}

bool Precedence::comes_after(const Moment& later, std::uint64_t earlier) const {
  if (earlier < first_) return true;
  const Entry& entry = entries_[earlier - first_];
  return place_in(later.before, entry.chain) >= entry.place;
}

void Precedence::host_knows(const Moment& moment) {
  if (moment.number >= first_) join(known_, moment);
}

void Precedence::host_knows_all(int device) { join(known_, submitted_[device]); }

void Precedence::all_done() {
  for (std::size_t chain = 0; chain < ends_.size(); ++chain)
    if (ends_[chain] > place_in(known_, chain)) return;
  first_ += entries_.size();
  entries_.clear();
  ends_.clear();
  known_.clear();
  submitted_.clear();
}

}  // namespace vgpu::cudart
