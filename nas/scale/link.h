#pragma once
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include "twofour/nas/scale/ranks.h"

namespace twofour::nas {

/// What a message is for. All but `text` stay between the links.
enum class Tag : int {
  beat = 1,
  text,
  end,    ///< rank 0 to a worker: no more work
  bye,    ///< a worker: it leaves, ended or not
  finish  ///< rank 0 to a worker after all byes: into MPI_Finalize ("all") or just away ("")
};

/// The thread that has MPI. Public members may be called from any other thread.
struct Ranks::Link {
 public:
  explicit Link(RankTimes times);  ///< returns when MPI is up
  ~Link();

  void send(int to, Tag tag, std::string text);
  std::optional<RankMessage> receive(std::chrono::milliseconds patience);
  void wake();
  bool ended() const;
  bool lost(int rank) const;
  std::string loss(int rank) const;

  int rank = 0, size = 1;  ///< constant once constructed

 private:
  using Clock = std::chrono::steady_clock;
  struct Sending {
    int to;
    Tag tag;
    std::string text;
    MPI_Request request;
  };
  struct Peer {
    Clock::duration heard{};  ///< when, of running_
    Clock::duration beaten{};
    bool left = false, lost = false;
  };

  void run();
  void start();
  void turn();  ///< all there is to do now, then at most a millisecond of waiting
  void advance_clock();
  void beat();
  void start_sends();
  void end_sends();
  bool take_message();
  void accept(int from, Tag tag, std::string text);
  void find_lost();
  void close();
  void close_rank_0();
  void close_worker();
  void send_locked(int to, Tag tag, std::string text);
  bool is_peer(int other) const { return other != rank && (rank == 0 || other == 0); }

  const RankTimes times_;
  mutable std::mutex mutex_;
  std::condition_variable to_send_, received_;
  std::deque<Sending> queue_;
  std::deque<RankMessage> inbox_;
  std::vector<Peer> peers_;
  bool started_ = false, closing_ = false, ended_ = false, woken_ = false;

  std::list<Sending> sending_;  ///< of the MPI thread, as all below
  Clock::time_point last_turn_;
  Clock::duration running_{};  ///< the time that this process has been running

  std::optional<bool> finalize_;  ///< as rank 0 decided
  bool quiet_ = false;            ///< beats no more

  std::thread thread_;
};

}  // namespace twofour::nas
