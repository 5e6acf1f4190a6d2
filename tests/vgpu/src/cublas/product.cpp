// SPDX-License-Identifier: Apache-2.0
#include "cublas/product.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "cublas/element.h"
#include "cublas/multiply.h"
#include "cublas/status.h"

namespace vgpu::cublas {
namespace {

enum Access : int { kRead = 0, kWritten = 1, kUpdated = 2 };

const std::byte* offset(const void* data, std::int64_t elements, cudaDataType type) {
  return static_cast<const std::byte*>(data) + elements * static_cast<std::int64_t>(size_of(type));
}

// ---- memory accesses ------------------------------------------------------------------------------------------------

class Ranges {
 public:
  void add(const void* address, std::size_t bytes, Access access) {
    if (bytes == 0) return;
    if (!all_.empty() && all_.back().written == access) {
      vgpu_range_t& last = all_.back();
      if (static_cast<const std::byte*>(last.address) + last.bytes == address) {
        last.bytes += bytes;
        return;
      }
    }
    all_.push_back({address, bytes, access});
  }

  // Adds the lines one by one, since the bytes between two lines are not accessed.
  void add(const Matrix& matrix, int batch, Access access) {
    const std::size_t bytes = static_cast<std::size_t>(matrix.line_length()) * size_of(matrix.type);
    const int different = matrix.stride == 0 && access == kRead ? 1 : batch;
    for (int i = 0; i < different; ++i)
      for (std::int64_t line = 0; line < matrix.lines(); ++line)
        add(offset(matrix.data, i * matrix.stride + line * matrix.ld, matrix.type), bytes, access);
  }

  const std::vector<vgpu_range_t>& all() const { return all_; }

 private:
  std::vector<vgpu_range_t> all_;
};

// If beta is in device memory it may be zero, so C may be uninitialised where it is the same matrix as D.
Ranges ranges_of(const Product& product) {
  Ranges ranges;
  const bool may_read_c = product.beta.device != nullptr || product.beta.value != 0;
  const bool in_place = product.c.data == product.d.data;
  for (const Scalar* scalar : {&product.alpha, &product.beta})
    if (scalar->device != nullptr) ranges.add(scalar->device, sizeof(float), kRead);
  if (product.k > 0) {
    ranges.add(product.a, product.batch, kRead);
    ranges.add(product.b, product.batch, kRead);
  }
  if (may_read_c && !in_place) ranges.add(product.c, product.batch, kRead);
  ranges.add(product.d, product.batch, in_place && product.beta.value != 0 ? kUpdated : kWritten);
  ranges.add(product.workspace, product.workspace_bytes, kWritten);
  if (product.epilogue != Epilogue::kNone) {
    const auto bytes = static_cast<std::size_t>(product.bias_length()) * size_of(product.bias_type);
    const int different = product.bias_stride == 0 && product.epilogue == Epilogue::kBias ? 1 : product.batch;
    for (int i = 0; i < different; ++i)
      ranges.add(offset(product.bias, i * product.bias_stride, product.bias_type), bytes,
                 product.epilogue == Epilogue::kBias ? kRead : kWritten);
  }
  return ranges;
}

// ---- computation ----------------------------------------------------------------------------------------------------

// One matrix of a batch, at its host address.
class View {
 public:
  View(const Matrix& matrix, int index) : matrix_(matrix) {
    const std::int64_t elements = (matrix.lines() - 1) * matrix.ld + matrix.line_length();
    bytes_ = static_cast<std::byte*>(vgpu_bytes(offset(matrix.data, index * matrix.stride, matrix.type),
                                                static_cast<std::size_t>(elements) * size_of(matrix.type)));
  }
  double load(std::int64_t row, std::int64_t column) const { return cublas::load(matrix_.type, at(row, column)); }
  void store(std::int64_t row, std::int64_t column, double value) const {
    cublas::store(matrix_.type, at(row, column), value);
  }

 private:
  std::byte* at(std::int64_t row, std::int64_t column) const {
    const std::int64_t element = matrix_.row_major ? row * matrix_.ld + column : column * matrix_.ld + row;
    return bytes_ + element * static_cast<std::int64_t>(size_of(matrix_.type));
  }

  const Matrix& matrix_;
  std::byte* bytes_;
};

double value_of(const Scalar& scalar) {
  if (scalar.device == nullptr) return scalar.value;
  return load(CUDA_R_32F, static_cast<const std::byte*>(vgpu_bytes(scalar.device, sizeof(float))));
}

// Rounds to the eleven significant bits of TF32.
double rounded_to_tf32(double value) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  return std::isfinite(value) ? std::ldexp(std::nearbyint(std::ldexp(mantissa, 11)), exponent - 11) : value;
}

// Packs op(matrix). The lines are its rows or, with `by_columns`, its columns.
Packed packed(const Matrix& matrix, int index, bool transposed, bool by_columns, std::int64_t lines, std::int64_t k,
              bool tf32) {
  Packed all(static_cast<std::size_t>(lines), static_cast<std::size_t>(k), by_columns ? kColumns : kRows);
  if (k == 0) return all;
  const View view(matrix, index);
  for (std::int64_t line = 0; line < lines; ++line)
    for (std::int64_t i = 0; i < k; ++i) {
      const std::int64_t row = by_columns ? i : line, column = by_columns ? line : i;
      const double value = transposed ? view.load(column, row) : view.load(row, column);
      all.at(static_cast<std::size_t>(line), static_cast<std::size_t>(i)) = tf32 ? rounded_to_tf32(value) : value;
    }
  return all;
}

std::byte* bias_at(const Product& product, int index) {
  return static_cast<std::byte*>(
      vgpu_bytes(offset(product.bias, index * product.bias_stride, product.bias_type),
                 static_cast<std::size_t>(product.bias_length()) * size_of(product.bias_type)));
}

void store_sums(const Product& product, int index, Packed& factor) {
  std::byte* bias = bias_at(product, index);
  const std::size_t size = size_of(product.bias_type);
  for (std::size_t line = 0; line < static_cast<std::size_t>(product.bias_length()); ++line) {
    double sum = 0;
    for (std::size_t k = 0; k < factor.depth(); ++k) sum += factor.at(line, k);
    store(product.bias_type, bias + line * size, sum);
  }
}

void run_one(const Product& product, int index) {
  const std::int64_t rows = product.d.rows, columns = product.d.columns;
  Packed a = packed(product.a, index, product.transpose_a, false, rows, product.k, product.tf32);
  Packed b = packed(product.b, index, product.transpose_b, true, columns, product.k, product.tf32);
  Tiles sums(static_cast<std::size_t>(rows), static_cast<std::size_t>(columns));
  multiply(a, b, sums);
  const double alpha = value_of(product.alpha), beta = value_of(product.beta);
  const View d(product.d, index);
  const View c(beta == 0 ? product.d : product.c, index);
  const std::byte* bias = product.epilogue == Epilogue::kBias ? bias_at(product, index) : nullptr;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double added =
        bias == nullptr ? 0
                        : load(product.bias_type, bias + static_cast<std::size_t>(row) * size_of(product.bias_type));
    for (std::int64_t column = 0; column < columns; ++column) {
      double value = alpha * sums.at(static_cast<std::size_t>(row), static_cast<std::size_t>(column)) + added;
      if (beta != 0) value += beta * c.load(row, column);
      d.store(row, column, value);
    }
  }
  if (product.epilogue == Epilogue::kGradientA) store_sums(product, index, a);
  if (product.epilogue == Epilogue::kGradientB) store_sums(product, index, b);
}

// Overwrites the workspace, so that programs cannot rely on its contents.
void scribble(const Product& product) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  const std::size_t bytes = std::min(product.workspace_bytes, kMost);
  if (bytes > 0) std::memset(vgpu_bytes(product.workspace, bytes), 0xff, bytes);
}

void run(void* argument) {
  const auto& product = *static_cast<const Product*>(argument);
  scribble(product);
  for (int index = 0; index < product.batch; ++index) run_one(product, index);
}

void release(void* argument) { delete static_cast<const Product*>(argument); }

}  // namespace

void issue(const Product& product, void* stream) {
  if (product.d.rows == 0 || product.d.columns == 0 || product.batch == 0) return;
  const Ranges ranges = ranges_of(product);
  auto copy = std::make_unique<Product>(product);
  const int error =
      vgpu_issue(stream, product.name, ranges.all().data(), ranges.all().size(), run, release, copy.release());
  require(error == cudaSuccess, CUBLAS_STATUS_EXECUTION_FAILED);
}

}  // namespace vgpu::cublas
