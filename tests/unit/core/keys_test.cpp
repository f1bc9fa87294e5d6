#include "core/keys.hpp"

#include "support/json.hpp"

namespace holdfast {
namespace {

using test::fixed;
using test::hex;

TEST(Keys, SignaturesOfTheVectors) {
    for (const auto& c : test::load_vectors("signatures.json")["cases"]["signed"]) {
        const KeyPair pair = KeyPair::from_secret(hex(c["secret_key"]));
        EXPECT_EQ(pair.public_key(), fixed<PublicKey>(c["public_key"]));
        const Bytes message = hex(c["message"]);
        EXPECT_EQ(pair.sign(message).value(), fixed<Signature>(c["signature"]));
        EXPECT_TRUE(verify_signature(pair.public_key(), message, pair.sign(message).value()));
    }
}

TEST(Keys, EdgeVerdicts) {
    for (const auto& c : test::load_vectors("signatures.json")["cases"]["edges"]) {
        const Verdict v = verify_signature(fixed<PublicKey>(c["public_key"]), hex(c["message"]),
                                           fixed<Signature>(c["signature"]));
        EXPECT_EQ(v.accepted(), c["valid"].get<bool>()) << c["why"];
    }
    for (const auto& c : test::load_vectors("signatures.json")["cases"]["keys"]) {
        EXPECT_EQ(check_registrable_key(fixed<PublicKey>(c["public_key"])).accepted(),
                  c["acceptable"].get<bool>())
            << c["why"];
    }
}

TEST(Keys, AKeyThatIsNotCanonicalIsNamedAsSuch) {
    PublicKey key;  // y = p
    key.bytes.fill(0xff);
    key[0] = 0xed;
    key[31] = 0x7f;
    EXPECT_EQ(verify_signature(key, {}, Signature{}).reason, Reason::kBadKey);
    EXPECT_FALSE(key_is_canonical(key));
}

TEST(Keys, EverySingleBitFlipOfASignatureIsRefused) {
    const KeyPair pair = KeyPair::from_secret(Bytes(32, 7));
    const Bytes message = {1, 2, 3};
    const Signature good = pair.sign(message).value();
    for (std::size_t bit = 0; bit < 512; ++bit) {
        Signature bad = good;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(verify_signature(pair.public_key(), message, bad)) << bit;
    }
}

}  // namespace
}  // namespace holdfast
