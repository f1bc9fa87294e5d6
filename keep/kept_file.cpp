#include "keep/kept_file.hpp"

#include <set>

#include "core/hash.hpp"
#include "storage/file.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kMaxKeptFileBytes = std::uint64_t{64} << 20;
constexpr std::size_t kLeastShardBytes = 32 + 1 + 3 * 32;

/// Printable ASCII and the bytes of UTF-8: nothing that a terminal obeys.
bool is_plain_text(std::string_view text) {
    return text.size() <= kMaxKeptText && std::none_of(text.begin(), text.end(), [](char c) {
               const auto b = static_cast<unsigned char>(c);
               return b < 0x20 || b == 0x7f;
           });
}

void write_text(Writer& w, std::string_view text) {
    w.u8(static_cast<std::uint8_t>(text.size())).raw(view(text));
}

std::string read_text(Reader& r) {
    const ByteView bytes = r.raw(r.u8());
    std::string text(bytes.begin(), bytes.end());
    if (!is_plain_text(text)) r.refuse(Reason::kBadField);
    return text;
}

/// Everything but the signature.
Bytes unsigned_body(const KeptFile& file) {
    Writer w(1'024);
    w.fixed(file.owner).fixed(file.network).u64(file.counter).u64(file.plain_len);
    w.u8(static_cast<std::uint8_t>(file.scheme)).fixed(file.salt);
    w.raw(file.header.salt).raw(file.header.prefix);
    write_text(w, file.name);
    const Bytes coded = file.manifest.encode();
    w.u64(coded.size()).raw(coded);
    for (const KeptShard& shard : file.shards) {
        w.fixed(shard.prover);
        write_text(w, shard.address);
        w.fixed(shard.deposit).fixed(shard.replica).fixed(shard.chain);
    }
    return w.take();
}

/// No prover holds two shards: one that fails must not take two with it.
Verdict check_distinct(const KeptFile& file) {
    std::set<PublicKey> seen;
    std::set<DepositId> deposits;
    const std::uint64_t segments = file.manifest.segments_per_shard();
    for (std::size_t i = 0; i < file.shards.size(); ++i) {
        const KeptShard& shard = file.shards[i];
        if (!check_registrable_key(shard.prover)) return {Reason::kBadKey, i};
        if (!deposits.insert(shard.deposit).second) return {Reason::kBadField, i};
        const bool first = i % segments == 0;
        if (first && !seen.insert(shard.prover).second) return {Reason::kBadField, i};
        if (!first && file.shards[i - 1].prover != shard.prover) return {Reason::kBadField, i};
    }
    return {};
}

Verdict check_kept_file(const KeptFile& file) {
    if (file.counter == 0 || file.salt.is_zero()) return Reason::kBadField;
    const bool encrypted = file.scheme != KeptScheme::kPlain;
    if (encrypted == (file.header == StreamHeader{})) return Reason::kBadField;
    if (file.shape().cipher_len() != file.manifest.data_len) return Reason::kBadGeometry;
    HOLDFAST_REQUIRE_OK(check_distinct(file));
    return verify_signature(file.owner, view(file.signed_digest()), file.signature);
}

}  // namespace

Digest KeptFile::id() const { return tagged_hash("kept-file/id", network, owner, salt); }

std::uint64_t KeptFile::segment_bytes(std::uint64_t segment) const {
    return std::min<std::uint64_t>(kMaxDataBytes, manifest.shard_len - segment * kMaxDataBytes);
}

Digest KeptFile::signed_digest() const {
    return tagged_hash("kept-file", network, sha256(unsigned_body(*this)));
}

Status KeptFile::sign(const KeyPair& owner_key) {
    owner = owner_key.public_key();
    HOLDFAST_ASSIGN(made, owner_key.sign(view(signed_digest())));
    signature = made;
    return {};
}

Bytes KeptFile::encode() const {
    Bytes body = unsigned_body(*this);
    body.insert(body.end(), signature.begin(), signature.end());
    return body;
}

Checked<KeptFile> KeptFile::decode(ByteView body) {
    Reader r(body);
    KeptFile file;
    file.owner = r.fixed<PublicKey>();
    file.network = r.fixed<NetworkId>();
    file.counter = r.u64();
    file.plain_len = r.u64();
    const std::uint8_t scheme = r.u8();
    if (scheme > 1) r.refuse(Reason::kBadField);
    file.scheme = static_cast<KeptScheme>(scheme);
    file.salt = r.fixed<Digest>();
    std::ranges::copy(r.raw(file.header.salt.size()), file.header.salt.begin());
    std::ranges::copy(r.raw(file.header.prefix.size()), file.header.prefix.begin());
    file.name = read_text(r);
    const std::uint64_t coded = r.u64();
    const ByteView manifest = r.raw(coded);
    if (r.failed()) return refuse(r.verdict());
    HOLDFAST_ASSIGN(decoded, Manifest::decode(manifest));
    file.manifest = std::move(decoded);
    const std::size_t count = file.manifest.roots.size();
    if (r.remaining() < Signature::size() ||
        count > (r.remaining() - Signature::size()) / kLeastShardBytes) {
        return refuse(Reason::kTruncated);
    }
    file.shards.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        KeptShard shard;
        shard.prover = r.fixed<PublicKey>();
        shard.address = read_text(r);
        shard.deposit = r.fixed<DepositId>();
        shard.replica = r.fixed<ReplicaId>();
        shard.chain = r.fixed<ChainId>();
        file.shards.push_back(std::move(shard));
    }
    file.signature = r.fixed<Signature>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    if (const Verdict v = check_kept_file(file); !v) return refuse(v);
    return file;
}

Digest KeptRemoval::signed_digest() const {
    return tagged_hash("kept-file/removal", network, file, counter);
}

Status KeptRemoval::sign(const KeyPair& owner_key) {
    owner = owner_key.public_key();
    HOLDFAST_ASSIGN(made, owner_key.sign(view(signed_digest())));
    signature = made;
    return {};
}

Bytes KeptRemoval::encode() const {
    return Writer(200).fixed(owner).fixed(network).fixed(file).u64(counter).fixed(signature).take();
}

Checked<KeptRemoval> KeptRemoval::decode(ByteView body) {
    Reader r(body);
    KeptRemoval removal;
    removal.owner = r.fixed<PublicKey>();
    removal.network = r.fixed<NetworkId>();
    removal.file = r.fixed<Digest>();
    removal.counter = r.u64();
    removal.signature = r.fixed<Signature>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    if (removal.counter == 0) return refuse(Reason::kBadField);
    const Verdict v =
        verify_signature(removal.owner, view(removal.signed_digest()), removal.signature);
    if (!v) return refuse(v);
    return removal;
}

Checked<ByteView> unwrap_kept(Kind kind, ByteView object) {
    if (object.size() < 2) return refuse(Reason::kTruncated);
    if (object[0] != kProtocolVersion) return refuse(Reason::kBadVersion);
    if (object[1] != static_cast<std::uint8_t>(kind)) return refuse(Reason::kBadKind);
    return object.subspan(2);
}

Result<KeptFile> read_kept_file(const std::filesystem::path& path) {
    HOLDFAST_ASSIGN(object, read_stored_file(path, kMaxKeptFileBytes));
    const Checked<ByteView> body = unwrap_kept(kKeptFileKind, object);
    if (!body) return fail_refused(body.error(), "'" + path.string() + "'");
    Checked<KeptFile> file = KeptFile::decode(*body);
    if (!file) return fail_refused(file.error(), "'" + path.string() + "'");
    return std::move(*file);
}

Status write_kept_file(const std::filesystem::path& path, const KeptFile& file) {
    return write_file(path, wrap_object(kKeptFileKind, file.encode()), true);
}

}  // namespace holdfast
