#pragma once
#include <exception>
#include <functional>
#include <string>

#if defined(__has_feature)
#define TWOFOUR_HAS_FEATURE(name) __has_feature(name)
#else
#define TWOFOUR_HAS_FEATURE(name) 0
#endif

namespace twofour {

/// Large tests take one case in so many: all of them, but few where a sanitizer slows each down.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    TWOFOUR_HAS_FEATURE(address_sanitizer) || TWOFOUR_HAS_FEATURE(thread_sanitizer)
inline constexpr int case_stride = 31;
#else
inline constexpr int case_stride = 1;
#endif

/// Runs check(0) .. check(count - 1) on every core; the first complaint that is not empty, or an empty text.
/// The rest is skipped after a complaint.
inline std::string first_complaint(int count, const std::function<std::string(int)>& check) {
  std::string found;
  bool stop = false;
#pragma omp parallel for schedule(dynamic)
  for (int n = 0; n < count; ++n) {
    bool skip = false;
#pragma omp atomic read
    skip = stop;
    if (skip) continue;
    std::string complaint;
    try {
      complaint = check(n);
    } catch (const std::exception& e) {
      complaint = std::string("stopped: ") + e.what();
    }
    if (complaint.empty()) continue;
#pragma omp atomic write
    stop = true;
#pragma omp critical
    if (found.empty()) found = complaint;
  }
  return found;
}

}  // namespace twofour
