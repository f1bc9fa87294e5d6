// The exchanges of the vector files through the engine: the prover's responder, the challenger's
// judgement, the book. What is refused by the pure functions is refused there, and leaves no trace.
#include "availability/book.hpp"
#include "availability/challenger.hpp"
#include "availability/responder.hpp"
#include "support/sealed_case.hpp"

namespace holdfast {
namespace {

using test::fixed;
using test::hex;

/// One exchange of the file, and what everybody in it knows.
class Exchange {
  public:
    Exchange(const test::VectorNetwork& of_network, const nlohmann::json& from)
        : network(of_network), c(from), sealed(of_network, from) {
        for (const auto& entry : c.at("challengers")) {
            const KeyPair key = KeyPair::from_secret(hex(entry.at("secret_key")));
            registered.push_back(make_challenger(network.id, fixed<Reveal>(entry.at("commitment")),
                                                 Height(entry.at("base").get<std::uint64_t>()),
                                                 BondId{}, key));
            keys.push_back(key.public_key());
        }
    }
    [[nodiscard]] std::unique_ptr<AvailabilityBook> book() {
        auto out = AvailabilityBook::open(folder / std::to_string(books_++), network.params);
        EXPECT_TRUE(out) << out.error().message;
        std::vector<BookObject> objects(registered.begin(), registered.end());
        const auto verdicts =
            (*out)->take_block(registered[0].base - network.params.seal_delay, objects);
        EXPECT_TRUE(verdicts);
        for (const Verdict& v : *verdicts) EXPECT_EQ(v, Verdict::ok());
        return std::move(*out);
    }
    [[nodiscard]] BookObject with_facts(const Challenge& made) const {
        return ChallengeWithFacts{made, {block_hash, y, sealed.registration.header.prover}};
    }

    const test::VectorNetwork& network;
    const nlohmann::json& c;
    test::SealedCase sealed;
    std::vector<Challenger> registered;
    std::vector<PublicKey> keys;
    const Height h{c.at("block").at("height").get<std::uint64_t>()};
    const BlockHash block_hash = fixed<BlockHash>(c.at("block").at("block_hash"));
    const VdfOutput y = fixed<VdfOutput>(c.at("block").at("y"));
    const Challenge challenge = Challenge::decode(hex(c.at("challenge"))).value();
    test::TempFolder folder;

  private:
    int books_ = 0;
};

class AvailabilityVectors : public testing::Test {
  protected:
    static std::vector<std::unique_ptr<Exchange>>& exchanges() {
        static const nlohmann::json& file = test::load_vectors("availability.json");
        static std::vector<std::unique_ptr<Exchange>> all;
        static std::vector<std::unique_ptr<test::VectorNetwork>> networks;
        if (all.empty()) {
            for (const auto& c : file.at("cases").at("exchanges")) {
                networks.push_back(std::make_unique<test::VectorNetwork>(
                    test::network_of(c.contains("network") ? c : file)));
                all.push_back(std::make_unique<Exchange>(*networks.back(), c));
            }
        }
        return all;
    }
};

TEST_F(AvailabilityVectors, TheResponderAnswersTheChallengeByteForByteAndNoOther) {
    for (const auto& x : exchanges()) {
        AvailabilityResponder responder(x->network.params, [] { return std::uint64_t{1}; },
                                        {.bad = {.per_second = 1, .burst = 1'000}});
        ASSERT_TRUE(responder.add_chain(
            x->challenge.chain_id,
            std::make_shared<Replica>(Replica::open(x->sealed.folder / "x.replica",
                                                    x->sealed.folder / "x.tree", x->network.params)
                                          .value()),
            std::make_shared<KeyPair>(KeyPair::from_secret(hex(x->c.at("secret_key"))))));
        responder.on_final_block({x->h, x->block_hash, x->y, x->keys});
        responder.on_final_block({x->h + 1, BlockHash{}, std::nullopt, x->keys});
        const auto ask = [&](ByteView body) {
            return responder.respond(x->challenge.challenger, wrap_object(Kind::kChallenge, body));
        };
        const Bytes good = x->challenge.encode();
        for (const auto& entry : x->c.at("refused_challenges")) {
            const auto answer = ask(test::splice(good, entry));
            ASSERT_FALSE(answer) << entry.at("why");
            EXPECT_EQ(answer.error().code, ErrorCode::kRefused) << entry.at("why");
        }
        const auto answer = ask(good);
        ASSERT_TRUE(answer) << answer.error().message;
        EXPECT_EQ(*answer, wrap_object(Kind::kResponse, hex(x->c.at("response"))));
        EXPECT_EQ(responder.statistics().answered, 1U);
    }
}

TEST_F(AvailabilityVectors, TheChallengerTakesTheResponseForServedAndNoOther) {
    for (const auto& x : exchanges()) {
        const Registration& r = x->sealed.registration;
        const ResponseContext context{x->challenge.id(x->network.id), r.header.prover,
                                      r.sealed_root, r.header.chunks,
                                      x->c.at("chunks_selected").get<std::vector<std::uint64_t>>()};
        const auto judge = [&](const Bytes& body, std::uint32_t service_us) {
            const Bytes object = wrap_object(Kind::kResponse, body);
            return judge_reply(x->network.params, context, ChallengeReply{object, service_us, 1});
        };
        const Bytes good = hex(x->c.at("response"));
        const std::uint32_t limit_us = x->network.params.deadline_ms * 1'000;
        EXPECT_EQ(judge(good, limit_us).outcome, OutcomeKind::kServed);
        EXPECT_EQ(judge(good, limit_us + 1).outcome, OutcomeKind::kLate);
        for (const auto& entry : x->c.at("refused_responses")) {
            const auto outcome = judge(test::splice(good, entry), 1).outcome;
            EXPECT_TRUE(outcome == OutcomeKind::kLate || outcome == OutcomeKind::kInvalid)
                << entry.at("why");
        }
    }
}

TEST_F(AvailabilityVectors, TheBookTakesTheChallengeAndEachOutcomeAndNoOther) {
    for (const auto& x : exchanges()) {
        for (const auto& o : x->c.at("outcomes")) {
            const auto book = x->book();
            // Everything that is refused first: none of it may stand in the way of what is good.
            std::vector<BookObject> objects;
            for (const auto& entry : x->c.at("refused_challenges")) {
                const auto bad = Challenge::decode(test::splice(x->challenge.encode(), entry));
                if (bad) objects.push_back(x->with_facts(*bad));
            }
            objects.push_back(x->with_facts(x->challenge));
            const std::size_t challenges = objects.size();
            const Bytes body = hex(o.at("body"));
            if (o.contains("refused")) {
                for (const auto& entry : o.at("refused")) {
                    const auto bad = Outcome::decode(test::splice(body, entry));
                    if (bad) objects.emplace_back(*bad);
                }
            }
            objects.emplace_back(Outcome::decode(body).value());
            objects.emplace_back(Outcome::decode(body).value());
            const auto verdicts = book->take_block(x->h + 2, objects);
            ASSERT_TRUE(verdicts) << verdicts.error().message;
            for (std::size_t i = 0; i < objects.size(); ++i) {
                const bool good = i == challenges - 1 || i == objects.size() - 2;
                EXPECT_EQ((*verdicts)[i].accepted(), good) << i << to_string((*verdicts)[i]);
            }
            EXPECT_EQ(verdicts->back().reason, Reason::kAlreadySettled);
            const auto recorded = book->outcomes(x->challenge.chain_id);
            ASSERT_TRUE(recorded);
            ASSERT_EQ(recorded->size(), 1U);
            EXPECT_EQ(recorded->front().outcome,
                      static_cast<OutcomeKind>(o.at("outcome").get<int>()));
        }
    }
}

}  // namespace
}  // namespace holdfast
