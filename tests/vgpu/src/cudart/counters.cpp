// SPDX-License-Identifier: Apache-2.0
#include "cudart/counters.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <numeric>
#include <string>
#include <utility>

#include "cudart/runtime.h"
#include "cudart/vgpu.h"

namespace vgpu::cudart {
namespace {

constexpr std::pair<const char*, std::uint64_t Counters::*> kFields[] = {
    {"global_loads", &Counters::global_loads},
    {"global_stores", &Counters::global_stores},
    {"global_load_bytes", &Counters::global_load_bytes},
    {"global_store_bytes", &Counters::global_store_bytes},
    {"global_load_sectors", &Counters::global_load_sectors},
    {"global_store_sectors", &Counters::global_store_sectors},
    {"global_atomics", &Counters::global_atomics},
    {"shared_requests", &Counters::shared_requests},
    {"shared_wavefronts", &Counters::shared_wavefronts},
    {"shared_conflicts", &Counters::shared_conflicts},
    {"local_requests", &Counters::local_requests},
    {"branches", &Counters::branches},
    {"divergent_branches", &Counters::divergent_branches},
    {"barriers", &Counters::barriers},
    {"blocks", &Counters::blocks},
    {"warps", &Counters::warps},
};

std::string pipes_json(const std::array<std::uint64_t, kPipes>& counts) {
  std::string text;
  for (std::size_t pipe = 0; pipe < kPipes; ++pipe)
    text += fmt::format("{}\"{}\": {}", pipe == 0 ? "" : ", ", kPipeNames[pipe], counts[pipe]);
  return "{" + text + "}";
}

// Formats the members of a JSON object, without its braces.
std::string members_json(const Counters& counters) {
  std::string text = "\"warp_instructions\": " + pipes_json(counters.warp_instructions) +
                     ", \"thread_instructions\": " + pipes_json(counters.thread_instructions);
  for (const auto& [name, field] : kFields) text += fmt::format(", \"{}\": {}", name, counters.*field);
  return text;
}

class Ledger {
 public:
  Ledger() {
    const char* path = std::getenv("VGPU_COUNTERS");
    if (path == nullptr || *path == '\0') return;
    file_ = std::string(path) == "-" ? stdout : std::fopen(path, "a");
    if (file_ == nullptr) say(std::string("VGPU_COUNTERS: cannot write ") + path);
  }

  void add(const KernelWork& work, const Counters& counters) {
    const std::lock_guard<std::mutex> lock(mutex_);
    sum_ += counters;
    add(work.name, work.device->ordinal, [&] {
      return fmt::format(", \"grid\": [{}, {}, {}], \"block\": [{}, {}, {}], \"dynamic_shared\": {}, {}", work.grid.x,
                         work.grid.y, work.grid.z, work.block.x, work.block.y, work.block.z, work.dynamic_shared,
                         members_json(counters));
    });
  }

  void add(const LibraryWork& work) {
    const std::lock_guard<std::mutex> lock(mutex_);
    add(work.name, work.device, [] { return ""; });
  }

  void reset() {
    const std::lock_guard<std::mutex> lock(mutex_);
    sum_ = {};
    launches_.clear();
  }

  std::string json() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return fmt::format("{{\"launches\": {}, {}}}", count_all(), members_json(sum_));
  }

  std::uint64_t launches(const char* name) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (name == nullptr) return count_all();
    const auto found = launches_.find(name);
    return found == launches_.end() ? 0 : found->second;
  }

 private:
  // The rest of the line is only formatted if there is a file to write it to.
  template <class More>
  void add(const std::string& name, int device, const More& more) {
    ++launches_[name];
    if (file_ == nullptr) return;
    const std::string line = fmt::format("{{\"kernel\": \"{}\", \"device\": {}{}}}\n", name, device, more());
    std::fwrite(line.data(), 1, line.size(), file_);
    std::fflush(file_);
  }

  std::uint64_t count_all() const {
    return std::accumulate(launches_.begin(), launches_.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const auto& entry) { return sum + entry.second; });
  }

  std::mutex mutex_;
  std::FILE* file_ = nullptr;
  Counters sum_;
  std::map<std::string, std::uint64_t> launches_;  // by name
};

Ledger& ledger() {
  static auto* one = new Ledger;
  return *one;
}

}  // namespace

void count_launch(const KernelWork& work, const Counters& counters) { ledger().add(work, counters); }

void count_launch(const LibraryWork& work) { ledger().add(work); }

}  // namespace vgpu::cudart

int vgpu_is_virtual(void) { return 1; }

void vgpu_counters_reset(void) { vgpu::cudart::ledger().reset(); }

const char* vgpu_counters_json(void) {
  thread_local std::string text;
  text = vgpu::cudart::ledger().json();
  return text.c_str();
}

unsigned long long vgpu_launches(const char* name) { return vgpu::cudart::ledger().launches(name); }
