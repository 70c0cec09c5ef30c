// metacheck: sparse metadata that PTX does not define or that lies where the selector does not look, and
// accumulators that cannot hold a result. The rules of codes and places are isa/metadata_check.h's.
//   "duplicate code", "mixed code"   undefined for any mma.sp
//   "descending code"                undefined for mma.sp::ordered_metadata only
//   "metadata in lanes of another selector"  a suspicion: the lanes that are read hold undefined codes, those
//                                    of another selector nothing but legal ones
//   "s32 accumulator overflows"      a result that wrapped; one that .satfinite clamps is what was asked for
//   "f16 accumulator overflows"      an infinite result of finite operands (also f32, f64)
//   "NaN from operands without NaN"
#include <array>
#include <bit>
#include <optional>
#include <unordered_map>

#include "twofour/emu/check/accumulator.h"
#include "twofour/emu/check/checkers.h"
#include "twofour/emu/check/matrix_site.h"
#include "twofour/emu/check/report.h"
#include "twofour/isa/metadata_check.h"

namespace twofour::emu::check {
namespace {

bool allowed(const isa::Instruction& i, isa::CodeKind kind) {
  return kind == isa::CodeKind::ordered || (i.family == isa::Family::mma_sp && !isa::is_undefined(kind));
}

/// Bytes of two allowed codes, for a look at whole registers.
struct AllowedBytes {
  explicit AllowedBytes(const isa::Instruction& i) {
    for (int b = 0; b < 256; ++b)
      byte[std::size_t(b)] = allowed(i, isa::code_kind(i.sparsity, std::uint8_t(b & 15))) &&
                             allowed(i, isa::code_kind(i.sparsity, std::uint8_t(b >> 4)));
  }
  bool word(std::uint32_t w) const {
    return byte[w & 255] && byte[w >> 8 & 255] && byte[w >> 16 & 255] && byte[w >> 24];
  }
  std::array<bool, 256> byte{};
};

/// Codes that the selector reads and the instruction does not allow.
std::vector<isa::MetadataFinding> bad_codes(const isa::Instruction& i, const LaneRegister& words,
                                            int selector) {
  auto found = isa::check_metadata(i, words, selector);
  std::erase_if(found, [&](const isa::MetadataFinding& f) { return allowed(i, f.kind); });
  return found;
}

/// A multiplication of the kernel and all that is known of it before it runs.
struct Watched {
  explicit Watched(const ptx::Site& s)
      : site(s),
        allowed_bytes(*s.matrix),
        selector(selector_of(s.instruction())),
        read_lanes(s.matrix->is_sparse() ? metadata_lanes(*s.matrix, selector) : 0) {}
  MatrixSite site;
  AllowedBytes allowed_bytes;
  int selector;
  std::uint32_t read_lanes;
};

class MetaBlock : public ptx::BlockObserver {
 public:
  explicit MetaBlock(Findings& findings) : findings_(findings) {}

  void before(ptx::Warp& warp, const ptx::Site& site, std::uint32_t lanes) override {
    if (site.matrix == nullptr || !site.matrix->multiplies() || lanes == 0) return;
    const Watched& w = watched(site);
    w.site.read(warp, operands_);
    if (site.matrix->is_sparse()) check_codes(warp, site, w);
  }

  // Nothing comes between the two calls for a matrix instruction.
  void after(ptx::Warp& warp, const ptx::Site& site, std::uint32_t lanes) override {
    if (site.matrix == nullptr || !site.matrix->multiplies() || lanes == 0) return;
    const Watched& w = watched(site);
    if (!w.site.has_result()) return;
    w.site.read_result(warp, result_);
    const isa::Instruction& i = *site.matrix;
    if (isa::is_float(i.d)) {
      const FloatResults bad = bad_floats(i, operands_, result_);
      report(warp, site, bad.overflow);
      report(warp, site, bad.nan);
    } else {
      report(warp, site, integer_overflow(i, operands_.c, result_));
    }
  }

 private:
  const Watched& watched(const ptx::Site& site) {
    if (last_ == nullptr || last_->first != &site) last_ = &*watched_.try_emplace(&site, site).first;
    return last_->second;
  }

  void report(ptx::Warp& warp, const ptx::Site& site, const BadResult& bad) {
    if (bad.lanes == 0) return;
    Finding f = finding_at(Tool::metacheck, warp, site, bad.lanes);
    f.error = bad.error;
    f.detail = bad.detail;
    findings_.add(std::move(f), warp.cta().linear_index());
  }

  void check_codes(ptx::Warp& warp, const ptx::Site& site, const Watched& w) {
    bool good = true;
    ptx::for_lanes(w.read_lanes,
                   [&](int l) { good &= w.allowed_bytes.word(operands_.metadata[std::size_t(l)]); });
    if (good) return;
    const isa::Instruction& i = *site.matrix;
    const auto found = bad_codes(i, operands_.metadata, w.selector);
    if (found.empty()) return;
    if (const auto other = other_selector(i)) return report(warp, site, misplaced(i, w, found, *other));
    for (const isa::CodeKind kind :
         {isa::CodeKind::duplicate, isa::CodeKind::mixed, isa::CodeKind::descending})
      report(warp, site, invalid(i, found, kind));
  }

  /// A selector whose lanes hold allowed codes only; not that of the instruction, whose codes are bad.
  std::optional<int> other_selector(const isa::Instruction& i) const {
    for (int s = 0; s < i.selectors(); ++s)
      if (bad_codes(i, operands_.metadata, s).empty()) return s;
    return std::nullopt;
  }

  static BadResult misplaced(const isa::Instruction& i, const Watched& w,
                             const std::vector<isa::MetadataFinding>& found, int other) {
    BadResult bad{"metadata in lanes of another selector", {}, 0};
    for (const isa::MetadataFinding& f : found) bad.lanes |= 1u << f.lane;
    bad.detail = fmt::format(
        "suspicious: lanes {} that selector {} reads hold codes that are not allowed ({}), while lanes {} of "
        "selector {} hold nothing but legal ones; is the selector wrong, or the lanes that were filled?",
        lanes_text(w.read_lanes), w.selector, isa::describe(i, found.front()),
        lanes_text(metadata_lanes(i, other)), other);
    return bad;
  }

  static BadResult invalid(const isa::Instruction& i, const std::vector<isa::MetadataFinding>& found,
                           isa::CodeKind kind) {
    BadResult bad{fmt::format("{} code", isa::name(kind)), {}, 0};
    int count = 0;
    for (const isa::MetadataFinding& f : found) {
      if (f.kind != kind) continue;
      if (count++ == 0) bad.detail = isa::describe(i, f);
      bad.lanes |= 1u << f.lane;
    }
    if (count > 1) bad.detail += fmt::format(", the first of {} such codes", count);
    return bad;
  }

  Findings& findings_;
  std::unordered_map<const ptx::Site*, Watched> watched_;
  const std::pair<const ptx::Site* const, Watched>* last_ = nullptr;
  MmaOperands operands_;
  Fragment result_;
};

class MetaCheck : public ptx::Observer {
 public:
  explicit MetaCheck(Findings& findings) : findings_(findings) {}
  std::unique_ptr<ptx::BlockObserver> observe(ptx::Grid&) override {
    return std::make_unique<MetaBlock>(findings_);
  }

 private:
  Findings& findings_;
};

}  // namespace

std::unique_ptr<ptx::Observer> make_metacheck(Findings& findings) {
  return std::make_unique<MetaCheck>(findings);
}

}  // namespace twofour::emu::check
