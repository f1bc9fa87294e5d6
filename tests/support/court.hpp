// Whoever judges evidence from public data: a registry's chains and the blocks that it was fed.
#pragma once

#include "api/link_prover.hpp"
#include "proofs/evidence.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {

class Court {
  public:
    explicit Court(RegistryWorld& world) {
        Registry& registry = world.registry();
        knowledge_.params = world.params();
        knowledge_.network_id = registry.network_id();
        knowledge_.chain = [&registry](const ChainId& id,
                                       Height h) -> Result<std::optional<KnownChain>> {
            HOLDFAST_ASSIGN(known, registry.chain(id));
            if (!known) return std::optional<KnownChain>{};
            HOLDFAST_ASSIGN(chain, registry.known_chain(id, h));
            return std::optional(chain);
        };
        knowledge_.final_block = [&registry](Height h) -> Result<std::optional<BlockHash>> {
            HOLDFAST_ASSIGN(block, registry.block(h));
            return block ? std::optional(block->hash) : std::nullopt;
        };
        knowledge_.y = [&registry](Height h) -> Result<std::optional<VdfOutput>> {
            HOLDFAST_ASSIGN(block, registry.block(h));
            return block ? block->y : std::nullopt;
        };
    }
    /// Through its encoding, as evidence travels.
    [[nodiscard]] Judgement judge(const Evidence& evidence) const {
        const auto decoded = Evidence::decode(evidence.encode());
        if (!decoded) return {decoded.error(), {}, {}};
        return must(judge_evidence(knowledge_, *decoded));
    }
    [[nodiscard]] Reason reason(const Evidence& evidence) const {
        return judge(evidence).verdict.reason;
    }

  private:
    EvidenceKnowledge knowledge_;
};

/// The claim of a link that somebody signed, with everything that it commits to.
inline LinkClaim claim_of(const SignedLink& link) {
    return {link.opening.facts.chain_id,
            link.opening.facts.block_hash,
            link.receipt,
            link.opening.facts.link_before,
            link.opening.e,
            opening_root(link.opening.openings)};
}

}  // namespace holdfast::test
