// A host that has closed its standard streams: whatever is printed there afterwards must not end in
// a file, a database or a connection of ours.
#include "support/closed_streams.hpp"

#include <fcntl.h>

#include "embedded/bond_ledger.hpp"
#include "storage/descriptors.hpp"
#include "storage/file.hpp"
#include "storage/lmdb_store.hpp"
#include "storage/mapped_file.hpp"
#include "storage/record_log.hpp"
#include "support/tcp_world.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using namespace test;

/// Prints to both streams, unbuffered, as a host's log lines would.
void print_to_closed_streams() {
    static constexpr char kLine[] = "a line for nobody\n";
    for (const int stream : {1, 2}) {
        if (::write(stream, kLine, sizeof kLine - 1) < 0) continue;
    }
}

TEST(ClosedStreams, LogLinesDoNotLandInAFile) {
    const TempFolder temp;
    EXPECT_TRUE(holds_with_closed_streams([&] {
        auto file = File::open(temp / "f", File::Mode::kCreate);
        auto log = RecordLog::open(temp / "log");
        if (!file || !log || file->descriptor() <= 2) return false;
        if (!log->append(Bytes(3, 1)) || !sync_folder(temp.path())) return false;
        print_to_closed_streams();
        return taken_streams().empty() && file->size().value() == 0;
    }));
    const auto log = RecordLog::open(temp / "log");
    ASSERT_TRUE(log);
    EXPECT_EQ(log->recovery().cut_bytes, 0U);
    EXPECT_EQ(log->records(), 1U);
}

TEST(ClosedStreams, LogLinesDoNotLandInAFileThatWasOpenedAfterTheyWereClosedAgain) {
    const TempFolder temp;
    EXPECT_TRUE(holds_with_closed_streams([&] {
        if (!File::open(temp / "first", File::Mode::kCreate)) return false;
        for (int descriptor = 0; descriptor <= 2; ++descriptor) ::close(descriptor);
        const auto file = File::open(temp / "second", File::Mode::kCreate);
        print_to_closed_streams();
        return file && file->descriptor() > 2 && file->size().value() == 0;
    }));
}

TEST(ClosedStreams, ADescriptorIsMovedAboveTheStreams) {
    EXPECT_TRUE(holds_with_closed_streams([] {
        const int low = ::dup(::open("/dev/zero", O_RDONLY));
        const int moved = above_standard_descriptors(low);
        return low <= 2 && moved > 2 && ::fcntl(low, F_GETFD) == -1 &&
               (::fcntl(moved, F_GETFD) & FD_CLOEXEC) != 0 &&
               above_standard_descriptors(moved) == moved && above_standard_descriptors(-1) == -1;
    }));
}

TEST(ClosedStreams, LogLinesDoNotLandInADatabase) {
    const TempFolder temp;
    std::filesystem::create_directory(temp / "store");
    EXPECT_TRUE(holds_with_closed_streams([&] {
        const auto ledger = BondLedger::open(temp / "ledger", test_network());
        const auto store = Store::open(temp / "store", {.map_bytes = 1 << 20}, true);
        print_to_closed_streams();
        return ledger && store && taken_streams().empty() &&
               (*ledger)->issue(node_key(1).public_key(), 5, IdempotencyKey{}).has_value();
    }));
    const auto ledger = BondLedger::open(temp / "ledger", test_network());
    ASSERT_TRUE(ledger);
    EXPECT_EQ((*ledger)->totals().value().issued, 5U);
}

TEST(ClosedStreams, LogLinesDoNotLandInAMappedFile) {
    const TempFolder temp;
    spill(temp / "f", Bytes(5'000, 9));
    EXPECT_TRUE(holds_with_closed_streams([&] {
        const auto map = MappedFile::open(temp / "f", MappedFile::Access::kReadWrite);
        print_to_closed_streams();
        return map && taken_streams().empty();
    }));
    EXPECT_EQ(slurp(temp / "f"), Bytes(5'000, 9));
}

TEST(ClosedStreams, LogLinesDoNotTravelToAPeer) {
    EXPECT_TRUE(holds_with_closed_streams([] {
        const TcpNode a = start_node(1);
        const TcpNode b = start_node(2);
        if (!b->add_peer({node_key(1).public_key(), ""})) return false;
        if (!a->add_peer(peer_at(2, *b))) return false;
        if (!a->wait_connected(node_key(2).public_key(), 20'000)) return false;
        print_to_closed_streams();
        const Bytes message = message_of(1'000);
        const auto reply = a->request(node_key(2).public_key(), message, 20'000);
        return reply && reply->response == message && taken_streams().empty();
    }));
}

}  // namespace
}  // namespace holdfast
