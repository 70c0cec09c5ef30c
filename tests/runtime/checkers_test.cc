// Checkers of a process: each case is one of its own, for they report when it exits.
#include <gmock/gmock.h>

#include <cstdlib>

#include "calls.h"

namespace twofour::runtime {
namespace {

using testing::AllOf;
using testing::ExitedWithCode;
using testing::HasSubstr;
using testing::Not;

void* allocate(const CudaLibrary& cuda, std::size_t bytes) {
  void* p = nullptr;
  if (cuda.call("cudaMalloc", &p, bytes) != cudaSuccess) std::exit(99);
  return p;
}

/// Adds `n` elements of arrays of 300, frees all but `kept`, one of them `frees` times, and exits with 3.
[[noreturn]] void add(const char* tool, const char* status, int n, int kept = 0, int frees = 1) {
  ::setenv("TWOFOUR_TOOL", tool, 1);
  ::setenv("TWOFOUR_ERROR_EXITCODE", status, 1);
  ::setenv("TWOFOUR_LEAK_CHECK", "1", 1);
  static const CudaLibrary cuda(TWOFOUR_CUDART_13);
  Program program(cuda, "vector_add");
  void* arrays[3];
  for (void*& a : arrays) a = allocate(cuda, 300 * sizeof(float));
  program.launch(program.kernel("_Z3addPKfS0_Pfi"), {4, 1, 1}, {128, 1, 1}, 0,
                 {&arrays[0], &arrays[1], &arrays[2], &n});
  for (int i = 0; i < 3 - kept; ++i)
    for (int k = 0; k < (i == 0 ? frees : 1); ++k) cuda.call("cudaFree", arrays[i]);
  std::exit(3);
}

class Checkers : public testing::Test {
 protected:
  void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(Checkers, TheReportComesAtTheEndAndTheRefusalOnce) {
  // Element 300 is that of block 2, warp 1, lane 12; block 3 adds nothing, for which comes first is open.
  EXPECT_EXIT(
      add("memcheck,synccheck", "9", 384), ExitedWithCode(9),
      AllOf(HasSubstr("memcheck: out of bounds: 20 lanes read 4 bytes of global memory"),
            HasSubstr("kernel _Z3addPKfS0_Pfi"), HasSubstr("block (2, 0, 0), warp 1, lanes 12-31"),
            HasSubstr("1 finding: memcheck 1, synccheck 0"), Not(HasSubstr("memory access out of bounds"))));
}

TEST_F(Checkers, WithoutAStatusTheProgramsOwnStays) {
  EXPECT_EXIT(add("memcheck", "", 384), ExitedWithCode(3), HasSubstr("1 finding"));
}

TEST_F(Checkers, WithoutFindingsTheProgramsOwnStays) {
  EXPECT_EXIT(add("memcheck,bankcheck", "9", 300), ExitedWithCode(3),
              HasSubstr("0 findings: memcheck 0, bankcheck 0"));
}

TEST_F(Checkers, WhatWasNotFreed) {
  EXPECT_EXIT(add("memcheck", "9", 300, 2), ExitedWithCode(9),
              HasSubstr("memcheck: leak: 2 allocations, 2400 bytes, not freed"));
  EXPECT_EXIT(add("synccheck", "9", 300, 2), ExitedWithCode(3), Not(HasSubstr("leak")));
}

TEST_F(Checkers, WhatWasFreedTwice) {
  EXPECT_EXIT(add("memcheck", "9", 300, 0, 2), ExitedWithCode(9),
              AllOf(HasSubstr("memcheck: invalid free"), HasSubstr("which was freed")));
}

TEST_F(Checkers, UnknownTools) {
  EXPECT_EXIT(add("memchek", "9", 300), ExitedWithCode(2), HasSubstr("there is no memchek"));
}

}  // namespace
}  // namespace twofour::runtime
