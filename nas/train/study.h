#pragma once
#include "twofour/nas/report/report.h"
#include "twofour/nas/scale/ranks.h"
#include "twofour/nas/train/study_settings.h"

namespace twofour::nas {

/// For every seed: train, measure, search every space with every engine at every budget, fine-tune what was
/// found and the baselines, deploy each and compare every output with the independent reference. Every
/// finished stage is kept in settings.out, so that a run that was broken off goes on. Under mpirun the ranks
/// measure candidates; rank 0 does the rest. Writes report.html and result.json there and returns the report;
/// on the other ranks an empty one. Throws Error and Interrupted.
Report run_study(const StudySettings& settings, Ranks& ranks);

}  // namespace twofour::nas
