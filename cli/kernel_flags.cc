#include "twofour/cli/kernel_flags.h"

#include <fmt/format.h>
#include <gflags/gflags.h>

#include <charconv>
#include <sstream>

#include "twofour/cli/conv_flag.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/instruction_flags.h"
#include "twofour/isa/error.h"

DEFINE_string(cta_tile, "128x128x32", "tile of a CTA: rows x columns of D x columns of k");
DEFINE_string(warp_grid, "2x2", "warps of a CTA: along its rows x along its columns");
DEFINE_int64(stages, 4, "k-chunks in shared memory, at least 2");
DEFINE_int64(split_k, 0, "CTAs that share the k of a tile; a second kernel adds their sums");
DEFINE_int64(stream_k, 0, "CTAs that share all k-chunks of all tiles equally");
DEFINE_int64(raster, 8, "columns of tiles that CTAs finish before the next ones");
DEFINE_int64(copy_bytes, 0, "bytes of a cp.async: 16, 8 or 4; the largest that K allows if not given");
DEFINE_string(epilogue, "", "scale, bias, residual, relu: those that are wanted, with commas");
DEFINE_string(store, "", "type of D: f32 f16 bf16 s32 s8 u8 s4 u4 b1; the accumulators' if not given");

namespace twofour::cli {
namespace {

using isa::ElementType;

/// Numbers separated by x.
std::vector<int> sizes(const char* flag, const std::string& text, std::size_t count) {
  std::vector<int> numbers;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, 'x');) {
    int n = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), n);
    if (error != std::errc() || end != part.data() + part.size() || n < 1 || n > 65536) break;
    numbers.push_back(n);
  }
  if (numbers.size() != count || text.back() == 'x')
    fail("flag --{}: '{}' is not {} sizes with x between them", flag, text, count);
  return numbers;
}

int small(const char* flag, std::int64_t value) {
  if (value < 0 || value > 1'000'000) fail("flag --{}: {} is out of range", flag, value);
  return int(value);
}

emu::Epilogue epilogue_from_flags(const isa::Instruction& i) {
  emu::Epilogue e{.output = FLAGS_store.empty() ? i.d : isa::parse_element(FLAGS_store)};
  std::istringstream in(FLAGS_epilogue);
  for (std::string step; std::getline(in, step, ',');) {
    if (step == "scale")
      e.scale = true;
    else if (step == "bias")
      e.bias = true;
    else if (step == "residual")
      e.residual = true;
    else if (step == "relu")
      e.relu = true;
    else
      fail("flag --epilogue: '{}' is none of scale, bias, residual, relu", step);
  }
  return e;
}

emu::Schedule schedule_from_flags(const emu::KernelProblem& p) {
  const std::vector<int> tile = sizes("cta-tile", FLAGS_cta_tile, 3),
                         warps = sizes("warp-grid", FLAGS_warp_grid, 2);
  const int bits = tile[2] * isa::bits(p.instruction->b);
  if (bits % 8 != 0)
    fail("flag --cta-tile: {} columns of {} are not whole bytes", tile[2], isa::name(p.instruction->b));
  emu::Schedule s;
  s.tile = {tile[0], tile[1], bits / 8, small("stages", FLAGS_stages), warps[0], warps[1]};
  s.raster_columns = small("raster", FLAGS_raster);
  s.alignment = FLAGS_copy_bytes == 0 ? emu::largest_alignment(p) : small("copy-bytes", FLAGS_copy_bytes);
  if (FLAGS_split_k != 0 && FLAGS_stream_k != 0) fail("give either --split-k or --stream-k");
  if (FLAGS_split_k != 0) {
    s.decomposition = emu::Decomposition::split_k;
    s.splits = small("split-k", FLAGS_split_k);
  }
  if (FLAGS_stream_k != 0) s.decomposition = emu::Decomposition::stream_k;
  return s;
}

std::string decomposition_text(const emu::Kernel& k) {
  switch (k.schedule.decomposition) {
    case emu::Decomposition::data_parallel: break;
    case emu::Decomposition::split_k: return fmt::format("split-k {}", k.schedule.splits);
    case emu::Decomposition::stream_k: return fmt::format("stream-k on {} CTAs", k.problem.places);
  }
  return "data parallel";
}

/// The GEMM of a convolution: D is NHWC, and a sparse k is filled up to whole instructions.
void set_convolution(emu::KernelProblem& p) {
  if (FLAGS_m != 0 || FLAGS_n != 0 || FLAGS_k != 0) fail("give either --m, --n and --k, or --conv");
  const auto c = conv_from_flag();
  emu::implicit_gemm(c);  // refuses sizes out of range
  p.conv = emu::ConvShape{.batch = c.batch,
                          .height = c.height,
                          .width = c.width,
                          .in_channels = c.channels,
                          .out_channels = c.filters,
                          .kernel_h = c.kernel_h,
                          .kernel_w = c.kernel_w,
                          .stride = c.stride,
                          .pad = c.padding};
  p.m = p.conv->gemm_m(), p.n = p.conv->gemm_n(), p.k = p.conv->gemm_k();
  const int step = p.instruction->shape.k;
  if (p.instruction->is_sparse()) p.k = (p.k + step - 1) / step * step;
  p.epilogue.transposed = p.epilogue.channel_is_row = true;
}

}  // namespace

std::vector<std::string_view> kernel_flags() {
  return {"m",        "n",      "k",          "conv",      "dtype",  "accumulator",
          "op",       "sparse", "cta_tile",   "warp_grid", "stages", "split_k",
          "stream_k", "raster", "copy_bytes", "epilogue",  "store"};
}

emu::Kernel kernel_from_flags() {
  emu::KernelProblem p;
  p.instruction = &instruction_by_type();
  p.epilogue = epilogue_from_flags(*p.instruction);
  if (conv_is_given())
    set_convolution(p);
  else
    p.m = FLAGS_m, p.n = FLAGS_n, p.k = FLAGS_k;
  for (const auto& [name, value] : {std::pair("m", p.m), std::pair("n", p.n), std::pair("k", p.k)})
    if (value < 1 || value > 1 << 20) fail("{} is {}; it must be 1 to {}", name, value, 1 << 20);
  if (FLAGS_stream_k != 0) p.places = small("stream-k", FLAGS_stream_k);
  return emu::plan_kernel(p, schedule_from_flags(p));
}

std::string schedule_text(const emu::Kernel& k) {
  const emu::Tile& t = k.schedule.tile;
  return fmt::format("tile {}x{}x{}, {} stages, {}x{} warps of {}x{}, copies of {} bytes, {}", t.m, t.n,
                     k.chunk_k, t.stages, t.warps_m, t.warps_n, k.warp_m, k.warp_n, k.schedule.alignment,
                     decomposition_text(k));
}

nlohmann::ordered_json schedule_json(const emu::Kernel& k) {
  const emu::Tile& t = k.schedule.tile;
  return {{"tile", {{"m", t.m}, {"n", t.n}, {"k", k.chunk_k}}},
          {"stages", t.stages},
          {"warps_m", t.warps_m},
          {"warps_n", t.warps_n},
          {"copy_bytes", k.schedule.alignment},
          {"decomposition", decomposition_text(k)},
          {"shared_bytes", k.shared_bytes},
          {"registers", k.registers.count}};
}

}  // namespace twofour::cli
