#pragma once
#include <unordered_map>
#include <vector>

#include "twofour/emu/ptx/observer.h"

namespace twofour::emu::check {

/// A T for each instruction that a block observer meets, made once. For one thread.
template <class T, T (*make)(const ptx::Site&)>
class PerSite {
 public:
  T& at(const ptx::Site& site) {
    if (site.function != function_) {
      function_ = site.function;
      current_ = &tables_[function_];
      current_->resize(function_->code.size());
    }
    Entry& e = (*current_)[std::size_t(site.position)];
    if (e.site == nullptr) e = {make(site), &site};
    return e.value;
  }
  /// Calls f(site, value) for those that were asked for.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [function, table] : tables_)
      for (const Entry& e : table)
        if (e.site != nullptr) f(*e.site, e.value);
  }

 private:
  struct Entry {
    T value = {};
    const ptx::Site* site = nullptr;
  };
  std::unordered_map<const ptx::Function*, std::vector<Entry>> tables_;
  const ptx::Function* function_ = nullptr;
  std::vector<Entry>* current_ = nullptr;
};

}  // namespace twofour::emu::check
