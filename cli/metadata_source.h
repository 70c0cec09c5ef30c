#pragma once
#include <cstdint>
#include <string>

#include "twofour/emu/matrix/metadata_survey.h"

namespace twofour::cli {

/// The sparse instruction that --instruction names, or the one of the largest k for --dtype. Throws Error if
/// neither flag is given, or if they disagree.
const isa::Instruction& metadata_instruction();

/// --selector; throws Error if the instruction does not take it.
int metadata_selector(const isa::Instruction& i);

/// "selector 1 (0 to 3 are legal)"
std::string selector_text(const isa::Instruction& i, int selector);

/// Codes of a metadata file, of the size --m x --k where these are given. Errors name the file.
emu::MetadataCodes read_metadata(const std::string& file, const emu::MetadataForm& form);

/// "512 x 1024 f16"
std::string matrix_text(const emu::MetadataCodes& codes, const isa::Instruction& i);

/// "131071 ordered, 1 duplicate"
std::string counts_text(const emu::MetadataSurvey& survey);

}  // namespace twofour::cli
