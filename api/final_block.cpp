#include "api/final_block.hpp"

#include <set>

namespace holdfast {

Result<FinalBlock> final_block(Blockchain& chain, Height height) {
    HOLDFAST_ASSIGN(block, chain.block_by_height(height));
    if (!block.final) {
        return fail(ErrorCode::kUnavailable,
                    "block " + std::to_string(height.value) + " of the host chain is not final");
    }
    HOLDFAST_ASSIGN(bonds, chain.bond_events_at(height));
    HOLDFAST_ASSIGN(objects, chain.submissions_at(height));
    return FinalBlock{height, block.hash, block.time_ms, {std::move(bonds), std::move(objects)}};
}

namespace {

/// What is worth a full verification (spec 15.2).
Result<bool> may_give_y(const Registry& registry, const VdfProof& proof) {
    HOLDFAST_ASSIGN(record, registry.block(proof.height));
    if (!record || record->y || record->closed) return false;
    const Digest evaluator{proof.evaluator.bytes};
    HOLDFAST_ASSIGN(part, registry.part(BondPurpose::kEvaluator, evaluator));
    return part.has_value();
}

}  // namespace

Result<std::map<std::size_t, VdfOutput>> listed_outputs(const Registry& registry,
                                                        const FinalBlock& block,
                                                        const OutputCheck& check) {
    std::map<std::size_t, VdfOutput> out;
    if (registry.params().has_operator()) return out;
    std::set<std::pair<PublicKey, Height>> seen;
    for (std::size_t i = 0; i < block.listed.objects.size(); ++i) {
        const Submission& submission = block.listed.objects[i];
        if (submission.kind != Kind::kVdfProof) continue;
        const Checked<ByteView> body = unwrap_object(submission.kind, submission.object);
        const Checked<VdfProof> proof = body ? VdfProof::decode(*body) : refuse(body.error());
        if (!proof || !seen.emplace(proof->evaluator, proof->height).second) continue;
        HOLDFAST_ASSIGN(worth, may_give_y(registry, *proof));
        if (!worth) continue;
        HOLDFAST_ASSIGN(verdict, check(*proof));
        if (verdict) out.emplace(i, proof->y);
    }
    return out;
}

}  // namespace holdfast
