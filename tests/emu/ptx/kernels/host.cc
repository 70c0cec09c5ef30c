// Host references of the kernels that are no plain matrix product. Each is written from the kernel's
// description.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "checks.h"
#include "twofour/emu/matrix/gemm.h"
#include "twofour/emu/numerics/half.h"
#include "twofour/isa/error.h"

namespace twofour::emu::ptx::kernels {
namespace {

template <class T>
std::vector<T> values(const Case& c, const std::string& name) {
  const Buffer& b = c.buffers.at(name);
  std::vector<T> v(b.bytes.size() / sizeof(T));
  std::memcpy(v.data(), b.bytes.data(), v.size() * sizeof(T));
  return v;
}

template <class T>
std::string compare(const Case& after, const std::string& name, const std::vector<T>& expected) {
  Buffer e = after.buffers.at(name);
  if (e.bytes.size() != expected.size() * sizeof(T)) fail("the reference of {} has another size", name);
  std::memcpy(e.bytes.data(), expected.data(), e.bytes.size());
  return difference(name, after.buffers.at(name), e);
}

// Part p of k: the chain of m16n8k16 over that part alone, from zero.
PackedMatrix split_part(const Case& before, std::int64_t part, std::int64_t parts) {
  const auto columns = [&](const PackedMatrix& m) {
    PackedMatrix cut(m.type(), m.rows(), m.cols() / parts);
    for (std::int64_t r = 0; r < cut.rows(); ++r)
      for (std::int64_t c = 0; c < cut.cols(); ++c) cut.set_bits(r, c, m.bits(r, part * cut.cols() + c));
    return cut;
  };
  return gemm(isa::find_instruction("m16n8k16.f32.f16.f16.f32"), columns(matrix(before.buffers.at("a"))),
              columns(matrix(before.buffers.at("b"))));
}

std::vector<float> words(const PackedMatrix& m) {
  std::vector<float> v;
  for (std::int64_t r = 0; r < m.rows(); ++r)
    v.insert(v.end(), m.row_as<float>(r), m.row_as<float>(r) + m.cols());
  return v;
}

// Two parts onto zeros: 0 + x is x, and the sum of two does not depend on their order.
std::string split_k_atomic(const Case& before, const Case& after) {
  std::vector<float> sum = words(split_part(before, 0, 2));
  const std::vector<float> other = words(split_part(before, 1, 2));
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += other[i];
  return compare(after, "d", sum);
}

std::string split_k_partial(const Case& before, const Case& after) {
  std::vector<float> all;
  for (int part = 0; part < 4; ++part) {
    const auto v = words(split_part(before, part, 4));
    all.insert(all.end(), v.begin(), v.end());
  }
  return compare(after, "parts", all);
}

std::string split_k_sum(const Case& before, const Case& after) {
  const auto parts = values<float>(before, "parts");
  const auto n = std::size_t(before.scalars.at("elements"));
  std::vector<float> sum(parts.begin(), parts.begin() + std::ptrdiff_t(n));
  for (std::size_t i = n; i < parts.size(); ++i) sum[i % n] += parts[i];
  return compare(after, "d", sum);
}

std::string sgemm(const Case& before, const Case& after) {
  const auto a = values<float>(before, "a"), b = values<float>(before, "b");
  const auto m = std::size_t(before.scalars.at("m")), n = std::size_t(before.scalars.at("n")),
             k = std::size_t(before.scalars.at("k"));
  std::vector<float> d(m * n, 0.0f);
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t kk = 0; kk < k; ++kk)
        d[i * n + j] = std::fma(a[i * k + kk], b[kk * n + j], d[i * n + j]);
  return compare(after, "d", d);
}

// The pairwise tree of shfl_down: value i takes value i + step. Of no consequence beyond `count`.
float tree_sum(std::vector<float> v) {
  for (std::size_t step = v.size() / 2; step > 0; step /= 2)
    for (std::size_t i = 0; i < step; ++i) v[i] += v[i + step];
  return v[0];
}

std::string reduction_f32(const Case& before, const Case& after) {
  const auto x = values<float>(before, "x");
  std::vector<float> sums;
  for (std::size_t block = 0; block < x.size(); block += 256) {
    std::vector<float> warps;
    for (std::size_t at = block; at < block + 256; at += 32)
      warps.push_back(tree_sum({x.begin() + std::ptrdiff_t(at), x.begin() + std::ptrdiff_t(at) + 32}));
    sums.push_back(tree_sum(warps));
  }
  return compare(after, "sums", sums);
}

std::string reduction_redux(const Case& before, const Case& after) {
  const auto bits = values<std::uint32_t>(before, "x");
  const auto x = values<std::int32_t>(before, "x");
  std::vector<std::uint32_t> results;
  for (std::size_t w = 0; w < x.size(); w += 32) {
    const auto first = x.begin() + std::ptrdiff_t(w);
    const auto ufirst = bits.begin() + std::ptrdiff_t(w);
    results.push_back(std::accumulate(ufirst, ufirst + 32, 0u));
    results.push_back(std::uint32_t(*std::min_element(first, first + 32)));
    results.push_back(std::uint32_t(*std::max_element(first, first + 32)));
    results.push_back(*std::min_element(ufirst, ufirst + 32));
    results.push_back(*std::max_element(ufirst, ufirst + 32));
    results.push_back(std::accumulate(ufirst, ufirst + 32, ~0u, std::bit_and<>()));
    results.push_back(std::accumulate(ufirst, ufirst + 32, 0u, std::bit_xor<>()));
  }
  return compare(after, "results", results);
}

std::string histogram(const Case& before, const Case& after) {
  std::vector<std::uint32_t> counts(256);
  for (const auto x : values<std::uint8_t>(before, "x")) ++counts[x];
  return compare(after, "counts", counts);
}

std::string first_maximum(const Case& before, const Case& after) {
  const auto x = values<std::uint32_t>(before, "x");
  const auto at = std::max_element(x.begin(), x.end());  // the first of equals
  const auto index = std::uint32_t(at - x.begin());
  return compare(after, "best", std::vector<std::uint64_t>{std::uint64_t(*at) << 32 | std::uint32_t(~index)});
}

std::string transpose(const Case& before, const Case& after) {
  const auto x = values<float>(before, "x");
  const auto rows = std::size_t(before.scalars.at("rows")), cols = std::size_t(before.scalars.at("cols"));
  std::vector<float> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i % cols * rows + i / cols] = x[i];
  return compare(after, "y", y);
}

// Steps 1, 2, 4 ...: element i takes element i - step.
template <class T>
void scan_in_steps(T* v, std::size_t count) {
  for (std::size_t step = 1; step < count; step *= 2)
    for (std::size_t i = count; i-- > step;) v[i] = T(v[i] + v[i - step]);
}

template <class T>
std::string prefix_scan(const Case& before, const Case& after) {
  auto y = values<T>(before, "x");
  for (std::size_t block = 0; block < y.size(); block += 512) {
    std::array<T, 16> parts;
    for (std::size_t w = 0; w < 16; ++w) {
      scan_in_steps(&y[block + 32 * w], 32);
      parts[w] = y[block + 32 * w + 31];
    }
    scan_in_steps(parts.data(), 16);
    for (std::size_t i = 32; i < 512; ++i) y[block + i] = T(y[block + i] + parts[i / 32 - 1]);
  }
  return compare(after, "y", y);
}

std::string mbarrier_pipeline(const Case& before, const Case& after) {
  const auto x = values<std::uint32_t>(before, "x");
  std::vector<std::uint32_t> y(512);
  for (std::size_t i = 0; i < x.size(); ++i) y[i % 512] += x[i] * std::uint32_t(i / 512 + 1);
  return compare(after, "y", y);
}

std::string call_table(const Case& before, const Case& after) {
  const auto op = values<std::int32_t>(before, "op"), a = values<std::int32_t>(before, "a"),
             b = values<std::int32_t>(before, "b");
  std::vector<std::uint32_t> y;
  for (std::size_t i = 0; i < op.size(); ++i) {
    const std::uint32_t x = std::uint32_t(a[i]), z = std::uint32_t(b[i]);
    y.push_back(op[i] == 0 ? 2 * x + z : op[i] == 1 ? x - z : std::uint32_t(std::max(a[i], b[i])));
  }
  return compare(after, "y", y);
}

std::uint32_t two_branches(std::uint32_t depth, std::uint32_t x) {
  return depth == 0 ? x + 1 : two_branches(depth - 1, x ^ depth) + two_branches(depth - 1, x + depth);
}

std::string call_recursive(const Case& before, const Case& after) {
  const auto a = values<std::uint32_t>(before, "a"), b = values<std::uint32_t>(before, "b");
  std::vector<std::uint32_t> y;
  for (std::size_t i = 0; i < a.size(); ++i)
    y.push_back(std::gcd(a[i], b[i]) + two_branches(std::uint32_t(before.scalars.at("depth")), a[i]));
  return compare(after, "y", y);
}

std::string divergent(const Case& before, const Case& after) {
  std::vector<std::uint32_t> steps, ballots(4);
  for (const auto x : values<std::uint32_t>(before, "x")) {
    std::uint32_t count = 0;
    for (std::uint64_t v = x; v > 1; ++count) v = v % 2 ? 3 * v + 1 : v / 2;
    if (count > 50) ballots[steps.size() / 32] |= 1u << steps.size() % 32;
    steps.push_back(count);
  }
  const std::string first = compare(after, "steps", steps);
  return first.empty() ? compare(after, "ballots", ballots) : first;
}

// O in double, with all of softmax exact. P is rounded to f16 before it meets V: relative 2^-11, or 2^-25
// below f16's normal numbers, on weights that the largest of is 1; the sum of weights is not rounded. All
// else (f32 sums of the mma, ex2.approx at 2^-22.5, the f32 scale) is far smaller: one more eighth covers it.
// So a row may be off by 1.125 * 2^-11 * max |V| + keys * 2^-25 * max |V|.
std::string attention(const Case& before, const Case& after) {
  const auto queries = std::size_t(before.scalars.at("queries")),
             keys = std::size_t(before.scalars.at("keys"));
  const auto halves = [&](const char* name) {
    std::vector<double> v;
    for (const auto h : values<std::uint16_t>(before, name)) v.push_back(double(half_to_float(h)));
    return v;
  };
  const auto q = halves("q"), k = halves("k"), v = halves("v");
  const auto got = values<float>(after, "o");
  double largest = 0;
  for (const double x : v) largest = std::max(largest, std::fabs(x));
  const double bound = largest * (1.125 * std::ldexp(1, -11) + double(keys) * std::ldexp(1, -25));
  for (std::size_t row = 0; row < queries; ++row) {
    std::vector<double> s(keys), o(64);
    for (std::size_t key = 0; key < keys; ++key)
      for (std::size_t c = 0; c < 64; ++c) s[key] += q[row * 64 + c] * k[key * 64 + c] / 8;
    const double top = *std::max_element(s.begin(), s.end());
    double sum = 0;
    for (std::size_t key = 0; key < keys; ++key) {
      const double p = std::exp(s[key] - top);
      sum += p;
      for (std::size_t c = 0; c < 64; ++c) o[c] += p * v[key * 64 + c];
    }
    for (std::size_t c = 0; c < 64; ++c)
      if (!(std::fabs(got[row * 64 + c] - o[c] / sum) <= bound))
        return fmt::format("o[{}][{}] is {}, expected {} within {}", row, c, got[row * 64 + c], o[c] / sum,
                           bound);
  }
  return {};
}

struct Named {
  const char* name;
  std::string (*check)(const Case&, const Case&);
};
constexpr Named references[] = {{"split_k_atomic", split_k_atomic},
                                {"split_k_partial", split_k_partial},
                                {"split_k_sum", split_k_sum},
                                {"sgemm", sgemm},
                                {"reduction_f32", reduction_f32},
                                {"reduction_redux", reduction_redux},
                                {"histogram", histogram},
                                {"first_maximum", first_maximum},
                                {"transpose", transpose},
                                {"prefix_scan_s32", prefix_scan<std::uint32_t>},
                                {"prefix_scan_f32", prefix_scan<float>},
                                {"mbarrier_pipeline", mbarrier_pipeline},
                                {"call_table", call_table},
                                {"call_recursive", call_recursive},
                                {"divergent", divergent},
                                {"attention", attention}};

}  // namespace

std::string host_mismatch(const std::string& reference, const Case& before, const Case& after) {
  for (const auto& r : references)
    if (reference == r.name) return r.check(before, after);
  fail("kernels.json: no host reference {}", reference);
}

}  // namespace twofour::emu::ptx::kernels
