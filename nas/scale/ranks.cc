#include "twofour/nas/scale/ranks.h"

#include "twofour/nas/scale/link.h"
#include "twofour/nas/scale/started_by_mpirun.h"

namespace twofour::nas {

bool mpi_available() {
  return true;
}

Ranks::Ranks(RankTimes times) {
  if (started_by_mpirun()) link_ = std::make_unique<Link>(times);
}

Ranks::~Ranks() = default;

int Ranks::rank() const {
  return link_ ? link_->rank : 0;
}

int Ranks::size() const {
  return link_ ? link_->size : 1;
}

void Ranks::send(int to, std::string text) {
  link_->send(to, Tag::text, std::move(text));
}

std::optional<RankMessage> Ranks::receive(std::chrono::milliseconds patience) {
  return link_->receive(patience);
}

void Ranks::wake() {
  link_->wake();
}

bool Ranks::ended() const {
  return link_->ended();
}

bool Ranks::lost(int rank) const {
  return link_->lost(rank);
}

std::string Ranks::loss(int rank) const {
  return link_->loss(rank);
}

}  // namespace twofour::nas
