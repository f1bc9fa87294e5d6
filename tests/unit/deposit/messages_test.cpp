#include "deposit/messages.hpp"

#include <gtest/gtest.h>

#include <random>

#include "core/geometry.hpp"
#include "core/merkle.hpp"
#include "deposit/client.hpp"

namespace holdfast {
namespace {

class Draw {
  public:
    explicit Draw(std::uint64_t seed) : random_(seed) {}
    std::uint64_t number() { return random_(); }
    template <class T>
    T fixed() {
        T out;
        for (auto& b : out.bytes) b = static_cast<std::uint8_t>(random_());
        return out;
    }
    DepositTerms terms() {
        DepositTerms t;
        t.network = fixed<NetworkId>();
        t.prover = fixed<PublicKey>();
        t.client = fixed<PublicKey>();
        t.max_bytes = 1 + number() % kMaxDataBytes;
        t.price = number();
        t.seal = kSealDev;
        t.hot = number() % 2 == 0;
        t.until = Height(number());
        t.upload_s = static_cast<std::uint32_t>(number());
        t.valid_until_ms = number();
        t.nonce = fixed<Digest>();
        t.signature = fixed<Signature>();
        return t;
    }
    DepositState state() {
        DepositState s;
        s.id = fixed<DepositId>();
        s.phase = static_cast<DepositPhase>(1 + number() % 8);
        s.reason = static_cast<DepositReason>(number() % (kLastDepositReason + 1));
        s.bytes = 1 + number() % kMaxDataBytes;
        s.arrived = number() % (s.bytes + 1);
        s.arrived_root = fixed<Root>();
        s.terms = fixed<Digest>();
        s.until = Height(number());
        s.replica = fixed<ReplicaId>();
        s.chain = fixed<ChainId>();
        s.accepted = Height(number());
        s.linked = Height(number());
        s.tip = Height(number());
        s.counter = number();
        return s;
    }
    Bytes data(std::size_t n) {
        Bytes out(n);
        for (auto& b : out) b = static_cast<std::uint8_t>(random_());
        return out;
    }

  private:
    std::mt19937_64 random_;
};

std::vector<DepositQuestion> questions(Draw& draw) {
    return {AskTerms{1 + draw.number() % kMaxDataBytes},
            OpenDeposit{draw.fixed<DepositId>(), draw.terms(), 1 + draw.number() % kMaxDataBytes},
            SendPiece{draw.fixed<DepositId>(), draw.number() % kMostPieces,
                      draw.data(1 + draw.number() % 500)},
            AskState{draw.fixed<DepositId>()},
            FinishDeposit{draw.fixed<DepositId>(), draw.fixed<Root>(), draw.fixed<Signature>()},
            RemoveDeposit{draw.fixed<DepositId>(), 1 + draw.number() / 2, draw.fixed<Signature>()},
            ListDeposits{draw.fixed<DepositId>(),
                         1 + static_cast<std::uint32_t>(draw.number() % kMostListedDeposits)}};
}

std::vector<DepositAnswer> answers(Draw& draw) {
    DepositList list;
    for (int i = 0; i < 3; ++i) {
        list.deposits.push_back(draw.state());
        list.deposits.back().id.bytes[0] = static_cast<std::uint8_t>(i);
    }
    list.more = draw.number() % 2 == 0;
    return {draw.terms(),
            draw.state(),
            list,
            DepositList{},
            DepositRefused{DepositReason::kNoSpace},
            DepositBusy{1 + static_cast<std::uint32_t>(draw.number() % 60'000)}};
}

TEST(DepositMessages, EveryMessageComesBackAsItWas) {
    Draw draw(1);
    for (int round = 0; round < 200; ++round) {
        for (const DepositQuestion& one : questions(draw)) {
            const auto again = decode_deposit_question(encode_question(one));
            ASSERT_TRUE(again) << to_string(again.error());
            EXPECT_EQ(*again, one);
        }
        for (const DepositAnswer& one : answers(draw)) {
            const auto again = decode_deposit_answer(encode_answer(one));
            ASSERT_TRUE(again) << to_string(again.error());
            EXPECT_EQ(*again, one);
        }
    }
    const DepositTerms terms = draw.terms();
    EXPECT_EQ(terms.encode().size(), kDepositTermsBytes);
    EXPECT_EQ(DepositTerms::decode(terms.encode()).value(), terms);
    EXPECT_EQ(draw.state().encode().size(), kDepositStateBytes);
}

/// A flipped bit gives another message or none, never the same one and never a crash.
TEST(DepositMessages, AFlippedBitIsRefusedOrAnotherMessage) {
    Draw draw(2);
    for (const DepositQuestion& one : questions(draw)) {
        const Bytes whole = encode_question(one);
        for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
            Bytes flipped = whole;
            flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
            const auto read = decode_deposit_question(flipped);
            if (!read) continue;
            EXPECT_NE(*read, one);
            EXPECT_EQ(encode_question(*read), flipped);
        }
    }
    for (const DepositAnswer& one : answers(draw)) {
        const Bytes whole = encode_answer(one);
        for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
            Bytes flipped = whole;
            flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
            const auto read = decode_deposit_answer(flipped);
            if (!read) continue;
            EXPECT_NE(*read, one);
            EXPECT_EQ(encode_answer(*read), flipped);
        }
    }
}

TEST(DepositMessages, CutAndLengthenedMessagesAreRefused) {
    Draw draw(3);
    for (const DepositQuestion& one : questions(draw)) {
        const Bytes whole = encode_question(one);
        const bool open_ended = std::holds_alternative<SendPiece>(one);
        for (std::size_t n = 0; n < whole.size(); ++n) {
            if (open_ended && n > 43) break;  // a shorter piece
            EXPECT_FALSE(decode_deposit_question(ByteView(whole).first(n)));
        }
        Bytes longer = whole;
        longer.push_back(0);
        EXPECT_EQ(decode_deposit_question(longer).has_value(), open_ended);
    }
    for (const DepositAnswer& one : answers(draw)) {
        const Bytes whole = encode_answer(one);
        for (std::size_t n = 0; n < whole.size(); ++n) {
            EXPECT_FALSE(decode_deposit_answer(ByteView(whole).first(n)));
        }
        Bytes longer = whole;
        longer.push_back(0);
        EXPECT_FALSE(decode_deposit_answer(longer));
    }
    EXPECT_EQ(decode_deposit_question(encode_piece({}, 0, Bytes(kPieceBytes + 1))).error().reason,
              Reason::kTooLarge);
}

TEST(DepositMessages, TermsAreTheProversWordForOneClientInOneNetwork) {
    Draw draw(4);
    const KeyPair prover = KeyPair::from_secret(Bytes(32, 1));
    const KeyPair other = KeyPair::from_secret(Bytes(32, 2));
    DepositTerms terms = draw.terms();
    terms.prover = prover.public_key();
    terms.signature = prover.sign(view(terms.digest())).value();
    const auto check = [&](const DepositTerms& t) {
        return check_terms(t, terms.network, terms.prover, terms.client).reason;
    };
    EXPECT_EQ(check(terms), Reason::kOk);
    EXPECT_EQ(check_terms(terms, draw.fixed<NetworkId>(), terms.prover, terms.client).reason,
              Reason::kWrongNetwork);
    EXPECT_EQ(check_terms(terms, terms.network, other.public_key(), terms.client).reason,
              Reason::kWrongProver);
    EXPECT_EQ(check_terms(terms, terms.network, terms.prover, other.public_key()).reason,
              Reason::kWrongObject);
    const Bytes whole = terms.encode();
    for (std::size_t at = 0; at < whole.size(); ++at) {
        Bytes altered = whole;
        altered[at] = static_cast<std::uint8_t>(altered[at] ^ 1U);
        const auto read = DepositTerms::decode(altered);
        if (read) {
            EXPECT_NE(check(*read), Reason::kOk) << "byte " << at;
        }
    }
}

TEST(DepositPieces, TheRootOverPiecesIsTheRawRootOfTheReplica) {
    Draw draw(5);
    for (const std::uint64_t bytes : {std::uint64_t{1}, std::uint64_t{65'535}, kPieceBytes - 1,
                                      kPieceBytes, kPieceBytes + 1, 3 * kPieceBytes + 4'097}) {
        Bytes data = draw.data(bytes);
        std::vector<Digest> roots;
        for (std::uint64_t i = 0; i < piece_count(bytes); ++i) {
            const ByteView piece = ByteView(data).subspan(i * kPieceBytes, piece_bytes(bytes, i));
            roots.push_back(piece_root(bytes, i, piece));
        }
        EXPECT_EQ(piece_bytes(bytes, piece_count(bytes)), 0U);
        data.resize(chunk_count(bytes).value * kChunkBytes);
        std::vector<Digest> leaves(data.size() / kCellBytes);
        sha256_batch({data.data(), kCellBytes, kCellBytes, leaves.size(), std::uint8_t{0}}, leaves);
        EXPECT_EQ(root_of_pieces(roots), Root{merkle_root(leaves)}) << bytes;
    }
    EXPECT_EQ(root_of_pieces({}), Root{});
}

/// A prover that answers as the test says.
struct ClientCase {
    ClientCase() {
        order.id = draw.fixed<DepositId>();
        order.bytes = 5;
        order.terms = draw.terms();
        order.terms.network = network;
        order.terms.prover = prover.public_key();
        order.terms.client = owner.public_key();
        order.terms.max_bytes = 100;
        order.terms.signature = prover.sign(view(order.terms.digest())).value();
        honest = draw.state();
        honest.id = order.id;
        honest.bytes = order.bytes;
        honest.arrived = order.bytes;
        honest.terms = order.terms.digest();
        honest.until = order.terms.until;
    }
    DepositClient client(std::vector<Result<Bytes>> replies, std::uint32_t patience_ms = 1'000) {
        auto left = std::make_shared<std::vector<Result<Bytes>>>(std::move(replies));
        DepositClientOptions options;
        options.patience_ms = patience_ms;
        options.pause_ms = 1;
        return {network, prover.public_key(), owner,
                [left](ByteView) -> Result<Bytes> {
                    if (left->empty()) return fail(ErrorCode::kIo, "no more answers");
                    Result<Bytes> out = left->front();
                    left->erase(left->begin());
                    return out;
                },
                options};
    }
    Draw draw{6};
    NetworkId network = draw.fixed<NetworkId>();
    KeyPair prover = KeyPair::from_secret(Bytes(32, 1));
    KeyPair owner = KeyPair::from_secret(Bytes(32, 2));
    DepositOrder order;
    DepositState honest;
};

TEST(DepositClient, ABusyOrSilentProverIsAskedAgain) {
    ClientCase c;
    const auto done = c.client({fail(ErrorCode::kTimeout, "no answer"),
                                encode_answer(DepositBusy{2}), encode_answer(c.honest)})
                          .state(c.order);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(*done, c.honest);
    const auto never =
        c.client(std::vector<Result<Bytes>>(100, encode_answer(DepositBusy{30})), 100)
            .state(c.order);
    ASSERT_FALSE(never);
    EXPECT_EQ(never.error().code, ErrorCode::kTimeout);
}

TEST(DepositClient, AProverThatChangesTermsSizeOrDepositIsRefused) {
    ClientCase c;
    const auto told = [&](const DepositState& state) {
        const auto answer = c.client({encode_answer(state)}).state(c.order);
        return answer ? Reason::kOk : answer.error().verdict.reason;
    };
    EXPECT_EQ(told(c.honest), Reason::kOk);
    DepositState changed = c.honest;
    changed.terms = c.draw.fixed<Digest>();
    EXPECT_EQ(told(changed), Reason::kWrongObject);
    changed = c.honest;
    changed.until = changed.until + 1;
    EXPECT_EQ(told(changed), Reason::kWrongObject);
    changed = c.honest;
    changed.id = c.draw.fixed<DepositId>();
    EXPECT_EQ(told(changed), Reason::kWrongObject);
    changed = c.honest;
    changed.bytes = 6;
    EXPECT_EQ(told(changed), Reason::kWrongObject);
    // The root of what it says has arrived is compared when the client finishes.
    const auto finished = c.client({encode_answer(c.honest)}).finish(c.order, c.draw.fixed<Root>());
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().verdict.reason, Reason::kRootMismatch);
    EXPECT_TRUE(c.client({encode_answer(c.honest)}).finish(c.order, c.honest.arrived_root));
}

TEST(DepositClient, TermsThatAreNotSignedForItAreRefused) {
    ClientCase c;
    EXPECT_TRUE(c.client({encode_answer(c.order.terms)}).terms(5));
    EXPECT_FALSE(c.client({encode_answer(c.order.terms)}).terms(101));
    DepositTerms dearer = c.order.terms;
    dearer.price += 1;
    const auto refused = c.client({encode_answer(dearer)}).terms(5);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().verdict.reason, Reason::kBadSignature);
}

TEST(DepositClient, ARefusalSaysWhyAndGarbageIsNoAnswer) {
    ClientCase c;
    const auto full =
        c.client({encode_answer(DepositRefused{DepositReason::kQuotaBytes})}).open(c.order);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::kOutOfSpace);
    EXPECT_NE(full.error().message.find("as many bytes"), std::string::npos);
    const auto garbage = c.client({Bytes{1, 2, 3}}).open(c.order);
    ASSERT_FALSE(garbage);
    EXPECT_EQ(garbage.error().code, ErrorCode::kRefused);
    const auto other = c.client({encode_answer(c.order.terms)}).open(c.order);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().verdict.reason, Reason::kBadKind);
    DepositList unsorted;
    unsorted.deposits = {c.honest};
    EXPECT_FALSE(c.client({encode_answer(unsorted)}).list(c.order.id));
    EXPECT_TRUE(c.client({encode_answer(unsorted)}).list());
}

}  // namespace
}  // namespace holdfast
