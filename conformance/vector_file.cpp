#include "conformance/vector_file.hpp"

#include <charconv>

#include "core/codec.hpp"
#include "core/hash.hpp"

namespace holdfast::conformance {
namespace {

/// Longest `expand` that a file may ask for: the largest replica.
constexpr std::uint64_t kMaxExpandedBytes = kMaxDataBytes;

/// Long values are shown by their beginning.
std::string shown(ByteView bytes) {
    constexpr std::size_t kShownBytes = 32;
    if (bytes.size() <= kShownBytes) return to_hex(bytes);
    return to_hex(bytes.first(kShownBytes)) + "… (" + std::to_string(bytes.size()) + " bytes)";
}

std::string shown(std::span<const std::uint64_t> values) {
    std::string out = "[";
    for (std::size_t i = 0; i < values.size() && i < 16; ++i) {
        out += (i == 0 ? "" : ", ") + std::to_string(values[i]);
    }
    return out + (values.size() > 16 ? ", …]" : "]");
}

/// body[:at] || insert || body[at + remove:]
Bytes edited(const Value& entry, ByteView body) {
    const std::uint64_t at = entry["at"].u64();
    const std::uint64_t remove = entry["remove"].u64();
    const Bytes insert = entry["insert"].bytes();
    if (at > body.size() || remove > body.size() - at) {
        entry.malformed("the edit lies outside the " + std::to_string(body.size()) +
                        " bytes of the encoding");
    }
    Writer w(body.size() + insert.size());
    w.raw(body.first(at)).raw(insert).raw(body.subspan(at + remove));
    return w.take();
}

}  // namespace

Bytes expand(ByteView seed, std::uint64_t length) {
    Bytes out;
    out.reserve(length + kDigestBytes);
    for (std::uint64_t i = 0; out.size() < length; ++i) {
        Writer block(seed.size() + 8);
        block.raw(seed).u64(i);
        const Digest d = sha256(block.bytes());
        out.insert(out.end(), d.begin(), d.end());
    }
    out.resize(length);
    return out;
}

// --- Value ---------------------------------------------------------------------------------------

void Value::malformed(const std::string& what) const { throw Malformed{where_, what}; }

bool Value::has(const std::string& key) const {
    return json_->is_object() && json_->find(key) != json_->end();
}

Value Value::operator[](const std::string& key) const {
    if (!json_->is_object()) malformed("should be an object");
    const auto found = json_->find(key);
    if (found == json_->end()) malformed("lacks \"" + key + "\"");
    return {*found, where_.empty() ? key : where_ + "." + key, *visited_};
}

Value Value::operator[](std::size_t index) const {
    if (!json_->is_array()) malformed("should be an array");
    if (index >= json_->size()) malformed("has no element " + std::to_string(index));
    return {(*json_)[index], where_ + "[" + std::to_string(index) + "]", *visited_};
}

std::size_t Value::size() const {
    if (!json_->is_array() && !json_->is_object()) malformed("should be an array or object");
    return json_->size();
}

std::vector<Value> Value::items() const {
    if (!json_->is_array()) malformed("should be an array");
    std::vector<Value> out;
    for (std::size_t i = 0; i < json_->size(); ++i) out.push_back((*this)[i]);
    return out;
}

std::vector<std::pair<std::string, Value>> Value::members() const {
    if (!json_->is_object()) malformed("should be an object");
    std::vector<std::pair<std::string, Value>> out;
    for (auto it = json_->begin(); it != json_->end(); ++it) {
        out.emplace_back(it.key(), (*this)[it.key()]);
    }
    return out;
}

std::uint64_t Value::u64() const {
    // The parser gives every integer from 0 to 2^64-1 as unsigned, and only those.
    if (!json_->is_number_unsigned()) malformed("should be an integer of 0 to 2^64-1");
    return json_->get<std::uint64_t>();
}

std::uint32_t Value::u32() const {
    const std::uint64_t v = u64();
    if (v > UINT32_MAX) malformed("should be an integer of 0 to 2^32-1");
    return static_cast<std::uint32_t>(v);
}

std::uint8_t Value::u8() const {
    const std::uint64_t v = u64();
    if (v > UINT8_MAX) malformed("should be an integer of 0 to 255");
    return static_cast<std::uint8_t>(v);
}

bool Value::flag() const {
    if (!json_->is_boolean()) malformed("should be true or false");
    return json_->get<bool>();
}

std::string Value::text() const {
    if (!json_->is_string()) malformed("should be a string");
    return json_->get<std::string>();
}

Bytes Value::bytes() const {
    if (json_->is_object()) {
        const std::uint64_t length = (*this)["len"].u64();
        if (length > kMaxExpandedBytes) malformed("\"len\" is over 2^32");
        const Value seed = (*this)["expand"];
        if (json_->size() != 2) malformed("holds more than \"expand\" and \"len\"");
        return expand(seed.bytes(), length);
    }
    Bytes out;
    if (!from_hex(text(), out)) malformed("should be hex");
    return out;
}

void Value::fill_fixed(MutByteView out) const {
    const Bytes b = bytes();
    if (b.size() != out.size()) {
        malformed("should be " + std::to_string(out.size()) + " bytes, has " +
                  std::to_string(b.size()));
    }
    std::copy(b.begin(), b.end(), out.begin());
}

std::vector<std::uint64_t> Value::u64s() const {
    std::vector<std::uint64_t> out;
    for (const Value& v : items()) out.push_back(v.u64());
    return out;
}

std::vector<Digest> Value::digests() const {
    std::vector<Digest> out;
    for (const Value& v : items()) out.push_back(v.digest());
    return out;
}

std::uint64_t Value::key_u64(const std::string& key) const {
    std::uint64_t out = 0;
    const char* end = key.data() + key.size();
    const auto read = std::from_chars(key.data(), end, out);
    if (read.ec != std::errc{} || read.ptr != end) {
        malformed("has the member \"" + key + "\", which should be an integer");
    }
    return out;
}

// --- Checker -------------------------------------------------------------------------------------

void Checker::count(const std::string& where, bool passed, const std::string& what) {
    if (passed) {
        ++report_.passed;
    } else {
        fail(where, what);
    }
}

void Checker::fail(const std::string& where, const std::string& what) {
    ++report_.failed;
    if (report_.failures.size() < kMaxReportedFailures) {
        report_.failures.push_back(where + ": " + what);
    }
}

void Checker::poll() const {
    if (options_.stop && options_.stop()) throw Stopped{};
}

std::filesystem::path Checker::scratch_path(const std::string& extension) {
    return scratch_ / (std::to_string(scratch_files_++) + extension);
}

void Checker::equal(const Value& expected, ByteView actual) {
    const Bytes want = expected.bytes();
    const bool same = std::equal(want.begin(), want.end(), actual.begin(), actual.end());
    count(expected.where(), same,
          same ? "" : "computed " + shown(actual) + ", the file has " + shown(want));
}

void Checker::equal(const Value& expected, std::uint64_t actual) {
    const std::uint64_t want = expected.u64();
    count(expected.where(), want == actual,
          "computed " + std::to_string(actual) + ", the file has " + std::to_string(want));
}

void Checker::equal(const Value& expected, std::span<const std::uint64_t> actual) {
    const std::vector<std::uint64_t> want = expected.u64s();
    const bool same = std::equal(want.begin(), want.end(), actual.begin(), actual.end());
    count(expected.where(), same,
          same ? "" : "computed " + shown(actual) + ", the file has " + shown(want));
}

void Checker::equal(const Value& expected, std::span<const Digest> actual) {
    const std::vector<Digest> want = expected.digests();
    if (want.size() != actual.size()) {
        fail(expected.where(), "computed " + std::to_string(actual.size()) +
                                   " digests, the file has " + std::to_string(want.size()));
        return;
    }
    for (std::size_t i = 0; i < want.size(); ++i) equal(expected[i], actual[i]);
}

void Checker::flag(const Value& expected, bool actual) {
    const bool want = expected.flag();
    count(expected.where(), want == actual,
          std::string("computed ") + (actual ? "true" : "false") + ", the file has " +
              (want ? "true" : "false"));
}

void Checker::holds(const std::string& where, bool condition, const std::string& otherwise) {
    count(where, condition, otherwise);
}

void Checker::accepted(const std::string& where, const Verdict& verdict) {
    count(where, verdict.accepted(),
          "refused (" + to_string(verdict) + "), expected to be accepted");
}

void Checker::refused(const std::string& where, const Verdict& verdict) {
    count(where, !verdict.accepted(), "accepted, expected refusal");
}

void Checker::refusals(const Value& list, ByteView encoding, const Examine& examine) {
    accepted(list.where() + " (the encoding unchanged)", examine(encoding));
    for (const Value& entry : list.items()) {
        poll();
        const std::string where = entry.where() + " (" + entry["why"].text() + ")";
        refused(where, examine(edited(entry, encoding)));
    }
}

void Checker::refusals_if_any(const Value& holder, const std::string& key, ByteView encoding,
                              const Examine& examine) {
    if (holder.has(key)) {
        refusals(holder[key], encoding, examine);
    } else {
        accepted(holder.where(), examine(encoding));
    }
}

Network Checker::network(const Value& holder) {
    const Value encoded = holder["network"];
    Network out;
    out.params = need(encoded.where(), NetworkParams::decode(encoded.bytes()));
    out.id = out.params.id();
    equal(encoded, out.params.encode());
    if (holder.has("network_id")) equal(holder["network_id"], out.id);
    return out;
}

Network Checker::network_or(const Value& holder, const Network& otherwise) {
    return holder.has("network") ? network(holder) : otherwise;
}

void Checker::run_case(const Value& at, const std::function<void()>& body) {
    poll();
    try {
        body();
    } catch (const Malformed& m) {
        fail(m.where, m.what);
    } catch (const std::bad_alloc&) {
        fail(at.where(), "not enough memory for this case");
    } catch (const std::exception& e) {
        fail(at.where(), e.what());
    }
    if (options_.on_progress) options_.on_progress(report_);
}

void check_cases(Checker& check, const Value& group, const Network& file_network, CaseCheck one) {
    for (const Value& v : group.items()) {
        check.run_case(v, [&] { one(check, v, check.network_or(v, file_network)); });
    }
}

}  // namespace holdfast::conformance
