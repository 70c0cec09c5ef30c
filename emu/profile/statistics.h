#pragma once
// What launches executed: instructions by kind, memory traffic, matrix instructions. Counts of warp
// instructions hold those whose guard stopped every lane, as the launch's own count does.
#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "twofour/emu/ptx/module.h"
#include "twofour/isa/architecture.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu::profile {

/// matrix: mma, wmma.mma. memory: whatever moves data between registers and memory, ldmatrix, wmma.load,
/// atomics, cp.async and mbarrier included. control: branches, calls, barriers, fences. arithmetic: the rest.
enum class Class : std::uint8_t { matrix, memory, arithmetic, control };
inline constexpr std::size_t classes = 4;
std::string_view name(Class c);

/// By the lanes that execute an access; wmma.load and wmma.store by their tile. Atomics load and store.
struct Traffic {
  std::uint64_t loaded = 0, stored = 0;  ///< bytes
};

struct Statistics {
  std::array<std::uint64_t, classes> by_class = {};
  std::map<std::string, std::uint64_t> by_opcode;  ///< "ld", "mma", "cp"
  /// By ptx::Space. A generic address that leads to a .const variable counts as global.
  std::array<Traffic, 6> traffic = {};
  /// Different sectors of 32 bytes of global memory, instruction by instruction: what the L1 cache is asked
  /// for.
  std::uint64_t global_sectors = 0;
  /// Passes through the banks of shared memory (emu/timing/bank_conflicts.h). Atomics count as a load does;
  /// wmma.load and wmma.store, whose accesses PTX does not define, count nothing.
  std::uint64_t shared_wavefronts = 0;
  std::map<const isa::Instruction*, std::uint64_t> matrix;  ///< rows of the instruction table

  std::uint64_t instructions() const;  ///< warp instructions
  Statistics& operator+=(const Statistics& other);
};

/// {"instructions": {"total", "by_class", "by_opcode"}, "memory": {...}, "matrix": [{"instruction",
/// "executed", "fidelity", "evidence"}]}
nlohmann::ordered_json json(const Statistics& statistics, isa::Architecture architecture);

}  // namespace twofour::emu::profile
