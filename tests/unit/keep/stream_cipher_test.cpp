#include "keep/stream_cipher.hpp"

#include <gtest/gtest.h>

#include "core/hash.hpp"

namespace holdfast {
namespace {

/// Known answers of AES256_GCM_HKDF_1MB, made by tink-java (commit 93ff48ee) and published with the
/// tests of pgBackRest: key 00 01 … 1f, plaintext byte i = 31 i + 7 (i >> 8) + (i >> 16), the
/// associated data below; the ciphertext is given by its SHA-256.
struct KnownAnswer {
    std::uint64_t size;
    const char* header;
    const char* ciphertext_sha256;
};
constexpr KnownAnswer kKnownAnswers[] = {
    {0, "28510c78c48f1170b3f845cbf6c8daad3d424746e7e1792d7ba6fdbaf551e1ec217539360bbc5200",
     "452ae2d7c6c8b17da025343878067628f7a7043dd089c0bee9937bafa052e016"},
    {1, "28f0160d080660db0d0814a32644df5e16e3984a2e25cc4f85330b4298dfe0969872b55305e8fe80",
     "8ed13d3565ae69238346e2bf594d44d8a8d5a11f3f66a99382d795d2b2f96708"},
    {1'048'520, "28a6e85d484ce697f0240194d24ebc1189fa9256168a9fc4a268eab2f5f75006dbc8c8f0eaf676f1",
     "1b3d5f45618c581b3a87e86aa439e8f74162cf94f6c558825e264db7951b1720"},
    {1'048'521, "28daa33b3c647f7da91f40b197e40a34b3f87ed6b74595522ebefdf9fac83f1d9f889073477505f6",
     "ad94679d0e2e390288d7c8741f42ff3fe828b3e0f9e214708988d73673badb74"},
};

Bytes unhex(const std::string& text) {
    Bytes out;
    EXPECT_TRUE(from_hex(text, out));
    return out;
}

StreamKey counting_key() {
    Bytes key(32);
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
    return StreamKey(key);
}

Bytes counting_text(std::uint64_t size) {
    Bytes out(size);
    for (std::size_t i = 0; i < size; ++i) {
        out[i] = static_cast<std::uint8_t>(i * 31 + (i >> 8) * 7 + (i >> 16));
    }
    return out;
}

Bytes associated() {
    Bytes out;
    for (const std::string field :
         {"pgbackrest", "007", "aes-256-gcm", "demo", "archive", "18-1/segment"}) {
        out.insert(out.end(), field.begin(), field.end());
        out.push_back(0);
    }
    return out;
}

Bytes encrypt_all(const StreamCipher& cipher, ByteView plain) {
    const StreamShape& shape = cipher.shape();
    Bytes out(shape.cipher_len());
    for (std::uint64_t s = 0; s < shape.segments(); ++s) {
        cipher.encrypt(s, plain.subspan(shape.plain_begin(s), shape.plain_bytes(s)),
                       MutByteView(out).subspan(shape.cipher_begin(s), shape.cipher_bytes(s)));
    }
    return out;
}

TEST(StreamCipher, GivesTheKnownAnswersOfTinksFormat) {
    for (const KnownAnswer& known : kKnownAnswers) {
        const StreamHeader header = StreamHeader::decode(unhex(known.header)).value();
        const StreamCipher cipher(counting_key(), header, {known.size}, associated());
        const Bytes plain = counting_text(known.size);
        const Bytes made = encrypt_all(cipher, plain);
        EXPECT_EQ(to_hex(sha256(made)), known.ciphertext_sha256) << known.size;
        EXPECT_EQ(made.size(), cipher.shape().cipher_len());
        for (std::uint64_t s = 0; s < cipher.shape().segments(); ++s) {
            Bytes back(cipher.shape().plain_bytes(s));
            ASSERT_TRUE(cipher.decrypt(s,
                                       ByteView(made).subspan(cipher.shape().cipher_begin(s),
                                                              cipher.shape().cipher_bytes(s)),
                                       back));
            EXPECT_TRUE(std::equal(
                back.begin(), back.end(),
                plain.begin() + static_cast<std::ptrdiff_t>(cipher.shape().plain_begin(s))));
        }
    }
}

TEST(StreamCipher, SegmentsLieWhereTheFormatPutsThemForEveryLength) {
    for (const std::uint32_t segment : {64U, 120U, kCipherSegmentBytes}) {
        for (std::uint64_t length :
             {0ULL, 1ULL, 7ULL, 8ULL, 9ULL, 55ULL, 56ULL, 57ULL, 103ULL, 104ULL, 105ULL, 5'000ULL,
              1'048'520ULL, 2'097'080ULL, 2'097'081ULL, 10'000'000ULL}) {
            const StreamShape shape{length, true, segment};
            std::uint64_t plain = 0;
            std::uint64_t cipher = 0;
            for (std::uint64_t s = 0; s < shape.segments(); ++s) {
                ASSERT_EQ(shape.plain_begin(s), plain);
                ASSERT_EQ(shape.cipher_begin(s), cipher);
                ASSERT_LE(shape.cipher_bytes(s), segment);
                if (shape.plain_bytes(s) > 0) {
                    ASSERT_EQ(shape.segment_of(plain), s);
                    ASSERT_EQ(shape.segment_of(plain + shape.plain_bytes(s) - 1), s);
                }
                if (s + 1 < shape.segments()) {
                    ASSERT_EQ(shape.cipher_bytes(s), segment);
                }
                plain += shape.plain_bytes(s);
                cipher += shape.cipher_bytes(s);
            }
            ASSERT_EQ(plain, length);
            ASSERT_EQ(cipher, shape.cipher_len());
        }
    }
}

TEST(StreamCipher, NothingAlteredDecrypts) {
    const StreamHeader header = StreamHeader::decode(unhex(kKnownAnswers[1].header)).value();
    const Bytes plain = counting_text(300);
    const StreamShape shape{300, true, 120};
    const StreamCipher cipher(counting_key(), header, shape);
    const Bytes made = encrypt_all(cipher, plain);
    const auto opens = [&](std::uint64_t s, ByteView bytes, const StreamCipher& by) {
        Bytes out(shape.plain_bytes(s));
        const bool done = by.decrypt(s, bytes, out).has_value();
        EXPECT_TRUE(done || std::ranges::all_of(out, [](auto b) { return b == 0; }));
        return done;
    };
    for (std::uint64_t s = 0; s < shape.segments(); ++s) {
        Bytes one(made.begin() + static_cast<std::ptrdiff_t>(shape.cipher_begin(s)),
                  made.begin() +
                      static_cast<std::ptrdiff_t>(shape.cipher_begin(s) + shape.cipher_bytes(s)));
        ASSERT_TRUE(opens(s, one, cipher));
        for (std::size_t bit = 0; bit < 8 * one.size(); ++bit) {
            one[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            EXPECT_FALSE(opens(s, one, cipher)) << s << " " << bit;
            one[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        }
        EXPECT_FALSE(opens(s, one, StreamCipher(StreamKey(Bytes(32, 9)), header, shape)));
        EXPECT_FALSE(opens(s, one, StreamCipher(counting_key(), header, shape, associated())));
    }
    // Segments 1 and 2 are as long: none stands in the other's place, and none is the last.
    const ByteView one = ByteView(made).subspan(shape.cipher_begin(1), shape.cipher_bytes(1));
    EXPECT_FALSE(opens(2, one, cipher));
    const StreamShape cut{shape.plain_begin(2), true, 120};
    Bytes out(cut.plain_bytes(1));
    EXPECT_FALSE(StreamCipher(counting_key(), header, cut).decrypt(1, one, out));
}

TEST(StreamCipher, KeysOfFilesDependOnOwnerAndSalt) {
    const KeyPair a = KeyPair::from_secret(Bytes(32, 1));
    const KeyPair b = KeyPair::from_secret(Bytes(32, 2));
    const auto key = [](const KeyPair& owner, std::uint8_t salt) {
        Digest s;
        s.bytes.fill(salt);
        const StreamKey made = kept_file_key(owner, s).value();
        return Bytes(made.bytes().begin(), made.bytes().end());
    };
    EXPECT_EQ(key(a, 1), key(a, 1));
    EXPECT_NE(key(a, 1), key(a, 2));
    EXPECT_NE(key(a, 1), key(b, 1));
    const KeyPair away = KeyPair::external(a.public_key(), [](ByteView) -> Result<Signature> {
        return fail(ErrorCode::kUnavailable, "no");
    });
    EXPECT_EQ(kept_file_key(away, Digest{}).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace holdfast
