#pragma once
#include <string>
#include <vector>

#include "twofour/nas/train/engine.h"

namespace twofour::nas {

/// Results of a finished stage in a JSON file, with the fingerprint of what they depend on.
void store_numbers(const std::string& path, const Fingerprint& fingerprint,
                   const std::vector<double>& numbers);

/// The numbers, or none if the file is not there, or is of another fingerprint (which is said on stderr: the
/// stage runs again). Throws Error if the file is damaged.
std::vector<double> load_numbers(const std::string& path, const Fingerprint& fingerprint);

}  // namespace twofour::nas
