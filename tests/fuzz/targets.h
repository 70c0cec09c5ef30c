#pragma once
// What the fuzzers run: each takes any bytes and must return. A refusal (twofour::Error) is an answer; a
// crash, a sanitizer's report, any other exception, or a broken promise is a find.
#include <cstdint>
#include <span>
#include <string_view>

namespace twofour::fuzz {

using Bytes = std::span<const std::uint8_t>;

void replay_text(Bytes bytes);
void npy_file(Bytes bytes);  ///< the first byte chooses the element type
void machine_file(Bytes bytes);
void gemm_table(Bytes bytes);
void search_table(Bytes bytes);
void names(Bytes bytes);
void onnx_file(Bytes bytes);
void ptx_text(Bytes bytes);  ///< the tree of an accepted text points nowhere outside itself
void ptx_run(Bytes bytes);   ///< kernels run, twice: without observers and with
void fatbin(Bytes bytes);    ///< every PTX in it is unpacked
void elf_file(Bytes bytes);
void registers(Bytes bytes);  ///< instruction, options, registers: the result equals the oracle's

struct Target {
  std::string_view name;
  void (*run)(Bytes);
  std::string_view seeds;  ///< folder, from the root of the source tree
};
inline constexpr Target targets[] = {{"replay_text", replay_text, "tests/fuzz/seeds/replay_text"},
                                     {"npy_file", npy_file, "tests/fuzz/seeds/npy_file"},
                                     {"machine_file", machine_file, "machines"},
                                     {"gemm_table", gemm_table, "tests/fuzz/seeds/gemm_table"},
                                     {"search_table", search_table, "tests/fuzz/seeds/search_table"},
                                     {"onnx_file", onnx_file, "tests/nas/graph/models"},
                                     {"fatbin", fatbin, "tests/fuzz/seeds/fatbin"},
                                     {"elf_file", elf_file, "tests/fuzz/seeds/elf_file"},
                                     {"names", names, "tests/fuzz/seeds/names"},
                                     {"ptx_text", ptx_text, "tests/fuzz/seeds/ptx_text"},
                                     {"ptx_run", ptx_run, "tests/fuzz/seeds/ptx_run"},
                                     {"registers", registers, "tests/fuzz/seeds/registers"}};

}  // namespace twofour::fuzz
