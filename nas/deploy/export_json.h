#pragma once
#include <string>

#include "twofour/nas/deploy/integer_network.h"

namespace twofour::nas {

/// Version of the file; it changes when a field changes its meaning or goes.
inline constexpr int deployed_schema_version = 1;

/// A deployed network as a JSON document, a line a layer. A layer has its name, wiring, shape, option, the
/// instruction that computes it, fixed-point scales (x -> (x * multiplier + 2^(shift-1)) >> shift), float
/// scales, biases in stream words, and its weights: base64 of the rows of Cout x K (K in the order r, s, c),
/// element i of a row from bit i * bits on, little end first, rows at whole bytes; one-bit weights are 1 for
/// +1.
std::string deployed_json(const DeployedNetwork& net);
/// The network of such a document, the same bit for bit. Throws Error that names file and field for anything
/// missing, unknown or out of range, and what check_network says.
DeployedNetwork parse_deployed(const std::string& text, const std::string& file);

/// The same with files.
void write_deployed(const std::string& path, const DeployedNetwork& net);
DeployedNetwork read_deployed(const std::string& path);

}  // namespace twofour::nas
