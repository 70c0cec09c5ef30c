// Streams and events. Work is done when it is asked for, so both are always complete. An event holds the
// host's time: elapsed time is how long the emulation took, not how long a GPU would; in cycle mode it is the
// modelled time of the kernels.
#include <algorithm>

#include "twofour/runtime/api.h"
#include "twofour/runtime/cycle_mode.h"
#include "twofour/runtime/graph.h"

using namespace twofour::runtime;

namespace twofour::runtime {

void check_stream(cudaStream_t stream) {
  require(reinterpret_cast<std::uintptr_t>(stream) <= 2 || Process::get().streams.contains(stream),
          cudaErrorInvalidResourceHandle);
}

}  // namespace twofour::runtime

namespace {

constexpr int greatest_priority = -5;
constexpr unsigned event_without_time = 2;

CudaStream stream_properties(cudaStream_t stream) {
  check_stream(stream);
  if (Process::get().streams.contains(stream)) return *stream;
  return {.id = reinterpret_cast<std::uintptr_t>(stream)};
}

CudaEvent& event_of(cudaEvent_t event) {
  require(Process::get().events.contains(event), cudaErrorInvalidResourceHandle);
  return *event;
}

}  // namespace

extern "C" {

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  return api(__func__, [&] {
    Process& process = Process::get();
    require(flags <= 1, cudaErrorInvalidValue);
    required(stream) = new CudaStream{.flags = flags,
                                      .priority = std::min(0, std::max(priority, greatest_priority)),
                                      .id = process.next_stream++};
    process.streams.insert(*stream);
  });
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithPriority(stream, 0, 0);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return cudaStreamCreateWithPriority(stream, flags, 0);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return api(__func__, [&] {
    require(Process::get().streams.erase(stream) == 1, cudaErrorInvalidResourceHandle);
    delete stream;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return api(__func__, [&] { check_stream(stream); });
}
TWOFOUR_SAME_AS(cudaStreamSynchronize, cudaStreamSynchronize_ptsz);

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return api(__func__, [&] { check_stream(stream); });
}
TWOFOUR_SAME_AS(cudaStreamQuery, cudaStreamQuery_ptsz);

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return api(__func__, [&] {
    CudaGraph* const graph = capture_of(stream);
    const CudaEvent& e = event_of(event);
    if (e.capture == nullptr || reinterpret_cast<std::uintptr_t>(stream) <= 2) return;
    require(graph == nullptr || graph == e.capture, cudaErrorInvalidValue);
    stream->capture = e.capture;  // it joins
    for (CudaGraphNode* node : e.last)
      if (std::find(stream->last.begin(), stream->last.end(), node) == stream->last.end())
        stream->last.push_back(node);
  });
}
TWOFOUR_SAME_AS(cudaStreamWaitEvent, cudaStreamWaitEvent_ptsz);

cudaError_t cudaStreamGetPriority(cudaStream_t stream, int* priority) {
  return api(__func__, [&] { required(priority) = stream_properties(stream).priority; });
}
TWOFOUR_SAME_AS(cudaStreamGetPriority, cudaStreamGetPriority_ptsz);

cudaError_t cudaStreamGetFlags(cudaStream_t stream, unsigned* flags) {
  return api(__func__, [&] { required(flags) = stream_properties(stream).flags; });
}
TWOFOUR_SAME_AS(cudaStreamGetFlags, cudaStreamGetFlags_ptsz);

cudaError_t cudaStreamGetId(cudaStream_t stream, unsigned long long* id) {
  return api(__func__, [&] { required(id) = stream_properties(stream).id; });
}
TWOFOUR_SAME_AS(cudaStreamGetId, cudaStreamGetId_ptsz);

cudaError_t cudaStreamGetDevice(cudaStream_t stream, int* device) {
  return api(__func__, [&] {
    check_stream(stream);
    required(device) = 0;
  });
}
TWOFOUR_SAME_AS(cudaStreamGetDevice, cudaStreamGetDevice_ptsz);

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, int* status) {
  return api(__func__, [&] { required(status) = capture_of(stream) != nullptr ? 1 : 0; });
}
TWOFOUR_SAME_AS(cudaStreamIsCapturing, cudaStreamIsCapturing_ptsz);

cudaError_t cudaStreamSetAttribute(cudaStream_t stream, int attribute, const std::array<char, 64>* value) {
  return api(__func__, [&] {
    check_stream(stream);
    const auto& given = required(value);
    if (Process::get().streams.contains(stream)) stream->attributes[attribute] = given;
  });
}
TWOFOUR_SAME_AS(cudaStreamSetAttribute, cudaStreamSetAttribute_ptsz);

cudaError_t cudaStreamGetAttribute(cudaStream_t stream, int attribute, std::array<char, 64>* value) {
  return api(__func__, [&] {
    required(value) = {};
    const CudaStream properties = stream_properties(stream);
    if (const auto at = properties.attributes.find(attribute); at != properties.attributes.end())
      *value = at->second;
  });
}
TWOFOUR_SAME_AS(cudaStreamGetAttribute, cudaStreamGetAttribute_ptsz);

cudaError_t cudaStreamCopyAttributes(cudaStream_t to, cudaStream_t from) {
  return api(__func__, [&] {
    check_stream(to);
    const CudaStream properties = stream_properties(from);
    if (Process::get().streams.contains(to)) to->attributes = properties.attributes;
  });
}
TWOFOUR_SAME_AS(cudaStreamCopyAttributes, cudaStreamCopyAttributes_ptsz);

// The program's function may call the runtime, so it runs outside the lock.
cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t callback, void* data, unsigned) {
  const cudaError_t error = api(__func__, [&] {
    check_stream(stream);
    require(callback != nullptr, cudaErrorInvalidValue);
  });
  if (error == cudaSuccess) callback(stream, cudaSuccess, data);
  return error;
}
TWOFOUR_SAME_AS(cudaStreamAddCallback, cudaStreamAddCallback_ptsz);

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  bool captured = false;
  const cudaError_t error = api(__func__, [&] {
    require(function != nullptr, cudaErrorInvalidValue);
    captured = capture_of(stream) != nullptr;
    if (captured) set_host(captured_node(stream, NodeType::host), function, data);
  });
  if (error == cudaSuccess && !captured) function(data);
  return error;
}
TWOFOUR_SAME_AS(cudaLaunchHostFunc, cudaLaunchHostFunc_ptsz);

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return api(__func__, [&] {
    if (least) *least = 0;
    if (greatest) *greatest = greatest_priority;
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return api(__func__, [&] {
    required(event) = new CudaEvent{.flags = flags};
    Process::get().events.insert(*event);
  });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, 0);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return api(__func__, [&] {
    require(Process::get().events.erase(event) == 1, cudaErrorInvalidResourceHandle);
    delete event;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return api(__func__, [&] {
    CudaGraph* const graph = capture_of(stream);
    CudaEvent& e = event_of(event);
    e.capture = graph;
    e.last = graph != nullptr ? stream->last : std::vector<CudaGraphNode*>{};
    if (graph != nullptr) return;
    e.recorded = true;
    e.at = std::chrono::steady_clock::now();
    e.modelled_us = modelled_microseconds();
  });
}
TWOFOUR_SAME_AS(cudaEventRecord, cudaEventRecord_ptsz);

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned) {
  return cudaEventRecord(event, stream);
}
TWOFOUR_SAME_AS(cudaEventRecordWithFlags, cudaEventRecordWithFlags_ptsz);

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return api(__func__, [&] { event_of(event); });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return api(__func__, [&] { event_of(event); });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return api(__func__, [&] {
    const CudaEvent &a = event_of(start), &b = event_of(end);
    require(a.recorded && b.recorded && ((a.flags | b.flags) & event_without_time) == 0,
            cudaErrorInvalidResourceHandle);
    required(milliseconds) = cycle_mode() ? float((b.modelled_us - a.modelled_us) * 1e-3)
                                          : std::chrono::duration<float, std::milli>(b.at - a.at).count();
  });
}

}  // extern "C"
