// Ctrl-C, a full disk and the memory bound.
#include <sys/mount.h>

#include "node_world.hpp"

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;

void sparse(const fs::path& file, std::uint64_t bytes) {
    spill(file, {});
    fs::resize_file(file, bytes);
}

TEST(Interrupt, SealingLeavesOnlyWhatItGoesOnFrom) {
    NodeWorld world;
    sparse(world / "big", std::uint64_t{512} << 20);  // 512 windows
    auto before = names_below(world.path());
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        Command seal(world.path(), words_of("seal big --key alice.key"));
        // Well into the second pass: a temporary exists, under whatever name.
        for (int i = 0; i < 3000 && names_below(world.path()) == before; ++i) ::usleep(10'000);
        EXPECT_NE(names_below(world.path()), before);
        ::usleep(100'000);
        seal.send(signal);
        const Ran ran = seal.wait();
        EXPECT_EQ(ran.code, kExitInterrupted) << ran;
        EXPECT_FALSE(ran.err.empty()) << ran;
        for (const std::string& name : names_below(world.path())) {
            const bool is_new = std::find(before.begin(), before.end(), name) == before.end();
            if (!is_new) continue;
            EXPECT_NE(name.find(".sealing"), std::string::npos) << name;
            fs::remove(world / name);
        }
        EXPECT_EQ(names_below(world.path()), before);
    }
}

TEST(Interrupt, HangupUnderNohupEndsNothing) {
    NodeWorld world;
    sparse(world / "big", std::uint64_t{64} << 20);
    const auto before = names_below(world.path());
    std::signal(SIGHUP, SIG_IGN);  // as nohup does, for what it starts
    Command seal(world.path(), words_of("seal big --key alice.key"));
    std::signal(SIGHUP, SIG_DFL);
    for (int i = 0; i < 3000 && names_below(world.path()) == before; ++i) ::usleep(10'000);
    for (int i = 0; i < 3; ++i) seal.send(SIGHUP);
    const Ran ran = seal.wait();
    EXPECT_EQ(ran.code, kExitOk) << ran;
    EXPECT_TRUE(fs::exists(world / "big.replica"));
}

// Two windows of 1 MiB, 64 MiB, and what the program needs to say its version.
TEST(Memory, SealingStaysWithinWindowTimesWorkersAnd64MiB) {
    NodeWorld world;
    sparse(world / "big", std::uint64_t{256} << 20);
    const long own_kib = world.good("--version").peak_kib;
    ASSERT_GT(own_kib, 0);
    const Ran sealed = world.good("seal big --key alice.key --preset 256:8192 --workers 2 --json");
    EXPECT_EQ(sealed.json()["windows"], 256);
    EXPECT_LE(sealed.peak_kib, 2 * 1024 + 64 * 1024 + own_kib) << "of which its own: " << own_kib;
}

/// A file system of a mebibyte; the test is skipped where mounting is not allowed.
class Tmpfs {
  public:
    Tmpfs(const fs::path& at, const char* options) : path_(at) {
        fs::create_directory(at);
        mounted_ = ::mount("tmpfs", at.c_str(), "tmpfs", 0, options) == 0;
    }
    Tmpfs(const Tmpfs&) = delete;
    Tmpfs& operator=(const Tmpfs&) = delete;
    ~Tmpfs() {
        if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    }
    [[nodiscard]] bool mounted() const { return mounted_; }

  private:
    fs::path path_;
    bool mounted_ = false;
};

TEST(FullDisk, SaysSoAndLeavesNothing) {
    NodeWorld world;
    const Tmpfs disk(world / "disk", "size=256k");
    if (!disk.mounted()) GTEST_SKIP() << "mounting a small tmpfs is not allowed here";
    const auto full = [&](const std::string& line) {
        const auto before = names_below(world.path());
        expect_failure(world.run(line), kExitEnvironment, "disk/");
        EXPECT_EQ(names_below(world.path()), before) << line;
    };
    full("seal a --key alice.key --out disk/a.replica");
    world.good("seal a --key alice.key");
    full("unseal a.replica --out disk/restored");
    // Not a byte left.
    sparse(world / "disk/filler", 0);
    spill(world / "disk/filler", Bytes(256 * 1024, 1));
    full("seal a --key alice.key --out disk/a.replica");
    full("unseal a.replica --out disk/restored");
    full("keygen disk/b.key");
    full(std::string("network init disk/node") + NodeWorld::kFast);
    world.good("chain new-block --count 3");
    world.good("block process");
    full("vdf eval --height 0 --out disk/0.vdf");
    const Ran ran = world.run("public export --out disk/public");
    expect_failure(ran, kExitEnvironment, "disk/");
}

}  // namespace
}  // namespace holdfast::test
