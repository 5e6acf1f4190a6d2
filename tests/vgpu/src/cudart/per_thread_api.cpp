// SPDX-License-Identifier: Apache-2.0
//
// The same functions with the per-thread default stream.
#include "cudart/per_thread_api.h"
#include "cudart/stream.h"

namespace vgpu::cudart {
namespace {

template <class Result, class... Parameters, class... Arguments>
Result in_own_stream(Result (*function)(Parameters...), Arguments... arguments) {
  default_stream() = DefaultStream::kPerThread;
  const Result result = function(arguments...);
  default_stream() = DefaultStream::kLegacy;
  return result;
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaEventRecordWithFlags_ptsz(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  return in_own_stream(cudaEventRecordWithFlags, event, stream, flags);
}

cudaError_t cudaEventRecord_ptsz(cudaEvent_t event, cudaStream_t stream) {
  return in_own_stream(cudaEventRecord, event, stream);
}

cudaError_t cudaFreeAsync_ptsz(void* pointer, cudaStream_t stream) {
  return in_own_stream(cudaFreeAsync, pointer, stream);
}

cudaError_t cudaGraphInstantiateWithParams_ptsz(cudaGraphExec_t* exec, cudaGraph_t graph,
                                                cudaGraphInstantiateParams* parameters) {
  return in_own_stream(cudaGraphInstantiateWithParams, exec, graph, parameters);
}

cudaError_t cudaGraphLaunch_ptsz(cudaGraphExec_t exec, cudaStream_t stream) {
  return in_own_stream(cudaGraphLaunch, exec, stream);
}

cudaError_t cudaGraphUpload_ptsz(cudaGraphExec_t exec, cudaStream_t stream) {
  return in_own_stream(cudaGraphUpload, exec, stream);
}

cudaError_t cudaLaunchCooperativeKernel_ptsz(const void* function, dim3 grid, dim3 block, void** arguments,
                                             std::size_t shared, cudaStream_t stream) {
  return in_own_stream(cudaLaunchCooperativeKernel, function, grid, block, arguments, shared, stream);
}

cudaError_t cudaLaunchHostFunc_ptsz(cudaStream_t stream, cudaHostFn_t function, void* argument) {
  return in_own_stream(cudaLaunchHostFunc, stream, function, argument);
}

cudaError_t cudaLaunchKernelExC_ptsz(const cudaLaunchConfig_t* config, const void* function, void** arguments) {
  return in_own_stream(cudaLaunchKernelExC, config, function, arguments);
}

cudaError_t cudaLaunchKernel_ptsz(const void* function, dim3 grid, dim3 block, void** arguments, std::size_t shared,
                                  cudaStream_t stream) {
  return in_own_stream(cudaLaunchKernel, function, grid, block, arguments, shared, stream);
}

cudaError_t cudaMallocAsync_ptsz(void** pointer, std::size_t size, cudaStream_t stream) {
  return in_own_stream(cudaMallocAsync, pointer, size, stream);
}

cudaError_t cudaMallocFromPoolAsync_ptsz(void** pointer, std::size_t size, cudaMemPool_t pool, cudaStream_t stream) {
  return in_own_stream(cudaMallocFromPoolAsync, pointer, size, pool, stream);
}

cudaError_t cudaMemPrefetchAsync_ptsz(const void* pointer, std::size_t count, cudaMemLocation location, unsigned flags,
                                      cudaStream_t stream) {
  return in_own_stream(cudaMemPrefetchAsync, pointer, count, location, flags, stream);
}

cudaError_t cudaMemcpy2DAsync_ptsz(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                                   std::size_t width, std::size_t rows, cudaMemcpyKind kind, cudaStream_t stream) {
  return in_own_stream(cudaMemcpy2DAsync, to, to_pitch, from, from_pitch, width, rows, kind, stream);
}

cudaError_t cudaMemcpy2D_ptds(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t rows, cudaMemcpyKind kind) {
  return in_own_stream(cudaMemcpy2D, to, to_pitch, from, from_pitch, width, rows, kind);
}

cudaError_t cudaMemcpy3DAsync_ptsz(const cudaMemcpy3DParms* parameters, cudaStream_t stream) {
  return in_own_stream(cudaMemcpy3DAsync, parameters, stream);
}

cudaError_t cudaMemcpy3D_ptds(const cudaMemcpy3DParms* parameters) { return in_own_stream(cudaMemcpy3D, parameters); }

cudaError_t cudaMemcpyAsync_ptsz(void* to, const void* from, std::size_t count, cudaMemcpyKind kind,
                                 cudaStream_t stream) {
  return in_own_stream(cudaMemcpyAsync, to, from, count, kind, stream);
}

cudaError_t cudaMemcpyFromSymbolAsync_ptsz(void* to, const void* symbol, std::size_t count, std::size_t offset,
                                           cudaMemcpyKind kind, cudaStream_t stream) {
  return in_own_stream(cudaMemcpyFromSymbolAsync, to, symbol, count, offset, kind, stream);
}

cudaError_t cudaMemcpyFromSymbol_ptds(void* to, const void* symbol, std::size_t count, std::size_t offset,
                                      cudaMemcpyKind kind) {
  return in_own_stream(cudaMemcpyFromSymbol, to, symbol, count, offset, kind);
}

cudaError_t cudaMemcpyToSymbolAsync_ptsz(const void* symbol, const void* from, std::size_t count, std::size_t offset,
                                         cudaMemcpyKind kind, cudaStream_t stream) {
  return in_own_stream(cudaMemcpyToSymbolAsync, symbol, from, count, offset, kind, stream);
}

cudaError_t cudaMemcpyToSymbol_ptds(const void* symbol, const void* from, std::size_t count, std::size_t offset,
                                    cudaMemcpyKind kind) {
  return in_own_stream(cudaMemcpyToSymbol, symbol, from, count, offset, kind);
}

cudaError_t cudaMemcpy_ptds(void* to, const void* from, std::size_t count, cudaMemcpyKind kind) {
  return in_own_stream(cudaMemcpy, to, from, count, kind);
}

cudaError_t cudaMemset2DAsync_ptsz(void* pointer, std::size_t pitch, int value, std::size_t width, std::size_t rows,
                                   cudaStream_t stream) {
  return in_own_stream(cudaMemset2DAsync, pointer, pitch, value, width, rows, stream);
}

cudaError_t cudaMemset2D_ptds(void* pointer, std::size_t pitch, int value, std::size_t width, std::size_t rows) {
  return in_own_stream(cudaMemset2D, pointer, pitch, value, width, rows);
}

cudaError_t cudaMemset3DAsync_ptsz(cudaPitchedPtr to, int value, cudaExtent extent, cudaStream_t stream) {
  return in_own_stream(cudaMemset3DAsync, to, value, extent, stream);
}

cudaError_t cudaMemset3D_ptds(cudaPitchedPtr to, int value, cudaExtent extent) {
  return in_own_stream(cudaMemset3D, to, value, extent);
}

cudaError_t cudaMemsetAsync_ptsz(void* pointer, int value, std::size_t count, cudaStream_t stream) {
  return in_own_stream(cudaMemsetAsync, pointer, value, count, stream);
}

cudaError_t cudaMemset_ptds(void* pointer, int value, std::size_t count) {
  return in_own_stream(cudaMemset, pointer, value, count);
}

cudaError_t cudaStreamAddCallback_ptsz(cudaStream_t stream, cudaStreamCallback_t callback, void* argument,
                                       unsigned flags) {
  return in_own_stream(cudaStreamAddCallback, stream, callback, argument, flags);
}

cudaError_t cudaStreamAttachMemAsync_ptsz(cudaStream_t stream, void* pointer, std::size_t count, unsigned flags) {
  return in_own_stream(cudaStreamAttachMemAsync, stream, pointer, count, flags);
}

cudaError_t cudaStreamBeginCaptureToGraph_ptsz(cudaStream_t stream, cudaGraph_t graph,
                                               const cudaGraphNode_t* dependencies, const cudaGraphEdgeData* edges,
                                               std::size_t count, cudaStreamCaptureMode mode) {
  return in_own_stream(cudaStreamBeginCaptureToGraph, stream, graph, dependencies, edges, count, mode);
}

cudaError_t cudaStreamBeginCapture_ptsz(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return in_own_stream(cudaStreamBeginCapture, stream, mode);
}

cudaError_t cudaStreamEndCapture_ptsz(cudaStream_t stream, cudaGraph_t* graph) {
  return in_own_stream(cudaStreamEndCapture, stream, graph);
}

cudaError_t cudaStreamGetCaptureInfo_ptsz(cudaStream_t stream, cudaStreamCaptureStatus* status, unsigned long long* id,
                                          cudaGraph_t* graph, const cudaGraphNode_t** dependencies,
                                          const cudaGraphEdgeData** edges, std::size_t* count) {
  return in_own_stream(cudaStreamGetCaptureInfo, stream, status, id, graph, dependencies, edges, count);
}

cudaError_t cudaStreamGetDevice_ptsz(cudaStream_t stream, int* device) {
  return in_own_stream(cudaStreamGetDevice, stream, device);
}

cudaError_t cudaStreamGetFlags_ptsz(cudaStream_t stream, unsigned* flags) {
  return in_own_stream(cudaStreamGetFlags, stream, flags);
}

cudaError_t cudaStreamGetId_ptsz(cudaStream_t stream, unsigned long long* id) {
  return in_own_stream(cudaStreamGetId, stream, id);
}

cudaError_t cudaStreamGetPriority_ptsz(cudaStream_t stream, int* priority) {
  return in_own_stream(cudaStreamGetPriority, stream, priority);
}

cudaError_t cudaStreamIsCapturing_ptsz(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return in_own_stream(cudaStreamIsCapturing, stream, status);
}

cudaError_t cudaStreamQuery_ptsz(cudaStream_t stream) { return in_own_stream(cudaStreamQuery, stream); }

cudaError_t cudaStreamSynchronize_ptsz(cudaStream_t stream) { return in_own_stream(cudaStreamSynchronize, stream); }

cudaError_t cudaStreamUpdateCaptureDependencies_ptsz(cudaStream_t stream, cudaGraphNode_t* dependencies,
                                                     const cudaGraphEdgeData* edges, std::size_t count,
                                                     unsigned flags) {
  return in_own_stream(cudaStreamUpdateCaptureDependencies, stream, dependencies, edges, count, flags);
}

cudaError_t cudaStreamWaitEvent_ptsz(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  return in_own_stream(cudaStreamWaitEvent, stream, event, flags);
}
