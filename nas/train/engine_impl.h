#pragma once
#include "twofour/isa/error.h"
#include "twofour/nas/train/engine.h"
#include "twofour/nas/train/model.h"

namespace twofour::nas {

struct Engine::Impl {
  Impl(ModelSpec s, std::uint64_t seed) : spec(std::move(s)), model(spec, seed) {}
  Impl(ModelSpec s, Model m) : spec(std::move(s)), model(std::move(m)) {}

  ModelSpec spec;
  Model model;

  void check_images(const Dataset& data) const {
    const int channels = spec.layers.at(0).in_channels;
    if (data.height != spec.height || data.width != spec.width || data.channels != channels)
      fail("network {} takes images of {}x{} with {} channels, not {}x{} with {}", spec.name, spec.height,
           spec.width, channels, data.height, data.width, data.channels);
  }
};

struct EngineAccess {
  static Model& model(Engine& engine) { return engine.impl_->model; }
  static const ModelSpec& spec(const Engine& engine) { return engine.impl_->spec; }
  static void check_images(const Engine& engine, const Dataset& data) { engine.impl_->check_images(data); }
};

}  // namespace twofour::nas
