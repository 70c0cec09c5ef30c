// The table against what the PTX ISA documents and ptxas accepts for sm_80 (data/README.md).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "twofour/isa/layout.h"

namespace twofour::isa {
namespace {

using Form = std::map<std::string, std::string>;

std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

std::vector<Form> documented_forms() {
  std::ifstream file(TWOFOUR_SOURCE_DIR "/tests/isa/data/sm80_forms.csv");
  std::string line;
  std::getline(file, line);
  const auto header = fields(line);
  std::vector<Form> forms;
  while (std::getline(file, line)) {
    const auto values = fields(line);
    Form form;
    for (std::size_t i = 0; i < header.size(); ++i) form[header[i]] = values.at(i);
    forms.push_back(form);
  }
  return forms;
}

TEST(Forms, TheTableHoldsEveryDocumentedFormOfSm80AndNoOther) {
  const auto forms = documented_forms();
  ASSERT_EQ(forms.size(), 332u);
  std::size_t rows = 0;
  for (const auto& i : instructions()) rows += requirement(i).sm <= 80;
  EXPECT_EQ(rows, 332u);
  for (const auto& form : forms) EXPECT_EQ(ptx_name(find_instruction(form.at("name"))), form.at("name"));
}

TEST(Forms, RegistersQualifiersAndVersionsAgree) {
  for (const auto& form : documented_forms()) {
    const auto& i = find_instruction(form.at("name"));
    const auto number = [&](const char* column) {
      return form.at(column).empty() ? 0 : std::stoi(form.at(column));
    };
    EXPECT_EQ(name(i.family), form.at("family"));
    if (i.multiplies() || i.family == Family::wmma_load || i.family == Family::wmma_store) {
      EXPECT_EQ(registers(i, Operand::a), number("regs_A")) << form.at("name");
      EXPECT_EQ(registers(i, Operand::b), number("regs_B")) << form.at("name");
      EXPECT_EQ(registers(i, Operand::c), number("regs_C")) << form.at("name");
      EXPECT_EQ(registers(i, Operand::d), number("regs_D")) << form.at("name");
    }
    if (i.family == Family::ldmatrix) {
      EXPECT_EQ(i.movement.matrices, number("regs_D")) << form.at("name");
    }
    EXPECT_EQ(i.has_satfinite() ? "yes" : "no", form.at("satfinite")) << form.at("name");
    EXPECT_EQ(i.has_rounding() ? "yes" : "no", form.at("rounding")) << form.at("name");
    const char* selectors[] = {"", "0", "0-1", "", "0-3"};
    EXPECT_EQ(selectors[i.selectors()], form.at("selectors")) << form.at("name");
    const auto version = requirement(i);
    EXPECT_EQ(version.sm, number("min_sm")) << form.at("name");
    EXPECT_EQ(fmt::format("{}.{}", version.ptx / 10, version.ptx % 10), form.at("min_ptx"))
        << form.at("name");
  }
}

// wmma.load and .store have many lowerings, by the memory operand; the quad-pair one is a call.
TEST(Forms, SassAgreesWithPtxas) {
  for (const auto& form : documented_forms()) {
    const auto& i = find_instruction(form.at("name"));
    if (i.family == Family::wmma_load || i.family == Family::wmma_store) continue;
    if (i.is_quad_pair())
      EXPECT_NE(form.at("sass").find("no HMMA"), std::string::npos);
    else
      EXPECT_EQ(sass_name(i), form.at("sass")) << form.at("name");
  }
}

TEST(Forms, WmmaFragmentsLieWherePtxasPutsThem) {
  std::ifstream file(TWOFOUR_SOURCE_DIR "/tests/isa/data/wmma_layouts_sm80.json");
  const auto layouts = nlohmann::json::parse(file);
  int compared = 0;
  for (const auto& i : instructions()) {
    if (i.family != Family::wmma_load) continue;
    const auto key =
        fmt::format("{}|m{}n{}k{}|{}", name(i.moved), i.shape.m, i.shape.n, i.shape.k, name(i.a));
    const auto& lanes = layouts.at(key);
    for (int lane = 0; lane < 32; ++lane) {
      std::vector<Coordinate> places;  // of every element, or of the first in 16 bits for narrower types
      for (const auto& reg : lanes.at(static_cast<std::size_t>(lane)))
        for (const auto& at : reg) places.push_back({int(at.at(0)), int(at.at(1))});
      const int stride = bits(i.a) < 8 ? 16 / bits(i.a) : 1;
      ASSERT_EQ(int(places.size()) * stride, elements_per_lane(i, i.moved)) << key;
      for (std::size_t n = 0; n < places.size(); ++n)
        ASSERT_EQ(coordinate(i, i.moved, lane, int(n) * stride), places[n]) << key << " lane " << lane;
      compared += int(places.size());
    }
  }
  EXPECT_EQ(layouts.size(), 47u);
  EXPECT_GT(compared, 10000);
}

// wmma.mma reads what wmma.load leaves, and leaves what wmma.store takes.
TEST(Forms, WmmaFragmentsOfLoadMultiplyAndStoreAreTheSame) {
  for (const auto& multiply : instructions()) {
    if (multiply.family != Family::wmma_mma) continue;
    for (const auto& move : instructions()) {
      if (move.family != Family::wmma_load && move.family != Family::wmma_store) continue;
      if (move.shape != multiply.shape || move.a != element(multiply, move.moved)) continue;
      ASSERT_EQ(elements_per_lane(move, move.moved), elements_per_lane(multiply, move.moved));
      for (int lane = 0; lane < 32; ++lane)
        for (int index = 0; index < elements_per_lane(move, move.moved); ++index)
          ASSERT_EQ(coordinate(move, move.moved, lane, index), coordinate(multiply, move.moved, lane, index))
              << short_name(move) << " and " << short_name(multiply);
    }
  }
}

}  // namespace
}  // namespace twofour::isa
