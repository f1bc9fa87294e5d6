// Challenges, from the other side.
#include "call.hpp"
#include "structs.hpp"

namespace holdfast_node {
namespace {

std::shared_ptr<holdfast_challenger> challenger_of(Call& c) {
    return c.at(0, "challenger").handle<holdfast_challenger>();
}

napi_value challenge_make(Call& c) {
    const In in = c.at(2, "challenge");
    return c.thread([network = c.at(0, "network").handle<holdfast_network>(),
                     signer = c.at(1, "signer").handle<holdfast_signer>(),
                     chain = in.field("chainId").digest(), height = in.field("height").u64(),
                     block_hash = in.field("blockHash").digest(), y = in.field("y").digest(),
                     reveal = in.field("reveal").digest()](auto) -> Value {
        return sized(HOLDFAST_CHALLENGE_BYTES, [&](std::uint8_t* out, std::size_t* size) {
            return holdfast_challenge_make(network.get(), signer.get(), chain.data(), height,
                                           block_hash.data(), y.data(), reveal.data(), out, size);
        });
    });
}

napi_value response_verify(Call& c) {
    const auto network = c.at(0, "network").handle<holdfast_network>();
    const holdfast_bytes registration = c.at(1, "registration").view();
    const holdfast_bytes challenge = c.at(2, "challenge").view();
    const holdfast_bytes response = c.at(3, "response").view();
    holdfast_verdict verdict{};
    check(holdfast_response_verify(network.get(), registration.data, registration.size,
                                   challenge.data, challenge.size, response.data, response.size,
                                   &verdict));
    return c.now(verdict_value(verdict));
}

napi_value make_registration(Call& c) {
    return c.thread([network = c.at(0, "network").handle<holdfast_network>(),
                     signer = c.at(1, "signer").handle<holdfast_signer>(),
                     base = c.at(2, "base").u64(), bond = c.at(3, "bond").digest()](auto) -> Value {
        return sized(HOLDFAST_CHALLENGER_BYTES, [&](std::uint8_t* out, std::size_t* size) {
            return holdfast_challenger_make_registration(network.get(), signer.get(), base,
                                                         bond.data(), out, size);
        });
    });
}

napi_value open(Call& c) {
    return c.thread([network = c.at(0, "network").handle<holdfast_network>(),
                     signer = c.at(1, "signer").handle<holdfast_signer>(),
                     base = c.at(2, "base").u64(), journal = c.at(3, "journal").text(),
                     peers = c.at(4, "peers").handle<holdfast_peers>()](auto) -> Value {
        holdfast_challenger* challenger = nullptr;
        check(holdfast_challenger_open(network.get(), signer.get(), base, journal.c_str(),
                                       peers.get(), &challenger));
        return box(challenger);
    });
}

napi_value on_final_block(Call& c) {
    return c.pool([challenger = challenger_of(c), tip = c.at(1, "tip").u64()](auto) -> Value {
        check(holdfast_challenger_on_final_block(challenger.get(), tip));
        return {};
    });
}

napi_value draw(Call& c) {
    std::vector<holdfast_challenged_chain> chains;
    for (const In& item : c.at(2, "chains").items()) {
        holdfast_challenged_chain chain{};
        copy_to<Digest>(chain.chain_id, item.field("chainId").digest());
        copy_to<Digest>(chain.prover, item.field("prover").digest());
        copy_to<Digest>(chain.sealed_root, item.field("sealedRoot").digest());
        chain.chunks = item.field("chunks").u64();
        chains.push_back(chain);
    }
    return c.thread([challenger = challenger_of(c), height = ChallengeHeight(c.at(1, "height")),
                     chains = std::move(chains)](auto) -> Value {
        const holdfast_challenge_height view = height.view();
        std::uint64_t planned = 0;
        check(holdfast_challenger_draw(challenger.get(), &view, chains.data(), chains.size(),
                                       &planned));
        return planned;
    });
}

napi_value next_due_ms(Call& c) {
    std::uint64_t out = 0;
    const holdfast_status status = holdfast_challenger_next_due_ms(challenger_of(c).get(), &out);
    if (status == HOLDFAST_UNAVAILABLE) return c.nothing();
    check(status);
    return c.now(out);
}

napi_value work(Call& c) {
    return c.thread(c.at(1, "control"), [challenger = challenger_of(c)](auto control) -> Value {
        auto report = sized_struct<holdfast_challenger_report>();
        check(holdfast_challenger_work(challenger.get(), control, &report));
        return Fields{{"sent", report.sent},
                      {"served", report.served},
                      {"late", report.late},
                      {"invalid", report.invalid},
                      {"unreachable", report.unreachable},
                      {"abandoned", report.abandoned}};
    });
}

napi_value publish(Call& c) {
    return c.thread([challenger = challenger_of(c),
                     chain = c.at(1, "chain").handle<holdfast_blockchain>()](auto) -> Value {
        std::uint64_t published = 0;
        check(holdfast_challenger_publish(challenger.get(), chain.get(), &published));
        return published;
    });
}

}  // namespace

void add_challenges(Exports& exports) {
    exports.insert(exports.end(), {
                                      {"challengeMake", entry<challenge_make>},
                                      {"responseVerify", entry<response_verify>},
                                      {"challengerMakeRegistration", entry<make_registration>},
                                      {"challengerOpen", entry<open>},
                                      {"challengerOnFinalBlock", entry<on_final_block>},
                                      {"challengerDraw", entry<draw>},
                                      {"challengerNextDueMs", entry<next_due_ms>},
                                      {"challengerWork", entry<work>},
                                      {"challengerPublish", entry<publish>},
                                  });
}

}  // namespace holdfast_node
