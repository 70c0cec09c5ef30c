#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace twofour::nas {

/// True where twofour was built with MPI; without, it runs as one process only.
bool mpi_available();

/// How the ranks of a job know that the others are there.
struct RankTimes {
  std::chrono::milliseconds beat{500};        ///< from each rank to rank 0 and back, whatever else it does
  std::chrono::milliseconds silence{20'000};  ///< a rank of which nothing was heard for so long is lost
};

struct RankMessage {
  int rank = 0;  ///< the sender
  std::string text;
};

/// The processes of one job. Rank 0 sends to the others (the workers) and they to it. A program that mpirun
/// did not start is rank 0 of 1 and never touches MPI. All of MPI happens on a thread of its own, so a rank
/// is heard while it measures, and none ever waits in MPI. The time in which this process was itself stopped
/// does not count as silence. One object a program.
class Ranks {
 public:
  /// Throws Error if mpirun started the program and it was built without MPI.
  explicit Ranks(RankTimes times = {});
  /// On rank 0: ends the workers and waits until they have finished what they are doing. On a worker that was
  /// not ended: tells rank 0 that it leaves.
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  int rank() const;
  int size() const;

  void send(int to, std::string text);
  /// The next message; none after so long, after wake(), or when rank 0 has ended this worker.
  std::optional<RankMessage> receive(std::chrono::milliseconds patience);
  /// Lets a receive() that waits return at once.
  void wake();

  bool ended() const;                ///< on a worker: rank 0 wants no more
  bool lost(int rank) const;         ///< nothing heard for too long, or it has left; may come back
  std::string loss(int rank) const;  ///< "rank 2 was lost (nothing heard for 20 s)", "rank 2 has left"

 private:
  struct Link;
  std::unique_ptr<Link> link_;  ///< null: one process
};

}  // namespace twofour::nas
