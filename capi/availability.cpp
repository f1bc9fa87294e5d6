// Availability: a prover's answers, and single challenges and responses.
#include "capi/availability.hpp"

#include <chrono>

#include "capi/network.hpp"
#include "capi/prover.hpp"
#include "capi/signer.hpp"

namespace holdfast::capi {

Got<ChallengeHeight> challenge_height_from(const holdfast_challenge_height* in) {
    HOLDFAST_ASSIGN(given, read_struct(in, "a height"));
    if (given.challengers == nullptr && given.challengers_count > 0) return missing("challengers");
    ChallengeHeight out;
    out.height = Height(given.height);
    std::memcpy(out.block_hash.data(), given.block_hash, BlockHash::kSize);
    if (given.has_y != 0) {
        out.y.emplace();
        std::memcpy(out.y->data(), given.y, VdfOutput::kSize);
    }
    for (std::size_t i = 0; i < given.challengers_count; ++i) {
        ChallengerPart part;
        std::memcpy(part.key.data(), given.challengers[i].key, PublicKey::kSize);
        part.part = given.challengers[i].part;
        if (!out.challengers.empty() && !(out.challengers.back().key < part.key)) {
            return bad_argument("challengers must ascend by key");
        }
        out.challengers.push_back(part);
    }
    return out;
}

std::uint64_t steady_ns() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
}

namespace {

/// Opens the chain's replica for the responder, at the first challenge of it.
Done answer_for(holdfast_prover& prover, const ChainId& chain_id) {
    std::filesystem::path path;
    {
        const std::lock_guard lock(prover.mutex);
        const auto told = prover.replicas.find(chain_id);
        if (told == prover.replicas.end()) {
            return refused(Reason::kUnknownChain, "a challenge of a chain that was not told");
        }
        if (prover.answered_for.contains(chain_id)) return {};
        path = told->second;
    }
    HOLDFAST_ASSIGN(replica, prover.open(path));
    const auto shared = std::make_shared<const Replica>(std::move(replica));
    const std::lock_guard lock(prover.mutex);
    if (!prover.replicas.contains(chain_id)) return {};  // taken out meanwhile
    if (!prover.answered_for.insert(chain_id).second) return {};
    HOLDFAST_TRY(prover.responder.add_chain(chain_id, shared, prover.signer));
    return {};
}

ResponseContext response_context(const holdfast_network& network, const Registration& registration,
                                 const Challenge2& challenge) {
    const ChunkCount chunks = registration.header.chunks;
    return {challenge.id(network.id), registration.header.prover, registration.sealed_root, chunks,
            challenged_chunks(network.params, network.id, challenge.y, challenge.chain_id,
                              challenge.challenger, challenge.nonce, chunks)};
}

Verdict verify_exchange(const holdfast_network& network, const Registration& registration,
                        const Challenge2& challenge, const Response& response) {
    HOLDFAST_REQUIRE_OK(check_registration(network.params, network.id, registration));
    if (registration.chain_id(network.id) != challenge.chain_id) return Reason::kWrongChain;
    return check_response(response_context(network, registration, challenge), response);
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_prover_on_final_block(holdfast_prover* prover,
                                               const holdfast_challenge_height* block) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(prover, "prover"));
        HOLDFAST_ASSIGN(height, challenge_height_from(block));
        prover->responder.on_final_block(height);
        return {};
    });
}

holdfast_status holdfast_prover_respond(holdfast_prover* prover, const uint8_t from[32],
                                        const uint8_t* challenge, size_t challenge_bytes,
                                        uint8_t* out, size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(prover, "prover"));
        HOLDFAST_ASSIGN(peer, fixed_of<PublicKey>(from, "from"));
        HOLDFAST_ASSIGN(object, view_of(challenge, challenge_bytes, "challenge"));
        HOLDFAST_TRY(need_room(HOLDFAST_MAX_RESPONSE_BYTES, out, out_bytes));
        // What is no challenge at all, and what has bad signatures, the responder itself judges.
        if (const auto decoded = object_as<Challenge2>(Kind::kChallenge2, object, "challenge")) {
            HOLDFAST_TRY(answer_for(*prover, decoded->chain_id));
        }
        HOLDFAST_ASSIGN(response, prover->responder.respond(peer, object));
        return put_bytes(response, out, out_bytes);
    });
}

holdfast_status holdfast_challenge_make(const holdfast_network* network,
                                        const holdfast_signer* challenger,
                                        const uint8_t chain_id[32], uint64_t height,
                                        const uint8_t block_hash[32], const uint8_t y[32],
                                        const uint8_t reveal[32], uint8_t* out, size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        HOLDFAST_TRY(check_handle(challenger, "challenger"));
        HOLDFAST_ASSIGN(chain, fixed_of<ChainId>(chain_id, "chain_id"));
        HOLDFAST_ASSIGN(hash, fixed_of<BlockHash>(block_hash, "block_hash"));
        HOLDFAST_ASSIGN(output, fixed_of<VdfOutput>(y, "y"));
        HOLDFAST_ASSIGN(revealed, fixed_of<Reveal>(reveal, "reveal"));
        HOLDFAST_TRY(need_room(HOLDFAST_CHALLENGE_BYTES, out, out_bytes));
        HOLDFAST_ASSIGN(made, make_challenge2(network->id, chain, Height(height), hash, output,
                                              revealed, *challenger->key));
        return put_bytes(wrap_object(Kind::kChallenge2, made.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_response_verify(const holdfast_network* network,
                                         const uint8_t* registration, size_t registration_bytes,
                                         const uint8_t* challenge, size_t challenge_bytes,
                                         const uint8_t* response, size_t response_bytes,
                                         holdfast_verdict* out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(chain, view_of(registration, registration_bytes, "registration"));
        HOLDFAST_ASSIGN(asked, view_of(challenge, challenge_bytes, "challenge"));
        HOLDFAST_ASSIGN(answer, view_of(response, response_bytes, "response"));
        HOLDFAST_ASSIGN(facts,
                        object_as<Registration>(Kind::kRegistration, chain, "the registration"));
        HOLDFAST_ASSIGN(question, object_as<Challenge2>(Kind::kChallenge2, asked, "the challenge"));
        const Checked<ByteView> body = unwrap_object(Kind::kResponse, answer);
        const Checked<Response> decoded =
            body ? Response::decode(*body) : Checked<Response>(refuse(body.error()));
        *out =
            to_c(decoded ? verify_exchange(*network, facts, question, *decoded) : decoded.error());
        return {};
    });
}
