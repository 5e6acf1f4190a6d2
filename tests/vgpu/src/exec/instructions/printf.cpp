// SPDX-License-Identifier: Apache-2.0
#include "exec/instructions/printf.h"

#include <cstdio>
#include <string_view>

#include "exec/instructions/lanes.h"

namespace vgpu {
namespace {

class Formatter {
 public:
  Formatter(const std::string& text, const PrintfSource& source) : rest_(text), source_(source) {}

  Printed run() {
    while (!rest_.empty()) {
      const std::size_t end = std::min(rest_.find('%'), rest_.size());
      out_.text += take(end);
      if (!rest_.empty()) conversion();
    }
    return out_;
  }

 private:
  std::string_view take(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view take_any_of(const char* characters) {
    return take(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }

  std::uint64_t argument(std::uint32_t size) {
    ++out_.arguments;
    return source_.argument(size);
  }

  // Takes a width or precision: a number, or the next argument in the case of '*'.
  std::string take_number() {
    if (rest_.substr(0, 1) != "*") return std::string(take_any_of("0123456789"));
    take(1);
    return std::to_string(static_cast<std::int32_t>(argument(4)));
  }

  void conversion() {
    const std::string_view start = rest_;
    std::string spec(take(1));
    spec += take_any_of("-+ #0");
    spec += take_number();
    if (rest_.substr(0, 1) == ".") {
      take(1);
      const std::string precision = take_number();
      if (precision.substr(0, 1) != "-") spec += "." + precision;  // a negative precision counts as none
    }
    const std::string_view length = take_any_of("hlLqjzt");
    const std::string_view kind = take(1);
    // Integers with any other length modifier do not have 8 bytes.
    const bool wide = length.find_first_of("lLqjzt") != std::string_view::npos;
    const auto is_one_of = [&](const char* kinds) {
      return !kind.empty() && std::string_view(kinds).find(kind) != std::string_view::npos;
    };
    if (is_one_of("di")) {
      integer<std::int32_t, long long>(spec, length, kind, wide);
    } else if (is_one_of("uoxX")) {
      integer<std::uint32_t, unsigned long long>(spec, length, kind, wide);
    } else if (is_one_of("c")) {
      append(spec + "c", static_cast<int>(argument(4)));
    } else if (is_one_of("eEfFgGaA")) {
      append(spec.append(kind), bits_as<double>(argument(8)));
    } else if (is_one_of("p")) {
      append(spec + "p", reinterpret_cast<const void*>(argument(8)));
    } else if (is_one_of("s")) {
      append(spec + "s", source_.string_at(argument(8)).c_str());
    } else if (is_one_of("%")) {
      out_.text += '%';
    } else {
      out_.text += start.substr(0, start.size() - rest_.size());
    }
  }

  template <class Narrow, class Wide>
  void integer(std::string& spec, std::string_view length, std::string_view kind, bool wide) {
    if (wide) {
      append(spec.append("ll").append(kind), static_cast<Wide>(argument(8)));
    } else {
      append(spec.append(length).append(kind), static_cast<Narrow>(argument(4)));
    }
  }

  template <class T>
  void append(const std::string& spec, T value) {
    const int size = std::snprintf(nullptr, 0, spec.c_str(), value);
    if (size <= 0) return;
    const std::size_t before = out_.text.size();
    out_.text.resize(before + static_cast<std::size_t>(size) + 1);
    std::snprintf(out_.text.data() + before, static_cast<std::size_t>(size) + 1, spec.c_str(), value);
    out_.text.pop_back();
  }

  std::string_view rest_;
  const PrintfSource& source_;
  Printed out_;
};

}  // namespace

Printed formatted(const std::string& text, const PrintfSource& source) { return Formatter(text, source).run(); }

}  // namespace vgpu
