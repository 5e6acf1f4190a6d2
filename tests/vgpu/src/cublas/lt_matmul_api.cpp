// SPDX-License-Identifier: Apache-2.0
//
// cuBLASLt handles, the choice of an algorithm, and matrix products.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>

#include "cublas/handles.h"
#include "cublas/lt_product.h"
#include "cublas/types.h"

struct cublasLtContext {};

namespace vgpu::cublas {
namespace {

using LightContext = cublasLtContext;

// The workspace and the alignment, both in bytes, that the faster of two algorithms requires. It is offered if the
// program provides them.
constexpr std::size_t kWantedWorkspace = std::size_t{1} << 20;
constexpr std::uint32_t kMostAlignment = 16;

// The requirements of an algorithm, stored in the toolkit's opaque structure.
struct Algorithm {
  static constexpr std::uint64_t kMark = 0x7667707543756221;
  std::uint64_t mark = kMark;
  std::uint64_t workspace_bytes = 0;
  std::uint32_t alignments[4] = {};  // in bytes, of A, B, C and D
};
static_assert(sizeof(Algorithm) <= sizeof(cublasLtMatmulAlgo_t));

LightContext& context_of(cublasLtHandle_t handle) { return handles<LightContext>().at(handle); }

Algorithm algorithm_for(const Preference& preference, bool frugal) {
  Algorithm algorithm;
  algorithm.workspace_bytes = frugal ? 0 : std::min<std::uint64_t>(kWantedWorkspace, preference.workspace_bytes);
  for (int i = 0; i < 4; ++i) {
    require(preference.alignments[i] > 0);
    algorithm.alignments[i] = std::min(kMostAlignment, preference.alignments[i]);
  }
  return algorithm;
}

Algorithm algorithm_in(const cublasLtMatmulAlgo_t& opaque) {
  Algorithm algorithm;
  std::memcpy(static_cast<void*>(&algorithm), &opaque, sizeof algorithm);
  require(algorithm.mark == Algorithm::kMark);
  return algorithm;
}

void check_alignment(const void* pointer, std::uint32_t alignment) {
  require(reinterpret_cast<std::uintptr_t>(pointer) % alignment == 0, CUBLAS_STATUS_NOT_SUPPORTED);
}

void choose(const Preference& preference, int wanted, cublasLtMatmulHeuristicResult_t* results, int* count) {
  require(wanted > 0 && results != nullptr && count != nullptr);
  if (preference.search != CUBLASLT_SEARCH_BEST_FIT) refuse("a search for algorithms but the best fit");
  *count = 0;
  for (const bool frugal : {false, true}) {
    const Algorithm algorithm = algorithm_for(preference, frugal);
    if (*count == wanted || (frugal && preference.workspace_bytes == 0)) return;
    cublasLtMatmulHeuristicResult_t& result = results[(*count)++];
    result = {};
    std::memcpy(&result.algo, &algorithm, sizeof algorithm);
    result.workspaceSize = algorithm.workspace_bytes;
    result.state = CUBLAS_STATUS_SUCCESS;
    result.wavesCount = 1;
  }
}

}  // namespace
}  // namespace vgpu::cublas

using namespace vgpu::cublas;

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  return fallible_call(CUBLAS_STATUS_NOT_INITIALIZED, [&] {
    require(handle != nullptr);
    int device = 0;
    require(cudaGetDevice(&device) == cudaSuccess, CUBLAS_STATUS_NOT_INITIALIZED);
    *handle = handles<LightContext>().add(std::make_unique<LightContext>());
  });
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  return call([&] {
    handles<LightContext>().at(handle, CUBLAS_STATUS_INVALID_VALUE);
    handles<LightContext>().remove(handle);
  });
}

std::size_t cublasLtGetVersion() { return CUBLAS_VERSION; }

std::size_t cublasLtGetCudartVersion() { return CUDART_VERSION; }

cublasStatus_t cublasLtGetProperty(libraryPropertyType type, int* value) {
  return call([&] { get_property(type, value); });
}

const char* cublasLtGetStatusName(cublasStatus_t status) { return name_of(status); }

const char* cublasLtGetStatusString(cublasStatus_t status) { return words_of(status); }

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t* results, int* count) {
  return fallible_call(CUBLAS_STATUS_INTERNAL_ERROR, [&] {
    context_of(handle);
    described(held_in<Operation>(operation),
              {&held_in<Layout>(a), &held_in<Layout>(b), &held_in<Layout>(c), &held_in<Layout>(d)});
    choose(held_in<Preference>(preference), wanted, results, count);
  });
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t layout_a, const void* b, cublasLtMatrixLayout_t layout_b,
                              const void* beta, const void* c, cublasLtMatrixLayout_t layout_c, void* d,
                              cublasLtMatrixLayout_t layout_d, const cublasLtMatmulAlgo_t* chosen, void* workspace,
                              std::size_t workspace_bytes, cudaStream_t stream) {
  return fallible_call(CUBLAS_STATUS_EXECUTION_FAILED, [&] {
    context_of(handle);
    const Operation& of = held_in<Operation>(operation);
    Product product = described(of, {&held_in<Layout>(layout_a), &held_in<Layout>(layout_b), &held_in<Layout>(layout_c),
                                     &held_in<Layout>(layout_d)});
    const bool on_device = of.pointer_mode == CUBLASLT_POINTER_MODE_DEVICE;
    product.alpha = scalar_of(alpha, on_device);
    product.beta = scalar_of(beta, on_device);
    product.a.data = a, product.b.data = b, product.c.data = c, product.d.data = d;
    check_data(product);
    require_workspace(workspace, workspace_bytes);
    if (chosen != nullptr) {
      const Algorithm algorithm = algorithm_in(*chosen);
      require(workspace_bytes >= algorithm.workspace_bytes);
      check_alignment(a, algorithm.alignments[0]);
      check_alignment(b, algorithm.alignments[1]);
      check_alignment(c, algorithm.alignments[2]);
      check_alignment(d, algorithm.alignments[3]);
      workspace_bytes = algorithm.workspace_bytes;
    }
    product.workspace = workspace;
    product.workspace_bytes = workspace_bytes;
    issue(product, stream);
  });
}
