// SPDX-License-Identifier: Apache-2.0
#include "cudart/fatbin.h"

#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace vgpu::cudart {
namespace {

constexpr std::uint32_t kWrapperMagic = 0x466243b1;
constexpr std::uint32_t kWhole = 1;  // version of the wrapper; version 2 is relocatable code (-rdc=true)
constexpr std::uint32_t kMagic = 0xba55ed50;
constexpr std::uint16_t kPtx = 1;
constexpr std::uint64_t kForOneArchitecture = std::uint64_t{1} << 20;
constexpr std::uint64_t kForOneFamily = std::uint64_t{1} << 21;

struct Wrapper {
  std::uint32_t magic, version;
  const std::byte* data;
};

struct Header {
  std::uint32_t magic;
  std::uint16_t version, header_size;
  std::uint64_t entries_size;
};

struct Entry {
  std::uint16_t kind, version;
  std::uint32_t header_size;
  std::uint64_t payload_size;
  std::uint32_t compressed_size;  // 0 if not compressed
  std::uint32_t options_offset;
  std::uint16_t ptx_minor, ptx_major;
  std::uint32_t architecture;
  std::uint32_t name_offset, name_size;
  std::uint64_t flags;
};
static_assert(offsetof(Entry, architecture) == 0x1c && offsetof(Entry, flags) == 0x28, "the layout that nvcc writes");

template <class T>
T read(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

Image image_of(const Entry& entry, const std::byte* payload) {
  Image image;
  image.ptx = entry.kind == kPtx;
  image.architecture = entry.architecture;
  if ((entry.flags & kForOneArchitecture) != 0) image.scope = Image::Scope::kArchitecture;
  if ((entry.flags & kForOneFamily) != 0) image.scope = Image::Scope::kFamily;
  image.compressed = entry.compressed_size != 0;
  image.data = reinterpret_cast<const char*>(payload);
  image.size = entry.payload_size;
  return image;
}

}  // namespace

bool Image::runs_on(std::uint32_t device_architecture) const {
  switch (scope) {
    case Scope::kArchitecture:
      return architecture == device_architecture;
    case Scope::kFamily:
      return architecture <= device_architecture && architecture / 10 == device_architecture / 10;
    default:
      return architecture <= device_architecture;
  }
}

bool is_fatbin(const void* data) { return read<std::uint32_t>(static_cast<const std::byte*>(data)) == kMagic; }

std::vector<Image> wrapped_images(const void* pointer) {
  const auto wrapper = read<Wrapper>(static_cast<const std::byte*>(pointer));
  if (wrapper.magic != kWrapperMagic) throw std::runtime_error("registered device code is no fat binary");
  if (wrapper.version != kWhole)
    throw std::runtime_error("device code that is linked on the device (-rdc=true) is not modelled");
  return fatbin_images(wrapper.data);
}

std::vector<Image> fatbin_images(const void* data) {
  if (!is_fatbin(data)) throw std::runtime_error("damaged fat binary");
  const auto header = read<Header>(static_cast<const std::byte*>(data));

  std::vector<Image> images;
  const std::byte* at = static_cast<const std::byte*>(data) + header.header_size;
  const std::byte* end = at + header.entries_size;
  while (at < end) {
    const auto entry = read<Entry>(at);
    if (entry.header_size < sizeof(Entry)) throw std::runtime_error("damaged fat binary");
    images.push_back(image_of(entry, at + entry.header_size));
    at += entry.header_size + entry.payload_size;
  }
  return images;
}

const Image* choose_ptx(const std::vector<Image>& images, std::uint32_t device_architecture) {
  const Image* best = nullptr;
  for (const Image& image : images) {
    if (!image.ptx || !image.runs_on(device_architecture)) continue;
    if (best == nullptr || image.architecture > best->architecture) best = &image;
  }
  return best;
}

}  // namespace vgpu::cudart
