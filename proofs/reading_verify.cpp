#include "proofs/reading_verify.hpp"

#include <numeric>

#include "core/merkle.hpp"

namespace holdfast {
namespace {

/// The message's version and kind, read off.
Verdict check_head(Reader& r, std::uint8_t kind) {
    if (r.remaining() < 2) return Reason::kTruncated;
    if (r.u8() != kProtocolVersion) return Reason::kBadVersion;
    if (r.u8() != kind) return Reason::kBadKind;
    return Verdict::ok();
}

}  // namespace

std::vector<std::uint64_t> read_indices(const ReadRequest& request) {
    std::vector<std::uint64_t> indices(request.count);
    std::iota(indices.begin(), indices.end(), request.first.value);
    return indices;
}

// Spec 8, readers: kind 64.
Bytes ReadRequest::encode() const {
    Writer w(kReadRequestBytes);
    w.u8(kProtocolVersion).u8(kReadRequestKind).fixed(chain_id);
    w.u8(static_cast<std::uint8_t>(what)).u64(first.value).u32(count);
    return w.take();
}

Checked<ReadRequest> ReadRequest::decode(ByteView message) {
    Reader r(message);
    if (const Verdict v = check_head(r, kReadRequestKind); !v) return refuse(v);
    ReadRequest out;
    out.chain_id = r.fixed<ChainId>();
    const std::uint8_t what = r.u8();
    out.first = ChunkIndex(r.u64());
    out.count = r.u32();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    if (what < 1 || what > 2 || out.count == 0) return refuse(Reason::kBadField);
    if (out.count > kMaxReadChunks) return refuse(Reason::kTooLarge);
    out.what = static_cast<ReadWhat>(what);
    return out;
}

// Spec 8, readers: kind 65.
Bytes ReadAnswer::encode() const {
    Writer w(3 + sizeof(std::uint32_t) + chunks_and_siblings.size());
    w.u8(kProtocolVersion).u8(kReadAnswerKind).u8(static_cast<std::uint8_t>(status));
    switch (status) {
        case ReadStatus::kData:
            w.raw(chunks_and_siblings);
            break;
        case ReadStatus::kRefused:
            w.u32(static_cast<std::uint32_t>(reason));
            break;
        case ReadStatus::kBusy:
            w.u32(retry_ms);
            break;
    }
    return w.take();
}

Checked<ReadAnswer> ReadAnswer::decode(ByteView message) {
    Reader r(message);
    if (const Verdict v = check_head(r, kReadAnswerKind); !v) return refuse(v);
    ReadAnswer out;
    const std::uint8_t status = r.u8();
    if (status < 1 || status > 3) r.refuse(Reason::kBadField);
    out.status = static_cast<ReadStatus>(status);
    if (r.failed()) return refuse(r.verdict());
    if (out.status == ReadStatus::kData) {
        if (r.remaining() > kMaxReadChunks * (kChunkBytes + kDigestBytes)) {
            return refuse(Reason::kTooLarge);
        }
        const ByteView payload = r.raw(r.remaining());
        out.chunks_and_siblings.assign(payload.begin(), payload.end());
    } else if (out.status == ReadStatus::kRefused) {
        const std::uint32_t number = r.u32();
        if (number == 0 || number >= reason_count()) r.refuse(Reason::kBadField);
        out.reason = static_cast<Reason>(number);
    } else {
        out.retry_ms = r.u32();
    }
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

// Spec 8, readers: nothing behind the last chunk.
Verdict check_read_range(const ReadContext& context, const ReadRequest& request) {
    const std::uint64_t chunks = context.chunks.value;
    const bool inside = request.first.value < chunks && request.count > 0 &&
                        request.count <= chunks - request.first.value;
    return inside ? Reason::kOk : Reason::kBadIndex;
}

std::uint64_t read_payload_bytes(const ReadContext& context, const ReadRequest& request) {
    return request.count * std::uint64_t{kChunkBytes} +
           multiproof_length(context.chunks.value, read_indices(request)) * kDigestBytes;
}

Verdict check_read_payload(const ReadContext& context, const ReadRequest& request,
                           ByteView payload) {
    HOLDFAST_REQUIRE_OK(check_read_range(context, request));
    if (payload.size() != read_payload_bytes(context, request)) return Reason::kProofLength;
    std::vector<Digest> roots(request.count);
    chunk_roots(payload.data(), roots);
    Reader r(payload.subspan(request.count * kChunkBytes));
    std::vector<Digest> siblings(r.remaining() / kDigestBytes);
    for (Digest& sibling : siblings) sibling = r.fixed<Digest>();
    const auto root =
        root_from_multiproof(context.chunks.value, read_indices(request), roots, siblings);
    if (!root) return root.error();
    return *root == context.root ? Reason::kOk : Reason::kBadMultiproof;
}

}  // namespace holdfast
