// SPDX-License-Identifier: Apache-2.0
//
// Matrix layouts, and preferences for the choice of an algorithm.
#include "cublas/lt_attributes.h"

namespace vgpu::cublas {
namespace {

Layout layout_of(cudaDataType type, std::uint64_t rows, std::uint64_t columns, std::int64_t ld) {
  Layout layout;
  layout.type = type;
  layout.rows = rows;
  layout.columns = columns;
  layout.ld = ld;
  return layout;
}

}  // namespace

template <class F>
static void visit(Layout& layout, cublasLtMatrixLayoutAttribute_t attribute, F f) {
  const auto with = [&](auto& value) { f(&value, sizeof value); };
  switch (attribute) {
    case CUBLASLT_MATRIX_LAYOUT_TYPE:
      return with(layout.type);
    case CUBLASLT_MATRIX_LAYOUT_ORDER:
      return with(layout.order);
    case CUBLASLT_MATRIX_LAYOUT_ROWS:
      return with(layout.rows);
    case CUBLASLT_MATRIX_LAYOUT_COLS:
      return with(layout.columns);
    case CUBLASLT_MATRIX_LAYOUT_LD:
      return with(layout.ld);
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT:
      return with(layout.batch);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET:
      return with(layout.stride);
    case CUBLASLT_MATRIX_LAYOUT_PLANE_OFFSET:
      return with(layout.plane);
    case CUBLASLT_MATRIX_LAYOUT_BATCH_MODE:
      return with(layout.batch_mode);
    default:
      fail(CUBLAS_STATUS_INVALID_VALUE);
  }
}

template <class F>
static void visit(Preference& preference, cublasLtMatmulPreferenceAttributes_t attribute, F f) {
  const auto with = [&](auto& value) { f(&value, sizeof value); };
  switch (attribute) {
    case CUBLASLT_MATMUL_PREF_SEARCH_MODE:
      return with(preference.search);
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
      return with(preference.workspace_bytes);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
      return with(preference.reductions);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
      return with(preference.alignments[0]);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
      return with(preference.alignments[1]);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
      return with(preference.alignments[2]);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
      return with(preference.alignments[3]);
    case CUBLASLT_MATMUL_PREF_MAX_WAVES_COUNT:
      return with(preference.waves);
    case CUBLASLT_MATMUL_PREF_IMPL_MASK:
      return with(preference.implementations);
    default:
      fail(CUBLAS_STATUS_INVALID_VALUE);
  }
}

}  // namespace vgpu::cublas

using namespace vgpu::cublas;

cublasStatus_t cublasLtMatrixLayoutInit_internal(cublasLtMatrixLayout_t layout, std::size_t size, cudaDataType type,
                                                 std::uint64_t rows, std::uint64_t columns, std::int64_t ld) {
  return initialise(layout, size, layout_of(type, rows, columns, ld));
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, std::uint64_t rows,
                                          std::uint64_t columns, std::int64_t ld) {
  return create(layout, layout_of(type, rows, columns, ld));
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) { return destroy(layout); }

cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t attribute, const void* buffer,
                                                std::size_t size) {
  return set_attribute<Layout>(layout, attribute, buffer, size);
}

cublasStatus_t cublasLtMatrixLayoutGetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t attribute, void* buffer,
                                                std::size_t size, std::size_t* written) {
  return get_attribute<Layout>(layout, attribute, buffer, size, written);
}

cublasStatus_t cublasLtMatmulPreferenceInit_internal(cublasLtMatmulPreference_t preference, std::size_t size) {
  return initialise(preference, size, Preference{});
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  return create(preference, Preference{});
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) { return destroy(preference); }

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* buffer,
                                                    std::size_t size) {
  return set_attribute<Preference>(preference, attribute, buffer, size);
}

cublasStatus_t cublasLtMatmulPreferenceGetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, void* buffer,
                                                    std::size_t size, std::size_t* written) {
  return get_attribute<Preference>(preference, attribute, buffer, size, written);
}
