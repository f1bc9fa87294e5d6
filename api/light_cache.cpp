#include "api/light_cache.hpp"

#include "storage/file.hpp"

namespace holdfast {
namespace {

constexpr std::string_view kCheckedFile = "checked";
constexpr std::uint64_t kMaxCheckedBytes = std::uint64_t{256} << 20;
constexpr std::size_t kOutputBytes = 8 + 32 + 32 + 4;

void read_heights(Reader& r, std::set<Height>& out) {
    const std::uint32_t count = r.u32();
    if (r.remaining() / 8 < count) r.refuse(Reason::kTruncated);
    for (std::uint32_t i = 0; i < count && !r.failed(); ++i) out.insert(r.height());
}
void write_heights(Writer& w, const std::set<Height>& heights) {
    w.u32(static_cast<std::uint32_t>(heights.size()));
    for (const Height h : heights) w.height(h);
}

Status read_checked(LightCache& cache, ByteView bytes, const std::string& where) {
    Reader r(bytes);
    if (r.u8() != 1) r.refuse(Reason::kBadVersion);
    const auto network_id = r.fixed<NetworkId>();
    if (!r.failed() && network_id != cache.record.network_id()) {
        return fail_refused(Reason::kWrongNetwork, where);
    }
    read_heights(r, cache.vouched);
    read_heights(r, cache.covered);
    const std::uint32_t outputs = r.u32();
    if (r.remaining() / kOutputBytes < outputs) r.refuse(Reason::kTruncated);
    for (std::uint32_t i = 0; i < outputs && !r.failed(); ++i) {
        CheckedOutput one;
        one.height = r.height();
        one.block_hash = r.fixed<BlockHash>();
        one.y = r.fixed<VdfOutput>();
        one.segments = r.u32();
        cache.outputs.push_back(one);
    }
    if (r.u8() == 1) cache.newest = JournalHead::decode(r);
    const Verdict v = r.finish();
    if (v) return {};
    return fail(ErrorCode::kCorrupt,
                where + ": " + to_string(v) + "; remove the folder, it is fetched again");
}

}  // namespace

Result<LightCache> LightCache::load(const std::filesystem::path& folder,
                                    const NetworkParams& params) {
    LightCache out{PublicRecord(params), {}, {}, {}, {}};
    const std::filesystem::path file = folder / kCheckedFile;
    const Result<Bytes> checked = read_stored_file(file, kMaxCheckedBytes);
    if (!checked && checked.error().code == ErrorCode::kNotFound) return out;
    if (!checked) return fail(checked.error());
    HOLDFAST_TRY(read_checked(out, *checked, file.string()));
    HOLDFAST_ASSIGN(record, PublicRecord::load(folder));
    if (record.network_id() != out.record.network_id()) {
        return fail_refused(Reason::kWrongNetwork, folder.string());
    }
    out.record = std::move(record);
    return out;
}

// The facts first: what `checked` speaks of stands in them.
Status LightCache::save(const std::filesystem::path& folder) const {
    HOLDFAST_TRY(record.save(folder));
    Writer w;
    w.u8(1).fixed(record.network_id());
    write_heights(w, vouched);
    write_heights(w, covered);
    w.u32(static_cast<std::uint32_t>(outputs.size()));
    for (const CheckedOutput& one : outputs) {
        w.height(one.height).fixed(one.block_hash).fixed(one.y).u32(one.segments);
    }
    w.u8(newest ? 1 : 0);
    if (newest) newest->encode(w);
    return write_file(folder / kCheckedFile, w.bytes(), true);
}

}  // namespace holdfast
