/* SPDX-License-Identifier: Apache-2.0
 *
 * libattn_cuda: fused additive attention and attention pooling, forward and backward. C99.
 *
 * Alphabet: B batch size, Q queries, T keys (positions), A attention width, D value width.
 *
 * Tensors are row-major and contiguous, and aligned to their elements: no more is needed, and less is an invalid
 * argument. The shape of each is in the comment next to its pointer. Unless its comment allows it, an output must not overlap any other argument.
 *
 * Errors: every call returns a status. After a failure attn_last_error() reads "<argument>: expected <rule>, got
 * <value>"; the outputs are then unspecified and the inputs are unchanged.
 *
 * Streams and memory: a compute call runs on the handle's stream (CUDA) or before it returns (CPU). It allocates
 * neither host nor device memory, except that OpenMP starts its threads in the first calls; it does not synchronise,
 * print or exit, and can be captured in a CUDA graph. The memory it needs beyond its arguments is the workspace:
 * attn_*_workspace_size says how many bytes, the caller provides them in the memory of the handle's backend, aligned to
 * 64 bytes, and may reuse them for the next call on the same stream.
 *
 * Determinism: on one processor the same arguments give the same bits on every run, and what is computed for a batch
 * item has the same bits alone and in any batch.
 *
 * Processes: a child process that fork() made can go on calling the library on the CPU. In the thread that called
 * fork(), calls use one thread, whatever the handle's thread count, and give the same bits.
 *
 * Structures can grow: the first member of each is struct_size, which the caller sets to sizeof the structure it was
 * compiled with. A smaller size, down to that of the structure's first release, means an older caller, whose missing
 * fields count as zero. A larger size, up to 4096, means a newer caller and is accepted if the bytes that this library
 * does not know are zero. Any other size is an invalid argument.
 *
 * Key lengths: lengths[b], in 0..T, is the number of valid positions of item b. The positions after them are padding:
 * they are never read, and their weights and gradients are zero. A row without a valid key has zero output, weights and
 * gradients. NaN and infinities in valid data propagate to the outputs that depend on them.
 *
 * Packed keys: with cu_seqlens there is no padding, and lengths must be null. Tensors with one row per key then hold
 * cu_seqlens[B] rows instead of B T, the items' rows one after the other: item b has the rows cu_seqlens[b] to
 * cu_seqlens[b + 1] - 1. cu_seqlens[0] is 0, the values do not decrease, and no item has more than T rows. T is the
 * maximum length and determines how sums are split, so the results have the same bits as with padding to the same T.
 * Tensors [B, Q, T] keep their shape; their elements after an item's last key are zero.
 *
 * lengths and cu_seqlens are in the memory of the handle's backend. Their values are checked on the CPU only; on CUDA a
 * length outside 0..T is clamped.
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
  ATTN_INVALID_ARGUMENT = 1, /* an argument violates its documented rule */
  ATTN_UNSUPPORTED = 2,      /* the arguments are valid, but this build or backend does not implement them */
  ATTN_OUT_OF_MEMORY = 3,
  ATTN_CUDA_ERROR = 4,    /* the CUDA runtime reported an error */
  ATTN_LIBRARY_ERROR = 5, /* a vendor library (oneDNN, cuDNN, cuBLAS) reported an error */
  ATTN_INTERNAL_ERROR = 6 /* a defect of this library */
} attn_status_t;

typedef enum attn_backend_t ATTN_INT { ATTN_BACKEND_CPU = 0, ATTN_BACKEND_CUDA = 1 } attn_backend_t;

/* Storage type of tensors: IEEE 754 binary32, IEEE 754 binary16, bfloat16. Arithmetic is always fp32. Results are
 * rounded to nearest, ties to even; a result beyond the range of the storage type becomes infinite. */
typedef enum attn_dtype_t ATTN_INT { ATTN_DTYPE_FP32 = 0, ATTN_DTYPE_FP16 = 1, ATTN_DTYPE_BF16 = 2 } attn_dtype_t;

typedef enum attn_pass_t ATTN_INT { ATTN_PASS_FORWARD = 0, ATTN_PASS_BACKWARD = 1 } attn_pass_t;

/* ---- errors ------------------------------------------------------------------------------------------------- */

/* Returns the message of this thread's last failed call, or "" if none has failed. The string is valid until the next
 * failure in this thread. */
ATTN_API const char* attn_last_error(void);

/* Returns the name of a status, such as "invalid argument". Never null; the string is static. */
ATTN_API const char* attn_status_string(attn_status_t status);

/* Sets this thread's error message and returns `status`. For libraries that extend this one and report errors the same
 * way. */
ATTN_API attn_status_t attn_report_error(attn_status_t status, const char* message);

/* ---- handle ------------------------------------------------------------------------------------------------- */

/* A handle holds a backend, its stream and its thread count. A process may have any number of handles; each must be
 * used by one thread at a time. */
typedef struct attn_handle* attn_handle_t;

/* Creates a handle.
 * CUDA: it belongs to the device that is current in the calling thread, which must also be current in later calls with
 * it.
 * Fails with ATTN_UNSUPPORTED if this build lacks the backend, and with ATTN_CUDA_ERROR if there is no device. */
ATTN_API attn_status_t attn_create(attn_handle_t* handle, attn_backend_t backend);

/* Destroys a handle. Plans, feeds and memory made with it must be destroyed or freed first.
 * Null is ignored. A handle that was already destroyed is rejected where this can be detected. */
ATTN_API attn_status_t attn_destroy(attn_handle_t handle);

/* Stores the backend that the handle was created with. */
ATTN_API attn_status_t attn_get_backend(attn_handle_t handle, attn_backend_t* backend);

/* Stores the name of the processor that the handle computes on, such as "CPU (AVX2)" or "NVIDIA H200 (sm_90)". The
 * string is valid as long as the handle. */
ATTN_API attn_status_t attn_get_device_name(attn_handle_t handle, const char** name);

/* Sets the number of CPU threads that a call uses: 1 to 256, or to the number of processors if that is larger. A new
 * handle uses as many as OpenMP offers. Results of the attentions do not depend on it; those of libattn_cuda_encoder are
 * the same for the same number. CPU handles only. */
ATTN_API attn_status_t attn_set_threads(attn_handle_t handle, int threads);
/* Stores the number of CPU threads; 1 for a CUDA handle. */
ATTN_API attn_status_t attn_get_threads(attn_handle_t handle, int* threads);

/* Sets the cudaStream_t that calls run on. Null, the initial value, is the default stream.
 * CUDA handles only. The caller orders work on the old stream before work on the new one. */
ATTN_API attn_status_t attn_set_stream(attn_handle_t handle, void* stream);
/* Stores the stream; null for a CPU handle. */
ATTN_API attn_status_t attn_get_stream(attn_handle_t handle, void** stream);

/* Attaches an object to the handle. attn_destroy calls destroy(object) while the handle is still valid. For libraries
 * that extend this one.
 * `key` is an address inside the calling library, and each key has at most one object. If the call fails, the object
 * remains the caller's. */
ATTN_API attn_status_t attn_attach(attn_handle_t handle, const void* key, void* object, void (*destroy)(void* object));
/* Stores the object attached under `key`, or null if there is none. */
ATTN_API attn_status_t attn_get_attached(attn_handle_t handle, const void* key, void** object);

/* Returns the instruction set that the CPU loops use on this machine, such as "AVX2". The string is static. */
ATTN_API const char* attn_cpu_target(void);

/* ---- memory of the handle's backend: host memory (CPU) or device memory (CUDA) --------------------------------- */

/* Allocates `bytes` of uninitialised memory, aligned to at least 64 bytes. 0 bytes give a null pointer. */
ATTN_API attn_status_t attn_allocate(attn_handle_t handle, size_t bytes, void** pointer);
/* Frees memory from attn_allocate. Null is ignored. */
ATTN_API attn_status_t attn_free(attn_handle_t handle, void* pointer);

/* These calls are ordered with the handle's compute calls. attn_copy_to_host returns once the data has arrived;
 * attn_synchronize returns once all work of the handle's stream has completed. */
ATTN_API attn_status_t attn_copy_from_host(attn_handle_t handle, void* destination, const void* source, size_t bytes);
ATTN_API attn_status_t attn_copy_to_host(attn_handle_t handle, void* destination, const void* source, size_t bytes);
ATTN_API attn_status_t attn_fill_zero(attn_handle_t handle, void* pointer, size_t bytes);
ATTN_API attn_status_t attn_synchronize(attn_handle_t handle);

/* ---- additive attention -------------------------------------------------------------------------------------
 *
 *   e_ij = sum_a v_a tanh(q_ia + k_ja)    alpha_ij = softmax_j(e_ij)    o_i = sum_j alpha_ij x_j
 *
 * of queries q and keys k that are already projected (Bahdanau, Cho, Bengio: Neural Machine Translation by Jointly
 * Learning to Align and Translate, 2015, section A.1.2). alpha are the "weights" below. No tensor of size B x Q x T x A
 * is stored; the backward pass recomputes tanh.
 */

typedef struct attn_additive_desc_t {
  size_t struct_size; /* sizeof(attn_additive_desc_t) */
  attn_dtype_t dtype; /* of every floating-point tensor except lse */
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
  void* weights;             /* [B, Q, T] out; null: not stored */
  float* lse;                /* [B, Q] out: log-sum-exp of e over j, -inf for an empty row; null: no backward follows */
} attn_additive_forward_args_t;

typedef struct attn_additive_backward_args_t {
  size_t struct_size;        /* sizeof(attn_additive_backward_args_t) */
  const void* q;             /* [B, Q, A]; this and the inputs down to cu_seqlens as in the forward pass */
  const void* k;             /* [B, T, A] */
  const void* v;             /* [A] */
  const void* x;             /* [B, T, D] */
  const int32_t* lengths;    /* [B] or null */
  const int32_t* cu_seqlens; /* [B + 1] or null */
  const float* lse;          /* [B, Q] from the forward pass */
  const void* weights;       /* [B, Q, T] from the forward pass, which saves recomputing them; null: recomputed */
  const void* d_o;           /* [B, Q, D] gradient of o */
  const void* d_weights;     /* [B, Q, T] gradient of the weights; null: zero */
  void* d_q;                 /* [B, Q, A] out; this and the outputs below are overwritten, or null */
  void* d_k;                 /* [B, T, A] out, packed like k */
  void* d_v;                 /* [A] out */
  void* d_x;                 /* [B, T, D] out, packed like x */
} attn_additive_backward_args_t;

/* Stores the size of the workspace of one pass. It depends only on the descriptor and the backend. */
ATTN_API attn_status_t attn_additive_workspace_size(attn_handle_t handle, const attn_additive_desc_t* desc,
                                                    attn_pass_t pass, size_t* bytes);
/* Computes o and, where asked for, weights and lse.
 * `workspace` must have at least the size that attn_additive_workspace_size gives for ATTN_PASS_FORWARD. */
ATTN_API attn_status_t attn_additive_forward(attn_handle_t handle, const attn_additive_desc_t* desc,
                                             const attn_additive_forward_args_t* args, void* workspace,
                                             size_t workspace_bytes);
/* Computes the gradients of q, k, v and x from those of o and of the weights.
 * `workspace` must have at least the size that attn_additive_workspace_size gives for ATTN_PASS_BACKWARD. */
ATTN_API attn_status_t attn_additive_backward(attn_handle_t handle, const attn_additive_desc_t* desc,
                                              const attn_additive_backward_args_t* args, void* workspace,
                                              size_t workspace_bytes);

/* ---- attention pooling --------------------------------------------------------------------------------------
 *
 *   e_t = tanh(x_t . w + b_t)    alpha_t = softmax_t(e_t)    o = sum_t alpha_t x_t
 *
 * with one learned query w for the whole sequence and a bias per position: the attention layer that Keras models
 * commonly put after an LSTM. The backward pass recomputes e and alpha from x, so the forward pass keeps nothing for
 * it.
 */

typedef struct attn_pooling_desc_t {
  size_t struct_size; /* sizeof(attn_pooling_desc_t) */
  attn_dtype_t dtype; /* of every floating-point tensor */
  int64_t B, T;       /* >= 0 */
  int64_t D;          /* >= 1 */
} attn_pooling_desc_t;

typedef struct attn_pooling_forward_args_t {
  size_t struct_size;        /* sizeof(attn_pooling_forward_args_t) */
  const void* x;             /* [B, T, D] */
  const void* w;             /* [D] */
  const void* b;             /* [T], indexed by the position inside the item; null: no bias */
  const int32_t* lengths;    /* [B]; null: every length is T */
  const int32_t* cu_seqlens; /* [B + 1]; null: x is not packed */
  void* o;                   /* [B, D] out */
  void* weights;             /* [B, T] out; null: not stored */
} attn_pooling_forward_args_t;

typedef struct attn_pooling_backward_args_t {
  size_t struct_size;        /* sizeof(attn_pooling_backward_args_t) */
  const void* x;             /* [B, T, D]; this and the inputs down to cu_seqlens as in the forward pass */
  const void* w;             /* [D] */
  const void* b;             /* [T] or null */
  const int32_t* lengths;    /* [B] or null */
  const int32_t* cu_seqlens; /* [B + 1] or null */
  const void* d_o;           /* [B, D] gradient of o */
  const void* d_weights;     /* [B, T] gradient of the weights; null: zero */
  void* d_x;                 /* [B, T, D] out, packed like x; this and the outputs below are overwritten, or null */
  void* d_w;                 /* [D] out */
  void* d_b;                 /* [T] out */
} attn_pooling_backward_args_t;

/* Stores the size of the workspace of one pass. It depends only on the descriptor and the backend. */
ATTN_API attn_status_t attn_pooling_workspace_size(attn_handle_t handle, const attn_pooling_desc_t* desc,
                                                   attn_pass_t pass, size_t* bytes);
/* Computes o and, where asked for, weights.
 * `workspace` must have at least the size that attn_pooling_workspace_size gives for ATTN_PASS_FORWARD. */
ATTN_API attn_status_t attn_pooling_forward(attn_handle_t handle, const attn_pooling_desc_t* desc,
                                            const attn_pooling_forward_args_t* args, void* workspace,
                                            size_t workspace_bytes);
/* Computes the gradients of x, w and b from those of o and of the weights.
 * `workspace` must have at least the size that attn_pooling_workspace_size gives for ATTN_PASS_BACKWARD. */
ATTN_API attn_status_t attn_pooling_backward(attn_handle_t handle, const attn_pooling_desc_t* desc,
                                             const attn_pooling_backward_args_t* args, void* workspace,
                                             size_t workspace_bytes);

#ifdef __cplusplus
}
#endif

#endif
