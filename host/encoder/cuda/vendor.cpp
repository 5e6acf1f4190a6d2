// SPDX-License-Identifier: Apache-2.0
#include "encoder/cuda/vendor.h"

#include "encoder/handle.h"

namespace attn::internal::cuda {
namespace {

constexpr char kKey = 0;  // its address is the key

std::string version_text(const char* name, std::size_t version, std::size_t major, std::size_t minor) {
  return std::string(name) + " " + std::to_string(version / major) + "." + std::to_string(version % major / minor) +
         "." + std::to_string(version % minor);
}

}  // namespace

Vendor& vendor_of(attn_handle_t handle) {
  void* found = nullptr;
  require_success(attn_get_attached(handle, &kKey, &found));
  if (found != nullptr) return *static_cast<Vendor*>(found);
  auto made = std::make_unique<Vendor>();
  require_success(attn_attach(handle, &kKey, made.get(), [](void* object) { delete static_cast<Vendor*>(object); }));
  return *made.release();
}

const char* vendor_versions() {
  static const std::string text = version_text("cuDNN", cudnnGetVersion(), 10000, 100) + ", " +
                                  version_text("cuBLAS", cublasLtGetVersion(), 10000, 100);
  return text.c_str();
}

}  // namespace attn::internal::cuda
