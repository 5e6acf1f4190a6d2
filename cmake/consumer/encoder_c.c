/* SPDX-License-Identifier: Apache-2.0
 *
 * C99: one logit of the dense layer. */
#include <attn_cuda/encoder.h>
#include <stdio.h>

int main(void) {
  const float x[] = {1.0f, 2.0f, 3.0f}; /* [B=1, D=3] */
  const float w[] = {1.0f, 10.0f, 100.0f};
  const float b[] = {0.5f};
  float z[1];
  attn_handle_t handle = NULL;
  if (attn_create(&handle, ATTN_BACKEND_CPU) != ATTN_SUCCESS ||
      attn_dense_forward(handle, 1, 3, x, w, b, z) != ATTN_SUCCESS) {
    fprintf(stderr, "%s\n", attn_last_error());
    return 1;
  }
  printf("%s, logit %g\n", attn_encoder_libraries(handle), (double)z[0]);
  attn_destroy(handle);
  return z[0] == 321.5f ? 0 : 1;
}
