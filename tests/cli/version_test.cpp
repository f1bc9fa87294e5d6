// `holdfast --version`: what somebody who reports a fault needs to say.
#include <regex>

#include "command.hpp"

namespace holdfast::test {
namespace {

TEST(Version, SaysCommitCompilerAndKernels) {
    TempFolder folder;
    const Ran text = holdfast_command(folder.path(), {"--version"});
    EXPECT_EQ(text.code, kExitOk) << text;
    const std::regex form(
        "holdfast [0-9]+\\.[0-9]+\\.[0-9]+\n"
        "commit: ([0-9a-f]{40}(-modified)?|unknown)\n"
        "compiler: (GNU|Clang) [0-9.]+\n"
        "drand adapter: (with|absent: )[^\n]+\n"
        "kernels: fill [a-z0-9]+, sha256 [a-z0-9]+, walk [a-z0-9]+\n");
    EXPECT_TRUE(std::regex_match(text.out, form)) << text;
    EXPECT_EQ(text.err, "") << text;

    // The same in JSON, wherever --json stands.
    const Ran ran = holdfast_command(folder.path(), {"--version", "--json"});
    EXPECT_EQ(ran.code, kExitOk) << ran;
    const nlohmann::json json = ran.json();
    EXPECT_EQ("holdfast " + json["version"].get<std::string>(),
              text.out.substr(0, text.out.find('\n')));
    EXPECT_TRUE(text.says("commit: " + json["commit"].get<std::string>() + "\n")) << ran;
    EXPECT_TRUE(text.says("compiler: " + json["compiler"].get<std::string>() + "\n")) << ran;
    EXPECT_TRUE(text.says("fill " + json["kernels"]["fill"].get<std::string>() + ",")) << ran;
    EXPECT_EQ(holdfast_command(folder.path(), {"--json", "--version"}).out, ran.out);
}

}  // namespace
}  // namespace holdfast::test
