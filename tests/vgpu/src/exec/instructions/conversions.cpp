// SPDX-License-Identifier: Apache-2.0
//
// cvt between scalar types.
#include "exec/instructions/conversions.h"

#include "exec/instructions/by_type.h"
#include "exec/instructions/conversion.h"
#include "exec/instructions/families.h"

namespace vgpu {
namespace {

using ptx::Type;

void run_conversion(Warp& warp, const Code& code) {
  const auto& conversion = *static_cast<const Conversion*>(code.data.get());
  const RoundingScope scope(static_cast<Rounding>(code.flags));
  Row row;
  conversion.load(warp.lanes<std::byte>(code.operands[1]), code.bytes, row);
  for (const Step step : conversion.steps) step(row);
  conversion.store(row, warp.lanes<std::byte>(code.operands[0]), warp.active());
}

// Returns the untyped (.b) type of the given size in bytes.
Type bits_of(std::size_t size) {
  switch (size) {
    case 1:
      return Type::kB8;
    case 2:
      return Type::kB16;
    case 4:
      return Type::kB32;
    default:
      return Type::kB64;
  }
}

// Returns whether some value of `from` cannot be represented in `to`, so that the conversion rounds.
bool loses(Type from, Type to) {
  if (from == to) return false;
  return ptx::size_of(to) <= ptx::size_of(from);
}

// Returns whether the integer type `to` can represent every value of `from`.
bool holds_all(Type from, Type to) {
  if (ptx::is_signed(from) == ptx::is_signed(to)) return ptx::size_of(to) >= ptx::size_of(from);
  return ptx::is_signed(to) && ptx::size_of(to) > ptx::size_of(from);
}

std::vector<Step> real_steps(Decoder& d, const CvtWords& words, Type from, Type to) {
  std::vector<Step> steps;
  if (words.rectify || words.finite) {
    const bool known = words.rounding == Rounding::kNearestEven || words.rounding == Rounding::kTowardZero;
    if (from != Type::kF32 || ptx::size_of(to) != 2 || !known || words.whole || words.flush) d.unknown();
  }
  if (words.flush && from == Type::kF32) steps.push_back(flush_step());
  if (words.whole) {
    if (from != to) d.unknown("rounding to a whole number keeps the type");
    steps.push_back(round_to_whole_step());
  } else if (loses(from, to)) {
    if (!words.rounding) d.unknown("expected a rounding mode");
    if (words.finite) steps.push_back(finite_step(to));
    steps.push_back(round_step(to));
  } else if (words.rounding && (from != Type::kBF16 || from == to)) {  // ptxas accepts any mode for bf16
    d.unknown("there is nothing to round");
  }
  if (words.saturate) steps.push_back(saturate_step());
  if (words.rectify) steps.push_back(rectify_step());
  if (words.flush && to == Type::kF32) steps.push_back(flush_step());
  return steps;
}

std::vector<Step> steps_for(Decoder& d, const CvtWords& words, Type from, Type to) {
  const bool single = from == Type::kF32 || to == Type::kF32;
  const bool brain = from == Type::kBF16 || to == Type::kBF16;
  if (words.away || (words.flush && !single) || (words.saturate && brain)) d.unknown();
  if (ptx::is_float(from) && ptx::is_float(to)) return real_steps(d, words, from, to);
  if (words.rectify || words.finite) d.unknown();
  std::vector<Step> steps;
  if (ptx::is_float(from)) {
    if (!words.rounding || !words.whole) d.unknown("expected a rounding to a whole number");
    if (words.flush) steps.push_back(flush_step());
    steps.push_back(round_to_whole_step());
    steps.push_back(real_to_integer_step(from, to));
  } else if (ptx::is_float(to)) {
    if (!words.rounding || words.whole) d.unknown("expected a rounding mode");
    steps.push_back(integer_to_real_step(from, to));
    if (words.saturate) steps.push_back(saturate_step());
  } else {
    if (words.rounding) d.unknown("there is nothing to round");
    if (words.saturate && holds_all(from, to)) d.unknown("there is nothing to clamp");
    if (words.saturate) steps.push_back(clamp_step(from, to));
  }
  return steps;
}

void decode_single(Decoder& d, const CvtWords& words, Type from, Type to) {
  if (d.operand_count() != 2) d.unknown("expected 2 operands");
  Conversion conversion;
  conversion.steps = steps_for(d, words, from, to);
  const auto size_of = [&](std::size_t operand, Type type) {
    const std::size_t size = d.register_size(d.operand(operand));
    return size == 0 ? ptx::size_of(type) : size;
  };
  const std::size_t from_size = size_of(1, from), to_size = size_of(0, to);
  const bool exactly = from == Type::kBF16 || to == Type::kBF16;  // bf16 requires registers of exactly its size
  if (exactly && (from_size != ptx::size_of(from) || to_size != ptx::size_of(to))) d.unknown();
  conversion.load = from_size < ptx::size_of(from) ? nullptr : load_of(from);
  conversion.store = store_of(to, to_size);
  if (conversion.load == nullptr || conversion.store == nullptr) d.unknown();

  Code& code = d.code();
  code.flags = static_cast<std::uint8_t>(words.rounding.value_or(Rounding::kNearestEven));
  code.bytes = static_cast<std::uint8_t>(from_size);
  code.operands[0] = d.output(0, bits_of(to_size));
  code.operands[1] = d.input(1, bits_of(from_size));
  code.data = std::make_shared<const Conversion>(std::move(conversion));
  const bool cheap = ptx::is_float(from) == ptx::is_float(to) && from != Type::kF64 && to != Type::kF64 && !words.whole;
  set_handler(d, cheap ? Pipe::kAlu : Pipe::kSpecial, run_conversion);
}

void decode_cvt(Decoder& d) {
  if (d.take("pack")) return decode_cvt_pack(d);
  CvtWords words;
  words.away = d.take("rna");
  words.rounding = take_rounding(d);
  if (!words.rounding) {
    words.rounding = take_rounding(d, "i");
    words.whole = words.rounding.has_value();
  }
  for (bool more = true; more;) {
    more = false;
    for (const auto& [word, flag] : {std::pair{"ftz", &words.flush}, std::pair{"sat", &words.saturate},
                                     std::pair{"relu", &words.rectify}, std::pair{"satfinite", &words.finite}})
      if (d.take(word)) more = *flag = true;
  }
  const std::string to = d.take_word(), from = d.take_word();
  if (decode_packed_cvt(d, words, to, from)) return;
  const auto to_type = ptx::type_named(to), from_type = ptx::type_named(from);
  if (!to_type || !from_type) d.unknown();
  decode_single(d, words, *from_type, *to_type);
}

}  // namespace

void add_conversions(InstructionTable& table) { table["cvt"] = decode_cvt; }

}  // namespace vgpu
