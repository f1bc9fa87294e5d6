#include "embedded/local_chain.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "core/merkle.hpp"
#include "storage/record_log.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::slurp;
using test::spill;
using test::TempFolder;
using Mode = LocalChain::Mode;

constexpr std::uint64_t kGenesisMs = 1'700'000'000'000;
constexpr std::uint64_t kLastMs = 253'402'300'799'999;  // year 9999

NetworkParams small_network() {
    NetworkParams p;
    p.name = "local-chain-test";
    p.genesis_height = Height(40);
    p.block_ms = 1'000;
    p.finality_blocks = 2;
    return p;
}

Bytes object(Kind kind, std::uint8_t content, std::size_t size = 10) {
    return wrap_object(kind, Bytes(size, content));
}

std::unique_ptr<LocalChain> make(const std::filesystem::path& folder,
                                 const NetworkParams& params = small_network()) {
    auto chain = LocalChain::create(folder, params, kGenesisMs);
    EXPECT_TRUE(chain) << chain.error().message;
    return chain ? std::move(*chain) : nullptr;
}

std::unique_ptr<LocalChain> reopen(const std::filesystem::path& folder, Mode mode) {
    auto chain = LocalChain::open(folder, mode);
    EXPECT_TRUE(chain) << chain.error().message;
    return chain ? std::move(*chain) : nullptr;
}

std::vector<BlockInfo> all_blocks(LocalChain& chain) {
    std::vector<BlockInfo> out;
    const Height tip = chain.current_height().value();
    for (Height h = chain.params().genesis_height; h <= tip; ++h) {
        out.push_back(chain.block_by_height(h).value());
    }
    return out;
}

TEST(LocalChain, GenesisBlockHasTheDocumentedHash) {
    const TempFolder t;
    const NetworkParams params = small_network();
    const auto chain = make(t / "c");
    const BlockInfo genesis = chain->block_by_height(Height(40)).value();
    EXPECT_EQ(genesis.hash,
              BlockHash(tagged_hash("local-chain/block", params.id(), Height(40), BlockHash{},
                                    kGenesisMs, std::uint32_t{0}, empty_tree_root())));
    EXPECT_TRUE(genesis.parent.is_zero());
    EXPECT_EQ(genesis.time_ms, kGenesisMs);
    EXPECT_FALSE(genesis.final);
    EXPECT_EQ(chain->current_height().value(), Height(40));
    EXPECT_EQ(chain->block_by_height(Height(39)).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(chain->block_by_height(Height(41)).error().code, ErrorCode::kNotFound);
}

TEST(LocalChain, BlockHashCommitsToParentTimeAndSubmissions) {
    const TempFolder t;
    const auto chain = make(t / "c");
    const Bytes first = object(Kind::kRegistration, 1);
    const Bytes second = object(Kind::kCheckpoint, 2);
    ASSERT_TRUE(chain->submit_registration(first));
    ASSERT_TRUE(chain->submit_checkpoint(second));
    const BlockInfo block = chain->append_block().value();
    const std::vector<Digest> leaves{leaf_hash(first), leaf_hash(second)};
    EXPECT_EQ(block.hash, BlockHash(tagged_hash("local-chain/block", chain->network_id(),
                                                Height(41), block.parent, kGenesisMs + 1'000,
                                                std::uint32_t{0}, merkle_root(leaves))));
    EXPECT_EQ(block.parent, chain->block_by_height(Height(40)).value().hash);
}

TEST(LocalChain, SameCallsGiveTheSameBytes) {
    const TempFolder t;
    for (const char* name : {"a", "b"}) {
        const auto chain = make(t / name);
        ASSERT_TRUE(chain->submit(Kind::kRemoval, object(Kind::kRemoval, 7)));
        ASSERT_TRUE(chain->append_block());
        ASSERT_TRUE(chain->append_block(kGenesisMs + 5'000));
        const LocalChain::NewBlock other{kGenesisMs + 6'000, true};
        ASSERT_TRUE(chain->replace_branch(Height(42), {&other, 1}));
    }
    for (const std::string_view file : {LocalChain::kLogFile, LocalChain::kNetworkFile}) {
        EXPECT_EQ(test::slurp(t / "a" / file), test::slurp(t / "b" / file)) << file;
    }
}

TEST(LocalChain, FinalityFollowsTheParameters) {
    const TempFolder t;
    const auto chain = make(t / "c");
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(chain->append_block());
    const auto blocks = all_blocks(*chain);
    ASSERT_EQ(blocks.size(), 4U);
    EXPECT_TRUE(blocks[0].final);
    EXPECT_TRUE(blocks[1].final);
    EXPECT_FALSE(blocks[2].final);
    EXPECT_FALSE(blocks[3].final);
}

TEST(LocalChain, SubmissionsStandInTheNextBlockOnceAndInOrder) {
    const TempFolder t;
    const auto chain = make(t / "c");
    const Bytes a = object(Kind::kSealProof, 1, 300'000);
    const Bytes b = object(Kind::kUpdate, 2);
    ASSERT_TRUE(chain->submit(Kind::kSealProof, a));
    ASSERT_TRUE(chain->submit(Kind::kUpdate, b));
    ASSERT_TRUE(chain->submit(Kind::kSealProof, a));  // again: no effect
    EXPECT_EQ(chain->pending_count().value(), 2U);
    ASSERT_TRUE(chain->append_block());
    ASSERT_TRUE(chain->submit(Kind::kUpdate, b));  // listed already: no effect
    EXPECT_EQ(chain->pending_count().value(), 0U);
    ASSERT_TRUE(chain->append_block());
    const std::vector<Submission> expected{{Kind::kSealProof, a}, {Kind::kUpdate, b}};
    EXPECT_EQ(chain->submissions_at(Height(41)).value(), expected);
    EXPECT_TRUE(chain->submissions_at(Height(42)).value().empty());
    EXPECT_TRUE(chain->submissions_at(Height(40)).value().empty());
    EXPECT_EQ(chain->submissions_at(Height(43)).error().code, ErrorCode::kNotFound);
}

TEST(LocalChain, ManyAtOnceAreAsOneAfterAnotherAndAllOrNone) {
    const TempFolder t;
    const auto one_by_one = make(t / "a");
    const auto at_once = make(t / "b");
    std::vector<Submission> objects;
    for (const std::uint8_t seed : {std::uint8_t{9}, std::uint8_t{3}, std::uint8_t{9}}) {
        objects.push_back({Kind::kUpdate, object(Kind::kUpdate, seed)});
    }
    for (const Submission& s : objects) ASSERT_TRUE(one_by_one->submit(s.kind, s.object));
    ASSERT_TRUE(at_once->submit_all(objects));
    ASSERT_TRUE(at_once->submit_all(objects));  // again: no effect
    ASSERT_TRUE(at_once->submit_all({}));
    ASSERT_TRUE(one_by_one->append_block());
    ASSERT_TRUE(at_once->append_block());
    EXPECT_EQ(test::slurp(t / "a" / LocalChain::kLogFile),
              test::slurp(t / "b" / LocalChain::kLogFile));

    std::vector<Submission> more{{Kind::kUpdate, object(Kind::kUpdate, 11)},
                                 {Kind::kRemoval, object(Kind::kUpdate, 12)}};
    const Status refused = at_once->submit_all(more);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().verdict.reason, Reason::kBadKind);
    EXPECT_EQ(at_once->pending_count().value(), 0U);
    EXPECT_EQ(reopen(t / "b", Mode::kRead)->submit_all(objects).error().code,
              ErrorCode::kPermission);
}

TEST(LocalChain, RefusesWhatItDoesNotCarry) {
    const TempFolder t;
    const auto chain = make(t / "c");
    const auto refused = [&](Kind kind, const Bytes& bytes) {
        const Status s = chain->submit(kind, bytes);
        EXPECT_FALSE(s);
        EXPECT_EQ(s.error().code, ErrorCode::kRefused);
        return s.error().verdict.reason;
    };
    EXPECT_EQ(refused(Kind::kUpdate, object(Kind::kRemoval, 1)), Reason::kBadKind);
    EXPECT_EQ(refused(Kind::kUpdate, {}), Reason::kTruncated);
    EXPECT_EQ(refused(Kind::kUpdate, {2, 2, 0}), Reason::kBadVersion);
    for (const Kind kind : {Kind::kReplicaFile, Kind::kTreeFile, Kind::kNetwork}) {
        EXPECT_EQ(refused(kind, object(kind, 1)), Reason::kBadKind);
    }
    EXPECT_EQ(refused(Kind::kUpdate, object(Kind::kUpdate, 1, kMaxSubmissionBytes)),
              Reason::kTooLarge);
    EXPECT_EQ(chain->pending_count().value(), 0U);
    EXPECT_TRUE(chain->submit(Kind::kUpdate, object(Kind::kUpdate, 1, kMaxSubmissionBytes - 2)));
    ASSERT_TRUE(chain->append_block());
    EXPECT_EQ(chain->submissions_at(Height(41)).value().front().object.size(), kMaxSubmissionBytes);
}

TEST(LocalChain, ReopensAsItWas) {
    const TempFolder t;
    std::vector<BlockInfo> before;
    {
        const auto chain = make(t / "c");
        ASSERT_TRUE(chain->submit(Kind::kUpdate, object(Kind::kUpdate, 1)));
        ASSERT_TRUE(chain->append_block());
        ASSERT_TRUE(chain->submit(Kind::kUpdate, object(Kind::kUpdate, 2)));
        ASSERT_TRUE(chain->append_block(kGenesisMs + 77'000));
        ASSERT_TRUE(chain->submit(Kind::kUpdate, object(Kind::kUpdate, 3)));
        before = all_blocks(*chain);
    }
    for (const Mode mode : {Mode::kRead, Mode::kReadWrite}) {
        const auto chain = reopen(t / "c", mode);
        EXPECT_EQ(all_blocks(*chain), before);
        EXPECT_EQ(chain->params(), small_network());
        EXPECT_EQ(chain->pending_count().value(), 1U);
        EXPECT_EQ(chain->submissions_at(Height(42)).value().front().object,
                  object(Kind::kUpdate, 2));
        EXPECT_EQ(chain->cut_bytes(), 0U);
    }
    EXPECT_TRUE(reopen(t / "c", Mode::kReadWrite)->append_block());
}

TEST(LocalChain, OneWriterManyReaders) {
    const TempFolder t;
    const auto writer = make(t / "c");
    const auto second = LocalChain::open(t / "c", Mode::kReadWrite);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    const auto reader = reopen(t / "c", Mode::kRead);
    const Bytes bytes = object(Kind::kUpdate, 9);
    ASSERT_TRUE(writer->submit(Kind::kUpdate, bytes));
    EXPECT_EQ(reader->pending_count().value(), 1U);
    const BlockInfo block = writer->append_block().value();
    EXPECT_EQ(reader->block_by_height(Height(41)).value(), block);
    EXPECT_EQ(reader->submissions_at(Height(41)).value().front().object, bytes);
    EXPECT_EQ(reader->append_block().error().code, ErrorCode::kPermission);
    EXPECT_EQ(reader->submit(Kind::kUpdate, bytes).error().code, ErrorCode::kPermission);
    EXPECT_EQ(reader->replace_branch(Height(41), {}).error().code, ErrorCode::kPermission);
}

TEST(LocalChain, ReplacesABranchAndBringsSubmissionsBack) {
    const TempFolder t;
    const auto chain = make(t / "c");
    const auto reader = reopen(t / "c", Mode::kRead);
    ASSERT_TRUE(chain->append_block());
    ASSERT_TRUE(chain->submit(Kind::kUpdate, object(Kind::kUpdate, 1)));
    const BlockInfo old41 = chain->block_by_height(Height(41)).value();
    const BlockInfo old42 = chain->append_block().value();
    EXPECT_EQ(reader->block_by_height(Height(42)).value(), old42);

    // The submission moves from 42 to 43; a block with the same content still has another hash.
    const std::vector<LocalChain::NewBlock> blocks{{old42.time_ms, false}, {old42.time_ms, true}};
    const BlockInfo tip = chain->replace_branch(Height(42), blocks).value();
    EXPECT_EQ(tip.height, Height(43));
    EXPECT_EQ(chain->block_by_height(Height(41)).value().hash, old41.hash);
    EXPECT_NE(chain->block_by_height(Height(42)).value().hash, old42.hash);
    EXPECT_TRUE(chain->submissions_at(Height(42)).value().empty());
    EXPECT_EQ(chain->submissions_at(Height(43)).value().front().object, object(Kind::kUpdate, 1));
    EXPECT_EQ(all_blocks(*reader), all_blocks(*chain));
    EXPECT_EQ(reopen(t / "c", Mode::kRead)->block_by_height(Height(43)).value(), tip);

    // The same block replaced by an equal one: another branch, another hash.
    const LocalChain::NewBlock same{tip.time_ms, true};
    EXPECT_NE(chain->replace_branch(Height(43), {&same, 1}).value().hash, tip.hash);
}

TEST(LocalChain, RepeatsAChainThroughItsReorganisations) {
    const TempFolder t;
    const auto chain = make(t / "c");
    const auto submit = [&](std::uint8_t n) {
        ASSERT_TRUE(chain->submit(Kind::kUpdate, object(Kind::kUpdate, n)));
    };
    for (std::uint8_t n = 0; n < 4; ++n) {
        submit(n);
        const BlockInfo tip = chain->append_block().value();
        for (std::uint8_t i = 0; i < n; ++i) {  // none, one, two, three in a row
            submit(static_cast<std::uint8_t>(10 * n + i));
            const LocalChain::NewBlock other{tip.time_ms, i % 2 == 0};
            ASSERT_TRUE(chain->replace_branch(tip.height, {&other, 1}));
        }
    }
    ASSERT_TRUE(chain->append_block());
    auto repeated = make(t / "r");
    for (Height h = Height(41); h <= chain->current_height().value(); ++h) {
        const BlockInfo block = chain->block_by_height(h).value();
        const std::vector<Bytes> listed = chain->listed_at(h).value();
        const auto wrong = repeated->repeat_block(BlockHash{}, block.time_ms, listed);
        EXPECT_EQ(wrong.error().verdict.reason, Reason::kWrongBlock);
        ASSERT_TRUE(repeated->repeat_block(block.hash, block.time_ms, listed)) << h.value;
        repeated.reset();
        repeated = reopen(t / "r", Mode::kReadWrite);
        EXPECT_EQ(repeated->block_by_height(h).value().hash, block.hash);
        EXPECT_EQ(repeated->listed_at(h).value(), listed);
    }
    // What comes next has the same hash on both.
    EXPECT_EQ(repeated->append_block().value().hash, chain->append_block().value().hash);
}

TEST(LocalChain, NeverReplacesAFinalBlock) {
    const TempFolder t;
    const auto chain = make(t / "c");
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(chain->append_block());  // tip 44, final up to 42
    const auto before = all_blocks(*chain);
    const std::vector<LocalChain::NewBlock> many(5, {kGenesisMs + 9'000, true});
    const auto refused = [&](std::uint64_t first, std::size_t count) {
        return chain->replace_branch(Height(first), std::span(many).first(count)).error().code;
    };
    EXPECT_EQ(refused(42, 5), ErrorCode::kInvalidArgument);  // final
    EXPECT_EQ(refused(40, 5), ErrorCode::kInvalidArgument);  // genesis
    EXPECT_EQ(refused(45, 5), ErrorCode::kInvalidArgument);  // above the tip
    EXPECT_EQ(refused(43, 1), ErrorCode::kInvalidArgument);  // shorter
    EXPECT_EQ(refused(43, 0), ErrorCode::kInvalidArgument);
    const LocalChain::NewBlock early{kGenesisMs, true};
    EXPECT_EQ(chain->replace_branch(Height(44), {&early, 1}).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(all_blocks(*chain), before);
    EXPECT_TRUE(chain->replace_branch(Height(43), std::span(many).first(2)));
}

TEST(LocalChain, RefusesTimesThatRunBackwards) {
    const TempFolder t;
    const auto chain = make(t / "c");
    EXPECT_EQ(chain->append_block(kGenesisMs - 1).error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(chain->append_block(kGenesisMs));
    EXPECT_EQ(chain->append_block(UINT64_MAX).error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(chain->append_block(kLastMs));
    EXPECT_EQ(chain->append_block().error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(chain->current_height().value(), Height(42));
}

TEST(LocalChain, AGenesisTimeThatLeavesNoRoomForBlocksIsRefused) {
    const TempFolder t;
    for (const std::uint64_t time_ms : {UINT64_MAX, UINT64_MAX - 1, UINT64_MAX / 2, kLastMs + 1}) {
        EXPECT_EQ(LocalChain::create(t / "c", small_network(), time_ms).error().code,
                  ErrorCode::kInvalidArgument);
    }
    EXPECT_FALSE(std::filesystem::exists(t / "c"));
    EXPECT_TRUE(LocalChain::create(t / "c", small_network(), kLastMs));
}

TEST(LocalChain, AChainWhoseFilesHaveVanishedIsNotBegunAgain) {
    const TempFolder t;
    const auto file = [&](const char* name) { return t / "c" / name; };
    make(t / "c");
    const Bytes log = slurp(file("chain.log"));
    const Bytes network = slurp(file("network.params"));
    const auto expect_lost = [&] {
        for (const auto mode : {LocalChain::Mode::kRead, LocalChain::Mode::kReadWrite}) {
            EXPECT_EQ(LocalChain::open(t / "c", mode).error().code, ErrorCode::kCorrupt);
        }
    };
    spill(file("chain.log"), {});
    expect_lost();
    spill(file("chain.tip"), {});
    expect_lost();
    EXPECT_EQ(LocalChain::create(t / "c", small_network(), 0).error().code, ErrorCode::kCorrupt);
    std::filesystem::remove(file("chain.log"));
    expect_lost();
    EXPECT_EQ(LocalChain::create(t / "c", small_network(), 0).error().code, ErrorCode::kCorrupt);
    spill(file("chain.log"), log);
    spill(file("network.params"), {});
    expect_lost();
    std::filesystem::remove(file("network.params"));
    expect_lost();
    spill(file("network.params"), network);
    EXPECT_TRUE(LocalChain::open(t / "c", LocalChain::Mode::kReadWrite));
}

TEST(LocalChain, CreatesOnceAndOnlyFromValidParameters) {
    const TempFolder t;
    NetworkParams bad = small_network();
    bad.min_chunks = 1;
    EXPECT_EQ(LocalChain::create(t / "c", bad, 0).error().verdict.reason, Reason::kBadParameters);
    bad = small_network();
    bad.genesis_height = Height(UINT64_MAX);
    EXPECT_EQ(LocalChain::create(t / "c", bad, 0).error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(std::filesystem::exists(t / "c"));
    EXPECT_EQ(LocalChain::create(t / "x" / "c", small_network(), 0).error().code,
              ErrorCode::kNotFound);
    make(t / "c");
    EXPECT_EQ(LocalChain::create(t / "c", small_network(), 0).error().code,
              ErrorCode::kAlreadyExists);
    // Also when the chain that stands there is damaged from its first byte on: nothing is cut.
    Bytes log = test::slurp(t / "c" / LocalChain::kLogFile);
    log[0] ^= 1;
    test::spill(t / "c" / LocalChain::kLogFile, log);
    EXPECT_EQ(LocalChain::create(t / "c", small_network(), 0).error().code,
              ErrorCode::kAlreadyExists);
    EXPECT_EQ(test::slurp(t / "c" / LocalChain::kLogFile), log);
}

TEST(LocalChain, RefusesAnotherNetwork) {
    const TempFolder t;
    NetworkParams other = small_network();
    other.name = "another";
    make(t / "a");
    make(t / "b", other);
    EXPECT_TRUE(LocalChain::open(t / "a", Mode::kRead, small_network().id()));
    EXPECT_EQ(LocalChain::open(t / "a", Mode::kRead, other.id()).error().verdict.reason,
              Reason::kWrongNetwork);
    std::filesystem::copy_file(t / "b" / LocalChain::kNetworkFile,
                               t / "a" / LocalChain::kNetworkFile,
                               std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(LocalChain::open(t / "a", Mode::kRead).error().verdict.reason, Reason::kWrongNetwork);
    EXPECT_EQ(LocalChain::open(t / "nowhere", Mode::kRead).error().code, ErrorCode::kNotFound);
}

/// A chain with every type of record; returns its log.
Bytes make_varied(const std::filesystem::path& folder) {
    const auto chain = make(folder);
    EXPECT_TRUE(chain->submit(Kind::kUpdate, object(Kind::kUpdate, 1)));
    EXPECT_TRUE(chain->append_block());
    const LocalChain::NewBlock other{kGenesisMs + 3'000, true};
    EXPECT_TRUE(chain->replace_branch(Height(41), {&other, 1}));
    return test::slurp(folder / LocalChain::kLogFile);
}

TEST(LocalChain, NoticesEveryFlippedBit) {
    const TempFolder t;
    const Bytes log = make_varied(t / "c");
    for (std::size_t bit = 0; bit < log.size() * 8; ++bit) {
        Bytes damaged = log;
        damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        test::spill(t / "c" / LocalChain::kLogFile, damaged);
        const auto chain = LocalChain::open(t / "c", Mode::kReadWrite);
        ASSERT_FALSE(chain) << bit;
        ASSERT_EQ(chain.error().code, ErrorCode::kCorrupt) << bit;
        ASSERT_EQ(test::slurp(t / "c" / LocalChain::kLogFile), damaged) << "cut at bit " << bit;
    }
    test::spill(t / "c" / LocalChain::kLogFile, log);
    EXPECT_TRUE(LocalChain::open(t / "c", Mode::kReadWrite));
    const Bytes network = test::slurp(t / "c" / LocalChain::kNetworkFile);
    for (std::size_t bit = 0; bit < network.size() * 8; ++bit) {
        Bytes damaged = network;
        damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        test::spill(t / "c" / LocalChain::kNetworkFile, damaged);
        ASSERT_FALSE(LocalChain::open(t / "c", Mode::kRead)) << bit;
    }
}

TEST(LocalChain, NoticesEveryTruncationOfAcknowledgedRecords) {
    const TempFolder t;
    const Bytes log = make_varied(t / "c");
    for (std::size_t size = 0; size < log.size(); ++size) {
        test::spill(t / "c" / LocalChain::kLogFile, ByteView(log).first(size));
        ASSERT_FALSE(LocalChain::open(t / "c", Mode::kReadWrite)) << size;
        ASSERT_EQ(std::filesystem::file_size(t / "c" / LocalChain::kLogFile), size);
    }
}

TEST(LocalChain, CutsATornTail) {
    const TempFolder t;
    const Bytes log = make_varied(t / "c");
    const auto before = all_blocks(*reopen(t / "c", Mode::kRead));
    const Bytes body{1, 1, 2, 42};
    const Bytes next = encode_record(sha256({}), body);  // of another file: does not follow
    for (std::size_t torn = 1; torn <= next.size(); ++torn) {
        Bytes longer = log;
        longer.insert(longer.end(), next.begin(), next.begin() + static_cast<std::ptrdiff_t>(torn));
        test::spill(t / "c" / LocalChain::kLogFile, longer);
        EXPECT_EQ(all_blocks(*reopen(t / "c", Mode::kRead)), before);
        EXPECT_EQ(std::filesystem::file_size(t / "c" / LocalChain::kLogFile), longer.size());
        const auto chain = reopen(t / "c", Mode::kReadWrite);
        ASSERT_EQ(chain->cut_bytes(), torn);
        ASSERT_EQ(all_blocks(*chain), before);
        ASSERT_EQ(test::slurp(t / "c" / LocalChain::kLogFile), log);
    }
}

TEST(LocalChain, OpensWithoutATipFile) {
    const TempFolder t;
    make_varied(t / "c");
    const std::filesystem::path tip = t / "c" / LocalChain::kTipFile;
    std::filesystem::remove(tip);
    EXPECT_EQ(reopen(t / "c", Mode::kReadWrite)->current_height().value(), Height(41));
    test::spill(tip, Bytes(5));
    EXPECT_TRUE(reopen(t / "c", Mode::kReadWrite)->append_block());
}

TEST(LocalChain, RefusesRecordsThatNoChainWrites) {
    const auto refused = [](const std::vector<Bytes>& bodies) {
        const TempFolder t;
        make(t / "c");
        {
            auto log = RecordLog::open(t / "c" / LocalChain::kLogFile);
            EXPECT_TRUE(log);
            for (const Bytes& body : bodies) EXPECT_TRUE(log->append(body));
        }
        const auto chain = LocalChain::open(t / "c", Mode::kRead);
        return !chain && chain.error().code == ErrorCode::kCorrupt;
    };
    const auto blocks = [](std::uint64_t first, std::uint32_t count, const Bytes& rest) {
        return Writer().u8(2).u64(first).u32(count).raw(rest).take();
    };
    const auto block = [](std::uint64_t time_ms, const std::vector<std::uint64_t>& listed) {
        Writer w;
        w.u64(time_ms).u32(static_cast<std::uint32_t>(listed.size()));
        for (const std::uint64_t number : listed) w.u64(number);
        return w.take();
    };
    const Bytes submission = Writer().u8(1).raw(object(Kind::kUpdate, 1)).take();
    EXPECT_FALSE(refused({blocks(41, 1, block(kGenesisMs, {}))}));
    EXPECT_FALSE(refused({submission, blocks(41, 1, block(kGenesisMs, {0}))}));
    EXPECT_TRUE(refused({Bytes{3}}));
    EXPECT_TRUE(refused({Bytes{1}}));
    EXPECT_TRUE(refused({Bytes{1, 1, 99}}));
    EXPECT_TRUE(refused({submission, submission}));
    EXPECT_TRUE(refused({blocks(41, 0, {})}));
    EXPECT_TRUE(refused({blocks(40, 1, block(kGenesisMs, {}))}));
    EXPECT_TRUE(refused({blocks(42, 1, block(kGenesisMs, {}))}));
    EXPECT_TRUE(refused({blocks(41, 2, block(kGenesisMs, {}))}));
    EXPECT_TRUE(refused({blocks(41, 1, block(kGenesisMs - 1, {}))}));
    EXPECT_TRUE(refused({blocks(41, 1, block(kGenesisMs, {0}))}));
    EXPECT_TRUE(refused({submission, blocks(41, 1, block(kGenesisMs, {0, 0}))}));
    EXPECT_TRUE(refused({blocks(41, UINT32_MAX, block(kGenesisMs, {}))}));
    Bytes trailing = block(kGenesisMs, {});
    trailing.push_back(0);
    EXPECT_TRUE(refused({blocks(41, 1, trailing)}));
    Bytes huge = Writer().u64(kGenesisMs).u32(UINT32_MAX).take();
    EXPECT_TRUE(refused({blocks(41, 1, huge)}));
    EXPECT_TRUE(refused({Writer().u8(0).fixed(small_network().id()).u64(1).take()}));
}

TEST(LocalChain, WorksFromSeveralThreads) {
    const TempFolder t;
    const auto chain = make(t / "c");
    std::vector<std::thread> threads;
    for (std::uint8_t n = 0; n < 4; ++n) {
        threads.emplace_back([&chain, n] {
            for (std::uint8_t i = 0; i < 10; ++i) {
                const auto content = static_cast<std::uint8_t>(n * 10 + i);
                EXPECT_TRUE(chain->submit(Kind::kUpdate, object(Kind::kUpdate, content)));
                EXPECT_TRUE(chain->append_block());
                EXPECT_TRUE(chain->current_height());
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::size_t listed = 0;
    for (const BlockInfo& b : all_blocks(*chain)) listed += chain->submissions_at(b.height)->size();
    EXPECT_EQ(listed, 40U);
    EXPECT_EQ(chain->current_height().value(), Height(80));
}

TEST(LocalChain, SurvivesKillAtAnyMoment) {
    const TempFolder t;
    make(t / "c");
    std::uint64_t acknowledged = 40;
    for (unsigned round = 0; round < 6; ++round) {
        int channel[2];
        ASSERT_EQ(::pipe(channel), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            auto chain = LocalChain::open(t / "c", Mode::kReadWrite);
            while (chain) {
                const auto block = (*chain)->append_block();
                if (!block) break;
                const std::uint64_t height = block->height.value;
                if (::write(channel[1], &height, sizeof(height)) != sizeof(height)) break;
            }
            ::_exit(1);
        }
        ::close(channel[1]);
        std::uint64_t height = 0;
        for (unsigned i = 0; i < 5 + round; ++i) {
            ASSERT_EQ(::read(channel[0], &height, sizeof(height)),
                      static_cast<ssize_t>(sizeof(height)));
        }
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        while (::read(channel[0], &height, sizeof(height)) == sizeof(height)) acknowledged = height;
        acknowledged = std::max(acknowledged, height);
        ::close(channel[0]);
        ASSERT_GE(reopen(t / "c", Mode::kReadWrite)->current_height().value(),
                  Height(acknowledged));
    }
}

}  // namespace
}  // namespace holdfast
