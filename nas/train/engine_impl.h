#pragma once
#include "twofour/isa/error.h"
#include "twofour/nas/train/engine.h"
#include "twofour/nas/train/model.h"

namespace twofour::nas {

struct Engine::Impl {
  explicit Impl(ModelSpec s, std::uint64_t seed) : spec(std::move(s)), model(spec, seed) {}

  ModelSpec spec;
  Model model;

  void check_images(const Dataset& data) const {
    if (data.height != spec.height || data.width != spec.width)
      fail("network {} takes images of {}x{}, not {}x{}", spec.name, spec.height, spec.width, data.height,
           data.width);
  }
};

}  // namespace twofour::nas
