#pragma once
#include "twofour/isa/machine.h"
#include "twofour/nas/scale/stages.h"
#include "twofour/nas/space/space_latency.h"
#include "twofour/nas/train/study.h"

namespace twofour::nas {

/// A search space with the latencies of all its networks.
struct StudySpace {
  std::string group, text;  ///< name in the report; of the file
  Space space;
  std::unique_ptr<SpaceLatency> latency;
};

/// What all seeds of a study have in common.
struct StudyContext {
  const StudySettings& settings;
  const StudyData& data;
  const isa::Machine& machine;
  const Network& backbone;
  const std::vector<StudySpace>& spaces;
  Ranks& ranks;
  Stages& stages;
  Report& report;          ///< receives the rows
  double baseline_us = 0;  ///< latency of the uniform sparse int8 backbone
};

/// A network that is to be fine-tuned and tested.
struct ChosenNetwork {
  NetworkRow row;  ///< seed, group, method, budget and what the search said
  Architecture architecture;
  StartWeights start;  ///< where its fp32 training starts; no weights: it is the backbone, trained already
};

/// One seed of a study, stage by stage. Work is kept in `folder`.
class StudySeed {
 public:
  StudySeed(const StudyContext& context, std::uint64_t seed);
  ~StudySeed();
  void run();

 private:
  void train();
  void add_baselines();
  void search(const StudySpace& space);
  void finish(const ChosenNetwork& chosen);
  void add_history(const std::string& run, const std::vector<EpochRecord>& history);
  double test_accuracy(Trainer& trainer);
  void deploy(NetworkRow& row, Trainer& trainer);

  const StudyContext& context_;
  std::uint64_t seed_;
  StudyScale scale_;
  std::string folder_;
  Trainer dense_;
  std::vector<std::unique_ptr<Engine>> shared_;  ///< weights of spaces with sizes
  std::vector<ChosenNetwork> chosen_;
};

}  // namespace twofour::nas
