#include "twofour/nas/scale/link.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

namespace twofour::nas {
namespace {

constexpr auto nap = std::chrono::milliseconds(1);

}  // namespace

Ranks::Link::Link(RankTimes times) : times_(times) {
  sigset_t all, before;  // signals are for the program's own threads
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  std::unique_lock lock(mutex_);
  received_.wait(lock, [&] { return started_; });
}

Ranks::Link::~Link() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  to_send_.notify_all();
  thread_.join();
}

void Ranks::Link::send_locked(int to, Tag tag, std::string text) {
  queue_.push_back({to, tag, std::move(text), MPI_REQUEST_NULL});
  to_send_.notify_all();
}

void Ranks::Link::send(int to, Tag tag, std::string text) {
  const std::lock_guard lock(mutex_);
  send_locked(to, tag, std::move(text));
}

std::optional<RankMessage> Ranks::Link::receive(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  received_.wait_for(lock, patience, [&] { return !inbox_.empty() || ended_ || woken_; });
  woken_ = false;
  if (inbox_.empty()) return std::nullopt;
  RankMessage message = std::move(inbox_.front());
  inbox_.pop_front();
  return message;
}

void Ranks::Link::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  received_.notify_all();
}

bool Ranks::Link::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

bool Ranks::Link::lost(int other) const {
  const std::lock_guard lock(mutex_);
  return peers_[std::size_t(other)].lost;
}

std::string Ranks::Link::loss(int other) const {
  const std::lock_guard lock(mutex_);
  if (peers_[std::size_t(other)].left) return fmt::format("rank {} has left", other);
  return fmt::format("rank {} was lost (nothing heard for {:g} s)", other,
                     std::chrono::duration<double>(times_.silence).count());
}

void Ranks::Link::run() {
  start();
  for (bool closing = false; !closing;) {
    turn();
    const std::lock_guard lock(mutex_);
    closing = closing_;
  }
  close();
}

void Ranks::Link::start() {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);  // a rank that is gone shows by its silence
  const std::lock_guard lock(mutex_);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  peers_.resize(std::size_t(size));
  last_turn_ = Clock::now();
  started_ = true;
  received_.notify_all();
}

void Ranks::Link::turn() {
  advance_clock();
  beat();
  start_sends();
  end_sends();
  if (take_message()) return;
  find_lost();
  std::unique_lock lock(mutex_);
  to_send_.wait_for(lock, nap, [&] { return !queue_.empty(); });
}

/// A process that was stopped, or a machine that slept, has not waited.
void Ranks::Link::advance_clock() {
  const auto now = Clock::now();
  running_ += std::min<Clock::duration>(now - last_turn_, times_.beat);
  last_turn_ = now;
}

/// At most one beat a peer is under way, so a peer that is gone gathers none.
void Ranks::Link::beat() {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  for (int other = 0; other < size; ++other) {
    Peer& peer = peers_[std::size_t(other)];
    if (!is_peer(other) || running_ - peer.beaten < times_.beat) continue;
    const bool waiting =
        std::ranges::any_of(sending_, [&](const Sending& s) { return s.to == other && s.tag == Tag::beat; });
    if (waiting) continue;
    peer.beaten = running_;
    queue_.push_back({other, Tag::beat, "", MPI_REQUEST_NULL});
  }
}

void Ranks::Link::start_sends() {
  std::deque<Sending> queue;
  {
    const std::lock_guard lock(mutex_);
    queue.swap(queue_);
  }
  for (Sending& s : queue) {
    Sending& sent = sending_.emplace_back(std::move(s));
    MPI_Issend(sent.text.data(), int(sent.text.size()), MPI_BYTE, sent.to, int(sent.tag), MPI_COMM_WORLD,
               &sent.request);
  }
}

void Ranks::Link::end_sends() {
  sending_.remove_if([](Sending& s) {
    int done = 0;
    return MPI_Test(&s.request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && done != 0;
  });
}

bool Ranks::Link::take_message() {
  int there = 0, length = 0;
  MPI_Status status;
  if (MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status) != MPI_SUCCESS || there == 0)
    return false;
  MPI_Get_count(&status, MPI_BYTE, &length);
  std::string text(std::size_t(length), '\0');
  const int code = MPI_Recv(text.data(), length, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD,
                            MPI_STATUS_IGNORE);
  if (code == MPI_SUCCESS) accept(status.MPI_SOURCE, Tag(status.MPI_TAG), std::move(text));
  return true;
}

void Ranks::Link::accept(int from, Tag tag, std::string text) {
  const std::lock_guard lock(mutex_);
  Peer& peer = peers_[std::size_t(from)];
  peer.heard = running_;
  peer.lost = peer.left = tag == Tag::bye;
  if (tag == Tag::text) inbox_.push_back({from, std::move(text)});
  if (tag == Tag::end) ended_ = true;
  if (tag == Tag::finish) finalize_ = text == "all";
  if (tag != Tag::beat) received_.notify_all();
}

void Ranks::Link::find_lost() {
  const std::lock_guard lock(mutex_);
  for (int other = 0; other < size; ++other) {
    Peer& peer = peers_[std::size_t(other)];
    if (!is_peer(other) || peer.lost || running_ - peer.heard < times_.silence) continue;
    peer.lost = true;
    received_.notify_all();
  }
}

void Ranks::Link::close() {
  if (rank == 0)
    close_rank_0();
  else
    close_worker();
  if (finalize_ == true) MPI_Finalize();
}

/// MPI_Finalize waits for all ranks, so it is for jobs that are still whole. A rank's last message is its bye
/// or its finish, so that none is on its way then.
void Ranks::Link::close_rank_0() {
  std::vector<int> there;  // all others were lost or have left
  for (int other = 1; other < size; ++other)
    if (!lost(other)) there.push_back(other);
  const auto has_left = [&](int other) { return peers_[std::size_t(other)].left; };
  for (const int other : there) send(other, Tag::end, "");
  while (!std::ranges::all_of(there, [&](int other) { return lost(other); })) turn();
  finalize_ = there.size() + 1 == std::size_t(size) && std::ranges::all_of(there, has_left);
  quiet_ = true;
  std::erase_if(there, [&](int other) { return !has_left(other); });
  for (const int other : there) send(other, Tag::finish, *finalize_ ? "all" : "");
  const auto until = running_ + times_.silence;
  do turn();
  while (running_ < until && std::ranges::any_of(sending_, [&](const Sending& s) {
           return std::ranges::find(there, s.to) != there.end();
         }));
}

void Ranks::Link::close_worker() {
  const bool was_ended = ended();
  quiet_ = true;
  send(0, Tag::bye, "");
  do turn();
  while (!lost(0) && (was_ended ? !finalize_.has_value() : !sending_.empty()));
}

}  // namespace twofour::nas
