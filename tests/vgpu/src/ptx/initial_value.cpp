// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "ptx/constant.h"
#include "ptx/variables.h"

namespace vgpu::ptx {

namespace {

class InitialValue {
 public:
  InitialValue(Lexer& lexer, std::vector<std::size_t> dimensions, Variable& variable)
      : lexer_(lexer),
        dimensions_(std::move(dimensions)),
        variable_(variable),
        element_bytes_(size_of(variable.type)) {}

  void parse() {
    const std::size_t count = parse_level(0, 0);
    if (dimensions_.empty() || dimensions_[0] != 0) return;
    dimensions_[0] = count;
    variable_.size = bytes_from(0);
  }

 private:
  // Returns the number of bytes that one pair of braces encloses at this level.
  std::size_t bytes_from(std::size_t level) const {
    std::size_t bytes = element_bytes_;
    for (; level < dimensions_.size(); ++level) bytes *= dimensions_[level];
    return bytes;
  }

  // Parses the values of one level and returns their number.
  std::size_t parse_level(std::size_t level, std::size_t offset) {
    if (level == dimensions_.size()) {
      parse_element(offset);
      return 1;
    }
    lexer_.expect("{");
    if (lexer_.accept("}")) return 0;
    const std::size_t stride = bytes_from(level + 1);
    const std::size_t most = dimensions_[level];
    std::size_t count = 0;
    do {
      if (count == most && most != 0) lexer_.fail_expecting("no more than " + std::to_string(most) + " initial values");
      parse_level(level + 1, offset + count * stride);
      ++count;
    } while (lexer_.accept(","));
    lexer_.expect("}");
    return count;
  }

  void parse_element(std::size_t offset) {
    const Token first = lexer_.peek();
    if (first.kind == Token::Kind::kWord && !first.is("WARP_SZ")) {
      add(parse_address(offset, element_bytes_));
      return;
    }
    const Constant constant = parse_constant(lexer_);
    if (lexer_.accept("(")) {
      parse_masked_address(offset, constant.bits, first.line);
      return;
    }
    const std::uint64_t bits = stored_as(constant, variable_.type, first.line);
    std::memcpy(make_room(offset + element_bytes_) + offset, &bits, std::min(element_bytes_, sizeof(bits)));
  }

  // Parses "name", "name+8" or "generic(name)+8".
  Variable::Relocation parse_address(std::size_t offset, std::size_t size) {
    Variable::Relocation relocation{offset, size, {}, 0, false};
    relocation.generic = lexer_.accept("generic");
    if (relocation.generic) lexer_.expect("(");
    relocation.symbol = lexer_.expect(Token::Kind::kWord, "a name").text;
    if (relocation.generic) lexer_.expect(")");
    if (lexer_.accept("+")) relocation.addend = parse_integer(lexer_);
    return relocation;
  }

  // Parses an operator such as "0xFF00(name)", which in an array of bytes yields the second byte of an address. The
  // bytes of an address follow each other.
  void parse_masked_address(std::size_t offset, std::uint64_t mask, std::uint32_t line) {
    Variable::Relocation relocation = parse_address(offset, 1);
    lexer_.expect(")");
    if (element_bytes_ == 1 && mask == 0xff) {
      add(std::move(relocation));
      return;
    }
    const bool continues = !variable_.relocations.empty() && continues_last(relocation, mask);
    if (!continues) fail(line, "expected the bytes of an address in sequence, got another byte");
    ++variable_.relocations.back().size;
    make_room(offset + 1);
  }

  bool continues_last(const Variable::Relocation& next, std::uint64_t mask) const {
    const Variable::Relocation& last = variable_.relocations.back();
    return element_bytes_ == 1 && last.size < 8 && next.offset == last.offset + last.size &&
           mask == std::uint64_t{0xff} << 8 * last.size && next.symbol == last.symbol && next.addend == last.addend &&
           next.generic == last.generic;
  }

  void add(Variable::Relocation relocation) {
    make_room(relocation.offset + relocation.size);
    variable_.relocations.push_back(std::move(relocation));
  }

  std::byte* make_room(std::size_t bytes) {
    if (variable_.initial.size() < bytes) variable_.initial.resize(bytes);
    return variable_.initial.data();
  }

  Lexer& lexer_;
  std::vector<std::size_t> dimensions_;
  Variable& variable_;
  std::size_t element_bytes_;
};

}  // namespace

void parse_initial_value(Lexer& lexer, std::vector<std::size_t> dimensions, Variable& variable) {
  InitialValue(lexer, std::move(dimensions), variable).parse();
}

}  // namespace vgpu::ptx
