#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace twofour::emu {

/// Wavefronts of one access of a warp to shared memory: 32 banks of 4 bytes, one word a bank a wavefront;
/// lanes that want the same word share it. Accesses of 8 bytes a lane take half a warp at a time, of 16 bytes
/// a quarter (source: CUDA C++ programming guide, shared memory at compute capability 5.x and above, and
/// NVIDIA's answers on 64- and 128-bit accesses). Stores count alike, the data of cp.async too.
/// `addresses` in bytes from the start of shared memory; `active`: bit l is lane l; others are not read.
/// bytes_per_lane: 1, 2, 4, 8 or 16. Throws Error for another size and for addresses that are no multiple of
/// it.
int shared_wavefronts(std::span<const std::uint32_t, 32> addresses, int bytes_per_lane,
                      std::uint32_t active = ~0u);

/// Wavefronts of ldmatrix .x1, .x2 or .x4: one phase a matrix, its eight rows of 16 bytes at addresses
/// [8 j, 8 j + 8) of matrix j. matrices: 1, 2 or 4. Throws Error for another number and for rows that are not
/// aligned to 16 bytes.
int ldmatrix_wavefronts(std::span<const std::uint32_t, 32> addresses, int matrices);

}  // namespace twofour::emu
