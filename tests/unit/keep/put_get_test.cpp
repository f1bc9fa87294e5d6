// A file put with provers and read back: honest ones, and all that may go wrong.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <random>
#include <set>

#include "keep/get.hpp"
#include "keep/put.hpp"
#include "support/fake_provers.hpp"
#include "support/killed_child.hpp"
#include "support/small_disk.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

Bytes random_text(std::size_t size, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Bytes out(size);
    for (auto& b : out) b = static_cast<std::uint8_t>(random());
    return out;
}

/// An owner, provers and a file. What is on disk is found again by a second one in the same folder.
struct KeepWorld {
    explicit KeepWorld(const std::filesystem::path& at, std::size_t count = 6)
        : folder(at), provers(at / "provers", network, owner.public_key(), count) {
        catalogue = Catalogue::open(at / "catalogue", owner.public_key()).value();
        options.shape = {4, 2};
        options.patience_ms = 300;
        options.poll_ms = 1;
        reading.slow_ms = 100;
        reading.patience_ms = 300;
        reading.evidence = at / "evidence";
    }
    void write(const Bytes& bytes) const { ASSERT_TRUE(write_file(folder / "file", bytes, true)); }
    Result<PutReport> put() {
        return put_file(folder / "file", owner, network, provers.addresses(), provers.asker(),
                        *catalogue, put_journals(folder / "catalogue"), options);
    }
    Result<Bytes> get(const KeptFile& file, std::optional<ByteRange> range = {}) {
        const auto out = folder / ("out" + std::to_string(++outs));
        const auto done = get_file(file, owner, range.value_or(ByteRange{0, file.plain_len}), out,
                                   provers.asker(), reading);
        if (!done) return fail(done.error());
        report = *done;
        return read_file(out, UINT64_MAX);
    }

    std::filesystem::path folder;
    NetworkId network{tagged_hash("test/network")};
    KeyPair owner = KeyPair::from_secret(Bytes(32, 1));
    test::FakeProvers provers;
    std::unique_ptr<Catalogue> catalogue;
    PutOptions options;
    ReadOptions reading;
    ReadShardsReport report;
    int outs = 0;
};

TEST(PutAndGet, GiveBackEveryByteOfFilesOfAllSizes) {
    test::TempFolder folder;
    int n = 0;
    for (const std::size_t size : {0UL, 1UL, 100UL, 4'194'000UL, 1'048'520UL, 9'000'017UL}) {
        KeepWorld world(folder / std::to_string(n++));
        const Bytes text = random_text(size, size);
        world.write(text);
        const auto put = world.put();
        ASSERT_TRUE(put) << put.error().message;
        EXPECT_EQ(put->proven, 6U);
        EXPECT_EQ(KeptFile::decode(put->file.encode()).value(), put->file);
        const auto back = world.get(put->file);
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(*back, text) << size;
        // It is in the catalogue, and the journal of the put is gone.
        const auto known = world.catalogue->find(put->file.id()).value();
        EXPECT_EQ(std::get<KeptFile>(known.value()), put->file);
    }
}

TEST(PutAndGet, AnyShapeOfCodeFromAnyOfItsShards) {
    test::TempFolder folder;
    int n = 0;
    for (const CodeShape shape : {CodeShape{1, 0}, CodeShape{1, 2}, CodeShape{3, 4}}) {
        KeepWorld world(folder / std::to_string(n++), shape.shards());
        world.options.shape = shape;
        const Bytes text = random_text(3'333'333, 5);
        world.write(text);
        const KeptFile file = world.put().value().file;
        for (unsigned dead = 0; dead < shape.parity; ++dead) world.provers[dead].faults.dead = true;
        EXPECT_EQ(world.get(file).value(), text);
    }
}

TEST(PutAndGet, ProversSeeNothingOfAnEncryptedFileAndAllOfAPlainOne) {
    test::TempFolder folder;
    const Bytes text(2'000'000, 'A');
    const auto repeats = [](const Bytes& seen) {
        return std::search_n(seen.begin(), seen.end(), 16, std::uint8_t{'A'}) != seen.end();
    };
    for (const bool encrypt : {true, false}) {
        KeepWorld world(folder / (encrypt ? "e" : "p"));
        world.options.encrypt = encrypt;
        world.write(text);
        const KeptFile file = world.put().value().file;
        EXPECT_EQ(repeats(world.provers[0].all_data()), !encrypt);
        EXPECT_EQ(world.get(file).value(), text);
        const KeyPair stranger = KeyPair::from_secret(Bytes(32, 2));
        const auto foreign = get_file(file, stranger, {0, file.plain_len}, folder / "foreign",
                                      world.provers.asker(), world.reading);
        EXPECT_EQ(foreign.has_value(), !encrypt);
        if (!foreign) {
            EXPECT_EQ(foreign.error().code, ErrorCode::kPermission);
        }
    }
}

TEST(PutAndGet, ARangeOrAStreamIsThatPartOfTheFile) {
    test::TempFolder folder;
    KeepWorld world(folder.path());
    const Bytes text = random_text(7'000'003, 3);
    world.write(text);
    const KeptFile file = world.put().value().file;
    std::mt19937_64 random(4);
    for (int n = 0; n < 12; ++n) {
        const std::uint64_t begin = random() % text.size();
        const std::uint64_t end = begin + 1 + random() % (text.size() - begin);
        world.provers[n % 6].faults.dead = n % 3 == 0;
        const Bytes part(text.begin() + static_cast<std::ptrdiff_t>(begin),
                         text.begin() + static_cast<std::ptrdiff_t>(end));
        ASSERT_EQ(world.get(file, ByteRange{begin, end}).value(), part);
        Bytes streamed;
        const auto done = stream_file(
            file, world.owner, {begin, end}, world.provers.asker(),
            [&](ByteView bytes) -> Status {
                streamed.insert(streamed.end(), bytes.begin(), bytes.end());
                return {};
            },
            world.reading);
        ASSERT_TRUE(done) << done.error().message;
        ASSERT_EQ(streamed, part);
        world.provers[n % 6].faults.dead = false;
    }
    EXPECT_EQ(parse_byte_range("2-5", 10).value().end, 6U);
    EXPECT_EQ(parse_byte_range("2-", 10).value().end, 10U);
    for (const char* bad : {"", "-", "5", "5-2", "2-10", "a-b", "-5", "10-"}) {
        EXPECT_EQ(parse_byte_range(bad, 10).error().code, ErrorCode::kInvalidArgument) << bad;
    }
    EXPECT_FALSE(parse_byte_range("0-", 0));
}

TEST(Get, NamesALyingProverKeepsItsAnswerAndReadsOn) {
    test::TempFolder folder;
    KeepWorld world(folder.path());
    const Bytes text = random_text(5'000'000, 6);
    world.write(text);
    const KeptFile file = world.put().value().file;
    world.provers[1].faults.lies = true;
    EXPECT_EQ(world.get(file).value(), text);
    ASSERT_TRUE(world.report.shards[1].lied);
    EXPECT_FALSE(world.report.shards[0].lied);
    const Bytes kept = read_file(world.report.shards[1].evidence, UINT64_MAX).value();
    const std::string said(kept.begin(), kept.end());
    EXPECT_NE(said.find(to_hex(file.shards[1].prover)), std::string::npos);
}

TEST(Get, AProverThatHangsIsReplacedAndHoldsNothingUp) {
    test::TempFolder folder;
    KeepWorld world(folder.path());
    const Bytes text = random_text(6'000'000, 7);
    world.write(text);
    const KeptFile file = world.put().value().file;
    world.provers[2].faults.hangs = true;
    std::thread wake([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
        world.provers[2].faults.hangs = false;
    });
    EXPECT_EQ(world.get(file).value(), text);
    wake.join();
    EXPECT_GE(world.report.shards[2].slow, 1U);
}

TEST(Get, WithOneShardTooFewSaysWhichAreMissingAndWhy) {
    test::TempFolder folder;
    KeepWorld world(folder.path());
    const Bytes text = random_text(3'000'000, 8);
    world.write(text);
    const KeptFile file = world.put().value().file;
    for (int i : {0, 3, 5}) world.provers[static_cast<std::size_t>(i)].faults.dead = true;
    const auto none = world.get(file);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(none.error().message.find("4 shards are needed, and 3"), std::string::npos);
    EXPECT_NE(none.error().message.find(to_hex(file.shards[3].prover)), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder / "out1"));
    // What is missed may come back: the same reading goes on.
    world.provers[3].faults.dead = false;
    world.outs = 0;
    EXPECT_EQ(world.get(file).value(), text);
}

TEST(Get, GoesOnWhereItWasStoppedAndLeavesNothingBeside) {
    test::TempFolder folder;
    KeepWorld world(folder.path());
    const Bytes text = random_text(20'000'000, 9);
    world.write(text);
    const KeptFile file = world.put().value().file;
    std::atomic<bool> stop{false};
    world.reading.stop = [&] { return stop.load(); };
    world.reading.progress = [&](std::uint64_t, std::uint64_t) { stop = true; };
    const auto stopped = world.get(file);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
    const auto reads = [&] {
        std::uint64_t n = 0;
        for (std::size_t i = 0; i < 6; ++i) n += world.provers[i].reads();
        return n;
    };
    const std::uint64_t before = reads();
    stop = false;
    world.reading.progress = {};
    world.reading.slow_ms = world.reading.patience_ms = 60'000;  // nobody is asked beside another
    world.outs = 0;
    EXPECT_EQ(world.get(file).value(), text);
    EXPECT_LE(reads() - before, 4 * (5'000'000U / 262'144 + 1));  // nothing is asked for twice
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        EXPECT_EQ(entry.path().string().find("holdfast-part"), std::string::npos);
    }
}

TEST(Get, AFullDiskIsAnErrorAndNoHalfWrittenFile) {
    test::TempFolder folder;
    KeepWorld world(folder.path());
    world.write(random_text(5'000'000, 10));
    const KeptFile file = world.put().value().file;
    const test::SmallDisk disk(folder / "small", 2'000'000);
    if (!disk.mounted()) GTEST_SKIP() << "mounting is not allowed";
    const auto done = get_file(file, world.owner, {0, file.plain_len}, disk.path() / "out",
                               world.provers.asker(), world.reading);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kOutOfSpace);
    EXPECT_FALSE(std::filesystem::exists(disk.path() / "out"));
}

TEST(Put, SendsNothingBeforeTheTermsAreAgreedOn) {
    test::TempFolder folder;
    KeepWorld world(folder.path());
    world.write(random_text(100'000, 11));
    std::size_t shown = 0;
    world.options.agree = [&](std::span<const PutOffer> offers) {
        shown = offers.size();
        for (const PutOffer& offer : offers) EXPECT_EQ(offer.terms.price, 7U);
        return false;
    };
    EXPECT_EQ(world.put().error().code, ErrorCode::kInterrupted);
    EXPECT_EQ(shown, 6U);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(world.provers[i].opened(), 0U);
}

TEST(Put, PlacesShardsOnDistinctProversAndPlaces) {
    test::TempFolder folder;
    KeepWorld world(folder.path(), 9);
    world.write(random_text(100'000, 12));
    std::vector<ProverAddress> candidates = world.provers.addresses();
    for (std::size_t i = 0; i < 3; ++i) candidates[i].place = "Vienna";
    world.provers[4].faults.hot = false;
    const auto put = [&] {
        return put_file(folder / "file", world.owner, world.network, candidates,
                        world.provers.asker(), *world.catalogue, folder / "puts", world.options);
    };
    const KeptFile file = put().value().file;
    std::set<PublicKey> used;
    for (const KeptShard& shard : file.shards) used.insert(shard.prover);
    EXPECT_EQ(used.size(), 6U);
    EXPECT_TRUE(used.contains(candidates[0].key));
    for (const std::size_t other : {1U, 2U, 4U}) EXPECT_FALSE(used.contains(candidates[other].key));
    // One fewer: too few, and the reasons are named.
    world.provers[8].faults.dead = true;
    const auto few = put();
    ASSERT_FALSE(few);
    EXPECT_EQ(few.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(few.error().message.find("Vienna"), std::string::npos);
    candidates[1] = candidates[0];
    EXPECT_EQ(put().error().code, ErrorCode::kInvalidArgument);
}

TEST(Put, GoesOnAfterAFullProverAndSendsNothingTwice) {
    test::TempFolder folder;
    KeepWorld world(folder.path());
    const Bytes text = random_text(20'000'000, 13);
    world.write(text);
    std::atomic<int> left{9};
    world.provers.before = [&](ByteView request) -> Status {
        if (request.size() > 1'000'000 && --left < 0) world.provers[2].faults.full = true;
        return {};
    };
    const auto full = world.put();
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::kOutOfSpace);
    EXPECT_NE(full.error().message.find(to_hex(world.provers[2].key())), std::string::npos);
    world.provers[2].faults.full = false;
    left = 1'000;
    const PutReport again = world.put().value();
    EXPECT_TRUE(again.resumed);
    EXPECT_FALSE(again.started_over);
    EXPECT_EQ(world.provers.pieces(), 6U * 5U);  // every piece once
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(world.provers[i].opened(), 1U);
    EXPECT_EQ(world.get(again.file).value(), text);
}

TEST(Put, AProverThatChangesItsTermsIsRefused) {
    test::TempFolder folder;
    KeepWorld world(folder.path());
    world.write(random_text(3'000'000, 14));
    world.provers[1].faults.changes = true;
    const auto put = world.put();
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, ErrorCode::kRefused);
    EXPECT_NE(put.error().message.find(to_hex(world.provers[1].key())), std::string::npos);
}

/// Two plaintexts never meet under one key: the second file gets a salt of its own.
TEST(Put, AFileThatChangedBetweenRunsStartsOverWithANewSalt) {
    for (const bool same_stamp : {false, true}) {
        test::TempFolder folder;
        KeepWorld world(folder.path());
        world.write(random_text(9'000'000, 15));
        const auto when = std::filesystem::last_write_time(folder / "file");
        std::atomic<int> left{8};
        world.provers.before = [&](ByteView request) -> Status {
            if (request.size() > 1'000'000 && --left < 0 && world.provers[0].pieces() > 0) {
                return fail(ErrorCode::kPermission, "enough");
            }
            return {};
        };
        ASSERT_FALSE(world.put());
        const Bytes first = world.provers[0].all_data();
        const Bytes other = random_text(9'000'000, 16);
        world.write(other);
        // As a tool would that restores the time: then the tags alone tell.
        if (same_stamp) std::filesystem::last_write_time(folder / "file", when);
        left = 1'000;
        const auto put = world.put();
        ASSERT_TRUE(put) << put.error().message;
        EXPECT_TRUE(put->started_over);
        const Bytes second = world.provers[0].all_data();
        ASSERT_GE(first.size(), 33U);
        ASSERT_GE(second.size(), first.size());
        EXPECT_FALSE(std::equal(first.begin() + 1, first.begin() + 33, second.begin() + 1));
        EXPECT_EQ(world.get(put->file).value(), other);
        for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(world.provers[i].deposits(), 1U);
    }
}

TEST(Put, AFileThatChangesWhileItIsReadIsNoPut) {
    test::TempFolder folder;
    KeepWorld world(folder.path());
    world.write(random_text(9'000'000, 17));
    std::atomic<int> left{4};
    world.provers.before = [&](ByteView request) -> Status {
        if (request.size() > 1'000'000 && --left == 0) {
            File file = File::open(folder / "file", File::Mode::kReadWrite).value();
            (void)file.write_at(9'000'000, Bytes{1});
        }
        return {};
    };
    EXPECT_EQ(world.put().error().code, ErrorCode::kCorrupt);
    EXPECT_TRUE(world.catalogue->entries().value().empty());
    EXPECT_TRUE(world.put());
}

/// kill -9 in a child, at a random request: before it, or after the prover has done what it asks.
TEST(Put, ResumesAfterKillsAtRandomPointsAndOpensNothingTwice) {
    const int points = test::kill_points(12);
    std::mt19937_64 random(18);
    for (int n = 0; n < points; ++n) {
        test::TempFolder folder;
        const Bytes text = random_text(5'000'000 + random() % 3'000'000, random());
        const int at = static_cast<int>(random() % 36);  // of so many requests
        const pid_t child = ::fork();
        if (child == 0) {
            KeepWorld world(folder.path());
            world.write(text);
            std::atomic<int> left{at};
            world.provers.before = [&](ByteView) -> Status {
                if (--left < 0) ::kill(::getpid(), SIGKILL);
                return {};
            };
            (void)world.put();
            ::_exit(0);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        KeepWorld world(folder.path());
        const auto put = world.put();
        ASSERT_TRUE(put) << "killed at " << at << ": " << put.error().message;
        for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(world.provers[i].deposits(), 1U) << at;
        EXPECT_EQ(world.get(put->file).value(), text) << at;
    }
}

TEST(Get, ResumesAfterKillsAtRandomPoints) {
    const int points = test::kill_points(8);
    std::mt19937_64 random(19);
    test::TempFolder folder;
    const Bytes text = random_text(9'000'000, 20);
    const KeptFile file = [&] {
        KeepWorld world(folder.path());
        world.write(text);
        return world.put().value().file;
    }();
    for (int n = 0; n < points; ++n) {
        const auto out = folder / ("killed" + std::to_string(n));
        const int at = static_cast<int>(random() % 40);
        const pid_t child = ::fork();
        if (child == 0) {
            KeepWorld world(folder.path());
            std::atomic<int> left{at};
            world.provers.before = [&](ByteView) -> Status {
                if (--left < 0) ::kill(::getpid(), SIGKILL);
                return {};
            };
            (void)get_file(file, world.owner, {0, file.plain_len}, out, world.provers.asker(),
                           world.reading);
            ::_exit(0);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        KeepWorld world(folder.path());
        if (!std::filesystem::exists(out)) {
            const auto done = get_file(file, world.owner, {0, file.plain_len}, out,
                                       world.provers.asker(), world.reading);
            ASSERT_TRUE(done) << done.error().message;
        }
        EXPECT_EQ(read_file(out, UINT64_MAX).value(), text) << at;
    }
}

}  // namespace
}  // namespace holdfast
