// What observers see.
#include "twofour/emu/ptx/observer.h"

#include <bit>
#include <map>

#include "support.h"

namespace twofour::emu::ptx::test {
namespace {

struct Access {
  int lane;
  std::uint64_t address, bytes;
  bool operator==(const Access&) const = default;
};

/// Everything that one launch of one thread shows.
struct Seen : Observer {
  struct Block : BlockObserver {
    explicit Block(Seen& s) : seen(s) {}
    void begin(Cta&) override { seen.events.push_back("begin"); }
    void end(Cta&) override { seen.events.push_back("end"); }
    void barrier(Cta&, std::uint32_t id, std::span<Warp* const> warps) override {
      seen.events.push_back(fmt::format("barrier {} of {}", id, warps.size()));
    }
    void before(Warp& warp, const Site& site, std::uint32_t lanes) override {
      const Instruction& i = site.instruction();
      seen.events.push_back(fmt::format("{} {} {}", warp.index(), i.opcode, std::popcount(lanes)));
      for (const MemoryUse& use : site.memory)
        for_accesses(warp, use, lanes, [&](int lane, std::uint64_t address, std::uint64_t bytes) {
          seen.accesses[i.text].push_back({lane, address, bytes});
        });
      seen.sites[i.text] = &site;
      if (i.text == seen.watched) seen.value_before = *warp.reg<std::uint32_t>(site.writes.at(0).at);
    }
    void after(Warp& warp, const Site& site, std::uint32_t) override {
      const Instruction& i = site.instruction();
      seen.events.push_back(fmt::format("{} {} done", warp.index(), i.opcode));
      if (i.text == seen.watched) seen.value_after = *warp.reg<std::uint32_t>(site.writes.at(0).at);
    }
    Seen& seen;
  };
  std::unique_ptr<BlockObserver> observe(Grid&) override { return std::make_unique<Block>(*this); }
  void launched(const Grid& grid, const std::string& message) override {
    executed = grid.executed;
    failure = message;
  }

  std::vector<std::string> events;
  std::map<std::string, std::vector<Access>> accesses;
  std::map<std::string, const Site*> sites;
  std::string watched, failure;
  std::uint32_t value_before = 0, value_after = 0;
  std::uint64_t executed = 0;
};

DeviceOptions watched_by(Seen& seen) {
  DeviceOptions options;
  options.threads = 1;
  options.observers = {&seen};
  return options;
}

std::size_t count(const Seen& seen, const std::string& event) {
  return std::size_t(std::count(seen.events.begin(), seen.events.end(), event));
}

TEST(PtxObserver, EveryInstructionOnceWithItsLanes) {
  Seen seen;
  TestDevice t(kernel(R"(
    setp.lt.u32 %p0, %r0, 5;
    @%p0 add.u32 %r1, %r0, 1;
    @!%p0 add.u32 %r1, %r0, 2;
    setp.gt.u32 %p1, %r0, 40;
    @%p1 bra DONE;
    bar.sync 0;
    st.global.u32 [%d1], %r1;
  DONE:
    ret;
  )"),
               watched_by(seen));
  seen.watched = "@%p0 add.u32 %r1, %r0, 1";
  const auto out = t.results(32, 32);
  EXPECT_EQ(out[4], 5u);
  EXPECT_EQ(out[5], 7u);
  EXPECT_EQ(seen.events.front(), "begin");
  EXPECT_EQ(seen.events.back(), "end");
  EXPECT_EQ(count(seen, "0 add 5"), 1u);
  EXPECT_EQ(count(seen, "0 add 27"), 1u);
  EXPECT_EQ(count(seen, "0 bra 0"), 1u);
  EXPECT_EQ(count(seen, "0 bar 32"), 1u);
  EXPECT_EQ(count(seen, "barrier 0 of 1"), 1u);
  EXPECT_EQ(count(seen, "0 st done"), 1u);
  EXPECT_EQ(count(seen, "0 ret done"), 0u);
  EXPECT_EQ(seen.value_before, 0u);
  EXPECT_EQ(seen.value_after, 1u);
  // One "before" an executed instruction: what is counted is what is seen.
  std::uint64_t before = 0;
  for (const std::string& e : seen.events) before += e.starts_with("0 ") && !e.ends_with("done");
  EXPECT_EQ(before, seen.executed);
}

TEST(PtxObserver, WarpsThatWaitGoOnAfterTheBarrier) {
  Seen seen;
  TestDevice t(kernel("bar.sync 0;\n st.global.u32 [%d1], %r0;\n"), watched_by(seen));
  t.results(64, 64);
  const auto at = [&](const std::string& event) {
    return std::find(seen.events.begin(), seen.events.end(), event) - seen.events.begin();
  };
  EXPECT_LT(at("0 bar 32"), at("1 bar 32"));
  EXPECT_LT(at("1 bar 32"), at("barrier 0 of 2"));
  EXPECT_LT(at("barrier 0 of 2"), at("0 bar done"));
  EXPECT_LT(at("barrier 0 of 2"), at("1 bar done"));
}

TEST(PtxObserver, AddressesOfEveryKindOfAccess) {
  Seen seen;
  TestDevice t(kernel(R"(
    .shared .align 16 .b8 buffer[1024];
    mov.u32 %r1, buffer;
    shl.b32 %r2, %r0, 4;
    add.u32 %r3, %r1, %r2;
    mov.u32 %r5, 8;
    cp.async.ca.shared.global [%r3], [%d0], 16, %r5;
    setp.lt.u32 %p1, %r0, 20;
    cp.async.ca.shared.global [%r3], [%d0], 16, !%p1;
    cp.async.wait_all;
    ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r6, %r7}, [%r3];
    ld.shared.v2.u32 {%r8, %r9}, [%r3+8];
    atom.shared.add.u32 %r10, [buffer+4], 1;
    st.global.u32 [%d1], %r10;
  )"),
               watched_by(seen));
  t.results(32, 32);
  const auto& copies = seen.accesses.at("cp.async.ca.shared.global [%r3], [%d0], 16, %r5");
  ASSERT_EQ(copies.size(), 64u);
  EXPECT_EQ(copies[3], (Access{3, shared_window + 48, 16}));
  EXPECT_EQ(copies[32].bytes, 8u);
  EXPECT_EQ(copies[33].address, copies[32].address);
  // Lanes 20 to 31 read nothing; all 32 write.
  EXPECT_EQ(seen.accesses.at("cp.async.ca.shared.global [%r3], [%d0], 16, !%p1").size(), 52u);
  const auto& rows = seen.accesses.at("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r6, %r7}, [%r3]");
  ASSERT_EQ(rows.size(), 16u);
  EXPECT_EQ(rows[15], (Access{15, shared_window + 240, 16}));
  EXPECT_EQ(seen.accesses.at("ld.shared.v2.u32 {%r8, %r9}, [%r3+8]")[31],
            (Access{31, shared_window + 31 * 16 + 8, 8}));
  const Site& atomic = *seen.sites.at("atom.shared.add.u32 %r10, [buffer+4], 1");
  EXPECT_TRUE(atomic.memory.at(0).atomic && atomic.memory[0].reads && atomic.memory[0].writes);
  EXPECT_EQ(seen.accesses.at("atom.shared.add.u32 %r10, [buffer+4], 1")[7],
            (Access{7, shared_window + 4, 4}));
  const Site& store = *seen.sites.at("st.global.u32 [%d1], %r10");
  EXPECT_TRUE(store.writes.empty());
  ASSERT_EQ(store.reads.size(), 2u);
  EXPECT_EQ(store.reads[0].bytes, 8);
  EXPECT_EQ(store.reads[1].bytes, 4);
}

TEST(PtxObserver, ElementsOfWmma) {
  Seen seen;
  TestDevice t(kernel(R"(
    .shared .align 32 .b8 buffer[2048];
    mov.u32 %r1, 32;
    wmma.load.a.sync.aligned.row.m16n16k16.shared.f16 {%r2,%r3,%r4,%r5,%r6,%r7,%r8,%r9}, [buffer], %r1;
    st.global.u32 [%d1], %r2;
  )"),
               watched_by(seen));
  t.results(32, 32);
  std::map<std::uint64_t, int> times;  // every element of 16 x 16, rows 64 bytes apart, by two lanes
  for (const auto& [text, list] : seen.accesses)
    if (text.starts_with("wmma"))
      for (const Access& a : list) ++times[a.address - shared_window];
  ASSERT_EQ(times.size(), 256u);
  for (const auto& [offset, n] : times) {
    EXPECT_EQ(n, 2);
    EXPECT_LT(offset % 64, 32u);
    EXPECT_LT(offset / 64, 16u);
  }
}

TEST(PtxObserver, WhatIsNotImplementedFailsWhereItIsReached) {
  for (const char* unknown :
       {"ldmatrix.sync.aligned.m8n8.x4.tran.shared.b16 {%r1, %r2, %r3, %r4}, [%r5];",
        "mma.sync.aligned.m16n8k64.row.col.f32.f16.f16.f32 {%f0, %f1}, {%r1}, {%r2}, {%f0, %f1};",
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%d0], %r2, [%r3];"}) {
    Seen seen;
    TestDevice reached(kernel(unknown), watched_by(seen));
    const std::string message = error_of([&] { reached.results(32, 32); });
    expect_words(message, {"test.ptx:13: ", "kernel k, block (0, 0, 0)"});
    EXPECT_EQ(seen.failure, message);
    TestDevice skipped(kernel(std::string("bra OVER;\n") + unknown + "\nOVER:"), watched_by(seen));
    EXPECT_EQ(error_of([&] { skipped.results(32, 32); }), "") << unknown;
  }
}

TEST(PtxObserver, HearsOfAFailure) {
  Seen seen;
  TestDevice t(kernel("st.global.u32 [%d1+4096], %r0;\n"), watched_by(seen));
  EXPECT_NE(error_of([&] { t.results(32, 32); }), "");
  EXPECT_NE(seen.failure.find("out of bounds"), std::string::npos);
  EXPECT_EQ(count(seen, "end"), 0u);
}

}  // namespace
}  // namespace twofour::emu::ptx::test
