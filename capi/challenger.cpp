// The challenger's daemon behind its handle.
#include "availability/challenger.hpp"

#include <atomic>

#include "capi/availability.hpp"
#include "capi/host.hpp"
#include "capi/network.hpp"
#include "capi/signer.hpp"

struct holdfast_challenger : holdfast::capi::Handle<0x6c6c616863666864> {
    holdfast_challenger(const holdfast::NetworkParams& params,
                        std::shared_ptr<const holdfast::KeyPair> key, holdfast::Height base,
                        std::unique_ptr<holdfast::ChallengeJournal> kept,
                        std::shared_ptr<holdfast::Network> host, holdfast::MonotonicNs clock)
        : signer(std::move(key)),
          journal(std::move(kept)),
          peers(std::move(host)),
          engine(params, *signer, base, *journal, *peers, std::move(clock)) {}

    const std::shared_ptr<const holdfast::KeyPair> signer;
    const std::unique_ptr<holdfast::ChallengeJournal> journal;
    const std::shared_ptr<holdfast::Network> peers;
    holdfast::AvailabilityChallenger engine;  // uses the three above
    std::atomic<bool> taken{false};
};

namespace holdfast::capi {
namespace {

Got<ChallengeRound> round_from(const holdfast_challenge_height* height,
                               const holdfast_challenged_chain* chains, std::size_t count) {
    if (chains == nullptr && count > 0) return missing("chains");
    HOLDFAST_ASSIGN(facts, challenge_height_from(height));
    ChallengeRound out{std::move(facts), {}};
    for (std::size_t i = 0; i < count; ++i) {
        ChallengedChain chain;
        std::memcpy(chain.id.data(), chains[i].chain_id, ChainId::kSize);
        std::memcpy(chain.prover.data(), chains[i].prover, PublicKey::kSize);
        std::memcpy(chain.sealed_root.data(), chains[i].sealed_root, Root::kSize);
        if (chains[i].chunks < kMinChunks || chains[i].chunks > kMaxChunks) {
            return bad_argument("a replica has 16 to 2^20 chunks");
        }
        chain.chunks = ChunkCount(chains[i].chunks);
        out.chains.push_back(chain);
    }
    return out;
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_challenger_make_registration(const holdfast_network* network,
                                                      const holdfast_signer* signer, uint64_t base,
                                                      const uint8_t bond[32], uint8_t* out,
                                                      size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        HOLDFAST_TRY(check_handle(signer, "signer"));
        HOLDFAST_ASSIGN(bond_id, fixed_of<BondId>(bond, "bond"));
        HOLDFAST_TRY(need_room(HOLDFAST_CHALLENGER_BYTES, out, out_bytes));
        HOLDFAST_ASSIGN(commitment, challenger_commitment(network->id, *signer->key, Height(base)));
        HOLDFAST_ASSIGN(
            made, make_challenger(network->id, commitment, Height(base), bond_id, *signer->key));
        return put_bytes(wrap_object(Kind::kChallenger, made.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_challenger_open(const holdfast_network* network,
                                         const holdfast_signer* signer, uint64_t base,
                                         const char* journal, holdfast_peers* peers,
                                         holdfast_challenger** out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        HOLDFAST_TRY(check_handle(signer, "signer"));
        HOLDFAST_TRY(check_handle(peers, "peers"));
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(folder, text_of(journal, "journal"));
        HOLDFAST_ASSIGN(kept, ChallengeJournal::open(folder, network->id));
        *out = new holdfast_challenger(network->params, signer->key, Height(base), std::move(kept),
                                       peers->host, steady_ns);
        return {};
    });
}

void holdfast_challenger_free(holdfast_challenger* challenger) { free_handle(challenger); }

holdfast_status holdfast_challenger_on_final_block(holdfast_challenger* challenger, uint64_t tip) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(challenger, "challenger"));
        challenger->engine.on_final_block(Height(tip));
        return {};
    });
}

holdfast_status holdfast_challenger_draw(holdfast_challenger* challenger,
                                         const holdfast_challenge_height* height,
                                         const holdfast_challenged_chain* chains, size_t count,
                                         uint64_t* planned) {
    return run_alone(challenger, "challenger", [&]() -> Done {
        HOLDFAST_ASSIGN(round, round_from(height, chains, count));
        HOLDFAST_ASSIGN(drawn, challenger->engine.draw(round));
        put_number(planned, drawn);
        return {};
    });
}

holdfast_status holdfast_challenger_next_due_ms(holdfast_challenger* challenger, uint64_t* out) {
    return run_alone(challenger, "challenger", [&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(due, challenger->engine.next_due_ms());
        if (!due) return failure(HOLDFAST_UNAVAILABLE, "no challenge is planned");
        *out = *due;
        return {};
    });
}

holdfast_status holdfast_challenger_work(holdfast_challenger* challenger,
                                         const holdfast_control* control,
                                         holdfast_challenger_report* out) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(challenger, "challenger"));
        const Turn turn(challenger->taken);
        HOLDFAST_TRY(turn.check("challenger"));
        if (out != nullptr) HOLDFAST_TRY(check_out(out, "out"));
        HOLDFAST_ASSIGN(done, challenger->engine.work(work.stop()));
        if (out == nullptr) return {};
        write_struct(out, {sizeof *out, done.sent, done.served, done.late, done.invalid,
                           done.unreachable, done.abandoned});
        return {};
    });
}

holdfast_status holdfast_challenger_publish(holdfast_challenger* challenger,
                                            holdfast_blockchain* chain, uint64_t* published) {
    return run_alone(challenger, "challenger", [&]() -> Done {
        HOLDFAST_TRY(check_handle(chain, "chain"));
        HOLDFAST_ASSIGN(done, challenger->engine.publish(*chain->host));
        put_number(published, done);
        return {};
    });
}
