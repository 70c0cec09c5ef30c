#include "twofour/emu/ptx/module.h"
#include <algorithm>
namespace twofour::emu::ptx {
namespace { struct N{Type t; const char* n; int b;};
constexpr N names[]={{Type::b8,"b8",8},{Type::b16,"b16",16},{Type::b32,"b32",32},{Type::b64,"b64",64},{Type::b128,"b128",128},{Type::u8,"u8",8},{Type::u16,"u16",16},{Type::u32,"u32",32},{Type::u64,"u64",64},{Type::s8,"s8",8},{Type::s16,"s16",16},{Type::s32,"s32",32},{Type::s64,"s64",64},{Type::f16,"f16",16},{Type::f16x2,"f16x2",32},{Type::bf16,"bf16",16},{Type::bf16x2,"bf16x2",32},{Type::tf32,"tf32",32},{Type::f32,"f32",32},{Type::f64,"f64",64},{Type::pred,"pred",1}};
}
std::string_view name(Type t){return names[int(t)].n;}
std::optional<Type> type_from(std::string_view n){for(auto& x:names) if(n==x.n) return x.t; return std::nullopt;}
int bits(Type t){return names[int(t)].b;}
bool Instruction::has(std::string_view m) const { return std::find(modifiers.begin(),modifiers.end(),m)!=modifiers.end(); }
}
