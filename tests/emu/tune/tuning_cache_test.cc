#include "twofour/emu/tune/tuning_cache.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "twofour/emu/tune/tune.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::emu {
namespace {

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

TuningTask task() {
  GemmProblem p;
  p.m = 512;
  p.n = 49;
  p.k = 2048;
  return tuning_task(p);
}

const TuningKey key{"gemm", "machine 1", "axes", "model 1"};

class TuningCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!isa::has_sqlite()) GTEST_SKIP() << "built without SQLite";
    directory_ =
        std::filesystem::temp_directory_path() / ("twofour-tuning-cache-" + std::to_string(getpid()));
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    path_ = (directory_ / "tuned.db").string();
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string refusal() const {
    try {
      const TuningCache cache(path_);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  TuneOutcome tuned(const Evaluator& evaluator, const std::string& machine = "machine 1",
                    const std::string& version = "model 1", std::size_t trials = 300) const {
    TuneOptions options;
    options.trials = trials;
    options.cache = path_;
    return tune(task(), a100, evaluator, machine, version, options);
  }

  std::filesystem::path directory_;
  std::string path_;
};

void expect_same(const TuningRecord& a, const TuningRecord& b) {
  EXPECT_EQ(a.trials, b.trials);
  EXPECT_EQ(a.space, b.space);
  ASSERT_EQ(a.top.size(), b.top.size());
  for (std::size_t i = 0; i < a.top.size(); ++i) {
    EXPECT_EQ(a.top[i].schedule, b.top[i].schedule);
    EXPECT_EQ(a.top[i].microseconds, b.top[i].microseconds);
  }
}

TEST_F(TuningCacheTest, AResultComesBackAsItWas) {
  TuningRecord record{300, 62142, {}};
  Schedule s{.tile = {128, 64, 128, 4, 2, 2}, .decomposition = Decomposition::split_k, .splits = 3};
  record.top.push_back({s, 1.0 / 3});
  s.decomposition = Decomposition::stream_k;
  s.splits = 1;
  record.top.push_back({s, 12.5});
  {
    TuningCache cache(path_);
    EXPECT_FALSE(cache.result(key, "search").has_value());
    cache.put_result(key, "search", {1, 2, {{s, 99}, {s, 100}, {s, 101}}});
    cache.put_result(key, "search", record);  // takes the place of the other
  }
  const TuningCache again(path_);
  ASSERT_TRUE(again.result(key, "search").has_value());
  expect_same(*again.result(key, "search"), record);
  EXPECT_FALSE(again.result(key, "another search").has_value());
}

TEST_F(TuningCacheTest, EveryWordOfTheKeyCounts) {
  TuningCache cache(path_);
  const Candidate trial{{.tile = {64, 64, 64, 3, 2, 2}}, 5};
  cache.put_trials(key, {trial});
  cache.put_result(key, "search", {1, 1, {trial}});
  EXPECT_EQ(cache.trials(key).size(), 1u);
  for (std::string TuningKey::*word :
       {&TuningKey::task, &TuningKey::machine, &TuningKey::space, &TuningKey::evaluator}) {
    TuningKey other = key;
    other.*word += "x";
    EXPECT_TRUE(cache.trials(other).empty());
    EXPECT_FALSE(cache.result(other, "search").has_value());
  }
}

TEST_F(TuningCacheTest, TasksAndMachinesHaveKeysOfTheirOwn) {
  std::vector<std::string> keys{task().key()};
  for (const auto change : std::initializer_list<void (*)(GemmProblem&)>{
           [](GemmProblem& p) { p.m = 513; }, [](GemmProblem& p) { p.n = 50; },
           [](GemmProblem& p) { p.k = 2049; }, [](GemmProblem& p) { p.batch = 2; },
           [](GemmProblem& p) { p.sparse = true; }, [](GemmProblem& p) { p.type = isa::ElementType::s8; },
           [](GemmProblem& p) { p.output_bits = 32; }, [](GemmProblem& p) { p.launch = Launch::kernel; }}) {
    GemmProblem p = task().gemm;
    change(p);
    keys.push_back(tuning_task(p).key());
  }
  ConvProblem conv{.batch = 1, .height = 7, .width = 7, .channels = 2048, .filters = 512};  // the same GEMM
  keys.push_back(tuning_task(conv).key());
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(std::unique(keys.begin(), keys.end()), keys.end());

  const std::string copy = (directory_ / "copy.toml").string();
  std::string text(isa::machine_text("a100-sxm4-80gb"));
  isa::write_file(copy, text);
  EXPECT_EQ(machine_fingerprint(copy), machine_fingerprint("a100-sxm4-80gb"));
  text.replace(text.find("1769"), 4, "1768");
  isa::write_file(copy, text);
  EXPECT_NE(machine_fingerprint(copy), machine_fingerprint("a100-sxm4-80gb"));
  auto constants = fitted_constants;
  constants.l2_efficiency += 1e-6;
  EXPECT_NE(model_version(constants), model_version());
}

TEST_F(TuningCacheTest, AFinishedSearchIsAnsweredWithoutTiming) {
  std::size_t calls = 0;
  const auto model = model_evaluator(task(), a100);
  const Evaluator counted = [&](const Schedule& s) {
    ++calls;
    return model(s);
  };
  const auto first = tuned(counted);
  EXPECT_EQ(calls, 300u);
  EXPECT_FALSE(first.known);
  const auto second = tuned(counted);
  EXPECT_EQ(calls, 300u);
  EXPECT_TRUE(second.known);
  expect_same(first.record, second.record);
  EXPECT_FALSE(tuned(counted, "machine 2").known);
  EXPECT_EQ(calls, 600u);
  EXPECT_FALSE(tuned(counted, "machine 1", "model 2").known);
  EXPECT_EQ(calls, 900u);
}

TEST_F(TuningCacheTest, ASearchThatStopsGoesOnToTheSameEnd) {
  const auto model = model_evaluator(task(), a100);
  const auto whole = tune(task(), a100, model, "m", "v", {.trials = 300});
  TuneOptions options{.trials = 300};
  options.cache = path_;
  std::size_t calls = 0;
  const Evaluator counted = [&](const Schedule& s) {
    ++calls;
    return model(s);
  };
  options.stop = [&] { return calls >= 120; };
  const auto part = tune(task(), a100, counted, "m", "v", options);
  EXPECT_TRUE(part.stopped);
  EXPECT_EQ(part.record.trials, 120u);
  options.stop = {};
  const auto rest = tune(task(), a100, counted, "m", "v", options);
  EXPECT_FALSE(rest.known);
  EXPECT_EQ(rest.recalled, 120u);
  EXPECT_EQ(rest.timed, 180u);
  EXPECT_EQ(calls, 300u);
  expect_same(rest.record, whole.record);
}

TEST_F(TuningCacheTest, AKilledSearchGoesOnToTheSameEnd) {
  const auto model = model_evaluator(task(), a100);
  const auto whole = tune(task(), a100, model, "machine 1", "model 1", {.trials = 300});
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::size_t calls = 0;
    tuned([&](const Schedule& s) {  // some trials are written, some are not, and then it dies in one
      if (++calls == 100) std::this_thread::sleep_for(std::chrono::milliseconds(250));
      if (calls == 130) raise(SIGKILL);
      return model(s);
    });
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  const auto rest = tuned(model);
  EXPECT_GE(rest.recalled, 100u);
  EXPECT_LT(rest.recalled, 130u);
  EXPECT_EQ(rest.recalled + rest.timed, 300u);
  expect_same(rest.record, whole.record);
}

TEST_F(TuningCacheTest, AnotherSeedUsesTheSameTrials) {
  const auto model = model_evaluator(task(), a100);
  TuneOptions options{.exhaustive = true};
  options.cache = path_;
  const auto all = tune(task(), a100, model, "machine 1", "model 1", options);
  EXPECT_EQ(all.timed, all.record.space);
  const auto learned = tuned(model);
  EXPECT_EQ(learned.timed, 0u);
  EXPECT_EQ(learned.recalled, 300u);
}

TEST_F(TuningCacheTest, FilesThatAreNoCacheAreRefusedAndKept) {
  for (const std::string& bytes :
       {std::string("these are my notes, not a database"), std::string(5000, '\xA5')}) {
    isa::write_file(path_, bytes);
    EXPECT_NE(refusal().find(path_), std::string::npos);
    EXPECT_NE(refusal().find("no SQLite file"), std::string::npos) << refusal();
    EXPECT_EQ(isa::read_file(path_), bytes);
  }
  path_ = directory_.string();
  EXPECT_NE(refusal().find("directory"), std::string::npos) << refusal();
  path_ = (directory_ / "no" / "such" / "place.db").string();
  EXPECT_NE(refusal().find("cannot be opened"), std::string::npos) << refusal();
}

TEST_F(TuningCacheTest, ADamagedCacheIsRefused) {
  {
    TuningCache cache(path_);
    std::vector<Candidate> trials;
    for (int m = 1; m <= 2000; ++m) trials.push_back({{.tile = {m, 64, 64, 3, 2, 2}}, 1.0 * m});
    cache.put_trials(key, trials);
  }
  const auto whole = isa::read_file(path_);
  ASSERT_GT(whole.size(), 20000u);
  isa::write_file(path_, whole.substr(0, whole.size() / 2));
  EXPECT_NE(refusal().find("damaged"), std::string::npos) << refusal();
  auto scratched = whole;
  for (std::size_t i = 8192; i < 16384; ++i) scratched[i] = static_cast<char>(i * 37);
  isa::write_file(path_, scratched);
  EXPECT_NE(refusal().find("damaged"), std::string::npos) << refusal();
  isa::write_file(path_, whole);
  EXPECT_EQ(TuningCache(path_).trials(key).size(), 2000u);
}

TEST_F(TuningCacheTest, AnEmptyFileBecomesACache) {
  isa::write_file(path_, "");
  TuningCache(path_).put_trials(key, {{{.tile = {64, 64, 64, 3, 2, 2}}, 5}});
  EXPECT_EQ(TuningCache(path_).trials(key).size(), 1u);
}

TEST_F(TuningCacheTest, TwoThatWriteBothKeepTheirTrials) {
  constexpr int each = 200;
  const auto write = [&](int first) {
    TuningCache cache(path_);
    for (int i = 0; i < each; ++i) cache.put_trials(key, {{{.tile = {first + i, 64, 64, 3, 2, 2}}, 1.0}});
  };
  { std::jthread one(write, 1000), two(write, 2000); }
  EXPECT_EQ(TuningCache(path_).trials(key).size(), std::size_t{2 * each});
}

}  // namespace
}  // namespace twofour::emu
