// Backups of a registry that goes on meanwhile, reading beside it, and putting backups back.
#include "hierarchy/registry_backup.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hierarchy/registry_impl.hpp"
#include "hierarchy/registry_records.hpp"
#include "support/registry_story.hpp"

namespace holdfast {
namespace {

using test::must;
using test::RegistryStory;

RegistryOptions small_map() {
    RegistryOptions options;
    options.map_bytes = std::uint64_t{1} << 30;
    options.threads = 1;  // these tests fork
    return options;
}

struct Backup : ::testing::Test {
    NetworkParams params = test::story_network();
    test::TempFolder temp;
    RegistryStory story{params, 1};

    [[nodiscard]] std::filesystem::path registry() const { return temp / "registry"; }
    [[nodiscard]] std::unique_ptr<Registry> open(const std::filesystem::path& folder) const {
        return must(Registry::open(folder, params, small_map()));
    }
    void live(Registry& registry, std::uint64_t first, std::uint64_t end) {
        for (std::uint64_t i = first; i < end; ++i) {
            const Height h = params.genesis_height + i;
            (void)story.feed(registry, h);
            story.act(registry, h);
        }
    }
    /// Runs `body` in a process of its own, which must end well.
    template <class Body>
    static void elsewhere(const Body& body) {
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) ::_exit(body() ? 0 : 1);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    }
    /// No temporary folder is left in the parent of the registry, nor in it.
    void expect_tidy() const {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(temp.path())) {
            EXPECT_EQ(entry.path().filename().string().find("partial"), std::string::npos)
                << entry.path();
        }
    }
    static GlobalDigest newest(const Registry& registry) {
        return must(registry.block(must(registry.closed()).value()))->global;
    }
};

TEST_F(Backup, IsTheRegistryOfThatMomentAndGoesOnByItself) {
    auto original = open(registry());
    live(*original, 0, 40);
    const GlobalDigest then = newest(*original);
    const RegistryStatistics copied = must(original->backup(temp / "backup"));
    EXPECT_EQ(copied.tip, must(original->tip()));
    EXPECT_EQ(copied.registrations, must(original->statistics()).registrations);
    EXPECT_EQ(original->backup(temp / "backup").error().code, ErrorCode::kAlreadyExists);
    expect_tidy();
    live(*original, 40, 60);
    const auto copy = open(temp / "backup");
    EXPECT_EQ(newest(*copy), then);
    // Its blocks' objects are those of the story, which follows one registry at a time.
    RegistryStory again(params, 1);
    for (std::uint64_t i = 40; i < 60; ++i) {
        const Height h = params.genesis_height + i;
        (void)again.feed(*copy, h);
        again.act(*copy, h);
    }
    EXPECT_EQ(newest(*copy), newest(*original));
}

TEST_F(Backup, WhileAnotherProcessHasItOpen) {
    auto original = open(registry());
    live(*original, 0, 40);
    elsewhere([&] {
        const auto copied = backup_registry(registry(), temp / "backup");
        return copied && copied->tip == params.genesis_height + 39;
    });
    // The registry goes on, unharmed by readers that died.
    elsewhere([&] {
        RegistryOptions options = small_map();
        options.read_only = true;
        const auto reader = Registry::open(registry(), params, options);
        return reader && (*reader)->tip() == params.genesis_height + 39;
    });
    live(*original, 40, 60);
    original.reset();
    EXPECT_EQ(must(open(temp / "backup")->tip()), params.genesis_height + 39);
    EXPECT_EQ(must(open(registry())->tip()), params.genesis_height + 59);
}

TEST_F(Backup, ReadingBesideAWriterSeesItsCommitsAndCannotWrite) {
    auto original = open(registry());
    live(*original, 0, 30);
    int pipes[2];
    ASSERT_EQ(::pipe(pipes), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        RegistryOptions options = small_map();
        options.read_only = true;
        const auto opened = Registry::open(registry(), params, options);
        if (!opened) ::_exit(1);
        Registry& reader = **opened;
        const RegistrySlots before = must(reader.slots());
        char go = 0;
        if (::read(pipes[0], &go, 1) != 1) ::_exit(2);
        if (must(reader.tip()) != params.genesis_height + 39) ::_exit(3);
        if (must(reader.slots()) != before) ::_exit(4);
        const Height closed = must(reader.closed()).value();
        for (const auto& [slot, leaf] : must(reader.slots(closed)).slots) {
            const auto path = reader.path(leaf.chain_id, closed);
            const KnownHeight known = must(reader.known_height(closed));
            if (!path || !verify_path(params, params.id(), known, *path)) ::_exit(5);
        }
        if (reader.on_final_block(story.block(params.genesis_height + 40)).error().code !=
            ErrorCode::kPermission) {
            ::_exit(6);
        }
        ::_exit(0);
    }
    live(*original, 30, 40);
    ASSERT_EQ(::write(pipes[1], "g", 1), 1);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << status;
    EXPECT_EQ(WEXITSTATUS(status), 0);
    ::close(pipes[0]);
    ::close(pipes[1]);
}

TEST_F(Backup, ReadingWhatIsNotThere) {
    RegistryOptions options = small_map();
    options.read_only = true;
    EXPECT_EQ(Registry::open(registry(), params, options).error().code, ErrorCode::kNotFound);
    EXPECT_FALSE(std::filesystem::exists(registry()));
    EXPECT_EQ(backup_registry(registry(), temp / "b").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(registry_network(registry()).error().code, ErrorCode::kNotFound);
    expect_tidy();
}

TEST_F(Backup, RestoredIntoNothingOrInPlaceOfARegistry) {
    GlobalDigest then;
    {
        const auto original = open(registry());
        live(*original, 0, 40);
        (void)must(original->backup(temp / "backup"));
        then = newest(*original);
        live(*original, 40, 50);
        EXPECT_EQ(restore_registry(temp / "backup", registry(), params, true).error().code,
                  ErrorCode::kBusy);
    }
    const RegistryStatistics fresh =
        must(restore_registry(temp / "backup", temp / "new", params, false));
    EXPECT_EQ(fresh.tip, params.genesis_height + 39);
    EXPECT_EQ(newest(*open(temp / "new")), then);

    EXPECT_EQ(restore_registry(temp / "backup", registry(), params, false).error().code,
              ErrorCode::kAlreadyExists);
    EXPECT_EQ(must(open(registry())->tip()), params.genesis_height + 49);
    (void)must(restore_registry(temp / "backup", registry(), params, true));
    const auto restored = open(registry());
    EXPECT_EQ(newest(*restored), then);
    expect_tidy();
    // It goes on from there.
    RegistryStory again(params, 1);
    EXPECT_TRUE(restored->on_final_block(again.block(params.genesis_height + 40)));
}

TEST_F(Backup, AnotherNetworkAndNewerSchemasAreRefused) {
    {
        const auto original = open(registry());
        live(*original, 0, 20);
        (void)must(original->backup(temp / "backup"));
    }
    NetworkParams other = params;
    other.name = "another";
    const auto refused = restore_registry(temp / "backup", temp / "new", other, false);
    EXPECT_EQ(refused.error().verdict.reason, Reason::kWrongNetwork);
    EXPECT_FALSE(std::filesystem::exists(temp / "new"));
    {
        const auto store =
            must(Store::open(temp / "backup", {std::uint64_t{1} << 30, true}, false));
        Transaction txn = must(store->write());
        must(txn.put(Table::kMeta, Key().raw(view("schema")).bytes(),
                     Writer(4).u32(kRegistrySchema + 1).bytes()));
        must(txn.commit());
    }
    EXPECT_EQ(restore_registry(temp / "backup", registry(), params, true).error().code,
              ErrorCode::kUnsupported);
    EXPECT_EQ(must(open(registry())->tip()), params.genesis_height + 19);
    expect_tidy();
}

TEST_F(Backup, ADamagedBackupLeavesTheRegistryAsItWas) {
    {
        const auto original = open(registry());
        live(*original, 0, 30);
        (void)must(original->backup(temp / "backup"));
    }
    const std::filesystem::path data = temp / "backup" / "data.mdb";
    const Bytes good = test::slurp(data);
    for (std::size_t i = 0; i < 12; ++i) {
        Bytes bad = good;
        if (i < 6) {
            bad.resize(good.size() * (i + 1) / 8);
        } else {
            std::fill_n(bad.begin() + static_cast<std::ptrdiff_t>(good.size() * (i - 5) / 8), 4096,
                        std::uint8_t{0x5a});
        }
        test::spill(data, bad);
        const auto restored = restore_registry(temp / "backup", registry(), params, true);
        ASSERT_FALSE(restored) << i;
        EXPECT_EQ(restored.error().code, ErrorCode::kCorrupt) << restored.error().message;
        EXPECT_EQ(must(open(registry())->tip()), params.genesis_height + 29);
    }
    std::filesystem::remove(data);
    EXPECT_EQ(restore_registry(temp / "backup", registry(), params, true).error().code,
              ErrorCode::kCorrupt);
    expect_tidy();
}

TEST_F(Backup, OfADamagedRegistryIsRefusedAndRestoringMendsIt) {
    {
        const auto original = open(registry());
        live(*original, 0, 30);
        (void)must(original->backup(temp / "backup"));
    }
    const Bytes good = test::slurp(registry() / "data.mdb");
    test::spill(registry() / "data.mdb",
                Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() / 3)));
    test::spill(registry() / "network.params", Bytes{1, 2, 3});
    EXPECT_FALSE(backup_registry(registry(), temp / "second"));
    EXPECT_FALSE(std::filesystem::exists(temp / "second"));
    (void)must(restore_registry(temp / "backup", registry(), params, true));
    EXPECT_EQ(must(open(registry())->tip()), params.genesis_height + 29);
    expect_tidy();
}

}  // namespace
}  // namespace holdfast
