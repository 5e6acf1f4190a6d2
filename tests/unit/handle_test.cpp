// SPDX-License-Identifier: Apache-2.0
//
// Handles, their memory, their statuses, and the messages for misuse.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "attn_cuda/attn_cuda.hpp"

namespace {

void expect_refused(attn_status_t status, attn_status_t expected, const std::string& part) {
  EXPECT_EQ(status, expected) << attn_last_error();
  EXPECT_NE(std::string(attn_last_error()).find(part), std::string::npos) << attn_last_error();
}

TEST(Handle, CreateRefusesBadArguments) {
  attn_handle_t handle = nullptr;
  expect_refused(attn_create(nullptr, ATTN_BACKEND_CPU), ATTN_INVALID_ARGUMENT, "handle: expected a pointer, got null");
  expect_refused(attn_create(&handle, static_cast<attn_backend_t>(7)), ATTN_INVALID_ARGUMENT,
                 "backend: expected a value of attn_backend_t, got 7");
  EXPECT_EQ(handle, nullptr);
}

// Without the backend or without a device, attn_create() reports which of them is missing; loading the library
// succeeds.
TEST(Handle, CudaIsThereOrSaysWhyNot) {
  attn_handle_t handle = nullptr;
  const attn_status_t status = attn_create(&handle, ATTN_BACKEND_CUDA);
  if (status == ATTN_SUCCESS) {
    attn_backend_t backend = ATTN_BACKEND_CPU;
    EXPECT_EQ(attn_get_backend(handle, &backend), ATTN_SUCCESS);
    EXPECT_EQ(backend, ATTN_BACKEND_CUDA);
    EXPECT_EQ(attn_destroy(handle), ATTN_SUCCESS);
  } else {
    EXPECT_TRUE(status == ATTN_UNSUPPORTED || status == ATTN_CUDA_ERROR) << status;
    EXPECT_NE(std::string(attn_last_error()).find("CUDA"), std::string::npos) << attn_last_error();
    EXPECT_EQ(handle, nullptr);
  }
}

TEST(Handle, DestroyedHandlesAreRefused) {
  attn_handle_t handle = nullptr;
  ASSERT_EQ(attn_create(&handle, ATTN_BACKEND_CPU), ATTN_SUCCESS);
  ASSERT_EQ(attn_destroy(handle), ATTN_SUCCESS);
  int threads = 0;
  expect_refused(attn_get_threads(handle, &threads), ATTN_INVALID_ARGUMENT,
                 "handle: expected one made by attn_create and not destroyed");
  expect_refused(attn_destroy(handle), ATTN_INVALID_ARGUMENT,
                 "handle: expected one made by attn_create and not destroyed");
  EXPECT_EQ(attn_destroy(nullptr), ATTN_SUCCESS);
}

TEST(Handle, ThreadsAreBounded) {
  attn::Handle handle;
  EXPECT_GE(handle.threads(), 1);
  handle.set_threads(3);
  EXPECT_EQ(handle.threads(), 3);
  expect_refused(attn_set_threads(handle.get(), 0), ATTN_INVALID_ARGUMENT, "threads: expected 1 to ");
  expect_refused(attn_set_threads(handle.get(), 100'000), ATTN_INVALID_ARGUMENT, ", got 100000");
  EXPECT_EQ(handle.threads(), 3);
}

TEST(Handle, ACpuHandleHasNoStream) {
  attn::Handle handle;
  EXPECT_EQ(handle.backend(), ATTN_BACKEND_CPU);
  expect_refused(attn_set_stream(handle.get(), nullptr), ATTN_INVALID_ARGUMENT, "got one of ATTN_BACKEND_CPU");
  void* stream = &handle;
  ASSERT_EQ(attn_get_stream(handle.get(), &stream), ATTN_SUCCESS);
  EXPECT_EQ(stream, nullptr);
}

TEST(Handle, NullOutputsAreNamed) {
  attn::Handle handle;
  expect_refused(attn_get_backend(handle.get(), nullptr), ATTN_INVALID_ARGUMENT,
                 "backend: expected a pointer, got null");
  expect_refused(attn_get_threads(handle.get(), nullptr), ATTN_INVALID_ARGUMENT,
                 "threads: expected a pointer, got null");
  expect_refused(attn_get_stream(handle.get(), nullptr), ATTN_INVALID_ARGUMENT, "stream: expected a pointer, got null");
  expect_refused(attn_allocate(handle.get(), 8, nullptr), ATTN_INVALID_ARGUMENT,
                 "pointer: expected a pointer, got null");
}

TEST(Memory, RoundTripsAndIsAligned) {
  attn::Handle handle;
  attn::Buffer<float> buffer(handle, std::vector<float>{1, 2, 3});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0u);
  EXPECT_EQ(buffer.download(), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(buffer.download(2), (std::vector<float>{1, 2}));
  buffer.fill_zero();
  EXPECT_EQ(buffer.download(), (std::vector<float>{0, 0, 0}));
  EXPECT_THROW(buffer.upload({1, 2, 3, 4}), std::invalid_argument);
  EXPECT_THROW(buffer.download(4), std::invalid_argument);
}

TEST(Memory, ZeroBytesAreNull) {
  attn::Handle handle;
  EXPECT_EQ(attn::Buffer<float>(handle, 0).data(), nullptr);
  EXPECT_EQ(attn_free(handle.get(), nullptr), ATTN_SUCCESS);
  EXPECT_EQ(attn_copy_to_host(handle.get(), nullptr, nullptr, 0), ATTN_SUCCESS);
}

TEST(Memory, MoreThanTheHostHasIsRefused) {
  attn::Handle handle;
  void* pointer = &handle;
  expect_refused(attn_allocate(handle.get(), SIZE_MAX, &pointer), ATTN_INVALID_ARGUMENT, "bytes: expected at most");
  EXPECT_EQ(pointer, nullptr);
  float value = 0;
  expect_refused(attn_copy_from_host(handle.get(), nullptr, &value, 4), ATTN_INVALID_ARGUMENT,
                 "destination: expected a pointer, got null");
  expect_refused(attn_copy_from_host(handle.get(), &value, nullptr, 4), ATTN_INVALID_ARGUMENT,
                 "source: expected a pointer, got null");
  expect_refused(attn_copy_to_host(handle.get(), nullptr, &value, 4), ATTN_INVALID_ARGUMENT,
                 "destination: expected a pointer, got null");
  expect_refused(attn_copy_to_host(handle.get(), &value, nullptr, 4), ATTN_INVALID_ARGUMENT,
                 "source: expected a pointer, got null");
  expect_refused(attn_fill_zero(handle.get(), nullptr, 4), ATTN_INVALID_ARGUMENT,
                 "pointer: expected a pointer, got null");
}

TEST(Status, EveryStatusHasItsText) {
  std::vector<std::string> texts;
  for (int status = ATTN_SUCCESS; status <= ATTN_INTERNAL_ERROR; ++status) {
    const std::string text = attn_status_string(static_cast<attn_status_t>(status));
    for (const std::string& other : texts) EXPECT_NE(text, other);
    texts.push_back(text);
  }
  EXPECT_STREQ(attn_status_string(static_cast<attn_status_t>(99)), "unknown status");
}

TEST(Status, TheLastErrorBelongsToItsThread) {
  attn_report_error(ATTN_UNSUPPORTED, "here");
  std::thread([] { EXPECT_STREQ(attn_last_error(), ""); }).join();
  EXPECT_STREQ(attn_last_error(), "here");
}

TEST(Status, TheWrapperThrowsStatusAndMessage) {
  attn::Handle handle;
  try {
    attn::AdditiveAttention(handle, {1, 1, 1, 0, 1});
    FAIL() << "A = 0 was accepted";
  } catch (const attn::Error& error) {
    EXPECT_EQ(error.status(), ATTN_INVALID_ARGUMENT);
    EXPECT_STREQ(error.what(), "invalid argument: desc.A: expected at least 1, got 0");
  }
}

TEST(Version, TheLibraryIsTheOneCompiledAgainst) {
  EXPECT_STREQ(attn_version(), ATTN_VERSION_STRING);
  EXPECT_EQ(std::to_string(ATTN_VERSION_MAJOR) + "." + std::to_string(ATTN_VERSION_MINOR) + "." +
                std::to_string(ATTN_VERSION_PATCH),
            ATTN_VERSION_STRING);
}

TEST(Handle, SaysWhatItComputesOn) {
  EXPECT_EQ(attn::Handle().device_name(), std::string("CPU (") + attn_cpu_target() + ")");
}

// Objects that other libraries attach are destroyed together with the handle, while the handle is still usable.
TEST(Handle, KeepsWhatIsAttached) {
  static int destroyed;
  destroyed = 0;
  const char key = 0, other = 0;
  int object = 0;
  void* found = &object;
  {
    const attn::Handle handle;
    EXPECT_EQ(attn_get_attached(handle.get(), &key, &found), ATTN_SUCCESS);
    EXPECT_EQ(found, nullptr);
    const auto destroy = [](void* which) { destroyed += ++*static_cast<int*>(which); };
    EXPECT_EQ(attn_attach(handle.get(), &key, &object, destroy), ATTN_SUCCESS);
    EXPECT_EQ(attn_get_attached(handle.get(), &key, &found), ATTN_SUCCESS);
    EXPECT_EQ(found, &object);
    EXPECT_EQ(attn_get_attached(handle.get(), &other, &found), ATTN_SUCCESS);
    EXPECT_EQ(found, nullptr);
    EXPECT_EQ(attn_attach(handle.get(), &key, &object, destroy), ATTN_INVALID_ARGUMENT);
    EXPECT_STREQ(attn_last_error(), "key: expected one that has no object yet, got one that has");
    EXPECT_EQ(attn_attach(handle.get(), &other, nullptr, destroy), ATTN_INVALID_ARGUMENT);
    EXPECT_EQ(attn_attach(handle.get(), &other, &object, nullptr), ATTN_INVALID_ARGUMENT);
    EXPECT_EQ(destroyed, 0);
  }
  EXPECT_EQ(destroyed, 1);
}

TEST(Version, TheCpuTargetHasAName) { EXPECT_STRNE(attn_cpu_target(), ""); }

}  // namespace
