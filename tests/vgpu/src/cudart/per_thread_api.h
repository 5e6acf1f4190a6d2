// SPDX-License-Identifier: Apache-2.0
//
// The functions that code compiled with a per-thread default stream calls. The toolkit declares them only for such
// code, under the plain names; here each is declared with the type of the plain function.
#pragma once

#include "cudart/cuda_api.h"

#pragma GCC visibility push(default)
extern "C" {
decltype(cudaEventRecordWithFlags) cudaEventRecordWithFlags_ptsz;
decltype(cudaEventRecord) cudaEventRecord_ptsz;
decltype(cudaFreeAsync) cudaFreeAsync_ptsz;
decltype(cudaGraphInstantiateWithParams) cudaGraphInstantiateWithParams_ptsz;
decltype(cudaGraphLaunch) cudaGraphLaunch_ptsz;
decltype(cudaGraphUpload) cudaGraphUpload_ptsz;
decltype(cudaLaunchCooperativeKernel) cudaLaunchCooperativeKernel_ptsz;
decltype(cudaLaunchHostFunc) cudaLaunchHostFunc_ptsz;
decltype(cudaLaunchKernelExC) cudaLaunchKernelExC_ptsz;
decltype(cudaLaunchKernel) cudaLaunchKernel_ptsz;
decltype(cudaMallocAsync) cudaMallocAsync_ptsz;
decltype(cudaMallocFromPoolAsync) cudaMallocFromPoolAsync_ptsz;
decltype(cudaMemPrefetchAsync) cudaMemPrefetchAsync_ptsz;
decltype(cudaMemcpy2DAsync) cudaMemcpy2DAsync_ptsz;
decltype(cudaMemcpy2D) cudaMemcpy2D_ptds;
decltype(cudaMemcpy3DAsync) cudaMemcpy3DAsync_ptsz;
decltype(cudaMemcpy3D) cudaMemcpy3D_ptds;
decltype(cudaMemcpyAsync) cudaMemcpyAsync_ptsz;
decltype(cudaMemcpyFromSymbolAsync) cudaMemcpyFromSymbolAsync_ptsz;
decltype(cudaMemcpyFromSymbol) cudaMemcpyFromSymbol_ptds;
decltype(cudaMemcpyToSymbolAsync) cudaMemcpyToSymbolAsync_ptsz;
decltype(cudaMemcpyToSymbol) cudaMemcpyToSymbol_ptds;
decltype(cudaMemcpy) cudaMemcpy_ptds;
decltype(cudaMemset2DAsync) cudaMemset2DAsync_ptsz;
decltype(cudaMemset2D) cudaMemset2D_ptds;
decltype(cudaMemset3DAsync) cudaMemset3DAsync_ptsz;
decltype(cudaMemset3D) cudaMemset3D_ptds;
decltype(cudaMemsetAsync) cudaMemsetAsync_ptsz;
decltype(cudaMemset) cudaMemset_ptds;
decltype(cudaStreamAddCallback) cudaStreamAddCallback_ptsz;
decltype(cudaStreamAttachMemAsync) cudaStreamAttachMemAsync_ptsz;
decltype(cudaStreamBeginCaptureToGraph) cudaStreamBeginCaptureToGraph_ptsz;
decltype(cudaStreamBeginCapture) cudaStreamBeginCapture_ptsz;
decltype(cudaStreamEndCapture) cudaStreamEndCapture_ptsz;
decltype(cudaStreamGetCaptureInfo) cudaStreamGetCaptureInfo_ptsz;
decltype(cudaStreamGetDevice) cudaStreamGetDevice_ptsz;
decltype(cudaStreamGetFlags) cudaStreamGetFlags_ptsz;
decltype(cudaStreamGetId) cudaStreamGetId_ptsz;
decltype(cudaStreamGetPriority) cudaStreamGetPriority_ptsz;
decltype(cudaStreamIsCapturing) cudaStreamIsCapturing_ptsz;
decltype(cudaStreamQuery) cudaStreamQuery_ptsz;
decltype(cudaStreamSynchronize) cudaStreamSynchronize_ptsz;
decltype(cudaStreamUpdateCaptureDependencies) cudaStreamUpdateCaptureDependencies_ptsz;
decltype(cudaStreamWaitEvent) cudaStreamWaitEvent_ptsz;
}
#pragma GCC visibility pop
