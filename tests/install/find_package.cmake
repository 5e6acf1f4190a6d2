# SPDX-License-Identifier: Apache-2.0
# Finds attn_cuda with the version and components given by -Dversion and -Dcomponents.
find_package(attn_cuda ${version} REQUIRED COMPONENTS ${components})
