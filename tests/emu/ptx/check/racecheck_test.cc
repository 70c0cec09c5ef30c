// What racecheck says of small kernels, right and wrong.
#include <gtest/gtest.h>

#include "under.h"

namespace twofour::emu::check::test {
namespace {

/// %r2: the thread's word of s[64], %r3: its mirror image's, %r4: warp, %r5: lane.
std::string shared_kernel(const std::string& body) {
  return ptx::test::kernel(R"(
    .shared .align 16 .b8 s[2048];
    mov.u32 %r1, s;
    shl.b32 %r2, %r0, 2;
    add.u32 %r2, %r1, %r2;
    sub.u32 %r3, 63, %r0;
    shl.b32 %r3, %r3, 2;
    add.u32 %r3, %r1, %r3;
    shr.u32 %r4, %r0, 5;
    and.b32 %r5, %r0, 31;
    setp.eq.u32 %p0, %r4, 0;
    setp.eq.u32 %p1, %r5, 0;
    setp.eq.u32 %p2, %r0, 0;
  )" + body);
}
std::vector<Finding> findings(const std::string& body, std::uint32_t threads = 64) {
  const Checked c = run_under(Tool::racecheck, shared_kernel(body), threads);
  EXPECT_EQ(c.failure, "");
  return c.findings;
}
std::string errors(const std::string& body, std::uint32_t threads = 64) {
  std::string out;
  for (const Finding& f : findings(body, threads)) out += f.error + ": " + f.statement + "\n";
  return out;
}

TEST(Racecheck, ReadsNeedABarrierAfterWrites) {
  const auto list = findings("st.shared.u32 [%r2], %r0;\n ld.shared.u32 %r6, [%r3];\n");
  ASSERT_EQ(list.size(), 1u);
  const Finding& f = list[0];
  EXPECT_EQ(f.error, "race");
  EXPECT_EQ(f.statement, "ld.shared.u32 %r6, [%r3]");
  EXPECT_EQ(f.lanes, ~0u);
  EXPECT_NE(f.detail.find("(st.shared.u32 [%r2], %r0)"), std::string::npos) << f.detail;
  EXPECT_EQ(errors("st.shared.u32 [%r2], %r0;\n bar.sync 0;\n ld.shared.u32 %r6, [%r3];\n"), "");
}

TEST(Racecheck, TheSecondBarrierOfALoop) {
  const auto loop = [](const std::string& second) {
    return R"(
      mov.u32 %r6, 0;
    LOOP:
      st.shared.u32 [%r2], %r6;
      bar.sync 0;
      ld.shared.u32 %r7, [%r3];
    )" + second +
           R"(
      add.u32 %r6, %r6, 1;
      setp.lt.u32 %p3, %r6, 4;
      @%p3 bra LOOP;
    )";
  };
  EXPECT_EQ(errors(loop("bar.sync 0;")), "");
  EXPECT_EQ(errors(loop("")), "race: ld.shared.u32 %r7, [%r3]\n");
}

TEST(Racecheck, TwoBuffersNeedOneBarrier) {
  const auto loop = [](const std::string& flip) {
    return R"(
      mov.u32 %r6, 0;
      mov.u32 %r8, 0;
    LOOP:
      add.u32 %r9, %r2, %r8;
      add.u32 %r10, %r3, %r8;
      st.shared.u32 [%r9], %r6;
      bar.sync 0;
      ld.shared.u32 %r7, [%r10];
    )" + flip +
           R"(
      add.u32 %r6, %r6, 1;
      setp.lt.u32 %p3, %r6, 5;
      @%p3 bra LOOP;
    )";
  };
  EXPECT_EQ(errors(loop("xor.b32 %r8, %r8, 256;")), "");
  EXPECT_EQ(errors(loop("xor.b32 %r8, %r8, 0;")), "race: ld.shared.u32 %r7, [%r10]\n");
}

/// Warp 0 produces twice into one buffer, warp 1 consumes; barriers 1 (full) and 2 (empty).
std::string named_barriers(const std::string& before_read, const std::string& before_second_write) {
  return R"(
    shl.b32 %r6, %r5, 2;
    add.u32 %r6, %r1, %r6;
    @%p0 bra PRODUCER;
  )" + before_read +
         R"(
    ld.shared.u32 %r7, [%r6];
    bar.arrive 2, 64;
    bar.sync 1, 64;
    ld.shared.u32 %r8, [%r6];
    bra DONE;
  PRODUCER:
    st.shared.u32 [%r6], 1;
    bar.arrive 1, 64;
  )" + before_second_write +
         R"(
    st.shared.u32 [%r6], 2;
    bar.arrive 1, 64;
  DONE:
    ret;
  )";
}
TEST(Racecheck, ProducersAndConsumersByNamedBarriers) {
  EXPECT_EQ(errors(named_barriers("bar.sync 1, 64;", "bar.sync 2, 64;")), "");
  EXPECT_EQ(errors(named_barriers("barrier.sync 1, 64;", "barrier.sync 2, 64;")), "");
}
TEST(Racecheck, AnArrivalDoesNotWait) {
  // Each warp arrives at what the other waits for, so nothing is stuck; but warp 1 reads before it waits.
  EXPECT_EQ(errors(R"(
    shl.b32 %r6, %r5, 2;
    add.u32 %r6, %r1, %r6;
    @%p0 bra PRODUCER;
    bar.arrive 1, 64;
    ld.shared.u32 %r7, [%r6];
    bra DONE;
  PRODUCER:
    st.shared.u32 [%r6], 1;
    bar.sync 1, 64;
  DONE:
    ret;
  )"),
            "race: ld.shared.u32 %r7, [%r6]\n");
}
TEST(Racecheck, AnotherBarrierOrdersNothing) {
  EXPECT_EQ(errors(R"(
    st.shared.u32 [%r2], 1;
    @%p0 bar.sync 1, 32;
    @!%p0 bar.sync 2, 32;
    ld.shared.u32 %r7, [%r3];
  )"),
            "race: ld.shared.u32 %r7, [%r3]\n");
}
TEST(Racecheck, ReductionsOfBarriersOrder) {
  EXPECT_EQ(errors(R"(
    st.shared.u32 [%r2], 1;
    bar.red.popc.u32 %r6, 0, %p0;
    ld.shared.u32 %r7, [%r3];
  )"),
            "");
}
TEST(Racecheck, WarpsThatEndHaveArrived) {
  EXPECT_EQ(errors(R"(
    st.shared.u32 [%r2], 1;
    @%p0 bra DONE;
    bar.sync 0;
    ld.shared.u32 %r7, [%r3];
  DONE:
    ret;
  )"),
            "");
}

/// Warp 0 hands a value to warp 1 by an mbarrier of one arrival.
std::string by_mbarrier(const std::string& wait) {
  return R"(
    add.u32 %r6, %r1, 1024;
    @%p2 mbarrier.init.shared.b64 [%r6], 1;
    bar.sync 0;
    @!%p0 bra CONSUMER;
    st.shared.u32 [%r2], 5;
    bar.warp.sync 0xffffffff;
    @%p2 mbarrier.arrive.shared.b64 %d2, [%r6];
    bra DONE;
  CONSUMER:
  )" + wait +
         R"(
    ld.shared.u32 %r8, [%r3];
  DONE:
    ret;
  )";
}
TEST(Racecheck, Mbarriers) {
  EXPECT_EQ(errors(by_mbarrier(R"(
    WAIT:
      mbarrier.test_wait.parity.shared.b64 %p3, [%r6], 0;
      @!%p3 bra WAIT;
  )")),
            "");
  // Asks once, and goes on whatever the answer: warp 0 has run, so it is yes. The phase before it orders
  // nothing.
  EXPECT_EQ(errors(by_mbarrier("mbarrier.test_wait.parity.shared.b64 %p3, [%r6], 0;")), "");
  EXPECT_EQ(errors(by_mbarrier("mbarrier.test_wait.parity.shared.b64 %p3, [%r6], 1;")),
            "race: ld.shared.u32 %r8, [%r3]\n");
  EXPECT_EQ(errors(by_mbarrier("")), "race: ld.shared.u32 %r8, [%r3]\n");
}
TEST(Racecheck, AnMbarrierIsInitialisedBeforeABarrier) {
  EXPECT_EQ(errors(R"(
    add.u32 %r6, %r1, 1024;
    @%p2 mbarrier.init.shared.b64 [%r6], 2;
    @%p1 mbarrier.arrive.shared.b64 %d2, [%r6];
  )"),
            "race: @%p1 mbarrier.arrive.shared.b64 %d2, [%r6]\n");
}
/// Each lane copies its 16 bytes; cp.async.mbarrier.arrive by the lanes of warp 0.
TEST(Racecheck, CopiesThatAnMbarrierWaitsFor) {
  const auto text = [](const std::string& wait) {
    return R"(
      add.u32 %r6, %r1, 1024;
      @%p2 mbarrier.init.shared.b64 [%r6], 32;
      bar.sync 0;
      @!%p0 bra CONSUMER;
      shl.b32 %r7, %r0, 4;
      add.u32 %r7, %r1, %r7;
      cp.async.ca.shared.global [%r7], [%d0], 16;
      cp.async.mbarrier.arrive.noinc.shared.b64 [%r6];
      bra DONE;
    CONSUMER:
    )" + wait +
           R"(
      ld.shared.u32 %r8, [%r3];
    DONE:
      ret;
    )";
  };
  EXPECT_EQ(errors(text("WAIT: mbarrier.test_wait.parity.shared.b64 %p3, [%r6], 0;\n @!%p3 bra WAIT;")), "");
  EXPECT_EQ(errors(text("")), "race: ld.shared.u32 %r8, [%r3]\n");
}

/// Two stages of copies; `wait` before a stage is read.
std::string stages(const std::string& wait) {
  return R"(
    shl.b32 %r6, %r0, 4;
    add.u32 %r6, %r1, %r6;
    xor.b32 %r7, %r6, 512;
    cp.async.cg.shared.global [%r6], [%d0], 16;
    cp.async.commit_group;
    cp.async.cg.shared.global [%r6+1024], [%d0], 16;
    cp.async.commit_group;
  )" + wait +
         R"(
    ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r7];
  )";
}
TEST(Racecheck, StagesOfCopies) {
  EXPECT_EQ(errors(stages("cp.async.wait_group 1;\n bar.sync 0;\n")), "");
  EXPECT_EQ(errors(stages("cp.async.wait_all;\n bar.sync 0;\n")), "");
  EXPECT_EQ(errors(stages("cp.async.wait_group 2;\n bar.sync 0;\n")),
            "read before cp.async wait: ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r7]\n");
  EXPECT_EQ(errors(stages("bar.sync 0;\n")),
            "read before cp.async wait: ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r7]\n");
  EXPECT_EQ(errors(stages("cp.async.wait_group 1;\n")),
            "race: ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r7]\n");
  // Of what the other warp copies it depends on the turns whether its wait came first.
  EXPECT_EQ(errors(stages("bar.sync 0;\n cp.async.wait_group 1;\n")),
            "race: ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r7]\n"
            "read before cp.async wait: ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r7]\n");
}
TEST(Racecheck, ALaneWaitsForItsOwnCopies) {
  const auto text = [](const std::string& wait, const std::string& lane) {
    return "shl.b32 %r6, %r0, 4;\n add.u32 %r6, %r1, %r6;\n xor.b32 %r7, %r6, " + lane +
           ";\n cp.async.cg.shared.global [%r6], [%d0], 16;\n" + wait + "ld.shared.u32 %r8, [%r7];\n";
  };
  EXPECT_EQ(errors(text("cp.async.wait_all;\n", "0")), "");
  EXPECT_EQ(errors(text("", "0")), "read before cp.async wait: ld.shared.u32 %r8, [%r7]\n");
  EXPECT_EQ(errors(text("cp.async.wait_all;\n", "16")), "warp-level hazard: ld.shared.u32 %r8, [%r7]\n");
  EXPECT_EQ(errors(text("cp.async.wait_all;\n bar.warp.sync 0xffffffff;\n", "16")), "");
  EXPECT_EQ(errors(text("bar.warp.sync 0xffffffff;\n cp.async.wait_all;\n", "16")),
            "warp-level hazard: ld.shared.u32 %r8, [%r7]\n");
  // wait_group counts committed groups only.
  EXPECT_EQ(errors(text("cp.async.wait_group 0;\n", "0")),
            "read before cp.async wait: ld.shared.u32 %r8, [%r7]\n");
}
TEST(Racecheck, CopiesIntoWhatIsStillRead) {
  const auto text = [](const std::string& between) {
    return "ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r7];\n" + between +
           "cp.async.cg.shared.global [%r6], [%d0], 16;\n cp.async.wait_all;\n";
  };
  const std::string start = "shl.b32 %r6, %r0, 4;\n add.u32 %r6, %r1, %r6;\n xor.b32 %r7, %r6, 512;\n";
  EXPECT_EQ(errors(start + text("bar.sync 0;\n")), "");
  EXPECT_EQ(errors(start + text("")), "race: ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r7]\n");
}
TEST(Racecheck, WritesOverPendingCopies) {
  EXPECT_EQ(errors("cp.async.ca.shared.global [%r2], [%d0], 4;\n st.shared.u32 [%r2], 1;\n"),
            "write before cp.async wait: st.shared.u32 [%r2], 1\n");
}

TEST(Racecheck, LocksByAtomics) {
  EXPECT_EQ(errors(R"(
    @!%p1 bra DONE;
  LOCK:
    atom.shared.cas.b32 %r6, [%r1], 0, 1;
    setp.ne.u32 %p3, %r6, 0;
    @%p3 bra LOCK;
    ld.shared.u32 %r7, [%r1+128];
    add.u32 %r7, %r7, 1;
    st.shared.u32 [%r1+128], %r7;
    atom.shared.exch.b32 %r6, [%r1], 0;
  DONE:
    ret;
  )"),
            "");
}
TEST(Racecheck, AtomicsDoNotRaceButWithOthers) {
  EXPECT_EQ(errors("red.shared.add.u32 [%r1], 1;\n atom.shared.add.u32 %r6, [%r1], 1;\n"), "");
  EXPECT_EQ(errors("red.shared.add.u32 [%r1], 1;\n ld.shared.u32 %r6, [%r1+4];\n"), "");
  EXPECT_EQ(errors("@%p2 st.shared.u32 [%r1], 7;\n @!%p0 red.shared.add.u32 [%r1], 1;\n"),
            "race: @!%p0 red.shared.add.u32 [%r1], 1\n");
}
TEST(Racecheck, GenericAddresses) {
  EXPECT_EQ(errors(R"(
    cvt.u64.u32 %d2, %r2;
    cvta.shared.u64 %d2, %d2;
    st.u32 [%d2], %r0;
    ld.shared.u32 %r6, [%r3];
  )"),
            "race: ld.shared.u32 %r6, [%r3]\n");
}

/// Warp 0 sets a flag after a value; warp 1 waits for it.
std::string by_flag(const std::string& store, const std::string& fence, const std::string& load) {
  return R"(
    @%p0 bra PRODUCER;
  WAIT:
  )" + load +
         R"( %r6, [%r1+1024];
    setp.eq.u32 %p3, %r6, 0;
    @%p3 bra WAIT;
  )" + fence +
         R"(
    ld.shared.u32 %r7, [%r3];
    bra DONE;
  PRODUCER:
    st.shared.u32 [%r2], 3;
    bar.warp.sync 0xffffffff;
  )" + fence +
         R"(
    @%p2 )" +
         store +
         R"( [%r1+1024], 1;
  DONE:
    ret;
  )";
}
TEST(Racecheck, FlagsAndFences) {
  EXPECT_EQ(errors(by_flag("st.volatile.shared.u32", "membar.cta;", "ld.volatile.shared.u32")), "");
  EXPECT_EQ(errors(by_flag("st.relaxed.cta.shared.u32", "fence.acq_rel.cta;", "ld.relaxed.cta.shared.u32")),
            "");
  EXPECT_EQ(errors(by_flag("st.release.cta.shared.u32", "", "ld.acquire.cta.shared.u32")), "");
  EXPECT_EQ(errors(by_flag("st.volatile.shared.u32", "", "ld.volatile.shared.u32")),
            "race: ld.shared.u32 %r7, [%r3]\n");
  EXPECT_EQ(errors(by_flag("st.relaxed.cta.shared.u32", "", "ld.acquire.cta.shared.u32")),
            "race: ld.shared.u32 %r7, [%r3]\n");
  EXPECT_EQ(errors(by_flag("st.shared.u32", "membar.cta;", "ld.volatile.shared.u32")),
            "race: ld.volatile.shared.u32 %r6, [%r1+1024]\nrace: ld.shared.u32 %r7, [%r3]\n");
}

/// A lane writes its word, and reads or writes that of the lane beside it.
TEST(Racecheck, LanesOfAWarp) {
  const std::string neighbour = "xor.b32 %r6, %r2, 4;\n";
  const std::string store = "st.shared.u32 [%r2], %r0;\n", load = "ld.shared.u32 %r7, [%r6];\n";
  const std::string shuffle = "shfl.sync.bfly.b32 %r8, %r0, 1, 31, 0xffffffff;\n";
  const std::string sync = "bar.warp.sync 0xffffffff;\n";
  const std::string hazard = "warp-level hazard: ld.shared.u32 %r7, [%r6]\n";
  EXPECT_EQ(errors(neighbour + store + load), hazard);
  EXPECT_EQ(errors(neighbour + store + sync + load), "");
  EXPECT_EQ(errors(neighbour + store + "bar.sync 0;\n" + load), "");
  EXPECT_EQ(errors(neighbour + store + shuffle + load), hazard);
  EXPECT_EQ(errors(neighbour + load + store), hazard);
  EXPECT_EQ(errors(neighbour + load + sync + store), "");
  EXPECT_EQ(errors(neighbour + load + shuffle + store), "");
  EXPECT_EQ(errors(store + "ld.shared.u32 %r7, [%r2];\n" + store), "");
  const std::string vstore = "st.volatile.shared.u32 [%r2], %r0;\n",
                    vload = "ld.volatile.shared.u32 %r7, [%r6];\n";
  EXPECT_EQ(errors(neighbour + vstore + vload), "warp-level hazard: ld.volatile.shared.u32 %r7, [%r6]\n");
}
TEST(Racecheck, TilesOfAWarp) {
  const auto text = [](const std::string& distance) {
    return "and.b32 %r6, %r5, 24;\n mov.u32 %r7, 255;\n shl.b32 %r7, %r7, %r6;\n xor.b32 %r8, %r2, " +
           distance + ";\n st.shared.u32 [%r2], %r0;\n bar.warp.sync %r7;\n ld.shared.u32 %r9, [%r8];\n";
  };
  EXPECT_EQ(errors(text("16")), "");
  EXPECT_EQ(errors(text("28")), "");
  EXPECT_EQ(errors(text("32")), "warp-level hazard: ld.shared.u32 %r9, [%r8]\n");
  // A neighbour's read, the tile's sync, and then its own read and write.
  EXPECT_EQ(
      errors("and.b32 %r6, %r5, 24;\n mov.u32 %r7, 255;\n shl.b32 %r7, %r7, %r6;\n xor.b32 %r8, %r2, 4;\n"
             "ld.shared.u32 %r9, [%r8];\n bar.warp.sync %r7;\n ld.shared.u32 %r9, [%r2];\n"
             "st.shared.u32 [%r2], %r9;\n"),
      "");
}
TEST(Racecheck, MatrixLoadsReadForTheirWarp) {
  const auto text = [](const std::string& sync) {
    return "shl.b32 %r6, %r5, 4;\n add.u32 %r6, %r1, %r6;\n @!%p0 bra DONE;\n"
           "st.shared.v4.u32 [%r6], {%r0, 0, %r0, 1};\n" +
           sync + "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r7, %r8, %r9, %r10}, [%r6];\nDONE: ret;\n";
  };
  EXPECT_EQ(errors(text("bar.warp.sync 0xffffffff;\n")), "");
  EXPECT_EQ(errors(text("")),
            "warp-level hazard: ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r7, %r8, %r9, %r10}, [%r6]\n");
}

TEST(Racecheck, ValuesThatLanesAndWarpsStoreToOneWord) {
  EXPECT_EQ(errors("st.shared.u32 [%r1], 5;\n"), "");
  EXPECT_EQ(errors("st.shared.v2.u32 [%r1], {%r1, 9};\n"), "");
  EXPECT_EQ(errors("st.shared.u32 [%r1], %r5;\n", 32), "warp-level hazard: st.shared.u32 [%r1], %r5\n");
  EXPECT_EQ(errors("st.shared.v2.u32 [%r1], {%r1, %r5};\n", 32),
            "warp-level hazard: st.shared.v2.u32 [%r1], {%r1, %r5}\n");
  EXPECT_EQ(errors("add.u32 %r6, %r4, 1;\n st.shared.u32 [%r1], %r6;\n"), "race: st.shared.u32 [%r1], %r6\n");
}
TEST(Racecheck, BytesOfAWordAreApart) {
  const std::string text =
      "add.u32 %r6, %r1, %r0;\n xor.b32 %r7, %r6, 32;\n st.shared.u8 [%r6], %r0;\n ld.shared.u8 %r8, ";
  EXPECT_EQ(errors(text + "[%r6];\n"), "");
  EXPECT_EQ(errors(text + "[%r7];\n"), "race: ld.shared.u8 %r8, [%r7]\n");
}
TEST(Racecheck, CountsAndBlocks) {
  const CheckerSet checkers({Tool::racecheck});
  ptx::test::TestDevice device(shared_kernel(R"(
    mov.u32 %r6, 0;
  LOOP:
    st.shared.u32 [%r2], %r6;
    add.u32 %r6, %r6, 1;
    setp.lt.u32 %p3, %r6, 3;
    @%p3 bra LOOP;
    ld.shared.u32 %r7, [%r3];
  )"),
                               watched_by(checkers));
  const std::uint64_t out = device.upload(std::vector<std::uint32_t>(64));
  device.run({4, 1, 1}, {64, 1, 1}, 0, out);
  const auto list = checkers.findings().list();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].block.x, 0u);
  // Warp 0 runs to its end first: then each block has one racing read in warp 1, and one store over a read.
  EXPECT_EQ(list[0].count, 8u);
}

}  // namespace
}  // namespace twofour::emu::check::test
