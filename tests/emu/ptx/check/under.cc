#include "under.h"

#include <algorithm>

#include "kernels/run.h"

namespace twofour::emu::check::test {

using ptx::kernels::Kernel;

const std::vector<Kernel>& all_kernels() {
  static const auto kernels = ptx::kernels::load_kernels();
  return kernels;
}

const Kernel& kernel_named(const std::string& entry) {
  const auto at = std::find_if(all_kernels().begin(), all_kernels().end(),
                               [&](const Kernel& k) { return k.entry == entry; });
  if (at == all_kernels().end()) fail("kernels.json has no entry {}", entry);
  return *at;
}

namespace {

template <class F>
Checked checked(const CheckerSet& checkers, F&& launch) {
  const std::string failure = ptx::test::error_of(launch);
  return {checkers.findings().list(), failure, checkers.findings().explains(failure)};
}

}  // namespace

ptx::DeviceOptions watched_by(const CheckerSet& checkers) {
  ptx::DeviceOptions options;
  options.threads = 1;
  options.instruction_limit = 100'000'000;
  options.print = [](std::string_view) {};
  checkers.watch(options);
  return options;
}

Checked run_under(Tool tool, const Kernel& kernel) {
  const CheckerSet checkers({tool});
  ptx::kernels::Runner runner(watched_by(checkers));
  const auto data = make_case(kernel);
  const auto first = std::find_if(kernel.parameters.begin(), kernel.parameters.end(),
                                  [](const auto& p) { return !p.after.empty(); });
  return checked(checkers, [&] {
    if (first == kernel.parameters.end())
      runner.run(data);
    else
      runner.run_pair(make_case(kernel_named(first->after)), data);
  });
}

Checked run_under(Tool tool, const std::string& ptx, std::uint32_t threads, std::size_t words) {
  const CheckerSet checkers({tool});
  ptx::test::TestDevice device(ptx, watched_by(checkers));
  return checked(checkers, [&] { device.results(threads, words); });
}

void expect_clean(const Checked& checked) {
  EXPECT_TRUE(checked.findings.empty()) << text(checked);
  EXPECT_EQ(checked.failure, "");
}

void expect_one(const Checked& checked, const std::string& error, std::uint32_t lanes,
                std::initializer_list<std::string> words) {
  EXPECT_EQ(checked.failure, "");
  ASSERT_EQ(checked.findings.size(), 1u) << text(checked);
  const Finding& f = checked.findings.front();
  EXPECT_EQ(f.error, error);
  EXPECT_EQ(lanes_text(f.lanes), lanes_text(lanes));
  ptx::test::expect_words(f.detail, words);
}

}  // namespace twofour::emu::check::test
