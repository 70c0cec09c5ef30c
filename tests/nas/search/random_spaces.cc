#include "random_spaces.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "twofour/nas/space/space_file.h"

namespace twofour::nas {
namespace {

class NetworkMaker {
 public:
  explicit NetworkMaker(std::mt19937& random) : random_(random) {}

  Network make() {
    add("stem", 0, 16, 3, 1, false);
    int tensor = 1;
    for (int block = 0, blocks = 1 + below(2); block < blocks; ++block) tensor = add_block(block, tensor);
    add("classifier", tensor, 10, 1, 1, false);
    network_.name = "random";
    return network_;
  }

 private:
  int below(int n) { return int(random_() % unsigned(n)); }

  int channels(int tensor) const {
    return tensor == 0 ? 1 : int(network_.layers[std::size_t(tensor - 1)].shape.out_channels);
  }

  int add(const std::string& name, int input, int out, int kernel, int stride, bool depthwise) {
    Layer l;
    l.name = name;
    l.input = input;
    l.groups = depthwise ? channels(input) : 1;
    l.shape = {1, 8, 8, channels(input), out, kernel, kernel, stride, kernel / 2};
    network_.layers.push_back(l);
    return int(network_.layers.size());
  }

  int add_block(int block, int input) {
    const std::string name = fmt::format("b{}", block);
    const int kind = below(4), width = kind == 1 ? 32 : channels(input);
    if (kind == 0) return add(name + ".depthwise", input, channels(input), 3, 1, true);
    const int middle = add(name + ".a", input, 16 + 16 * below(2), 3, 1, false);
    if (kind == 3) return middle;
    const int proj = kind == 1 ? add(name + ".proj", input, width, 1, 1, false) : input;
    const int last = add(name + ".b", middle, width, below(2) ? 3 : 1, 1, false);
    network_.layers.back().residual = proj;
    return last;
  }

  std::mt19937& random_;
  Network network_;
};

std::string space_text(std::mt19937& random, const Network& network, bool shapes) {
  std::string text = fmt::format("schema = 1\nkind = \"{}\"\n", shapes ? "asps" : "msps");
  text += random() % 2 ? "menu = [\"fp16\", \"int8\", \"int8-2:4\"]\n" : "menu = [\"int8-2:4\", \"int8\"]\n";
  if (random() % 2) text += "edge_menu = [\"int8\"]\n";
  if (shapes) text += random() % 2 ? "kernels = [1, 3]\n" : "kernels = [3]\n";
  if (shapes) text += random() % 2 ? "widths = [1, 2]\n" : "widths = [1.0, 1.6, 3]\n";
  if (network.layers.size() > 3 && random() % 2)
    text += fmt::format("tie = [[\"{}\", \"{}\"]]\n", network.layers[1].name, network.layers[2].name);
  return text;
}

}  // namespace

emu::Latency made_up_latency(const Layer& l, Option option, std::uint64_t salt) {
  const emu::ConvShape& s = l.shape;
  std::uint64_t hash = salt;
  for (const std::int64_t field : {s.height, s.in_channels, s.out_channels, s.kernel_h, s.pad, s.stride,
                                   l.groups, std::int64_t(option), std::int64_t(l.residual >= 0)}) {
    hash = (hash ^ std::uint64_t(field)) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  emu::Latency latency;
  latency.microseconds = 1 + 99 * double(hash >> 11) * 0x1p-53;
  latency.low_us = latency.microseconds * (0.7 + 0.2 * double(hash & 15) / 15);
  latency.high_us = latency.microseconds * (1.1 + 0.3 * double(hash >> 4 & 15) / 15);
  return latency;
}

RandomSpace random_space(std::mt19937& random, bool shapes) {
  const Network network = NetworkMaker(random).make();
  RandomSpace made;
  made.salt = random();
  made.space = parse_space(space_text(random, network, shapes), "random.toml", network);
  for (const Decision& d : made.space.decisions) {
    made.costs.emplace_back();
    for (int v = 0; v < d.count(); ++v) made.costs.back().push_back(double(int(random() % 24) - 4) / 64);
  }
  return made;
}

std::vector<Tried> try_all(const RandomSpace& s) {
  std::vector<Tried> all;
  Candidate candidate(s.space.decisions.size(), 0);
  for (;;) {
    Tried tried{candidate, 0, 0};
    const Architecture made = architecture(s.space, candidate);
    for (std::size_t l = 0; l < made.options.size(); ++l)
      tried.units += std::llround(
          std::ldexp(made_up_latency(made.network.layers[l], made.options[l], s.salt).microseconds, 20));
    for (std::size_t d = 0; d < candidate.size(); ++d) tried.cost += s.costs[d][std::size_t(candidate[d])];
    all.push_back(tried);
    std::size_t d = 0;
    while (d < candidate.size() && ++candidate[d] == s.space.decisions[d].count()) candidate[d++] = 0;
    if (d == candidate.size()) return all;
  }
}

}  // namespace twofour::nas
