// The operator's journal: its entries, the head that the operator signs once a height (kind 28),
// and what a head shows of an entry and of an earlier head.
//
// The journal is an append-only log, an RFC 9162 tree over its entries' bytes. Plain values and
// pure functions; any thread. What the entries do to a registry's state
// is the registry's. Spec: docs/spec.md section 10.8.
#pragma once

#include <span>
#include <variant>

#include "core/codec.hpp"
#include "core/constants.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

// --- entries -------------------------------------------------------------------------------------

/// Entry 1, 49 bytes: the operator has taken this final block. What the block lists follows from
/// the chain itself, in the block's order.
struct BlockEntry {
    Height height;
    BlockHash block_hash;
    std::uint64_t time_ms = 0;
    friend bool operator==(const BlockEntry&, const BlockEntry&) = default;
};

/// Entry 2, 41 bytes: y of the height, fully verified by the operator.
struct OutputEntry {
    Height height;
    VdfOutput y;
    friend bool operator==(const OutputEntry&, const OutputEntry&) = default;
};

/// Entry 3: one object that stands alone (version, kind, body).
struct ObjectEntry {
    Bytes object;
    friend bool operator==(const ObjectEntry&, const ObjectEntry&) = default;
};

using HistoryEntry = std::variant<BlockEntry, OutputEntry, ObjectEntry>;

/// The largest object of an entry: a bundle of 16,384 members.
inline constexpr std::size_t kMaxEntryObjectBytes =
    2 + kBundleFixedBytes + kBundleMaxMembers * kBundleEntryBytes;

[[nodiscard]] Bytes encode_entry(const HistoryEntry& entry);
/// kTruncated, kTrailingBytes, kBadField (no such form), kTooLarge, and for an object that does not
/// begin as one kBadVersion and kBadKind. Its body is not looked into.
[[nodiscard]] Checked<HistoryEntry> decode_entry(ByteView bytes);
/// The entry's leaf in the journal's tree: RFC 9162's hash of its bytes.
[[nodiscard]] Digest entry_hash(ByteView entry);

// --- heads ---------------------------------------------------------------------------------------

/// What a head's signature covers: everything before it.
inline constexpr std::size_t kHeadSignedBytes = kHeadBytes - Signature::kSize;

/// Kind 28, 240 bytes: what the operator's registry and journal were when the digest of a height
/// closed. Recorded durably before it is signed; one for each height and block.
struct JournalHead {
    PublicKey operator_key;
    Height height;
    BlockHash block_hash;
    GlobalDigest global;  // of that height
    Digest state;  // of the whole registry at heights divisible by checkpoint_blocks; or zeros
    std::uint64_t size = 0;  // entries of the journal
    Root root;               // of the tree over them
    Signature signature;
    friend bool operator==(const JournalHead&, const JournalHead&) = default;

    [[nodiscard]] Bytes encode() const;
    void encode(Writer& w) const;
    static JournalHead decode(Reader& r);
    static Checked<JournalHead> decode(ByteView body);
    /// What the signature is over.
    [[nodiscard]] Digest digest(const NetworkId& network_id) const;
};

/// Signs for the key's owner, who has recorded these very fields durably.
[[nodiscard]] Result<JournalHead> sign_head(const NetworkId& network_id, JournalHead unsigned_head,
                                            const KeyPair& key);

/// That the network's operator has signed it: kNotOperator, kBadSignature.
[[nodiscard]] Verdict check_head(const NetworkParams& params, const NetworkId& network_id,
                                 const JournalHead& head);

/// That an accepted head's journal holds this entry at `index`: kBadIndex, kProofLength, kBadPath.
[[nodiscard]] Verdict check_entry(const JournalHead& head, std::uint64_t index, ByteView entry,
                                  std::span<const Digest> path);
/// That the journal of `newer` begins with that of `older`, both accepted: kBadIndex (it is
/// shorter), kProofLength, kBadPath.
[[nodiscard]] Verdict check_extension(const JournalHead& older, const JournalHead& newer,
                                      std::span<const Digest> proof);

}  // namespace holdfast
