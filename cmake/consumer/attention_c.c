/* SPDX-License-Identifier: Apache-2.0
 *
 * C99: equal scores weigh two values evenly; a refused call says why. */
#include <attn_cuda/attn_cuda.h>
#include <stdio.h>
#include <string.h>

static int failed(const char* what) {
  fprintf(stderr, "%s: %s\n", what, attn_last_error());
  return 1;
}

int main(void) {
  const float q[] = {0.5f};         /* [B=1, Q=1, A=1] */
  const float k[] = {0.25f, 0.25f}; /* [1, T=2, 1] */
  const float v[] = {2.0f};         /* [1] */
  const float x[] = {1.0f, 4.0f};   /* [1, 2, D=1] */
  float o[1];                       /* [1, 1, 1] */
  float weights[2];                 /* [1, 1, 2] */
  attn_additive_desc_t desc = {sizeof(attn_additive_desc_t), ATTN_DTYPE_FP32, 1, 1, 2, 1, 1};
  attn_additive_forward_args_t args = {sizeof(attn_additive_forward_args_t), q, k, v, x, NULL, NULL, o, weights, NULL};
  attn_handle_t handle = NULL;
  void* workspace = NULL;
  size_t bytes = 0;

  if (strcmp(attn_version(), ATTN_VERSION_STRING) != 0) return failed("library and header differ in version");
  if (attn_create(&handle, ATTN_BACKEND_CPU) != ATTN_SUCCESS) return failed("attn_create");
  if (attn_additive_workspace_size(handle, &desc, ATTN_PASS_FORWARD, &bytes) != ATTN_SUCCESS) return failed("size");
  if (attn_allocate(handle, bytes, &workspace) != ATTN_SUCCESS) return failed("attn_allocate");
  if (attn_additive_forward(handle, &desc, &args, workspace, bytes) != ATTN_SUCCESS) return failed("forward");
  if (weights[0] != 0.5f || weights[1] != 0.5f || o[0] != 2.5f) return failed("wrong result");

  args.q = NULL;
  if (attn_additive_forward(handle, &desc, &args, workspace, bytes) != ATTN_INVALID_ARGUMENT) return failed("null q");
  printf("%s\n", attn_last_error());

  attn_free(handle, workspace);
  return attn_destroy(handle) == ATTN_SUCCESS ? 0 : failed("attn_destroy");
}
