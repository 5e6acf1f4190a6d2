/* SPDX-License-Identifier: Apache-2.0
 *
 * libattn_cuda_encoder: the layers that surround additive attention in a recurrent text model. C99.
 *
 * Alphabet: that of attn_cuda.h, and E embedding width (LSTM input), H LSTM hidden size or width of the queries h,
 * V vocabulary size, N number of rows or elements.
 *
 * The rules of attn_cuda.h for errors, streams, workspaces, structures and key lengths hold here too. A reserve space
 * holds the intermediate results that a forward pass keeps for its backward pass; like a workspace it is provided by
 * the caller in the memory of the handle's backend, aligned to 64 bytes. Vendor libraries may allocate host memory for
 * themselves in a call.
 *
 * Mixed precision: a dtype is that of the activations, the tensors that scale with the batch size, and of their
 * gradients. Parameters and their gradients are always fp32 (master weights), so that small optimiser steps are not
 * lost; they are rounded where they are multiplied with 16-bit activations. Sums are fp32.
 *
 * Determinism: on the CPU the same arguments give the same bits for the same thread count. On CUDA, LSTM and
 * projections are as deterministic as NVIDIA documents cuDNN and cuBLAS to be.
 *
 * Signals: on the CPU a thread blocks asynchronous signals while oneDNN computes on it, because a handler would
 * overwrite the heap there; they are delivered afterwards.
 */
#ifndef ATTN_CUDA_ENCODER_H
#define ATTN_CUDA_ENCODER_H

#include "attn_cuda/attn_cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the names and versions of the vendor libraries that `handle` computes with, such as "oneDNN 2.6.3", or ""
 * where there are none. The string is static. */
ATTN_API const char* attn_encoder_libraries(attn_handle_t handle);

/* Allows (1) or forbids (0, the initial value) that matrix products and LSTMs round their factors to TF32 (10 bits of
 * mantissa), the type that tensor cores multiply.
 * CUDA handles only. A plan keeps the setting under which it was created. */
ATTN_API attn_status_t attn_set_tf32(attn_handle_t handle, int32_t allowed);

/* ---- projected additive attention ------------------------------------------------------------------------------
 *
 *   q_i = W_q h_i    k_j = W_k x_j + b    then additive attention (attn_cuda.h) with q, k, v and the values x
 *
 * The inputs x are both keys and values; h are the queries, such as decoder states or one learned vector.
 */

typedef struct attn_projected_desc_t {
  size_t struct_size;   /* sizeof(attn_projected_desc_t) */
  attn_dtype_t dtype;   /* of x, o, weights and their gradients, and of h and d_h unless shared_query */
  int64_t B, Q, T;      /* >= 0 */
  int64_t A, D, H;      /* >= 1; H is the width of the queries h */
  int32_t shared_query; /* 0: h is [B, Q, H]; 1: h is [Q, H], an fp32 parameter, and d_h is summed over B */
} attn_projected_desc_t;

typedef struct attn_projected_forward_args_t {
  size_t struct_size;     /* sizeof(attn_projected_forward_args_t) */
  const void* x;          /* [B, T, D] */
  const void* h;          /* [B, Q, H] or [Q, H] */
  const float* w_q;       /* [A, H] */
  const float* w_k;       /* [A, D] */
  const float* b;         /* [A] bias of the keys; null: no bias */
  const float* v;         /* [A] */
  const int32_t* lengths; /* [B]; null: every length is T */
  void* o;                /* [B, Q, D] out */
  void* weights;          /* [B, Q, T] out; null: not stored */
  void* reserve;          /* out, of the size from attn_projected_reserve_size; null: no backward follows */
} attn_projected_forward_args_t;

typedef struct attn_projected_backward_args_t {
  size_t struct_size;     /* sizeof(attn_projected_backward_args_t) */
  const void* x;          /* [B, T, D]; this and the inputs down to lengths as in the forward pass */
  const void* h;          /* [B, Q, H] or [Q, H] */
  const float* w_q;       /* [A, H] */
  const float* w_k;       /* [A, D] */
  const float* b;         /* [A] or null */
  const float* v;         /* [A] */
  const int32_t* lengths; /* [B] or null */
  const void* reserve;    /* as the forward pass left it */
  const void* weights;    /* [B, Q, T] from the forward pass, which saves recomputing them; null: recomputed */
  const void* d_o;        /* [B, Q, D] gradient of o */
  const void* d_weights;  /* [B, Q, T] gradient of the weights; null: zero */
  void* d_x;              /* [B, T, D] out; this and the outputs below are overwritten, or null */
  void* d_h;              /* [B, Q, H] or [Q, H] out */
  float* d_w_q;           /* [A, H] out */
  float* d_w_k;           /* [A, D] out */
  float* d_b;             /* [A] out */
  float* d_v;             /* [A] out */
} attn_projected_backward_args_t;

/* Stores the size of the reserve space. */
ATTN_API attn_status_t attn_projected_reserve_size(attn_handle_t handle, const attn_projected_desc_t* desc,
                                                   size_t* bytes);
/* Stores the size of the workspace of one pass. */
ATTN_API attn_status_t attn_projected_workspace_size(attn_handle_t handle, const attn_projected_desc_t* desc,
                                                     attn_pass_t pass, size_t* bytes);
/* Computes o and, where asked for, weights and the reserve space. */
ATTN_API attn_status_t attn_projected_forward(attn_handle_t handle, const attn_projected_desc_t* desc,
                                              const attn_projected_forward_args_t* args, void* workspace,
                                              size_t workspace_bytes);
/* Computes the gradients of x, h and all parameters from those of o and of the weights. */
ATTN_API attn_status_t attn_projected_backward(attn_handle_t handle, const attn_projected_desc_t* desc,
                                               const attn_projected_backward_args_t* args, void* workspace,
                                               size_t workspace_bytes);

/* ---- LSTM of one layer --------------------------------------------------------------------------------------------
 *
 *   i, f, g, o = sigmoid, sigmoid, tanh, sigmoid of (x_t kernel + y_{t-1} recurrent + bias), gates in that order
 *   c_t = f * c_{t-1} + i * g    y_t = o * tanh(c_t)
 *
 * from zero initial states (Hochreiter, Schmidhuber: Long Short-Term Memory, 1997, with the forget gate of Gers,
 * Schmidhuber, Cummins: Learning to Forget, 2000). Direction 0 runs from the first position on; direction 1, if there
 * are two, runs backwards from the last valid position. n is the number of directions, whose outputs are concatenated
 * in y. There is one bias per gate: the sum of both where a framework has two. Positions at or beyond an item's length
 * are zero in y and d_x.
 *
 * Lengths are in host memory on both backends, unlike those of the other calls, because cuDNN reads them there. A CUDA
 * graph that captures a call keeps the lengths of that call.
 */

/* A plan holds all that depends only on the shape. It belongs to its handle, which must outlive it and keep its thread
 * count: calls with another thread count are rejected. Compute calls on one plan must not overlap: a call that finds
 * another one running is rejected. */
typedef struct attn_lstm* attn_lstm_t;

typedef struct attn_lstm_desc_t {
  size_t struct_size; /* sizeof(attn_lstm_desc_t) */
  attn_dtype_t dtype; /* of x, y and their gradients */
  int64_t B, T;       /* >= 0 */
  int64_t E, H;       /* >= 1 */
  int32_t directions; /* 1 or 2 */
  int32_t training;   /* 1: the plan runs both passes; 0: forward only */
} attn_lstm_desc_t;

typedef struct attn_lstm_forward_args_t {
  size_t struct_size;     /* sizeof(attn_lstm_forward_args_t) */
  const void* x;          /* [B, T, E] */
  const float* kernel;    /* [n, E, 4H] */
  const float* recurrent; /* [n, H, 4H] */
  const float* bias;      /* [n, 4H] */
  const int32_t* lengths; /* [B] in host memory; null: every length is T */
  void* y;                /* [B, T, nH] out */
  void* reserve;          /* out, of the size from attn_lstm_reserve_size; must be null if training = 0 */
} attn_lstm_forward_args_t;

typedef struct attn_lstm_backward_args_t {
  size_t struct_size;     /* sizeof(attn_lstm_backward_args_t) */
  const void* x;          /* [B, T, E]; this and the inputs down to lengths as in the forward pass */
  const float* kernel;    /* [n, E, 4H] */
  const float* recurrent; /* [n, H, 4H] */
  const float* bias;      /* [n, 4H] */
  const int32_t* lengths; /* [B] in host memory, or null */
  const void* y;          /* [B, T, nH] from the forward pass */
  void* reserve;          /* as the forward pass left it; on CUDA a backward pass overwrites it */
  const void* d_y;        /* [B, T, nH] gradient of y; positions at or beyond a length are ignored */
  void* d_x;              /* [B, T, E] out; this and the outputs below are overwritten */
  float* d_kernel;        /* [n, E, 4H] out */
  float* d_recurrent;     /* [n, H, 4H] out */
  float* d_bias;          /* [n, 4H] out */
} attn_lstm_backward_args_t;

/* Creates a plan for the shape in `desc`. */
ATTN_API attn_status_t attn_lstm_create(attn_handle_t handle, const attn_lstm_desc_t* desc, attn_lstm_t* plan);
/* Destroys a plan. Null is ignored. A plan that was already destroyed is rejected where this can be detected. */
ATTN_API attn_status_t attn_lstm_destroy(attn_lstm_t plan);
/* Stores the size of the reserve space; 0 if training = 0. */
ATTN_API attn_status_t attn_lstm_reserve_size(attn_lstm_t plan, size_t* bytes);
/* Stores the size of the workspace of one pass. ATTN_PASS_BACKWARD needs a plan with training = 1. */
ATTN_API attn_status_t attn_lstm_workspace_size(attn_lstm_t plan, attn_pass_t pass, size_t* bytes);
/* Computes y and, if training = 1, the reserve space. */
ATTN_API attn_status_t attn_lstm_forward(attn_lstm_t plan, const attn_lstm_forward_args_t* args, void* workspace,
                                         size_t workspace_bytes);
/* Computes the gradients of x and of all parameters from that of y. The plan must have training = 1. */
ATTN_API attn_status_t attn_lstm_backward(attn_lstm_t plan, const attn_lstm_backward_args_t* args, void* workspace,
                                          size_t workspace_bytes);

/* ---- classifier layers ------------------------------------------------------------------------------------------
 *
 * Sums have a fixed order: the same arguments give the same bits. The values of ids and labels are checked on the CPU
 * only; on CUDA an id outside 0..V-1 gives a row of zeros and has no gradient.
 */

/* Copies one row of the table per id: rows[n] = table[ids[n]], rounded to `dtype`.
 * ids [N] in 0..V-1; table [V, E] in fp32; rows [N, E] out, of `dtype`. */
ATTN_API attn_status_t attn_embedding_forward(attn_handle_t handle, attn_dtype_t dtype, int64_t N, int64_t V, int64_t E,
                                              const int32_t* ids, const float* table, void* rows);

/* Computes the gradient of the table: for each id, the sum of d_rows over the positions that have this id.
 * ids [N] in 0..V-1; d_rows [N, E] of `dtype`; d_table [V, E] out, in fp32, overwritten, zero for ids that do not
 * occur. `workspace` must have at least the size that attn_embedding_workspace_size gives. */
ATTN_API attn_status_t attn_embedding_backward(attn_handle_t handle, attn_dtype_t dtype, int64_t N, int64_t V,
                                               int64_t E, const int32_t* ids, const void* d_rows, float* d_table,
                                               void* workspace, size_t workspace_bytes);

/* Stores the workspace size of attn_embedding_backward: 0 on the CPU; on CUDA it depends on the current device. The
 * other classifier layers need no workspace. */
ATTN_API attn_status_t attn_embedding_workspace_size(attn_handle_t handle, int64_t N, int64_t V, int64_t E,
                                                     size_t* bytes);

/* Computes one logit per item, z = x w + b.
 * x [B, D]; w [D]; b [1]; z [B] out. */
ATTN_API attn_status_t attn_dense_forward(attn_handle_t handle, int64_t B, int64_t D, const float* x, const float* w,
                                          const float* b, float* z);

/* Computes the gradients of x, w and b from that of z.
 * d_z [B]; d_x [B, D], d_w [D] and d_b [1] out, overwritten. */
ATTN_API attn_status_t attn_dense_backward(attn_handle_t handle, int64_t B, int64_t D, const float* x, const float* w,
                                           const float* d_z, float* d_x, float* d_w, float* d_b);

/* Computes the binary cross-entropy of logits and the gradient of its mean:
 *   losses[i] = max(z, 0) - z y + log(1 + exp(-|z|))    d_z[i] = scale (sigmoid(z) - y) / B    with z = z[i], y = y[i]
 * z [B]; y [B] in 0..1; losses [B] and d_z [B] out, either may be null.
 * `scale` must be positive, finite and not subnormal. A large scale keeps fp16 gradients from underflowing (loss
 * scaling); attn_adam_step divides by it. */
ATTN_API attn_status_t attn_sigmoid_cross_entropy(attn_handle_t handle, int64_t B, const float* z, const float* y,
                                                  float scale, float* losses, float* d_z);

/* Converts elements from one storage type to another, rounding to nearest even where it narrows.
 * in [N] of type `from`; out [N] of type `to`. The types must be equal or one of them fp32. */
ATTN_API attn_status_t attn_convert(attn_handle_t handle, int64_t N, attn_dtype_t from, const void* in, attn_dtype_t to,
                                    void* out);

/* Stores 1 in *found if any element is infinite or NaN, otherwise 0.
 * numbers [N]; found [1] out, in the memory of the backend. */
ATTN_API attn_status_t attn_find_nonfinite(attn_handle_t handle, int64_t N, const float* numbers, int32_t* found);

/* One step of Adam as Keras computes it (Kingma, Ba: Adam, 2015, end of section 2), with g / scale in place of g:
 *   m = beta_1 m + (1 - beta_1) g    s = beta_2 s + (1 - beta_2) g^2
 *   p -= rate sqrt(1 - beta_2^step) / (1 - beta_1^step) m / (sqrt(s) + epsilon) */
typedef struct attn_adam_desc_t {
  size_t struct_size;  /* sizeof(attn_adam_desc_t) */
  float rate;          /* > 0, finite */
  float beta_1;        /* in [0, 1) */
  float beta_2;        /* in [0, 1) */
  float epsilon;       /* >= 0, finite */
  int64_t step;        /* >= 1, the number of this step */
  float scale;         /* > 0, finite, not subnormal: the loss scale of g, 1 where there is none */
  const int32_t* skip; /* [1] in the memory of the backend: if not 0, nothing changes; null: 0 */
} attn_adam_desc_t;

/* Updates the parameters and their moments by one step of Adam.
 * g [N] gradient; p [N] parameters, m [N] and s [N] first and second moments, updated in place. */
ATTN_API attn_status_t attn_adam_step(attn_handle_t handle, const attn_adam_desc_t* desc, int64_t N, const float* g,
                                      float* p, float* m, float* s);

#ifdef __cplusplus
}
#endif

#endif
