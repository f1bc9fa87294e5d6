#include "storage/key_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace holdfast {
namespace {

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

TEST_F(KeyFiles, ArePrivateAndLoadBack) {
    const auto file = folder_ / "a.key";
    auto made = generate_key_pair();
    ASSERT_TRUE(made);
    ASSERT_TRUE(save_key_pair(*made, file));
    struct stat info{};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    auto loaded = load_key_pair(file);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->public_key(), made->public_key());
    EXPECT_EQ(save_key_pair(*made, file).error().code, ErrorCode::kAlreadyExists);
}

TEST_F(KeyFiles, ThatOthersCanReadAreRefused) {
    const auto file = folder_ / "a.key";
    ASSERT_TRUE(save_key_pair(KeyPair::from_secret(Bytes(32, 1)), file));
    for (const unsigned mode : {0640U, 0604U, 0644U, 0660U}) {
        ASSERT_EQ(::chmod(file.c_str(), mode), 0);
        EXPECT_EQ(load_key_pair(file).error().code, ErrorCode::kPermission);
    }
}

TEST_F(KeyFiles, ThatAreNoKeysAreRefused) {
    EXPECT_EQ(load_key_pair(folder_ / "none.key").error().code, ErrorCode::kNotFound);
    EXPECT_FALSE(load_key_pair(folder_));
    const auto file = folder_ / "b.key";
    const auto write = [&](const std::string& text) {
        std::ofstream(file, std::ios::trunc) << text;
        ::chmod(file.c_str(), 0600);
    };
    for (const std::string& text :
         {std::string(), std::string("hello"), std::string(100'000, 'x'),
          std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")}) {
        write(text);
        EXPECT_EQ(load_key_pair(file).error().code, ErrorCode::kCorrupt);
    }
}

}  // namespace
}  // namespace holdfast
