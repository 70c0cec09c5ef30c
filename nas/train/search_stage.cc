#include "twofour/nas/train/search_stage.h"

#include <algorithm>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

std::size_t index_of(const SearchProblem& problem, std::size_t layer, Option option) {
  const auto& list = problem.options.at(layer);
  const auto found = std::find(list.begin(), list.end(), option);
  if (found == list.end())
    fail("layer {} may not take option {}", problem.table.layers[layer].name, name(option));
  return std::size_t(found - list.begin());
}

}  // namespace

std::vector<Option> SearchProblem::options_of(const Solution& solution) const {
  std::vector<Option> assignment;
  for (std::size_t i = 0; i < options.size(); ++i)
    assignment.push_back(options[i][std::size_t(solution.choice[i])]);
  return assignment;
}

double SearchProblem::cost(std::size_t layer, Option option) const {
  return table.layers[layer].options[index_of(*this, layer, option)].cost;
}

const emu::Latency& SearchProblem::latency_of(std::size_t layer, Option option) const {
  return latency[layer][index_of(*this, layer, option)];
}

double SearchProblem::latency_us(const std::vector<Option>& assignment) const {
  double sum = 0;
  for (std::size_t i = 0; i < assignment.size(); ++i) sum += latency_of(i, assignment[i]).microseconds;
  return sum;
}

double SearchProblem::cost(const std::vector<Option>& assignment) const {
  double sum = 0;
  for (std::size_t i = 0; i < assignment.size(); ++i) sum += cost(i, assignment[i]);
  return sum;
}

std::vector<std::vector<Option>> all_legal_options(const Network& network) {
  std::vector<std::vector<Option>> all;
  for (std::size_t i = 0; i < network.layers.size(); ++i) all.push_back(legal_options(network, i));
  return all;
}

SearchProblem make_problem(const Network& network, const Trainer::Sensitivity& sensitivity, int batch,
                           const isa::Machine& machine) {
  SearchProblem problem;
  problem.options = all_legal_options(network);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    TableLayer row{network.layers[i].name, "", {}};
    problem.latency.emplace_back();
    for (std::size_t o = 0; o < problem.options[i].size(); ++o) {
      const Option option = problem.options[i][o];
      problem.latency[i].push_back(layer_latency(network.layers[i], option, batch, machine));
      row.options.push_back({std::string(name(option)), sensitivity.score[i][o].loss - sensitivity.full.loss,
                             problem.latency[i][o].microseconds / 1000});
    }
    problem.table.layers.push_back(std::move(row));
  }
  return problem;
}

}  // namespace twofour::nas
