// Bundles: one signature over all links of a key and height (kind 22), and what a bundle says of
// one chain, standing alone (kind 23).
//
// Plain values and pure functions; any thread. decode() checks every
// length before it allocates and accepts one encoding of each value; whether anything is true is
// proofs/bundle_verify.hpp's to say. Spec: docs/spec.md section 7.
#pragma once

#include <span>
#include <variant>
#include <vector>

#include "core/codec.hpp"
#include "core/keys.hpp"
#include "core/merkle.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/link.hpp"

namespace holdfast {

/// One chain and its link; 64 bytes, a leaf's data of the bundle's tree.
struct BundleEntry {
    ChainId chain_id;
    Link link;
    friend bool operator==(const BundleEntry&, const BundleEntry&) = default;
};
static_assert(sizeof(BundleEntry) == kBundleEntryBytes);

/// What a bundle's signature is over; `root` is MTH over its n members.
[[nodiscard]] Digest bundle_digest(const NetworkId& network_id, const PublicKey& prover,
                                   Height height, const BlockHash& block_hash,
                                   const GlobalDigest& anchor, std::uint32_t n, const Digest& root);

/// Kind 22, 140 + 64·n bytes.
struct Bundle {
    PublicKey prover;
    Height height;
    GlobalDigest anchor;
    std::vector<BundleEntry> members;  // 1 to 16,384, strictly ascending by chain
    Signature signature;
    friend bool operator==(const Bundle&, const Bundle&) = default;

    [[nodiscard]] Bytes encode() const;
    /// kBadField (no members), kTooLarge, kTruncated, kTrailingBytes, kMemberOrder (index: member).
    static Checked<Bundle> decode(ByteView body);
    /// What the signature is over.
    [[nodiscard]] Digest digest(const NetworkId& network_id, const BlockHash& block_hash) const;
};

/// A bundle without its signature: the members in their order. kBadField (none), kTooLarge,
/// kMemberOrder (one chain twice). Whoever signs bundle.digest() has recorded every link durably
/// first.
[[nodiscard]] Checked<Bundle> unsigned_bundle(const PublicKey& prover, Height height,
                                              const GlobalDigest& anchor,
                                              std::vector<BundleEntry> members);
/// The same, signed. kRefused as above; errors of the key.
[[nodiscard]] Result<Bundle> make_bundle(const NetworkId& network_id, const BlockHash& block_hash,
                                         Height height, const GlobalDigest& anchor,
                                         std::vector<BundleEntry> members, const KeyPair& key);

/// What a bundle says of one chain, without naming it: a member without its chain_id.
struct BundledLink {
    Link link;
    Height height;
    GlobalDigest anchor;
    std::uint32_t n = 1;
    std::uint32_t index = 0;
    std::vector<Digest> path;  // of leaf `index` of n
    Signature signature;       // the bundle's
    friend bool operator==(const BundledLink&, const BundledLink&) = default;

    void encode(Writer& w) const;
    /// Refuses kBadField (n is 0), kTooLarge (n), kBadIndex; the path's length follows from both.
    static BundledLink decode(Reader& r);
};

/// Kind 23, 176 + 32·p bytes.
struct Member {
    ChainId chain_id;
    BundledLink bundled;
    friend bool operator==(const Member&, const Member&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<Member> decode(ByteView body);
};

/// The tree over a bundle's members, for its root and for any number of members out of it. Keeps a
/// reference to the bundle.
class BundleTree {
  public:
    explicit BundleTree(const Bundle& bundle);
    [[nodiscard]] Digest root() const { return tree_.root(); }
    /// `index` is below the number of members.
    [[nodiscard]] Member member(std::uint32_t index) const;

  private:
    const Bundle& bundle_;
    MerkleTree tree_;
};

/// A signed link of one chain in either form: a receipt of its own, or out of a bundle.
using LinkStatement = std::variant<Receipt, BundledLink>;
[[nodiscard]] const Link& link_of(const LinkStatement& statement);
[[nodiscard]] Height height_of(const LinkStatement& statement);
[[nodiscard]] const GlobalDigest& anchor_of(const LinkStatement& statement);

}  // namespace holdfast
