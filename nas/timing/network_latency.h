#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "twofour/emu/timing/gemm_latency.h"
#include "twofour/nas/graph/workload.h"
#include "twofour/nas/timing/constants.h"

namespace twofour::nas {

/// How the kernel that a node heads runs in a network of mixed types.
struct NodeForm {
  isa::ElementType type = isa::ElementType::f16;
  bool sparse = false;                  ///< 2:4 weights, faster or not; refused where they are not legal
  int bits = 0;                         ///< of its activations as they are stored; 0: the type's
  std::optional<emu::Latency> latency;  ///< of a kernel that the model has no form of: taken as it is
};

struct NetworkOptions {
  isa::ElementType type = isa::ElementType::f16;  ///< f16, bf16, tf32, s8, s4 or b1
  bool sparse = false;                            ///< 2:4 weights wherever they are legal
  bool fusion = true;
  emu::Launch launch = emu::Launch::graph;  ///< as_measured: a stream and one host call, as the published
                                            ///< inference benchmark
  bool advise = true;                       ///< time the alternatives of every layer, too
  /// By node that heads a kernel; the others have the network's type. A tensor is then stored in the widest
  /// type that a kernel reads it in; for those of other types a kernel converts it first.
  std::map<int, NodeForm> forms = {};
};

/// The type of fp16, bf16, tf32, int8, int4, int1 (or f16, s8, s4, b1); throws Error that lists the names.
isa::ElementType parse_network_type(std::string_view name);
std::string_view network_type_name(isa::ElementType type);

/// What another form of a layer would bring.
struct Advice {
  std::string option;  ///< "2:4", "int8", "int4"
  bool legal = true;
  double gain = 0;     ///< time as it is over time with the option; for a layer that is 2:4, dense over 2:4
  bool pays = false;   ///< at least 2 % faster
  std::string reason;  ///< "1.31x, shared-memory now binds"; "not legal: 3 channels"
};

struct KernelLatency {
  std::string name;  ///< of the root node
  std::string ops;   ///< "Conv+BatchNormalization+Relu"
  NodeKind kind = NodeKind::elementwise;
  std::vector<int> nodes;  ///< of the workload; empty: a conversion of the input or of a tensor
  isa::ElementType type = isa::ElementType::f16;
  bool sparse = false;
  emu::Latency latency;            ///< launch as a graph node; schedule 0 for kernels that only stream
  double microseconds = 0;         ///< in the network
  double low_us = 0, high_us = 0;  ///< the kernel's own band, scaled to that
  double share = 0;                ///< of the network
  int launches = 1;
  std::int64_t macs = 0;
  double bytes = 0;           ///< that it moves at least, through L2 or DRAM
  int output_bits = 0;        ///< of a product's result as it is stored
  double residual_bytes = 0;  ///< that a product's epilogue reads
  bool reads_l2 = false, weights_in_l2 = false, residual_in_l2 = false, has_residual = false;
  std::vector<Advice> advice;
  std::string note;  ///< what was decided about it: kept int8, not fused
};

struct NetworkLatency {
  std::string network;
  std::int64_t batch = 1;
  double microseconds = 0;
  double low_us = 0, high_us = 0;  ///< as if every kernel erred the same way
  double host_us = 0;  ///< part of it that is no kernel: the first launch, and the host call of as_measured
  double items_per_second = 0;
  int launches = 0;
  double tensor_bound_share = 0;  ///< of the time, in kernels that the tensor pipe binds
  std::int64_t macs = 0, weights = 0;
  double peak_fraction = 0;  ///< multiply-adds over what the tensor pipes do in that time at the type's peak
  emu::TimingFidelity fidelity = emu::TimingFidelity::estimated;  ///< the worst of its products
  std::vector<KernelLatency> kernels;
};

/// Whether a node's weights may be 2:4: channels a multiple of 16, filters of 8, one group, constant weights,
/// a type with a sparse instruction. Empty, or why not: "3 channels".
std::string sparse_illegal(const Node& node, isa::ElementType type);

/// Latency of one inference, in steady state (the previous inference's traces are in L2). Kernels run one
/// after the other. The first layer and the classifier are never 2:4, and stay int8 in an int4 or int1
/// network, as do products of two activations. Tensors are stored in the type that their readers compute in;
/// softmax and layer normalisation of integer networks read 16 bits. An image arrives as fp32 and is
/// converted first. Throws Error for a workload that check() refuses, and for types that the machine lacks.
NetworkLatency network_latency(const Workload& workload, const NetworkOptions& options,
                               const isa::Machine& machine,
                               const NetworkConstants& constants = fitted_network_constants);

}  // namespace twofour::nas
