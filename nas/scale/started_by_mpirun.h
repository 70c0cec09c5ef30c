#pragma once
#include <cstdlib>

namespace twofour::nas {

/// True in a process of an MPI job: Open MPI, MPICH and their like, and srun with PMIx say so in the
/// environment.
inline bool started_by_mpirun() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"})
    if (std::getenv(name) != nullptr) return true;
  return false;
}

}  // namespace twofour::nas
