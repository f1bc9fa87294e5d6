#include "proofs/bundle_verify.hpp"

#include "core/merkle.hpp"

namespace holdfast {
namespace {

Verdict check_signed(const NetworkId& network_id, const KnownChain& chain,
                     const BlockHash& block_hash, const Receipt& receipt) {
    return check_receipt_signature(network_id, chain, block_hash, receipt);
}

Verdict check_signed(const NetworkId& network_id, const KnownChain& chain,
                     const BlockHash& block_hash, const BundledLink& bundled) {
    Writer leaf(kBundleEntryBytes);
    leaf.fixed(chain.id).fixed(bundled.link);
    const auto root =
        root_from_path(bundled.n, bundled.index, leaf_hash(leaf.bytes()), bundled.path);
    if (!root) return root.error();
    const Digest digest = bundle_digest(network_id, chain.prover, bundled.height, block_hash,
                                        bundled.anchor, bundled.n, *root);
    return verify_signature(chain.prover, view(digest), bundled.signature);
}

}  // namespace

// Spec 7, bundle (2) to (5).
Verdict verify_bundle(const NetworkId& network_id, const KnownHeight& known, const Bundle& bundle) {
    HOLDFAST_REQUIRE_OK(check_place(known, bundle.height, bundle.anchor));
    HOLDFAST_REQUIRE_OK(check_registrable_key(bundle.prover));
    return verify_signature(bundle.prover, view(bundle.digest(network_id, known.block_hash)),
                            bundle.signature);
}

// Spec 7, bundle: the chain's prover is prover_pk.
Verdict check_member_prover(const KnownChain& chain, const PublicKey& prover) {
    return chain.prover == prover ? Reason::kOk : Reason::kWrongProver;
}

// Spec 7, member (2) to (4).
Verdict verify_member(const NetworkId& network_id, const KnownChain& chain,
                      const KnownHeight& known, const Member& member) {
    if (member.chain_id != chain.id) return Reason::kWrongChain;
    HOLDFAST_REQUIRE_OK(check_place(known, member.bundled.height, member.bundled.anchor));
    return check_signed(network_id, chain, known.block_hash, member.bundled);
}

Verdict check_statement(const NetworkId& network_id, const KnownChain& chain,
                        const BlockHash& block_hash, const LinkStatement& statement) {
    return std::visit([&](const auto& s) { return check_signed(network_id, chain, block_hash, s); },
                      statement);
}

}  // namespace holdfast
