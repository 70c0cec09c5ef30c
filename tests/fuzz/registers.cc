#include <fmt/format.h>

#include <stdexcept>

#include "../emu/oracle_warp.h"
#include "targets.h"
#include "twofour/isa/error.h"

namespace twofour::fuzz {
namespace {

/// Bytes one after the other, and from the start again, so that a few bytes fill all registers.
class Stream {
 public:
  explicit Stream(Bytes bytes) : bytes_(bytes) {}
  std::uint32_t byte() { return bytes_[at_++ % bytes_.size()]; }
  std::uint32_t word() {
    std::uint32_t w = 0;
    for (int n = 0; n < 4; ++n) w = w << 8 | byte();
    return w;
  }
  void fill(emu::Fragment& f) {
    for (auto& lanes : f.word)
      for (auto& w : lanes) w = word();
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

/// Whether execute may refuse what it was asked.
bool is_legal(const isa::Instruction& i, const emu::MmaOperands& x, const emu::NumericOptions& options) {
  if (i.is_sparse() && (x.selector < 0 || x.selector >= i.selectors())) return false;
  if (options.satfinite && (isa::is_float(i.a) || i.a == isa::ElementType::b1)) return false;
  return oracle::knows(i, options.architecture);
}

}  // namespace

void registers(Bytes bytes) {
  if (bytes.size() < 4) return;
  static const std::vector<isa::Instruction> rows = oracle::covered_rows();
  const auto& i = rows[bytes[0] % rows.size()];
  const emu::NumericOptions options{.architecture = static_cast<isa::Architecture>(bytes[1] % 6),
                                    .satfinite = (bytes[1] & 0x80) != 0};
  emu::MmaOperands x;
  x.selector = int(bytes[2] % 6) - 1;
  Stream stream(bytes.subspan(3));
  for (auto* fragment : {&x.a, &x.b, &x.c}) stream.fill(*fragment);
  for (auto& word : x.metadata) word = stream.word();

  const bool legal = is_legal(i, x, options);
  emu::Fragment got;
  try {
    got = emu::execute(i, x, options);
  } catch (const Error& e) {
    if (legal) throw std::logic_error(fmt::format("{} is refused: {}", isa::short_name(i), e.what()));
    return;
  }
  if (!legal) throw std::logic_error(fmt::format("{} is not refused", isa::short_name(i)));
  const oracle::Options same_options{.architecture = options.architecture, .satfinite = options.satfinite};
  if (!oracle::same(i, got, oracle::execute(i, x, same_options)))
    throw std::logic_error(
        fmt::format("{} on {} differs from the oracle", isa::short_name(i), isa::name(options.architecture)));
}

}  // namespace twofour::fuzz
