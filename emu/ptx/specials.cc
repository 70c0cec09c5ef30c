#include "twofour/emu/ptx/specials.h"

#include <array>
#include <string>

namespace twofour::emu::ptx::syntax {
namespace {

struct Row {
  std::string_view name;
  Special special;
  int detail = 0;
};
constexpr Row rows[] = {{"%tid", Special::tid_x},
                        {"%ntid", Special::ntid_x},
                        {"%ctaid", Special::ctaid_x},
                        {"%nctaid", Special::nctaid_x},
                        {"%clusterid", Special::clusterid_x},
                        {"%nclusterid", Special::nclusterid_x},
                        {"%cluster_ctaid", Special::cluster_ctaid_x},
                        {"%cluster_nctaid", Special::cluster_nctaid_x},
                        {"%cluster_ctarank", Special::cluster_ctarank},
                        {"%cluster_nctarank", Special::cluster_nctarank},
                        {"%is_explicit_cluster", Special::is_explicit_cluster},
                        {"%laneid", Special::laneid},
                        {"%warpid", Special::warpid},
                        {"%nwarpid", Special::nwarpid},
                        {"%smid", Special::smid},
                        {"%nsmid", Special::nsmid},
                        {"%gridid", Special::gridid},
                        {"%lanemask_eq", Special::lanemask_eq},
                        {"%lanemask_le", Special::lanemask_le},
                        {"%lanemask_lt", Special::lanemask_lt},
                        {"%lanemask_ge", Special::lanemask_ge},
                        {"%lanemask_gt", Special::lanemask_gt},
                        {"%clock", Special::clock},
                        {"%clock_hi", Special::clock_hi},
                        {"%clock64", Special::clock64},
                        {"%globaltimer", Special::globaltimer},
                        {"%globaltimer_lo", Special::globaltimer_lo},
                        {"%globaltimer_hi", Special::globaltimer_hi},
                        {"%dynamic_smem_size", Special::dynamic_smem_size},
                        {"%total_smem_size", Special::total_smem_size},
                        {"%aggr_smem_size", Special::aggr_smem_size},
                        {"%reserved_smem_offset_0", Special::reserved_smem_offset, 0},
                        {"%reserved_smem_offset_1", Special::reserved_smem_offset, 1},
                        {"%reserved_smem_offset_begin", Special::reserved_smem_offset, 2},
                        {"%reserved_smem_offset_end", Special::reserved_smem_offset, 3},
                        {"%reserved_smem_offset_cap", Special::reserved_smem_offset, 4}};

/// "%envreg0" .. "%envreg31"
const std::array<std::string, 32>& envreg_names() {
  static const auto names = [] {
    std::array<std::string, 32> all;
    for (std::size_t n = 0; n < all.size(); ++n) all[n] = "%envreg" + std::to_string(n);
    return all;
  }();
  return names;
}

void declare_one(Names& names, const Row& row) {
  names.declare(row.name, {.kind = Binding::Kind::special, .value = int(row.special), .detail = row.detail});
}

}  // namespace

void declare_specials(Names& names) {
  for (const auto& row : rows) declare_one(names, row);
  for (std::size_t n = 0; n < envreg_names().size(); ++n)
    declare_one(names, {envreg_names()[n], Special::envreg, int(n)});
}

bool has_components(Special special) {
  switch (special) {
    case Special::tid_x:
    case Special::ntid_x:
    case Special::ctaid_x:
    case Special::nctaid_x:
    case Special::clusterid_x:
    case Special::nclusterid_x:
    case Special::cluster_ctaid_x:
    case Special::cluster_nctaid_x: return true;
    default: return false;
  }
}

}  // namespace twofour::emu::ptx::syntax
