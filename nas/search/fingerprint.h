#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace twofour::nas {

/// What measurements depend on, field by field and in full: the space's file, the network, a checksum of the
/// weights, the held-out images, the evaluator's version.
using Fingerprint = std::vector<std::pair<std::string, std::string>>;

/// Empty if the two are equal, in any order of fields; else a line for each field that differs, each begun
/// with "\n  ". Of texts of several lines only the first line that differs is quoted, of a long line what
/// stands around the first character that differs.
std::string differences(const Fingerprint& a, std::string_view name_a, const Fingerprint& b,
                        std::string_view name_b);

/// A text from which from_text() makes the same fingerprint, whatever bytes its fields have. from_text()
/// throws Error for any other text.
std::string to_text(const Fingerprint& fingerprint);
Fingerprint from_text(std::string_view text);

}  // namespace twofour::nas
