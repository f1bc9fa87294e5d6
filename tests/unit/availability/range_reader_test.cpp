// A reader against real chunk servers, honest, busy, silent and lying: what comes out is what was
// sealed, to the byte, or nothing.
#include "availability/range_reader.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "availability/chunk_server.hpp"
#include "support/sealed_chain.hpp"

namespace holdfast {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kDataBytes = 200 * kChunkBytes + 1'234;

/// Data that end within a chunk, sealed once for all tests.
class RangeReader : public ::testing::Test {
  protected:
    struct Sealed {
        test::TempFolder folder;
        Bytes data = test::expand(view(tagged_hash("test/reader")), kDataBytes);
        std::shared_ptr<const Replica> replica;
        Bytes sealed;
        ReadSource source;

        Sealed() {
            const NetworkParams params = test::short_network();
            test::spill(folder / "data", data);
            SealRequest request;
            request.network = params;
            request.prover = test::SealedChain::prover_key(0).public_key();
            request.seal = kSealDev;
            request.source = folder / "data";
            request.replica_path = folder / "x.replica";
            request.tree_path = folder / "x.tree";
            Registration r;
            SealOptions one;
            one.workers = 1;
            const SealedReplica made = test::must(seal(request, one));
            r.header = made.header.replica;
            r.sealed_root = made.header.sealed_root;
            source = ReadSource::of(params.id(), r);
            replica = std::make_shared<const Replica>(
                test::must(Replica::open(folder / "x.replica", folder / "x.tree", params)));
            sealed.resize(static_cast<std::size_t>(replica->chunks().value * kChunkBytes));
            test::must(replica->read_sealed(ChunkIndex(0), sealed));
        }
    };
    static Sealed& sealed() {
        static Sealed shared;
        return shared;
    }

    RangeReader() { start({}); }
    void start(const ChunkServerOptions& options) {
        server = std::make_unique<ChunkServer>(
            [] { return static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()); },
            options);
        test::must(server->add_chain(s.source.chain_id, s.replica, s.folder / "data"));
    }
    AskProver honest() {
        return [this](ByteView request) -> Result<Bytes> {
            return server->handle(PublicKey{}, request);
        };
    }
    /// The bytes of a range; what was handed on, in `out`, even where reading failed.
    Result<ReadReport> read(const ReadRange& range, const AskProver& ask,
                            const RangeReaderOptions& options = {}) {
        out.assign(static_cast<std::size_t>(range.length), 0);
        covered = 0;
        return read_range(
            s.source, range, ask,
            [this](std::uint64_t at, ByteView bytes) -> Status {
                EXPECT_LE(at + bytes.size(), out.size());
                std::copy(bytes.begin(), bytes.end(),
                          out.begin() + static_cast<std::ptrdiff_t>(at));
                covered += bytes.size();
                return {};
            },
            options);
    }
    static Bytes part(const Bytes& all, std::uint64_t offset, std::uint64_t length) {
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(offset);
        return {first, first + static_cast<std::ptrdiff_t>(length)};
    }

    Sealed& s = sealed();
    std::unique_ptr<ChunkServer> server;
    Bytes out;
    std::uint64_t covered = 0;
};

TEST_F(RangeReader, RangesAreExactToTheByte) {
    const std::uint64_t sealed_bytes = s.sealed.size();
    for (const auto what : {ReadWhat::kRaw, ReadWhat::kSealed}) {
        const Bytes& all = what == ReadWhat::kRaw ? s.data : s.sealed;
        const std::uint64_t end = all.size();
        ASSERT_EQ(s.source.bytes(what), end);
        for (const auto& [offset, length] :
             std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, end},
                                                                  {0, 1},
                                                                  {end - 1, 1},
                                                                  {kChunkBytes - 1, 2},
                                                                  {kChunkBytes, kChunkBytes},
                                                                  {64 * kChunkBytes - 5, 10},
                                                                  {3, 64 * kChunkBytes},
                                                                  {100'001, 300'007},
                                                                  {end - 5'000, 5'000}}) {
            const auto report = read({what, offset, length}, honest());
            ASSERT_TRUE(report) << offset << "+" << length << ": " << report.error().message;
            EXPECT_EQ(out, part(all, offset, length)) << offset << "+" << length;
            EXPECT_EQ(report->bytes, length);
            EXPECT_EQ(covered, length);  // no byte twice
        }
    }
    EXPECT_GT(sealed_bytes, s.data.size());
}

TEST_F(RangeReader, RangesOutsideAreRefusedWithoutAsking) {
    std::atomic<unsigned> asked{0};
    const AskProver count = [&](ByteView) -> Result<Bytes> {
        ++asked;
        return Bytes{};
    };
    for (const ReadRange& range :
         {ReadRange{ReadWhat::kRaw, 0, 0}, ReadRange{ReadWhat::kRaw, kDataBytes, 1},
          ReadRange{ReadWhat::kRaw, 0, kDataBytes + 1}, ReadRange{ReadWhat::kRaw, 1, UINT64_MAX},
          ReadRange{ReadWhat::kRaw, UINT64_MAX, 1},
          ReadRange{ReadWhat::kSealed, s.sealed.size(), 1}}) {
        const auto bytes = read_range(s.source, range, count,
                                      [](std::uint64_t, ByteView) -> Status { return {}; });
        ASSERT_FALSE(bytes);
        EXPECT_EQ(bytes.error().code, ErrorCode::kInvalidArgument);
    }
    EXPECT_EQ(asked.load(), 0U);
}

TEST_F(RangeReader, WaitsForABusyProver) {
    // 64 chunks at once and 2,000 a second: the second piece has to wait.
    start({.chunks = {.per_second = 2'000, .burst = 64}});
    const auto report = read({ReadWhat::kRaw, 0, kDataBytes}, honest());
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(out, s.data);
    EXPECT_GT(report->busy, 0U);
    EXPECT_EQ(report->requests, 4 + report->busy);
}

TEST_F(RangeReader, GivesUpOnWhoIsBusyForEver) {
    for (const std::uint32_t retry_ms : {0U, 10U, UINT32_MAX}) {
        const AskProver ask = [&](ByteView) -> Result<Bytes> {
            ReadAnswer busy;
            busy.status = ReadStatus::kBusy;
            busy.retry_ms = retry_ms;
            return busy.encode();
        };
        const auto start = Clock::now();
        const auto report = read({ReadWhat::kRaw, 0, kDataBytes}, ask, {.patience_ms = 100});
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code, ErrorCode::kTimeout);
        EXPECT_EQ(covered, 0U);
        EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(100));
        EXPECT_LT(Clock::now() - start, std::chrono::seconds(10));
    }
}

TEST_F(RangeReader, AsksAgainAfterSilenceAndLostConnections) {
    std::atomic<unsigned> asked{0};
    const AskProver ask = [&](ByteView request) -> Result<Bytes> {
        const unsigned n = asked.fetch_add(1);
        if (n % 3 == 0) return fail(ErrorCode::kTimeout, "no answer");
        if (n % 3 == 1) return fail(ErrorCode::kUnavailable, "not connected");
        return server->handle(PublicKey{}, request);
    };
    const auto report = read({ReadWhat::kRaw, 0, kDataBytes}, ask, {.pause_ms = 5});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(out, s.data);
    EXPECT_GT(report->retries, 0U);
    // For ever: the last error.
    const auto gone = read(
        {ReadWhat::kRaw, 0, 1},
        [](ByteView) -> Result<Bytes> { return fail(ErrorCode::kUnavailable, "not connected"); },
        {.patience_ms = 50, .pause_ms = 5});
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, ErrorCode::kUnavailable);
    // What will not pass is not repeated.
    asked = 0;
    const auto refused = read({ReadWhat::kRaw, 0, 1}, [&](ByteView) -> Result<Bytes> {
        ++asked;
        return fail_refused(Reason::kBadKind, "request");
    });
    ASSERT_FALSE(refused);
    EXPECT_EQ(asked.load(), 1U);
}

TEST_F(RangeReader, NoByteOfALiarComesOut) {
    const auto lie = [&](const std::function<void(Bytes&)>& change, Reason reason) {
        const AskProver ask = [&](ByteView request) -> Result<Bytes> {
            Bytes answer = server->handle(PublicKey{}, request);
            change(answer);
            return answer;
        };
        const auto report = read({ReadWhat::kRaw, 0, kDataBytes}, ask);
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code, ErrorCode::kRefused);
        EXPECT_EQ(report.error().verdict.reason, reason) << report.error().message;
        EXPECT_EQ(covered, 0U);
    };
    lie([](Bytes& a) { a[3] ^= 1; }, Reason::kBadMultiproof);                // a byte of data
    lie([](Bytes& a) { a[3 + 5'000] ^= 0x80; }, Reason::kBadMultiproof);     // another
    lie([](Bytes& a) { a.back() ^= 1; }, Reason::kBadMultiproof);            // of the proof
    lie([](Bytes& a) { a.pop_back(); }, Reason::kProofLength);               // cut off
    lie([](Bytes& a) { a.resize(3 + kChunkBytes); }, Reason::kProofLength);  // fewer chunks
    lie([](Bytes& a) { a.push_back(0); }, Reason::kProofLength);
    lie([](Bytes& a) { a.clear(); }, Reason::kTruncated);
    lie([](Bytes& a) { a.resize(1U << 20); }, Reason::kTooLarge);
    lie([](Bytes& a) { a[1] = 66; }, Reason::kBadKind);
    lie([](Bytes& a) { a[2] = 9; }, Reason::kBadField);
    // Right data of another place, and sealed data for raw ones.
    const AskProver elsewhere = [&](ByteView request) -> Result<Bytes> {
        ReadRequest other = *ReadRequest::decode(request);
        other.first = ChunkIndex(other.first.value == 0 ? 64 : 0);
        other.count = 64;
        return server->handle(PublicKey{}, other.encode());
    };
    EXPECT_FALSE(read({ReadWhat::kRaw, 0, 64 * kChunkBytes}, elsewhere));
    EXPECT_EQ(covered, 0U);
    const AskProver other_kind = [&](ByteView request) -> Result<Bytes> {
        ReadRequest other = *ReadRequest::decode(request);
        other.what = ReadWhat::kSealed;
        return server->handle(PublicKey{}, other.encode());
    };
    EXPECT_FALSE(read({ReadWhat::kRaw, 0, 10}, other_kind));
    EXPECT_EQ(covered, 0U);
}

TEST_F(RangeReader, TheProversRefusalIsPassedOn) {
    server = std::make_unique<ChunkServer>([] { return std::uint64_t{0}; });
    auto report = read({ReadWhat::kRaw, 0, 10}, honest());
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().verdict.reason, Reason::kUnknownChain);
    test::must(server->add_chain(s.source.chain_id, s.replica));  // without raw data
    report = read({ReadWhat::kRaw, 0, 10}, honest());
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().verdict.reason, Reason::kNetworkPolicy);
    EXPECT_TRUE(read({ReadWhat::kSealed, 0, 10}, honest()));
}

TEST_F(RangeReader, StopsOnRequestAndOnErrorsOfItsCaller) {
    std::atomic<bool> stop{false};
    const AskProver busy = [&](ByteView) -> Result<Bytes> {
        stop = true;
        ReadAnswer answer;
        answer.status = ReadStatus::kBusy;
        answer.retry_ms = 60'000;
        return answer.encode();
    };
    const auto start = Clock::now();
    const auto stopped = read({ReadWhat::kRaw, 0, kDataBytes}, busy,
                              {.patience_ms = 120'000, .stop = [&] { return stop.load(); }});
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
    EXPECT_LT(Clock::now() - start, std::chrono::seconds(10));

    const auto full = read_range(s.source, {ReadWhat::kRaw, 0, kDataBytes}, honest(),
                                 [](std::uint64_t, ByteView) -> Status {
                                     return fail(ErrorCode::kOutOfSpace, "the disk is full");
                                 });
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::kOutOfSpace);
}

TEST_F(RangeReader, ProgressGoesUpToTheWhole) {
    std::uint64_t last = 0;
    const auto report = read({ReadWhat::kSealed, 0, s.sealed.size()}, honest(),
                             {.at_once = 8, .progress = [&](std::uint64_t done, std::uint64_t all) {
                                  EXPECT_GT(done, last);
                                  EXPECT_EQ(all, s.sealed.size());
                                  last = done;
                              }});
    ASSERT_TRUE(report);
    EXPECT_EQ(last, s.sealed.size());
}

}  // namespace
}  // namespace holdfast
