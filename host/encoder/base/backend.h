// SPDX-License-Identifier: Apache-2.0
//
// The operations that a backend provides to the encoder library.
#pragma once

#include <memory>

#include "encoder/base/layers.h"
#include "encoder/base/linear.h"
#include "encoder/base/lstm.h"

namespace attn::internal {

// Belongs to one handle and runs with the thread count or the stream that the handle has at the time of a call. By
// default a backend provides only layers and rejects the rest as unsupported.
class EncoderBackend {
 public:
  virtual ~EncoderBackend() = default;

  virtual Layers& layers() = 0;
  virtual Linear& linear();
  virtual std::unique_ptr<Lstm> make_lstm(const attn_lstm_desc_t& desc);
  virtual void allow_tf32(bool allowed);

  // Names and versions of the vendor libraries, such as "oneDNN 2.6.3"; static storage.
  virtual const char* libraries() const { return ""; }
};

}  // namespace attn::internal
