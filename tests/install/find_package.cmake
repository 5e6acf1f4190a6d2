# SPDX-License-Identifier: Apache-2.0
# Asks for attn_cuda as -Dversion and -Dcomponents say.
find_package(attn_cuda ${version} REQUIRED COMPONENTS ${components})
