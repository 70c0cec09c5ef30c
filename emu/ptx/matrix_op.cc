// mma, mma.sp and wmma.mma on the registers of a warp; runs of mma take operands that they share apart once.
#include <algorithm>
#include <cstring>

#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/decode.h"
#include "twofour/emu/ptx/matrix_op.h"

namespace twofour::emu::ptx {

void read_fragment(Warp& warp, const Registers& r, Fragment& f) {
  for (std::size_t k = 0; k < std::size_t(r.count); ++k) {
    if (!r.wide) {
      std::memcpy(f.word[k].data(), warp.pointer(r.refs[k]), sizeof f.word[k]);
      continue;
    }
    const auto* s = warp.reg<std::uint64_t>(r.refs[k]);
    for (std::size_t l = 0; l < lanes_of_warp; ++l) {
      f.word[2 * k][l] = std::uint32_t(s[l]);
      f.word[2 * k + 1][l] = std::uint32_t(s[l] >> 32);
    }
  }
}

void write_fragment(Warp& warp, const Registers& r, const Fragment& f) {
  for (std::size_t k = 0; k < std::size_t(r.count); ++k) {
    if (!r.refs[k]) continue;
    if (!r.wide) {
      std::memcpy(warp.pointer(r.refs[k]), f.word[k].data(), sizeof f.word[k]);
      continue;
    }
    auto* d = warp.reg<std::uint64_t>(r.refs[k]);
    for (std::size_t l = 0; l < lanes_of_warp; ++l)
      d[l] = f.word[2 * k][l] | std::uint64_t(f.word[2 * k + 1][l]) << 32;
  }
}

namespace {

NumericOptions numeric_options(isa::Architecture architecture, const MatrixOp& m) {
  return {architecture, m.spelling.satfinite, m.spelling.rounding};
}

/// What the architecture refuses, and registers of 64 bits a lane that no fast path takes.
void multiply_copies(Warp& warp, const MatrixOp& m) {
  with_place(warp, all_lanes, Fault::other, [&] {
    MmaOperands x;
    read_fragment(warp, m.a, x.a);
    read_fragment(warp, m.b, x.b);
    read_fragment(warp, m.c, x.c);
    if (m.metadata) std::memcpy(x.metadata.data(), warp.pointer(m.metadata), sizeof x.metadata);
    x.selector = m.selector;
    const isa::Architecture architecture = warp.cta().grid().machine->architecture;
    write_fragment(warp, m.d, execute(*m.spelling.instruction, x, numeric_options(architecture, m)));
  });
}

template <class Word>
void point_to(Warp& warp, const Registers& r, MmaRegisters::Words<Word>& to) {
  for (std::size_t k = 0; k < std::size_t(r.count); ++k) to[k] = warp.reg<std::uint32_t>(r.refs[k]);
}

std::size_t architecture_of(Warp& warp) {
  return std::size_t(warp.cta().grid().machine->architecture);
}

void point_to(Warp& warp, const MatrixOp& m, MmaRegisters& r) {
  point_to(warp, m.a, r.a);
  point_to(warp, m.b, r.b);
  point_to(warp, m.c, r.c);
  point_to(warp, m.d, r.d);
  if (m.metadata) r.metadata = warp.reg<std::uint32_t>(m.metadata);
}

void multiply_one(Warp& warp, const MatrixOp& m) {
  const PreparedMma& mma = m.prepared[architecture_of(warp)];
  if (mma.instruction == nullptr) return multiply_copies(warp, m);
  MmaRegisters r;
  point_to(warp, m, r);
  if (!mma.wide) return run(mma, r);
  if (!run_fast(mma, r)) multiply_copies(warp, m);
}

/// mma that follow one another, the same but for registers and selectors; none reads as A, B or metadata what
/// another writes.
struct Run {
  static constexpr std::size_t max_steps = 64, max_a = 8, max_b = 16, accumulators = 4;
  struct Step {
    const MatrixOp* op;
    std::size_t a, b;  ///< of those below
    std::array<std::uintptr_t, accumulators> c, d;
  };
  std::vector<Step> steps;
  std::vector<const MatrixOp*> a, b;  ///< one op for each different operand
};

bool same(const Registers& x, const Registers& y) {
  return x.count == y.count && std::equal(x.refs.begin(), x.refs.begin() + x.count, y.refs.begin());
}
bool same_a(const MatrixOp& x, const MatrixOp& y) {
  return same(x.a, y.a) && x.metadata == y.metadata && x.selector == y.selector;
}
bool same_b(const MatrixOp& x, const MatrixOp& y) {
  return same(x.b, y.b);
}
bool holds(const Registers& r, Ref ref) {
  return std::find(r.refs.begin(), r.refs.begin() + r.count, ref) != r.refs.begin() + r.count;
}
/// Whether x writes what y takes apart.
bool feeds(const MatrixOp& x, const MatrixOp& y) {
  return std::any_of(x.d.refs.begin(), x.d.refs.begin() + x.d.count,
                     [&](Ref d) { return d && (holds(y.a, d) || holds(y.b, d) || d == y.metadata); });
}
bool same_kind(const MatrixOp& x, const MatrixOp& y) {
  return x.spelling.instruction == y.spelling.instruction && x.spelling.satfinite == y.spelling.satfinite &&
         x.spelling.rounding == y.spelling.rounding;
}

template <class Same>
std::size_t place_among(const std::vector<const MatrixOp*>& all, const MatrixOp& m, const Same& same) {
  return std::size_t(std::find_if(all.begin(), all.end(), [&](const MatrixOp* x) { return same(*x, m); }) -
                     all.begin());
}

/// All of them are registers of the frame, as many as an accumulator of 16 x 8 has at most.
bool in_frame(const Registers& r) {
  return r.count <= int{Run::accumulators} &&
         std::none_of(r.refs.begin(), r.refs.begin() + r.count, [](Ref x) { return x.is_constant(); });
}
std::array<std::uintptr_t, Run::accumulators> offsets(const Registers& r) {
  std::array<std::uintptr_t, Run::accumulators> out = {};
  for (std::size_t n = 0; n < std::size_t(r.count); ++n) out[n] = r.refs[n].offset();
  return out;
}

/// False: it is not one of the run.
bool append(Run& run, const Op& op) {
  if (op.run != multiply || op.guard != no_guard) return false;
  const auto& m = *static_cast<const MatrixOp*>(op.data);
  if (!m.spelling.instruction->is_mma() || !in_frame(m.c) || !in_frame(m.d) ||
      run.steps.size() == Run::max_steps)
    return false;
  if (!run.steps.empty() && !same_kind(*run.steps.front().op, m)) return false;
  for (const Run::Step& step : run.steps)
    if (feeds(*step.op, m)) return false;
  const std::size_t a = place_among(run.a, m, same_a), b = place_among(run.b, m, same_b);
  if (a == Run::max_a || b == Run::max_b) return false;
  if (a == run.a.size()) run.a.push_back(&m);
  if (b == run.b.size()) run.b.push_back(&m);
  run.steps.push_back({&m, a, b, offsets(m.c), offsets(m.d)});
  return true;
}

void multiply_run(Warp& warp, const Op& op, std::uint32_t lanes) {
  need_all_lanes(warp, lanes);
  const auto& run = *static_cast<const Run*>(op.data);
  const MatrixOp& first = *run.steps.front().op;
  const std::size_t architecture = architecture_of(warp);
  const FastMma& fast = first.prepared[architecture].fast;
  if (fast.take_a == nullptr || !warp.skip(run.steps.size() - 1)) return multiply_one(warp, first);
  alignas(64) std::byte a[Run::max_a * FastMma::max_a_bytes], b[Run::max_b * FastMma::max_b_bytes];
  MmaRegisters r;
  for (std::size_t n = 0; n < run.a.size(); ++n) {
    point_to(warp, run.a[n]->a, r.a);
    if (run.a[n]->metadata) r.metadata = warp.reg<std::uint32_t>(run.a[n]->metadata);
    fast.take_a(run.a[n]->prepared[architecture], r, a + n * fast.a_bytes);
  }
  for (std::size_t n = 0; n < run.b.size(); ++n) {
    point_to(warp, run.b[n]->b, r.b);
    fast.take_b(run.b[n]->prepared[architecture], r, b + n * fast.b_bytes);
  }
  const std::uintptr_t frame = warp.registers();
  for (const Run::Step& step : run.steps) {
    for (std::size_t n = 0; n < Run::accumulators; ++n) {
      r.c[n] = reinterpret_cast<const std::uint32_t*>(frame + step.c[n]);
      r.d[n] = reinterpret_cast<std::uint32_t*>(frame + step.d[n]);
    }
    const PreparedMma& mma = step.op->prepared[architecture];
    if (fast.multiply(mma, a + step.a * fast.a_bytes, b + step.b * fast.b_bytes, r)) continue;
    point_to(warp, *step.op, r);
    mma.wide ? multiply_copies(warp, *step.op) : run_by_definition(mma, r);
  }
}

}  // namespace

void need_all_lanes(Warp& warp, std::uint32_t lanes) {
  if (const std::uint32_t missing = ~lanes; missing != 0)
    warp.fail(std::countr_zero(missing),
              "a matrix instruction needs all 32 lanes; lanes {:#010x} are not here", missing);
}

void multiply(Warp& warp, const Op& op, std::uint32_t lanes) {
  need_all_lanes(warp, lanes);
  multiply_one(warp, *static_cast<const MatrixOp*>(op.data));
}

void prepare_multiply(MatrixOp& m) {
  const isa::Instruction& i = *m.spelling.instruction;
  for (std::size_t n = 0; n < m.prepared.size(); ++n) {
    const NumericOptions options = numeric_options(isa::Architecture(n), m);
    try {
      m.prepared[n] = m.a.wide ? prepare_wide(i, options) : prepare(i, options, m.selector);
    } catch (const Error&) {  // said where it runs
    }
  }
}

void fuse_multiplications(Program& program) {
  for (std::size_t first = 0; first < program.ops.size();) {
    auto run = std::make_shared<Run>();
    std::size_t next = first;
    while (next < program.ops.size() && append(*run, program.ops[next])) ++next;
    if (run->a.size() + run->b.size() < 2 * run->steps.size()) {
      program.ops[first].run = multiply_run;
      program.ops[first].data = run.get();
      program.owned.push_back(std::move(run));
    }
    first = std::max(next, first + 1);
  }
}

}  // namespace twofour::emu::ptx
