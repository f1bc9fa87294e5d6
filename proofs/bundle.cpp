#include "proofs/bundle.hpp"

#include <algorithm>

#include "core/hash.hpp"

namespace holdfast {
namespace {

std::vector<Digest> entry_leaves(std::span<const BundleEntry> entries) {
    std::vector<Digest> leaves(entries.size());
    if (entries.empty()) return leaves;
    sha256_batch({entries.data()->chain_id.data(), kBundleEntryBytes, sizeof(BundleEntry),
                  entries.size(), std::uint8_t{0}},
                 leaves);
    return leaves;
}

// Spec 7, bundle (1): n in bounds.
Verdict check_count(std::uint64_t n) {
    if (n == 0) return Reason::kBadField;
    return n <= kBundleMaxMembers ? Reason::kOk : Reason::kTooLarge;
}

// Spec 7, bundle (1): strictly ascending by chain_id.
Verdict check_order(std::span<const BundleEntry> members) {
    for (std::size_t i = 1; i < members.size(); ++i) {
        if (members[i - 1].chain_id >= members[i].chain_id) return {Reason::kMemberOrder, i};
    }
    return Verdict::ok();
}

}  // namespace

// Spec 7, bundle (kind 22): what is signed.
Digest bundle_digest(const NetworkId& network_id, const PublicKey& prover, Height height,
                     const BlockHash& block_hash, const GlobalDigest& anchor, std::uint32_t n,
                     const Digest& root) {
    return tagged_hash("bundle", network_id, prover, height, block_hash, anchor, n, root);
}

// --- bundles -------------------------------------------------------------------------------------

// Spec 7, bundle (kind 22).
Bytes Bundle::encode() const {
    Writer w(kBundleFixedBytes + members.size() * kBundleEntryBytes);
    w.fixed(prover).height(height).fixed(anchor);
    w.u32(static_cast<std::uint32_t>(members.size()));
    for (const BundleEntry& m : members) w.fixed(m.chain_id).fixed(m.link);
    w.fixed(signature);
    return w.take();
}

Checked<Bundle> Bundle::decode(ByteView body) {
    Reader r(body);
    Bundle out;
    out.prover = r.fixed<PublicKey>();
    out.height = r.height();
    out.anchor = r.fixed<GlobalDigest>();
    const std::uint32_t n = r.u32();
    if (r.failed()) return refuse(r.verdict());
    if (const Verdict v = check_count(n); !v) return refuse(v);
    if (r.remaining() / kBundleEntryBytes < n) return refuse(Reason::kTruncated);
    out.members.resize(n);
    for (BundleEntry& m : out.members) {
        m.chain_id = r.fixed<ChainId>();
        m.link = r.fixed<Link>();
    }
    out.signature = r.fixed<Signature>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    if (const Verdict v = check_order(out.members); !v) return refuse(v);
    return out;
}

Digest Bundle::digest(const NetworkId& network_id, const BlockHash& block_hash) const {
    return bundle_digest(network_id, prover, height, block_hash, anchor,
                         static_cast<std::uint32_t>(members.size()),
                         merkle_root(entry_leaves(members)));
}

Checked<Bundle> unsigned_bundle(const PublicKey& prover, Height height, const GlobalDigest& anchor,
                                std::vector<BundleEntry> members) {
    if (const Verdict v = check_count(members.size()); !v) return refuse(v);
    std::sort(members.begin(), members.end(),
              [](const BundleEntry& a, const BundleEntry& b) { return a.chain_id < b.chain_id; });
    if (const Verdict v = check_order(members); !v) return refuse(v);
    return Bundle{prover, height, anchor, std::move(members), {}};
}

Result<Bundle> make_bundle(const NetworkId& network_id, const BlockHash& block_hash, Height height,
                           const GlobalDigest& anchor, std::vector<BundleEntry> members,
                           const KeyPair& key) {
    Checked<Bundle> bundle = unsigned_bundle(key.public_key(), height, anchor, std::move(members));
    if (!bundle) return fail_refused(bundle.error(), "the bundle");
    HOLDFAST_ASSIGN(signature, key.sign(view(bundle->digest(network_id, block_hash))));
    bundle->signature = signature;
    return std::move(*bundle);
}

// --- members -------------------------------------------------------------------------------------

void BundledLink::encode(Writer& w) const {
    w.fixed(link).height(height).fixed(anchor).u32(n).u32(index).digests(path).fixed(signature);
}

BundledLink BundledLink::decode(Reader& r) {
    BundledLink out;
    out.link = r.fixed<Link>();
    out.height = r.height();
    out.anchor = r.fixed<GlobalDigest>();
    out.n = r.u32();
    out.index = r.u32();
    if (const Verdict v = check_count(out.n); !v) r.refuse(v.reason);
    if (out.index >= out.n) r.refuse(Reason::kBadIndex);
    if (r.failed()) return out;
    out.path.resize(path_length(out.n, out.index));
    for (Digest& d : out.path) d = r.fixed<Digest>();
    out.signature = r.fixed<Signature>();
    return out;
}

// Spec 7, member (kind 23).
Bytes Member::encode() const {
    Writer w(kMemberFixedBytes + bundled.path.size() * kDigestBytes);
    w.fixed(chain_id);
    bundled.encode(w);
    return w.take();
}

Checked<Member> Member::decode(ByteView body) {
    Reader r(body);
    Member out;
    out.chain_id = r.fixed<ChainId>();
    out.bundled = BundledLink::decode(r);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

BundleTree::BundleTree(const Bundle& bundle)
    : bundle_(bundle), tree_(entry_leaves(bundle.members)) {}

Member BundleTree::member(std::uint32_t index) const {
    HOLDFAST_CHECK(index < bundle_.members.size());
    const BundleEntry& entry = bundle_.members[index];
    return {entry.chain_id,
            {entry.link, bundle_.height, bundle_.anchor,
             static_cast<std::uint32_t>(bundle_.members.size()), index, tree_.path(index),
             bundle_.signature}};
}

const Link& link_of(const LinkStatement& statement) {
    return std::visit([](const auto& s) -> const Link& { return s.link; }, statement);
}
Height height_of(const LinkStatement& statement) {
    return std::visit([](const auto& s) { return s.height; }, statement);
}
const GlobalDigest& anchor_of(const LinkStatement& statement) {
    return std::visit([](const auto& s) -> const GlobalDigest& { return s.anchor; }, statement);
}

}  // namespace holdfast
