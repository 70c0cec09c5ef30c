#include "twofour/nas/train/checkpoint.h"

#include <filesystem>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

using torch::Tensor;
using torch::serialize::InputArchive;
using torch::serialize::OutputArchive;

void check_fingerprint(const std::string& path, const std::string& text, const Fingerprint& wanted) {
  Fingerprint found;
  try {
    found = from_text(text);
  } catch (const Error& e) {
    fail("{}: {}; remove the file to start again", path, e.what());
  }
  const std::string differing = differences(found, "checkpoint", wanted, "this run");
  if (!differing.empty())
    fail("{}: belongs to another network or run; use another folder, or remove the file to start again{}",
         path, differing);
}

Tensor history_tensor(const std::vector<EpochRecord>& history) {
  Tensor t = torch::zeros({std::int64_t(history.size()), 4}, torch::kDouble);
  for (std::size_t i = 0; i < history.size(); ++i) {
    const EpochRecord& r = history[i];
    double* row = t.data_ptr<double>() + 4 * i;
    row[0] = r.epoch, row[1] = r.loss, row[2] = r.heldout_accuracy, row[3] = r.seconds;
  }
  return t;
}

std::vector<EpochRecord> history_of(const Tensor& t) {
  std::vector<EpochRecord> history;
  for (std::int64_t i = 0; i < t.size(0); ++i) {
    const double* row = t.data_ptr<double>() + 4 * i;
    history.push_back({int(row[0]), row[1], row[2], row[3]});
  }
  return history;
}

std::string read_text(InputArchive& archive, const std::string& key) {
  c10::IValue value;
  archive.read(key, value);
  return value.toStringRef();
}

/// Everything is read before anything is changed.
TrainState read_archive(const std::string& path, const Fingerprint& fingerprint, const NamedTensors& tensors,
                        torch::optim::Optimizer* optimiser) {
  InputArchive archive;
  archive.load_from(path);
  check_fingerprint(path, read_text(archive, "fingerprint"), fingerprint);
  std::vector<Tensor> values(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    archive.read(tensors[i].first, values[i]);
    if (!values[i].sizes().equals(tensors[i].second.sizes()))
      fail("{}: tensor {} has another shape than the network's; remove the file to start again", path,
           tensors[i].first);
  }
  Tensor position, history;
  archive.read("position", position);
  archive.read("history", history);
  if (optimiser) {
    InputArchive part;
    archive.read("optimiser", part);
    optimiser->load(part);
  }
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < tensors.size(); ++i) Tensor(tensors[i].second).copy_(values[i]);
  const double* p = position.data_ptr<double>();
  return {std::int64_t(p[0]), p[1], p[2], history_of(history)};
}

std::string text_of(torch::IntArrayRef sizes) {
  return fmt::format("{}", fmt::join(sizes.begin(), sizes.end(), " x "));
}

/// Runs a reader; what libtorch throws becomes an Error that names the file.
template <class F>
auto reading(const std::string& path, const F& read) {
  try {
    return read();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    const std::string what = e.what();
    fail("{}: the checkpoint is damaged ({}); remove it to start again", path,
         what.substr(0, what.find('\n')));
  }
}

}  // namespace

void save_checkpoint(const std::string& path, const Fingerprint& fingerprint, const NamedTensors& tensors,
                     const torch::optim::Optimizer* optimiser, const TrainState& state) {
  OutputArchive archive;
  archive.write("fingerprint", c10::IValue(to_text(fingerprint)));
  for (const auto& [name, tensor] : tensors) archive.write(name, tensor.detach());
  archive.write("position",
                torch::tensor({double(state.step), state.loss_sum, state.epoch_seconds}, torch::kDouble));
  archive.write("history", history_tensor(state.history));
  if (optimiser) {
    OutputArchive part;
    optimiser->save(part);
    archive.write("optimiser", part);
  }
  const std::string temporary = path + ".new";
  try {
    archive.save_to(temporary);
    std::filesystem::rename(temporary, path);
  } catch (const std::exception& e) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    fail("{}: the checkpoint cannot be written ({})", path, std::string(e.what()).substr(0, 200));
  }
}

TrainState load_checkpoint(const std::string& path, const Fingerprint& fingerprint,
                           const NamedTensors& tensors, torch::optim::Optimizer* optimiser) {
  return reading(path, [&] { return read_archive(path, fingerprint, tensors, optimiser); });
}

void import_tensors(const std::string& path, const std::string& network, const NamedTensors& tensors) {
  if (!std::filesystem::exists(path)) fail("{}: not found", path);
  reading(path, [&] {
    InputArchive archive;
    archive.load_from(path);
    std::vector<Tensor> values(tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const auto& [name, tensor] = tensors[i];
      if (!archive.try_read(name, values[i]))
        fail("{}: holds no tensor {}, which network {} has: the checkpoint is of another network", path, name,
             network);
      if (!values[i].sizes().equals(tensor.sizes()))
        fail("{}: tensor {} is {} there and {} in network {}: the checkpoint is of another network", path,
             name, text_of(values[i].sizes()), text_of(tensor.sizes()), network);
      if (!torch::isfinite(values[i]).all().item<bool>())
        fail("{}: tensor {} holds NaN or infinity; give weights that training ended well with", path, name);
    }
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < tensors.size(); ++i) Tensor(tensors[i].second).copy_(values[i]);
  });
}

}  // namespace twofour::nas
