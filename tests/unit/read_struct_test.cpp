// SPDX-License-Identifier: Apache-2.0
//
// Reading a struct that has grown since its first release, from callers older and newer than this library.
#include "base/read_struct.h"

#include <gtest/gtest.h>

namespace attn::internal {
namespace {

struct Grown {
  std::size_t struct_size;
  std::int64_t first;
  std::int64_t added;
};

}  // namespace

template <>
inline constexpr std::size_t kFirstSize<Grown> = 16;

namespace {

struct Newer {
  Grown known;
  std::int64_t unknown;
};

std::string message_for(const Grown* caller) {
  try {
    read_struct("args", caller);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), ATTN_INVALID_ARGUMENT);
    return failure.what();
  }
  return "";
}

TEST(ReadStruct, TakesAllFieldsOfThisVersion) {
  const Grown caller{sizeof(Grown), 3, 4};
  const Grown known = read_struct("args", &caller);
  EXPECT_EQ(known.struct_size, sizeof(Grown));
  EXPECT_EQ(known.first, 3);
  EXPECT_EQ(known.added, 4);
}

TEST(ReadStruct, MissingFieldsOfAnOlderCallerAreZero) {
  const Grown caller{16, 3, 4};  // the memory after an older struct has arbitrary contents
  const Grown known = read_struct("args", &caller);
  EXPECT_EQ(known.struct_size, sizeof(Grown));
  EXPECT_EQ(known.first, 3);
  EXPECT_EQ(known.added, 0);
}

TEST(ReadStruct, UnknownFieldsOfANewerCallerMustBeZero) {
  Newer caller{{sizeof(Newer), 3, 4}, 0};
  EXPECT_EQ(read_struct("args", &caller.known).added, 4);
  caller.unknown = std::int64_t{1} << 63;
  EXPECT_EQ(message_for(&caller.known),
            "args.struct_size: expected at most 24, or zeros in the fields beyond, which this version lacks, got 32");
}

TEST(ReadStruct, RejectsSizesThatNoVersionHas) {
  const Grown smaller{15, 0, 0}, unset{0, 0, 0}, huge{kMaxStructSize + 1, 0, 0};
  EXPECT_EQ(message_for(&smaller), "args.struct_size: expected 16 to 4096, got 15");
  EXPECT_EQ(message_for(&unset), "args.struct_size: expected 16 to 4096, got 0");
  EXPECT_EQ(message_for(&huge), "args.struct_size: expected 16 to 4096, got 4097");
  EXPECT_EQ(message_for(nullptr), "args: expected a pointer, got null");
}

}  // namespace
}  // namespace attn::internal
