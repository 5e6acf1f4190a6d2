// SPDX-License-Identifier: Apache-2.0
#include "cudnn/handle.h"
#include "cudnn/rnn_descriptor.h"
#include "cudnn/tensor_descriptor.h"
#include "cudnn/weight_layout.h"

namespace vgpu::cudnn {
namespace {

// Returns a matrix or bias to the caller. If it does not exist, the address is null and the descriptor unset.
struct Place {
  void* address = nullptr;
  cudnnTensorStruct tensor;
};

class Finder {
 public:
  Finder(const cudnnRNNStruct& rnn, std::size_t size, const void* space)
      : type_(rnn.type), element_(size_of(storage_of(rnn.type))), size_(size), space_(space) {}

  // Addresses may be queried before memory is allocated, in which case they are offsets from null.
  Place at(std::size_t offset, int rows, int columns) const {
    const std::size_t end = offset + static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    require(end * element_ <= size_, "weightSpaceSize");
    const auto address = reinterpret_cast<std::uintptr_t>(space_) + offset * element_;
    return {reinterpret_cast<void*>(address), packed_tensor(type_, {1, rows, columns})};
  }

 private:
  cudnnDataType_t type_;
  std::size_t element_, size_;
  const void* space_;
};

constexpr int kProjection = 2 * kGates;  // the id of the projection matrix

}  // namespace
}  // namespace vgpu::cudnn

using namespace vgpu::cudnn;

cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t handle, cudnnRNNDescriptor_t descriptor, std::size_t* size) {
  return outcome_of([&] {
    at(handle);
    require(size != nullptr, "weightSpaceSize");
    const cudnnRNNStruct& rnn = at(descriptor);
    *size = WeightLayout(rnn.shape()).size() * size_of(storage_of(rnn.type));
  });
}

cudnnStatus_t cudnnGetRNNWeightParams(cudnnHandle_t handle, cudnnRNNDescriptor_t descriptor, std::int32_t pseudo_layer,
                                      std::size_t size, const void* space, std::int32_t id,
                                      cudnnTensorDescriptor_t matrix, void** matrix_address,
                                      cudnnTensorDescriptor_t bias, void** bias_address) {
  return outcome_of([&] {
    at(handle);
    const cudnnRNNStruct& rnn = at(descriptor);
    const LstmShape shape = rnn.shape();
    const WeightLayout layout(shape);
    require(matrix_address != nullptr && bias_address != nullptr, "where to put the addresses");
    require(pseudo_layer >= 0 && static_cast<std::size_t>(pseudo_layer) < shape.pseudo_layers(), "pseudoLayer");
    require(id >= 0 && id <= kProjection, "linLayerID");
    require(size > 0, "weightSpaceSize");
    const auto layer = static_cast<std::size_t>(pseudo_layer);
    const Finder finder(rnn, size, space);
    Place to_matrix, to_bias;
    if (id != kProjection) {
      to_matrix = finder.at(layout.matrix(layer, id), rnn.hidden_size, static_cast<int>(layout.columns(layer, id)));
      if (const auto offset = layout.bias(layer, id)) to_bias = finder.at(*offset, rnn.hidden_size, 1);
    }
    cudnnTensorStruct &matrix_tensor = at(matrix), &bias_tensor = at(bias);
    matrix_tensor = to_matrix.tensor;
    bias_tensor = to_bias.tensor;
    *matrix_address = to_matrix.address;
    *bias_address = to_bias.address;
  });
}
