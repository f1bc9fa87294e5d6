#include "keep/catalogue.hpp"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "core/hash.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

const KeyPair& owner() {
    static const KeyPair key = KeyPair::from_secret(Bytes(32, 1));
    return key;
}

KeptFile file_of(std::uint8_t salt, std::uint64_t counter, const std::string& name = "a.txt") {
    KeptFile f;
    f.counter = counter;
    f.plain_len = 1'000;
    f.salt.bytes.fill(salt);
    f.header.prefix.fill(3);
    f.name = name;
    f.manifest.shape = {2, 1};
    f.manifest.data_len = f.shape().cipher_len();
    f.manifest.shard_len = shard_length(f.manifest.data_len, f.manifest.shape);
    for (std::uint8_t i = 0; i < 3; ++i) {
        f.manifest.roots.emplace_back(tagged_hash("test/root", i));
        f.shards.push_back(
            {KeyPair::from_secret(Bytes(32, static_cast<std::uint8_t>(50 + i))).public_key(),
             "10.0.0.1:" + std::to_string(i),
             DepositId(tagged_hash("test/d", i)),
             {},
             {}});
    }
    EXPECT_TRUE(f.sign(owner()));
    return f;
}

KeptRemoval removal_of(std::uint8_t salt, std::uint64_t counter) {
    KeptRemoval r;
    r.file = file_of(salt, 1).id();
    r.counter = counter;
    EXPECT_TRUE(r.sign(owner()));
    return r;
}

TEST(KeptFile, DecodesToItself) {
    const KeptFile f = file_of(7, 3);
    EXPECT_EQ(KeptFile::decode(f.encode()).value(), f);
    test::TempFolder folder;
    ASSERT_TRUE(write_kept_file(folder / "f.kept", f));
    EXPECT_EQ(read_kept_file(folder / "f.kept").value(), f);
    EXPECT_EQ(read_kept_file(folder / "none").error().code, ErrorCode::kNotFound);
}

TEST(KeptFile, NoBitOfAManifestMayBeAltered) {
    const Bytes good = file_of(7, 3).encode();
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        Bytes bad = good;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(KeptFile::decode(bad)) << bit;
    }
    for (std::size_t n = 0; n < good.size(); ++n) {
        EXPECT_FALSE(KeptFile::decode(ByteView(good).first(n))) << n;
    }
    Bytes longer = good;
    longer.push_back(0);
    EXPECT_EQ(KeptFile::decode(longer).error().reason, Reason::kTrailingBytes);
}

/// What a dishonest or careless owner could sign.
TEST(KeptFile, ASignatureDoesNotMakeNonsenseAcceptable) {
    const auto reason = [](const std::function<void(KeptFile&)>& alter) {
        KeptFile f = file_of(7, 3);
        alter(f);
        EXPECT_TRUE(f.sign(owner()));
        const auto decoded = KeptFile::decode(f.encode());
        return decoded ? Reason::kOk : decoded.error().reason;
    };
    EXPECT_EQ(reason([](KeptFile&) {}), Reason::kOk);
    EXPECT_EQ(reason([](KeptFile& f) { f.counter = 0; }), Reason::kBadField);
    EXPECT_EQ(reason([](KeptFile& f) { f.plain_len = 999; }), Reason::kBadGeometry);
    EXPECT_EQ(reason([](KeptFile& f) { f.salt = {}; }), Reason::kBadField);
    EXPECT_EQ(reason([](KeptFile& f) { f.header = {}; }), Reason::kBadField);
    EXPECT_EQ(reason([](KeptFile& f) { f.scheme = KeptScheme::kPlain; }), Reason::kBadField);
    EXPECT_EQ(reason([](KeptFile& f) { f.scheme = KeptScheme{2}; }), Reason::kBadField);
    EXPECT_EQ(reason([](KeptFile& f) { f.name = "a\x1b[2J"; }), Reason::kBadField);
    EXPECT_EQ(reason([](KeptFile& f) { f.shards[1].prover = f.shards[0].prover; }),
              Reason::kBadField);
    EXPECT_EQ(reason([](KeptFile& f) { f.shards[1].deposit = f.shards[0].deposit; }),
              Reason::kBadField);
    EXPECT_EQ(reason([](KeptFile& f) { f.shards[2].prover = {}; }), Reason::kBadKey);
    EXPECT_NE(reason([](KeptFile& f) { f.shards.pop_back(); }), Reason::kOk);
    EXPECT_NE(reason([](KeptFile& f) { f.manifest.shape.data = 3; }), Reason::kOk);
}

CatalogueEntries random_entries(std::mt19937_64& random) {
    CatalogueEntries out;
    for (std::uint8_t salt = 1; salt <= 4; ++salt) {
        if (random() % 3 == 0) continue;
        const std::uint64_t counter = 1 + random() % 3;
        if (random() % 3 == 0) {
            const KeptRemoval r = removal_of(salt, counter);
            out.emplace(r.file, r);
        } else {
            const KeptFile f = file_of(salt, counter, random() % 2 == 0 ? "a" : "b");
            out.emplace(f.id(), f);
        }
    }
    return out;
}

TEST(Catalogue, MergingIsCommutativeAssociativeAndIdempotent) {
    std::mt19937_64 random(16);
    const auto merged = [](CatalogueEntries a, const CatalogueEntries& b) {
        merge_entries(a, b);
        return a;
    };
    for (int n = 0; n < 60; ++n) {
        const CatalogueEntries a = random_entries(random);
        const CatalogueEntries b = random_entries(random);
        const CatalogueEntries c = random_entries(random);
        ASSERT_EQ(encode_catalogue(merged(a, b)), encode_catalogue(merged(b, a)));
        ASSERT_EQ(encode_catalogue(merged(merged(a, b), c)),
                  encode_catalogue(merged(a, merged(b, c))));
        ASSERT_EQ(encode_catalogue(merged(a, a)), encode_catalogue(a));
        CatalogueEntries both = merged(a, b);
        ASSERT_EQ(merge_entries(both, b), 0U);
    }
}

TEST(Catalogue, ARemovalStandsAgainstAnOlderManifestAndNotAgainstANewerOne) {
    const KeptFile f = file_of(1, 2);
    EXPECT_TRUE(supersedes(removal_of(1, 2), f));
    EXPECT_TRUE(supersedes(removal_of(1, 3), f));
    EXPECT_FALSE(supersedes(removal_of(1, 1), f));
    EXPECT_FALSE(supersedes(f, f));
}

TEST(Catalogue, KeepsWhatItTookAcrossProcessesAndDevices) {
    test::TempFolder folder;
    {
        const auto first = Catalogue::open(folder / "one", owner().public_key()).value();
        EXPECT_TRUE(first->take(file_of(1, 1)).value());
        EXPECT_FALSE(first->take(file_of(1, 1)).value());
        EXPECT_TRUE(first->take(file_of(2, 1)).value());
        EXPECT_TRUE(first->take(removal_of(2, 2)).value());
    }
    const auto again = Catalogue::open(folder / "one", owner().public_key()).value();
    const Bytes exported = encode_catalogue(again->entries().value());
    const auto second = Catalogue::open(folder / "two", owner().public_key()).value();
    EXPECT_TRUE(second->take(file_of(1, 5)).value());
    const CatalogueEntries read = decode_catalogue(exported, owner().public_key()).value();
    EXPECT_EQ(second->merge(read).value(), 1U);  // the removal; its own manifest is newer
    EXPECT_EQ(second->merge(read).value(), 0U);
    EXPECT_EQ(entry_counter(second->find(file_of(1, 1).id()).value().value()), 5U);
    const PublicKey stranger = KeyPair::from_secret(Bytes(32, 2)).public_key();
    EXPECT_EQ(decode_catalogue(exported, stranger).error().reason, Reason::kWrongObject);
    EXPECT_EQ(Catalogue::open_for_reading(folder / "one", stranger).error().code,
              ErrorCode::kRefused);
    EXPECT_EQ(Catalogue::open_for_reading(folder / "none", stranger).error().code,
              ErrorCode::kNotFound);
}

TEST(Catalogue, IsWrittenByAPutBesideAKeeperThatHasItOpen) {
    test::TempFolder folder;
    const auto keeper = Catalogue::open(folder / "one", owner().public_key()).value();
    const auto put = Catalogue::open(folder / "one", owner().public_key()).value();
    const auto write = [](Catalogue& to, std::uint8_t first) {
        for (std::uint8_t n = first; n < first + 10; ++n)
            EXPECT_TRUE(to.take(file_of(n, 1)).value());
    };
    std::thread beside([&] { write(*keeper, 1); });
    write(*put, 101);
    beside.join();
    EXPECT_EQ(keeper->entries().value().size(), 20U);
    const auto reader = Catalogue::open_for_reading(folder / "one", owner().public_key()).value();
    EXPECT_TRUE(put->take(removal_of(1, 2)).value());
    EXPECT_EQ(entry_counter(reader->find(file_of(1, 1).id()).value().value()), 2U);
    EXPECT_EQ(reader->take(file_of(50, 1)).error().code, ErrorCode::kPermission);
}

TEST(Catalogue, NoBitOfAnExportMayBeAltered) {
    CatalogueEntries entries;
    merge_entries(entries, {{file_of(1, 1).id(), file_of(1, 1)}});
    merge_entries(entries, {{removal_of(2, 1).file, removal_of(2, 1)}});
    const Bytes good = encode_catalogue(entries);
    for (std::size_t bit = 0; bit < 8 * good.size(); bit += 3) {
        Bytes bad = good;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(decode_catalogue(bad, owner().public_key())) << bit;
    }
}

}  // namespace
}  // namespace holdfast
