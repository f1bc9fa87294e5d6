// The database under the registry: transactions, damage, versions.
#include "storage/lmdb_store.hpp"

#include <gtest/gtest.h>

#include <random>

#include "hierarchy/registry_impl.hpp"
#include "hierarchy/registry_records.hpp"
#include "support/registry_story.hpp"

namespace holdfast {
namespace {

using test::must;

constexpr std::uint64_t kMapBytes = std::uint64_t{1} << 30;

std::unique_ptr<Store> open_store(const std::filesystem::path& folder) {
    return must(Store::open(folder, {kMapBytes, true}, true));
}

TEST(Store, WritesAreWholeOrNothing) {
    test::TempFolder temp;
    const Key a = Key().u64(1);
    const Key b = Key().u64(2);
    const Bytes value = {1, 2, 3};
    {
        const auto store = open_store(temp.path());
        Transaction txn = must(store->write());
        must(txn.put(Table::kMeta, a.bytes(), value));
        must(txn.commit());
        Transaction lost = must(store->write());
        must(lost.put(Table::kMeta, b.bytes(), value));
        EXPECT_TRUE(must(lost.contains(Table::kMeta, b.bytes())));
    }
    const auto store = open_store(temp.path());
    const Transaction txn = must(store->read());
    const auto found = must(txn.get(Table::kMeta, a.bytes()));
    ASSERT_TRUE(found);
    EXPECT_EQ(Bytes(found->begin(), found->end()), value);
    EXPECT_FALSE(must(txn.get(Table::kMeta, b.bytes())));
    EXPECT_FALSE(must(txn.get(Table::kBlocks, a.bytes())));
}

TEST(Store, RangesAscendAndEndWithTheirPrefix) {
    test::TempFolder temp;
    const auto store = open_store(temp.path());
    Transaction txn = must(store->write());
    for (std::uint32_t region = 0; region < 3; ++region) {
        for (std::uint64_t h = 10; h <= 300; h += 10) {
            must(txn.put(Table::kLeaves, Key().u32(region).u64(h).bytes(), {}));
        }
    }
    const Key one = Key().u32(1);
    const auto heights = [&] {
        std::vector<std::uint64_t> out;
        must(txn.for_each(Table::kLeaves, one.bytes(), [&](ByteView key, ByteView) -> Result<bool> {
            KeyReader r(key);
            EXPECT_EQ(r.u32(), 1U);
            out.push_back(r.u64());
            return true;
        }));
        return out;
    };
    EXPECT_EQ(heights().size(), 30U);
    const std::vector<std::uint64_t> all = heights();
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
    const auto last = [&](std::uint32_t region, std::uint64_t h) -> std::optional<std::uint64_t> {
        const auto found = must(txn.last_at_most(Table::kLeaves, Key().u32(region).bytes(),
                                                 Key().u32(region).u64(h).bytes()));
        if (!found) return std::nullopt;
        KeyReader r(found->first);
        (void)r.u32();
        return r.u64();
    };
    EXPECT_EQ(last(1, 105), 100U);
    EXPECT_EQ(last(1, 110), 110U);
    EXPECT_EQ(last(1, 9), std::nullopt);
    EXPECT_EQ(last(2, UINT64_MAX), 300U);
    EXPECT_EQ(last(3, 5), std::nullopt);
    must(txn.erase_range(Table::kLeaves, Key().u32(1).u64(0).bytes(),
                         Key().u32(1).u64(150).bytes()));
    EXPECT_EQ(heights().size(), 16U);
    EXPECT_EQ(heights().front(), 150U);
    EXPECT_EQ(last(0, UINT64_MAX), 300U);
    const auto first = must(txn.first_key(Table::kLeaves, one.bytes()));
    ASSERT_TRUE(first);
    EXPECT_EQ(KeyReader(*first).u32(), 1U);
    must(txn.erase(Table::kLeaves, *first));
    must(txn.erase(Table::kLeaves, *first));
    EXPECT_EQ(heights().front(), 160U);
}

TEST(Store, OneProcessAtATime) {
    test::TempFolder temp;
    const auto store = open_store(temp.path());
    EXPECT_EQ(Store::open(temp.path(), {kMapBytes, true}, true).error().code, ErrorCode::kBusy);
}

// --- a real registry, damaged
// ---------------------------------------------------------------------

class DamagedRegistry : public ::testing::Test {
  protected:
    static constexpr std::uint64_t kBlocks = 40;

    void SetUp() override {
        RegistryOptions options;
        options.map_bytes = kMapBytes;
        std::filesystem::create_directories(folder());
        auto registry = must(Registry::open(folder(), params_, options));
        test::RegistryStory story(params_, 1);
        for (std::uint64_t i = 0; i < kBlocks; ++i) {
            const Height h = params_.genesis_height + i;
            (void)story.feed(*registry, h);
            story.act(*registry, h);
        }
        facts_ = facts(*registry);
        registry.reset();
        data_ = test::slurp(file());
    }

    struct Facts {
        std::vector<BlockRecord> blocks;
        RegistrySlots slots;
        std::vector<ChainInfo> chains;
        std::vector<PathProof> paths;
    };
    [[nodiscard]] Facts facts(const Registry& registry) const {
        Facts f;
        for (std::uint64_t i = 0; i < kBlocks; ++i) {
            f.blocks.push_back(must(registry.block(params_.genesis_height + i)).value());
        }
        f.slots = must(registry.slots());
        must(registry.for_each_chain([&](const ChainInfo& info) {
            f.chains.push_back(info);
            return true;
        }));
        const Height before = must(registry.closed()).value() - 1;
        for (const auto& [slot, leaf] : f.slots.slots) {
            const auto path = registry.path(leaf.chain_id, before);
            if (path) f.paths.push_back(*path);
        }
        return f;
    }
    [[nodiscard]] std::filesystem::path folder() const { return temp_ / "registry"; }
    [[nodiscard]] std::filesystem::path file() const { return folder() / "data.mdb"; }

    /// Opens what `bytes` hold: an error of the right kind, or everything as it was.
    ErrorCode open_damaged(const Bytes& bytes, bool* opened) {
        test::spill(file(), bytes);
        RegistryOptions options;
        options.map_bytes = kMapBytes;
        const auto registry = Registry::open(folder(), params_, options);
        *opened = registry.has_value();
        if (!registry) return registry.error().code;
        const Facts f = facts(**registry);
        EXPECT_EQ(f.blocks, facts_.blocks);
        EXPECT_EQ(f.slots, facts_.slots);
        EXPECT_EQ(f.paths, facts_.paths);
        EXPECT_EQ(f.chains.size(), facts_.chains.size());
        return ErrorCode::kIo;
    }

    NetworkParams params_ = test::story_network();
    test::TempFolder temp_;
    Facts facts_;
    Bytes data_;
};

TEST_F(DamagedRegistry, EveryTruncationIsRefused) {
    std::mt19937_64 random(1);
    bool opened = false;
    ASSERT_EQ(open_damaged(data_, &opened), ErrorCode::kIo);
    ASSERT_TRUE(opened);
    std::vector<std::size_t> lengths = {1, 15, 16, 151, 152, 4095, 4096, 4097, 8191, 8192};
    for (int i = 0; i < 60; ++i) lengths.push_back(random() % (data_.size() - 1) + 1);
    std::size_t refused = 0;
    for (const std::size_t length : lengths) {
        Bytes cut(data_.begin(), data_.begin() + static_cast<std::ptrdiff_t>(length));
        const ErrorCode code = open_damaged(cut, &opened);
        // Behind the last page that is in use there may be some that are not.
        if (opened) {
            EXPECT_GT(length, data_.size() / 2);
            continue;
        }
        EXPECT_EQ(code, ErrorCode::kCorrupt) << length;
        ++refused;
    }
    EXPECT_GT(refused, 60U);
}

TEST_F(DamagedRegistry, FlippedBitsAreRefusedOrWithoutEffect) {
    std::mt19937_64 random(2);
    std::size_t refused = 0;
    for (int i = 0; i < 400; ++i) {
        Bytes flipped = data_;
        const std::size_t at = random() % flipped.size();
        flipped[at] ^= static_cast<std::uint8_t>(1U << random() % 8);
        bool opened = false;
        const ErrorCode code = open_damaged(flipped, &opened);
        if (opened) continue;
        EXPECT_TRUE(code == ErrorCode::kCorrupt || code == ErrorCode::kUnsupported ||
                    code == ErrorCode::kOutOfSpace)
            << to_string(code) << " at " << at;
        ++refused;
    }
    EXPECT_GT(refused, 50U);
}

TEST_F(DamagedRegistry, FlippedBitsOfTheMetaPagesAreRefusedOrWithoutEffect) {
    // The two pages that say where everything else is; one of them is out of use at any time.
    std::size_t refused = 0;
    for (std::size_t bit = 0; bit < 2 * 152 * 8; ++bit) {
        Bytes flipped = data_;
        flipped[bit / (152 * 8) * 4096 + bit / 8 % 152] ^= static_cast<std::uint8_t>(1U << bit % 8);
        bool opened = false;
        const ErrorCode code = open_damaged(flipped, &opened);
        if (opened) continue;
        EXPECT_TRUE(code == ErrorCode::kCorrupt || code == ErrorCode::kUnsupported ||
                    code == ErrorCode::kOutOfSpace)
            << to_string(code) << " at bit " << bit;
        ++refused;
    }
    EXPECT_GT(refused, 1'000U);
}

TEST_F(DamagedRegistry, GarbagePagesAreRefused) {
    std::mt19937_64 random(3);
    const std::size_t pages = data_.size() / 4096;
    for (std::size_t page = 0; page < pages; ++page) {
        Bytes garbage = data_;
        for (std::size_t b = 0; b < 4096; ++b) {
            garbage[page * 4096 + b] = static_cast<std::uint8_t>(random());
        }
        bool opened = false;
        const ErrorCode code = open_damaged(garbage, &opened);
        if (opened) {
            EXPECT_GE(page, 2U);  // a free page
        } else {
            EXPECT_EQ(code, ErrorCode::kCorrupt) << page;
        }
    }
    Bytes noise(20'000);
    for (auto& b : noise) b = static_cast<std::uint8_t>(random());
    bool opened = true;
    EXPECT_EQ(open_damaged(noise, &opened), ErrorCode::kCorrupt);
    EXPECT_FALSE(opened);
}

TEST_F(DamagedRegistry, NewerAndOlderSchemasAreLeftAloneAndTheOlderOneSaysWhatToDo) {
    for (const std::uint32_t schema : {kRegistrySchema + 1, kRegistrySchema - 1}) {
        {
            const auto store = must(Store::open(folder(), {kMapBytes, true}, false));
            Transaction txn = must(store->write());
            must(txn.put(Table::kMeta, Key().raw(view("schema")).bytes(),
                         Writer(4).u32(schema).bytes()));
            must(txn.commit());
        }
        const Bytes before = test::slurp(file());
        const auto opened = Registry::open(folder(), params_);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported) << opened.error().message;
        const bool told =
            opened.error().message.find("make the registry again") != std::string::npos;
        EXPECT_EQ(told, schema < kRegistrySchema) << opened.error().message;
        EXPECT_EQ(test::slurp(file()), before);
    }
}

TEST_F(DamagedRegistry, DamagedNetworkFileIsRefused) {
    const std::filesystem::path network = folder() / "network.params";
    Bytes bytes = test::slurp(network);
    for (const std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{30}}) {
        Bytes changed = bytes;
        changed[at] ^= 1;
        test::spill(network, changed);
        EXPECT_FALSE(Registry::open(folder(), params_)) << at;
    }
    // A crash between database and network file: the file is made again.
    std::filesystem::remove(network);
    EXPECT_TRUE(Registry::open(folder(), params_));
    EXPECT_EQ(test::slurp(network), bytes);
}

// --- records -------------------------------------------------------------------------------------

TEST(Records, DecodeWhatTheyEncodeAndNothingShorter) {
    ChainState state;
    state.phase = ChainPhase::kSealed;
    state.last_sequence = 7;
    state.sealed_at = 11;
    state.slot = 5;
    state.genesis = Height(3);
    state.retention = Retention::kArchival;
    state.misses.add(4, 16, 20);
    state.misses.add(9, 1, 20);
    const Bytes bytes = state.encode();
    const ChainState decoded = must(ChainState::decode(bytes));
    EXPECT_EQ(decoded.encode(), bytes);
    EXPECT_EQ(decoded.misses.sum(), 17U);
    EXPECT_TRUE(decoded.holds_slot());
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        EXPECT_FALSE(ChainState::decode(ByteView(bytes).first(length))) << length;
    }
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(ChainState::decode(longer));

    const AgendaEntry entry{Height(77), AgendaItem::kAuditDeadline,
                            ChainId(tagged_hash("test/chain")), 66};
    const AgendaEntry back = AgendaEntry::of_key(entry.key().bytes());
    EXPECT_EQ(back.height, entry.height);
    EXPECT_EQ(back.item, entry.item);
    EXPECT_EQ(back.chain_id, entry.chain_id);
    EXPECT_EQ(back.argument, entry.argument);
}

}  // namespace
}  // namespace holdfast
