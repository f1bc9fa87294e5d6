#include "core/codec.hpp"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(Codec, IntegersAreLittleEndian) {
    Writer w;
    w.u8(0x01).u32(0x05040302).u64(0x0d0c0b0a09080706).height(Height(0x0e));
    const Bytes expected{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0, 0, 0, 0, 0, 0, 0};
    EXPECT_EQ(w.bytes(), expected);
    Reader r(expected);
    EXPECT_EQ(r.u8(), 0x01);
    EXPECT_EQ(r.u32(), 0x05040302U);
    EXPECT_EQ(r.u64(), 0x0d0c0b0a09080706U);
    EXPECT_EQ(r.height(), Height(0x0e));
    EXPECT_TRUE(r.finish());
}

TEST(Codec, FixedAndRawBytesComeBack) {
    Digest a;
    a[0] = 1;
    a[31] = 2;
    const Digest many[] = {a, Digest(), a};
    Writer w;
    w.fixed(a).raw(ByteView(a.bytes).first(3)).digests(many);
    EXPECT_EQ(w.bytes().size(), 32U + 3 + 96);
    Reader r(w.bytes());
    EXPECT_EQ(r.fixed<Digest>(), a);
    EXPECT_EQ(r.raw(3).size(), 3U);
    for (const Digest& d : many) EXPECT_EQ(r.fixed<Digest>(), d);
    EXPECT_EQ(r.remaining(), 0U);
    EXPECT_TRUE(r.finish());
}

TEST(Codec, ReadingPastTheEndSticksAndGivesZeros) {
    const Bytes bytes{1, 2, 3};
    Reader r(bytes);
    EXPECT_EQ(r.u32(), 0U);
    EXPECT_TRUE(r.failed());
    EXPECT_EQ(r.u8(), 0) << "even though a byte is left";
    EXPECT_TRUE(r.fixed<Digest>().is_zero());
    EXPECT_TRUE(r.raw(1).empty());
    r.refuse(Reason::kBadField);
    EXPECT_EQ(r.finish(), Verdict(Reason::kTruncated)) << "the first failure stands";
}

TEST(Codec, LengthsThatWouldOverflowAreTruncations) {
    const Bytes bytes(16);
    Reader r(bytes);
    EXPECT_EQ(r.u64(), 0U);
    EXPECT_TRUE(r.raw(UINT64_MAX).empty());
    EXPECT_EQ(r.verdict(), Verdict(Reason::kTruncated));
}

TEST(Codec, WhatIsLeftOverIsRefused) {
    const Bytes bytes{1, 2};
    Reader r(bytes);
    EXPECT_EQ(r.u8(), 1);
    EXPECT_EQ(r.finish(), Verdict(Reason::kTrailingBytes));
}

TEST(Codec, StoresAndLoadsAgree) {
    std::uint8_t raw[8];
    store_le32(raw, 0xa1b2c3d4);
    EXPECT_EQ(raw[0], 0xd4);
    EXPECT_EQ(load_le32(raw), 0xa1b2c3d4U);
    store_le64(raw, 0x1122334455667788);
    EXPECT_EQ(raw[7], 0x11);
    EXPECT_EQ(load_le64(raw), 0x1122334455667788U);
}

TEST(Codec, ObjectsNameTheirVersionAndKind) {
    const Bytes body{9, 8, 7};
    const Bytes object = wrap_object(Kind::kReceipt, body);
    EXPECT_EQ(object, (Bytes{1, 4, 9, 8, 7}));
    const auto inside = unwrap_object(Kind::kReceipt, object);
    ASSERT_TRUE(inside);
    EXPECT_EQ(Bytes(inside->begin(), inside->end()), body);
    EXPECT_EQ(*peek_kind(object), Kind::kReceipt);
    EXPECT_EQ(unwrap_object(Kind::kCompact, object).error().reason, Reason::kBadKind);
    EXPECT_EQ(peek_kind(Bytes{2, 4}).error().reason, Reason::kBadVersion);
    EXPECT_EQ(peek_kind(Bytes{1, 0}).error().reason, Reason::kBadKind);
    EXPECT_EQ(peek_kind(Bytes{1, 30}).error().reason, Reason::kBadKind);
    EXPECT_EQ(peek_kind(Bytes{1}).error().reason, Reason::kTruncated);
    EXPECT_EQ(peek_kind({}).error().reason, Reason::kTruncated);
}

TEST(Codec, EveryKindHasANameOfItsOwn) {
    std::vector<std::string_view> names;
    for (std::uint8_t k = 1; k <= 21; ++k) names.push_back(to_string(static_cast<Kind>(k)));
    std::sort(names.begin(), names.end());
    EXPECT_FALSE(names.front().empty());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace holdfast
