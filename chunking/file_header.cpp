#include "chunking/file_header.hpp"

#include "core/hash.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kSummedBytes = kFileHeaderBytes - kDigestBytes;
static_assert(kSummedBytes == 4064);

std::string_view magic_of(Kind kind) {
    HOLDFAST_CHECK(kind == Kind::kReplicaFile || kind == Kind::kTreeFile);
    return kind == Kind::kReplicaFile ? "HOLDREP1" : "HOLDTRE1";
}

// Spec 12, replica and tree files.
Digest sum_of(ByteView header) { return tagged_hash("file/replica", header.first(kSummedBytes)); }

}  // namespace

FileHeader make_file_header(const ReplicaHeader& replica, const Root& sealed_root,
                            const NetworkId& network) {
    return {replica, sealed_root, replica.replica_id(network), network};
}

// Spec 12, replica and tree files.
Bytes encode_file_header(Kind kind, const FileHeader& header) {
    Writer w(kFileHeaderBytes);
    w.raw(view(magic_of(kind))).u8(kProtocolVersion).u8(static_cast<std::uint8_t>(kind));
    header.replica.encode(w);
    w.fixed(header.sealed_root).fixed(header.replica_id).fixed(header.network_id);
    Bytes bytes = w.take();
    bytes.resize(kSummedBytes);
    const Digest sum = sum_of(bytes);
    bytes.insert(bytes.end(), sum.begin(), sum.end());
    return bytes;
}

// Spec 12, checks (1) to (3).
Checked<FileHeader> decode_file_header(Kind kind, ByteView bytes) {
    Reader r(bytes);
    const ByteView magic = r.raw(magic_of(kind).size());
    const ByteView expected = view(magic_of(kind));
    if (!r.failed() && !std::equal(magic.begin(), magic.end(), expected.begin())) {
        r.refuse(Reason::kBadMagic);
    }
    if (r.u8() != kProtocolVersion) r.refuse(Reason::kBadVersion);
    if (r.u8() != static_cast<std::uint8_t>(kind)) r.refuse(Reason::kBadKind);
    FileHeader h;
    h.replica = ReplicaHeader::decode(r);
    h.sealed_root = r.fixed<Root>();
    h.replica_id = r.fixed<ReplicaId>();
    h.network_id = r.fixed<NetworkId>();
    const ByteView zeros = r.raw(kSummedBytes - std::min(r.offset(), kSummedBytes));
    const Digest sum = r.fixed<Digest>();
    if (const Verdict form = r.finish(); !form.accepted()) return refuse(form);
    if (sum != sum_of(bytes)) return refuse(Reason::kBadSum);
    if (!std::all_of(zeros.begin(), zeros.end(), [](std::uint8_t b) { return b == 0; })) {
        return refuse(Reason::kNotCanonical);
    }
    return h;
}

// Spec 12, checks (4) to (6).
Verdict check_file_header(const FileHeader& header, const NetworkParams& network) {
    const NetworkId id = network.id();
    if (header.network_id != id) return Reason::kWrongNetwork;
    HOLDFAST_REQUIRE_OK(header.replica.check(network));
    return header.replica_id == header.replica.replica_id(id) ? Reason::kOk : Reason::kBadField;
}

}  // namespace holdfast
