#include "twofour/nas/search/search_engine.h"

#include "twofour/isa/error.h"
#include "twofour/nas/search/engine_tools.h"

namespace twofour::nas {

std::unique_ptr<SearchEngine> make_search_engine(std::string_view name) {
  if (name == "exact") return make_exact_engine();
  if (name == "reweighted") return make_reweighted_engine();
  if (name == "evolution") return make_evolution_engine();
  if (name == "random") return make_random_engine();
  fail("there is no search '{}'; use one of: exact, reweighted, evolution, random", name);
}

}  // namespace twofour::nas
