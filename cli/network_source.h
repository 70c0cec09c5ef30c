#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twofour/nas/graph/workload.h"

namespace twofour::cli {

/// A network, and what its batch counts: "images".
struct NetworkSource {
  nas::Workload workload;
  std::string_view item;
  std::vector<std::string> skipped;  ///< nodes of an ONNX file that count as nothing
};

/// The network that the command line names: a built-in one (words, --batch, --image, --sequence) or a file
/// (--onnx, --batch, --dim, --skip-unsupported). Throws Error that begins with the command's name.
NetworkSource load_network(std::string_view command, std::span<const std::string> words);

/// A line about the skipped nodes, or nothing.
std::string skipped_text(const NetworkSource& source);

}  // namespace twofour::cli
