// SPDX-License-Identifier: Apache-2.0
#include "cudart/library_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "cudart/copy.h"
#include "cudart/counters.h"
#include "cudart/kernel.h"
#include "cudart/runtime.h"
#include "exec/reports.h"
#include "memory/shadow.h"

namespace vgpu::cudart {
namespace {

bool is_read(const vgpu_range_t& range) { return range.written != 1; }
bool is_written(const vgpu_range_t& range) { return range.written != 0; }

std::string access_text(const vgpu_range_t& range) {
  const char* verb = !is_written(range) ? "read" : is_read(range) ? "update" : "write";
  return fmt::format("{} of {} bytes at {:#x}", verb, range.bytes, address_of(range.address));
}

[[noreturn]] void report(const LibraryWork& work, Finding::Kind kind, std::string what) {
  Finding finding;
  finding.kind = kind;
  finding.what = std::move(what);
  finding.kernel = work.name;
  fail(finding);
}

void check_memory(const LibraryWork& work, const vgpu_range_t& range) {
  Heap& heap = runtime().heap;
  const std::uint64_t address = address_of(range.address);
  const Allocation* allocation = heap.holding(address, range.bytes);
  if (allocation == nullptr)
    report(work, Finding::Kind::kIllegalAddress, access_text(range) + ", " + missed_text(heap, address, range.bytes));
  if (!is_read(range) || !runtime().options.check_initialised) return;
  const std::size_t offset = address - allocation->address;
  if (allocation->shadow->initialised(offset, range.bytes)) return;
  std::size_t first = 0;
  while (allocation->shadow->initialised(offset + first, 1)) ++first;
  report(work, Finding::Kind::kUninitialised,
         fmt::format("{}, of which nothing has written byte {} since it was allocated", access_text(range), first));
}

void mark(const vgpu_range_t& range) {
  const Allocation& allocation = *runtime().heap.holding(address_of(range.address), range.bytes);
  const std::size_t offset = address_of(range.address) - allocation.address;
  if (is_read(range)) runtime().heap.mark(allocation, Use::kRead, offset, range.bytes);
  if (is_written(range)) runtime().heap.mark(allocation, Use::kWrite, offset, range.bytes);
}

// No range may overlap with a written one, since the order in which the threads of a library's kernel access memory is
// unspecified.
void check_overlaps(const LibraryWork& work) {
  std::vector<vgpu_range_t> ranges = work.ranges;
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
  const auto end_of = [](const vgpu_range_t& range) { return address_of(range.address) + range.bytes; };
  const vgpu_range_t *last = nullptr, *last_written = nullptr;  // the ranges so far that end last
  const auto extend = [&](const vgpu_range_t*& furthest, const vgpu_range_t& range) {
    if (furthest == nullptr || end_of(range) > end_of(*furthest)) furthest = &range;
  };
  for (const vgpu_range_t& range : ranges) {
    const vgpu_range_t* other = is_written(range) ? last : last_written;
    if (other != nullptr && end_of(*other) > address_of(range.address))
      report(work, Finding::Kind::kRace,
             fmt::format("{} and {}: nothing orders them", access_text(*other), access_text(range)));
    extend(last, range);
    if (is_written(range)) extend(last_written, range);
  }
}

// While release() runs, CUDA calls are rejected, since they would deadlock.
void release_quietly(void (*release)(void*), void* argument) {
  const bool before = std::exchange(in_host_function(), true);
  release(argument);
  in_host_function() = before;
}

}  // namespace

void perform_library_work(const LibraryWork& work) {
  for (const vgpu_range_t& range : work.ranges) check_memory(work, range);
  if (runtime().options.check_races) {
    check_overlaps(work);
    for (const vgpu_range_t& range : work.ranges) mark(range);
  }
  in_host_function() = true;
  work.run(work.argument.get());
  in_host_function() = false;
  for (const vgpu_range_t& range : work.ranges) {
    if (!is_written(range)) continue;
    const Allocation* allocation = runtime().heap.holding(address_of(range.address), range.bytes);
    allocation->shadow->set_initialised(address_of(range.address) - allocation->address, range.bytes, true);
  }
  count_launch(work);
}

}  // namespace vgpu::cudart

using namespace vgpu::cudart;

int vgpu_issue(void* handle, const char* name, const vgpu_range_t* ranges, std::size_t count, void (*run)(void*),
               void (*release)(void*), void* argument) {
  // Releases the argument on every path.
  std::shared_ptr<void> owned(argument, [release](void* one) { release_quietly(release, one); });
  return call([&] {
    require(name != nullptr && run != nullptr && (count == 0 || ranges != nullptr));
    Stream& stream = stream_of(static_cast<cudaStream_t>(handle));
    require(stream.device->ordinal == current_ordinal(), cudaErrorInvalidResourceHandle);
    LibraryWork work{name, stream.device->ordinal, {}, run, std::move(owned)};
    std::copy_if(ranges, ranges + count, std::back_inserter(work.ranges),
                 [](const vgpu_range_t& range) { return range.bytes > 0; });
    issue(stream, std::move(work));
  });
}

void* vgpu_bytes(const void* address, std::size_t count) {
  const vgpu::Allocation* allocation = runtime().heap.holding(address_of(address), count);
  return allocation == nullptr ? nullptr : allocation->bytes + (address_of(address) - allocation->address);
}
