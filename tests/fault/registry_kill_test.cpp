// kill -9 at random moments of a registry's work: what was acknowledged is there, the folder opens
// without repair, and the story goes on to the same digests.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "support/registry_story.hpp"

namespace holdfast {
namespace {

using test::must;
using test::RegistryStory;

constexpr std::uint64_t kSeed = 1;
constexpr std::uint64_t kBlocks = 76;

RegistryOptions one_thread() {
    RegistryOptions options;
    options.map_bytes = std::uint64_t{1} << 30;
    options.threads = 1;  // a forked child must not find itself without its workers
    return options;
}

/// Acts on the tip (again, where an end came in between), then goes on block by block. Says when
/// what has become durable.
void go_on(Registry& registry, RegistryStory& story, const NetworkParams& params, int acknowledge) {
    const auto tip = must(registry.tip());
    if (tip) story.act(registry, *tip);
    const Height last = params.genesis_height + kBlocks;
    for (Height h = tip ? *tip + 1 : params.genesis_height; h <= last; ++h) {
        (void)must(registry.on_final_block(story.block(h)));
        if (acknowledge >= 0 && ::write(acknowledge, &h.value, sizeof h.value) < 0) ::_exit(3);
        story.act(registry, h);
    }
}

std::vector<GlobalDigest> digests(const Registry& registry, const NetworkParams& params) {
    std::vector<GlobalDigest> out;
    const auto closed = must(registry.closed());
    for (Height h = params.genesis_height; closed && h <= *closed; ++h) {
        out.push_back(must(registry.block(h))->global);
    }
    return out;
}

TEST(RegistryKill, NothingAcknowledgedIsLostAndEverythingGoesOn) {
    const char* wanted = std::getenv("HOLDFAST_KILL_POINTS");
    const int points = wanted == nullptr ? 20 : std::atoi(wanted);
    const NetworkParams params = test::story_network();
    RegistryStory story(params, kSeed);

    const auto begin = std::chrono::steady_clock::now();
    std::vector<GlobalDigest> expected;
    {
        test::TempFolder whole;
        const auto registry = must(Registry::open(whole / "registry", params, one_thread()));
        go_on(*registry, story, params, -1);
        expected = digests(*registry, params);
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begin);

    std::mt19937_64 random(4);
    auto folder = std::make_unique<test::TempFolder>();
    int killed = 0;
    int at_work = 0;
    while (killed < points) {
        int pipes[2];
        ASSERT_EQ(::pipe(pipes), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(pipes[0]);
            auto registry = Registry::open(*folder / "registry", params, one_thread());
            if (!registry) ::_exit(2);
            go_on(**registry, story, params, pipes[1]);
            ::_exit(0);
        }
        ::close(pipes[1]);
        // A few blocks' time each, so that one story is interrupted several times.
        ::usleep(
            static_cast<useconds_t>(random() % static_cast<std::uint64_t>(took.count() / 4 + 1)));
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ++killed;
        if (WIFSIGNALED(status)) ++at_work;
        if (WIFEXITED(status)) ASSERT_EQ(WEXITSTATUS(status), 0) << "the child could not go on";
        std::uint64_t acknowledged = 0;
        for (std::uint64_t h = 0; ::read(pipes[0], &h, sizeof h) == sizeof h;) acknowledged = h;
        ::close(pipes[0]);

        const auto registry = must(Registry::open(*folder / "registry", params, one_thread()));
        const auto tip = must(registry->tip());
        ASSERT_GE(tip ? tip->value : 0, acknowledged);
        const auto found = digests(*registry, params);
        ASSERT_LE(found.size(), expected.size());
        ASSERT_TRUE(std::equal(found.begin(), found.end(), expected.begin()))
            << "after kill " << killed;
        if (found.size() == expected.size() || killed == points) {
            go_on(*registry, story, params, -1);
            ASSERT_EQ(digests(*registry, params), expected);
            folder = std::make_unique<test::TempFolder>();
        }
    }
    EXPECT_GE(at_work, points / 2);
}

}  // namespace
}  // namespace holdfast
