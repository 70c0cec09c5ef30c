#pragma once
#include <cstddef>
#include <optional>
#include <span>

#include "twofour/emu/warp/fragment.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// A matrix in a span of bytes that stands for shared or global memory. The span's first byte counts as
/// aligned to everything.
struct MatrixAddress {
  std::uint64_t base = 0;  ///< byte offset of element (0, 0)
  /// Elements (not bytes, also of 4-bit types and single bits) from one row to the next of a row-major
  /// matrix, from one column to the next of a column-major one. Without it rows or columns touch.
  std::optional<std::int32_t> stride = {};
};

/// Bytes that a lane's fragment has: base and stride in bytes must be multiples of it. Source: PTX ISA 9.1,
/// "Matrix Storage" of wmma. 16 bytes suffice for a stride: so says the CUDA C++ Programming Guide of `ldm`,
/// and rows of 8 f16 (B of m32n8k16) are no longer than that.
int fragment_bytes(const isa::Instruction& instruction);

/// wmma.load: the fragment of the matrix at `at`. Elements that a fragment repeats are loaded as often.
/// Throws Error that names lane and address if an element lies outside memory, and Error if base or stride is
/// not aligned or the instruction is no wmma.load.
Fragment wmma_load(const isa::Instruction& instruction, std::span<const std::byte> memory,
                   const MatrixAddress& at);

/// wmma.store: writes the D fragment. Errors as wmma_load; nothing is written then.
void wmma_store(const isa::Instruction& instruction, const Fragment& d, std::span<std::byte> memory,
                const MatrixAddress& at);

}  // namespace twofour::emu
