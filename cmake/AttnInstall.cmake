# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: libraries, headers, attn_train, the CMake package and the pkg-config files, in the
# components attention, encoder and trainer. Nothing installed names the prefix, so the tree can be moved.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/attn_cuda)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
           OUTPUT_VARIABLE pkgconfig_to_prefix)
set(exports ${PROJECT_SOURCE_DIR}/cmake/exports.map)

# A shared library brings what it needs; who links a static one must name it.
if(NOT BUILD_SHARED_LIBS)
  set(pc_requires libhwy)
  set(pc_libs "${OpenMP_CXX_FLAGS} -lstdc++ -lm")
  if(ATTN_CUDA)
    string(APPEND pc_libs " -L${CUDAToolkit_LIBRARY_DIR} -lcudart")
  endif()
  set(pc_encoder_libs -ldnnl)
  if(ATTN_CUDNN)
    string(APPEND pc_encoder_libs " -lcudnn -lcublasLt")
  endif()
endif()

# An export set per library, so that each can be there or not. --as-needed: the targets of other packages name
# libraries that we do not call, such as OpenCL.
function(attn_install_library target component headers)
  set_target_properties(${target} PROPERTIES INSTALL_RPATH $ORIGIN LINK_DEPENDS ${exports})
  target_link_options(${target} PRIVATE LINKER:--version-script=${exports} LINKER:--as-needed)
  configure_file(cmake/${target}.pc.in ${target}.pc @ONLY)

  install(TARGETS ${target} EXPORT ${target}-targets COMPONENT ${component}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT ${target}-targets NAMESPACE attn_cuda:: DESTINATION ${package_dir} COMPONENT ${component})
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${target}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
          COMPONENT ${component})
  install(DIRECTORY host/include/attn_cuda ${PROJECT_BINARY_DIR}/include/attn_cuda
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT ${component}
          FILES_MATCHING REGEX "/${headers}\\.(h|hpp)$")
endfunction()

attn_install_library(attn_cuda attention "(attn_cuda|export|feed|version)")
if(ATTN_ENCODER)
  attn_install_library(attn_cuda_encoder encoder "(encoder|recurrent)")
endif()
if(ATTN_TRAINER)
  install(TARGETS attn_train RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT trainer)
endif()

configure_package_config_file(cmake/attn_cuda-config.cmake.in attn_cuda-config.cmake
                              INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# For the static library, which leaves its own dependencies to whoever links it.
install(FILES cmake/FindCUDNN.cmake DESTINATION ${package_dir} COMPONENT encoder)
write_basic_package_version_file(attn_cuda-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/attn_cuda-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/attn_cuda-config-version.cmake DESTINATION ${package_dir}
        COMPONENT attention)
