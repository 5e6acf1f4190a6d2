// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "encoder/base/lstm.h"

namespace attn::internal::cpu {

std::unique_ptr<Lstm> make_cpu_lstm(const attn_lstm_desc_t& desc, int threads);

}  // namespace attn::internal::cpu
