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

/// What has become durable: a block, or everything that was handed in at one.
struct Acknowledged {
    std::uint64_t fed = 0;
    std::uint64_t acted = 0;
};

void acknowledge(int pipe, const Acknowledged& done) {
    if (pipe >= 0 && ::write(pipe, &done, sizeof done) < 0) ::_exit(3);
}

/// Goes on block by block from wherever the registry stands. Where the end came between a block and
/// the acknowledgement of what belongs to it, that is handed in again; what was acknowledged is
/// not.
void go_on(Registry& registry, RegistryStory& story, const NetworkParams& params, Acknowledged done,
           int pipe) {
    const auto tip = must(registry.tip());
    const Height last = params.genesis_height + kBlocks;
    for (Height h = tip ? *tip : params.genesis_height; h <= last; ++h) {
        (void)story.feed(registry, h);
        done.fed = h.value;
        acknowledge(pipe, done);
        if (done.acted < h.value) story.act(registry, h);
        done.acted = h.value;
        acknowledge(pipe, done);
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
    const int points = wanted == nullptr ? 200 : std::atoi(wanted);
    const NetworkParams params = test::story_network();
    RegistryStory story(params, kSeed);

    const auto begin = std::chrono::steady_clock::now();
    std::vector<GlobalDigest> expected;
    {
        test::TempFolder whole;
        const auto registry = must(Registry::open(whole / "registry", params, one_thread()));
        go_on(*registry, story, params, {}, -1);
        expected = digests(*registry, params);
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begin);

    std::mt19937_64 random(4);
    auto folder = std::make_unique<test::TempFolder>();
    Acknowledged done;
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
            go_on(**registry, story, params, done, pipes[1]);
            ::_exit(0);
        }
        ::close(pipes[1]);
        // A few blocks' time each, so that one story is interrupted many times.
        ::usleep(
            static_cast<useconds_t>(random() % static_cast<std::uint64_t>(took.count() / 16 + 1)));
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ++killed;
        if (WIFSIGNALED(status)) ++at_work;
        if (WIFEXITED(status)) {
            ASSERT_EQ(WEXITSTATUS(status), 0) << "the child could not go on";
        }
        for (Acknowledged d; ::read(pipes[0], &d, sizeof d) == sizeof d;) done = d;
        ::close(pipes[0]);

        const auto registry = must(Registry::open(*folder / "registry", params, one_thread()));
        const auto tip = must(registry->tip());
        ASSERT_GE(tip ? tip->value : 0, done.fed);
        const auto found = digests(*registry, params);
        ASSERT_LE(found.size(), expected.size());
        ASSERT_TRUE(std::equal(found.begin(), found.end(), expected.begin()))
            << "after kill " << killed;
        if (found.size() == expected.size() || killed == points) {
            go_on(*registry, story, params, done, -1);
            ASSERT_EQ(digests(*registry, params), expected);
            folder = std::make_unique<test::TempFolder>();
            done = {};
        }
    }
    EXPECT_GE(at_work, points / 2);
}

}  // namespace
}  // namespace holdfast
