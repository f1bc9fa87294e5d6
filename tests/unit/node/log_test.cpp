// The log: one line an event whatever is in it, levels, both forms, lines that cannot be written.
#include "node/log.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "support/temp_folder.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::node;
using Json = nlohmann::ordered_json;

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

TEST(Log, WritesTextAndJson) {
    PublicKey key;
    key.bytes.fill(0xab);
    EXPECT_EQ(format_text(LogLevel::kInfo, "challenge.served",
                          {{"height", Height(7)}, {"late", false}, {"delta", -3}, {"share", 0.5}}),
              "info  challenge.served height=7 late=false delta=-3 share=0.5");
    EXPECT_EQ(format_text(LogLevel::kWarn, "peer.gone", {{"key", key}, {"why", "no answer"}}),
              "warn  peer.gone key=" + to_hex(key) + " why=\"no answer\"");
    const Json json = Json::parse(
        format_json(LogLevel::kError, "x.y", {{"key", key}, {"n", UINT64_MAX}, {"ok", true}}));
    EXPECT_EQ(json, Json({{"level", "error"},
                          {"event", "x.y"},
                          {"key", to_hex(key)},
                          {"n", UINT64_MAX},
                          {"ok", true}}));
}

TEST(Log, NothingOfAPeersLeavesItsLineOrReachesATerminal) {
    std::string hostile = "a\r\nerror forged\x1b[2J \xc2\x9b \x7f\xff \"quoted\\\"";
    hostile += '\0';
    const std::string text = format_text(LogLevel::kInfo, "e", {{"v", hostile}});
    const std::string json = format_json(LogLevel::kInfo, "e", {{"v", hostile}});
    for (const std::string& line : {text, json}) {
        for (const char c : line) EXPECT_TRUE(c >= 0x20 && c <= 0x7e) << line;
    }
    EXPECT_EQ(text,
              "info  e v=\"a\\x0d\\x0aerror forged\\x1b[2J \\xc2\\x9b \\x7f\\xff "
              "\\\"quoted\\\\\\\"\\x00\"");
    EXPECT_TRUE(Json::accept(json)) << json;
    EXPECT_EQ(format_text(LogLevel::kInfo, "e", {{"v", ""}, {"w", "a=b"}}),
              "info  e v=\"\" w=\"a=b\"");
    const std::string huge(1'000'000, 'x');
    EXPECT_LT(format_text(LogLevel::kInfo, "e", {{"v", huge}}).size(), 1'100);
    EXPECT_LT(format_json(LogLevel::kInfo, "e", {{"v", huge}}).size(), 1'100);
}

TEST(Log, AppendsLinesFromTheLevelOn) {
    const test::TempFolder folder;
    for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
        const auto file = folder / std::string(to_string(format));
        for (int run = 0; run < 2; ++run) {
            auto log = Log::open({LogLevel::kWarn, format, file});
            ASSERT_TRUE(log) << log.error().message;
            (*log)->debug("no");
            (*log)->info("no");
            (*log)->warn("slow", {{"us", 12u}});
            (*log)->error("bad");
            // With the system at once: another reader sees it.
            ASSERT_EQ(lines_of(file).size(), 2u * (run + 1));
            EXPECT_EQ((*log)->lost(), 0u);
        }
        const std::string first = lines_of(file)[0];
        if (format == LogFormat::kText) {
            EXPECT_EQ(first.substr(23), "Z warn  slow us=12");
        } else {
            const Json json = Json::parse(first);
            EXPECT_EQ(json["event"], "slow");
            EXPECT_EQ(json["us"], 12);
            EXPECT_EQ(json["time"].get<std::string>().size(), 24u);
        }
    }
    auto off = Log::open({LogLevel::kOff, LogFormat::kText, folder / "off"});
    ASSERT_TRUE(off);
    (*off)->error("no");
    EXPECT_TRUE(lines_of(folder / "off").empty());
}

TEST(Log, LinesOfManyThreadsStayWhole) {
    const test::TempFolder folder;
    auto log = Log::open({LogLevel::kInfo, LogFormat::kJson, folder / "log"});
    ASSERT_TRUE(log);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 100; ++i) (*log)->info("e", {{"thread", t}, {"i", i}});
        });
    }
    for (std::thread& thread : threads) thread.join();
    const auto lines = lines_of(folder / "log");
    EXPECT_EQ(lines.size(), 400u);
    for (const std::string& line : lines) EXPECT_TRUE(Json::accept(line)) << line;
}

TEST(Log, RotationThatRenamesTheFileLosesNoLine) {
    const test::TempFolder folder;
    const auto file = folder / "log";
    auto log = Log::open({LogLevel::kInfo, LogFormat::kText, file});
    ASSERT_TRUE(log);
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> written{0};
    std::thread writer([&] {
        while (!done) (*log)->info("e", {{"i", ++written}});
    });
    std::size_t there = 0;
    for (int i = 0; i < 20; ++i) {
        std::filesystem::rename(file, folder / ("log." + std::to_string(i)));
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        ASSERT_TRUE((*log)->reopen());
        ASSERT_TRUE(std::filesystem::exists(file));
    }
    done = true;
    writer.join();
    for (int i = 0; i < 20; ++i) there += lines_of(folder / ("log." + std::to_string(i))).size();
    EXPECT_EQ(there + lines_of(file).size(), written);
    EXPECT_EQ((*log)->lost(), 0u);
}

TEST(Log, FileThatCannotBeOpenedAnewIsWrittenOnAsBefore) {
    const test::TempFolder folder;
    std::filesystem::create_directory(folder / "in");
    auto log = Log::open({LogLevel::kInfo, LogFormat::kText, folder / "in" / "log"});
    ASSERT_TRUE(log);
    std::filesystem::rename(folder / "in", folder / "away");
    test::spill(folder / "in", view("x"));
    EXPECT_FALSE((*log)->reopen());
    (*log)->info("e");
    EXPECT_EQ(lines_of(folder / "away" / "log").size(), 1u);
    auto to_terminal = Log::open({});
    ASSERT_TRUE(to_terminal);
    EXPECT_TRUE((*to_terminal)->reopen());
}

TEST(Log, CountsWhatItCannotWrite) {
    auto log = Log::open({LogLevel::kInfo, LogFormat::kText, "/dev/full"});
    ASSERT_TRUE(log);
    (*log)->info("lost");
    (*log)->info("lost");
    EXPECT_EQ((*log)->lost(), 2u);

    const test::TempFolder folder;
    test::spill(folder / "file", view("x"));
    const auto refused = Log::open({LogLevel::kInfo, LogFormat::kText, folder / "file" / "log"});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("[log] file"), std::string::npos);
}

}  // namespace
