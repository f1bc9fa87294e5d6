#include "proofs/registration.hpp"

#include "proofs/reveal.hpp"
#include "support/refused.hpp"

namespace holdfast {
namespace {

using nlohmann::json;
using test::fixed;
using test::hex;

struct SealCases {
    json file = test::load_vectors("seal.json");
    json cases = file["cases"];
    NetworkParams params = test::network_of(file).params;
    NetworkId id = params.id();
    /// The replica whose registration, update and removal come with refusals.
    json rich = cases["replicas"][1];
};

Verdict examine(const SealCases& v, ByteView body) {
    const auto decoded = Registration::decode(body);
    return decoded ? check_registration(v.params, v.id, *decoded) : decoded.error();
}

TEST(Registration, RegistrationsOfTheVectors) {
    const SealCases v;
    for (const auto& c : v.cases["replicas"]) {
        const Bytes body = hex(c["registration"]);
        const auto decoded = Registration::decode(body);
        ASSERT_TRUE(decoded) << to_string(decoded.error());
        EXPECT_EQ(decoded->encode(), body);
        EXPECT_EQ(decoded->replica_id(v.id), fixed<ReplicaId>(c["replica_id"]));
        EXPECT_EQ(ownership(decoded->replica_id(v.id), decoded->sealed_root),
                  fixed<Digest>(c["ownership"]));
        EXPECT_EQ(decoded->chain_id(v.id), fixed<ChainId>(c["chain_id"]));
        EXPECT_EQ(decoded->retention, static_cast<Retention>(c["retention"].get<int>()));
        EXPECT_EQ(decoded->has_commitment(), c["local_commitment"] != std::string(64, '0'));

        Registration again = *decoded;
        again.signature = Signature();
        const KeyPair key = KeyPair::from_secret(hex(c["secret_key"]));
        EXPECT_EQ(sign_registration(v.id, again, key).value(), *decoded);
        test::expect_refused(c.value("refused_registrations", json::array()), body,
                             [&](ByteView bytes) { return examine(v, bytes); });
    }
}

TEST(Registration, EachFaultHasItsOwnReason) {
    const SealCases v;
    const KeyPair key = KeyPair::from_secret(hex(v.rich["secret_key"]));
    const Registration good = *Registration::decode(hex(v.rich["registration"]));
    const auto reason = [&](auto change) {
        Registration bad = good;
        change(bad);
        return check_registration(v.params, v.id, sign_registration(v.id, bad, key).value()).reason;
    };
    EXPECT_EQ(reason([](auto&) {}), Reason::kOk);
    EXPECT_EQ(reason([](auto& r) { r.header.data_len = 0; }), Reason::kBadGeometry);
    EXPECT_EQ(reason([](auto& r) { ++r.header.chunks; }), Reason::kBadGeometry);
    EXPECT_EQ(reason([](auto& r) { r.header.seal.window_chunks = 2; }), Reason::kSealPolicy);
    EXPECT_EQ(reason([](auto& r) { r.header.seal.work_blocks = UINT64_MAX; }), Reason::kSealPolicy);

    SealCases larger;
    larger.params.min_chunks = static_cast<std::uint32_t>(good.header.chunks.value + 1);
    EXPECT_EQ(check_registration(larger.params, v.id, good), Verdict(Reason::kTooSmall));
    NetworkId other = v.id;
    other[0] ^= 1;
    EXPECT_EQ(check_registration(v.params, other, good), Verdict(Reason::kBadSignature));
    Registration weak = good;
    weak.header.prover = PublicKey();
    weak.header.prover[0] = 1;  // the neutral element
    EXPECT_EQ(check_registration(v.params, v.id, weak), Verdict(Reason::kBadKey));
    Bytes no_retention = good.encode();
    no_retention[205] = 4;
    EXPECT_EQ(Registration::decode(no_retention).error().reason, Reason::kBadField);
}

TEST(Registration, AcceptancesOfTheVectors) {
    const SealCases v;
    const Registration registration = *Registration::decode(hex(v.rich["registration"]));
    for (const auto& c : v.rich["acceptances"]) {
        EXPECT_EQ(check_acceptance(registration, fixed<BlockHash>(c["block_hash"]),
                                   Height(c["height"].get<std::uint64_t>()))
                      .accepted(),
                  c["accepted"].get<bool>());
    }
    const Height genesis = registration.genesis_height;
    const BlockHash hash = registration.genesis_block_hash;
    EXPECT_EQ(check_acceptance(registration, hash, genesis - 1), Verdict(Reason::kGenesisTooOld));
    EXPECT_EQ(check_acceptance(registration, hash, genesis + 101), Verdict(Reason::kGenesisTooOld));
    EXPECT_EQ(check_acceptance(registration, {}, genesis + 1), Verdict(Reason::kGenesisTooOld));
    EXPECT_EQ(check_acceptance(registration, BlockHash(), genesis + 1),
              Verdict(Reason::kWrongBlock));
}

ChainHistory history_of(const SealCases& v) {
    ChainHistory history;
    history.chain_id = fixed<ChainId>(v.rich["chain_id"]);
    history.prover = fixed<PublicKey>(v.rich["prover_pk"]);
    history.last_sequence = v.rich["last_sequence"].get<std::uint32_t>();
    history.last_effective = Height(v.rich["genesis_height"].get<std::uint64_t>());
    return history;
}

TEST(Registration, UpdatesOfTheVectors) {
    const SealCases v;
    const ChainHistory history = history_of(v);
    const Height accepted(v.rich["accepted_height"].get<std::uint64_t>());
    const Bytes body = hex(v.rich["update"]);
    const auto update = Update::decode(body);
    ASSERT_TRUE(update);
    EXPECT_EQ(update->encode(), body);
    EXPECT_EQ(update->effective_height, Height(v.rich["effective_height"].get<std::uint64_t>()));
    EXPECT_EQ(update->local_commitment, fixed<Reveal>(v.rich["a"][0]));
    const KeyPair key = KeyPair::from_secret(hex(v.rich["secret_key"]));
    EXPECT_EQ(make_update(v.id, update->chain_id, update->sequence, update->effective_height,
                          update->local_commitment, key)
                  .value(),
              *update);
    const auto examine_update = [&](ByteView bytes) -> Verdict {
        const auto decoded = Update::decode(bytes);
        if (!decoded) return decoded.error();
        return check_update(v.params, v.id, *decoded, history, accepted);
    };
    test::expect_refused(v.rich["refused_updates"], body, examine_update);

    RevealChain reveals =
        RevealChain::make(v.id, fixed<Digest>(v.rich["replica_id"]), update->effective_height, key)
            .value();
    for (std::size_t i = 0; i < v.rich["a"].size(); ++i) {
        EXPECT_EQ(reveals.at(i), fixed<Reveal>(v.rich["a"][i])) << i;
    }
}

TEST(Registration, UpdatesHaveReasonsOfTheirOwn) {
    const SealCases v;
    ChainHistory history = history_of(v);
    const Height accepted(v.rich["accepted_height"].get<std::uint64_t>());
    const Update good = *Update::decode(hex(v.rich["update"]));
    const auto reason = [&](const ChainHistory& h, Height at) {
        return check_update(v.params, v.id, good, h, at).reason;
    };
    EXPECT_EQ(reason(history, accepted), Reason::kOk);
    EXPECT_EQ(reason(history, good.effective_height - v.params.seal_delay), Reason::kOk);
    EXPECT_EQ(reason(history, good.effective_height - v.params.seal_delay + 1), Reason::kTooEarly);
    EXPECT_EQ(reason(history, Height(UINT64_MAX)), Reason::kTooEarly);
    history.last_effective = good.effective_height;
    EXPECT_EQ(reason(history, accepted), Reason::kTooEarly);
    history = history_of(v);
    ++history.last_sequence;
    EXPECT_EQ(reason(history, accepted), Reason::kSequence) << "a replay";
    history.last_sequence = UINT32_MAX;
    EXPECT_EQ(reason(history, accepted), Reason::kSequence);
    history = history_of(v);
    history.chain_id[0] ^= 1;
    EXPECT_EQ(reason(history, accepted), Reason::kWrongChain);
    history = history_of(v);
    history.prover = KeyPair::from_secret(Bytes(32, 1)).public_key();
    EXPECT_EQ(reason(history, accepted), Reason::kBadSignature);
}

TEST(Registration, RemovalsOfTheVectors) {
    const SealCases v;
    const ChainHistory history = history_of(v);
    const Height accepted(v.rich["accepted_height"].get<std::uint64_t>());
    const Bytes body = hex(v.rich["removal"]);
    const auto removal = Removal::decode(body);
    ASSERT_TRUE(removal);
    EXPECT_EQ(removal->encode(), body);
    const KeyPair key = KeyPair::from_secret(hex(v.rich["secret_key"]));
    EXPECT_EQ(
        make_removal(v.id, removal->chain_id, removal->sequence, removal->height, key).value(),
        *removal);
    test::expect_refused(v.rich["refused_removals"], body, [&](ByteView bytes) -> Verdict {
        const auto decoded = Removal::decode(bytes);
        if (!decoded) return decoded.error();
        return check_removal(v.id, *decoded, history, accepted);
    });
    const auto reason = [&](Height at) {
        return check_removal(v.id, *removal, history, at).reason;
    };
    EXPECT_EQ(reason(removal->height), Reason::kOk);
    EXPECT_EQ(reason(removal->height + 100), Reason::kOk);
    EXPECT_EQ(reason(removal->height + 101), Reason::kTooLate);
    EXPECT_EQ(reason(removal->height - 1), Reason::kTooEarly);
}

TEST(Registration, RetentionInBlocks) {
    const auto cases = test::load_vectors("lifecycle.json")["cases"];
    NetworkParams params;
    for (const auto& [block_ms, key] :
         {std::pair{52'000U, "retention_blocks"}, std::pair{16'001U, "retention_blocks_at_16_s"}}) {
        params.block_ms = block_ms;
        for (int r = 1; r <= 3; ++r) {
            EXPECT_EQ(retention_blocks(params, static_cast<Retention>(r)),
                      cases[key][std::to_string(r)].get<std::uint64_t>());
        }
    }
    for (const char* name : {"temporary", "default", "archival"}) {
        EXPECT_EQ(to_string(*retention_from_name(name)), name);
    }
    EXPECT_FALSE(retention_from_name("for ever"));
}

}  // namespace
}  // namespace holdfast
