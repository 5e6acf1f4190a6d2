// SPDX-License-Identifier: Apache-2.0
#include "cublas/status.h"

#include <cstdio>

namespace vgpu::cublas {
namespace {

struct Words {
  cublasStatus_t status;
  const char *name, *text;
};

constexpr Words kUnknown = {CUBLAS_STATUS_SUCCESS, "unrecognized status", "no status of cuBLAS"};
constexpr Words kWords[] = {
    {CUBLAS_STATUS_SUCCESS, "CUBLAS_STATUS_SUCCESS", "the call did what it should"},
    {CUBLAS_STATUS_NOT_INITIALIZED, "CUBLAS_STATUS_NOT_INITIALIZED", "the handle is none"},
    {CUBLAS_STATUS_ALLOC_FAILED, "CUBLAS_STATUS_ALLOC_FAILED", "there is no memory left"},
    {CUBLAS_STATUS_INVALID_VALUE, "CUBLAS_STATUS_INVALID_VALUE", "an argument is wrong"},
    {CUBLAS_STATUS_ARCH_MISMATCH, "CUBLAS_STATUS_ARCH_MISMATCH", "the device cannot do this"},
    {CUBLAS_STATUS_MAPPING_ERROR, "CUBLAS_STATUS_MAPPING_ERROR", "memory of the device was not reached"},
    {CUBLAS_STATUS_EXECUTION_FAILED, "CUBLAS_STATUS_EXECUTION_FAILED", "the work could not be issued"},
    {CUBLAS_STATUS_INTERNAL_ERROR, "CUBLAS_STATUS_INTERNAL_ERROR", "the library is at fault"},
    {CUBLAS_STATUS_NOT_SUPPORTED, "CUBLAS_STATUS_NOT_SUPPORTED", "the library does not do this"},
    {CUBLAS_STATUS_LICENSE_ERROR, "CUBLAS_STATUS_LICENSE_ERROR", "the licence does not allow this"},
};

const Words& find(cublasStatus_t status) {
  for (const Words& words : kWords)
    if (words.status == status) return words;
  return kUnknown;
}

}  // namespace

void refuse(const std::string& what) {
  std::fflush(stdout);
  std::fprintf(stderr, "vgpu: cuBLAS: %s is not modelled\n", what.c_str());
  fail(CUBLAS_STATUS_NOT_SUPPORTED);
}

const char* name_of(cublasStatus_t status) { return find(status).name; }

const char* words_of(cublasStatus_t status) { return find(status).text; }

void get_property(libraryPropertyType type, int* value) {
  require(value != nullptr);
  switch (type) {
    case MAJOR_VERSION:
      *value = CUBLAS_VER_MAJOR;
      return;
    case MINOR_VERSION:
      *value = CUBLAS_VER_MINOR;
      return;
    case PATCH_LEVEL:
      *value = CUBLAS_VER_PATCH;
      return;
    default:
      fail(CUBLAS_STATUS_INVALID_VALUE);
  }
}

}  // namespace vgpu::cublas
