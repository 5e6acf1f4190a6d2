/* SPDX-License-Identifier: Apache-2.0
 *
 * libattn_cuda_encoder: the recurrent attention encoder, what a pipeline links. C99.
 *
 *   y^l = LSTM_l(y^(l-1))  for l = 0 ... layers - 1, from the inputs x, in training with dropout between two layers
 *   o   = attention over the rows of the last y, of width D = directions H:
 *         pooling     o [B, D]: attn_pooling of attn_cuda.h, with a weight vector and a bias for each position
 *         additive    o [B, Q, D]: attn_projected of encoder.h, with Q learned queries that all items share
 *
 * LSTM, gates and weights are those of encoder.h; the parameters are fp32. All calls run on the handle's backend; on CUDA
 * on its stream, without synchronising or allocating, and can be captured in a graph, which keeps the lengths and the seed
 * of the call. Behind an item's length nothing counts; an empty item gives zeros.
 */
#ifndef ATTN_CUDA_RECURRENT_H
#define ATTN_CUDA_RECURRENT_H

#include "attn_cuda/encoder.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum attn_attention_t ATTN_INT { ATTN_ATTENTION_POOLING = 0, ATTN_ATTENTION_ADDITIVE = 1 } attn_attention_t;

typedef struct attn_recurrent_desc_t {
  size_t struct_size; /* sizeof(attn_recurrent_desc_t) */
  attn_dtype_t dtype; /* of x, o, the weights, their gradients, and all that goes from layer to layer */
  int64_t B, T;       /* >= 0 */
  int64_t E, H;       /* >= 1 */
  int32_t layers;     /* >= 1 */
  int32_t directions; /* 1 or 2 */
  float dropout;      /* in [0, 1): how much of what goes from layer to layer is dropped in training */
  int32_t training;   /* 1: the plan also runs backward; 0: forward only, without dropout */
  attn_attention_t attention;
  int64_t positions;     /* pooling: how many biases there are, at least T */
  int64_t Q, A, P;       /* additive, >= 1: queries, attention width, width of a query */
  int32_t omit_key_bias; /* additive: 1 leaves attention.b out of the parameters and the scores; 0 keeps it */
} attn_recurrent_desc_t;

/* A plan is made for one shape and belongs to its handle, which must outlive it and keep its thread count. */
typedef struct attn_recurrent* attn_recurrent_t;

/* Where a parameter stands in the one block of all, whose layout does not depend on B, T and training:
 *
 *   lstm.L.kernel [n, width, 4H]   lstm.L.recurrent [n, H, 4H]   lstm.L.bias [n, 4H]    for each layer L from 0 on,
 *                                                               n directions, width E or nH
 *   pooling:  attention.w [D]   attention.b [positions]
 *   additive: attention.h [Q, P]   attention.w_q [A, P]   attention.w_k [A, D]   attention.b [A]   attention.v [A];
 *             without attention.b where omit_key_bias is 1
 *
 * Each starts at a multiple of 64 bytes; what lies between two is not used, and zero in gradients. */
typedef struct attn_parameter_t {
  const char* name; /* as long as the plan */
  int64_t offset;   /* from the start of the block, in floats */
  int32_t rank;
  int64_t shape[3];
} attn_parameter_t;

typedef struct attn_recurrent_forward_args_t {
  size_t struct_size;      /* sizeof(attn_recurrent_forward_args_t) */
  const void* x;           /* [B, T, E] */
  const float* parameters; /* the block */
  const int32_t* lengths;  /* [B], host memory; null: every length is T */
  uint64_t seed;           /* of the dropout: another one for each step */
  void* o;                 /* [B, D] or [B, Q, D] out */
  void* weights;           /* [B, T] or [B, Q, T] out; null: not wanted */
  void* reserve;           /* reserve_size bytes, kept for backward; null in a plan without training */
} attn_recurrent_forward_args_t;

typedef struct attn_recurrent_backward_args_t {
  size_t struct_size; /* sizeof(attn_recurrent_backward_args_t) */
  const void* x;      /* [B, T, E], as in forward, like all inputs down to seed */
  const float* parameters;
  const int32_t* lengths;
  uint64_t seed;
  void* reserve;         /* as left by the forward pass; one backward pass uses it up */
  const void* d_o;       /* [B, D] or [B, Q, D] */
  const void* d_weights; /* gradient of the weights; null: none */
  void* d_x;             /* [B, T, E] out; null: not wanted */
  float* d_parameters;   /* the block, out; overwritten, not added to */
} attn_recurrent_backward_args_t;

ATTN_API attn_status_t attn_recurrent_create(attn_handle_t handle, const attn_recurrent_desc_t* desc,
                                             attn_recurrent_t* plan);
ATTN_API attn_status_t attn_recurrent_destroy(attn_recurrent_t plan);

/* How many floats the block has, and how many parameters there are in it. */
ATTN_API attn_status_t attn_recurrent_block_size(attn_recurrent_t plan, int64_t* floats);
ATTN_API attn_status_t attn_recurrent_parameter_count(attn_recurrent_t plan, int32_t* count);
ATTN_API attn_status_t attn_recurrent_parameter(attn_recurrent_t plan, int32_t index, attn_parameter_t* parameter);

ATTN_API attn_status_t attn_recurrent_reserve_size(attn_recurrent_t plan, size_t* bytes);
ATTN_API attn_status_t attn_recurrent_workspace_size(attn_recurrent_t plan, attn_pass_t pass, size_t* bytes);
ATTN_API attn_status_t attn_recurrent_forward(attn_recurrent_t plan, const attn_recurrent_forward_args_t* args,
                                              void* workspace, size_t workspace_bytes);
ATTN_API attn_status_t attn_recurrent_backward(attn_recurrent_t plan, const attn_recurrent_backward_args_t* args,
                                               void* workspace, size_t workspace_bytes);

/* out_i = 0 for a share `rate` in [0, 1) of the elements, in_i / (1 - rate) for the others; which, only seed, stream and i
 * say: the same on every backend, by Philox4x32-10 (Salmon et al.: Parallel Random Numbers: As Easy as 1, 2, 3, 2011). The
 * gradient is the same call on the gradient of out. in [N] may be out; both are of `dtype`. */
ATTN_API attn_status_t attn_dropout(attn_handle_t handle, attn_dtype_t dtype, int64_t N, float rate, uint64_t seed,
                                    uint32_t stream, const void* in, void* out);

#ifdef __cplusplus
}
#endif

#endif
