#include "core/types.hpp"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>

#include "core/result.hpp"

namespace holdfast {
namespace {

TEST(Types, HexComesBack) {
    const Bytes bytes{0x00, 0x0f, 0xa5, 0xff};
    EXPECT_EQ(to_hex(bytes), "000fa5ff");
    Bytes back;
    ASSERT_TRUE(from_hex("000FA5ff", back));
    EXPECT_EQ(back, bytes);
    ASSERT_TRUE(from_hex("", back));
    EXPECT_TRUE(back.empty());
}

TEST(Types, MalformedHexIsRefusedAndChangesNothing) {
    Bytes out{7};
    EXPECT_FALSE(from_hex("0", out));
    EXPECT_FALSE(from_hex("0g", out));
    EXPECT_FALSE(from_hex(" 0", out));
    EXPECT_EQ(out, Bytes{7});
    Digest d;
    EXPECT_FALSE(from_hex("00", MutByteView(d.bytes)));
}

TEST(Types, DigestsOrderAsByteStrings) {
    Digest low;
    Digest high;
    low[31] = 0xff;
    high[0] = 0x01;
    EXPECT_LT(low, high);
    high[0] = 0x80;
    EXPECT_LT(low, high) << "bytes are unsigned";
    EXPECT_TRUE(Digest().is_zero());
    EXPECT_FALSE(low.is_zero());
}

TEST(Types, KindsOfDigestsDoNotMix) {
    static_assert(!std::is_convertible_v<Digest, ChainId>);
    static_assert(!std::is_convertible_v<BlockHash, ChainId>);
    static_assert(!std::is_constructible_v<Link, PublicKey>);
    static_assert(std::is_convertible_v<ChainId, Digest>);
    static_assert(!std::is_convertible_v<std::uint64_t, Height>);
    static_assert(!std::is_convertible_v<ChunkIndex, Height>);
    Digest d;
    d[3] = 9;
    EXPECT_EQ(ChainId(d)[3], 9);
}

TEST(Types, HeightsNeverWrapRound) {
    EXPECT_EQ(Height(UINT64_MAX) + 1, Height(UINT64_MAX));
    EXPECT_EQ(Height(5) + UINT64_MAX, Height(UINT64_MAX));
    EXPECT_EQ(Height(5) + 3, Height(8));
    EXPECT_EQ(Height(3) - 5, Height(0));
    EXPECT_EQ(Height(9).since(Height(4)), 5U);
    EXPECT_EQ(Height(4).since(Height(9)), 0U);
}

TEST(Types, ReasonsHaveNamesOfTheirOwn) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < reason_count(); ++i) {
        const ReasonInfo& info = describe(static_cast<Reason>(i));
        EXPECT_EQ(info.reason, static_cast<Reason>(i));
        EXPECT_FALSE(info.meaning.empty());
        EXPECT_FALSE(info.action.empty());
        EXPECT_TRUE(names.insert(info.name).second) << info.name;
    }
    EXPECT_EQ(to_string(Verdict(Reason::kVdfSegment, 17)).substr(0, 16), "vdf-segment (17)");
}

TEST(Types, ErrorsCarryACodeAndTheRefusal) {
    EXPECT_EQ(fail_errno(ENOENT, "x").value().code, ErrorCode::kNotFound);
    EXPECT_EQ(fail_errno(ENOSPC, "x").value().code, ErrorCode::kOutOfSpace);
    EXPECT_EQ(fail_errno(EACCES, "x").value().code, ErrorCode::kPermission);
    EXPECT_EQ(fail_errno(EIO, "x").value().code, ErrorCode::kIo);
    const Error refused = fail_refused(Reason::kBadLink, "link").value();
    EXPECT_EQ(refused.code, ErrorCode::kRefused);
    EXPECT_EQ(refused.verdict.reason, Reason::kBadLink);
}

}  // namespace
}  // namespace holdfast
