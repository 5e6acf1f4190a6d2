// SPDX-License-Identifier: Apache-2.0
#include "classifier/checkpoint/safetensors.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "classifier/atomic_file.h"
#include "classifier/checkpoint/checksum.h"
#include "classifier/checkpoint/layout.h"
#include "classifier/failure.h"
#include "classifier/input_file.h"

namespace attn::classifier {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the format is little-endian, and values are copied as they are");

template <class T>
constexpr const char* dtype_of() {
  if constexpr (std::is_same_v<T, float>) return "F32";
  if constexpr (std::is_same_v<T, double>) return "F64";
  if constexpr (std::is_same_v<T, std::int32_t>) return "I32";
  if constexpr (std::is_same_v<T, std::int64_t>) return "I64";
  if constexpr (std::is_same_v<T, std::uint8_t>) return "U8";
}

}  // namespace

template <class T>
Tensor Tensor::of(const std::vector<T>& values, std::vector<std::int64_t> shape) {
  Tensor tensor{dtype_of<T>(), std::move(shape), {}};
  const std::uint64_t bytes = tensor_bytes("tensor", tensor.dtype, tensor.shape);
  if (bytes != values.size() * sizeof(T)) {
    refuse("tensor", "expected " + std::to_string(bytes / sizeof(T)) + " values for its shape, got " +
                         std::to_string(values.size()));
  }
  tensor.data.resize(bytes);
  if (bytes > 0) std::memcpy(tensor.data.data(), values.data(), bytes);
  return tensor;
}

template <class T>
std::vector<T> Tensor::values(const std::string& name) const {
  if (dtype != dtype_of<T>()) refuse(name, std::string("expected dtype ") + dtype_of<T>() + ", got " + dtype);
  std::vector<T> result(data.size() / sizeof(T));
  if (!result.empty()) std::memcpy(result.data(), data.data(), data.size());
  return result;
}

template Tensor Tensor::of(const std::vector<float>&, std::vector<std::int64_t>);
template Tensor Tensor::of(const std::vector<double>&, std::vector<std::int64_t>);
template Tensor Tensor::of(const std::vector<std::int32_t>&, std::vector<std::int64_t>);
template Tensor Tensor::of(const std::vector<std::int64_t>&, std::vector<std::int64_t>);
template Tensor Tensor::of(const std::vector<std::uint8_t>&, std::vector<std::int64_t>);
template std::vector<float> Tensor::values(const std::string&) const;
template std::vector<double> Tensor::values(const std::string&) const;
template std::vector<std::int32_t> Tensor::values(const std::string&) const;
template std::vector<std::int64_t> Tensor::values(const std::string&) const;
template std::vector<std::uint8_t> Tensor::values(const std::string&) const;

void save_tensors(const std::string& path, const TensorFile& file, mode_t mode) {
  Layout layout;
  layout.metadata = file.metadata;
  add_checksum_fields(layout.metadata);
  for (const auto& [name, tensor] : file.tensors) {
    const std::uint64_t bytes = tensor_bytes(path + ": tensor \"" + name + "\"", tensor.dtype, tensor.shape);
    if (bytes != tensor.data.size()) {
      refuse(path + ": tensor \"" + name + "\"", "expected " + std::to_string(bytes) +
                                                     " bytes for its dtype and shape, got " +
                                                     std::to_string(tensor.data.size()));
    }
    layout.ranges.push_back({name, tensor.dtype, tensor.shape, 0, 0});
  }
  assign_ranges(layout.ranges);

  std::string header;
  try {
    header = header_text(layout);
  } catch (const nlohmann::json::type_error&) {
    refuse(path, "names and metadata: expected UTF-8, got other bytes");
  }
  const std::uint64_t length = header.size();
  if (length > kLongestHeader) {
    refuse(path,
           "header: expected at most " + std::to_string(kLongestHeader) + " bytes, got " + std::to_string(length));
  }

  std::string prefix(kLengthBytes, '\0');
  std::memcpy(prefix.data(), &length, kLengthBytes);
  std::vector<std::string_view> pieces = {prefix, header};
  for (const TensorRange& range : layout.ranges) {
    const std::vector<std::byte>& data = file.tensors.at(range.name).data;
    if (!data.empty()) pieces.emplace_back(reinterpret_cast<const char*>(data.data()), data.size());
  }
  Checksum checksum;
  for (const std::string_view piece : pieces) checksum.add(piece.data(), piece.size());
  set_checksum_digits(header, checksum.digits());
  write_atomically(path, pieces, mode);
}

TensorFile load_tensors(const std::string& path) {
  InputFile input(path, "a safetensors file");
  const std::uint64_t size = input.size();
  if (size < kLengthBytes) {
    refuse(path, "expected a safetensors file, got one of " + std::to_string(size) + " bytes");
  }
  std::uint64_t length = 0;
  input.read(&length, kLengthBytes);
  if (length > size - kLengthBytes || length > kLongestHeader) {
    refuse(path, "expected a safetensors file, got one whose first 8 bytes say a header of " + std::to_string(length) +
                     " bytes in a file of " + std::to_string(size));
  }
  std::string header(length, '\0');
  input.read(header.data(), length);
  Layout layout = parse_header(path, header, size - kLengthBytes - length);

  TensorFile file;
  file.metadata = std::move(layout.metadata);
  const std::string expected = remove_checksum_fields(path, file.metadata);
  if (!expected.empty()) set_checksum_digits(header, kZeroDigits);
  Checksum checksum;
  checksum.add(&length, kLengthBytes);
  checksum.add(header.data(), header.size());
  for (TensorRange& range : layout.ranges) {
    Tensor& tensor = file.tensors[range.name];
    tensor.dtype = std::move(range.dtype);
    tensor.shape = std::move(range.shape);
    tensor.data.resize(range.end - range.begin);
    input.read(tensor.data.data(), tensor.data.size());
    checksum.add(tensor.data.data(), tensor.data.size());
  }
  if (!expected.empty() && checksum.digits() != expected) {
    refuse(path, "damaged: expected checksum " + expected + ", got " + checksum.digits());
  }
  return file;
}

}  // namespace attn::classifier
