// Acknowledgements (kind 26): a node's signed word that an object was durable with it, and will
// stand in its operator's journal before the digest of that height closes. 168 bytes.
//
// Plain values and pure functions; any thread. Spec: docs/spec.md
// section 13 (acknowledgements).
#pragma once

#include "core/codec.hpp"
#include "core/constants.hpp"
#include "core/keys.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// A node's signed word that an object was durable with it (kind 26, 168 bytes).
struct Acknowledgement {
    PublicKey host;
    Digest object;         // SHA-256 of the object standing alone: version, kind and body
    Height height;         // of the node's newest final block when the object was on its device
    BlockHash block_hash;  // of that block
    Signature signature;
    friend bool operator==(const Acknowledgement&, const Acknowledgement&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<Acknowledgement> decode(ByteView body);
    /// What the signature is over.
    [[nodiscard]] Digest digest(const NetworkId& network_id) const;
};

/// Of an object that is durable with the key's owner; `object` stands alone.
[[nodiscard]] Result<Acknowledgement> make_acknowledgement(const NetworkId& network_id,
                                                           ByteView object, Height height,
                                                           const BlockHash& block_hash,
                                                           const KeyPair& key);

/// That this node has acknowledged this object: kWrongHost, kBadKey (may not be registered),
/// kWrongObject, kBadSignature. Height and block are the node's word: whoever judges it compares
/// them with the final chain.
[[nodiscard]] Verdict check_acknowledgement(const NetworkId& network_id, const PublicKey& host,
                                            ByteView object,
                                            const Acknowledgement& acknowledgement);

}  // namespace holdfast
