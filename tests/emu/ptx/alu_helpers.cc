#include "alu_helpers.h"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "twofour/isa/error.h"

namespace alu_test {
namespace {

using namespace twofour::emu::ptx;

/// A register as the ALU sees it.
struct alignas(64) Storage {
  std::array<unsigned char, 32 * 8> bytes{};
};

void put(Storage& s, Type type, const Lanes& lanes) {
  if (type == Type::pred) {
    std::uint32_t mask = 0;
    for (int i = 0; i < 32; ++i) mask |= std::uint32_t(lanes[i] & 1) << i;
    std::memcpy(s.bytes.data(), &mask, 4);
    return;
  }
  const int size = bits(type) / 8;
  for (int i = 0; i < 32; ++i) std::memcpy(s.bytes.data() + i * size, &lanes[i], std::size_t(size));
}
Lanes get(const Storage& s, Type type) {
  Lanes lanes{};
  if (type == Type::pred) {
    std::uint32_t mask = 0;
    std::memcpy(&mask, s.bytes.data(), 4);
    for (int i = 0; i < 32; ++i) lanes[i] = mask >> i & 1;
    return lanes;
  }
  const int size = bits(type) / 8;
  for (int i = 0; i < 32; ++i) std::memcpy(&lanes[i], s.bytes.data() + i * size, std::size_t(size));
  return lanes;
}

Operand reg(int number) {
  Operand o;
  o.kind = Operand::Kind::reg;
  o.reg = number;
  return o;
}

Word random(std::uint64_t& seed) {
  seed += 0x9e3779b97f4a7c15;
  Word z = seed;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

Word width_mask(Type type) {
  return type == Type::pred ? 1 : bits(type) == 64 ? ~Word(0) : (Word(1) << bits(type)) - 1;
}

/// A float of `fraction` bits: special, near one, with few bits, or any.
Word float_operand(int fraction, int width, std::uint64_t& seed) {
  const Word r = random(seed), sign = (r >> 8 & 1) << (width - 1);
  const Word ones = (Word(1) << (width - 1 - fraction)) - 1, infinity = ones << fraction;
  const Word any = random(seed) & ((Word(1) << (width - 1)) - 1);
  switch (r & 15) {
    case 0: return sign;
    case 1: return sign | infinity;
    case 2: return sign | infinity | (any & ((Word(1) << fraction) - 1)) | 1;  // NaN with a payload
    case 3: return sign | (any & ((Word(1) << fraction) - 1));                 // subnormal
    case 4: return sign | 1;
    case 5: return sign | (infinity - 1);
    case 6: return sign | Word(1) << fraction;
    case 7: return sign | (Word(1) << fraction) - 1;
    case 8: return sign | ones / 2 << fraction;                                       // one
    case 9: return sign | (ones / 2 + (r >> 10 & 3)) << fraction | (any >> (width - 4));  // few ulp over
    case 10:
    case 11:
    case 12: return sign | ((ones / 2 - 8 + (r >> 10 & 15)) << fraction) | (any & ((Word(1) << fraction) - 1));
    case 13: return sign | ((ones / 2 - 8 + (r >> 10 & 15)) << fraction) | Word(3) << (fraction - 2);  // ties
    default: return sign | any;
  }
}
Word integer_operand(int width, std::uint64_t& seed) {
  const Word r = random(seed), any = random(seed);
  switch (r & 7) {
    case 0: return r >> 8 & 3;
    case 1: return ~(r >> 8 & 3);
    case 2: return Word(1) << (width - 1);
    case 3: return (Word(1) << (width - 1)) - 1;
    case 4: return any >> (r >> 8 & 63);
    case 5: return r >> 8 & 127;
    default: return any;
  }
}

}  // namespace

Word operand(Type type, std::uint64_t& seed) {
  switch (type) {
    case Type::f16: return float_operand(10, 16, seed);
    case Type::bf16: return float_operand(7, 16, seed);
    case Type::f16x2: return float_operand(10, 16, seed) | float_operand(10, 16, seed) << 16;
    case Type::bf16x2: return float_operand(7, 16, seed) | float_operand(7, 16, seed) << 16;
    case Type::f32: return float_operand(23, 32, seed);
    case Type::f64: return float_operand(52, 64, seed);
    default: return integer_operand(std::max(bits(type), 2), seed) & width_mask(type);
  }
}

Alu decode(const std::string& spelling, const std::vector<Type>& results, const std::vector<Type>& sources) {
  Instruction instruction;
  std::istringstream parts(spelling);
  std::getline(parts, instruction.opcode, '.');
  for (std::string part; std::getline(parts, part, '.');) instruction.modifiers.push_back(part);
  instruction.text = spelling;
  instruction.at = {7, 3};
  std::vector<Type> types = results;
  types.insert(types.end(), sources.begin(), sources.end());
  int number = 0;
  if (results.size() == 2) {
    Operand pair;
    pair.kind = Operand::Kind::vector;
    pair.pair = true;
    pair.parts = {reg(0), reg(1)};
    instruction.operands.push_back(pair);
    number = 2;
  }
  for (; number < int(types.size()); ++number) instruction.operands.push_back(reg(number));
  const auto alu = find_alu(instruction, types);
  if (!alu) twofour::fail("{} is no opcode of the ALU", spelling);
  return *alu;
}

State run(const Alu& alu, const std::vector<Lanes>& sources, std::uint32_t active, const State& before) {
  std::array<Storage, 5> s;
  std::array<Storage, 2> d;
  State after = before;
  AluCall call;
  call.active = active;
  call.carry = &after.carry;
  for (int i = 0; i < alu.source_count; ++i) {
    put(s[i], alu.sources[i], sources[std::size_t(i)]);
    call.s[i] = s[i].bytes.data();
  }
  for (int i = 0; i < alu.result_count; ++i) {
    put(d[i], alu.results[i], before.results[std::size_t(i)]);
    call.d[i] = d[i].bytes.data();
  }
  alu.run(call);
  for (int i = 0; i < alu.result_count; ++i) after.results[std::size_t(i)] = get(d[i], alu.results[i]);
  return after;
}

namespace {

/// Result 0 in the place of source `at`.
Lanes run_in_place(const Alu& alu, const std::vector<Lanes>& sources, int at) {
  std::array<Storage, 5> s;
  Storage other;
  std::uint32_t carry = 0;
  AluCall call;
  call.active = ~0u;
  call.carry = &carry;
  for (int i = 0; i < alu.source_count; ++i) {
    put(s[i], alu.sources[i], sources[std::size_t(i)]);
    call.s[i] = s[i].bytes.data();
  }
  call.d = {s[at].bytes.data(), alu.result_count > 1 ? other.bytes.data() : nullptr};
  alu.run(call);
  return get(s[at], alu.results[0]);
}

bool same_size(Type a, Type b) {
  return bits(a) == bits(b);
}

std::string listing(const std::vector<Word>& words) {
  std::ostringstream out;
  for (const Word w : words) out << std::hex << " 0x" << w;
  return out.str();
}

}  // namespace

void expect(const std::string& spelling, const std::vector<Type>& results, const std::vector<Type>& sources,
            const Oracle& oracle, int rounds, const Adjust& adjust) {
  SCOPED_TRACE(spelling);
  const Alu alu = decode(spelling, results, sources);
  ASSERT_EQ(alu.result_count, int(results.size()));
  ASSERT_EQ(alu.source_count, int(sources.size()));
  std::uint64_t seed = std::hash<std::string>{}(spelling);
  for (int round = 0; round < rounds; ++round) {
    std::vector<Lanes> in(sources.size());
    std::vector<Lanes> want(results.size());
    std::array<std::vector<Word>, 32> lane;
    for (int i = 0; i < 32; ++i) {
      for (const Type type : sources) lane[i].push_back(operand(type, seed));
      if (adjust) adjust(lane[i]);
      for (std::size_t k = 0; k < sources.size(); ++k) in[k][i] = lane[i][k];
      const auto answer = oracle(lane[i]);
      for (std::size_t k = 0; k < results.size(); ++k) want[k][i] = answer[k];
    }
    State before{std::vector<Lanes>(results.size())};
    for (std::size_t k = 0; k < results.size(); ++k)
      for (int i = 0; i < 32; ++i) before.results[k][i] = operand(results[k], seed);
    const std::uint32_t active = round % 2 == 0 ? ~0u : std::uint32_t(random(seed));
    const State after = run(alu, in, active, before);
    for (std::size_t k = 0; k < results.size(); ++k)
      for (int i = 0; i < 32; ++i)
        ASSERT_EQ(after.results[k][i], (active >> i & 1) != 0 ? want[k][i] : before.results[k][i])
            << "result " << k << " of" << listing(lane[i]) << (active >> i & 1 ? "" : ", not active");
    for (int k = 0; k < alu.source_count; ++k)
      if (same_size(sources[std::size_t(k)], results[0])) {
        ASSERT_EQ(run_in_place(alu, in, k), want[0]) << "in the place of source " << k;
      }
  }
}

void expect1(const std::string& spelling, Type result, const std::vector<Type>& sources, const Oracle1& oracle,
             int rounds, const Adjust& adjust) {
  expect(spelling, {result}, sources, [&](const std::vector<Word>& s) { return std::vector<Word>{oracle(s)}; },
         rounds, adjust);
}

Word result_of(const std::string& spelling, Type result, const std::vector<Type>& sources,
               const std::vector<Word>& words) {
  const Alu alu = decode(spelling, {result}, sources);
  std::vector<Lanes> in(words.size());
  for (std::size_t k = 0; k < words.size(); ++k) in[k].fill(words[k]);
  return run(alu, in, ~0u, State{std::vector<Lanes>(1)}).results[0][5];
}

std::string refusal(const std::string& spelling, const std::vector<Type>& results, const std::vector<Type>& sources) {
  try {
    decode(spelling, results, sources);
  } catch (const twofour::Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace alu_test
