// SPDX-License-Identifier: Apache-2.0
//
// Tests Thrust's algorithms on vectors. Thrust manages memory, kernels and streams itself.
#include <thrust/copy.h>
#include <thrust/device_vector.h>
#include <thrust/inner_product.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/merge.h>
#include <thrust/scan.h>
#include <thrust/sort.h>
#include <thrust/transform.h>
#include <thrust/unique.h>

#include <algorithm>
#include <numeric>

#include "primitives.h"

namespace programs::thrust_test {

constexpr int kCount = 20011;

template <class T>
std::vector<T> host(const thrust::device_vector<T>& values) {
  std::vector<T> copy(values.size());
  thrust::copy(values.begin(), values.end(), copy.begin());
  return copy;
}

// Computes a x + y.
struct Saxpy {
  float a;
  __host__ __device__ float operator()(float x, float y) const { return a * x + y; }
};

TEST(Thrust, Transform) {
  const std::vector<float> x = random_numbers<float>(kCount, 1000), y = random_numbers<float>(kCount, 777);
  const thrust::device_vector<float> device_x(x.begin(), x.end()), device_y(y.begin(), y.end());
  thrust::device_vector<float> out(kCount);
  thrust::transform(device_x.begin(), device_x.end(), device_y.begin(), out.begin(), Saxpy{2});
  std::vector<float> expected(kCount);
  std::transform(x.begin(), x.end(), y.begin(), expected.begin(), Saxpy{2});
  EXPECT_EQ(host(out), expected);
}

TEST(Thrust, InnerProduct) {
  const std::vector<int> x = random_numbers(kCount, 100), y = random_numbers(kCount, 99);
  const thrust::device_vector<int> device_x(x.begin(), x.end()), device_y(y.begin(), y.end());
  EXPECT_EQ(thrust::inner_product(device_x.begin(), device_x.end(), device_y.begin(), 7),
            std::inner_product(x.begin(), x.end(), y.begin(), 7));
}

// Sorts by key, then scans by key.
TEST(Thrust, SortAndScanByKey) {
  std::vector<unsigned char> keys = random_numbers<unsigned char>(kCount, 200);
  std::vector<int> order(kCount), expected;
  std::iota(order.begin(), order.end(), 0);
  thrust::device_vector<unsigned char> device_keys(keys.begin(), keys.end());
  thrust::device_vector<int> values(thrust::counting_iterator<int>(0), thrust::counting_iterator<int>(kCount));
  thrust::stable_sort_by_key(device_keys.begin(), device_keys.end(), values.begin());
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return keys[a] < keys[b]; });
  EXPECT_EQ(host(values), order);
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(host(device_keys), keys);

  thrust::inclusive_scan_by_key(device_keys.begin(), device_keys.end(), values.begin(), values.begin());
  for (int i = 0; i < kCount; ++i)
    expected.push_back(i == 0 || keys[i] != keys[i - 1] ? order[i] : expected.back() + order[i]);
  EXPECT_EQ(host(values), expected);
}

// The algorithm runs in place: blocks rewrite unchanged elements while neighbouring blocks read them.
TEST(Thrust, Unique) {
  std::vector<int> values(kCount);
  for (int i = 0; i < kCount; ++i) values[i] = std::min(i, kCount / 2);
  thrust::device_vector<int> device(values.begin(), values.end());
  device.erase(thrust::unique(device.begin(), device.end()), device.end());
  values.resize(kCount / 2 + 1);
  EXPECT_EQ(host(device), values);
}

TEST(Thrust, Merge) {
  std::vector<int> x = random_numbers(kCount, 9999), y = random_numbers(kCount / 3, 5000), expected;
  std::sort(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  const thrust::device_vector<int> device_x(x.begin(), x.end()), device_y(y.begin(), y.end());
  thrust::device_vector<int> out(x.size() + y.size());
  thrust::merge(device_x.begin(), device_x.end(), device_y.begin(), device_y.end(), out.begin());
  std::merge(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(expected));
  EXPECT_EQ(host(out), expected);
}

}  // namespace programs::thrust_test
