// The one device: its numbers, limits and settings; errors.
#include <cstring>

#include "twofour/runtime/api.h"
#include "twofour/runtime/error_names.h"

using namespace twofour::runtime;

namespace {

/// cudaLimit: stack, printf buffer, heap, two of nested launches, L2 granularity, persisting L2.
std::size_t limits[7] = {1024, 7 << 20, 8 << 20, 2, 2048, 64, 0};

void check_device(int device) {
  require(device == 0, cudaErrorInvalidDevice);
}

}  // namespace

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  return api(__func__, [&] { required(count) = 1; });
}

cudaError_t cudaGetDevice(int* device) {
  return api(__func__, [&] { required(device) = 0; });
}

cudaError_t cudaSetDevice(int device) {
  return api(__func__, [&] {
    check_device(device);
    Process::get().device();
  });
}

cudaError_t cudaInitDevice(int device, unsigned, unsigned) {
  return cudaSetDevice(device);
}

cudaError_t cudaChooseDevice(int* device, const void*) {
  return api(__func__, [&] { required(device) = 0; });
}

cudaError_t cudaSetDeviceFlags(unsigned flags) {
  return api(__func__, [&] { Process::get().flags = flags; });
}

cudaError_t cudaGetDeviceFlags(unsigned* flags) {
  return api(__func__, [&] { required(flags) = Process::get().flags; });
}

cudaError_t cudaDeviceGetAttribute(int* value, int attribute, int device) {
  return api(__func__, [&] {
    check_device(device);
    const auto found = device_attribute(Process::get().facts(), attribute);
    require(found.has_value(), cudaErrorInvalidValue);
    required(value) = *found;
  });
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  return api(__func__, [&] {
    check_device(device);
    require(text && length >= 13, cudaErrorInvalidValue);
    std::memcpy(text, "0000:00:00.0", 13);
  });
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  return api(__func__, [&] {
    check_device(device);
    check_device(peer);
    required(can) = 0;
  });
}

cudaError_t cudaDeviceEnablePeerAccess(int, unsigned) {
  return api(__func__, [] { refuse(cudaErrorInvalidDevice); });
}

cudaError_t cudaDeviceDisablePeerAccess(int) {
  return api(__func__, [] { refuse(cudaErrorInvalidDevice); });
}

cudaError_t cudaDeviceSynchronize() {
  return api(__func__, [] { Process::get().device(); });
}

cudaError_t cudaDeviceReset() {
  Process::get().reset();
  return cudaSuccess;
}

cudaError_t cudaDeviceGetLimit(std::size_t* value, int limit) {
  return api(__func__, [&] {
    require(limit >= 0 && limit < 7, cudaErrorUnsupportedLimit);
    required(value) = limits[limit];
  });
}

cudaError_t cudaDeviceSetLimit(int limit, std::size_t value) {
  return api(__func__, [&] {
    require(limit >= 0 && limit < 7, cudaErrorUnsupportedLimit);
    limits[limit] = value;
  });
}

cudaError_t cudaDeviceGetCacheConfig(int* config) {
  return api(__func__, [&] { required(config) = 0; });
}

cudaError_t cudaDeviceSetCacheConfig(int) {
  return api(__func__, [] {});
}

cudaError_t cudaDeviceGetSharedMemConfig(int* config) {
  return api(__func__, [&] { required(config) = 1; });  // banks of four bytes
}

cudaError_t cudaDeviceSetSharedMemConfig(int) {
  return api(__func__, [] {});
}

cudaError_t cudaCtxResetPersistingL2Cache() {
  return api(__func__, [] {});
}

cudaError_t cudaProfilerStart() {
  return api(__func__, [] {});
}

cudaError_t cudaProfilerStop() {
  return api(__func__, [] {});
}

cudaError_t cudaGetLastError() {
  return Process::get().last_error(true);
}

cudaError_t cudaPeekAtLastError() {
  return Process::get().last_error(false);
}

const char* cudaGetErrorName(cudaError_t error) {
  return error_name(error);
}

const char* cudaGetErrorString(cudaError_t error) {
  return error_text(error);
}

}  // extern "C"
