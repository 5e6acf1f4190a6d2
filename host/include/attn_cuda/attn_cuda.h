/* SPDX-License-Identifier: Apache-2.0
 *
 * libattn_cuda: fused additive attention, forward and backward. C99.
 *
 * Alphabet: B batch, Q queries, T keys (positions), A attention width, D value width.
 * All tensors are row-major and contiguous, and need no other alignment than their elements; the shape stands beside
 * each pointer.
 *
 * Every call returns a status. On failure attn_last_error() names the argument, what was expected and what
 * came; outputs are then unspecified, inputs untouched. Compute calls neither allocate, print, exit nor
 * synchronise; memory they need beyond their arguments is the caller's workspace, aligned to 64 bytes.
 *
 * Key lengths: lengths[b] in 0..T counts the valid positions of item b; the positions behind are padding, are
 * never read, get weight 0 and gradient 0. A row without a valid key gives zero output, weights and gradient.
 * NaN and Inf in valid data reach the outputs they touch.
 *
 * Packed keys: with cu_seqlens there is no padding, and no lengths either. Tensors with a row for each key, [B, T, ...],
 * then have the rows of all items one behind the other, cu_seqlens[B] in all, item b those from cu_seqlens[b] up to
 * cu_seqlens[b + 1]. It starts with 0, does not decrease, and no item has more than T; T says how long items may be,
 * and with it how sums are cut: the results have the bits that they have with padding to the same T. Tensors [B, Q, T]
 * stay as they are, with weights of 0 behind an item's keys.
 *
 * Both arrays are in the memory of the handle's backend. On the CPU their values are checked; on a device a length beyond
 * 0..T counts as the nearer of the two.
 */
#ifndef ATTN_CUDA_ATTN_CUDA_H
#define ATTN_CUDA_ATTN_CUDA_H

#include <stddef.h>
#include <stdint.h>

#include "attn_cuda/export.h"
#include "attn_cuda/version.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum attn_status_t ATTN_INT {
  ATTN_SUCCESS = 0,
  ATTN_INVALID_ARGUMENT = 1, /* an argument breaks its documented rule */
  ATTN_UNSUPPORTED = 2,      /* valid, but not offered by this build or backend */
  ATTN_OUT_OF_MEMORY = 3,
  ATTN_CUDA_ERROR = 4,    /* the CUDA runtime failed */
  ATTN_LIBRARY_ERROR = 5, /* a vendor library failed */
  ATTN_INTERNAL_ERROR = 6 /* a defect of this library */
} attn_status_t;

typedef enum attn_backend_t ATTN_INT { ATTN_BACKEND_CPU = 0, ATTN_BACKEND_CUDA = 1 } attn_backend_t;

/* Storage type of the tensors: float, IEEE 754 binary16, or the upper half of a float. Arithmetic is fp32 inside, always;
 * results are rounded to the nearest, ties to even, and become infinite where the type is too small for them. */
typedef enum attn_dtype_t ATTN_INT { ATTN_DTYPE_FP32 = 0, ATTN_DTYPE_FP16 = 1, ATTN_DTYPE_BF16 = 2 } attn_dtype_t;

typedef enum attn_pass_t ATTN_INT { ATTN_PASS_FORWARD = 0, ATTN_PASS_BACKWARD = 1 } attn_pass_t;

/* ---- errors ---------------------------------------------------------------------------------------------- */

/* The message of this thread's last failed call; "" before the first. Valid until this thread's next failure. */
ATTN_API const char* attn_last_error(void);

/* "invalid argument", ... ; never null. */
ATTN_API const char* attn_status_string(attn_status_t status);

/* Sets this thread's message and returns `status`: for libraries that extend this one and report alike. */
ATTN_API attn_status_t attn_report_error(attn_status_t status, const char* message);

/* ---- handle ---------------------------------------------------------------------------------------------- */

/* A backend, its stream and its thread count. Any number of handles, each used by one thread at a time. */
typedef struct attn_handle* attn_handle_t;

ATTN_API attn_status_t attn_create(attn_handle_t* handle, attn_backend_t backend);

/* Null is allowed and does nothing. A handle already destroyed is refused as far as that can be seen. */
ATTN_API attn_status_t attn_destroy(attn_handle_t handle);

ATTN_API attn_status_t attn_get_backend(attn_handle_t handle, attn_backend_t* backend);

/* What it computes on, such as "CPU (AVX2)" or "NVIDIA H200 (sm_90)"; valid as long as the handle. */
ATTN_API attn_status_t attn_get_device_name(attn_handle_t handle, const char** name);

/* CPU: threads per call, at least 1; at creation what OpenMP offers. The same count gives the same bits. */
ATTN_API attn_status_t attn_set_threads(attn_handle_t handle, int threads);
ATTN_API attn_status_t attn_get_threads(attn_handle_t handle, int* threads);

/* CUDA: the cudaStream_t that calls run on; null, as at creation, is the default stream. Not for CPU handles. */
ATTN_API attn_status_t attn_set_stream(attn_handle_t handle, void* stream);
ATTN_API attn_status_t attn_get_stream(attn_handle_t handle, void** stream);

/* For libraries that extend this one: gives the handle an object that is destroyed with it, by destroy(object), while the
 * handle is still whole. `key` is an address in the library that asks, one object for each; "get" gives null where there
 * is none yet. */
ATTN_API attn_status_t attn_attach(attn_handle_t handle, const void* key, void* object, void (*destroy)(void* object));
ATTN_API attn_status_t attn_get_attached(attn_handle_t handle, const void* key, void** object);

/* Name of the instruction set that the CPU loops run with on this machine, such as "AVX2"; static storage. */
ATTN_API const char* attn_cpu_target(void);

/* ---- memory of the handle's backend: host memory (64-byte aligned) or device memory -------------------------- */

/* bytes = 0 gives null. The memory is not initialised. */
ATTN_API attn_status_t attn_allocate(attn_handle_t handle, size_t bytes, void** pointer);
ATTN_API attn_status_t attn_free(attn_handle_t handle, void* pointer);

/* Ordered with the handle's compute calls. attn_copy_to_host returns once the data has arrived. */
ATTN_API attn_status_t attn_copy_from_host(attn_handle_t handle, void* destination, const void* source, size_t bytes);
ATTN_API attn_status_t attn_copy_to_host(attn_handle_t handle, void* destination, const void* source, size_t bytes);
ATTN_API attn_status_t attn_fill_zero(attn_handle_t handle, void* pointer, size_t bytes);
ATTN_API attn_status_t attn_synchronize(attn_handle_t handle);

/* ---- additive attention -------------------------------------------------------------------------------------
 *
 *   e_ij = sum_a v_a tanh(q_ia + k_ja)    alpha_ij = softmax_j(e_ij)    o_i = sum_j alpha_ij x_j
 *
 * from projected queries q and keys k (Bahdanau, Cho, Bengio: Neural Machine Translation by Jointly Learning to
 * Align and Translate, 2015). Nothing of size B x Q x T x A is ever stored; the backward pass recomputes tanh.
 */

typedef struct attn_additive_desc_t {
  size_t struct_size; /* sizeof(attn_additive_desc_t) */
  attn_dtype_t dtype; /* of every floating-point tensor but lse */
  int64_t B, Q, T;    /* >= 0 */
  int64_t A, D;       /* >= 1 */
} attn_additive_desc_t;

typedef struct attn_additive_forward_args_t {
  size_t struct_size;        /* sizeof(attn_additive_forward_args_t) */
  const void* q;             /* [B, Q, A] */
  const void* k;             /* [B, T, A] */
  const void* v;             /* [A] */
  const void* x;             /* [B, T, D] */
  const int32_t* lengths;    /* [B]; null: every length is T */
  const int32_t* cu_seqlens; /* [B + 1]; null: k and x are not packed */
  void* o;                   /* [B, Q, D] out */
  void* weights;             /* [B, Q, T] out; null: not wanted */
  float* lse;                /* [B, Q] out, log(sum_j exp(e_ij)), -inf for an empty row; null: no backward follows */
} attn_additive_forward_args_t;

typedef struct attn_additive_backward_args_t {
  size_t struct_size; /* sizeof(attn_additive_backward_args_t) */
  const void* q;      /* [B, Q, A], as in forward, like all inputs down to cu_seqlens */
  const void* k;      /* [B, T, A] */
  const void* v;      /* [A] */
  const void* x;      /* [B, T, D] */
  const int32_t* lengths;
  const int32_t* cu_seqlens;
  const float* lse;      /* [B, Q] of the forward pass */
  const void* weights;   /* [B, Q, T] of the forward pass: saves recomputing them; null: recomputed */
  const void* d_o;       /* [B, Q, D] gradient of the output */
  const void* d_weights; /* [B, Q, T] gradient of the weights; null: none */
  void* d_q;             /* [B, Q, A] out; null: not wanted, likewise the others; overwritten, not added to */
  void* d_k;             /* [B, T, A] out, packed as k */
  void* d_v;             /* [A] out */
  void* d_x;             /* [B, T, D] out, packed as x */
} attn_additive_backward_args_t;

ATTN_API attn_status_t attn_additive_workspace_size(attn_handle_t handle, const attn_additive_desc_t* desc,
                                                    attn_pass_t pass, size_t* bytes);
ATTN_API attn_status_t attn_additive_forward(attn_handle_t handle, const attn_additive_desc_t* desc,
                                             const attn_additive_forward_args_t* args, void* workspace,
                                             size_t workspace_bytes);
ATTN_API attn_status_t attn_additive_backward(attn_handle_t handle, const attn_additive_desc_t* desc,
                                              const attn_additive_backward_args_t* args, void* workspace,
                                              size_t workspace_bytes);

/* ---- attention pooling --------------------------------------------------------------------------------------
 *
 *   e_t = tanh(x_t . w + b_t)    alpha_t = softmax_t(e_t)    o = sum_t alpha_t x_t
 *
 * one learned query for the whole sequence and a bias per position (the usual Keras attention layer over an LSTM).
 * The backward pass recomputes e and alpha from x, so nothing is kept between the passes.
 */

typedef struct attn_pooling_desc_t {
  size_t struct_size; /* sizeof(attn_pooling_desc_t) */
  attn_dtype_t dtype; /* of every tensor */
  int64_t B, T;       /* >= 0 */
  int64_t D;          /* >= 1 */
} attn_pooling_desc_t;

typedef struct attn_pooling_forward_args_t {
  size_t struct_size;        /* sizeof(attn_pooling_forward_args_t) */
  const void* x;             /* [B, T, D] */
  const void* w;             /* [D] */
  const void* b;             /* [T], by position in the item; null: no bias */
  const int32_t* lengths;    /* [B]; null: every length is T */
  const int32_t* cu_seqlens; /* [B + 1]; null: x is not packed */
  void* o;                   /* [B, D] out */
  void* weights;             /* [B, T] out; null: not wanted */
} attn_pooling_forward_args_t;

typedef struct attn_pooling_backward_args_t {
  size_t struct_size;        /* sizeof(attn_pooling_backward_args_t) */
  const void* x;             /* [B, T, D], as in forward, like all inputs down to cu_seqlens */
  const void* w;             /* [D] */
  const void* b;             /* [T] */
  const int32_t* lengths;    /* [B] */
  const int32_t* cu_seqlens; /* [B + 1] */
  const void* d_o;           /* [B, D] gradient of the output */
  const void* d_weights;     /* [B, T] gradient of the weights; null: none */
  void* d_x;                 /* [B, T, D] out, packed as x; null: not wanted, likewise the others; overwritten */
  void* d_w;                 /* [D] out */
  void* d_b;                 /* [T] out */
} attn_pooling_backward_args_t;

ATTN_API attn_status_t attn_pooling_workspace_size(attn_handle_t handle, const attn_pooling_desc_t* desc,
                                                   attn_pass_t pass, size_t* bytes);
ATTN_API attn_status_t attn_pooling_forward(attn_handle_t handle, const attn_pooling_desc_t* desc,
                                            const attn_pooling_forward_args_t* args, void* workspace,
                                            size_t workspace_bytes);
ATTN_API attn_status_t attn_pooling_backward(attn_handle_t handle, const attn_pooling_desc_t* desc,
                                             const attn_pooling_backward_args_t* args, void* workspace,
                                             size_t workspace_bytes);

#ifdef __cplusplus
}
#endif

#endif
