// Provers: their replicas, and what is registered of them.
#include "capi/prover.hpp"

#include "api/prover.hpp"
#include "capi/availability.hpp"
#include "capi/network.hpp"
#include "json/json.hpp"
#include "proofs/registration.hpp"

using namespace holdfast;
using namespace holdfast::capi;

namespace holdfast::capi {
namespace {

ResponderOptions responder_options(std::size_t at_once) {
    ResponderOptions out;
    if (at_once != 0) out.answers_at_once = at_once;
    return out;
}

Got<const SetMember*> member_of_replica(const ProverSet& set, const ReplicaId& replica) {
    for (const SetMember& member : set.members()) {
        if (member.replica_id == replica) return &member;
    }
    return failure(HOLDFAST_NOT_FOUND, "no replica " + to_hex(replica) + " is in this prover");
}

Got<RegistrationTerms> terms_from(const holdfast_registration_terms& from) {
    RegistrationTerms out;
    out.genesis_height = Height(from.genesis_height);
    HOLDFAST_ASSIGN(hash, fixed_of<BlockHash>(from.genesis_block_hash, "genesis_block_hash"));
    HOLDFAST_ASSIGN(bond, fixed_of<BondId>(from.bond, "bond"));
    out.genesis_block_hash = hash;
    out.bond_id = bond;
    out.with_commitment = from.with_commitment != 0;
    if (from.retention == 0) return out;
    if (from.retention < HOLDFAST_RETENTION_TEMPORARY ||
        from.retention > HOLDFAST_RETENTION_ARCHIVAL) {
        return bad_argument("there is no retention " + std::to_string(from.retention));
    }
    out.retention = static_cast<Retention>(from.retention);
    return out;
}

Done take_registration(holdfast_prover& prover, const Registration& registration,
                       std::uint8_t* chain_id) {
    if (const Verdict v = check_registration(prover.params, prover.id, registration); !v) {
        return refused(v, "the registration");
    }
    const ChainId id = registration.chain_id(prover.id);
    const ReplicaId replica_id = registration.replica_id(prover.id);
    HOLDFAST_ASSIGN(member, member_of_replica(prover.set, replica_id));
    if (member->sealed_root != registration.sealed_root) {
        return refused(Reason::kSealedMismatch, "the registration, beside the replica here");
    }
    if (member->chain_id && *member->chain_id != id) {
        return bad_argument("this replica has another chain already");
    }
    OwnedChain owned;
    owned.chain_id = id;
    owned.replica_id = replica_id;
    owned.sealed_root = registration.sealed_root;
    prover.told.tell(replica_id, owned);
    const std::filesystem::path path = member->replica;
    HOLDFAST_TRY(prover.set.find_chains(prover.told, {}));
    const std::lock_guard lock(prover.mutex);
    prover.registrations.insert_or_assign(id, registration);
    prover.replicas.insert_or_assign(id, path);
    put_optional(chain_id, id);
    return {};
}

}  // namespace
}  // namespace holdfast::capi

holdfast_prover::holdfast_prover(const NetworkParams& from, std::shared_ptr<const KeyPair> key,
                                 ProverSet members, std::uint32_t wanted_threads,
                                 std::size_t responses_at_once)
    : params(from),
      id(from.id()),
      signer(std::move(key)),
      threads(wanted_threads),
      set(std::move(members)),
      responder(from, steady_ns, responder_options(responses_at_once)) {}

Got<holdfast_prover::Chain> holdfast_prover::chain(const ChainId& chain_id) const {
    const std::optional<std::uint32_t> member = set.member_of(chain_id);
    if (member) return Chain{*member, set.members()[*member].replica};
    return failure(HOLDFAST_NOT_FOUND,
                   "no replica of chain " + to_hex(chain_id) + " is in this prover");
}

Got<Registration> holdfast_prover::registration(const ChainId& chain_id) const {
    const std::lock_guard lock(mutex);
    const auto found = registrations.find(chain_id);
    if (found != registrations.end()) return found->second;
    return failure(HOLDFAST_NOT_FOUND, "the registration of chain " + to_hex(chain_id) +
                                           " was not told: holdfast_prover_note_registration");
}

Result<Replica> holdfast_prover::open(const std::filesystem::path& replica) const {
    const ProverFiles files = ProverFiles::beside(replica);
    return Replica::open(files.replica, files.tree, params);
}

Got<Reveal> holdfast_prover::reveal(std::uint32_t member, std::optional<Height> base,
                                    Height height) {
    if (!base) return Reveal{};
    HOLDFAST_ASSIGN(chain, set.reveals(member, *base));
    const Checked<Reveal> at = chain->at_height(height);
    if (!at) return refused(at.error(), "the reveal of height " + std::to_string(height.value));
    return *at;
}

holdfast_status holdfast_prover_open(const holdfast_network* network, const holdfast_signer* signer,
                                     const char* records, const holdfast_prover_options* options,
                                     holdfast_prover** out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        HOLDFAST_TRY(check_handle(signer, "signer"));
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(folder, text_of(records, "records"));
        HOLDFAST_ASSIGN(given, read_optional(options, "options"));
        ProverSetOptions how;
        if (given.open_files != 0) how.open_files = given.open_files;
        if (given.kept_heights != 0) how.kept_heights = given.kept_heights;
        HOLDFAST_ASSIGN(set, ProverSet::open(network->params, signer->own(), folder, how));
        *out = new holdfast_prover(network->params, signer->key, std::move(set), given.threads,
                                   given.responses_at_once);
        return {};
    });
}

void holdfast_prover_free(holdfast_prover* prover) { free_handle(prover); }

holdfast_status holdfast_prover_add(holdfast_prover* prover, const char* replica,
                                    uint8_t replica_id[32]) {
    return run_alone(prover, "prover", [&]() -> Done {
        HOLDFAST_ASSIGN(path, text_of(replica, "replica"));
        HOLDFAST_TRY(prover->set.add(path));
        for (const SetMember& member : prover->set.members()) {
            if (member.replica == path) put_optional(replica_id, member.replica_id);
        }
        return {};
    });
}

holdfast_status holdfast_prover_remove(holdfast_prover* prover, const char* replica,
                                       uint64_t* removed) {
    return run_alone(prover, "prover", [&]() -> Done {
        HOLDFAST_ASSIGN(path, text_of(replica, "replica"));
        HOLDFAST_ASSIGN(count, prover->set.remove(path));
        put_number(removed, count);
        const std::lock_guard lock(prover->mutex);
        std::erase_if(prover->replicas, [&](const auto& told) {
            if (prover->set.member_of(told.first)) return false;
            if (prover->answered_for.erase(told.first) > 0) {
                (void)prover->responder.remove_chain(told.first);
            }
            return true;
        });
        return {};
    });
}

holdfast_status holdfast_prover_count(const holdfast_prover* prover, uint64_t* out) {
    return run_alone(prover, "prover", [&]() -> Done {
        if (out == nullptr) return missing("out");
        *out = prover->set.members().size();
        return {};
    });
}

holdfast_status holdfast_prover_to_json(const holdfast_prover* prover, char* out,
                                        size_t* out_bytes) {
    return run_alone(prover, "prover", [&]() -> Done {
        json::Json replicas = json::Json::array();
        for (const SetMember& member : prover->set.members()) {
            json::Json one = {{"replica", json::utf8_text(member.replica)},
                              {"replica_id", to_hex(member.replica_id)},
                              {"sealed_root", to_hex(member.sealed_root)},
                              {"chunks", member.chunks.value}};
            one["chain_id"] =
                member.chain_id ? json::Json(to_hex(*member.chain_id)) : json::Json(nullptr);
            replicas.push_back(std::move(one));
        }
        const json::Json all = {{"public_key", to_hex(prover->signer->public_key())},
                                {"replicas", std::move(replicas)}};
        return put_text(json::dump(all), out, out_bytes);
    });
}

holdfast_status holdfast_prover_make_registration(holdfast_prover* prover,
                                                  const uint8_t replica_id[32],
                                                  const holdfast_registration_terms* terms,
                                                  uint8_t* out, size_t* out_bytes,
                                                  uint8_t chain_id[32]) {
    return run_alone(prover, "prover", [&]() -> Done {
        HOLDFAST_ASSIGN(wanted, fixed_of<ReplicaId>(replica_id, "replica_id"));
        HOLDFAST_ASSIGN(given, read_struct(terms, "terms"));
        HOLDFAST_ASSIGN(what, terms_from(given));
        HOLDFAST_TRY(need_room(HOLDFAST_REGISTRATION_BYTES, out, out_bytes));
        HOLDFAST_ASSIGN(member, member_of_replica(prover->set, wanted));
        HOLDFAST_ASSIGN(replica, prover->open(member->replica));
        HOLDFAST_ASSIGN(registration,
                        make_registration(prover->params, replica.header(), what, *prover->signer));
        put_optional(chain_id, registration.chain_id(prover->id));
        return put_bytes(wrap_object(Kind::kRegistration, registration.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_prover_note_registration(holdfast_prover* prover,
                                                  const uint8_t* registration,
                                                  size_t registration_bytes, uint8_t chain_id[32]) {
    return run_alone(prover, "prover", [&]() -> Done {
        HOLDFAST_ASSIGN(object, view_of(registration, registration_bytes, "registration"));
        HOLDFAST_ASSIGN(decoded,
                        object_as<Registration>(Kind::kRegistration, object, "the registration"));
        return take_registration(*prover, decoded, chain_id);
    });
}

holdfast_status holdfast_prover_make_update(holdfast_prover* prover, const uint8_t chain_id[32],
                                            uint32_t sequence, uint64_t effective,
                                            uint32_t with_commitment, uint8_t* out,
                                            size_t* out_bytes) {
    return run_alone(prover, "prover", [&]() -> Done {
        HOLDFAST_ASSIGN(id, fixed_of<ChainId>(chain_id, "chain_id"));
        HOLDFAST_ASSIGN(chain, prover->chain(id));
        HOLDFAST_TRY(need_room(HOLDFAST_UPDATE_BYTES, out, out_bytes));
        Reveal commitment;
        if (with_commitment != 0) {
            HOLDFAST_ASSIGN(reveals, prover->set.reveals(chain.member, Height(effective)));
            commitment = reveals->commitment();
        }
        HOLDFAST_ASSIGN(update, make_update(prover->id, id, sequence, Height(effective), commitment,
                                            *prover->signer));
        return put_bytes(wrap_object(Kind::kUpdate, update.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_prover_make_removal(holdfast_prover* prover, const uint8_t chain_id[32],
                                             uint32_t sequence, uint64_t tip, uint8_t* out,
                                             size_t* out_bytes) {
    return run_alone(prover, "prover", [&]() -> Done {
        HOLDFAST_ASSIGN(id, fixed_of<ChainId>(chain_id, "chain_id"));
        HOLDFAST_TRY(prover->chain(id));
        HOLDFAST_TRY(need_room(HOLDFAST_REMOVAL_BYTES, out, out_bytes));
        HOLDFAST_ASSIGN(removal,
                        make_removal(prover->id, id, sequence, Height(tip), *prover->signer));
        return put_bytes(wrap_object(Kind::kRemoval, removal.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_prover_reveal(holdfast_prover* prover, const uint8_t chain_id[32],
                                       uint64_t base, uint64_t height, uint8_t out[32]) {
    return run_alone(prover, "prover", [&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(id, fixed_of<ChainId>(chain_id, "chain_id"));
        HOLDFAST_ASSIGN(chain, prover->chain(id));
        HOLDFAST_ASSIGN(reveal, prover->reveal(chain.member, Height(base), Height(height)));
        put_fixed(out, reveal);
        return {};
    });
}
