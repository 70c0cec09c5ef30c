#pragma once
// cudaDeviceProp as CUDA 12 and as CUDA 13 lay it out; a program has the one of the toolkit that built it.
// Textures, surfaces and everything else that is not here stay zero.
#include <cstddef>

#include "twofour/runtime/device_facts.h"

namespace twofour::runtime {

/// What both layouts start with.
struct DevicePropHead {
  char name[256];
  char uuid[16], luid[8];
  unsigned luid_node_mask;
  std::size_t total_global, shared_per_block;
  int registers_per_block, warp_size;
  std::size_t pitch;
  int max_threads, max_block_size[3];
};

/// What stands between textures and the end in both, up to the memory's clock.
struct DevicePropMiddle {
  std::size_t surface_alignment;
  int concurrent_kernels, ecc, pci_bus, pci_device, pci_domain, tcc, async_engines, unified_addressing;
};

struct DeviceProp12 {
  DevicePropHead head;
  int max_grid_size[3], clock_khz;
  std::size_t total_constant;
  int major, minor;
  std::size_t texture_alignment, texture_pitch_alignment;
  int overlap, sms, kernel_timeout, integrated, map_host, compute_mode;
  int textures[40];  ///< maxTexture1D .. maxSurfaceCubemapLayered
  DevicePropMiddle middle;
  int memory_khz, bus_bits, l2_bytes, persisting_l2, threads_per_sm, priorities, global_l1, local_l1;
  std::size_t shared_per_sm;
  int registers_per_sm, managed, multi_gpu, multi_gpu_group, native_atomics, single_to_double, pageable,
      concurrent_managed, preemption, registered_pointers, cooperative, cooperative_multi;
  std::size_t shared_optin;
  int pageable_tables, direct_managed, ctas_per_sm, policy_window;
  std::size_t shared_reserved;
  int host_register, sparse_arrays, register_read_only, timeline, pools, rdma;
  unsigned rdma_flush;
  int rdma_order;
  unsigned pool_handles;
  int deferred_arrays, ipc_events, clusters, unified_functions;
  int reserved[63];
};

struct DeviceProp13 {
  DevicePropHead head;
  int max_grid_size[3];
  std::size_t total_constant;
  int major, minor;
  std::size_t texture_alignment, texture_pitch_alignment;
  int sms, integrated, map_host;
  int textures[39];  ///< the same without maxTexture1DLinear
  DevicePropMiddle middle;
  int bus_bits, l2_bytes, persisting_l2, threads_per_sm, priorities, global_l1, local_l1;
  std::size_t shared_per_sm;
  int registers_per_sm, managed, multi_gpu, multi_gpu_group, native_atomics, pageable, concurrent_managed,
      preemption, registered_pointers, cooperative;
  std::size_t shared_optin;
  int pageable_tables, direct_managed, ctas_per_sm, policy_window;
  std::size_t shared_reserved;
  int host_register, sparse_arrays, register_read_only, timeline, pools, rdma;
  unsigned rdma_flush;
  int rdma_order;
  unsigned pool_handles;
  int deferred_arrays, ipc_events, clusters, unified_functions;
  int numa_config, numa_id, mps, host_numa_id;
  unsigned pci_device_id, pci_subsystem_id;
  int numa_ipc;
  int reserved[56];
};

DeviceProp12 device_prop_12(const DeviceFacts& facts);
DeviceProp13 device_prop_13(const DeviceFacts& facts);

}  // namespace twofour::runtime
