#include "api/prover.hpp"

namespace holdfast {

ProverFiles ProverFiles::beside(const std::filesystem::path& replica) {
    ProverFiles files{replica, replica, replica};
    files.tree.replace_extension(".tree");
    files.records.replace_extension(".chain");
    return files;
}

Result<Registration> make_registration(const NetworkParams& params, const FileHeader& sealed,
                                       const RegistrationTerms& terms, const KeyPair& key) {
    if (sealed.replica.prover != key.public_key()) {
        return fail(ErrorCode::kInvalidArgument,
                    "the replica was sealed for another key; use the key that it was sealed with");
    }
    const NetworkId network_id = params.id();
    Registration registration;
    registration.header = sealed.replica;
    registration.sealed_root = sealed.sealed_root;
    registration.genesis_height = terms.genesis_height;
    registration.genesis_block_hash = terms.genesis_block_hash;
    registration.retention = terms.retention;
    registration.bond_id = terms.bond_id;
    if (terms.with_commitment) {
        HOLDFAST_ASSIGN(
            reveals, RevealChain::make(network_id, sealed.replica_id, terms.genesis_height, key));
        registration.local_commitment = reveals.commitment();
    }
    HOLDFAST_ASSIGN(signed_one, sign_registration(network_id, registration, key));
    if (const Verdict v = check_registration(params, network_id, signed_one); !v) {
        return fail_refused(v, "the registration");
    }
    return signed_one;
}

Prover::Prover(const NetworkParams& params, Registration registration, KeyPair key, Replica replica,
               LinkRecords records)
    : params_(params),
      network_id_(params.id()),
      registration_(std::move(registration)),
      chain_id_(registration_.chain_id(network_id_)),
      key_(std::move(key)),
      replica_(std::move(replica)),
      records_(std::move(records)) {}

Result<Prover> Prover::open(const NetworkParams& params, const ProverFiles& files,
                            const Registration& registration, KeyPair key) {
    HOLDFAST_ASSIGN(replica, Replica::open(files.replica, files.tree, params));
    if (replica.header().replica != registration.header ||
        replica.header().sealed_root != registration.sealed_root) {
        return fail(ErrorCode::kInvalidArgument,
                    files.replica.string() + ": the registration is of another replica");
    }
    if (registration.header.prover != key.public_key()) {
        return fail(ErrorCode::kInvalidArgument,
                    "the key is not the one that the replica was sealed and registered with");
    }
    HOLDFAST_ASSIGN(records, LinkRecords::open(files.records));
    return Prover(params, registration, std::move(key), std::move(replica), std::move(records));
}

Result<RevealChain*> Prover::reveals(Height base) {
    const auto found = reveals_.find(base.value);
    if (found != reveals_.end()) return &found->second;
    HOLDFAST_ASSIGN(chain, RevealChain::make(network_id_, replica_.id(), base, key_));
    return &reveals_.emplace(base.value, std::move(chain)).first->second;
}

Result<SealProof> Prover::seal_proof(Height y_height, const VdfOutput& y, SealProofKind kind,
                                     const RawOptions& options) {
    return make_seal_proof(params_, network_id_, registration_, replica_, y_height, y, kind, key_,
                           options);
}

Result<SignedLink> Prover::link(const LinkRequest& request) {
    LinkFacts facts{chain_id_, request.height, request.block_hash,
                    request.y, request.anchor, request.link_before,
                    Reveal{}};
    if (request.reveal_base) {
        HOLDFAST_ASSIGN(chain, reveals(*request.reveal_base));
        const Checked<Reveal> reveal = chain->at_height(request.height);
        if (!reveal) return fail_refused(reveal.error(), "the reveal of this height");
        facts.reveal = *reveal;
    }
    return make_link(network_id_, replica_, facts, key_, records_);
}

Result<Bundle> Prover::bundle(const SignedLink& link) const {
    // The link is on record: this says no more than its receipt does.
    const LinkFacts& facts = link.opening.facts;
    return make_bundle(network_id_, facts.block_hash, facts.height, facts.anchor,
                       {{chain_id_, link.opening.link}}, key_);
}

Result<Compact> Prover::compact(const SignedLink& link, const PathProof& path,
                                const VdfOutput& y_compact) const {
    return to_compact(network_id_, replica_, link, path, y_compact);
}

Result<Update> Prover::update(std::uint32_t sequence, Height effective, bool with_commitment) {
    Reveal commitment;
    if (with_commitment) {
        HOLDFAST_ASSIGN(chain, reveals(effective));
        commitment = chain->commitment();
    }
    return make_update(network_id_, chain_id_, sequence, effective, commitment, key_);
}

Result<Removal> Prover::removal(std::uint32_t sequence, Height tip) const {
    return make_removal(network_id_, chain_id_, sequence, tip, key_);
}

}  // namespace holdfast
