#include "json/object_reader.hpp"

#include <array>
#include <limits>
#include <optional>

#include "core/codec.hpp"
#include "json/objects.hpp"
#include "proofs/acknowledgement.hpp"
#include "proofs/bundle.hpp"

namespace holdfast::json {
namespace {

/// Reads fields and keeps the first fault; after one, values are whatever they were.
class Fields {
  public:
    explicit Fields(std::optional<std::string>& fault) : fault_(fault) {}

    const Json& at(const Json& json, const char* name) {
        static const Json nothing;
        if (!json.is_object()) {
            refuse(name, "stands where there is no object of fields");
            return nothing;
        }
        const auto found = json.find(name);
        if (found != json.end()) return *found;
        refuse(name, "is missing");
        return nothing;
    }
    template <class T>
    void fixed(const Json& json, const char* name, T& out) {
        hex(at(json, name), name, out);
    }
    template <class T>
    void hex(const Json& value, const char* name, T& out) {
        const bool good = value.is_string() &&
                          from_hex(value.get_ref<const std::string&>(), MutByteView(out.bytes));
        if (!good) refuse(name, "must be " + std::to_string(2 * T::size()) + " digits of hex");
    }
    template <class T>
    void number(const Json& json, const char* name, T& out) {
        const Json& value = at(json, name);
        if (!value.is_number_unsigned() ||
            value.get<std::uint64_t>() > std::numeric_limits<T>::max()) {
            return refuse(name, "must be a whole number of at most " +
                                    std::to_string(std::numeric_limits<T>::max()));
        }
        out = static_cast<T>(value.get<std::uint64_t>());
    }
    void height(const Json& json, const char* name, Height& out) { number(json, name, out.value); }
    /// Zeros are printed as null.
    void reveal(const Json& json, Reveal& out) {
        const Json& value = at(json, "reveal");
        if (!value.is_null()) hex(value, "reveal", out);
    }
    void status(const Json& json, ChainStatus& out) {
        const Json& value = at(json, "status");
        for (const ChainStatus status : {ChainStatus::kActive, ChainStatus::kLate,
                                         ChainStatus::kRemoving, ChainStatus::kExpired}) {
            if (value == std::string(to_string(status))) {
                out = status;
                return;
            }
        }
        refuse("status", "must be active, late, removing or expired");
    }
    /// Any number of digests; the object's own decoder says which number is right.
    void digests(const Json& json, const char* name, std::vector<Digest>& out) {
        const Json& value = at(json, name);
        if (!value.is_array()) return refuse(name, "must be a list");
        out.resize(value.size());
        for (std::size_t i = 0; i < out.size(); ++i) hex(value[i], name, out[i]);
    }
    template <class T, std::size_t N>
    void exactly(const Json& json, const char* name, std::array<T, N>& out) {
        const Json& value = at(json, name);
        if (!value.is_array() || value.size() != N) {
            return refuse(name, "must be a list of " + std::to_string(N));
        }
        for (std::size_t i = 0; i < N; ++i) hex(value[i], name, out[i]);
    }
    void refuse(const char* name, const std::string& why) {
        if (!fault_) fault_ = "field " + std::string(name) + " " + why;
    }

  private:
    std::optional<std::string>& fault_;
};

void read(Fields& f, const Json& json, Receipt& out) {
    f.fixed(json, "link", out.link);
    f.height(json, "height", out.height);
    f.fixed(json, "anchor", out.anchor);
    f.fixed(json, "signature", out.signature);
}

void read(Fields& f, const Json& json, HierarchyPath& out) {
    f.number(json, "region", out.region);
    f.number(json, "group", out.group);
    f.number(json, "slot", out.slot);
    f.number(json, "slots", out.slots);
    f.number(json, "active", out.active);
    f.number(json, "groups", out.groups);
    f.number(json, "region_active", out.region_active);
    f.number(json, "regions", out.regions);
    f.number(json, "total_chains", out.total_chains);
    f.digests(json, "slot_path", out.slot_path);
    f.digests(json, "group_path", out.group_path);
    f.digests(json, "region_path", out.region_path);
}

void read(Fields& f, const Json& json, PathProof& out) {
    f.fixed(json, "chain_id", out.leaf.chain_id);
    f.fixed(json, "link", out.leaf.link);
    f.height(json, "link_height", out.leaf.link_height);
    f.status(json, out.leaf.status);
    read(f, f.at(json, "path"), out.path);
}

template <class Proof>
void read_head(Fields& f, const Json& json, Proof& out) {
    read(f, json, out.receipt);
    f.fixed(json, "chain_id", out.chain_id);
    f.fixed(json, "link_before", out.link_before);
    f.reveal(json, out.reveal);
}

void read(Fields& f, const Json& json, Compact& out) {
    read_head(f, json, out);
    f.status(json, out.status);
    read(f, f.at(json, "path"), out.path);
    f.fixed(json, "cell", out.cell);
    f.digests(json, "cell_path", out.cell_path);
    f.exactly(json, "opening_path", out.opening_path);
}

void read(Fields& f, const Json& json, Full& out) {
    read_head(f, json, out);
    f.exactly(json, "cells", out.cells);
    f.digests(json, "siblings", out.siblings);
}

void read(Fields& f, const Json& json, ProofWindow& out) {
    const Json& list = f.at(json, "commitments");
    if (!list.is_array() || list.empty() || list.size() > kWindowMaxLinks) {
        return f.refuse("commitments", "must be a list of 1 to 5 proofs");
    }
    for (const Json& entry : list) {
        const Json& format = f.at(entry, "format");
        if (format == "compact") {
            read(f, entry, std::get<Compact>(out.links.emplace_back(Compact{})));
        } else if (format == "full") {
            read(f, entry, std::get<Full>(out.links.emplace_back(Full{})));
        } else {
            f.refuse("format", "must be compact or full");
        }
    }
}

void read(Fields& f, const Json& json, Bundle& out) {
    f.fixed(json, "prover", out.prover);
    f.height(json, "height", out.height);
    f.fixed(json, "anchor", out.anchor);
    const Json& list = f.at(json, "members");
    if (!list.is_array() || list.size() > kBundleMaxMembers) {
        return f.refuse("members",
                        "must be a list of at most " + std::to_string(kBundleMaxMembers));
    }
    out.members.resize(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
        f.fixed(list[i], "chain_id", out.members[i].chain_id);
        f.fixed(list[i], "link", out.members[i].link);
    }
    f.fixed(json, "signature", out.signature);
}

void read(Fields& f, const Json& json, Member& out) {
    f.fixed(json, "chain_id", out.chain_id);
    f.fixed(json, "link", out.bundled.link);
    f.height(json, "height", out.bundled.height);
    f.fixed(json, "anchor", out.bundled.anchor);
    f.number(json, "n", out.bundled.n);
    f.number(json, "index", out.bundled.index);
    f.digests(json, "path", out.bundled.path);
    f.fixed(json, "signature", out.bundled.signature);
}

template <class Short>
void read_short(Fields& f, const Json& json, Short& out) {
    f.fixed(json, "chain_id", out.chain_id);
    f.height(json, "height", out.height);
    f.reveal(json, out.reveal);
}

void read(Fields& f, const Json& json, ShortCompact& out) {
    read_short(f, json, out);
    f.fixed(json, "cell", out.cell);
    f.digests(json, "cell_path", out.cell_path);
    f.exactly(json, "opening_path", out.opening_path);
}

void read(Fields& f, const Json& json, ShortFull& out) {
    read_short(f, json, out);
    f.exactly(json, "cells", out.cells);
    f.digests(json, "siblings", out.siblings);
}

void read(Fields& f, const Json& json, Acknowledgement& out) {
    f.fixed(json, "host", out.host);
    f.fixed(json, "object_sha256", out.object);
    f.height(json, "height", out.height);
    f.fixed(json, "block_hash", out.block_hash);
    f.fixed(json, "signature", out.signature);
}

template <class T>
Result<Bytes> object_of(Kind kind, const Json& json) {
    std::optional<std::string> fault;
    Fields fields(fault);
    T value;
    read(fields, json, value);
    if (fault) return fail(ErrorCode::kInvalidArgument, *fault);
    const Bytes body = value.encode();
    const Checked<T> again = T::decode(body);
    if (!again) return fail_refused(again.error(), "what the fields describe");
    if (*again != value) {
        return fail_refused(Reason::kNotCanonical, "what the fields describe");
    }
    return wrap_object(kind, body);
}

/// Every given field must be one that the object is printed with, and with that value; the order of
/// fields is nobody's business.
Status check_described(const Json& given, const Json& printed) {
    const auto unordered = [](const Json& json) { return nlohmann::json::parse(dump(json)); };
    const nlohmann::json all = unordered(printed);
    const nlohmann::json mine = unordered(given);
    for (const auto& [name, value] : mine.items()) {
        const auto found = all.find(name);
        if (found == all.end() || *found != value) {
            return fail(ErrorCode::kInvalidArgument,
                        "field " + name + " is not what this object is printed with");
        }
    }
    return {};
}

Result<Bytes> build(const std::string& kind, const Json& json) {
    const auto is = [&](Kind one) { return kind == to_string(one); };
    if (is(Kind::kReceipt)) return object_of<Receipt>(Kind::kReceipt, json);
    if (is(Kind::kCompact)) return object_of<Compact>(Kind::kCompact, json);
    if (is(Kind::kFull)) return object_of<Full>(Kind::kFull, json);
    if (is(Kind::kPath)) return object_of<PathProof>(Kind::kPath, json);
    if (is(Kind::kWindow)) return object_of<ProofWindow>(Kind::kWindow, json);
    if (is(Kind::kBundle)) return object_of<Bundle>(Kind::kBundle, json);
    if (is(Kind::kMember)) return object_of<Member>(Kind::kMember, json);
    if (is(Kind::kShortCompact)) return object_of<ShortCompact>(Kind::kShortCompact, json);
    if (is(Kind::kShortFull)) return object_of<ShortFull>(Kind::kShortFull, json);
    if (is(Kind::kAcknowledgement)) {
        return object_of<Acknowledgement>(Kind::kAcknowledgement, json);
    }
    return fail(ErrorCode::kInvalidArgument,
                "field kind must name a receipt, a compact, full, short or path proof, a window, a "
                "bundle, a member or an acknowledgement");
}

}  // namespace

Result<Bytes> object_from_json(const Json& json) {
    if (!json.is_object()) {
        return fail(ErrorCode::kInvalidArgument, "an object of fields is needed");
    }
    const auto kind = json.find("kind");
    if (kind == json.end() || !kind->is_string()) {
        return fail(ErrorCode::kInvalidArgument, "field kind is missing or no text");
    }
    HOLDFAST_ASSIGN(object, build(kind->get<std::string>(), json));
    const Checked<Json> printed = describe_object(object);
    if (!printed) return fail_refused(printed.error(), "what the fields describe");
    HOLDFAST_TRY(check_described(json, *printed));
    return object;
}

}  // namespace holdfast::json
