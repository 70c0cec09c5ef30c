#include "twofour/runtime/fatbin.h"

#include <gmock/gmock.h>

#include "fatbin_builder.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::runtime {
namespace {

using testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string long_text() {
  std::string text = ".version 9.0\n.target sm_80\n";
  for (int i = 0; i < 500; ++i) text += fmt::format("// line {}\n", i * i);
  return text;
}

std::string message(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Fatbin, EveryPackingGivesTheSameText) {
  for (const Packing packing : {Packing::raw, Packing::lz4, Packing::zstd, Packing::zstd_stream}) {
    const FatbinBuilder fatbin({{.text = long_text(), .packing = packing}});
    const auto entries = read_fatbin(bytes_of(fatbin.bytes()), "f");
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_TRUE(entries[0].ptx);
    EXPECT_EQ(entries[0].sm, 80);
    EXPECT_EQ(ptx_text(entries[0], "f"), long_text());
  }
}

// In the data of this program, as in those of programs that register device code.
alignas(8) std::uint64_t too_large[2] = {0x00100001BA55ED50, std::uint64_t{1} << 62};

TEST(Fatbin, StatedSizesEndWhereTheProgramEnds) {
  const struct {
    std::uint32_t magic = 0x466243b1, version = 1;
    const void* data = too_large;
    const void* more = nullptr;
  } wrapper;
  EXPECT_THAT(message([&] { fatbin_of_wrapper(&wrapper); }),
              HasSubstr("16 + 4611686018427387904 bytes does not"));
  too_large[1] = 0;
  EXPECT_EQ(fatbin_of_wrapper(&wrapper).size(), 16u);
}

// Written by nvcc 13.0 from tests/runtime/programs/print.cu with --compress-mode none, speed and size.
TEST(Fatbin, ReadsWhatNvccWrites) {
  std::string first;
  for (const char* mode : {"none", "speed", "size"}) {
    const std::string file =
        isa::read_file(fmt::format("{}/tests/fuzz/seeds/fatbin/{}.fatbin", TWOFOUR_SOURCE_DIR, mode));
    const auto entries = read_fatbin(bytes_of(file), mode);
    const std::string text = ptx_text(*choose_entry(entries, 80, mode).entry, mode);
    EXPECT_THAT(text, HasSubstr(".visible .entry _Z5hellodPKc("));
    if (first.empty()) first = text;
    EXPECT_EQ(text.substr(text.find(".version")), first.substr(first.find(".version")));
  }
}

TEST(Fatbin, HighestThatIsNotAboveTheMachineElseTheLowest) {
  const auto choose = [](std::vector<EntrySpec> specs, int machine) {
    const FatbinBuilder fatbin(specs);
    const auto entries = read_fatbin(bytes_of(fatbin.bytes()), "f");
    const auto chosen = choose_entry(entries, machine, "f");
    return chosen.entry->sm + (chosen.newer ? 1000 : 0);
  };
  const std::vector<EntrySpec> three{
      {.text = "a", .sm = 90}, {.text = "b", .sm = 70}, {.text = "c", .sm = 80}};
  EXPECT_EQ(choose(three, 80), 80);
  EXPECT_EQ(choose(three, 86), 80);
  EXPECT_EQ(choose(three, 90), 90);
  EXPECT_EQ(choose(three, 75), 70);
  EXPECT_EQ(choose({{.text = "a", .sm = 100}, {.text = "b", .sm = 90}}, 80), 1090);
  EXPECT_EQ(choose({{.text = "e", .sm = 80, .elf = true}, {.text = "b", .sm = 70}}, 80), 70);
}

TEST(Fatbin, MachineCodeAloneSaysHowToBuild) {
  const FatbinBuilder fatbin({{.text = "ELF", .elf = true}});
  EXPECT_THAT(message([&] { choose_entry(read_fatbin(bytes_of(fatbin.bytes()), "f"), 80, "f"); }),
              HasSubstr("-gencode arch=compute_80,code=compute_80"));
  EXPECT_TRUE(read_fatbin(bytes_of(FatbinBuilder({}).bytes()), "f").empty());
}

TEST(Fatbin, EveryCutIsRefused) {
  for (const Packing packing : {Packing::raw, Packing::lz4, Packing::zstd, Packing::zstd_stream}) {
    const std::string whole = FatbinBuilder({{.text = "short text, text, text", .packing = packing}}).bytes();
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_THROW(read_fatbin(bytes_of(whole.substr(0, size)), "f"), Error) << size;
  }
}

TEST(Fatbin, StatedSizesThatLieAreRefused) {
  constexpr std::size_t entry = 16, head_size = entry + 4, payload = entry + 8, compressed = entry + 16,
                        text = entry + 56;
  for (const Packing packing : {Packing::lz4, Packing::zstd, Packing::zstd_stream})
    for (const std::size_t at : {head_size, payload, compressed, text})
      for (const std::uint64_t lie : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0},
                                      std::uint64_t{1} << 40, std::uint64_t{64} << 20}) {
        std::string bytes = FatbinBuilder({{.text = long_text(), .packing = packing}}).bytes();
        std::memcpy(bytes.data() + at, &lie, at == payload || at == text ? 8 : 4);
        EXPECT_THROW(
            {
              for (const auto& e : read_fatbin(bytes_of(bytes), "f")) ptx_text(e, "f");
            },
            Error)
            << at << " " << lie;
      }
}

TEST(Fatbin, WrapperLeadsToItsBytes) {
  const std::string data = FatbinBuilder({{.text = "text"}}).bytes();
  struct {
    std::uint32_t magic = 0x466243b1, version = 1;
    const void* data = nullptr;
    const void* unused = nullptr;
  } wrapper;
  wrapper.data = data.data();
  EXPECT_EQ(fatbin_of_wrapper(&wrapper).size(), data.size());
  wrapper.magic = 1;
  EXPECT_THROW(fatbin_of_wrapper(&wrapper), Error);
}

}  // namespace
}  // namespace twofour::runtime
