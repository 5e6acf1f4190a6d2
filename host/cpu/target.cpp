// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/target.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which compiles this file once for each instruction set.
#include <hwy/highway.h>

#include "base/target_name.h"
#include "cpu/attention.h"

HWY_BEFORE_NAMESPACE();
namespace attn::internal::cpu::HWY_NAMESPACE {

const char* compiled_target() { return hwy::TargetName(HWY_TARGET); }

}  // namespace attn::internal::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attn::internal::cpu {

HWY_EXPORT(compiled_target);

const char* target_name() { return usual_target_name(HWY_DYNAMIC_DISPATCH(compiled_target)()); }

}  // namespace attn::internal::cpu
#endif
