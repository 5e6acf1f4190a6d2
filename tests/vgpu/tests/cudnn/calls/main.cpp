// SPDX-License-Identifier: Apache-2.0
#include "cudnn/calls/calls.h"

int main() {
  using namespace vgpu::calls;
  try_general();
  try_tensors();
  try_dropout();
  try_rnn();
  try_data();
  try_weights();
  try_execution();
}
