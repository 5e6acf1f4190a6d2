// SPDX-License-Identifier: Apache-2.0
//
// Branches, calls, and instructions that end threads.
#include <algorithm>

#include "exec/block.h"
#include "exec/instructions/families.h"
#include "exec/instructions/lanes.h"
#include "exec/instructions/system_calls.h"

namespace vgpu {
namespace {

using ptx::Operand;

std::uint32_t label(Decoder& d, const std::string& name) {
  const auto& labels = d.builder().source().labels;
  const auto found = labels.find(name);
  if (found == labels.end()) d.unknown("no label " + name);
  return static_cast<std::uint32_t>(found->second);
}

void run_bra(Warp& warp, const Code& code) { warp.jump(code.target); }

void decode_bra(Decoder& d) {
  d.take("uni");
  d.code().pipe = Pipe::kControl;
  d.code().target = label(d, d.operand(0).name);
  d.code().run = run_bra;
}

// brx.idx: operand 0 is the index into the list of targets in code.data.
void run_brx(Warp& warp, const Code& code) {
  const auto& targets = *static_cast<const std::vector<std::uint32_t>*>(code.data.get());
  const std::uint32_t* index = warp.lanes<std::uint32_t>(code.operands[0]);
  std::array<std::uint32_t, kLanes> each{};
  for_each_lane(warp.active(), [&](unsigned lane) {
    if (index[lane] >= targets.size())
      warp.block().fail(warp, lane, Finding::Kind::kIllegalInstruction,
                        "index " + std::to_string(index[lane]) + " in a list of " + std::to_string(targets.size()) +
                            " branch targets");
    each[lane] = targets[index[lane]];
  });
  warp.jump_each(each);
}

void decode_brx(Decoder& d) {
  if (!d.take("idx")) d.unknown();
  d.take("uni");
  auto targets = std::make_shared<std::vector<std::uint32_t>>();
  const auto& lists = d.builder().source().branch_targets;
  const auto list = lists.find(d.operand(1).name);
  if (list == lists.end()) d.unknown("no list of branch targets " + d.operand(1).name);
  for (const std::string& name : list->second) targets->push_back(label(d, name));
  d.code().pipe = Pipe::kControl;
  d.code().operands[0] = d.input(0, ptx::Type::kU32);
  d.code().data = targets;
  d.code().run = run_brx;
}

// ---- calls ----------------------------------------------------------------------------------------------------------

// Returns where the arguments or results that a call names are located in the caller's frame.
std::vector<Site> sites(Decoder& d, const Operand& list) {
  const std::vector<LocalVariable>& variables = d.builder().out().local_variables;
  std::vector<Site> found;
  for (const Operand& element : list.elements) {
    const std::int64_t offset = d.builder().frame_offset(element.name);
    auto variable =
        std::lower_bound(variables.begin(), variables.end(), offset,
                         [](const LocalVariable& at, std::int64_t wanted) { return at.site.offset < wanted; });
    while (variable != variables.end() && variable->variable->name != element.name) ++variable;
    if (offset < 0 || variable == variables.end()) d.unknown("expected arguments and results in .param variables");
    found.push_back(variable->site);
  }
  return found;
}

void run_call(Warp& warp, const Code& code) { warp.call(code, *static_cast<const CallData*>(code.data.get())->target); }

const Function* function_at(Warp& warp, unsigned lane, std::uint64_t address) {
  const Function* function = nullptr;
  try {
    function = warp.block().grid().program->function_at(address);
  } catch (const ptx::Error& error) {
    warp.block().fail(warp, lane, Finding::Kind::kIllegalInstruction, error.what());
  }
  if (function == nullptr || function->source->is_declaration || function->source->is_entry)
    warp.block().fail(warp, lane, Finding::Kind::kIllegalInstruction,
                      "call of " + hexadecimal(address) + ", where no function is");
  return function;
}

// The lanes that call the same function as the first active lane execute the call together. The other lanes follow
// later.
void run_indirect_call(Warp& warp, const Code& code) {
  const std::uint64_t* targets = warp.lanes<std::uint64_t>(code.operands[0]);
  const auto first = static_cast<unsigned>(__builtin_ctz(warp.active()));
  Mask same = 0;
  for_each_lane(warp.active(), [&](unsigned lane) { same |= Mask{targets[lane] == targets[first]} << lane; });
  const Function& function = *function_at(warp, first, targets[first]);
  const auto& data = *static_cast<const CallData*>(code.data.get());
  const auto as_declared = [](const std::vector<Site>& passed, const std::vector<Site>& declared) {
    return std::equal(passed.begin(), passed.end(), declared.begin(), declared.end(),
                      [](const Site& a, const Site& b) { return a.size == b.size; });
  };
  if (!as_declared(data.arguments, function.parameters) || !as_declared(data.results, function.results))
    warp.block().fail(warp, first, Finding::Kind::kIllegalInstruction,
                      "call of " + function.source->name + " with other arguments or results than it has");
  warp.separate(same);
  warp.call(code, function);
}

void decode_call(Decoder& d) {
  d.take("uni");
  Code& code = d.code();
  code.pipe = Pipe::kControl;
  const auto data = std::make_shared<CallData>();
  data->results = sites(d, d.operand(0));
  data->arguments = sites(d, d.operand(2));
  code.data = data;
  const Operand& target = d.operand(1);
  if (target.kind == Operand::Kind::kRegister) {
    code.operands[0] = d.input(target, ptx::Type::kU64);
    code.run = run_indirect_call;
    return;
  }
  Program& program = d.builder().program();
  const auto found = program.module().functions.find(target.name);
  if (found == program.module().functions.end()) d.unknown("no function " + target.name);
  if (found->second.is_declaration) {
    code.run = system_call(target.name, *data);
    if (code.run == nullptr) d.unknown("no body of function " + target.name);
  } else {
    data->target = &program.function(target.name);
    code.run = run_call;
  }
}

// ---- exit, return and trap ------------------------------------------------------------------------------------------

void run_ret(Warp& warp, const Code&) { warp.return_from_call(); }
void run_exit(Warp& warp, const Code&) { warp.exit_lanes(); }

void decode_ret(Decoder& d) {
  d.take("uni");
  d.code().pipe = Pipe::kControl;
  d.code().run = run_ret;
}

void decode_exit(Decoder& d) {
  d.code().pipe = Pipe::kControl;
  d.code().run = run_exit;
}

void run_trap(Warp& warp, const Code&) {
  warp.block().fail(warp, static_cast<unsigned>(__builtin_ctz(warp.active())), Finding::Kind::kTrap, "trap");
}

void decode_trap(Decoder& d) { d.code().run = run_trap; }

void run_nothing(Warp&, const Code&) {}

// Decodes instructions that are only hints to tools and have no effect.
void decode_nothing(Decoder& d) {
  while (!d.take_word().empty()) {
  }
  d.code().pipe = Pipe::kControl;
  d.code().run = run_nothing;
}

}  // namespace

void add_control(InstructionTable& table) {
  table["bra"] = decode_bra;
  table["brx"] = decode_brx;
  table["call"] = decode_call;
  table["ret"] = decode_ret;
  table["exit"] = decode_exit;
  table["trap"] = decode_trap;
  table["brkpt"] = decode_trap;
  table["pmevent"] = decode_nothing;
}

}  // namespace vgpu
