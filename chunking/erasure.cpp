#include "chunking/erasure.hpp"

#include <isa-l/erasure_code.h>

#include <algorithm>

#include "core/geometry.hpp"
#include "core/hash.hpp"

namespace holdfast {
namespace {

constexpr unsigned kMaxShards = 255;
constexpr std::size_t kTableBytesPerCoefficient = 32;
// ISA-L counts bytes in an int; rows longer than this are coded piece by piece.
constexpr std::size_t kMaxRowBytes = std::size_t{1} << 28;

/// out = coefficients (rows x inputs) times the input rows.
void multiply_rows(ByteView coefficients, std::span<const ByteView> in,
                   std::span<const MutByteView> out) {
    if (out.empty()) return;
    HOLDFAST_CHECK(coefficients.size() == in.size() * out.size());
    Bytes tables(coefficients.size() * kTableBytesPerCoefficient);
    // ISA-L takes its inputs as non-const and leaves them alone.
    ec_init_tables(static_cast<int>(in.size()), static_cast<int>(out.size()),
                   const_cast<std::uint8_t*>(coefficients.data()), tables.data());
    std::vector<std::uint8_t*> sources(in.size());
    std::vector<std::uint8_t*> targets(out.size());
    const std::size_t length = in[0].size();
    for (std::size_t at = 0; at < length; at += kMaxRowBytes) {
        for (std::size_t i = 0; i < in.size(); ++i) {
            HOLDFAST_CHECK(in[i].size() == length);
            sources[i] = const_cast<std::uint8_t*>(in[i].data()) + at;
        }
        for (std::size_t i = 0; i < out.size(); ++i) {
            HOLDFAST_CHECK(out[i].size() == length);
            targets[i] = out[i].data() + at;
        }
        ec_encode_data(static_cast<int>(std::min(kMaxRowBytes, length - at)),
                       static_cast<int>(in.size()), static_cast<int>(out.size()), tables.data(),
                       sources.data(), targets.data());
    }
}

bool distinct_below(std::span<const unsigned> indices, unsigned limit) {
    std::vector<bool> seen(limit);
    for (const unsigned i : indices) {
        if (i >= limit || seen[i]) return false;
        seen[i] = true;
    }
    return true;
}

}  // namespace

// Spec 9, manifest (1).
Verdict CodeShape::validate() const {
    return data >= 1 && shards() <= kMaxShards ? Reason::kOk : Reason::kBadField;
}

// Spec 9: shard_len.
std::uint64_t shard_length(std::uint64_t data_len, CodeShape shape) {
    HOLDFAST_CHECK(shape.data >= 1);
    return data_len / shape.data + (data_len % shape.data != 0 ? 1 : 0);
}

std::uint64_t Manifest::segments_per_shard() const { return segment_count(shard_len); }

const Root& Manifest::root(unsigned shard, std::uint64_t segment) const {
    return roots.at(shard * segments_per_shard() + segment);
}

// Spec 9, manifest (kind 14).
Bytes Manifest::encode() const {
    Writer w(26 + roots.size() * kDigestBytes);
    w.u64(data_len).u8(shape.data).u8(shape.parity).u64(shard_len);
    w.u64(roots.size() * kDigestBytes);
    for (const Root& root : roots) w.fixed(root);
    return w.take();
}

// Spec 9, manifest (1) to (4).
Checked<Manifest> Manifest::decode(ByteView body) {
    Reader r(body);
    Manifest m;
    m.data_len = r.u64();
    m.shape.data = r.u8();
    m.shape.parity = r.u8();
    m.shard_len = r.u64();
    const std::uint64_t root_bytes = r.u64();
    if (r.failed()) return refuse(r.verdict());
    if (const Verdict shape = m.shape.validate(); !shape.accepted()) return refuse(shape);
    if (m.data_len == 0) return refuse(Reason::kBadField);
    if (m.shard_len != shard_length(m.data_len, m.shape)) return refuse(Reason::kBadGeometry);
    // At most 255 * 2^32 roots: no product here can overflow.
    const std::uint64_t count = m.shape.shards() * m.segments_per_shard();
    if (root_bytes != count * kDigestBytes) return refuse(Reason::kProofLength);
    Reader roots(r.raw(root_bytes));
    if (const Verdict form = r.finish(); !form.accepted()) return refuse(form);
    m.roots.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) m.roots.push_back(roots.fixed<Root>());
    return m;
}

// Spec 9: manifest_id.
Digest Manifest::id() const { return tagged_hash("manifest", ByteView(encode())); }

// Spec 9: identity above, 1 / (i XOR j) below.
Bytes coding_matrix(CodeShape shape) {
    HOLDFAST_CHECK(shape.validate().accepted());
    Bytes matrix(std::size_t{shape.shards()} * shape.data);
    gf_gen_cauchy1_matrix(matrix.data(), static_cast<int>(shape.shards()), shape.data);
    return matrix;
}

void encode_parity(CodeShape shape, std::span<const ByteView> data,
                   std::span<const MutByteView> parity) {
    HOLDFAST_CHECK(data.size() == shape.data && parity.size() == shape.parity);
    const Bytes matrix = coding_matrix(shape);
    multiply_rows(ByteView(matrix).subspan(std::size_t{shape.data} * shape.data), data, parity);
}

Status recover_shards(CodeShape shape, std::span<const unsigned> have,
                      std::span<const ByteView> have_bytes, std::span<const unsigned> wanted,
                      std::span<const MutByteView> wanted_bytes) {
    const std::size_t k = shape.data;
    if (!shape.validate().accepted() || have.size() != k || have_bytes.size() != k ||
        wanted.size() != wanted_bytes.size() || !distinct_below(have, shape.shards()) ||
        !distinct_below(wanted, shape.shards())) {
        return fail(ErrorCode::kInvalidArgument, "recovery needs k distinct shards of k + m");
    }
    const Bytes matrix = coding_matrix(shape);
    Bytes rows(k * k);
    for (std::size_t i = 0; i < k; ++i) {
        std::copy_n(matrix.begin() + static_cast<std::ptrdiff_t>(have[i] * k), k,
                    rows.begin() + static_cast<std::ptrdiff_t>(i * k));
    }
    Bytes inverse(k * k);
    // Any k rows of this matrix are independent; `rows` is destroyed.
    HOLDFAST_CHECK(gf_invert_matrix(rows.data(), inverse.data(), static_cast<int>(k)) == 0);
    Bytes coefficients(wanted.size() * k);
    for (std::size_t row = 0; row < wanted.size(); ++row) {
        for (std::size_t column = 0; column < k; ++column) {
            std::uint8_t sum = 0;
            for (std::size_t j = 0; j < k; ++j) {
                sum ^= gf_mul(matrix[wanted[row] * k + j], inverse[j * k + column]);
            }
            coefficients[row * k + column] = sum;
        }
    }
    multiply_rows(coefficients, have_bytes, wanted_bytes);
    return {};
}

}  // namespace holdfast
