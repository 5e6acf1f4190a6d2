/* SPDX-License-Identifier: Apache-2.0
 *
 * libattn_cuda_encoder: what surrounds additive attention in a recurrent text model. C99.
 *
 * Alphabet of attn_cuda.h, and: E embedding width (LSTM input), H LSTM hidden size, V vocabulary, N rows.
 * Handles, statuses, attn_last_error(), workspaces and key lengths are those of attn_cuda.h. A reserve keeps what a
 * forward pass hands to its backward pass; like a workspace it is aligned to 64 bytes.
 *
 * A dtype is that of activations: what there is more of the larger the batch, and its gradients. Parameters and their
 * gradients are fp32 whatever it is, so that small steps of an optimiser are not lost; they are rounded where they meet
 * activations of 16 bits. Sums are fp32.
 */
#ifndef ATTN_CUDA_ENCODER_H
#define ATTN_CUDA_ENCODER_H

#include "attn_cuda/attn_cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Names and versions of the vendor libraries that `handle` computes with, such as "oneDNN 2.6.3"; static storage. */
ATTN_API const char* attn_encoder_libraries(attn_handle_t handle);

/* CUDA: whether products and LSTMs may round their factors to TF32, ten bits of mantissa, which tensor cores multiply
 * several times as fast. 0 at first. A plan keeps what held when it was made. Not for CPU handles. */
ATTN_API attn_status_t attn_set_tf32(attn_handle_t handle, int32_t allowed);

/* ---- projected additive attention ------------------------------------------------------------------------------
 *
 *   q_i = W_q h_i    k_j = W_k x_j + b    then additive attention of attn_cuda.h over q, k, v and the values x.
 *
 * The inputs x are the keys; h are the queries, such as decoder states or one learned vector.
 */

typedef struct attn_projected_desc_t {
  size_t struct_size;   /* sizeof(attn_projected_desc_t) */
  attn_dtype_t dtype;   /* of x, o, weights, their gradients, and h where it is not shared */
  int64_t B, Q, T;      /* >= 0 */
  int64_t A, D, H;      /* >= 1; H is the width of the queries h */
  int32_t shared_query; /* 0: h is [B, Q, H]; 1: h is [Q, H], a parameter, so fp32, and d_h the sum over B */
} attn_projected_desc_t;

typedef struct attn_projected_forward_args_t {
  size_t struct_size;     /* sizeof(attn_projected_forward_args_t) */
  const void* x;          /* [B, T, D] */
  const void* h;          /* [B, Q, H] or [Q, H] */
  const float* w_q;       /* [A, H] */
  const float* w_k;       /* [A, D] */
  const float* b;         /* [A] bias of the keys; null: none */
  const float* v;         /* [A] */
  const int32_t* lengths; /* [B]; null: every length is T */
  void* o;                /* [B, Q, D] out */
  void* weights;          /* [B, Q, T] out; null: not wanted */
  void* reserve;          /* reserve_size bytes, kept for backward; null: no backward follows */
} attn_projected_forward_args_t;

typedef struct attn_projected_backward_args_t {
  size_t struct_size; /* sizeof(attn_projected_backward_args_t) */
  const void* x;      /* [B, T, D], as in forward, like all inputs down to lengths */
  const void* h;
  const float* w_q;
  const float* w_k;
  const float* b;
  const float* v;
  const int32_t* lengths;
  const void* reserve;   /* as left by the forward pass */
  const void* weights;   /* [B, Q, T] of the forward pass: saves recomputing them; null: recomputed */
  const void* d_o;       /* [B, Q, D] */
  const void* d_weights; /* [B, Q, T] gradient of the weights; null: none */
  void* d_x;             /* [B, T, D] out; null: not wanted, likewise the others; overwritten, not added to */
  void* d_h;             /* [B, Q, H] or [Q, H] out */
  float* d_w_q;          /* [A, H] out */
  float* d_w_k;          /* [A, D] out */
  float* d_b;            /* [A] out */
  float* d_v;            /* [A] out */
} attn_projected_backward_args_t;

ATTN_API attn_status_t attn_projected_reserve_size(attn_handle_t handle, const attn_projected_desc_t* desc,
                                                   size_t* bytes);
ATTN_API attn_status_t attn_projected_workspace_size(attn_handle_t handle, const attn_projected_desc_t* desc,
                                                     attn_pass_t pass, size_t* bytes);
ATTN_API attn_status_t attn_projected_forward(attn_handle_t handle, const attn_projected_desc_t* desc,
                                              const attn_projected_forward_args_t* args, void* workspace,
                                              size_t workspace_bytes);
ATTN_API attn_status_t attn_projected_backward(attn_handle_t handle, const attn_projected_desc_t* desc,
                                               const attn_projected_backward_args_t* args, void* workspace,
                                               size_t workspace_bytes);

/* ---- LSTM of one layer --------------------------------------------------------------------------------------------
 *
 *   i, f, c~, o = sigmoid, sigmoid, tanh, sigmoid of (x_t kernel + y_{t-1} recurrent + bias), gates in that order
 *   c_t = f c_{t-1} + i c~    y_t = o tanh(c_t)
 *
 * from zero states (Hochreiter, Schmidhuber: Long Short-Term Memory, 1997), in direction 0 from the first position,
 * in direction 1, where there are two, from the last valid one. y holds the directions side by side; n is how many
 * there are. One bias per gate: where a framework
 * has two, their sum. Behind an item's length y and d_x are zero.
 *
 * Unlike those of the other calls, the lengths are in host memory on both backends: cuDNN reads them there. A CUDA graph
 * that captures a call keeps the lengths of that call.
 *
 * A plan is made for one shape and belongs to its handle, which must outlive it and keep its thread count.
 */

typedef struct attn_lstm* attn_lstm_t;

typedef struct attn_lstm_desc_t {
  size_t struct_size; /* sizeof(attn_lstm_desc_t) */
  attn_dtype_t dtype; /* of x, y and their gradients */
  int64_t B, T;       /* >= 0 */
  int64_t E, H;       /* >= 1 */
  int32_t directions; /* 1 or 2 */
  int32_t training;   /* 1: the plan also runs backward; 0: forward only */
} attn_lstm_desc_t;

typedef struct attn_lstm_forward_args_t {
  size_t struct_size;     /* sizeof(attn_lstm_forward_args_t) */
  const void* x;          /* [B, T, E] */
  const float* kernel;    /* [n, E, 4H] */
  const float* recurrent; /* [n, H, 4H] */
  const float* bias;      /* [n, 4H] */
  const int32_t* lengths; /* [B], host memory; null: every length is T */
  void* y;                /* [B, T, nH] out */
  void* reserve;          /* reserve_size bytes, kept for backward; null in a plan without training */
} attn_lstm_forward_args_t;

typedef struct attn_lstm_backward_args_t {
  size_t struct_size; /* sizeof(attn_lstm_backward_args_t) */
  const void* x;      /* [B, T, E], as in forward, like all inputs down to lengths */
  const float* kernel;
  const float* recurrent;
  const float* bias;
  const int32_t* lengths;
  const void* y;      /* [B, T, nH] of the forward pass */
  void* reserve;      /* as left by the forward pass; on CUDA one backward pass uses it up */
  const void* d_y;    /* [B, T, nH]; what stands behind a length is ignored */
  void* d_x;          /* [B, T, E] out; overwritten, not added to, like all outputs */
  float* d_kernel;    /* [n, E, 4H] out */
  float* d_recurrent; /* [n, H, 4H] out */
  float* d_bias;      /* [n, 4H] out */
} attn_lstm_backward_args_t;

ATTN_API attn_status_t attn_lstm_create(attn_handle_t handle, const attn_lstm_desc_t* desc, attn_lstm_t* plan);
ATTN_API attn_status_t attn_lstm_destroy(attn_lstm_t plan);
ATTN_API attn_status_t attn_lstm_reserve_size(attn_lstm_t plan, size_t* bytes);
ATTN_API attn_status_t attn_lstm_workspace_size(attn_lstm_t plan, attn_pass_t pass, size_t* bytes);
ATTN_API attn_status_t attn_lstm_forward(attn_lstm_t plan, const attn_lstm_forward_args_t* args, void* workspace,
                                         size_t workspace_bytes);
ATTN_API attn_status_t attn_lstm_backward(attn_lstm_t plan, const attn_lstm_backward_args_t* args, void* workspace,
                                          size_t workspace_bytes);

/* ---- classifier layers, on both backends ----------------------------------------------------------------------------
 *
 * Sums have a fixed order: the same arguments give the same bits. The values of ids and labels are checked on the CPU
 * alone; on CUDA an id outside 0..V-1 stands for a row of zeros and has no gradient.
 */

/* rows[n] = table[ids[n]]; table [V, E] in fp32, ids [N] in 0..V-1, rows [N, E] of `dtype`, to which they are rounded. */
ATTN_API attn_status_t attn_embedding_forward(attn_handle_t handle, attn_dtype_t dtype, int64_t N, int64_t V, int64_t E,
                                              const int32_t* ids, const float* table, void* rows);

/* d_table [V, E] in fp32 is overwritten: the sum of d_rows [N, E], of `dtype`, over the places where an id stands, 0
 * elsewhere. */
ATTN_API attn_status_t attn_embedding_backward(attn_handle_t handle, attn_dtype_t dtype, int64_t N, int64_t V,
                                               int64_t E, const int32_t* ids, const void* d_rows, float* d_table,
                                               void* workspace, size_t workspace_bytes);

/* Of attn_embedding_backward, on CUDA for the current device; 0 on the CPU. No other of these calls needs any. */
ATTN_API attn_status_t attn_embedding_workspace_size(attn_handle_t handle, int64_t N, int64_t V, int64_t E,
                                                     size_t* bytes);

/* z = x w + b; x [B, D], w [D], b [1], z [B]: one logit per item. */
ATTN_API attn_status_t attn_dense_forward(attn_handle_t handle, int64_t B, int64_t D, const float* x, const float* w,
                                          const float* b, float* z);

/* d_x [B, D], d_w [D], d_b [1] are overwritten. */
ATTN_API attn_status_t attn_dense_backward(attn_handle_t handle, int64_t B, int64_t D, const float* x, const float* w,
                                           const float* d_z, float* d_x, float* d_w, float* d_b);

/* losses[i] = max(z,0) - z y + log(1 + exp(-|z|)) of logits z [B] and labels y [B] in 0..1;
 * d_z[i] = scale (sigmoid(z) - y) / B, the gradient of the mean loss times scale, which is above 0, finite and not
 * subnormal: by a large one gradients keep clear of the small numbers that a 16-bit type has not. losses and d_z may each
 * be null. */
ATTN_API attn_status_t attn_sigmoid_cross_entropy(attn_handle_t handle, int64_t B, const float* z, const float* y,
                                                  float scale, float* losses, float* d_z);

/* out[i] = in[i], both [N]: from one storage type to another, rounded to the nearest where that is narrower. The types are
 * equal, or one is fp32. */
ATTN_API attn_status_t attn_convert(attn_handle_t handle, int64_t N, attn_dtype_t from, const void* in, attn_dtype_t to,
                                    void* out);

/* *found, in the backend's memory, = whether any of numbers [N] is infinite or NaN: 0 or 1. */
ATTN_API attn_status_t attn_find_nonfinite(attn_handle_t handle, int64_t N, const float* numbers, int32_t* found);

/* One step of Adam as Keras computes it, on N parameters (Kingma, Ba: Adam, 2015, end of section 2), with g / scale for g:
 *   m = beta_1 m + (1 - beta_1) g    s = beta_2 s + (1 - beta_2) g^2
 *   p -= rate sqrt(1 - beta_2^step) / (1 - beta_1^step) m / (sqrt(s) + epsilon) */
typedef struct attn_adam_desc_t {
  size_t struct_size;  /* sizeof(attn_adam_desc_t) */
  float rate;          /* > 0 */
  float beta_1;        /* in [0, 1) */
  float beta_2;        /* in [0, 1) */
  float epsilon;       /* >= 0 */
  int64_t step;        /* >= 1, the number of this step */
  float scale;         /* > 0, of the gradient: 1, or that of attn_sigmoid_cross_entropy */
  const int32_t* skip; /* in the backend's memory; where not 0, nothing is changed; null: 0 */
} attn_adam_desc_t;

ATTN_API attn_status_t attn_adam_step(attn_handle_t handle, const attn_adam_desc_t* desc, int64_t N, const float* g,
                                      float* p, float* m, float* s);

#ifdef __cplusplus
}
#endif

#endif
