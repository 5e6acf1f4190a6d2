// SPDX-License-Identifier: Apache-2.0
#include "api/handle.h"

#include "api/choose_backend.h"
#include "base/object_registry.h"
#include "base/parallel.h"
#include "base/validate.h"
#include "cpu/attention.h"

namespace attn::internal {
namespace {

ObjectRegistry<attn_handle>& handles() {
  static auto* living =
      new ObjectRegistry<attn_handle>("handle", "attn_create");  // never destroyed: handles may outlive static objects
  return *living;
}

void require_bytes(std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(PTRDIFF_MAX))
    reject("bytes", "at most " + std::to_string(PTRDIFF_MAX), std::to_string(bytes));
}

}  // namespace

Backend& backend_of(attn_handle_t handle) { return *handles().at(handle).backend; }

}  // namespace attn::internal

using namespace attn::internal;

attn_status_t attn_create(attn_handle_t* handle, attn_backend_t backend) {
  return guarded([&] {
    require_pointer("handle", handle);
    *handle = nullptr;
    auto made = std::make_unique<attn_handle>();
    made->backend = make_backend(backend);
    *handle = handles().add(std::move(made));
  });
}

attn_status_t attn_destroy(attn_handle_t handle) {
  return guarded([&] { handles().destroy(handle); });
}

attn_status_t attn_get_backend(attn_handle_t handle, attn_backend_t* backend) {
  return guarded([&] {
    const Backend& target = backend_of(handle);
    require_pointer("backend", backend);
    *backend = target.kind();
  });
}

attn_status_t attn_get_device_name(attn_handle_t handle, const char** name) {
  return guarded([&] {
    const Backend& target = backend_of(handle);
    require_pointer("name", name);
    *name = target.device_name().c_str();
  });
}

attn_status_t attn_set_threads(attn_handle_t handle, int threads) {
  return guarded([&] {
    Backend& backend = backend_of(handle);
    require_range("threads", threads, 1, most_threads());
    backend.set_threads(threads);
  });
}

attn_status_t attn_get_threads(attn_handle_t handle, int* threads) {
  return guarded([&] {
    const Backend& backend = backend_of(handle);
    require_pointer("threads", threads);
    *threads = backend.threads();
  });
}

attn_status_t attn_set_stream(attn_handle_t handle, void* stream) {
  return guarded([&] { backend_of(handle).set_stream(stream); });
}

attn_status_t attn_get_stream(attn_handle_t handle, void** stream) {
  return guarded([&] {
    const Backend& backend = backend_of(handle);
    require_pointer("stream", stream);
    *stream = backend.stream();
  });
}

attn_status_t attn_attach(attn_handle_t handle, const void* key, void* object, void (*destroy)(void* object)) {
  return guarded([&] {
    attn_handle& target = handles().at(handle);
    require_pointer("key", key);
    require_pointer("object", object);
    if (destroy == nullptr) reject("destroy", "a function", "null");
    if (target.attached.count(key) != 0) reject("key", "one that has no object yet", "one that has");
    // The object is owned only once there is a place for it: if there is no memory, it remains the caller's.
    target.attached.emplace(key, attn_handle::Attached(nullptr, destroy)).first->second.reset(object);
  });
}

attn_status_t attn_get_attached(attn_handle_t handle, const void* key, void** object) {
  return guarded([&] {
    const attn_handle& target = handles().at(handle);
    require_pointer("object", object);
    const auto found = target.attached.find(key);
    *object = found == target.attached.end() ? nullptr : found->second.get();
  });
}

const char* attn_cpu_target(void) { return cpu::target_name(); }

attn_status_t attn_allocate(attn_handle_t handle, size_t bytes, void** pointer) {
  return guarded([&] {
    Backend& backend = backend_of(handle);
    require_pointer("pointer", pointer);
    *pointer = nullptr;
    require_bytes(bytes);
    if (bytes > 0) *pointer = backend.allocate(bytes);
  });
}

attn_status_t attn_free(attn_handle_t handle, void* pointer) {
  return guarded([&] {
    Backend& backend = backend_of(handle);
    if (pointer != nullptr) backend.free(pointer);
  });
}

attn_status_t attn_copy_from_host(attn_handle_t handle, void* destination, const void* source, size_t bytes) {
  return guarded([&] {
    Backend& backend = backend_of(handle);
    require_bytes(bytes);
    require_pointer("destination", destination, static_cast<std::int64_t>(bytes));
    require_pointer("source", source, static_cast<std::int64_t>(bytes));
    if (bytes > 0) backend.copy_from_host(destination, source, bytes);
  });
}

attn_status_t attn_copy_to_host(attn_handle_t handle, void* destination, const void* source, size_t bytes) {
  return guarded([&] {
    Backend& backend = backend_of(handle);
    require_bytes(bytes);
    require_pointer("destination", destination, static_cast<std::int64_t>(bytes));
    require_pointer("source", source, static_cast<std::int64_t>(bytes));
    if (bytes > 0) backend.copy_to_host(destination, source, bytes);
  });
}

attn_status_t attn_fill_zero(attn_handle_t handle, void* pointer, size_t bytes) {
  return guarded([&] {
    Backend& backend = backend_of(handle);
    require_bytes(bytes);
    require_pointer("pointer", pointer, static_cast<std::int64_t>(bytes));
    if (bytes > 0) backend.fill_zero(pointer, bytes);
  });
}

attn_status_t attn_synchronize(attn_handle_t handle) {
  return guarded([&] { backend_of(handle).synchronize(); });
}
