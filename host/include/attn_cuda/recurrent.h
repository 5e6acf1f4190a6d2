/* SPDX-License-Identifier: Apache-2.0
 *
 * libattn_cuda_encoder: the recurrent attention encoder, forward and backward in one plan. C99.
 *
 *   y^l = LSTM_l(y^(l-1))    for l = 0 ... layers - 1 with y^(-1) = x; in training with dropout between two layers
 *   o   = attention over the positions of the last y, whose width is D = directions H:
 *         pooling     o [B, D]: attention pooling (attn_cuda.h)
 *         additive    o [B, Q, D]: projected additive attention (encoder.h) with Q learned queries shared by all items
 *
 * The LSTM, its gates and parameter shapes, and mixed precision are those of encoder.h; parameters are fp32. On CUDA
 * all calls run on the handle's stream and can be captured in a graph, which keeps the lengths and the seed of the
 * captured call. Positions at or beyond an item's length are ignored; an item of length 0 gives zeros.
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
  attn_dtype_t dtype; /* of x, o, weights, their gradients, and the activations between layers */
  int64_t B, T;       /* >= 0 */
  int64_t E, H;       /* >= 1 */
  int32_t layers;     /* 1 to 1024 */
  int32_t directions; /* 1 or 2 */
  float dropout;      /* in [0, 1): the fraction of each y between two layers that is dropped in training */
  int32_t training;   /* 1: the plan runs both passes; 0: forward only, without dropout */
  attn_attention_t attention;
  int64_t positions;     /* pooling: the number of biases, >= T */
  int64_t Q, A, P;       /* additive: queries, attention width, width of a query before its projection; >= 1 */
  int32_t omit_key_bias; /* additive: 1 leaves attention.b out of the parameters and the scores; 0 keeps it */
} attn_recurrent_desc_t;

/* A plan holds all that depends only on the shape. It belongs to its handle, which must outlive it and keep its thread
 * count: compute calls with another thread count are rejected. Compute calls on one plan must not overlap: a call that
 * finds another one running is rejected. */
typedef struct attn_recurrent* attn_recurrent_t;

/* One parameter in the parameter block, which holds all of them. Its layout does not depend on B, T and training:
 *
 *   lstm.L.kernel [n, width, 4H]   lstm.L.recurrent [n, H, 4H]   lstm.L.bias [n, 4H]    for each layer L from 0 on,
 *                                                               n directions, width E or nH
 *   pooling:  attention.w [D]   attention.b [positions]
 *   additive: attention.h [Q, P]   attention.w_q [A, P]   attention.w_k [A, D]   attention.b [A]   attention.v [A];
 *             without attention.b if omit_key_bias is 1
 *
 * Each parameter starts at a multiple of 64 bytes. The gaps between them are not read, and are zero in gradients. */
typedef struct attn_parameter_t {
  const char* name; /* such as "lstm.0.kernel"; valid as long as the plan */
  int64_t offset;   /* from the start of the block, in floats */
  int32_t rank;     /* 1 to 3 */
  int64_t shape[3]; /* the first `rank` values */
} attn_parameter_t;

typedef struct attn_recurrent_forward_args_t {
  size_t struct_size;      /* sizeof(attn_recurrent_forward_args_t) */
  const void* x;           /* [B, T, E] */
  const float* parameters; /* the parameter block, of the size from attn_recurrent_block_size */
  const int32_t* lengths;  /* [B] in host memory; null: every length is T */
  uint64_t seed;           /* of the dropout masks; use another one for each step */
  void* o;                 /* [B, D] or [B, Q, D] out */
  void* weights;           /* [B, T] or [B, Q, T] out; null: not stored */
  void* reserve;           /* out, of the size from attn_recurrent_reserve_size; must be null if training = 0 */
} attn_recurrent_forward_args_t;

typedef struct attn_recurrent_backward_args_t {
  size_t struct_size;      /* sizeof(attn_recurrent_backward_args_t) */
  const void* x;           /* [B, T, E]; this and the inputs down to seed as in the forward pass */
  const float* parameters; /* the parameter block */
  const int32_t* lengths;  /* [B] in host memory, or null */
  uint64_t seed;
  void* reserve;         /* as the forward pass left it; a backward pass overwrites it */
  const void* d_o;       /* [B, D] or [B, Q, D] gradient of o */
  const void* d_weights; /* [B, T] or [B, Q, T] gradient of the weights; null: zero */
  void* d_x;             /* [B, T, E] out; null: not stored */
  float* d_parameters;   /* out, laid out like the parameter block; overwritten */
} attn_recurrent_backward_args_t;

/* Creates a plan for the encoder that `desc` describes. */
ATTN_API attn_status_t attn_recurrent_create(attn_handle_t handle, const attn_recurrent_desc_t* desc,
                                             attn_recurrent_t* plan);
/* Destroys a plan. Null is ignored. A plan that was already destroyed is rejected where this can be detected. */
ATTN_API attn_status_t attn_recurrent_destroy(attn_recurrent_t plan);

/* Stores the size of the parameter block, in floats. */
ATTN_API attn_status_t attn_recurrent_block_size(attn_recurrent_t plan, int64_t* floats);
/* Stores the number of parameters in the block. */
ATTN_API attn_status_t attn_recurrent_parameter_count(attn_recurrent_t plan, int32_t* count);
/* Describes one parameter; `index` is in 0..count-1, in the order of the block. */
ATTN_API attn_status_t attn_recurrent_parameter(attn_recurrent_t plan, int32_t index, attn_parameter_t* parameter);

/* Stores the size of the reserve space; 0 if training = 0. */
ATTN_API attn_status_t attn_recurrent_reserve_size(attn_recurrent_t plan, size_t* bytes);
/* Stores the size of the workspace of one pass. ATTN_PASS_BACKWARD needs a plan with training = 1. */
ATTN_API attn_status_t attn_recurrent_workspace_size(attn_recurrent_t plan, attn_pass_t pass, size_t* bytes);
/* Computes o and, where asked for, weights; if training = 1, also the reserve space. */
ATTN_API attn_status_t attn_recurrent_forward(attn_recurrent_t plan, const attn_recurrent_forward_args_t* args,
                                              void* workspace, size_t workspace_bytes);
/* Computes the gradients of x and of the parameter block from those of o and of the weights. The plan must have
 * training = 1. */
ATTN_API attn_status_t attn_recurrent_backward(attn_recurrent_t plan, const attn_recurrent_backward_args_t* args,
                                               void* workspace, size_t workspace_bytes);

/* Sets each element to 0 with probability `rate`, in [0, 1), and divides the others by 1 - rate.
 * in [N] and out [N] of `dtype`; out may be in. The gradient is the same call on the gradient of out.
 * Only seed, stream and the index decide which elements are dropped, the same ones on every backend, by Philox4x32-10
 * (Salmon et al.: Parallel Random Numbers: As Easy as 1, 2, 3, 2011). */
ATTN_API attn_status_t attn_dropout(attn_handle_t handle, attn_dtype_t dtype, int64_t N, float rate, uint64_t seed,
                                    uint32_t stream, const void* in, void* out);

#ifdef __cplusplus
}
#endif

#endif
