// SPDX-License-Identifier: Apache-2.0
#include "cudnn/reserve.h"

#include <cstring>

namespace vgpu::cudnn {
namespace {

constexpr std::uint64_t kMagic = 0x7265736572766521;

struct Header {
  std::uint64_t magic, problem, checksum;
  Phase phase;
  std::uint64_t has_h, has_c;
  DropoutMask mask;
};

// A checksum that changes whenever a single value changes.
class Sum {
 public:
  Sum& add(std::uint64_t number) {
    sum_ = (sum_ ^ number) * 0x100000001b3;
    sum_ ^= sum_ >> 29;
    return *this;
  }
  std::uint64_t value() const { return sum_; }

 private:
  std::uint64_t sum_ = 0xcbf29ce484222325;
};

std::uint64_t sum_of(const Problem& problem) {
  Sum sum;
  const LstmShape& shape = problem.shape;
  sum.add(shape.input).add(shape.hidden).add(shape.layers).add(shape.directions);
  sum.add(shape.input_bias).add(shape.recurrent_bias).add(static_cast<std::uint64_t>(problem.type));
  sum.add(static_cast<std::uint64_t>(problem.sequences.layout)).add(problem.sequences.longest);
  for (const std::size_t length : problem.sequences.lengths) sum.add(length);
  return sum.value();
}

std::uint64_t checksum_of(Header header, const std::vector<double>& tape) {
  header.checksum = 0;
  Sum sum;
  const auto add = [&](const void* from, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; i += sizeof(std::uint64_t)) {
      std::uint64_t number;
      std::memcpy(&number, static_cast<const char*>(from) + i, sizeof number);
      sum.add(number);
    }
  };
  static_assert(sizeof header % sizeof(std::uint64_t) == 0);
  add(&header, sizeof header);
  add(tape.data(), tape.size() * sizeof(double));
  return sum.value();
}

}  // namespace

std::size_t Problem::reserve_bytes() const { return sizeof(Header) + network().tape_size() * sizeof(double); }

// As in cuDNN, training needs more, and the size is never zero.
std::size_t Problem::work_bytes(bool training) const {
  const std::size_t step = sequences.batch * shape.gates() * shape.directions * sizeof(double);
  return training ? 2 * step : step;
}

void Reserve::store(const Problem& problem, void* address) const {
  Header header{kMagic, sum_of(problem), 0, phase, has_h, has_c, mask};
  header.checksum = checksum_of(header, tape);
  std::byte* to = host(address, problem.reserve_bytes());
  std::memcpy(to, &header, sizeof header);
  std::memcpy(to + sizeof header, tape.data(), tape.size() * sizeof(double));
}

Reserve Reserve::load(const Problem& problem, const void* address, Phase expected, const std::string& call) {
  const std::byte* from = host(address, problem.reserve_bytes());
  Header header;
  std::memcpy(&header, from, sizeof header);
  const auto must = [&](bool holds, const std::string& otherwise) {
    if (!holds) find_fault(call + ": " + otherwise);
  };
  must(header.magic == kMagic, "no cudnnRNNForward in training mode has filled this reserve space");
  must(header.problem == sum_of(problem), "the reserve space is of a forward with other descriptors or lengths");
  must(header.phase == expected, expected == Phase::kForwardDone
                                     ? "backward data was already computed from this reserve space"
                                     : "backward data has not been computed from this reserve space");
  Reserve reserve{header.phase, header.mask, header.has_h, header.has_c,
                  std::vector<double>(problem.network().tape_size())};
  std::memcpy(reserve.tape.data(), from + sizeof header, reserve.tape.size() * sizeof(double));
  must(header.checksum == checksum_of(header, reserve.tape),
       "something has changed the reserve space since the call before");
  return reserve;
}

}  // namespace vgpu::cudnn
