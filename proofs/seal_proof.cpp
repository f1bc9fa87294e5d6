#include "proofs/seal_proof.hpp"

#include <algorithm>

#include "core/constants.hpp"
#include "core/hash.hpp"
#include "core/merkle.hpp"
#include "core/selection.hpp"

namespace holdfast {
namespace {

Bytes encode_unsigned(const SealProof& p) {
    Writer w(p.raw_cells.size() + p.sealed_cells.size() + 64 * p.raw_siblings.size() + 256);
    w.fixed(p.chain_id).height(p.y_height);
    w.raw(p.raw_cells).digests(p.raw_siblings);
    w.raw(p.sealed_cells).digests(p.sealed_siblings);
    return w.take();
}

std::vector<std::uint64_t> draw(const Digest& e, std::uint64_t n, std::uint32_t count) {
    auto drawn = select_v2(e, n, count);
    HOLDFAST_CHECK(drawn.has_value());  // n is a window count or a cell count: 1 to 2^24
    return std::move(*drawn);
}

Bytes read_bytes(Reader& r, std::size_t count) {
    const ByteView raw = r.raw(count);
    return Bytes(raw.begin(), raw.end());
}

std::vector<Digest> read_siblings(Reader& r, std::size_t count) {
    std::vector<Digest> out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) out.push_back(r.fixed<Digest>());
    return out;
}

}  // namespace

// Spec 3.1: S.
Entropy seal_entropy(const NetworkId& network_id, const ChainId& chain_id, const VdfOutput& y) {
    return Entropy(tagged_hash("seal-challenge", network_id, chain_id, y));
}

std::size_t SealChallenge::body_bytes() const {
    return ChainId::kSize + 8 + 2 * (cells.size() * kCellBytes + siblings * kDigestBytes) +
           Signature::kSize;
}

// Spec 3.1: windows, and cells within each.
SealChallenge draw_seal_challenge(const NetworkParams& params, const NetworkId& network_id,
                                  const Registration& registration, const VdfOutput& y,
                                  SealProofKind kind) {
    const WindowPlan plan(registration.header.chunks, registration.header.seal);
    const std::uint32_t count =
        kind == SealProofKind::kSeal ? params.seal_windows : params.audit_windows;
    SealChallenge out;
    out.s = seal_entropy(network_id, registration.chain_id(network_id), y);
    out.total_cells = registration.header.cells();
    for (const std::uint64_t w : draw(out.s, plan.count(), count)) {
        const Window window = plan.window(w);
        auto drawn = draw(tagged_hash("seal-cells", out.s, w), window.cells(), params.seal_cells);
        for (const std::uint64_t cell : drawn) {
            out.cells.push_back(window.first_cell().value + cell);
        }
        out.windows.push_back({window, std::move(drawn)});
    }
    std::sort(out.cells.begin(), out.cells.end());
    out.siblings = multiproof_length(out.total_cells, out.cells);
    return out;
}

// Spec 3.1, the body.
Bytes SealProof::encode() const {
    Writer w;
    w.raw(encode_unsigned(*this)).fixed(signature);
    return w.take();
}

// Spec 3.1, (2): the length follows from the challenge.
Checked<SealProof> SealProof::decode(ByteView body, const SealChallenge& challenge) {
    const std::size_t size = challenge.body_bytes();
    if (body.size() != size) {
        return refuse(body.size() < size ? Reason::kTruncated : Reason::kTrailingBytes);
    }
    const std::size_t cell_bytes = challenge.cells.size() * kCellBytes;
    Reader r(body);
    SealProof out;
    out.chain_id = r.fixed<ChainId>();
    out.y_height = r.height();
    out.raw_cells = read_bytes(r, cell_bytes);
    out.raw_siblings = read_siblings(r, challenge.siblings);
    out.sealed_cells = read_bytes(r, cell_bytes);
    out.sealed_siblings = read_siblings(r, challenge.siblings);
    out.signature = r.fixed<Signature>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

Digest SealProof::digest(const NetworkId& network_id) const {
    return tagged_hash("seal-proof", network_id, sha256(encode_unsigned(*this)));
}

// Spec 3.1, audits.
bool is_audited(const NetworkParams& params, const NetworkId& network_id, const VdfOutput& y,
                const ChainId& chain_id, std::uint64_t total_chains) {
    std::uint64_t audits = params.audits_per_block;
    if (params.version == kParamsVersion2) {
        // Each chain about once in a liability period, however many there are (spec 15.3).
        const std::uint64_t period = params.liability_blocks;
        audits = std::max(audits, total_chains / period + (total_chains % period == 0 ? 0 : 1));
    }
    // hits() takes a u64: a network is far below 2^31 chains, and more are all the same.
    constexpr std::uint64_t kMostAudits = std::uint64_t{1} << 31;
    audits = std::min(audits, kMostAudits);
    const std::uint64_t least = audits * (std::uint64_t{params.misses_late} + 1);
    return hits(tagged_hash("seal-audit", network_id, y, chain_id), audits,
                std::max(total_chains, least));
}

}  // namespace holdfast
