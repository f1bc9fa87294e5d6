#include "simulation/singles.hpp"

#include <utility>

#include "storage/parallel.hpp"

namespace holdfast::simulation {
namespace {

template <class Proof>
Checked<AnyShort> decode_as(Kind kind, ByteView object) {
    const Checked<ByteView> body = unwrap_object(kind, object);
    if (!body) return refuse(body.error());
    Checked<Proof> proof = Proof::decode(*body);
    if (!proof) return refuse(proof.error());
    return AnyShort(std::move(*proof));
}

Checked<AnyShort> decode_short(ByteView object) {
    const Checked<Kind> kind = peek_kind(object);
    if (kind && *kind == Kind::kShortFull) return decode_as<ShortFull>(*kind, object);
    return decode_as<ShortCompact>(Kind::kShortCompact, object);
}

}  // namespace

std::vector<Bytes> one_by_one(const NetworkId& network_id, const KnownHeight& known,
                              const Bundle& bundle, const KeyPair& key) {
    std::vector<Bytes> out(bundle.members.size());
    for_each_parallel(out.size(), 0, [&](std::size_t i) {
        const Result<Bundle> single = make_bundle(network_id, known.block_hash, known.height,
                                                  known.anchor, {bundle.members[i]}, key);
        out[i] = wrap_object(Kind::kBundle, single.value().encode());
    });
    return out;
}

WholeProofs::WholeProofs(const NetworkId& network_id, const KnownHeight& known, HierarchyTree tree)
    : network_id_(network_id), known_(known), tree_(std::move(tree)) {
    tree_.for_each([&](std::uint64_t slot, const ChainLeaf& leaf) {
        slots_.insert_or_assign(leaf.chain_id, slot);
    });
}

void WholeProofs::note(const std::vector<DueProof>& due) {
    for (const DueProof& d : due) due_.insert_or_assign(d.chain_id, d);
}

Result<Bytes> WholeProofs::of(ByteView object, const KeyPair& key) const {
    const Checked<AnyShort> proof = decode_short(object);
    if (!proof) return fail_refused(proof.error(), "a short proof");
    const ChainId& chain_id = chain_of(*proof);
    const auto due = due_.find(chain_id);
    const auto slot = slots_.find(chain_id);
    if (height_of(*proof) != known_.height || due == due_.end() || slot == slots_.end()) {
        return fail(ErrorCode::kNotFound, "a proof that is not due");
    }
    const DueProof& link = due->second;
    Receipt receipt{link.link, known_.height, known_.anchor, {}};
    HOLDFAST_ASSIGN(signature,
                    key.sign(view(receipt_digest(network_id_, chain_id, known_.height,
                                                 known_.block_hash, known_.anchor, link.link))));
    receipt.signature = signature;
    if (const auto* full = std::get_if<ShortFull>(&*proof)) {
        const Full whole{receipt,      chain_id,    link.link_before,
                         full->reveal, full->cells, full->siblings};
        return wrap_object(Kind::kFull, whole.encode());
    }
    const auto& brief = std::get<ShortCompact>(*proof);
    const Checked<PathProof> path = tree_.path(slot->second);
    if (!path) return fail_refused(path.error(), "a path");
    const Compact whole{receipt,      chain_id,          link.link_before,
                        brief.reveal, path->leaf.status, path->path,
                        brief.cell,   brief.cell_path,   brief.opening_path};
    return wrap_object(Kind::kCompact, whole.encode());
}

}  // namespace holdfast::simulation
