#include "storage/key_encryption.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "storage/key_file.hpp"
#include "storage/paper_key.hpp"

namespace holdfast {
namespace {

class EncryptedKeys : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "holdfast-encrypted-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override {
        use_passphrases({});
        std::filesystem::remove_all(folder_);
    }
    PassphraseSource source(const std::string& text, unsigned mode = 0600) {
        const auto file = folder_ / "passphrase";
        std::ofstream(file, std::ios::trunc) << text;
        ::chmod(file.c_str(), mode);
        return {file, std::nullopt, false};
    }
    std::filesystem::path folder_;
    const KeyPair key_ = KeyPair::from_secret(Bytes(32, 7));
};

TEST_F(EncryptedKeys, LoadWithTheirPassphraseAlone) {
    const auto file = folder_ / "a.key";
    ASSERT_TRUE(save_encrypted_key_pair(key_, file, Passphrase("right")));
    EXPECT_EQ(load_key_pair(file).error().code, ErrorCode::kPermission);  // nobody told
    use_passphrases(source("right\n"));
    const auto loaded = load_key_pair(file);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->public_key(), key_.public_key());
    use_passphrases(source("wrong\n"));
    const auto refused = load_key_pair(file);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kPermission);
    EXPECT_EQ(refused.error().message.find("wrong"), std::string::npos);
    const auto form = form_of_key_file(file);
    ASSERT_TRUE(form);
    EXPECT_EQ(form->cost, "scrypt, N = 16384, r = 8, p = 5");
}

TEST_F(EncryptedKeys, PassphrasesThatOthersCanReadOrThatAreEmptyAreRefused) {
    use_passphrases(source("right\n", 0644));
    EXPECT_EQ(passphrase_of("a.key").error().code, ErrorCode::kPermission);
    for (const std::string& text : {std::string("\n"), std::string(2'000, 'x')}) {
        use_passphrases(source(text));
        EXPECT_EQ(passphrase_of("a.key").error().code, ErrorCode::kInvalidArgument);
    }
}

TEST_F(EncryptedKeys, AReplacedKeyFileHoldsTheNewPassphrase) {
    const auto file = folder_ / "a.key";
    ASSERT_TRUE(save_key_pair(key_, file));
    EXPECT_EQ(save_encrypted_key_pair(key_, file, Passphrase("one")).error().code,
              ErrorCode::kAlreadyExists);
    ASSERT_TRUE(save_encrypted_key_pair(key_, file, Passphrase("two"), true));
    use_passphrases(source("two"));
    EXPECT_TRUE(load_key_pair(file));
    struct stat info{};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST(PaperKeys, ComeBackAlsoInLowerCaseWithoutSpaces) {
    const KeyPair key = KeyPair::from_secret(Bytes(32, 9));
    const auto paper = key_to_paper(key);
    ASSERT_TRUE(paper);
    std::string sloppy;
    for (const char c : *paper) sloppy += static_cast<char>(std::tolower(c));
    for (const std::string& text : {*paper, sloppy}) {
        const auto back = key_from_paper(text);
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(back->public_key(), key.public_key());
    }
}

TEST(PaperKeys, EveryMistypedCharacterNamesItsLine) {
    const auto paper = key_to_paper(KeyPair::from_secret(Bytes(32, 9)));
    ASSERT_TRUE(paper);
    std::size_t number = 0;
    for (std::size_t at = paper->find("\n1 ") + 1; at < paper->size(); ++at) {
        if ((*paper)[at - 1] == '\n') {
            ++number;
            continue;
        }
        if ((*paper)[at] == ' ' || (*paper)[at] == '\n') continue;
        std::string typed = *paper;
        typed[at] = typed[at] == 'A' ? 'B' : 'A';
        const auto back = key_from_paper(typed);
        ASSERT_FALSE(back);
        EXPECT_NE(back.error().message.find("line " + std::to_string(number) + " is mistyped"),
                  std::string::npos);
    }
    EXPECT_EQ(number, 4U);
}

TEST(PaperKeys, LinesOfTwoKeysAreRefusedAsAWhole) {
    const auto a = key_to_paper(KeyPair::from_secret(Bytes(32, 9)));
    const auto b = key_to_paper(KeyPair::from_secret(Bytes(32, 8)));
    ASSERT_TRUE(a && b);
    const std::size_t at = a->find("\n2 ");
    const auto back = key_from_paper(a->substr(0, at) + b->substr(at));
    ASSERT_FALSE(back);
    EXPECT_NE(back.error().message.find("the whole does not"), std::string::npos);
}

}  // namespace
}  // namespace holdfast
