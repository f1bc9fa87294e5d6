// kill -9 while a prover signs, an old backup of its records, two processes at once, another order
// of heights: whatever has left the process, one link stands for each height and branch.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>

#include "support/killed_child.hpp"
#include "support/link_world.hpp"

namespace holdfast {
namespace {

using test::LinkWorld;

constexpr unsigned kRounds = 40;

/// Height i of the story on branch `b`: another block hash, the same height and anchor.
LinkFacts on_branch(const LinkWorld& w, std::size_t i, std::uint8_t b) {
    LinkFacts facts = w.facts(i);
    facts.block_hash[0] ^= b;
    return facts;
}

/// Signs every height on `kRounds` branches and hands each receipt out, as a prover does.
void sign_all(const LinkWorld& w, const test::SealedCase& sealed, const std::filesystem::path& path,
              int pipe) {
    auto records = LinkRecords::open(path);
    if (!records) ::_exit(2);
    for (unsigned b = 0; b < kRounds; ++b) {
        for (std::size_t i = 0; i < w.heights.size(); ++i) {
            if (!w.heights[i].has_link()) continue;
            const auto made =
                make_link(w.network.id, *sealed.replica,
                          on_branch(w, i, static_cast<std::uint8_t>(b)), sealed.key, *records);
            if (!made) ::_exit(3);
            Bytes out = made->receipt.encode();
            out.push_back(static_cast<std::uint8_t>(b));
            if (::write(pipe, out.data(), out.size()) < 0) ::_exit(4);
        }
    }
}

/// Everything that was ever handed out, by height and branch; two different ones are an offence.
class Published {
  public:
    void read_from(int pipe) {
        Bytes out(kReceiptBytes + 1);
        while (::read(pipe, out.data(), out.size()) == static_cast<ssize_t>(out.size())) {
            const Receipt receipt = *Receipt::decode(ByteView(out).first(kReceiptBytes));
            const auto [at, is_new] =
                by_place_.try_emplace({receipt.height.value, out.back()}, receipt);
            EXPECT_EQ(at->second, receipt) << "two links of height " << receipt.height.value;
        }
    }
    [[nodiscard]] std::size_t size() const { return by_place_.size(); }

  private:
    std::map<std::pair<std::uint64_t, std::uint8_t>, Receipt> by_place_;
};

TEST(ProverKill, NoTwoLinksOfOneHeightEverLeave) {
    const int points = test::kill_points(40);
    const LinkWorld w(0);
    const test::SealedCase sealed(w.network, w.story);
    ASSERT_TRUE(sealed.replica);
    test::TempFolder folder;
    const std::filesystem::path path = folder / "x.chain";
    const std::filesystem::path backup = folder / "backup";
    Published published;
    std::mt19937_64 random(3);
    int at_work = 0;
    for (int point = 0; point < points; ++point) {
        int pipes[2];
        ASSERT_EQ(::pipe(pipes), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(pipes[0]);
            sign_all(w, sealed, path, pipes[1]);
            ::_exit(0);
        }
        ::close(pipes[1]);
        ::usleep(static_cast<useconds_t>(500 + random() % 15'000));
        if (point % 4 == 1) {
            // A second process on the same records signs nothing.
            const auto second = LinkRecords::open(path);
            if (!second) {
                EXPECT_EQ(second.error().code, ErrorCode::kBusy);
            }
        }
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        if (WIFSIGNALED(status)) ++at_work;
        // The second process may have been first: then the child was refused.
        if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
            ASSERT_EQ(WEXITSTATUS(status), 2);
        }
        published.read_from(pipes[0]);
        ::close(pipes[0]);
        // Now and then the disk comes back as it was some time ago.
        if (point % 7 == 2 && std::filesystem::exists(path)) {
            std::filesystem::copy_file(path, backup,
                                       std::filesystem::copy_options::overwrite_existing);
        }
        if (point % 7 == 6 && std::filesystem::exists(backup)) {
            std::filesystem::copy_file(backup, path,
                                       std::filesystem::copy_options::overwrite_existing);
        }
    }
    EXPECT_GE(at_work, points / 3);
    EXPECT_GT(published.size(), 0U);
}

TEST(ProverKill, ALinkDoesNotDependOnWhenOrInWhatOrderItIsMade) {
    const LinkWorld w(0);
    const test::SealedCase sealed(w.network, w.story);
    ASSERT_TRUE(sealed.replica);
    std::vector<Receipt> expected;
    // No time is read: the records are the only state.
    for (const bool backwards : {false, true}) {
        test::TempFolder folder;
        auto records = LinkRecords::open(folder / "x.chain");
        ASSERT_TRUE(records);
        std::vector<Receipt> receipts(w.heights.size());
        for (std::size_t n = 0; n < w.heights.size(); ++n) {
            const std::size_t i = backwards ? w.heights.size() - 1 - n : n;
            if (!w.heights[i].has_link()) continue;
            const auto made =
                make_link(w.network.id, *sealed.replica, w.facts(i), sealed.key, *records);
            ASSERT_TRUE(made) << made.error().message;
            receipts[i] = made->receipt;
        }
        if (!backwards) expected = receipts;
        EXPECT_EQ(receipts, expected);
    }
}

}  // namespace
}  // namespace holdfast
