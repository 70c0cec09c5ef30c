#pragma once
#include <string>

#include "twofour/nas/scale/ranks.h"

namespace twofour::nas {

/// Work that rank 0 does before the workers may use its files. Every rank calls wait() before a stage and
/// finish() behind it, stages in the same order: wait() lets rank 0 pass, and holds a worker until rank 0 has
/// finished that stage.
class Stages {
 public:
  explicit Stages(Ranks& ranks) : ranks_(ranks) {}
  /// On a worker: throws Error if rank 0 is lost or ended the job before it finished the stage.
  void wait(const std::string& stage);
  void finish(const std::string& stage);
  /// Behind the last stage: a worker waits until rank 0 has ended the job (or is lost), so that it does not
  /// leave a job that goes on.
  void wait_for_end();

 private:
  Ranks& ranks_;
};

}  // namespace twofour::nas
