// What a command prints is with the system when it ends, or its exit code says that it is not.
#include <fcntl.h>

#include "node_world.hpp"

namespace holdfast::test {
namespace {

/// Commands of every kind of output: help, version, results, verdicts, errors as JSON.
const std::vector<std::string> kPrinting = {
    "--help",
    "--version",
    "seal --help",
    "reasons",
    "reasons --markdown",
    "reasons --json",
    "config example",
    "bounds",
    "params node",
    "params node --json",
    "inspect alice.replica --json",
    "inspect --nonsense --json",
    "ledger show",
    "keygen %.key",
    "seal a --key alice.key --out %.replica",
};

/// The line, with a name of its own where it makes a file.
Words words_for(std::string line, int i) {
    const std::size_t at = line.find('%');
    if (at != std::string::npos) line.replace(at, 1, "made" + std::to_string(i));
    return words_of(line);
}

TEST(Output, FullDiskIsAnExitCodeAndAMessage) {
    NodeWorld world;
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(full, 0);
    for (const std::string& line : kPrinting) {
        const Ran ran = Command(world.path(), words_for(line, 0), full).wait();
        expect_failure(ran, kExitEnvironment, "No space left on device");
    }
    ::close(full);
    // What was asked for is done all the same.
    EXPECT_TRUE(std::filesystem::exists(world / "made0.replica"));
}

TEST(Output, ClosedStandardOutputIsAnExitCodeAndAMessage) {
    NodeWorld world;
    for (const std::string& line : kPrinting) {
        const Ran ran = Command(world.path(), words_for(line, 1), Command::kClosed).wait();
        expect_failure(ran, kExitEnvironment, "standard output");
    }
}

TEST(Output, ReaderThatHasGoneEndsTheCommandWithoutAWord) {
    NodeWorld world;
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ::close(ends[0]);
    for (const std::string line : {"--help", "reasons", "params node --json"}) {
        const Ran ran = Command(world.path(), words_of(line), ends[1]).wait();
        EXPECT_EQ(ran.code, kExitReaderGone) << ran;
        EXPECT_EQ(ran.err, "") << ran;
    }
    ::close(ends[1]);
}

TEST(Output, SlowPipeThatDoesNotBlockGetsEverything) {
    NodeWorld world;
    const std::string whole = world.good("reasons --markdown").out;
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    ASSERT_GE(::fcntl(ends[1], F_SETPIPE_SZ, 4'096), 4'096);
    Command command(world.path(), words_of("reasons --markdown"), ends[1]);
    ::close(ends[1]);
    std::string got;
    std::array<char, 1'000> piece{};
    while (true) {
        const ssize_t bytes = ::read(ends[0], piece.data(), piece.size());
        if (bytes == 0) break;
        if (bytes > 0) got.append(piece.data(), static_cast<std::size_t>(bytes));
        if (bytes < 0) ::usleep(1'000);
    }
    ::close(ends[0]);
    EXPECT_EQ(command.wait().code, kExitOk);
    EXPECT_EQ(got, whole);
}

TEST(Output, WrongArgumentsUnderJsonAreJson) {
    NodeWorld world;
    for (const std::string line :
         {"--json", "--json nonsense", "seal --json", "seal a --json --key",
          "seal a --nonsense --json", "chain new-block --count x --json",
          "challenger --bond --json", "seal a --key alice.key --json extra"}) {
        const Ran ran = world.run(line);
        EXPECT_EQ(ran.code, kExitUsage) << ran;
        EXPECT_EQ(ran.err, "") << ran;
        const nlohmann::json json = ran.json();
        EXPECT_EQ(json["error"]["code"], "invalid-argument") << ran;
        EXPECT_FALSE(json["error"]["message"].get<std::string>().empty()) << ran;
    }
    // Without it they are words on standard error, as ever.
    const Ran plain = world.run("seal a --key alice.key --nonsense");
    EXPECT_EQ(plain.code, kExitUsage) << plain;
    EXPECT_EQ(plain.out, "") << plain;
    EXPECT_NE(plain.err.find("--nonsense"), std::string::npos) << plain;
}

}  // namespace
}  // namespace holdfast::test
