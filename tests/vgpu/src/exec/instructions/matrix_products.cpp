// SPDX-License-Identifier: Apache-2.0
//
// mma.sync and wmma.mma: D = A B + C. fp32 accumulators are rounded as by tensor cores (tensor_cores.h). For fp16
// accumulators, exact products are added to C in double and rounded once, to nearest; tensor cores round these to
// nearest, too, but after an alignment that is not modelled here. For f64, each product is accumulated with fma, in the
// order of k. Integers are exact and wrap or saturate at the end.
#include <array>
#include <cmath>
#include <cstring>
#include <optional>

#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/matrix.h"
#include "exec/instructions/meeting.h"
#include "exec/instructions/tensor_cores.h"

namespace vgpu {
namespace {

using ptx::Type;

struct Product {
  Fragment a, b, c, d;
  std::optional<TensorCore> core;  // for fp32 accumulators
};

void run_product(Warp& warp, const Code& code) {
  if (!meet_all(warp)) return;
  const auto& product = *static_cast<const Product*>(code.data.get());
  std::array<double, kMostElements> a, b, sum;
  read_fragment(warp, product.a, a.data());
  read_fragment(warp, product.b, b.data());
  read_fragment(warp, product.c, sum.data());
  const std::size_t rows = product.d.rows, columns = product.d.columns, depth = product.a.columns;
  if (product.core) {
    add_products(*product.core, a.data(), b.data(), sum.data(), rows, columns, depth);
    write_fragment(warp, product.d, sum.data());
    return;
  }
  const bool fused = product.a.type == Type::kF64;
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t k = 0; k < depth; ++k) {
      const double factor = a[row * depth + k];
      const double* from = &b[k * columns];
      double* to = &sum[row * columns];
      if (fused) {
        for (std::size_t column = 0; column < columns; ++column)
          to[column] = std::fma(factor, from[column], to[column]);
      } else {
        for (std::size_t column = 0; column < columns; ++column) to[column] += factor * from[column];
      }
    }
  write_fragment(warp, product.d, sum.data());
}

// ---- decoding -------------------------------------------------------------------------------------------------------

struct Types {
  Type d, a, b, c;
};

bool is_byte(Type type) { return type == Type::kS8 || type == Type::kU8; }

// Returns whether the PTX ISA defines a product of these types.
bool fit(const Types& types) {
  if (is_byte(types.a)) return is_byte(types.b) && types.c == Type::kS32 && types.d == Type::kS32;
  if (types.a != types.b) return false;
  if (types.a == Type::kF64) return types.c == Type::kF64 && types.d == Type::kF64;
  const auto half_or_float = [](Type type) { return type == Type::kF16 || type == Type::kF32; };
  if (types.a == Type::kF16) return half_or_float(types.c) && half_or_float(types.d);
  return (types.a == Type::kBF16 || types.a == Type::kTF32) && types.c == Type::kF32 && types.d == Type::kF32;
}

bool is_mma_shape(Type type, const Shape& shape) {
  if (shape.m == 8 && shape.n == 8) return shape.k == (type == Type::kF64 ? 4u : is_byte(type) ? 16u : 0u);
  if (shape.m != 16 || shape.n != 8) return false;
  if (is_byte(type)) return shape.k == 16 || shape.k == 32;
  if (type == Type::kTF32) return shape.k == 4 || shape.k == 8;
  return shape.k == 8 || shape.k == 16 || (type == Type::kF64 && shape.k == 4);
}

bool is_wmma_shape(Type type, const Shape& shape) {
  if (type == Type::kF64) return shape.m == 8 && shape.n == 8 && shape.k == 4;
  if (type == Type::kTF32) return shape.m == 16 && shape.n == 16 && shape.k == 8;
  return shape.k == 16 && shape.m * shape.n == 256 && shape.m >= 8 && shape.n >= 8;
}

void set_product(Decoder& d, const Types& types, const Shape& shape, bool saturates, bool opaque) {
  if (!fit(types)) d.unknown("types that do not go together");
  auto product = std::make_shared<Product>();
  product->d = fragment_of(d, types.d, shape.m, shape.n);
  product->a = fragment_of(d, types.a, shape.m, shape.k);
  product->b = fragment_of(d, types.b, shape.k, shape.n);
  product->c = fragment_of(d, types.c, shape.m, shape.n);
  product->d.saturates = saturates;
  if (types.d == Type::kF32) product->core = tensor_core_of(d.builder().program().limits().architecture, types.a);
  take_registers(d, d.operand(0), true, opaque ? Role::kOpaque : Role::kC, product->d);
  take_registers(d, d.operand(1), false, opaque ? Role::kOpaque : Role::kA, product->a);
  take_registers(d, d.operand(2), false, opaque ? Role::kOpaque : Role::kB, product->b);
  take_registers(d, d.operand(3), false, opaque ? Role::kOpaque : Role::kC, product->c);
  d.code().data = product;
  set_handler(d, Pipe::kTensor, run_product);
}

Types take_types(Decoder& d) {
  Types types{};
  for (Type* type : {&types.d, &types.a, &types.b, &types.c}) *type = d.take_type();
  return types;
}

void decode_mma(Decoder& d) {
  if (!d.take("sync") || !d.take("aligned")) d.unknown();
  const Shape shape = take_shape(d);
  if (!d.take("row") || !d.take("col")) d.unknown();
  const bool saturates = d.take("satfinite");
  const Types types = take_types(d);
  if (saturates && !is_byte(types.a)) d.unknown();
  if (types.a == Type::kF64) d.take("rn");
  if (!is_mma_shape(types.a, shape) || types.c != types.d) d.unknown();
  set_product(d, types, shape, saturates, false);
}

}  // namespace

void decode_wmma_product(Decoder& d) {
  if (!d.take("sync") || !d.take("aligned")) d.unknown();
  for (int matrix = 0; matrix < 2; ++matrix)
    if (!d.take("row") && !d.take("col")) d.unknown();
  const Shape shape = take_shape(d);
  const bool saturates = d.take_any("satfinite");
  Types types{d.take_type(), Type::kF16, Type::kF16, d.take_type()};
  // If only two types are given, they are those of D and C, and A and B are f16. Otherwise all four are given.
  if (!d.peek().empty() && d.peek() != "rn") {
    types.a = types.c;
    types.b = d.take_type();
    types.c = d.take_type();
  }
  if (types.a == Type::kF64) d.take("rn");
  if (saturates && !is_byte(types.a)) d.unknown();
  if (!is_wmma_shape(types.a, shape)) d.unknown();
  set_product(d, types, shape, saturates, true);
}

void add_matrix_products(InstructionTable& table) { table["mma"] = decode_mma; }

}  // namespace vgpu
