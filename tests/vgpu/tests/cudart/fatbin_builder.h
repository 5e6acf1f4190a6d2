// SPDX-License-Identifier: Apache-2.0
//
// Builds fat binaries for tests in the layout that nvcc produces.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace vgpu::cudart {

constexpr std::uint16_t kPtx = 1, kElf = 2;

constexpr std::uint64_t kPlain = 0x11, kArchitectureSpecific = 0x100011, kFamilySpecific = 0x200011;

class FatBinary {
 public:
  FatBinary& add(std::uint16_t kind, std::uint32_t architecture, const std::string& payload,
                 std::uint64_t flags = kPlain, std::uint32_t compressed_size = 0) {
    // With -lineinfo, the entry's header is longer than its other fields require.
    const std::uint32_t header_size = 0x68;
    std::vector<char> entry(header_size + payload.size());
    put<std::uint16_t>(entry, 0, kind);
    put<std::uint16_t>(entry, 2, 0x101);
    put<std::uint32_t>(entry, 4, header_size);
    put<std::uint64_t>(entry, 8, payload.size());
    put<std::uint32_t>(entry, 0x10, compressed_size);
    put<std::uint32_t>(entry, 0x1c, architecture);
    put<std::uint64_t>(entry, 0x28, flags);
    std::memcpy(entry.data() + header_size, payload.data(), payload.size());
    entries_.insert(entries_.end(), entry.begin(), entry.end());
    return *this;
  }

  const void* wrapper(std::uint32_t version = 1, std::uint32_t magic = 0x466243b1) {
    data_.assign(16, 0);
    put<std::uint32_t>(data_, 0, 0xba55ed50);
    put<std::uint16_t>(data_, 4, 1);
    put<std::uint16_t>(data_, 6, 16);
    put<std::uint64_t>(data_, 8, entries_.size());
    data_.insert(data_.end(), entries_.begin(), entries_.end());
    wrapper_.assign(24, 0);
    put(wrapper_, 0, magic);
    put(wrapper_, 4, version);
    put<const char*>(wrapper_, 8, data_.data());
    return wrapper_.data();
  }

 private:
  template <class T>
  static void put(std::vector<char>& bytes, std::size_t offset, T value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  }
  std::vector<char> entries_, data_, wrapper_;
};

}  // namespace vgpu::cudart
