// The machine's clock jumps, by years and both ways, while a prover signs: what it signs is a
// function of public state and stored data, so that the same bytes come out, or none.
//
// The wall clock of this program is moved by standing before the C library's functions that read
// it. The monotonic clock, which time-outs use, cannot jump and is left alone.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <ctime>

#include "proofs/evidence.hpp"
#include "storage/begun.hpp"
#include "support/sealed_chain.hpp"

namespace {

std::atomic<std::int64_t> wall_clock_moved_s{0};

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* out) noexcept {
    const auto rc = static_cast<int>(::syscall(SYS_clock_gettime, clock, out));
    if (rc == 0 && clock == CLOCK_REALTIME) out->tv_sec += wall_clock_moved_s.load();
    return rc;
}
extern "C" time_t time(time_t* out) noexcept {
    timespec now{};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != nullptr) *out = now.tv_sec;
    return now.tv_sec;
}
extern "C" int gettimeofday(timeval* out, void*) noexcept {
    timespec now{};
    const int rc = clock_gettime(CLOCK_REALTIME, &now);
    *out = {now.tv_sec, now.tv_nsec / 1000};
    return rc;
}

namespace holdfast::test {
namespace {

std::int64_t wall_clock_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

class ClockJump : public ::testing::Test {
  protected:
    void TearDown() override { wall_clock_moved_s = 0; }
    static void jump(std::int64_t seconds) {
        const std::int64_t before = wall_clock_s();
        wall_clock_moved_s += seconds;
        const std::int64_t jumped = wall_clock_s() - before;
        ASSERT_LE(std::abs(jumped - seconds), 60) << "the clock did not jump";
    }
    Result<Receipt> sign(LinkRecords& records, const KnownHeight& known) {
        HOLDFAST_ASSIGN(made, make_link(chain_.network_id(), chain_.replica(), chain_.facts(known),
                                        chain_.key(), records));
        return made.receipt;
    }

    NetworkParams params_ = short_network();
    SealedChain chain_{params_, 1, {16, 1, true, Height(110), {}}};
};

TEST_F(ClockJump, AProverSignsTheSameBytesOrNothing) {
    constexpr std::int64_t kYears = 3'652LL * 86'400;
    const auto file = chain_.folder() / "x.chain";
    std::map<Height, Receipt> sent;
    std::size_t refused = 0;
    for (const std::int64_t seconds :
         {std::int64_t{0}, kYears, -3 * kYears, std::int64_t{-1}, 3 * kYears, -kYears}) {
        jump(seconds);
        // Opened again, too: whatever stands in the file says nothing of a time.
        LinkRecords records = must(LinkRecords::open(file));
        const Height next = Height(120 + sent.size());
        sent[next] = must(sign(records, made_up_height(chain_, next)));
        for (const auto& [height, first] : sent) {
            EXPECT_EQ(must(sign(records, made_up_height(chain_, height))).encode(), first.encode());
            KnownHeight lured = made_up_height(chain_, height);
            lured.link_before = Link(tagged_hash("test/lure", height));
            EXPECT_FALSE(sign(records, lured)) << "a second link for height " << height.value;
            ++refused;
        }
        // Nor does the signature depend on when it is made: a fresh process elsewhere gives it.
        const auto elsewhere = chain_.folder() / "elsewhere.chain";
        LinkRecords fresh = must(LinkRecords::open(elsewhere));
        EXPECT_EQ(must(sign(fresh, made_up_height(chain_, next))).encode(), sent[next].encode());
        must(remove_store_file(elsewhere));
    }
    EXPECT_EQ(sent.size(), 6U);
    EXPECT_EQ(refused, 21U);
}

}  // namespace
}  // namespace holdfast::test
