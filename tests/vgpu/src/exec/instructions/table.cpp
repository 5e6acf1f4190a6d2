// SPDX-License-Identifier: Apache-2.0
#include "exec/instructions/families.h"

namespace vgpu {

const InstructionTable& instruction_table() {
  static const InstructionTable table = [] {
    InstructionTable all;
    for (auto add :
         {add_control,           add_barriers,    add_moves,        add_loads,     add_arithmetic, add_carries,
          add_narrow_integers,   add_bits,        add_logic,        add_shifts,    add_choices,    add_selection,
          add_special_functions, add_conversions, add_comparisons,  add_shuffles,  add_votes,      add_reductions,
          add_atomics,           add_fences,      add_async_copies, add_mbarriers, add_clusters,   add_matrix_moves,
          add_matrix_products,   add_wmma,        add_cache_hints})
      add(all);
    return all;
  }();
  return table;
}

}  // namespace vgpu
