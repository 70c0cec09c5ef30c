// tensor_core_run with the emulator in place of the GPU: tests the program's reading and writing without one.
#include <exception>
#include <iostream>
#include <map>

#include "case_stream.h"
#include "twofour/emu/vectors/case_file.h"
#include "twofour/isa/architecture.h"

namespace {

using twofour::isa::Operand;

class Emulator : public hardware::Machine {
 public:
  int compute_capability() const override { return 80; }
  std::string name() const override { return "emulator"; }

  const hardware::Form* find(const std::string& name, const std::string& qualifier) const override {
    const auto& i = twofour::isa::find_instruction(name);
    const auto count = [&](Operand o) { return twofour::isa::registers(i, o); };
    const auto at = forms_.try_emplace(name + " " + qualifier, Entry{i, qualifier, name, {}}).first;
    Entry& e = at->second;
    e.form = {e.name.c_str(),    e.qualifier.c_str(), twofour::isa::requirement(i).sm,
              count(Operand::a), count(Operand::b),   count(Operand::c),
              count(Operand::d), i.selectors()};
    return &e.form;
  }

  std::vector<uint32_t> execute(const hardware::Form& form, int selector, const std::vector<uint32_t>& in,
                                int cases) override {
    const Entry& entry = forms_.at(std::string(form.name) + " " + form.qualifier);
    std::vector<uint32_t> out;
    const uint32_t* from = in.data();
    for (int at = 0; at < cases; ++at) {
      twofour::emu::MmaOperands x;
      x.selector = selector;
      const auto load = [&](auto& to) {
        std::copy_n(from, hardware::lanes, to.begin());
        from += hardware::lanes;
      };
      for (int r = 0; r < form.a; ++r) load(x.a.word[size_t(r)]);
      for (int r = 0; r < form.b; ++r) load(x.b.word[size_t(r)]);
      for (int r = 0; r < form.c; ++r) load(x.c.word[size_t(r)]);
      if (form.selectors > 0) load(x.metadata);
      const auto d = twofour::emu::execute(entry.instruction, x, options(entry.qualifier));
      for (int r = 0; r < form.d; ++r)
        out.insert(out.end(), d.word[size_t(r)].begin(), d.word[size_t(r)].end());
    }
    return out;
  }

 private:
  struct Entry {
    twofour::isa::Instruction instruction;
    std::string qualifier, name;
    hardware::Form form;
  };

  static twofour::emu::NumericOptions options(const std::string& qualifier) {
    using enum twofour::isa::Rounding;
    twofour::emu::NumericOptions out;
    out.satfinite = qualifier == "satfinite";
    out.rounding = qualifier == "rz"   ? toward_zero
                   : qualifier == "rm" ? downward
                   : qualifier == "rp" ? upward
                                       : nearest_even;
    return out;
  }

  mutable std::map<std::string, Entry> forms_;
};

}  // namespace

int main() {
  try {
    Emulator emulator;
    hardware::Runner("standard input", std::cin, std::cout, emulator).run();
  } catch (const std::exception& e) {
    std::cerr << "emulated_run: " << e.what() << '\n';
    return 2;
  }
}
