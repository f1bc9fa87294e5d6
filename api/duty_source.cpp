#include "api/duty_source.hpp"

#include <utility>

namespace holdfast {
namespace {

OwnedChain owned(const NetworkId& network_id, const ChainInfo& info) {
    return {info.chain_id, info.registration.replica_id(network_id), info.registration.sealed_root,
            info.phase, info.status};
}

}  // namespace

RegistryDuties::RegistryDuties(Registry& registry, List list)
    : registry_(registry), list_(std::move(list)) {}

Result<std::optional<Height>> RegistryDuties::tip() { return registry_.tip(); }
Result<std::vector<Height>> RegistryDuties::open_heights() { return registry_.open_heights(); }
Result<std::vector<Height>> RegistryDuties::proof_heights() { return registry_.proof_heights(); }
Result<KnownHeight> RegistryDuties::known_height(Height height) {
    return registry_.known_height(height);
}

Result<std::vector<DueLink>> RegistryDuties::due_links(Height height, const Wanted& wanted) {
    return registry_.due_links(height, wanted);
}
Result<std::vector<DueProof>> RegistryDuties::due_proofs(Height height, const Wanted& wanted) {
    return registry_.due_proofs(height, wanted);
}
Result<std::vector<SealDuty>> RegistryDuties::due_seal_proofs(const Wanted& wanted) {
    return registry_.due_seal_proofs(wanted);
}
Result<std::vector<DueUpdate>> RegistryDuties::due_updates(const Wanted& wanted) {
    return registry_.due_updates(wanted);
}

Result<std::optional<Registration>> RegistryDuties::registration(const ChainId& chain_id) {
    HOLDFAST_ASSIGN(info, registry_.chain(chain_id));
    return info ? std::optional(info->registration) : std::nullopt;
}
Result<std::optional<OwnedChain>> RegistryDuties::chain_of_replica(const ReplicaId& replica_id) {
    HOLDFAST_ASSIGN(chain_id, registry_.chain_of_replica(replica_id));
    if (!chain_id) return std::nullopt;
    HOLDFAST_ASSIGN(info, registry_.chain(*chain_id));
    if (!info) return std::nullopt;
    return std::optional(owned(registry_.network_id(), *info));
}

Result<std::vector<OwnedChain>> RegistryDuties::chains_of(const PublicKey& prover) {
    std::vector<OwnedChain> out;
    HOLDFAST_TRY(registry_.for_each_chain([&](const ChainInfo& info) {
        if (info.registration.header.prover == prover) {
            out.push_back(owned(registry_.network_id(), info));
        }
        return true;
    }));
    return out;
}

/// Through the journal's door, all in one transaction; or onto the chain.
Result<std::vector<ObjectOutcome>> RegistryDuties::accept(std::span<const ByteView> objects,
                                                          const SealCheck& check) {
    if (registry_.params().has_operator()) return registry_.accept(objects, check);
    std::vector<ObjectOutcome> out;
    for (const ByteView object : objects) {
        const Checked<Kind> kind = peek_kind(object);
        if (!kind) return fail_refused(kind.error(), "an object of ours");
        HOLDFAST_TRY(list(*kind, object));
        out.emplace_back().kind = *kind;
    }
    return out;
}

Status RegistryDuties::list(Kind kind, ByteView object) {
    if (!list_) return fail(ErrorCode::kUnsupported, "no way to the host chain");
    return list_(kind, object);
}

}  // namespace holdfast
