#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "targets.h"
#include "twofour/emu/matrix/npy.h"
#include "twofour/emu/replay/replay.h"
#include "twofour/emu/timing/gemm_table.h"
#include "twofour/isa/error.h"
#include "twofour/isa/machine.h"
#include "twofour/nas/graph/onnx_import.h"
#include "twofour/nas/search/solver.h"
#include "twofour/runtime/elf_file.h"
#include "twofour/runtime/fatbin.h"

namespace twofour::fuzz {
namespace {

std::string text(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

void promise(bool kept, const char* what) {
  if (!kept) throw std::logic_error(what);
}

/// Calls act; a refusal must say something.
template <class Act>
void refusals_allowed(const Act& act) {
  try {
    act();
  } catch (const Error& e) {
    promise(*e.what() != '\0', "a refusal without words");
  }
}

/// A file of this process with these bytes, for readers that take a path.
std::string file_of(Bytes bytes) {
  static const std::string path =
      (std::filesystem::temp_directory_path() / ("twofour-fuzz-" + std::to_string(::getpid()))).string();
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
  return path;
}

void read_and_write_again(Bytes bytes, isa::ElementType type) {
  const std::string path = file_of(bytes);
  const emu::PackedMatrix matrix = emu::read_npy(path, type);
  emu::write_npy(path, matrix);
  promise(emu::read_npy(path, type) == matrix, "a matrix changes when it is written and read again");
}

}  // namespace

void replay_text(Bytes bytes) {
  for (const char* instruction : {"", "m16n8k8.f32.f16.f16.f32"})
    refusals_allowed([&] {
      std::istringstream in(text(bytes));
      emu::replay("text", in, {isa::Architecture::ampere, instruction});
    });
}

void npy_file(Bytes bytes) {
  if (bytes.empty()) return;
  const auto type = isa::parse_element(isa::element_table[bytes[0] % isa::element_table.size()].name);
  refusals_allowed([&] { read_and_write_again(bytes.subspan(1), type); });
  refusals_allowed([&] { emu::read_npy_integers(file_of(bytes.subspan(1))); });
  std::filesystem::remove(file_of({}));
}

void machine_file(Bytes bytes) {
  refusals_allowed([&] { promise(isa::load_machine(file_of(bytes)).sms >= 1, "a machine without an SM"); });
  std::filesystem::remove(file_of({}));
}

void gemm_table(Bytes bytes) {
  static const isa::Machine machine = isa::load_machine("a100-sxm4-80gb");
  refusals_allowed(
      [&] { emu::predict_gemms(isa::CsvTable::parse("table", text(bytes)), machine, emu::Launch::graph); });
}

void search_table(Bytes bytes) {
  refusals_allowed([&] {
    const nas::CostTable table = nas::parse_table(text(bytes), "table");
    if (table.layers.size() > 16) return;  // the solver has tests of its own; here it need not be fast
    const nas::LatencyRange range = nas::latency_range(table);
    for (const double budget : {range.least_ms, range.free_ms})
      promise(nas::solve(table, budget).latency_ms <= budget, "a choice above its budget");
  });
}

void onnx_file(Bytes bytes) {
  constexpr std::int64_t most = std::int64_t{1} << 50;  // sums of a few tensors of 2^40 elements
  for (const bool skip : {false, true})
    refusals_allowed([&] {
      const nas::OnnxOptions options{.batch = 2, .dims = {}, .skip_unsupported = skip};
      const auto import = nas::import_onnx(nas::onnx::parse_model(text(bytes), "model"), options);
      for (int i = 0; const nas::Node& n : import.workload.nodes) {
        for (const std::int64_t size : {n.elements_in, n.elements_out, n.weights, n.m, n.n, n.k, n.pad_h})
          promise(size >= 0 && size <= most, "a size out of range");
        for (const int input : n.inputs) promise(input >= -1 && input < i, "a node that reads a later one");
        ++i;
      }
    });
}

void fatbin(Bytes bytes) {
  refusals_allowed([&] {
    for (const auto& entry : runtime::read_fatbin(std::as_bytes(bytes), "fatbin"))
      refusals_allowed([&] { runtime::ptx_text(entry, "fatbin"); });
  });
}

void elf_file(Bytes bytes) {
  refusals_allowed([&] { runtime::read_elf(std::as_bytes(bytes), "program"); });
}

void names(Bytes bytes) {
  const std::string name = text(bytes);
  refusals_allowed([&] {
    const isa::Instruction& i = *isa::parse_spelling(name).instruction;
    if (name.find_first_of(" \t\n{") != std::string::npos || name.find(".r") != std::string::npos ||
        name.find(".satfinite") != std::string::npos)
      return;  // operands or qualifiers
    promise(name == isa::short_name(i) || name == isa::ptx_name(i), "another instruction's name");
  });
  refusals_allowed([&] { promise(isa::name(isa::parse_element(name)) == name, "another element's name"); });
  refusals_allowed(
      [&] { promise(isa::name(isa::parse_architecture(name)) == name, "another architecture's name"); });
  refusals_allowed([&] { promise(emu::name(emu::parse_launch(name)) == name, "another launch's name"); });
}

}  // namespace twofour::fuzz
