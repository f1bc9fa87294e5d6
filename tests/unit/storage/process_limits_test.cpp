// Limits of the process end a call with an error that names them, not the process.
#include "storage/process_limits.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "embedded/bond_ledger.hpp"
#include "settlement/settlement_ledger.hpp"
#include "storage/file.hpp"
#include "storage/lmdb_store.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::TempFolder;

/// Whether `body` returned true in a child under the limit, which no signal ended.
template <class Resource>
bool holds_under(Resource resource, std::uint64_t limit, const std::function<bool()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        rlimit wanted{limit, limit};
        if (::setrlimit(resource, &wanted) != 0) ::_exit(2);
        ::_exit(body() ? 0 : 1);
    }
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool names(const Error& error, const std::string& text) {
    return error.message.find(text) != std::string::npos;
}

TEST(ProcessLimits, AWriteOverTheFileSizeLimitIsAnErrorAndNoSignal) {
    const TempFolder temp;
    EXPECT_TRUE(holds_under(RLIMIT_FSIZE, 4'096, [&] {
        File file = File::open(temp / "f", File::Mode::kCreate).value();
        const auto refused = [](const Status& done) {
            return !done && done.error().code == ErrorCode::kOutOfSpace &&
                   names(done.error(), "4096 bytes (ulimit -f");
        };
        return file.write_at(0, Bytes(4'096)) && refused(file.write_at(4'000, Bytes(200))) &&
               refused(file.truncate(5'000)) && refused(file.reserve(5'000)) &&
               refused(write_file(temp / "g", Bytes(5'000))) && file.truncate(10);
    }));
    EXPECT_FALSE(std::filesystem::exists(temp / "g"));
}

TEST(ProcessLimits, TheHostsOwnPendingSignalIsLeftToIt) {
    const TempFolder temp;
    EXPECT_TRUE(holds_under(RLIMIT_FSIZE, 10, [&] {
        sigset_t set;
        ::sigemptyset(&set);
        ::sigaddset(&set, SIGXFSZ);
        ::sigprocmask(SIG_BLOCK, &set, nullptr);
        ::raise(SIGXFSZ);
        const bool failed = !write_file(temp / "g", Bytes(20));
        sigset_t pending;
        return failed && ::sigpending(&pending) == 0 && ::sigismember(&pending, SIGXFSZ) == 1;
    }));
}

TEST(ProcessLimits, ADatabaseOverTheFileSizeLimitIsAnErrorAndNoSignal) {
    const TempFolder temp;
    EXPECT_TRUE(holds_under(RLIMIT_FSIZE, 4'096, [&] {
        const auto ledger = BondLedger::open(temp / "ledger", NetworkId{});
        const auto settlement = SettlementLedger::open(temp / "settlement", NetworkId{});
        return !ledger && !settlement && ledger.error().code == ErrorCode::kOutOfSpace &&
               settlement.error().code == ErrorCode::kOutOfSpace &&
               names(settlement.error(), "ulimit -f");
    }));
    // Nothing of it is taken for a ledger that has begun.
    EXPECT_TRUE(SettlementLedger::open(temp / "settlement", NetworkId{}));
}

// The sanitizers' own maps do not fit under such a limit. g++ tells of them by a macro, clang by a
// feature.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HOLDFAST_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HOLDFAST_SANITIZED
#endif
#endif
#ifndef HOLDFAST_SANITIZED
TEST(ProcessLimits, ADatabaseThatFindsNoRoomInTheAddressSpaceNamesItsMapAndTheSetting) {
    const TempFolder temp;
    constexpr std::uint64_t kAddressSpace = std::uint64_t{4} << 30;
    constexpr std::uint64_t kMap = std::uint64_t{64} << 30;
    const auto is_named = [](const Error& error) {
        return error.code == ErrorCode::kOutOfMemory && names(error, std::to_string(kMap)) &&
               names(error, std::to_string(kAddressSpace)) && names(error, "ulimit -v") &&
               names(error, "map_bytes");
    };
    EXPECT_TRUE(holds_under(RLIMIT_AS, kAddressSpace, [&] {
        const auto store = Store::open(temp.path(), {.map_bytes = kMap}, true);
        return !store && is_named(store.error());
    }));
    {
        ASSERT_TRUE(Store::open(temp.path(), {.map_bytes = kMap}, true));
    }
    EXPECT_TRUE(holds_under(RLIMIT_AS, kAddressSpace, [&] {
        const auto store = Store::open(temp.path(), {.map_bytes = kMap, .read_only = true}, false);
        return !store && is_named(store.error());
    }));
}
#endif

}  // namespace
}  // namespace holdfast
