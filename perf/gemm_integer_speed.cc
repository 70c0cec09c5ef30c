// Exact integer and single-bit GEMM beside peers of the same size, all cores, in one run. The contenders take
// turns for many rounds, so that a busy machine disturbs all of them alike; in its turn each runs twice, and
// the second run, with its own data in the caches, counts. The figure is the best of all rounds.
#include <fmt/format.h>
#include <gflags/gflags.h>
#include <omp.h>

#include <Eigen/Core>
#include <chrono>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "twofour/emu/matrix/gemm.h"
#include "twofour/emu/matrix/random.h"
#include "twofour/isa/error.h"
#ifdef TWOFOUR_HAVE_DNNL
#include <dnnl.hpp>
#endif

DEFINE_int32(rounds, 40, "rounds of all contenders");
DEFINE_int64(size, 1024, "M = N = K of the 8- and 4-bit GEMMs");
DEFINE_int64(bits_size, 4096, "M = N = K of the single-bit GEMM");

namespace {

using namespace twofour;

/// Keeps the compiler from dropping what computes p's contents.
void keep(const void* p) {
  asm volatile("" : : "g"(p) : "memory");
}

struct Contender {
  std::string name;
  std::function<void()> run;
  double best = std::numeric_limits<double>::infinity();  // seconds
};

void race(std::vector<Contender>& contenders, int rounds) {
  for (int round = 0; round < rounds; ++round)
    for (Contender& c : contenders) {
      c.run();
      const auto start = std::chrono::steady_clock::now();
      c.run();
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      c.best = std::min(c.best, taken.count());
    }
}

/// emu::gemm of random operands, from PackedMatrix to PackedMatrix.
Contender ours(const std::string& instruction, std::int64_t size) {
  const auto& i = isa::find_instruction(instruction);
  std::mt19937_64 random{1};
  const auto a = emu::random_matrix(i.a, size, size, random), b = emu::random_matrix(i.b, size, size, random);
  if (!i.is_sparse()) return {instruction, [&i, a, b] { keep(emu::gemm(i, a, b).row(0).data()); }};
  const auto sparse = emu::compress(emu::prune(a));
  return {instruction, [&i, sparse, b] { keep(emu::gemm(i, sparse, b).row(0).data()); }};
}

Contender eigen_int32(std::int64_t size) {
  using Matrix = Eigen::Matrix<std::int32_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Matrix a = Matrix::Random(size, size) / (1 << 24), b = Matrix::Random(size, size) / (1 << 24);
  return {"Eigen int32", [a, b, d = Matrix(size, size)]() mutable {
            d.noalias() = a * b;
            keep(d.data());
          }};
}

#ifdef TWOFOUR_HAVE_DNNL
/// oneDNN's matmul of u8 or s8 by s8 into s32. A is plain row-major; B is given as N x K, as ours is, and
/// brought to the layout that the primitive asks for in every round. D is allocated once.
Contender onednn(bool unsigned_a, std::int64_t size) {
  using dnnl::memory;
  const auto a_type = unsigned_a ? memory::data_type::u8 : memory::data_type::s8;
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const memory::dims dims{size, size};
  const memory::desc a_desc(dims, a_type, memory::format_tag::ab);
  const memory::desc b_plain(dims, memory::data_type::s8, memory::format_tag::ba);
  const memory::desc b_any(dims, memory::data_type::s8, memory::format_tag::any);
  const memory::desc d_desc(dims, memory::data_type::s32, memory::format_tag::ab);
  const dnnl::matmul::primitive_desc description({a_desc, b_any, d_desc}, engine);
  memory a(a_desc, engine), b(b_plain, engine), d(d_desc, engine);
  memory b_packed(description.weights_desc(), engine);
  std::mt19937 random(1);
  for (memory* m : {&a, &b})
    for (std::int64_t at = 0; at < size * size; ++at)
      static_cast<std::uint8_t*>(m->get_data_handle())[at] = std::uint8_t(random());
  const dnnl::reorder reorder(b, b_packed);
  const dnnl::matmul matmul(description);
  return {fmt::format("oneDNN {} x s8 ({})", unsigned_a ? "u8" : "s8", description.impl_info_str()),
          [=]() mutable {
            reorder.execute(stream, b, b_packed);
            matmul.execute(stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b_packed}, {DNNL_ARG_DST, d}});
            stream.wait();
          }};
}
#endif

/// As many pairs of bytes as M N K / 8 bits: AND, population count and sum over two arrays that stay in the
/// L1 cache. Compiled for this machine.
std::int64_t and_popcount_loop(const std::uint64_t* a, const std::uint64_t* b, std::int64_t words,
                               std::int64_t passes) {
  std::int64_t ones = 0;
#pragma omp parallel for reduction(+ : ones) schedule(static)
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    keep(a);
    for (std::int64_t w = 0; w < words; ++w) ones += __builtin_popcountll(a[w] & b[w]);
  }
  return ones;
}

Contender bare_popcount(std::int64_t size) {
  constexpr std::int64_t words = 1024;  // 8 KiB of each array
  std::vector<std::uint64_t> a(words, 0x123456789abcdef), b(words, 0xfedcba9876543210);
  return {"bare AND + popcount", [a, b, size] {
            const std::int64_t ones =
                and_popcount_loop(a.data(), b.data(), words, size * size * size / 64 / words);
            keep(&ones);
          }};
}

void print(const std::vector<Contender>& contenders, double products, const Contender& peer) {
  for (const Contender& c : contenders)
    fmt::print("{:<40} {:9.3f} ms {:9.1f} G/s  {:5.2f} of {}\n", c.name, c.best * 1e3,
               products / c.best / 1e9, peer.best / c.best, peer.name);
}

void compare() {
  fmt::print("{} threads, best of {} rounds; G/s counts products of the dense matrices\n",
             omp_get_max_threads(), FLAGS_rounds);

  std::vector<Contender> bytes{
      ours("m16n8k32.s32.s8.s8.s32", FLAGS_size), ours("m16n8k32.s32.u8.u8.s32", FLAGS_size),
      ours("m16n8k64.s32.s4.s4.s32", FLAGS_size), ours("sp.m16n8k64.s32.s8.s8.s32", FLAGS_size),
      ours("sp.m16n8k128.s32.s4.s4.s32", FLAGS_size)};
  const auto our_count = std::ptrdiff_t(bytes.size());
#ifdef TWOFOUR_HAVE_DNNL
  bytes.push_back(onednn(false, FLAGS_size));
  bytes.push_back(onednn(true, FLAGS_size));
#endif
  race(bytes, FLAGS_rounds);
  std::vector<Contender> eigen{eigen_int32(FLAGS_size)};
  race(eigen, 3);
  bytes.push_back(eigen[0]);
  const auto peer = *std::min_element(bytes.begin() + our_count, bytes.end(),
                                      [](const Contender& x, const Contender& y) { return x.best < y.best; });
  const double size = double(FLAGS_size), bits = double(FLAGS_bits_size);
  print(bytes, size * size * size, peer);
  fmt::print("s4 is {:.2f} of s8; sparse s8 is {:.2f} of s8; sparse s4 is {:.2f} of s4\n",
             bytes[0].best / bytes[2].best, bytes[0].best / bytes[3].best, bytes[2].best / bytes[4].best);

  std::vector<Contender> single{ours("m16n8k256.s32.b1.b1.s32.and", FLAGS_bits_size),
                                ours("m16n8k256.s32.b1.b1.s32.xor", FLAGS_bits_size),
                                bare_popcount(FLAGS_bits_size)};
  race(single, FLAGS_rounds / 4 + 1);
  print(single, bits * bits * bits, single[2]);
}

}  // namespace

int main(int argc, char** argv) {
  gflags::SetUsageMessage("exact integer GEMM against oneDNN, Eigen and a bare population count");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  try {
    compare();
  } catch (const Error& e) {
    fmt::print(stderr, "gemm_integer_speed: {}\n", e.what());
    return 2;
  }
}
