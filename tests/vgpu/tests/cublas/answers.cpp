// SPDX-License-Identifier: Apache-2.0
//
// Prints the results of calls that need no GPU, one per line. The real libraries and the stand-ins must give the same
// output.
#include <cublasLt.h>
#include <cublas_v2.h>

#include <cinttypes>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace {

constexpr std::size_t kSizes[] = {0, 1, 2, 4, 7, 8, 9, 16};
constexpr std::int64_t kValues[] = {0, 1, 2, 3, 4, 5, 8, 12, 14, 22, 128, 256, 512, 1000, -1};
constexpr int kLastAttribute = 45;

struct Bytes {
  unsigned char at[64];
  Bytes() { std::memset(at, 0xa5, sizeof at); }

  void print(std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) std::printf("%02x", at[i]);
  }
};

void answer(cublasStatus_t status, const char* format, ...) {
  std::printf("%d: ", static_cast<int>(status));
  va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  std::printf("\n");
}

// Prints how an attribute can be queried, and its value in a new descriptor.
template <class Attribute, class Object, class Get>
void ask(const char* of, Object object, Attribute attribute, Get get) {
  for (const std::size_t size : kSizes) {
    Bytes value;
    std::size_t written = 77;
    const cublasStatus_t status = get(object, attribute, value.at, size, &written);
    std::printf("%s: get %d in %zu bytes: %d %d, %zu written, ", of, attribute, size, status,
                get(object, attribute, value.at, size, nullptr), written);
    value.print(16);
    std::printf("\n");
  }
  std::size_t written = 77;
  const cublasStatus_t status = get(object, attribute, nullptr, 0, &written);
  answer(status, "%s: ask for the size of %d, %zu", of, attribute, written);
  answer(get(object, attribute, nullptr, written, &written), "%s: get %d into nothing", of, attribute);
  answer(get(nullptr, attribute, &written, written, &written), "%s: get %d of nothing", of, attribute);
}

// Prints which values an attribute can be set to, and its value after each call that sets it.
template <class Attribute, class Object, class Get, class Set>
void change(const char* of, Object object, Attribute attribute, Get get, Set set) {
  for (const std::size_t size : kSizes) {
    std::printf("%s: set %d in %zu bytes:", of, attribute, size);
    for (const std::int64_t value : kValues) {
      const std::int64_t bytes[2] = {value, 0};
      std::printf(" %d", set(object, attribute, bytes, size));
      Bytes found;
      std::size_t written = 0;
      if (get(object, attribute, found.at, size, &written) != CUBLAS_STATUS_SUCCESS) continue;
      std::printf(" ");
      found.print(size);
    }
    std::printf("\n");
  }
  const std::int64_t value = 0;
  answer(set(object, attribute, nullptr, sizeof value), "%s: set %d from nothing", of, attribute);
  answer(set(nullptr, attribute, &value, sizeof value), "%s: set %d of nothing", of, attribute);
}

template <class Attribute, class Object, class Get, class Set>
void attributes(const char* of, Object object, Get get, Set set) {
  for (int number = -1; number < kLastAttribute; ++number) {
    ask(of, object, static_cast<Attribute>(number), get);
    change(of, object, static_cast<Attribute>(number), get, set);
  }
}

void layouts() {
  cublasLtMatrixLayout_t layout = nullptr;
  answer(cublasLtMatrixLayoutCreate(nullptr, CUDA_R_32F, 4, 4, 4), "layout without a place");
  for (const int type : {-1, 0, 13, 14, 50}) {
    answer(cublasLtMatrixLayoutCreate(&layout, static_cast<cudaDataType>(type), 4, 4, 4), "layout of type %d", type);
    cublasLtMatrixLayoutDestroy(layout);
  }
  for (const std::uint64_t rows : {std::uint64_t{0}, std::uint64_t{5}})
    for (const std::int64_t ld : {-8, 0, 4, 5}) {
      answer(cublasLtMatrixLayoutCreate(&layout, CUDA_R_32F, rows, 3, ld), "layout of %" PRIu64 " rows, ld %" PRId64,
             rows, ld);
      cublasLtMatrixLayoutDestroy(layout);
    }
  answer(cublasLtMatrixLayoutCreate(&layout, CUDA_R_32F, 4, 0, 4), "layout without columns");
  cublasLtMatrixLayoutDestroy(layout);
  answer(cublasLtMatrixLayoutDestroy(nullptr), "destroy no layout");
  cublasLtMatrixLayoutOpaque_t opaque;
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof opaque, sizeof opaque + 8})
    answer(cublasLtMatrixLayoutInit_internal(&opaque, size, CUDA_R_16F, 4, 4, 4), "layout in %zu bytes", size);
  answer(cublasLtMatrixLayoutInit_internal(nullptr, sizeof opaque, CUDA_R_16F, 4, 4, 4), "layout in no bytes");
  answer(cublasLtMatrixLayoutCreate(&layout, CUDA_R_32F, 4, 5, 6), "layout");
  attributes<cublasLtMatrixLayoutAttribute_t>("layout", layout, cublasLtMatrixLayoutGetAttribute,
                                              cublasLtMatrixLayoutSetAttribute);
  cublasLtMatrixLayoutDestroy(layout);
}

void operations() {
  cublasLtMatmulDesc_t operation = nullptr;
  answer(cublasLtMatmulDescCreate(nullptr, CUBLAS_COMPUTE_32F, CUDA_R_32F), "operation without a place");
  for (const int compute : {-1, 64, 68, 69, 70, 77, 100})
    for (const int scale : {-1, 0, 1, 2, 99}) {
      answer(cublasLtMatmulDescCreate(&operation, static_cast<cublasComputeType_t>(compute),
                                      static_cast<cudaDataType>(scale)),
             "operation of compute type %d, scale type %d", compute, scale);
      cublasLtMatmulDescDestroy(operation);
    }
  answer(cublasLtMatmulDescDestroy(nullptr), "destroy no operation");
  cublasLtMatmulDescOpaque_t opaque;
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof opaque, sizeof opaque + 8})
    answer(cublasLtMatmulDescInit_internal(&opaque, size, CUBLAS_COMPUTE_32F, CUDA_R_32F), "operation in %zu bytes",
           size);
  answer(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F), "operation");
  attributes<cublasLtMatmulDescAttributes_t>("operation", operation, cublasLtMatmulDescGetAttribute,
                                             cublasLtMatmulDescSetAttribute);
  cublasLtMatmulDescDestroy(operation);
}

void preferences() {
  cublasLtMatmulPreference_t preference = nullptr;
  answer(cublasLtMatmulPreferenceCreate(nullptr), "preference without a place");
  answer(cublasLtMatmulPreferenceDestroy(nullptr), "destroy no preference");
  cublasLtMatmulPreferenceOpaque_t opaque;
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof opaque, sizeof opaque + 8})
    answer(cublasLtMatmulPreferenceInit_internal(&opaque, size), "preference in %zu bytes", size);
  answer(cublasLtMatmulPreferenceInit_internal(nullptr, sizeof opaque), "preference in no bytes");
  answer(cublasLtMatmulPreferenceCreate(&preference), "preference");
  attributes<cublasLtMatmulPreferenceAttributes_t>("preference", preference, cublasLtMatmulPreferenceGetAttribute,
                                                   cublasLtMatmulPreferenceSetAttribute);
  cublasLtMatmulPreferenceDestroy(preference);
}

void words() {
  for (int status = -1; status < 20; ++status) {
    const auto code = static_cast<cublasStatus_t>(status);
    std::printf("status %d: %s, %s\n", status, cublasGetStatusName(code), cublasLtGetStatusName(code));
  }
  std::printf("version of cuBLASLt: %zu, CUDA runtime: %zu %zu\n", cublasLtGetVersion(), cublasLtGetCudartVersion(),
              cublasGetCudartVersion());
  for (int type = -1; type < 4; ++type) {
    int value = 77, light = 77;
    answer(cublasGetProperty(static_cast<libraryPropertyType>(type), &value), "property %d", type);
    answer(cublasLtGetProperty(static_cast<libraryPropertyType>(type), &light), "property %d of cuBLASLt", type);
    std::printf("property %d: %d %d\n", type, value, light);
  }
  answer(cublasGetProperty(MAJOR_VERSION, nullptr), "property without a place");
}

// Makes calls without a handle.
void no_handle() {
  cudaStream_t stream = nullptr;
  int value = 0;
  float scalar = 0;
  answer(cublasSetStream(nullptr, nullptr), "set the stream of nothing");
  answer(cublasGetStream(nullptr, &stream), "get the stream of nothing");
  answer(cublasSetWorkspace(nullptr, nullptr, 0), "set the workspace of nothing");
  answer(cublasSetMathMode(nullptr, CUBLAS_DEFAULT_MATH), "set the math mode of nothing");
  answer(cublasSetPointerMode(nullptr, CUBLAS_POINTER_MODE_HOST), "set the pointer mode of nothing");
  answer(cublasGetVersion(nullptr, &value), "version of nothing");
  std::printf("it is %d\n", value);
  answer(cublasGetVersion(nullptr, nullptr), "version of nothing without a place");
  answer(cublasDestroy(nullptr), "destroy no handle");
  answer(cublasCreate(nullptr), "handle without a place");
  answer(cublasLtCreate(nullptr), "light handle without a place");
  answer(cublasLtDestroy(nullptr), "destroy no light handle");
  answer(cublasSgemm(nullptr, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &scalar, &scalar, 1, &scalar, 1, &scalar, &scalar, 1),
         "product without a handle");
  answer(cublasLtMatmul(nullptr, nullptr, &scalar, &scalar, nullptr, &scalar, nullptr, &scalar, &scalar, nullptr,
                        &scalar, nullptr, nullptr, nullptr, 0, nullptr),
         "light product without a handle");
}

}  // namespace

int main() {
  words();
  no_handle();
  layouts();
  operations();
  preferences();
}
