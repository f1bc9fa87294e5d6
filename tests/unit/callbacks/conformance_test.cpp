// The conformance suite against the adapters that ship, and against hosts that are broken.

#include "callbacks/conformance.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "embedded/bond_ledger.hpp"
#include "embedded/local_beacon.hpp"
#include "embedded/local_chain.hpp"
#include "embedded/loopback_network.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::TempFolder;

PublicKey account(std::uint8_t n) {
    PublicKey k;
    k[0] = n;
    return k;
}

/// The names of the checks that failed, in order.
std::vector<std::string> failed(const ConformanceReport& report) {
    std::vector<std::string> out;
    for (const ConformanceCheck& check : report.checks) {
        if (!check.passed) out.push_back(check.name);
    }
    return out;
}

using Names = std::vector<std::string>;

std::uint64_t monotonic_ns() {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// --- blockchain ----------------------------------------------------------------------------------

struct ChainRig {
    TempFolder folder;
    std::shared_ptr<LocalChain> local;

    ChainRig() {
        NetworkParams params;
        params.genesis_height = Height(5);
        auto made = LocalChain::create(folder / "chain", params, 1'000);
        EXPECT_TRUE(made) << made.error().message;
        if (made) local = std::move(*made);
    }
    BlockchainSubject subject(std::shared_ptr<Blockchain> chain) const {
        BlockchainSubject out;
        out.chain = std::move(chain);
        out.first = Height(5);
        out.make_block = [chain = local]() -> Status {
            HOLDFAST_TRY(chain->append_block());
            return {};
        };
        out.replace_tip = [chain = local]() -> Status {
            HOLDFAST_ASSIGN(tip, chain->current_height());
            HOLDFAST_ASSIGN(block, chain->block_by_height(tip));
            const LocalChain::NewBlock fresh{block.time_ms + 1, true};
            HOLDFAST_TRY(chain->replace_branch(tip, std::span(&fresh, 1)));
            return {};
        };
        out.samples = {{Kind::kRemoval, wrap_object(Kind::kRemoval, Bytes(8, 1))},
                       {Kind::kUpdate, wrap_object(Kind::kUpdate, Bytes(8, 2))}};
        return out;
    }
};

/// Passes everything on, but for what a test spoils.
class SpoiledChain : public Blockchain {
  public:
    explicit SpoiledChain(std::shared_ptr<Blockchain> good) : good_(std::move(good)) {}
    Result<Height> current_height() override { return good_->current_height(); }
    Result<BlockInfo> block_by_height(Height h) override { return good_->block_by_height(h); }
    Status submit(Kind kind, ByteView object) override { return good_->submit(kind, object); }
    Result<std::vector<BondEvent>> bond_events_at(Height) override {
        return std::vector<BondEvent>();
    }
    Result<std::vector<Submission>> submissions_at(Height h) override {
        return good_->submissions_at(h);
    }

  protected:
    std::shared_ptr<Blockchain> good_;
};

TEST(Conformance, TheLocalChainConforms) {
    const ChainRig rig;
    const ConformanceReport report = check_blockchain(rig.subject(rig.local));
    EXPECT_TRUE(report.passed()) << report.to_text();
    EXPECT_EQ(report.checks.size(), 11U);
}

TEST(Conformance, AChainThatListsTwiceOrForgetsIsFound) {
    class Twice final : public SpoiledChain {
      public:
        using SpoiledChain::SpoiledChain;
        Result<std::vector<BondEvent>> bond_events_at(Height) override {
            return std::vector<BondEvent>();
        }
        Result<std::vector<Submission>> submissions_at(Height h) override {
            HOLDFAST_ASSIGN(listed, good_->submissions_at(h));
            if (!listed.empty()) listed.push_back(listed.front());
            return listed;
        }
    };
    class Forgets final : public SpoiledChain {
      public:
        using SpoiledChain::SpoiledChain;
        Status submit(Kind, ByteView) override { return {}; }
    };
    const Names lists = {"blockchain/an object is listed once, as it was submitted",
                         "blockchain/a replaced block gives back its objects"};
    const ChainRig one;
    EXPECT_EQ(failed(check_blockchain(one.subject(std::make_shared<Twice>(one.local)))), lists);
    const ChainRig two;
    const Names forgetful = {"blockchain/an object is listed once, as it was submitted",
                             "blockchain/bad objects are refused",
                             "blockchain/a replaced block gives back its objects"};
    EXPECT_EQ(failed(check_blockchain(two.subject(std::make_shared<Forgets>(two.local)))),
              forgetful);
}

TEST(Conformance, AChainOfWrongBlocksIsFound) {
    class Orphans final : public SpoiledChain {
      public:
        using SpoiledChain::SpoiledChain;
        Result<BlockInfo> block_by_height(Height h) override {
            HOLDFAST_ASSIGN(block, good_->block_by_height(h));
            block.parent.bytes[0] ^= 1;
            return block;
        }
    };
    class Shifted final : public SpoiledChain {
      public:
        using SpoiledChain::SpoiledChain;
        Result<BlockInfo> block_by_height(Height h) override {
            HOLDFAST_ASSIGN(tip, good_->current_height());
            return good_->block_by_height(h < tip ? h + 1 : h);
        }
    };
    const ChainRig one;
    EXPECT_EQ(failed(check_blockchain(one.subject(std::make_shared<Orphans>(one.local)))),
              Names{"blockchain/parents, times and finality are in order"});
    const ChainRig two;
    EXPECT_FALSE(check_blockchain(two.subject(std::make_shared<Shifted>(two.local))).passed());
}

TEST(Conformance, HostsThatThrowHangOrAreNotThereFailAndEndNothing) {
    class Throws final : public SpoiledChain {
      public:
        using SpoiledChain::SpoiledChain;
        Result<Height> current_height() override { throw std::runtime_error("cable cut"); }
    };
    class Hangs final : public SpoiledChain {
      public:
        using SpoiledChain::SpoiledChain;
        Result<BlockInfo> block_by_height(Height h) override {
            std::this_thread::sleep_for(std::chrono::milliseconds(60));
            return good_->block_by_height(h);
        }
    };
    const ChainRig one;
    const auto thrown = check_blockchain(one.subject(std::make_shared<Throws>(one.local)));
    EXPECT_FALSE(thrown.passed());
    EXPECT_NE(thrown.to_text().find("cable cut"), std::string::npos);
    const ChainRig two;
    const auto hung = check_blockchain(two.subject(std::make_shared<Hangs>(two.local)),
                                       {.timeout_ms = 5, .threads = 2});
    EXPECT_FALSE(hung.passed());
    EXPECT_NE(hung.to_text().find("timeout"), std::string::npos) << hung.to_text();
    EXPECT_EQ(failed(check_blockchain(one.subject(nullptr))), Names{"blockchain/is there"});
    EXPECT_EQ(failed(check_token({})), Names{"token/is there"});
    EXPECT_EQ(failed(check_beacon({})), Names{"beacon/is there"});
    EXPECT_EQ(failed(check_network({})), Names{"network/is there"});
    EXPECT_FALSE(ConformanceReport{}.passed());
}

// --- token ---------------------------------------------------------------------------------------

struct TokenRig {
    TempFolder folder;
    std::shared_ptr<BondLedger> ledger;

    TokenRig() {
        auto made = BondLedger::open(folder / "ledger", NetworkId(tagged_hash("test/network")));
        EXPECT_TRUE(made) << made.error().message;
        if (!made) return;
        ledger = std::move(*made);
        EXPECT_TRUE(ledger->issue(account(1), 2'000, IdempotencyKey(tagged_hash("test/issue"))));
    }
    TokenSubject subject(std::shared_ptr<Token> token, std::uint64_t salt = 0) const {
        TokenSubject out;
        out.token = std::move(token);
        out.owner = account(1);
        out.empty_handed = account(static_cast<std::uint8_t>(2 + salt));  // a run pays it
        out.salt = salt;
        out.balance = [ledger = ledger](const PublicKey& a) { return ledger->balance(a); };
        return out;
    }
};

class SpoiledToken : public Token {
  public:
    explicit SpoiledToken(std::shared_ptr<Token> good) : good_(std::move(good)) {}
    Result<BondId> create_bond(const PublicKey& owner, std::uint64_t amount, BondPurpose purpose,
                               const IdempotencyKey& key) override {
        return good_->create_bond(owner, amount, purpose, key);
    }
    Result<std::uint64_t> release_bond(const BondId& bond, std::uint64_t amount,
                                       const IdempotencyKey& key) override {
        return good_->release_bond(bond, amount, key);
    }
    Result<std::uint64_t> slash_bond(const BondId& bond, std::uint64_t amount,
                                     const OffenceId& offence, const IdempotencyKey& key) override {
        return good_->slash_bond(bond, amount, offence, key);
    }
    Status pay_reward(const PublicKey& to, std::uint64_t amount, const Digest& reference,
                      const IdempotencyKey& key) override {
        return good_->pay_reward(to, amount, reference, key);
    }
    Result<BondInfo> bond_info(const BondId& bond) override { return good_->bond_info(bond); }

  protected:
    /// Another key each time: what a host without idempotency does.
    IdempotencyKey fresh() {
        return IdempotencyKey(tagged_hash("test/fresh", calls_.fetch_add(1)));
    }
    std::shared_ptr<Token> good_;

  private:
    std::atomic<std::uint64_t> calls_ = 0;
};

TEST(Conformance, TheBondLedgerConforms) {
    const TokenRig rig;
    for (std::uint64_t run = 0; run < 2; ++run) {
        const ConformanceReport report = check_token(rig.subject(rig.ledger, run));
        EXPECT_TRUE(report.passed()) << report.to_text();
        EXPECT_EQ(report.checks.size(), 12U);
    }
    EXPECT_TRUE(rig.ledger->audit());
}

TEST(Conformance, ATokenThatPaysOrSlashesTwiceIsFound) {
    class PaysTwice final : public SpoiledToken {
      public:
        using SpoiledToken::SpoiledToken;
        Status pay_reward(const PublicKey& to, std::uint64_t amount, const Digest& reference,
                          const IdempotencyKey&) override {
            return good_->pay_reward(to, amount, reference, fresh());
        }
    };
    class SlashesTwice final : public SpoiledToken {
      public:
        using SpoiledToken::SpoiledToken;
        Result<std::uint64_t> slash_bond(const BondId& bond, std::uint64_t amount,
                                         const OffenceId& offence,
                                         const IdempotencyKey& key) override {
            const OffenceId other(tagged_hash("test/other", offence, key));
            return good_->slash_bond(bond, amount, other, key);
        }
    };
    class BondsTwice final : public SpoiledToken {
      public:
        using SpoiledToken::SpoiledToken;
        Result<BondId> create_bond(const PublicKey& owner, std::uint64_t amount,
                                   BondPurpose purpose, const IdempotencyKey&) override {
            return good_->create_bond(owner, amount, purpose, fresh());
        }
    };
    const TokenRig one;
    const Names paid = {"token/a key with other arguments is refused",
                        "token/a reward is paid once"};
    EXPECT_EQ(failed(check_token(one.subject(std::make_shared<PaysTwice>(one.ledger)))), paid);
    const TokenRig two;
    EXPECT_EQ(failed(check_token(two.subject(std::make_shared<SlashesTwice>(two.ledger)))),
              Names{"token/one offence is slashed once"});
    const TokenRig three;
    const Names bonded = {"token/a repeated call has its effect once",
                          "token/a key with other arguments is refused"};
    EXPECT_EQ(failed(check_token(three.subject(std::make_shared<BondsTwice>(three.ledger)))),
              bonded);
}

// --- beacon and network --------------------------------------------------------------------------

TEST(Conformance, TheLocalBeaconConformsAndOneThatBelievesAllDoesNot) {
    const TempFolder folder;
    const KeyPair key = KeyPair::from_secret(Bytes(32, 1));
    NetworkParams params;
    params.has_beacon = true;
    params.beacon_key.assign(key.public_key().begin(), key.public_key().end());
    params.beacon_genesis_s = 1'000;
    params.beacon_period_s = 30;
    auto made =
        LocalBeacon::publisher(folder / "beacon", params, KeyPair::from_secret(Bytes(32, 1)),
                               [] { return std::uint64_t{1'300}; });
    ASSERT_TRUE(made) << made.error().message;
    const std::shared_ptr<Beacon> beacon = std::move(*made);
    const ConformanceReport report =
        check_beacon({.beacon = beacon, .published = 5, .future = 100});
    EXPECT_TRUE(report.passed()) << report.to_text();
    EXPECT_EQ(report.checks.size(), 8U);

    class Believer final : public Beacon {
      public:
        explicit Believer(std::shared_ptr<Beacon> good) : good_(std::move(good)) {}
        Result<BeaconRound> randomness(std::uint64_t round) override {
            return good_->randomness(round);
        }
        Status verify(std::uint64_t, const BeaconRound&) override { return {}; }

      private:
        std::shared_ptr<Beacon> good_;
    };
    const Names believes = {"beacon/a value of another round is refused",
                            "beacon/a changed value is refused"};
    EXPECT_EQ(failed(check_beacon({.beacon = std::make_shared<Believer>(beacon), .published = 5})),
              believes);
}

TEST(Conformance, TheLoopbackNetworkConformsAndADeafOneDoesNot) {
    class Echo final : public LoopbackPeer {
      public:
        explicit Echo(unsigned wait_ms) : wait_ms_(wait_ms) {}
        Result<Bytes> respond(ByteView challenge) override {
            std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms_));
            return Bytes(challenge.begin(), challenge.end());
        }
        Status ping() override { return {}; }

      private:
        unsigned wait_ms_;
    };
    const auto network = std::make_shared<LoopbackNetwork>(monotonic_ns);
    ASSERT_TRUE(network->add_peer({account(1), "here"}, std::make_shared<Echo>(0)));
    ASSERT_TRUE(network->add_peer({account(3), "far"}, std::make_shared<Echo>(600)));
    NetworkSubject subject{network, account(1), account(2), Bytes(40, 1), account(3)};
    const ConformanceReport report = check_network(subject, {.timeout_ms = 500, .threads = 3});
    EXPECT_TRUE(report.passed()) << report.to_text();
    EXPECT_EQ(report.checks.size(), 8U);

    subject.peer = account(2);  // nobody answers under this key
    subject.slow = PublicKey{};
    const Names deaf = {
        "network/the peer is listed once", "network/round trips are measured, as many as asked for",
        "network/a challenge is answered in time", "network/several threads are served at once"};
    const Names found = failed(check_network(subject, {.timeout_ms = 500, .threads = 3}));
    for (const std::string& name : deaf) {
        EXPECT_NE(std::find(found.begin(), found.end(), name), found.end()) << name;
    }
}

}  // namespace
}  // namespace holdfast
