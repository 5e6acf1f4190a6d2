// SPDX-License-Identifier: Apache-2.0
//
// Benchmarks every call of libattn_cuda, for each backend, storage type and shape. On the CPU, and on a GPU with a cold
// and with a warm L2 cache, it reports times, tanh per second, bytes per second (on a GPU as bench/traffic.h states
// them, on the CPU counting every input and output once) and, on a GPU, the fraction of the roofline (roofline.h). On
// the virtual GPU it reports the counters of one call and no times, and omits large shapes, which would take minutes
// there. The options are those of Google Benchmark, such as --benchmark_filter=pooling and --benchmark_format=json.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "bench/calls.h"
#ifdef ATTN_WITH_CUDA
#include "bench/gpu.h"
#endif

namespace attn::bench {
namespace {

const Shape kAdditiveShapes[] = {
    {32, 1, 200, 128, 128},    // the article's classifier
    {1, 1, 16384, 128, 128},   // one long text
    {32, 50, 50, 256, 512},    // translation: sentences of 50 words
    {8, 64, 64, 256, 256},     // between the sizes above and below
    {4, 128, 512, 256, 256},   // large
    {1, 512, 2048, 256, 256},  // large, one item
};
const Shape kPoolingShapes[] = {
    {32, 1, 200, 0, 128},   // the article's classifier
    {1, 1, 16384, 0, 128},  // one long text
    {64, 1, 512, 0, 1024},  // large
};

std::string name_of(const Pass& pass, const char* backend, const Storage& storage, const Shape& s) {
  std::string name = std::string(pass.name) + "/" + backend + "/" + storage.name + "/B:" + std::to_string(s.B);
  if (!pass.pooling) name += "/Q:" + std::to_string(s.Q);
  name += "/T:" + std::to_string(s.T);
  if (!pass.pooling) name += "/A:" + std::to_string(s.A);
  return name + "/D:" + std::to_string(s.D);
}

// Registers measure(state, call) as a benchmark. Calls that the library does not support are skipped with the reason.
template <class Measure>
benchmark::internal::Benchmark* add(const std::string& name, attn_backend_t backend, const Pass& pass,
                                    const Storage& storage, const Shape& shape, const Measure& measure) {
  const auto body = [=](benchmark::State& state) {
    try {
      const Handle handle(backend);
      measure(state, *make_call(handle, pass, shape, storage.dtype));
    } catch (const std::exception& error) {
      state.SkipWithError(error.what());
    }
  };
  return benchmark::RegisterBenchmark(name.c_str(), body)->Unit(benchmark::kMicrosecond);
}

void count_work(benchmark::State& state, Index bytes, Index tanhs) {
  state.SetBytesProcessed(state.iterations() * bytes);
  state.counters["tanh_per_second"] =
      benchmark::Counter(static_cast<double>(tanhs), benchmark::Counter::kIsIterationInvariantRate);
}

template <class Register>
void for_each_call(const Register& add) {
  for (const Pass& pass : kPasses)
    for (const Storage& storage : kStorages) {
      const auto add_shape = [&](Shape shape) {
        shape.size = storage.size;
        add(pass, storage, shape);
      };
      if (pass.pooling)
        for (const Shape& shape : kPoolingShapes) add_shape(shape);
      else
        for (const Shape& shape : kAdditiveShapes) add_shape(shape);
    }
}

void add_cpu() {
  benchmark::AddCustomContext("cpu_target", attn_cpu_target());
  for_each_call([](const Pass& pass, const Storage& storage, const Shape& shape) {
    const auto measure = [=](benchmark::State& state, Call& call) {
      for (auto _ : state) call.run();
      count_work(state, cost_of(pass, shape).least, cost_of(pass, shape).tanhs);
    };
    add(name_of(pass, "cpu", storage, shape), ATTN_BACKEND_CPU, pass, storage, shape, measure)->UseRealTime();
  });
}

#ifdef ATTN_WITH_CUDA

constexpr int kWarmUps = 3;
constexpr Index kMostVirtual = Index{1} << 25;  // the largest number of elements and tanh in a call for the virtual GPU

void time_on(Gpu& gpu, benchmark::State& state, Call& call, const Cost& cost, Cache cache) {
  for (int i = 0; i < kWarmUps; ++i) gpu.seconds(call, cache);
  double all = 0;
  for (auto _ : state) {
    const double seconds = gpu.seconds(call, cache);
    all += seconds;
    state.SetIterationTime(seconds);
  }
  count_work(state, cost.moved, cost.tanhs);
  state.counters["roofline"] = roofline_fraction(cost, gpu.peak(), all / static_cast<double>(state.iterations()));
}

// The loop that Google Benchmark times is empty, since only the counters matter.
void count_on(Gpu& gpu, benchmark::State& state, Call& call, const Cost& cost) {
  const auto counts = gpu.counts(call);
  for (auto _ : state) state.SetIterationTime(0);
  for (const auto& [name, count] : counts) state.counters[name] = count;
  const double bytes = counts.at("global_load_bytes") + counts.at("global_store_bytes");
  state.counters["bytes_of_stated"] = bytes / static_cast<double>(cost.moved);
  state.counters["bytes_of_tensors"] = bytes / static_cast<double>(cost.least);
  state.SetLabel("counts of a virtual GPU, no times");
}

void add_cuda(Gpu& gpu) {
  benchmark::AddCustomContext("cuda_device", gpu.name());
  for_each_call([&gpu](const Pass& pass, const Storage& storage, const Shape& shape) {
    const Cost cost = cost_of(pass, shape);
    const auto add_kind = [&](const char* kind, const auto& measure) {
      const std::string name = name_of(pass, "cuda", storage, shape) + "/" + kind;
      return add(name, ATTN_BACKEND_CUDA, pass, storage, shape, measure)->UseManualTime();
    };
    if (!gpu.is_virtual()) {
      for (const Cache cache : {Cache::cold, Cache::warm})
        add_kind(cache == Cache::cold ? "cold" : "warm",
                 [&gpu, cost, cache](benchmark::State& state, Call& call) { time_on(gpu, state, call, cost, cache); });
    } else if (cost.tanhs + cost.least / shape.size <= kMostVirtual) {
      add_kind("virtual_gpu_counts", [&gpu, cost](benchmark::State& state, Call& call) {
        count_on(gpu, state, call, cost);
      })->Iterations(1);
    }
  });
}

std::unique_ptr<Gpu> find_gpu() {
  try {
    return std::make_unique<Gpu>();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "attn_bench: no CUDA device: %s\n", error.what());
    return nullptr;
  }
}

#endif

}  // namespace
}  // namespace attn::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  attn::bench::add_cpu();
#ifdef ATTN_WITH_CUDA
  const auto gpu = attn::bench::find_gpu();
  if (gpu != nullptr) attn::bench::add_cuda(*gpu);
#endif
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
