// Order and registers of the kernels in examples/kernels: what must hold whatever the rules choose.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "twofour/emu/profile/block_order.h"
#include "twofour/emu/profile/lowered_function.h"
#include "twofour/emu/profile/registers.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::emu::profile {
namespace {

const isa::Machine& machine() {
  static const isa::Machine m = isa::load_machine("a100-sxm4-80gb");
  return m;
}

template <class F>
void for_functions(F&& f) {
  int seen = 0;
  for (const auto& file : std::filesystem::directory_iterator(TWOFOUR_KERNELS)) {
    if (file.path().extension() != ".ptx") continue;
    const auto module = ptx::parse(isa::read_file(file.path().string()), file.path().filename().string());
    for (const auto& function : module.functions) {
      if (function.external || function.code.empty()) continue;
      SCOPED_TRACE(module.file + " " + function.name);
      f(function);
      ++seen;
    }
  }
  EXPECT_GT(seen, 40);
}

bool shares(const std::vector<int>& a, const std::vector<int>& b) {
  return std::any_of(a.begin(), a.end(), [&](int v) { return std::find(b.begin(), b.end(), v) != b.end(); });
}

TEST(CycleOrder, KeepsDependences) {
  for_functions([](const ptx::Function& f) {
    const Blocks blocks = find_blocks(f);
    const Values values = find_values(f, blocks);
    const auto order = block_order(f, blocks, values, machine());
    std::vector<int> rank(f.code.size(), -1);
    for (int n = 0; n < int(order.size()); ++n) rank[std::size_t(order[std::size_t(n)])] = n;
    ASSERT_EQ(order.size(), f.code.size());
    const auto stores = [](const ptx::Instruction& i) {
      return (i.opcode == "st" && !i.has("param")) || i.opcode == "atom" || i.opcode == "red" ||
             i.opcode == "cp";
    };
    for (int b = 0; b < blocks.count(); ++b) {
      const int begin = blocks.first[std::size_t(b)], end = blocks.first[std::size_t(b) + 1];
      for (int p = begin; p < end; ++p) {
        ASSERT_GE(rank[std::size_t(p)], begin);
        ASSERT_LT(rank[std::size_t(p)], end);
        const auto writes = values_written(f, values, p), reads = values_read(f, values, p);
        const auto& i = f.code[std::size_t(p)];
        for (int q = p + 1; q < end; ++q) {
          const auto later_writes = values_written(f, values, q), later_reads = values_read(f, values, q);
          const auto& j = f.code[std::size_t(q)];
          const bool bound =
              shares(writes, later_reads) || shares(writes, later_writes) || shares(reads, later_writes);
          const bool memory =
              (stores(i) && stores(j)) || (i.has("shared") && j.has("shared") && (stores(i) || stores(j)));
          const bool barrier = (i.opcode == "bar" && stores(j)) || (j.opcode == "bar" && stores(i)) ||
                               (i.opcode == "bar" && j.opcode == "ldmatrix");
          const bool gone = values.gone[std::size_t(p)] != 0 || values.gone[std::size_t(q)] != 0;
          const bool same_space =
              !(i.has("global") && j.has("shared")) && !(i.has("shared") && j.has("global"));
          if (!gone && (bound || (memory && same_space) || barrier)) {
            ASSERT_LT(rank[std::size_t(p)], rank[std::size_t(q)]) << i.text << " before " << j.text;
          }
        }
      }
    }
  });
}

TEST(CycleRegisters, ValuesThatLiveTogetherAreApart) {
  for_functions([](const ptx::Function& f) {
    const Blocks blocks = find_blocks(f);
    const Values values = find_values(f, blocks);
    const auto ranges = live_ranges(f, blocks, values, block_order(f, blocks, values, machine()));
    const Registers registers = give_registers(f, values, ranges);
    ASSERT_LE(registers.used, most_registers);
    EXPECT_TRUE(!registers.full || registers.used > most_registers - 8);
    if (registers.full) return;  // then some are shared
    const auto& all = values.values;
    for (std::size_t a = 0; a < all.size(); ++a)
      for (std::size_t b = a + 1; b < all.size(); ++b) {
        if (all[a].predicate || all[b].predicate) continue;  // seven may not be enough: then some are shared
        const bool meet = registers.first[a] < registers.first[b] + all[b].words &&
                          registers.first[b] < registers.first[a] + all[a].words;
        if (meet) {
          ASSERT_FALSE(overlap(ranges[a], ranges[b])) << "values " << a << " and " << b;
        }
      }
  });
}

int registers_of(const std::string& body) {
  const auto module = ptx::parse(
      ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 out)\n{\n"
      ".reg .b32 %r<64>; .reg .f64 %d<64>; .reg .b64 %a; ld.param.u64 %a, [out];\n" +
          body + "ret;\n}\n",
      "test.ptx");
  return LoweredFunction(*module.function("k"), machine()).registers();
}

TEST(CycleRegisters, AsManyAsLiveAtOnce) {
  std::string loads, stores, wide_loads, wide_stores;
  for (int k = 0; k < 20; ++k) {
    loads += fmt::format("ld.global.u32 %r{}, [%a+{}];\n", k, 4 * k);
    stores += fmt::format("st.global.u32 [%a+{}], %r{};\n", 200 + 4 * k, k);
    wide_loads += fmt::format("ld.global.f64 %d{}, [%a+{}];\n", k, 8 * k);
    wide_stores += fmt::format("st.global.f64 [%a+{}], %d{};\n", 400 + 8 * k, k);
  }
  EXPECT_EQ(registers_of(loads + stores), 20);  // the address is a constant
  EXPECT_EQ(registers_of(wide_loads + wide_stores), 40);
}

TEST(CycleRegisters, TooLargeFunctionsAreRefused) {
  // 2^16 values in as many blocks would take 1.5 GiB of sets.
  std::string body;
  constexpr int count = 1 << 16;
  std::string text =
      ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k()\n{\n.reg .b32 %r<65537>;\n"
      ".reg .pred %p;\n";
  for (int k = 0; k < count; ++k)
    text += fmt::format("@%p bra L{0};\nL{0}:\nadd.u32 %r{0}, %r{1}, 1;\n", k, k + 1);
  const auto module = ptx::parse(text + "ret;\n}\n", "large.ptx");
  try {
    LoweredFunction(*module.function("k"), machine());
    FAIL() << "nothing was refused";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("too large for the time model"), std::string::npos);
  }
}

}  // namespace
}  // namespace twofour::emu::profile
