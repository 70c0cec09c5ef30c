// What scale_test.cc runs under mpirun: toy_search() over Journalled(Distributed(toy)), the result on stdout.
//   scale_program JOURNAL CALLS [silence_ms=N] [delay_ms=N] [batch=N] [WHAT=RANK:N]...
// JOURNAL "none": without one.
// CALLS gets a line for each measurement as it ends ("rank candidate") and for each rank that ends in order.
// In its Nth measurement a rank: kill (dies of SIGKILL), fail (throws), term (gets SIGTERM), stop (is stopped
// for two seconds). other=RANK:0 has another space; early=RANK:0 throws before it serves; slow=RANK:0
// takes five times as long.
#include <fcntl.h>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <set>
#include <thread>
#include <tuple>

#include "../search/toy_search.h"
#include "twofour/isa/error.h"
#include "twofour/nas/scale/distributed_evaluator.h"
#include "twofour/nas/scale/stages.h"
#include "twofour/nas/search/candidate_text.h"
#include "twofour/nas/search/journal.h"

namespace twofour::nas {
namespace {

volatile std::sig_atomic_t signalled = 0;

void check_signal() {
  if (signalled != 0) fail("interrupted; run it again to go on");
}

struct Plan {
  std::set<std::tuple<std::string, int, int>> accidents;  ///< what, rank, measurement
  RankTimes times;
  std::chrono::milliseconds delay{5};  ///< of a measurement
  int batch = 8;

  bool has(const std::string& what, int rank, int measurement) const {
    return accidents.contains({what, rank, measurement});
  }
};

Plan parse(int argc, char** argv) {
  Plan plan;
  for (int i = 3; i < argc; ++i) {
    const std::string text = argv[i];
    const std::string what = text.substr(0, text.find('=')), value = text.substr(what.size() + 1);
    if (what == "silence_ms") {
      plan.times.silence = std::chrono::milliseconds(std::stoi(value));
      plan.times.beat = plan.times.silence / 10;
    } else if (what == "batch") {
      plan.batch = std::stoi(value);
    } else if (what == "delay_ms") {
      plan.delay = std::chrono::milliseconds(std::stoi(value));
    } else {
      plan.accidents.emplace(what, std::stoi(value), std::stoi(value.substr(value.find(':') + 1)));
    }
  }
  return plan;
}

void append(const std::string& path, const std::string& line) {
  const int file = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0644);
  if (write(file, line.data(), line.size()) != ssize_t(line.size())) fail("{}: cannot be written", path);
  close(file);
}

void stop_for_a_while() {
  const std::string later = fmt::format("(sleep 2; kill -CONT {}) &", getpid());
  if (std::system(later.c_str()) != 0) fail("no shell");
  raise(SIGSTOP);
}

class LocalEvaluator : public Evaluator {
 public:
  LocalEvaluator(const Plan& plan, int rank, std::string calls)
      : plan_(plan), rank_(rank), calls_(std::move(calls)) {}

  std::vector<Measurement> measure(const std::vector<Candidate>& candidates) override {
    std::vector<Measurement> measurements;
    for (const Candidate& candidate : candidates) {
      std::this_thread::sleep_for(plan_.delay * (plan_.has("slow", rank_, 0) ? 5 : 1));
      ++measured_;
      if (plan_.has("kill", rank_, measured_)) raise(SIGKILL);
      if (plan_.has("term", rank_, measured_)) raise(SIGTERM);
      if (plan_.has("stop", rank_, measured_)) stop_for_a_while();
      if (plan_.has("fail", rank_, measured_)) fail("no image in /data");
      measurements.push_back(toy_measurement(candidate));
      append(calls_, fmt::format("{} {}\n", rank_, candidate_text(candidate)));
    }
    return measurements;
  }

 private:
  const Plan& plan_;
  int rank_;
  std::string calls_;
  int measured_ = 0;
};

void search(Evaluator& evaluator, int batch) {
  for (const auto& [candidate, m] : toy_search(evaluator, 64 / batch, batch))
    fmt::print("{}: {} {}\n", candidate_text(candidate), m.loss, m.accuracy);
}

void search_with_journal(const std::string& path, const Fingerprint& fingerprint, Evaluator& evaluator,
                         int batch) {
  Journal journal(path, fingerprint);
  fmt::print(stderr, "{}\n", journal.opening());
  JournalledEvaluator journalled(journal, evaluator);
  search(journalled, batch);
}

void run(int argc, char** argv) {
  if (argc < 3) fail("usage: scale_program JOURNAL CALLS [WHAT=RANK:N]...");
  const Plan plan = parse(argc, argv);
  const std::string calls = argv[2];
  {
    Ranks ranks(plan.times);
    LocalEvaluator local(plan, ranks.rank(), calls);
    const bool other = plan.has("other", ranks.rank(), 0);
    const Fingerprint fingerprint{{"space", other ? "a\nB\n" : "a\nb\n"}, {"weights", "12ab"}};
    if (plan.has("early", ranks.rank(), 0)) fail("this node has no weights");
    if (ranks.rank() != 0) {
      serve(ranks, local, fingerprint);
      Stages(ranks).wait_for_end();
    } else {
      DistributedEvaluator distributed(ranks, local, fingerprint, {.check = check_signal, .narrate = {}});
      if (argv[1] == std::string("none"))
        search(distributed, plan.batch);
      else
        search_with_journal(argv[1], fingerprint, distributed, plan.batch);
    }
  }
  append(calls, "end\n");
}

}  // namespace
}  // namespace twofour::nas

int main(int argc, char** argv) {
  signal(SIGTERM, [](int) { twofour::nas::signalled = 1; });
  try {
    twofour::nas::run(argc, argv);
    return 0;
  } catch (const twofour::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
