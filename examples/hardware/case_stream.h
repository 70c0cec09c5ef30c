// Reads a case file of twofour (docs/vectors.md), has a machine execute its cases, and writes the file with
// the answers. It knows nothing of CUDA and nothing of twofour: C++17 and the standard library.
#pragma once
#include <algorithm>
#include <cstdint>
#include <istream>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace hardware {

constexpr int lanes = 32;

/// A form of an instruction: its PTX name, a qualifier ("satfinite", "rz", or nothing), 32-bit registers a
/// lane.
struct Form {
  const char *name, *qualifier;
  int sm;  ///< first compute capability that has it
  int a, b, c, d;
  int selectors;  ///< 0: dense
  int inputs() const { return a + b + c + (selectors > 0 ? 1 : 0); }
};

/// What executes cases.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual int compute_capability() const = 0;  ///< 80: sm_80
  virtual std::string name() const = 0;
  /// Null if it has no such form.
  virtual const Form* find(const std::string& name, const std::string& qualifier) const = 0;
  /// in: [case][register of a, b, c, metadata][lane]; the result: [case][register of d][lane].
  virtual std::vector<uint32_t> execute(const Form& form, int selector, const std::vector<uint32_t>& in,
                                        int cases) = 0;
};

/// Reads, executes and writes; cases of one form that follow each other are executed together.
class Runner {
 public:
  Runner(std::string file, std::istream& in, std::ostream& out, Machine& machine)
      : file_(std::move(file)), in_(in), out_(out), machine_(machine) {}

  /// Throws std::runtime_error that names file, line and field.
  void run() {
    std::string line;
    while (next(line)) {
      const auto words = split(line, ' ');
      if (words.empty() || words[0][0] == '#') {
        pending_.push_back(line);
      } else if (line == header) {
        if (!started_)
          pending_.push_back(line + "\nanswered sm_" + std::to_string(machine_.compute_capability()) + " " +
                             machine_.name());
        started_ = true;
      } else if (!started_) {
        refuse("header", std::string("a case file starts with '") + header + "'");
      } else if (words[0] == "case" && words.size() > 1) {
        read_case(line, words);
      } else if (words[0] != "answered") {  // by another machine: its answers are replaced
        refuse("line", "'case' is needed, not '" + words[0] + "'");
      }
    }
    if (!started_) throw std::runtime_error(file_ + ": holds no cases");
    flush();
  }

 private:
  static constexpr const char* header = "twofour-cases 1";
  static constexpr int batch_cases = 1024;

  [[noreturn]] void refuse(const std::string& field, const std::string& why) const {
    throw std::runtime_error(file_ + ":" + std::to_string(number_) + ": " + field + ": " + why);
  }

  bool next(std::string& line) {
    if (!std::getline(in_, line)) return false;
    ++number_;
    line.erase(line.find_last_not_of(" \t\r") + 1);
    return true;
  }

  static std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, at);)
      if (at != ' ' || !part.empty()) parts.push_back(part);
    return parts;
  }

  void read_case(const std::string& line, const std::vector<std::string>& words) {
    std::string qualifier;
    int selector = 0;
    for (std::size_t w = 2; w < words.size(); ++w)
      if (words[w].rfind("selector=", 0) == 0)
        selector = number("selector", words[w].substr(9));
      else if (qualifier.empty() && words[w] != "rn")
        qualifier = words[w];
    const Form* form = machine_.find(words[1], qualifier);
    if (form == nullptr) refuse("instruction", "this program has no " + words[1] + " " + qualifier);
    if (form->sm > machine_.compute_capability())
      refuse("instruction", words[1] + " needs sm_" + std::to_string(form->sm) + ", " + machine_.name() +
                                " is sm_" + std::to_string(machine_.compute_capability()));
    if (selector < 0 || selector >= std::max(form->selectors, 1)) refuse("selector", "is out of range");
    if (form != form_ || selector != selector_ || cases_ == batch_cases) flush();
    form_ = form;
    selector_ = selector;
    pending_.push_back(line);
    read_lanes();
    ++cases_;
  }

  void read_lanes() {
    const std::size_t first = words_.size(), inputs = std::size_t(form_->inputs());
    words_.resize(first + inputs * lanes);
    for (int lane = 0; lane < lanes; ++lane) {
      std::string line;
      if (!next(line)) refuse("lane", "the file ends within a case");
      auto fields = split(line, '|');
      const std::size_t wanted = form_->selectors > 0 ? 5 : 4;
      if (fields.size() < wanted || fields.size() > wanted + 1 || number("lane", fields[0]) != lane)
        refuse("lane", "lane " + std::to_string(lane) + " is needed: lane | a | b | c" +
                           (wanted == 5 ? " | metadata" : ""));
      const int counts[] = {form_->a, form_->b, form_->c, 1};
      const char* names[] = {"a", "b", "c", "metadata"};
      std::size_t at = first + std::size_t(lane);
      std::string kept = fields[0];
      for (std::size_t f = 1; f < wanted; ++f) {
        const auto words = split(fields[f], ' ');
        if (int(words.size()) != counts[f - 1])
          refuse(names[f - 1],
                 std::to_string(words.size()) + " words, " + std::to_string(counts[f - 1]) + " are needed");
        for (const auto& word : words) words_[at] = hex(names[f - 1], word), at += lanes;
        kept += "|" + fields[f];
      }
      pending_.push_back(kept.erase(kept.find_last_not_of(' ') + 1));
      answer_lines_.push_back(pending_.size() - 1);
    }
  }

  int number(const char* field, const std::string& text) const {
    try {
      return std::stoi(text);
    } catch (const std::exception&) {
      refuse(field, "'" + text + "' is no number");
    }
  }

  uint32_t hex(const char* field, const std::string& text) const {
    if (text.empty() || text.size() > 8 ||
        text.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
      refuse(field, "'" + text + "' is not a hex word of 32 bits");
    return uint32_t(std::stoul(text, nullptr, 16));
  }

  /// Executes what has been read, and writes it.
  void flush() {
    if (cases_ > 0) append_answers(machine_.execute(*form_, selector_, words_, cases_));
    for (const auto& line : pending_) out_ << line << '\n';
    out_.flush();
    if (!out_) throw std::runtime_error("standard output cannot be written");
    pending_.clear(), answer_lines_.clear(), words_.clear();
    cases_ = 0;
  }

  void append_answers(const std::vector<uint32_t>& d) {
    static const char digits[] = "0123456789abcdef";
    for (std::size_t at = 0; at < answer_lines_.size(); ++at) {
      std::string& line = pending_[answer_lines_[at]];
      line += " |";
      for (int r = 0; r < form_->d; ++r) {
        const uint32_t word = d[(at / lanes * std::size_t(form_->d) + std::size_t(r)) * lanes + at % lanes];
        line += ' ';
        for (int shift = 28; shift >= 0; shift -= 4) line += digits[word >> shift & 15];
      }
    }
  }

  std::string file_;
  std::istream& in_;
  std::ostream& out_;
  Machine& machine_;
  int number_ = 0;
  bool started_ = false;
  // What has been read but not yet executed.
  const Form* form_ = nullptr;
  int selector_ = 0, cases_ = 0;
  std::vector<uint32_t> words_;
  std::vector<std::string> pending_;
  std::vector<std::size_t> answer_lines_;  ///< in pending_, of lanes
};

}  // namespace hardware
