// SPDX-License-Identifier: Apache-2.0
#include "classifier/checkpoint/header_reader.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "classifier/failure.h"

namespace attn::classifier {
namespace {

constexpr std::size_t kMostSizes = 64;  // of a shape

// Receives the parser's events. Values that are not expected where they occur are refused at once.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(const std::string& path) : path_(path) {}

  Layout take() { return std::move(layout_); }

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("boolean"); }
  bool binary(binary_t&) override { return unexpected("binary"); }
  bool number_integer(number_integer_t value) override { return not_a_size(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return not_a_size(text); }

  bool number_unsigned(number_unsigned_t value) override {
    if (state_ != State::kShape && state_ != State::kOffsets) return unexpected("number");
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max()))
      refuse(where(), "expected an integer below 2^63, got " + std::to_string(value));
    if (state_ == State::kShape) {
      if (range().shape.size() == kMostSizes) refuse(where(), "expected at most 64 sizes, got more");
      range().shape.push_back(static_cast<std::int64_t>(value));
    } else {
      if (offsets_ == 2) wrong_entry();
      (offsets_++ == 0 ? range().begin : range().end) = value;
    }
    return true;
  }

  bool string(string_t& text) override {
    if (state_ == State::kMetadata) {
      layout_.metadata[key_] = std::move(text);
    } else if (state_ == State::kEntry && key_ == "dtype") {
      range().dtype = std::move(text);
    } else {
      return unexpected("string");
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (state_ == State::kStart) {
      state_ = State::kHeader;
    } else if (state_ == State::kHeader && key_ == kMetadata) {
      state_ = State::kMetadata;
    } else if (state_ == State::kHeader) {
      state_ = State::kEntry;
      fields_.clear();
      offsets_ = 0;
      layout_.ranges.push_back({key_, "", {}, 0, 0});
    } else {
      return unexpected("object");
    }
    return true;
  }

  bool key(string_t& name) override {
    const bool is_new = state_ == State::kHeader     ? names_.insert(name).second
                        : state_ == State::kMetadata ? layout_.metadata.count(name) == 0
                                                     : fields_.insert(name).second;
    // Parsers of other programs keep the first or the last of two equal keys. A file with both is damaged or malicious.
    if (!is_new) refuse(path_, "header: expected each key once, got \"" + name + "\" twice");
    if (state_ == State::kEntry && name != "dtype" && name != "shape" && name != "data_offsets") wrong_entry();
    key_ = std::move(name);
    return true;
  }

  bool end_object() override {
    if (state_ == State::kEntry) {
      if (fields_.size() != 3 || offsets_ != 2) wrong_entry();
      require_size_of_range();
    }
    state_ = state_ == State::kHeader ? State::kDone : State::kHeader;
    return true;
  }

  bool start_array(std::size_t) override {
    if (state_ != State::kEntry || key_ == "dtype") return unexpected("array");
    state_ = key_ == "shape" ? State::kShape : State::kOffsets;
    return true;
  }

  bool end_array() override {
    state_ = State::kEntry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    refuse(path_, "header: expected JSON, got an error at its byte " + std::to_string(position));
  }

 private:
  enum class State { kStart, kHeader, kMetadata, kEntry, kShape, kOffsets, kDone };

  TensorRange& range() { return layout_.ranges.back(); }

  std::string tensor() const { return path_ + ": tensor \"" + layout_.ranges.back().name + "\""; }
  std::string where() const { return tensor() + (state_ == State::kShape ? " shape" : " data_offsets"); }

  [[noreturn]] void wrong_entry() const {
    refuse(tensor(), "expected dtype, shape and two data_offsets, got something else");
  }

  bool not_a_size(const std::string& text) {
    if (state_ != State::kShape && state_ != State::kOffsets) return unexpected("number");
    refuse(where(), "expected an integer of at least 0, got " + text);
  }

  [[noreturn]] bool unexpected(const char* type) const {
    switch (state_) {
      case State::kStart:
        refuse(path_, std::string("header: expected a JSON object, got ") + type);
      case State::kMetadata:
        refuse(path_, "metadata \"" + key_ + "\": expected a string, got " + type);
      case State::kShape:
      case State::kOffsets:
        refuse(where(), std::string("expected an integer of at least 0, got ") + type);
      case State::kEntry:
        wrong_entry();
      default:
        if (key_ == kMetadata) refuse(path_, std::string("metadata: expected an object, got ") + type);
        refuse(path_ + ": tensor \"" + key_ + "\"", "expected dtype, shape and two data_offsets, got something else");
    }
  }

  void require_size_of_range() {
    const std::uint64_t bytes = tensor_bytes(tensor(), range().dtype, range().shape);
    if (range().end < range().begin || range().end - range().begin != bytes)
      refuse(tensor() + " data_offsets", "expected " + std::to_string(bytes) + " bytes for its dtype and shape, got " +
                                             std::to_string(range().begin) + " to " + std::to_string(range().end));
  }

  std::string path_;
  State state_ = State::kStart;
  Layout layout_;
  std::string key_;
  std::unordered_set<std::string> names_;   // of tensors
  std::unordered_set<std::string> fields_;  // of the current entry
  int offsets_ = 0;                         // read so far of the current entry
};

}  // namespace

Layout read_header(const std::string& path, const std::string& text) {
  HeaderReader reader(path);
  nlohmann::json::sax_parse(text, &reader);
  return reader.take();
}

}  // namespace attn::classifier
