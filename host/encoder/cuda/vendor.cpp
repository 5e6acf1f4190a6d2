// SPDX-License-Identifier: Apache-2.0
#include "encoder/cuda/vendor.h"

#include <string>

namespace attn::internal::cuda {
namespace {

std::string version_text(const char* name, std::size_t version, std::size_t major, std::size_t minor) {
  return std::string(name) + " " + std::to_string(version / major) + "." + std::to_string(version % major / minor) +
         "." + std::to_string(version % minor);
}

}  // namespace

const char* vendor_versions() {
  static const std::string text = version_text("cuDNN", cudnnGetVersion(), 10000, 100) + ", " +
                                  version_text("cuBLAS", cublasLtGetVersion(), 10000, 100);
  return text.c_str();
}

}  // namespace attn::internal::cuda
