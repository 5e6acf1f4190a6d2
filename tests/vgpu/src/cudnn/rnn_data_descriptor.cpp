// SPDX-License-Identifier: Apache-2.0
//
// Accepts and rejects the same arguments as the real library (tests/cudnn/calls/data.cpp).
#include "cudnn/rnn_data_descriptor.h"

#include <algorithm>

#include "cudnn/rnn_descriptor.h"

namespace vgpu::cudnn {
namespace {

void check_type(cudnnDataType_t type) {
  require(type >= CUDNN_DATA_FLOAT && type <= CUDNN_DATA_COMPLEX_FP64, "dataType");
  if (type == CUDNN_DATA_DOUBLE) refuse("sequences in double precision");
  require(type == CUDNN_DATA_FLOAT || type == CUDNN_DATA_HALF || type == CUDNN_DATA_BFLOAT16, "dataType",
          CUDNN_STATUS_NOT_SUPPORTED);
}

void check_lengths(const cudnnRNNDataStruct& data) {
  for (const int length : data.lengths) require(length >= 0 && length <= data.longest, "seqLengthArray");
  if (data.layout != CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED) return;
  require(std::is_sorted(data.lengths.rbegin(), data.lengths.rend()), "seqLengthArray does not descend");
  require(data.lengths.back() > 0, "seqLengthArray has zeros");
  require(data.lengths.front() == data.longest, "maxSeqLength is not the longest");
}

}  // namespace

const cudnnRNNDataStruct& at(cudnnRNNDataDescriptor_t descriptor) {
  const cudnnRNNDataStruct& data = Registered<cudnnRNNDataStruct>::at(descriptor, "RNN data descriptor");
  require(data.set, "an RNN data descriptor was not set");
  return data;
}

}  // namespace vgpu::cudnn

using namespace vgpu::cudnn;

Sequences cudnnRNNDataStruct::sequences() const {
  Sequences result;
  result.layout = layout == CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED       ? Layout::kPacked
                  : layout == CUDNN_RNN_DATA_LAYOUT_BATCH_MAJOR_UNPACKED ? Layout::kBatchMajor
                                                                         : Layout::kTimeMajor;
  result.longest = static_cast<std::size_t>(longest);
  result.batch = static_cast<std::size_t>(batch);
  result.lengths.assign(lengths.begin(), lengths.end());
  return result;
}

cudnnStatus_t cudnnCreateRNNDataDescriptor(cudnnRNNDataDescriptor_t* descriptor) { return create(descriptor); }

cudnnStatus_t cudnnDestroyRNNDataDescriptor(cudnnRNNDataDescriptor_t descriptor) {
  return outcome_of([&] { Registered<cudnnRNNDataStruct>::remove(descriptor, "RNN data descriptor"); });
}

cudnnStatus_t cudnnSetRNNDataDescriptor(cudnnRNNDataDescriptor_t descriptor, cudnnDataType_t type,
                                        cudnnRNNDataLayout_t layout, int longest, int batch, int width,
                                        const int* lengths, void* fill) {
  return outcome_of([&] {
    cudnnRNNDataStruct& data = Registered<cudnnRNNDataStruct>::at(descriptor, "RNN data descriptor");
    check_type(type);
    require(layout >= CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED && layout <= CUDNN_RNN_DATA_LAYOUT_BATCH_MAJOR_UNPACKED,
            "layout");
    require(longest > 0 && batch > 0 && width > 0, "sizes");
    require(lengths != nullptr, "seqLengthArray");
    may_fail(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED);
    cudnnRNNDataStruct wanted{true, type, layout, longest, batch, width, {lengths, lengths + batch}, {}};
    check_lengths(wanted);
    const auto* element = static_cast<const std::byte*>(fill);
    if (fill != nullptr) wanted.fill.assign(element, element + size_of(storage_of(type)));
    data = std::move(wanted);
  });
}

cudnnStatus_t cudnnGetRNNDataDescriptor(cudnnRNNDataDescriptor_t descriptor, cudnnDataType_t* type,
                                        cudnnRNNDataLayout_t* layout, int* longest, int* batch, int* width,
                                        int requested, int* lengths, void* fill) {
  return outcome_of([&] {
    const cudnnRNNDataStruct& data = at(descriptor);
    require(requested >= 0, "arrayLengthRequested");
    require(type != nullptr && layout != nullptr && longest != nullptr && batch != nullptr && width != nullptr &&
                (requested == 0 || lengths != nullptr),
            "where to put the answer");
    *type = data.type;
    *layout = data.layout;
    *longest = data.longest;
    *batch = data.batch;
    *width = data.width;
    for (int i = 0; i < requested; ++i) lengths[i] = i < data.batch ? data.lengths[static_cast<std::size_t>(i)] : 0;
    if (fill != nullptr) std::copy(data.fill.begin(), data.fill.end(), static_cast<std::byte*>(fill));
  });
}
