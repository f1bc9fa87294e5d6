#include "proofs/acknowledgement.hpp"

#include "core/hash.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kSignedBytes = kAcknowledgementBytes - Signature::kSize;

}  // namespace

// Spec 13, acknowledgement (kind 26).
Bytes Acknowledgement::encode() const {
    Writer w(kAcknowledgementBytes);
    w.fixed(host).fixed(object).height(height).fixed(block_hash).fixed(signature);
    return w.take();
}

Checked<Acknowledgement> Acknowledgement::decode(ByteView body) {
    Reader r(body);
    Acknowledgement out;
    out.host = r.fixed<PublicKey>();
    out.object = r.fixed<Digest>();
    out.height = r.height();
    out.block_hash = r.fixed<BlockHash>();
    out.signature = r.fixed<Signature>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

Digest Acknowledgement::digest(const NetworkId& network_id) const {
    const Bytes body = encode();
    return tagged_hash("ack", network_id, ByteView(body).first(kSignedBytes));
}

Result<Acknowledgement> make_acknowledgement(const NetworkId& network_id, ByteView object,
                                             Height height, const BlockHash& block_hash,
                                             const KeyPair& key) {
    Acknowledgement out{key.public_key(), sha256(object), height, block_hash, {}};
    HOLDFAST_ASSIGN(signature, key.sign(view(out.digest(network_id))));
    out.signature = signature;
    return out;
}

// Spec 13, acknowledgement: the checks.
Verdict check_acknowledgement(const NetworkId& network_id, const PublicKey& host, ByteView object,
                              const Acknowledgement& acknowledgement) {
    if (acknowledgement.host != host) return Reason::kWrongHost;
    HOLDFAST_REQUIRE_OK(check_registrable_key(host));
    if (acknowledgement.object != sha256(object)) return Reason::kWrongObject;
    return verify_signature(host, view(acknowledgement.digest(network_id)),
                            acknowledgement.signature);
}

}  // namespace holdfast
