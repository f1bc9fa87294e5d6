// Which failures a challenger's daemon lets count against a prover.

#include <gtest/gtest.h>

#include "node/challenge_loop.hpp"
#include "support/quiet_log.hpp"

namespace holdfast::node {
namespace {

/// Gives every challenge the same end.
class OneEnd final : public Network {
  public:
    Result<std::vector<Peer>> peers() override { return std::vector<Peer>(); }
    Result<std::vector<std::uint64_t>> measure_latency(const PublicKey&, std::uint32_t,
                                                       std::uint32_t) override {
        return std::vector<std::uint64_t>{5};
    }
    Result<ChallengeReply> send_challenge(const PublicKey&, ByteView, std::uint32_t) override {
        return end;
    }
    Result<std::vector<VantageReport>> verify_place(const PublicKey&, const Place&,
                                                    std::uint32_t) override {
        return std::vector<VantageReport>();
    }
    Result<ChallengeReply> end;
};

TEST(CautiousNetwork, FailuresThatMayBeOurOwnBlameNobody) {
    OneEnd inner;
    bool reachable = true;
    const auto log = test::quiet_log();
    CautiousNetwork network(inner, [&] { return reachable; }, *log);
    const NetworkParams params;
    const auto outcome = [&]() -> std::optional<OutcomeKind> {
        return judge_reply(params, ResponseContext{}, network.send_challenge({}, {}, 500)).outcome;
    };
    inner.end = fail(ErrorCode::kTimeout, "no answer");
    EXPECT_EQ(outcome(), OutcomeKind::kLate);
    inner.end = fail(ErrorCode::kUnavailable, "not connected");
    EXPECT_EQ(outcome(), OutcomeKind::kUnreachable);
    // The followed node is out of reach as well.
    reachable = false;
    EXPECT_EQ(outcome(), std::nullopt);
    inner.end = fail(ErrorCode::kTimeout, "no answer");
    EXPECT_EQ(outcome(), std::nullopt);
    // Bytes that came are judged whatever the state of the followed node.
    inner.end = ChallengeReply{Bytes(100, 1), 1'000, 500};
    EXPECT_EQ(outcome(), OutcomeKind::kLate);
    EXPECT_EQ(network.unknown(), 0U);
    // Nobody has told us where this prover is.
    reachable = true;
    inner.end = fail(ErrorCode::kNotFound, "no such peer");
    EXPECT_EQ(outcome(), std::nullopt);
    EXPECT_EQ(network.unknown(), 1U);
}

}  // namespace
}  // namespace holdfast::node
