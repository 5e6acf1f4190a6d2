// SPDX-License-Identifier: Apache-2.0
#include "encoder/cuda/weight_space.h"

#include "base/dtype.h"
#include "cuda/check.h"
#include "cuda/storage.h"

namespace attn::internal::cuda {

WeightSpace::WeightSpace(cudnnHandle_t cudnn, cudnnRNNDescriptor_t rnn, attn_dtype_t dtype, int directions,
                         std::int64_t E, std::int64_t H)
    : dtype_(dtype), E_(E), H_(H) {
  check(cudnnGetRNNWeightSpaceSize(cudnn, rnn, &bytes_), "cudnnGetRNNWeightSpaceSize");
  // Only offsets are wanted and nothing is read, so any address serves for the block.
  auto* const block = reinterpret_cast<std::byte*>(std::uintptr_t{1} << 20);
  const auto offset = [&](const void* address) {
    return (static_cast<const std::byte*>(address) - block) / static_cast<std::ptrdiff_t>(element_bytes(dtype));
  };
  const TensorDescriptor matrix_desc, bias_desc;
  for (int direction = 0; direction < directions; ++direction)
    for (int matrix = 0; matrix < 8; ++matrix) {
      void *values = nullptr, *bias = nullptr;
      check(cudnnGetRNNWeightParams(cudnn, rnn, direction, bytes_, block, matrix, matrix_desc.get(), &values,
                                    bias_desc.get(), &bias),
            "cudnnGetRNNWeightParams");
      const int gate = matrix % 4;
      pieces_.push_back({direction, gate, matrix < 4 ? Piece::Kind::kKernel : Piece::Kind::kRecurrent, offset(values)});
      if (bias != nullptr) pieces_.push_back({direction, gate, Piece::Kind::kBias, offset(bias)});
    }
  if (pieces_.size() != static_cast<std::size_t>(directions) * 12)
    throw Failure(ATTN_LIBRARY_ERROR, "cudnnGetRNNWeightParams: expected one bias for each gate, got " +
                                          std::to_string(pieces_.size() - static_cast<std::size_t>(directions) * 8));
}

std::int64_t WeightSpace::rows(const Piece& piece) const {
  return piece.kind == Piece::Kind::kKernel ? E_ : piece.kind == Piece::Kind::kRecurrent ? H_ : 1;
}

template <class Float>
Float* WeightSpace::ours(const Piece& piece, const LstmParameters<Float>& parameters) const {
  Float* const all = piece.kind == Piece::Kind::kKernel      ? parameters.kernel
                     : piece.kind == Piece::Kind::kRecurrent ? parameters.recurrent
                                                             : parameters.bias;
  return all + piece.direction * rows(piece) * 4 * H_ + piece.gate * H_;
}

void WeightSpace::pack(const LstmParameters<const float>& parameters, void* space, cudaStream_t stream) const {
  with_storage(dtype_, [&](auto storage) {
    using Storage = decltype(storage);
    kernels::Transposes<float, Storage> all{};
    for (const Piece& piece : pieces_)
      all.matrices[all.count++] = {rows(piece), H_, ours(piece, parameters), 4 * H_, out<Storage>(space) + piece.offset,
                                   rows(piece)};
    check(kernels::launch_transposes(all, stream), "transposes");
  });
}

void WeightSpace::unpack(const void* space, const LstmParameters<float>& parameters, cudaStream_t stream) const {
  with_storage(dtype_, [&](auto storage) {
    using Storage = decltype(storage);
    kernels::Transposes<Storage, float> all{};
    for (const Piece& piece : pieces_)
      all.matrices[all.count++] = {
          H_, rows(piece), in<Storage>(space) + piece.offset, rows(piece), ours(piece, parameters), 4 * H_};
    check(kernels::launch_transposes(all, stream), "transposes");
  });
}

}  // namespace attn::internal::cuda
