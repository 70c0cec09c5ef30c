// Built in place of ranks.cc where MPI is not installed: one process.
#include "twofour/isa/error.h"
#include "twofour/nas/scale/ranks.h"
#include "twofour/nas/scale/started_by_mpirun.h"

namespace twofour::nas {

struct Ranks::Link {};

bool mpi_available() {
  return false;
}

Ranks::Ranks(RankTimes) {
  if (started_by_mpirun())
    fail(
        "mpirun started this program, but it was built without MPI: install libopenmpi-dev and build again, "
        "or "
        "run it without mpirun");
}
Ranks::~Ranks() = default;

int Ranks::rank() const {
  return 0;
}
int Ranks::size() const {
  return 1;
}
void Ranks::send(int, std::string) {}
std::optional<RankMessage> Ranks::receive(std::chrono::milliseconds) {
  return std::nullopt;
}
void Ranks::wake() {}
bool Ranks::ended() const {
  return false;
}
bool Ranks::lost(int) const {
  return false;
}
std::string Ranks::loss(int) const {
  return "";
}

}  // namespace twofour::nas
