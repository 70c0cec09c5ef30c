#pragma once
// Fatbins as nvcc writes them, from the format's description: for tests.
#include <lz4.h>
#include <zstd.h>

#include <cstring>
#include <string>
#include <vector>

namespace twofour::runtime {

/// zstd_stream: a frame that does not say its size.
enum class Packing { raw, lz4, zstd, zstd_stream };

struct EntrySpec {
  std::string text;
  int sm = 80;
  Packing packing = Packing::raw;
  bool elf = false;
};

class FatbinBuilder {
 public:
  explicit FatbinBuilder(const std::vector<EntrySpec>& entries) {
    for (const auto& e : entries) add(e);
    std::string head;
    put(head, 0xBA55ED50u, 4);
    put(head, 1, 2);
    put(head, 16, 2);
    put(head, bytes_.size(), 8);
    bytes_ = head + bytes_;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  static void put(std::string& out, std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) out += char(value >> (8 * i));
  }

  static std::string packed(const EntrySpec& e) {
    if (e.packing == Packing::raw) return e.text;
    std::string out(e.text.size() * 2 + 256, '\0');
    std::size_t size = 0;
    if (e.packing == Packing::lz4) {
      size =
          std::size_t(LZ4_compress_default(e.text.data(), out.data(), int(e.text.size()), int(out.size())));
    } else {
      ZSTD_CCtx* const context = ZSTD_createCCtx();
      ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, e.packing == Packing::zstd ? 1 : 0);
      size = ZSTD_compress2(context, out.data(), out.size(), e.text.data(), e.text.size());
      ZSTD_freeCCtx(context);
    }
    out.resize(size);
    return out;
  }

  void add(const EntrySpec& e) {
    std::string payload = packed(e);
    const std::size_t compressed = e.packing == Packing::raw ? 0 : payload.size();
    payload.resize((payload.size() + 8) / 8 * 8);
    put(bytes_, e.elf ? 2 : 1, 2);
    put(bytes_, 0x101, 2);
    put(bytes_, 64, 4);
    put(bytes_, payload.size(), 8);
    put(bytes_, compressed, 4);
    put(bytes_, 64, 4);
    put(bytes_, 0, 2);  // minor
    put(bytes_, 9, 2);  // major
    put(bytes_, std::uint64_t(e.sm), 4);
    put(bytes_, 0, 8);  // name
    put(bytes_, e.packing == Packing::lz4 ? 0x2011 : e.packing == Packing::raw ? 0x11 : 0x8011, 8);
    put(bytes_, 0, 8);
    put(bytes_, e.packing == Packing::raw ? 0 : e.text.size(), 8);
    bytes_ += payload;
  }

  std::string bytes_;
};

}  // namespace twofour::runtime
