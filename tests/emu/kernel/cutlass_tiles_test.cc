#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "../parallel.h"
#include "kernel_helpers.h"
#include "twofour/isa/csv.h"

namespace twofour::emu {
namespace {

/// One tile of generator.py with one instruction that it is offered for.
struct CutlassTile {
  const isa::Instruction* instruction;
  Schedule schedule;
};

/// "m16n8k16:bf16/bf16/f32" of a sparse or dense generator.
const isa::Instruction& instruction_of(const std::string& text, bool sparse) {
  const std::size_t colon = text.find(':'), slash = text.find('/'), last = text.rfind('/');
  const std::string shape = text.substr(0, colon), a = text.substr(colon + 1, slash - colon - 1),
                    b = text.substr(slash + 1, last - slash - 1), d = text.substr(last + 1);
  return isa::find_instruction((sparse ? "sp." : "") + shape + "." + d + "." + a + "." + b + "." + d +
                               (a == "b1" ? ".xor" : ""));
}

std::vector<CutlassTile> cutlass_tiles() {
  const auto table = isa::CsvTable::read(TWOFOUR_SOURCE_DIR "/data/timing/cutlass_sm80_tiles.csv");
  std::vector<CutlassTile> tiles;
  for (const auto& row : table.rows()) {
    const auto number = [&](const char* column) { return int(table.integer(row, column)); };
    EXPECT_EQ(number("warps_k"), 1);
    const bool sparse = table.field(row, "generator").text.starts_with("Sparse");
    std::istringstream names(table.field(row, "mma_instructions").text);
    for (std::string name; std::getline(names, name, ';');) {
      const isa::Instruction& i = instruction_of(name, sparse);
      tiles.push_back({&i, schedule_of(number("tb_m"), number("tb_n"), number("tb_k") * isa::bits(i.b) / 8,
                                       number("stages"), number("warps_m"), number("warps_n"))});
    }
  }
  return tiles;
}

/// One CTA of a small problem: the ring of stages goes round, M and N are cut off.
std::string complaint(const CutlassTile& t) {
  const Tile& tile = t.schedule.tile;
  const std::int64_t chunk = tile.k(t.instruction->b);
  const RandomProblem x(*t.instruction, tile.m - 5, tile.n - 3, chunk * (tile.stages + 1), false, 7);
  const Kernel k = plan_kernel(x.problem, t.schedule);
  if (run_kernel(k, x.operands()).d == x.product(k.chunk_k)) return {};
  return fmt::format("{} {}x{}x{} bytes, {} stages", isa::short_name(*t.instruction), tile.m, tile.n,
                     tile.k_bytes, tile.stages);
}

TEST(CutlassTiles, EveryTileOfTheGeneratorIsLegalAndEqualsGemm) {
  const std::vector<CutlassTile> tiles = cutlass_tiles();
  ASSERT_EQ(tiles.size(), 22u * 3 + 13 * 3 + 24 * 2 + 17 * 2 + 12 + 13 + 12 + 16 + 19 + 13);
  EXPECT_EQ(first_complaint(int(tiles.size()) / case_stride,
                            [&](int n) { return complaint(tiles[std::size_t(n * case_stride)]); }),
            "");
}

}  // namespace
}  // namespace twofour::emu
