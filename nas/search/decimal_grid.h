#pragma once
#include <span>

namespace twofour::nas {

__extension__ typedef __int128 Int128;

/// Doubles as exact integers: each stands for the shortest decimal number that reads back as the same double,
/// counted in units of a power of ten, so that sums and comparisons are those a person would do on paper.
class DecimalGrid {
 public:
  /// The coarsest unit that holds every value exactly, if sums of all of them stay below 10^37 units; else
  /// the finest unit that keeps them there, and exact() is false. Values must be finite.
  explicit DecimalGrid(std::span<const double> values);

  bool exact() const { return exact_; }
  /// The value in units, rounded to the nearest (half away from zero) if it has finer digits.
  Int128 nearest(double value) const;
  /// The most units that do not exceed a value that is not negative; at most 10^37.
  Int128 at_most(double value) const;
  /// The double nearest to so many units.
  double to_double(Int128 units) const;
  /// The least double whose decimal number is not below so many units.
  double to_double_up(Int128 units) const;

 private:
  int exponent_ = 0;  ///< one unit is 10^exponent_
  bool exact_ = true;
};

}  // namespace twofour::nas
