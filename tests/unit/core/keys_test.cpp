#include "core/keys.hpp"

#include <sys/stat.h>

#include <fstream>

#include "support/json.hpp"

namespace holdfast {
namespace {

using test::fixed;
using test::hex;

class KeyFiles : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "holdfast-keys-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    std::filesystem::path folder_;
};

TEST(Keys, signatures_of_the_vectors) {
    for (const auto& c : test::load_vectors("signatures.json")["cases"]["signed"]) {
        const KeyPair pair = KeyPair::from_secret(hex(c["secret_key"]));
        EXPECT_EQ(pair.public_key(), fixed<PublicKey>(c["public_key"]));
        const Bytes message = hex(c["message"]);
        EXPECT_EQ(pair.sign(message), fixed<Signature>(c["signature"]));
        EXPECT_TRUE(verify_signature(pair.public_key(), message, pair.sign(message)));
    }
}

TEST(Keys, edge_verdicts) {
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

TEST(Keys, a_key_that_is_not_canonical_is_named_as_such) {
    PublicKey key;  // y = p
    key.bytes.fill(0xff);
    key[0] = 0xed;
    key[31] = 0x7f;
    EXPECT_EQ(verify_signature(key, {}, Signature{}).reason, Reason::kBadKey);
    EXPECT_FALSE(key_is_canonical(key));
}

TEST(Keys, every_single_bit_flip_of_a_signature_is_refused) {
    const KeyPair pair = KeyPair::from_secret(Bytes(32, 7));
    const Bytes message = {1, 2, 3};
    const Signature good = pair.sign(message);
    for (std::size_t bit = 0; bit < 512; ++bit) {
        Signature bad = good;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(verify_signature(pair.public_key(), message, bad)) << bit;
    }
}

TEST_F(KeyFiles, are_private_and_load_back) {
    const auto file = folder_ / "a.key";
    auto made = KeyPair::generate();
    ASSERT_TRUE(made);
    ASSERT_TRUE(made->save(file));
    struct stat info{};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    auto loaded = KeyPair::load(file);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->public_key(), made->public_key());
    EXPECT_EQ(made->save(file).error().code, ErrorCode::kAlreadyExists);
}

TEST_F(KeyFiles, that_others_can_read_are_refused) {
    const auto file = folder_ / "a.key";
    ASSERT_TRUE(KeyPair::from_secret(Bytes(32, 1)).save(file));
    for (const unsigned mode : {0640U, 0604U, 0644U, 0660U}) {
        ASSERT_EQ(::chmod(file.c_str(), mode), 0);
        EXPECT_EQ(KeyPair::load(file).error().code, ErrorCode::kPermission);
    }
}

TEST_F(KeyFiles, that_are_no_keys_are_refused) {
    EXPECT_EQ(KeyPair::load(folder_ / "none.key").error().code, ErrorCode::kNotFound);
    EXPECT_FALSE(KeyPair::load(folder_));
    const auto file = folder_ / "b.key";
    const auto write = [&](const std::string& text) {
        std::ofstream(file, std::ios::trunc) << text;
        ::chmod(file.c_str(), 0600);
    };
    for (const std::string& text :
         {std::string(), std::string("hello"), std::string(100'000, 'x'),
          std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")}) {
        write(text);
        EXPECT_EQ(KeyPair::load(file).error().code, ErrorCode::kCorrupt);
    }
}

}  // namespace
}  // namespace holdfast
