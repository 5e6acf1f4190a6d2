// SPDX-License-Identifier: Apache-2.0
//
// Copies and fills of memory, plain and pitched.
#include "cudart/copy.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

CopyWork pitched_copy(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch, std::size_t width,
                      std::size_t rows, cudaMemcpyKind kind) {
  require(width <= to_pitch && width <= from_pitch, cudaErrorInvalidPitchValue);
  CopyWork copy = linear_copy(to, from, width, kind);
  copy.to.pitch = to_pitch;
  copy.from.pitch = from_pitch;
  copy.extent.rows = rows;
  return copy;
}

SetWork pitched_set(void* to, std::size_t pitch, int value, std::size_t width, std::size_t rows) {
  require(rows <= 1 || width <= pitch, cudaErrorInvalidPitchValue);
  SetWork set;
  set.to.address = address_of(to);
  set.to.pitch = pitch;
  set.extent = {width, rows, 1};
  set.value = static_cast<std::uint32_t>(value);
  return set;
}

SetWork box_set(const cudaPitchedPtr& to, int value, const cudaExtent& extent) {
  SetWork set = pitched_set(to.ptr, to.pitch, value, extent.width, extent.height);
  set.to.slice_pitch = to.pitch * to.ysize;
  set.extent.slices = extent.depth;
  return set;
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t count, cudaMemcpyKind kind) {
  return fallible_call([&] { issue_copy(stream_of(nullptr), linear_copy(to, from, count, kind), Blocking::kYes); });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t count, cudaMemcpyKind kind, cudaStream_t stream) {
  return fallible_call([&] { issue_copy(stream_of(stream), linear_copy(to, from, count, kind), Blocking::kNo); });
}

cudaError_t cudaMemcpy2D(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch, std::size_t width,
                         std::size_t rows, cudaMemcpyKind kind) {
  return fallible_call([&] {
    issue_copy(stream_of(nullptr), pitched_copy(to, to_pitch, from, from_pitch, width, rows, kind), Blocking::kYes);
  });
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t rows, cudaMemcpyKind kind, cudaStream_t stream) {
  return fallible_call([&] {
    issue_copy(stream_of(stream), pitched_copy(to, to_pitch, from, from_pitch, width, rows, kind), Blocking::kNo);
  });
}

cudaError_t cudaMemset(void* to, int value, std::size_t count) {
  return fallible_call([&] { issue_set(stream_of(nullptr), pitched_set(to, count, value, count, 1), Blocking::kYes); });
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t count, cudaStream_t stream) {
  return fallible_call([&] { issue_set(stream_of(stream), pitched_set(to, count, value, count, 1), Blocking::kNo); });
}

cudaError_t cudaMemset2D(void* to, std::size_t pitch, int value, std::size_t width, std::size_t rows) {
  return fallible_call(
      [&] { issue_set(stream_of(nullptr), pitched_set(to, pitch, value, width, rows), Blocking::kYes); });
}

cudaError_t cudaMemset2DAsync(void* to, std::size_t pitch, int value, std::size_t width, std::size_t rows,
                              cudaStream_t stream) {
  return fallible_call(
      [&] { issue_set(stream_of(stream), pitched_set(to, pitch, value, width, rows), Blocking::kNo); });
}

cudaError_t cudaMemcpy3D(const cudaMemcpy3DParms* parameters) {
  return fallible_call([&] { issue_copy(stream_of(nullptr), copy_of(parameters), Blocking::kYes); });
}

cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* parameters, cudaStream_t stream) {
  return fallible_call([&] { issue_copy(stream_of(stream), copy_of(parameters), Blocking::kNo); });
}

cudaError_t cudaMemset3D(cudaPitchedPtr to, int value, cudaExtent extent) {
  return fallible_call([&] { issue_set(stream_of(nullptr), box_set(to, value, extent), Blocking::kYes); });
}

cudaError_t cudaMemset3DAsync(cudaPitchedPtr to, int value, cudaExtent extent, cudaStream_t stream) {
  return fallible_call([&] { issue_set(stream_of(stream), box_set(to, value, extent), Blocking::kNo); });
}
