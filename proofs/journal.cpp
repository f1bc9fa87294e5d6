#include "proofs/journal.hpp"

#include "core/hash.hpp"
#include "core/merkle.hpp"

namespace holdfast {
namespace {

constexpr std::uint8_t kBlockForm = 1;
constexpr std::uint8_t kOutputForm = 2;
constexpr std::uint8_t kObjectForm = 3;

struct EncodeEntry {
    Writer& w;

    void operator()(const BlockEntry& e) const {
        w.u8(kBlockForm).height(e.height).fixed(e.block_hash).u64(e.time_ms);
    }
    void operator()(const OutputEntry& e) const { w.u8(kOutputForm).height(e.height).fixed(e.y); }
    void operator()(const ObjectEntry& e) const { w.u8(kObjectForm).raw(e.object); }
};

HistoryEntry decode_object(Reader& r) {
    if (r.remaining() > kMaxEntryObjectBytes) r.refuse(Reason::kTooLarge);
    if (r.failed()) return ObjectEntry{};
    const ByteView object = r.raw(r.remaining());
    if (const auto kind = peek_kind(object); !kind) r.refuse(kind.error().reason);
    return ObjectEntry{Bytes(object.begin(), object.end())};
}

HistoryEntry decode_form(Reader& r) {
    switch (r.u8()) {
        case kBlockForm: {
            BlockEntry e;
            e.height = r.height();
            e.block_hash = r.fixed<BlockHash>();
            e.time_ms = r.u64();
            return e;
        }
        case kOutputForm: {
            OutputEntry e;
            e.height = r.height();
            e.y = r.fixed<VdfOutput>();
            return e;
        }
        case kObjectForm:
            return decode_object(r);
        default:
            r.refuse(Reason::kBadField);
            return BlockEntry{};
    }
}

}  // namespace

// Spec 10.8, entries.
Bytes encode_entry(const HistoryEntry& entry) {
    Writer w;
    std::visit(EncodeEntry{w}, entry);
    return w.take();
}

Checked<HistoryEntry> decode_entry(ByteView bytes) {
    Reader r(bytes);
    HistoryEntry out = decode_form(r);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

// Spec 10.8: each entry is a leaf's data.
Digest entry_hash(ByteView entry) { return leaf_hash(entry); }

// Spec 10.8, the head.
void JournalHead::encode(Writer& w) const {
    w.fixed(operator_key).height(height).fixed(block_hash).fixed(global).fixed(state);
    w.u64(size).fixed(root).fixed(signature);
}

Bytes JournalHead::encode() const {
    Writer w(kHeadBytes);
    encode(w);
    return w.take();
}

JournalHead JournalHead::decode(Reader& r) {
    JournalHead out;
    out.operator_key = r.fixed<PublicKey>();
    out.height = r.height();
    out.block_hash = r.fixed<BlockHash>();
    out.global = r.fixed<GlobalDigest>();
    out.state = r.fixed<Digest>();
    out.size = r.u64();
    out.root = r.fixed<Root>();
    out.signature = r.fixed<Signature>();
    return out;
}

Checked<JournalHead> JournalHead::decode(ByteView body) {
    Reader r(body);
    const JournalHead out = decode(r);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

Digest JournalHead::digest(const NetworkId& network_id) const {
    const Bytes body = encode();
    return tagged_hash("journal/head", network_id, ByteView(body).first(kHeadSignedBytes));
}

Result<JournalHead> sign_head(const NetworkId& network_id, JournalHead unsigned_head,
                              const KeyPair& key) {
    unsigned_head.operator_key = key.public_key();
    HOLDFAST_ASSIGN(signature, key.sign(view(unsigned_head.digest(network_id))));
    unsigned_head.signature = signature;
    return unsigned_head;
}

// Spec 10.8, the head.
Verdict check_head(const NetworkParams& params, const NetworkId& network_id,
                   const JournalHead& head) {
    if (!params.has_operator() || head.operator_key != params.operator_key) {
        return Reason::kNotOperator;
    }
    return verify_signature(head.operator_key, view(head.digest(network_id)), head.signature);
}

// Spec 10.8: an inclusion path.
Verdict check_entry(const JournalHead& head, std::uint64_t index, ByteView entry,
                    std::span<const Digest> path) {
    const auto root = root_from_path(head.size, index, entry_hash(entry), path);
    if (!root) return root.error();
    return *root == head.root ? Reason::kOk : Reason::kBadPath;
}

// Spec 10.8: a consistency proof.
Verdict check_extension(const JournalHead& older, const JournalHead& newer,
                        std::span<const Digest> proof) {
    return check_consistency(older.size, older.root, newer.size, newer.root, proof);
}

}  // namespace holdfast
