// The list agrees with the PTX beside it, and the data with what it claims. Nothing runs here.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "checks.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu::ptx::kernels {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> files_with(const std::string& extension) {
  std::vector<fs::path> found;
  for (const auto& f : fs::recursive_directory_iterator(kernel_path("")))
    if (f.path().extension() == extension) found.push_back(f.path());
  return found;
}

/// Entries of a PTX file, with the types of their parameters.
std::map<std::string, std::vector<std::string>> entries(const std::string& ptx) {
  std::map<std::string, std::vector<std::string>> found;
  const std::regex entry(R"(\.visible \.entry (\w+)\(([^)]*)\))"), parameter(R"(\.param \.(\w+))");
  for (std::sregex_iterator e(ptx.begin(), ptx.end(), entry), end; e != end; ++e) {
    const std::string list = (*e)[2];
    auto& types = found[(*e)[1]];
    for (std::sregex_iterator p(list.begin(), list.end(), parameter); p != std::sregex_iterator(); ++p)
      types.push_back((*p)[1]);
  }
  return found;
}

TEST(KernelFiles, EveryEntryIsListedOnceWithItsParameters) {
  std::map<std::string, const Kernel*> listed;
  const auto kernels = load_kernels();
  for (const auto& k : kernels) ASSERT_TRUE(listed.emplace(k.file + ":" + k.entry, &k).second) << k.entry;
  std::size_t count = 0;
  for (const auto& file : files_with(".ptx"))
    for (const auto& [entry, types] : entries(read(file))) {
      const auto at = listed.find(fs::relative(file, kernel_path("")).string() + ":" + entry);
      ASSERT_NE(at, listed.end()) << file << " " << entry << " is not in kernels.json";
      const auto& parameters = at->second->parameters;
      ASSERT_EQ(parameters.size(), types.size()) << entry;
      for (std::size_t i = 0; i < types.size(); ++i)
        EXPECT_EQ(types[i] == "u32" ? "scalar" : "pointer",
                  parameters[i].kind == "scalar" ? "scalar" : "pointer")
            << entry << " " << parameters[i].name;
      ++count;
    }
  EXPECT_EQ(count, listed.size()) << "kernels.json lists entries that no file has";
}

TEST(KernelFiles, EverySourceHasItsPtxAndNothingNamesAPath) {
  for (const auto& source : files_with(".cu")) {
    const std::string ptx = read(fs::path(source).replace_extension(".ptx"));
    EXPECT_NE(ptx.find(".target sm_80"), std::string::npos) << source;
    EXPECT_FALSE(std::regex_search(ptx, std::regex(R"((^|\n)\s*\.file\b|/(home|tmp|usr)/)"))) << source;
  }
}

TEST(KernelFiles, OnlyBrokenKernelsLackACheck) {
  for (const auto& k : load_kernels()) {
    EXPECT_EQ(k.is_broken, k.file.starts_with("broken/")) << k.entry;
    EXPECT_EQ(k.is_broken, k.check.kind.empty()) << k.entry;
  }
}

// A kernel that is compared with an instruction's whole-matrix path contains that instruction, or is wmma.
TEST(KernelFiles, MatrixKernelsContainTheirInstruction) {
  for (const auto& k : load_kernels()) {
    if (k.check.instruction.empty() || k.check.satfinite) continue;
    const bool wmma = k.file == "wmma_gemm.ptx";
    const auto spelling = wmma ? "wmma.mma.sync" : isa::ptx_name(isa::find_instruction(k.check.instruction));
    EXPECT_NE(read(kernel_path(k.file)).find(spelling), std::string::npos) << k.entry << " " << spelling;
  }
}

TEST(KernelFiles, BrokenKernelsContainTheInstructionThatTheyName) {
  for (const auto& k : load_kernels())
    if (!k.broken.tool.empty()) {
      ASSERT_FALSE(k.broken.instruction.empty()) << k.entry;
      EXPECT_NE(read(kernel_path(k.file)).find(k.broken.instruction), std::string::npos) << k.entry;
    }
}

// Data that did not pass through a kernel must not pass its check: outputs still hold the pattern they began
// with.
TEST(KernelFiles, EveryCheckFailsOnUntouchedOutputs) {
  for (const auto& k : load_kernels()) {
    if (k.is_broken || k.check.reference == "hello") continue;
    const Case data = make_case(k);
    EXPECT_NE(mismatch(data, data), "") << k.entry;
  }
}

// Codes and words say the same: each code, looked up where PTX puts it.
TEST(KernelFiles, MetadataWordsHoldTheCodes) {
  for (const auto& k : load_kernels())
    for (const auto& p : k.parameters) {
      if (p.kind != "words") continue;
      const Case data = make_case(k);
      const SparseMatrix& a = data.sparse.at(p.of);
      const auto& i = isa::find_instruction(p.instruction);
      const auto* words = data.buffers.at(p.name).as<std::uint32_t>();
      for (std::int64_t row = 0; row < a.rows(); ++row)
        for (std::int64_t g = 0; g < a.groups(); ++g) {
          const std::int64_t tile = row / 16 * (a.cols / i.shape.k) + g / i.groups();
          const auto at = isa::metadata_place(i, int(row % 16), int(g % i.groups()), p.selector);
          ASSERT_EQ(words[tile * 32 + at.lane] >> at.shift & 15, a.code(row, g)) << k.entry;
        }
    }
}

}  // namespace
}  // namespace twofour::emu::ptx::kernels
