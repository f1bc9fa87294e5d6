#include "json/json.hpp"

#include <gtest/gtest.h>

namespace holdfast::json {
namespace {

std::string all_bytes() {
    std::string out;
    for (int b = 0; b < 256; ++b) out += static_cast<char>(b);
    return out;
}

TEST(JsonText, NameThatIsNotUtf8IsWrittenAndCanBeReadBack) {
    const Json value = {{"file\xff", Json::array({"caf\xe9", Json{{"inner", "\xc3"}}})}, {"n", 3}};
    const std::string text = dump(value);
    EXPECT_EQ(text,
              "{\"file\xef\xbf\xbd"
              "ff\":[\"caf\xef\xbf\xbd"
              "e9\",{\"inner\":\"\xef\xbf\xbd"
              "c3\"}],\"n\":3}");
    const Json back = Json::parse(text);
    EXPECT_EQ(original_bytes(back.begin().key()), "file\xff");
    EXPECT_EQ(original_bytes(back.begin().value()[0].get<std::string>()), "caf\xe9");
    // In ASCII as well.
    const std::string ascii = dump(value, kIndented, Charset::kAscii);
    EXPECT_EQ(Json::parse(ascii), back);
    for (const char c : ascii) EXPECT_LT(static_cast<unsigned char>(c), 0x80);
}

TEST(JsonText, TextThatIsUtf8IsWrittenAsItIs) {
    for (const char* text : {"", "plain", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\x92",
                             "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_EQ(utf8_text(text), text);
        EXPECT_EQ(dump(text), "\"" + std::string(text) + "\"");
    }
}

TEST(JsonText, EveryStringOfBytesComesBack) {
    const std::string all = all_bytes();
    std::vector<std::string> texts = {all,
                                      "\xef\xbf\xbd",
                                      "\xef\xbf\xbd"
                                      "41",
                                      "\xef\xbf",
                                      "\xc0\x80",
                                      "\xe0\x80\xaf",
                                      "\xed\xa0\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xe2\x28\xa1",
                                      "\xf0\x9f\x94"};
    for (const char a : all) {
        for (const char b : all) texts.push_back({a, b, 'x', a});
    }
    for (const std::string& text : texts) {
        const std::string written = dump(text);
        EXPECT_EQ(original_bytes(Json::parse(written).get<std::string>()), text);
    }
}

TEST(JsonText, DigitsThatAreNoneStayAsTheyAre) {
    EXPECT_EQ(original_bytes("\xef\xbf\xbdzz"), "\xef\xbf\xbdzz");
    EXPECT_EQ(original_bytes("\xef\xbf\xbd"), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace holdfast::json
