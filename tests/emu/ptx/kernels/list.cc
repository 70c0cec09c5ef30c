#include "list.h"

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "twofour/emu/matrix/random.h"
#include "twofour/emu/numerics/half.h"
#include "twofour/isa/error.h"

namespace twofour::emu::ptx::kernels {
namespace {

using nlohmann::json;

template <class T>
void get(const json& from, const char* key, T& to) {
  if (from.contains(key)) from.at(key).get_to(to);
}

Parameter read_parameter(const json& j) {
  Parameter p;
  j.at("name").get_to(p.name);
  j.at("kind").get_to(p.kind);
  get(j, "type", p.type);
  if (j.contains("shape")) {
    p.rows = j.at("shape").at(0);
    p.cols = j.at("shape").at(1);
  }
  get(j, "fill", p.fill);
  get(j, "seed", p.seed);
  get(j, "scale", p.scale);
  get(j, "low", p.low);
  get(j, "high", p.high);
  get(j, "value", p.value);
  get(j, "of", p.of);
  get(j, "instruction", p.instruction);
  get(j, "selector", p.selector);
  get(j, "after", p.after);
  get(j, "freed", p.freed);
  return p;
}

Kernel read_kernel(const json& j) {
  Kernel k;
  j.at("file").get_to(k.file);
  j.at("entry").get_to(k.entry);
  j.at("grid").get_to(k.grid);
  j.at("block").get_to(k.block);
  j.at("shared").get_to(k.shared);
  for (const auto& p : j.at("parameters")) k.parameters.push_back(read_parameter(p));
  k.is_broken = j.contains("broken");
  if (k.is_broken) {
    const json& b = j.at("broken");
    b.at("tool").get_to(k.broken.tool);
    b.at("error").get_to(k.broken.error);
    get(b, "space", k.broken.space);
    get(b, "instruction", k.broken.instruction);
    get(b, "block_index", k.broken.block_index);
    get(b, "warp", k.broken.warp);
    get(b, "lanes", k.broken.lanes);
  } else {
    const json& c = j.at("check");
    c.at("kind").get_to(k.check.kind);
    get(c, "instruction", k.check.instruction);
    get(c, "reference", k.check.reference);
    get(c, "satfinite", k.check.satfinite);
    get(c, "pad_k", k.check.pad_k);
    get(c, "batch", k.check.batch);
  }
  return k;
}

int type_bits(const std::string& type) {
  if (type == "u32") return 32;
  if (type == "u64") return 64;
  return isa::bits(isa::parse_element(type));
}

Buffer empty_buffer(const Parameter& p, std::byte pattern) {
  const auto row_bytes = (p.cols * type_bits(p.type) + 7) / 8;
  return {p.type, p.rows, p.cols, std::vector<std::byte>(std::size_t(p.rows * row_bytes), pattern)};
}

void scale_halves(Buffer& b, float scale) {
  if (b.type != "f16") fail("kernels.json: scale is for f16, not {}", b.type);
  for (std::size_t i = 0; i < b.bytes.size(); i += 2) {
    std::uint16_t half = 0;
    std::memcpy(&half, &b.bytes[i], 2);
    half = float_to_half(half_to_float(half) * scale);
    std::memcpy(&b.bytes[i], &half, 2);
  }
}

Buffer random_buffer(const Parameter& p) {
  std::mt19937_64 random(p.seed);
  const bool words = p.type == "u32";
  Buffer b = buffer(
      random_matrix(words ? isa::ElementType::s32 : isa::parse_element(p.type), p.rows, p.cols, random));
  b.type = p.type;
  if (p.scale != 1) scale_halves(b, float(p.scale));
  return b;
}

Buffer range_buffer(const Parameter& p) {
  std::mt19937_64 random(p.seed);
  Buffer b = empty_buffer(p, {});
  for (std::size_t i = 0; i * 4 < b.bytes.size(); ++i) {
    const auto value = std::int32_t(p.low + std::int64_t(random() % std::uint64_t(p.high - p.low + 1)));
    std::memcpy(&b.bytes[i * 4], &value, 4);
  }
  return b;
}

SparseMatrix random_sparse(const Parameter& p) {
  std::mt19937_64 random(p.seed);
  return compress(prune(random_matrix(isa::parse_element(p.type), p.rows, p.cols, random)));
}

Buffer words_buffer(const SparseMatrix& sparse, const Parameter& p) {
  const auto& i = isa::find_instruction(p.instruction);
  const std::int64_t tiles_m = sparse.rows() / i.shape.m, tiles_k = sparse.cols / i.shape.k;
  Buffer b{"u32", tiles_m * tiles_k, 32, std::vector<std::byte>(std::size_t(tiles_m * tiles_k * 128))};
  for (std::int64_t t = 0; t < tiles_m * tiles_k; ++t) {
    const auto words = metadata_registers(sparse, i, t / tiles_k, t % tiles_k, p.selector);
    std::memcpy(&b.bytes[std::size_t(t * 128)], words.data(), 128);
  }
  return b;
}

Buffer codes_buffer(const SparseMatrix& sparse) {
  Buffer b{"u8", sparse.rows(), sparse.groups(), std::vector<std::byte>(sparse.codes.size())};
  std::memcpy(b.bytes.data(), sparse.codes.data(), sparse.codes.size());
  return b;
}

Buffer make_buffer(const Parameter& p, Case& made) {
  if (p.kind == "compressed") return buffer((made.sparse[p.name] = random_sparse(p)).values);
  if (p.kind == "codes") return codes_buffer(made.sparse.at(p.of));
  if (p.kind == "words") return words_buffer(made.sparse.at(p.of), p);
  if (p.kind == "metadata") return words_buffer(random_sparse(p), p);
  if (p.fill == "random") return random_buffer(p);
  if (p.fill == "range") return range_buffer(p);
  if (p.fill == "zero" || !p.after.empty()) return empty_buffer(p, {});
  if (p.kind != "output")
    fail("kernels.json: parameter {} of kind {} says not what it holds", p.name, p.kind);
  return empty_buffer(p, std::byte(0xA5));
}

}  // namespace

std::string kernel_path(const std::string& file) {
  return TWOFOUR_SOURCE_DIR "/examples/kernels/" + file;
}

std::vector<Kernel> load_kernels() {
  std::ifstream in(kernel_path("kernels.json"));
  std::vector<Kernel> kernels;
  const json list = json::parse(in);
  for (const auto& k : list.at("kernels")) kernels.push_back(read_kernel(k));
  return kernels;
}

PackedMatrix matrix(const Buffer& b) {
  PackedMatrix m(isa::parse_element(b.type), b.rows, b.cols);
  for (std::int64_t r = 0; r < b.rows; ++r)
    std::memcpy(m.row(r).data(), &b.bytes[std::size_t(r * m.row_bytes())], std::size_t(m.row_bytes()));
  return m;
}

Buffer buffer(const PackedMatrix& m) {
  Buffer b{std::string(isa::name(m.type())), m.rows(), m.cols(), {}};
  for (std::int64_t r = 0; r < m.rows(); ++r) b.bytes.insert(b.bytes.end(), m.row(r).begin(), m.row(r).end());
  return b;
}

Case make_case(const Kernel& kernel) {
  Case made;
  made.kernel = &kernel;
  for (const auto& p : kernel.parameters) {
    if (p.kind == "scalar")
      made.scalars[p.name] = p.value;
    else
      made.buffers[p.name] = make_buffer(p, made);
  }
  return made;
}

}  // namespace twofour::emu::ptx::kernels
