#include "transport/frame.hpp"

#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "transport/limits.hpp"

namespace holdfast {
namespace {

constexpr FrameBounds kBounds;

Verdict verdict_of(const FrameHeader& header) {
    const auto decoded = decode_frame_header(encode_frame_header(header), kBounds);
    if (!decoded) return decoded.error();
    EXPECT_EQ(*decoded, header);
    return {};
}

TEST(TransportFrame, HeadersAreJudgedByTypeKindAndLength) {
    constexpr std::uint8_t kChallengeKind = 11;
    EXPECT_EQ(verdict_of({kHelloBytes, FrameType::kHello, 0, 0}), Reason::kOk);
    EXPECT_EQ(verdict_of({4, FrameType::kHello, 0, 0}), Reason::kOk);
    EXPECT_EQ(verdict_of({3, FrameType::kHello, 0, 0}), Reason::kTruncated);
    EXPECT_EQ(verdict_of({1'025, FrameType::kHello, 0, 0}), Reason::kTooLarge);
    EXPECT_EQ(verdict_of({kHelloBytes, FrameType::kHello, 0, 1}), Reason::kBadField);
    EXPECT_EQ(verdict_of({0, FrameType::kPing, 0, UINT64_MAX}), Reason::kOk);
    EXPECT_EQ(verdict_of({1, FrameType::kPong, 0, 1}), Reason::kTooLarge);
    EXPECT_EQ(verdict_of({0, FrameType::kPing, 11, 1}), Reason::kBadField);
    EXPECT_EQ(verdict_of({202, FrameType::kRequest, kChallengeKind, 1}), Reason::kOk);
    EXPECT_EQ(verdict_of({201, FrameType::kRequest, kChallengeKind, 1}), Reason::kTruncated);
    EXPECT_EQ(verdict_of({203, FrameType::kPost, kChallengeKind, 1}), Reason::kTooLarge);
    EXPECT_EQ(verdict_of({64 * 1'024, FrameType::kRequest, 64, 1}), Reason::kOk);
    EXPECT_EQ(verdict_of({64 * 1'024 + 1, FrameType::kRequest, 64, 1}), Reason::kTooLarge);
    EXPECT_EQ(verdict_of({UINT32_MAX, FrameType::kPost, 255, 1}), Reason::kTooLarge);
    EXPECT_EQ(verdict_of({1, FrameType::kRequest, 64, 1}), Reason::kTruncated);
    for (const int kind : {0, 17, 18, 30, 63}) {
        const FrameHeader header{2, FrameType::kRequest, static_cast<std::uint8_t>(kind), 1};
        EXPECT_EQ(verdict_of(header), Reason::kBadKind) << kind;
    }
    EXPECT_EQ(verdict_of({16U << 20, FrameType::kResponse, 0, 1}), Reason::kOk);
    EXPECT_EQ(verdict_of({(16U << 20) + 1, FrameType::kResponse, 0, 1}), Reason::kTooLarge);
    EXPECT_EQ(verdict_of({kNoticeBytes, FrameType::kRefusal, 0, 1}), Reason::kOk);
    EXPECT_EQ(verdict_of({4, FrameType::kGoodbye, 0, 0}), Reason::kTruncated);
    for (const int type : {0, 9, 255}) {
        const FrameHeader header{0, static_cast<FrameType>(type), 0, 0};
        EXPECT_EQ(verdict_of(header), Reason::kBadKind) << type;
    }
    const Bytes whole = encode_frame_header({0, FrameType::kPing, 0, 1});
    ASSERT_EQ(whole.size(), kFrameHeaderBytes);
    EXPECT_EQ(decode_frame_header(ByteView(whole).first(13), kBounds).error(), Reason::kTruncated);
}

TEST(TransportFrame, EveryKindHasItsBound) {
    struct Bound {
        std::uint8_t kind;
        std::uint32_t least;
        std::uint32_t most;
    };
    const Bound bounds[] = {
        {3, 2, 524'288}, {9, 2, 65'536},  {16, 2, 1'048'576}, {22, 2, 1'048'718},
        {23, 2, 16'384}, {24, 2, 16'384}, {25, 2, 16'384},    {26, 170, 170},
        {27, 235, 235},  {28, 242, 242},  {29, 234, 234},
    };
    for (const auto& [kind, least, most] : bounds) {
        EXPECT_EQ(verdict_of({least, FrameType::kRequest, kind, 1}), Reason::kOk) << int{kind};
        EXPECT_EQ(verdict_of({most, FrameType::kPost, kind, 1}), Reason::kOk) << int{kind};
        EXPECT_EQ(verdict_of({least - 1, FrameType::kPost, kind, 1}), Reason::kTruncated);
        EXPECT_EQ(verdict_of({most + 1, FrameType::kRequest, kind, 1}), Reason::kTooLarge);
    }
    // A node's own bound only lowers them.
    const FrameBounds low{1'024, 1'024};
    const auto of = [&](std::uint32_t length) {
        return decode_frame_header(encode_frame_header({length, FrameType::kPost, 22, 1}), low);
    };
    EXPECT_TRUE(of(1'024));
    EXPECT_EQ(of(1'025).error(), Reason::kTooLarge);
}

TEST(TransportFrame, BytesOnTheWireAreThese) {
    const FrameHeader header{202, FrameType::kRequest, 11, 0x0102030405060708};
    EXPECT_EQ(to_hex(encode_frame_header(header)), "ca000000050b0807060504030201");
    const Hello hello{1, NetworkId(tagged_hash("n")), 3, 0xff};
    EXPECT_EQ(to_hex(encode_hello(hello)),
              "01000000" + to_hex(view(tagged_hash("n"))) + "03ff00000000000000");
    EXPECT_EQ(to_hex(encode_notice({2, 1})), "0201000000");
}

TEST(TransportFrame, MessagesAreObjectsAndResponsesAnything) {
    Bytes message{1, 64, 9};
    const auto header = header_for_message(FrameType::kRequest, message, kBounds);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->kind, 64);
    EXPECT_EQ(header->length, 3U);
    EXPECT_TRUE(check_frame_payload(*header, message));
    message[1] = 65;
    EXPECT_EQ(check_frame_payload(*header, message), Reason::kBadKind);
    message[0] = 2;
    EXPECT_EQ(check_frame_payload(*header, message), Reason::kBadVersion);
    EXPECT_EQ(header_for_message(FrameType::kPost, message, kBounds).error(), Reason::kBadVersion);
    EXPECT_EQ(header_for_message(FrameType::kPost, Bytes{1}, kBounds).error(), Reason::kTruncated);
    EXPECT_EQ(header_for_message(FrameType::kPost, Bytes{1, 11}, kBounds).error(),
              Reason::kTruncated);
    EXPECT_TRUE(check_frame_payload({1, FrameType::kResponse, 0, 1}, Bytes{99}));
}

TEST(TransportFrame, HellosAreJudgedByVersionFirst) {
    const NetworkId network(tagged_hash("n"));
    const Hello good{1, network, kRoleReader, 1};
    EXPECT_EQ(*decode_hello(encode_hello(good)), good);
    EXPECT_FALSE(judge_hello(decode_hello(encode_hello(good)), network));
    EXPECT_EQ(judge_hello(decode_hello(encode_hello(good)), NetworkId{}), Goodbye::kNetwork);
    Bytes newer = encode_hello(good);
    newer[0] = 2;
    newer.resize(100);  // whatever that version says
    EXPECT_EQ(decode_hello(newer).error(), Reason::kBadVersion);
    EXPECT_EQ(judge_hello(decode_hello(newer), network), Goodbye::kVersion);
    for (const int roles : {0, 8, 255}) {
        const Hello odd{1, network, static_cast<std::uint8_t>(roles), 1};
        EXPECT_EQ(judge_hello(decode_hello(encode_hello(odd)), network), Goodbye::kRoles) << roles;
    }
    Bytes longer = encode_hello(good);
    longer.push_back(0);
    EXPECT_EQ(judge_hello(decode_hello(longer), network), Goodbye::kMalformed);
    EXPECT_EQ(judge_hello(decode_hello(ByteView(longer).first(20)), network), Goodbye::kMalformed);
}

TEST(TransportFrame, NoticesHaveTheCodesOfTheirFrame) {
    for (int code = 0; code < 256; ++code) {
        const Bytes bytes = encode_notice({static_cast<std::uint8_t>(code), 7});
        EXPECT_EQ(decode_notice(FrameType::kGoodbye, bytes).has_value(), code >= 1 && code <= 9);
        EXPECT_EQ(decode_notice(FrameType::kRefusal, bytes).has_value(), code >= 1 && code <= 6);
        EXPECT_FALSE(to_string(static_cast<Goodbye>(code)).empty());
    }
}

TEST(Backoff, DoublesWithinJitterUpToTheMost) {
    Backoff low(100, 1'000);
    Backoff high(100, 1'000);
    for (const std::uint32_t step : {100U, 200U, 400U, 800U, 1'000U, 1'000U}) {
        EXPECT_EQ(low.next_ms(0), step / 2);
        EXPECT_EQ(high.next_ms(step / 2), step);
    }
    low.reset();
    EXPECT_EQ(low.next_ms(0), 50U);
    low.exhaust();
    EXPECT_EQ(low.next_ms(0), 500U);
    for (std::uint64_t random = 0; random < 1'000; ++random) {
        Backoff any(100, 1'000);
        const std::uint32_t wait = any.next_ms(random * 0x9e3779b97f4a7c15);
        EXPECT_TRUE(wait >= 50 && wait <= 100) << wait;
    }
}

TEST(RateBucket, AllowsItsRateAndWaitsOffDebts) {
    constexpr std::uint64_t kSecond = 1'000'000'000;
    RateBucket bucket(100, 10);
    std::uint64_t now = 5 * kSecond;
    for (int i = 0; i < 10; ++i) {
        bucket.take(1, now);
        EXPECT_EQ(bucket.wait_ns(now), 0U);
    }
    bucket.take(1, now);
    EXPECT_EQ(bucket.wait_ns(now), kSecond / 100);
    EXPECT_EQ(bucket.wait_ns(now + kSecond / 100), 0U);
    bucket.take(1'000, now + kSecond / 100);
    EXPECT_EQ(bucket.wait_ns(now + kSecond / 100), 10 * kSecond);
    // However often it is asked, a second gives a hundred.
    std::uint64_t taken = 0;
    now += 100 * kSecond;
    EXPECT_EQ(bucket.wait_ns(now), 0U);
    for (std::uint64_t t = now; t < now + kSecond; t += kSecond / 1'000) {
        if (bucket.wait_ns(t) == 0) {
            bucket.take(1, t);
            ++taken;
        }
    }
    EXPECT_GE(taken, 109U);
    EXPECT_LE(taken, 112U);
}

TEST(ReplayWindow, KnowsExactlyTheNewestNumbers) {
    using Seen = ReplayWindow::Seen;
    ReplayWindow window;
    EXPECT_EQ(window.see(0), Seen::kNew);
    EXPECT_EQ(window.see(0), Seen::kDuplicate);
    EXPECT_EQ(window.see(5), Seen::kNew);
    EXPECT_EQ(window.see(3), Seen::kNew);  // out of order
    EXPECT_EQ(window.see(3), Seen::kDuplicate);
    EXPECT_EQ(window.see(5), Seen::kDuplicate);
    EXPECT_EQ(window.see(1'027), Seen::kNew);
    EXPECT_EQ(window.see(3), Seen::kStale);
    EXPECT_EQ(window.see(4), Seen::kNew);  // the oldest of the window
    EXPECT_EQ(window.see(4), Seen::kDuplicate);
    EXPECT_EQ(window.see(5), Seen::kDuplicate);
    EXPECT_EQ(window.see(1'000'000), Seen::kNew);
    EXPECT_EQ(window.see(1'027), Seen::kStale);
    EXPECT_EQ(window.see(1'000'000 - 1'023), Seen::kNew);
    EXPECT_EQ(window.see(UINT64_MAX - 1), Seen::kNew);
    EXPECT_EQ(window.see(UINT64_MAX), Seen::kStale);
}

}  // namespace
}  // namespace holdfast
