#include "twofour/emu/ptx/module.h"

#include <algorithm>
#include <array>

namespace twofour::emu::ptx {
namespace {

struct TypeRow {
  std::string_view name;
  int bits;
};
/// In the order of Type.
constexpr std::array<TypeRow, 21> types = {
    {{"b8", 8},     {"b16", 16},  {"b32", 32},    {"b64", 64},  {"b128", 128}, {"u8", 8},   {"u16", 16},
     {"u32", 32},   {"u64", 64},  {"s8", 8},      {"s16", 16},  {"s32", 32},   {"s64", 64}, {"f16", 16},
     {"f16x2", 32}, {"bf16", 16}, {"bf16x2", 32}, {"tf32", 32}, {"f32", 32},   {"f64", 64}, {"pred", 1}}};
static_assert(types.size() == static_cast<std::size_t>(Type::pred) + 1);

}  // namespace

std::string_view name(Type type) {
  return types[static_cast<std::size_t>(type)].name;
}

std::optional<Type> type_from(std::string_view name) {
  for (std::size_t n = 0; n < types.size(); ++n)
    if (types[n].name == name) return static_cast<Type>(n);
  return std::nullopt;
}

int bits(Type type) {
  return types[static_cast<std::size_t>(type)].bits;
}

std::string_view name(Space space) {
  constexpr std::array<std::string_view, 6> names = {"reg", "const", "global", "local", "param", "shared"};
  return names[static_cast<std::size_t>(space)];
}

bool Instruction::has(std::string_view modifier) const {
  return std::find(modifiers.begin(), modifiers.end(), modifier) != modifiers.end();
}

const Function* Module::function(std::string_view wanted) const {
  for (const auto& [alias, of] : aliases)
    if (alias == wanted) wanted = of;
  for (const auto& f : functions)
    if (f.name == wanted) return &f;
  return nullptr;
}

FunctionIndex::FunctionIndex(const Module& module) {
  for (const Function& f : module.functions) functions_.emplace(f.name, &f);
  for (const auto& [alias, of] : module.aliases) functions_[alias] = find(of);
}

const Function* FunctionIndex::find(std::string_view name) const {
  const auto known = functions_.find(name);
  return known != functions_.end() ? known->second : nullptr;
}

const Variable* Module::variable(std::string_view wanted) const {
  for (const auto& v : variables)
    if (v.name == wanted) return &v;
  return nullptr;
}

}  // namespace twofour::emu::ptx
