#include "json/leaves.hpp"

#include <algorithm>

#include "core/codec.hpp"
#include "storage/file.hpp"

namespace holdfast::json {
namespace {

constexpr std::string_view kFormat = "holdfast-leaves-1";
constexpr std::uint64_t kMaxDocumentBytes = std::uint64_t{1} << 30;

/// Reads members of one JSON object; remembers the first that is not what it should be.
class Members {
  public:
    explicit Members(const nlohmann::json& object) : object_(object) {
        if (!object.is_object()) bad_ = "not an object";
    }
    [[nodiscard]] const std::string& bad() const { return bad_; }
    [[nodiscard]] const nlohmann::json* find(const std::string& name) const {
        if (!object_.is_object()) return nullptr;
        const auto at = object_.find(name);
        return at == object_.end() || at->is_null() ? nullptr : &*at;
    }
    std::uint64_t number(const std::string& name) {
        const nlohmann::json* value = find(name);
        if (value != nullptr && value->is_number_unsigned()) return value->get<std::uint64_t>();
        note(name);
        return 0;
    }
    std::string text(const std::string& name) {
        const nlohmann::json* value = find(name);
        if (value != nullptr && value->is_string()) return value->get<std::string>();
        note(name);
        return {};
    }
    template <class T>
    T fixed(const std::string& name) {
        T out{};
        if (!from_hex(text(name), MutByteView(out.bytes))) note(name);
        return out;
    }
    Bytes object(const std::string& name) {
        Bytes out;
        if (!from_hex(text(name), out)) note(name);
        return out;
    }
    void note(const std::string& name) {
        if (bad_.empty()) bad_ = "member \"" + name + "\"";
    }

  private:
    const nlohmann::json& object_;
    std::string bad_;
};

tl::unexpected<Error> malformed(const std::filesystem::path& file, const std::string& what,
                                Reason reason = Reason::kBadField) {
    return fail_refused(reason, file.string() + ": " + what);
}

Result<nlohmann::json> read_json(const std::filesystem::path& file) {
    HOLDFAST_ASSIGN(bytes, read_stored_file(file, kMaxDocumentBytes));
    nlohmann::json out = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
    if (out.is_discarded()) return malformed(file, "not JSON");
    return out;
}

ChainStatus status_of(Members& leaf) {
    const std::string name = leaf.text("status");
    for (const ChainStatus status : {ChainStatus::kActive, ChainStatus::kLate,
                                     ChainStatus::kRemoving, ChainStatus::kExpired}) {
        if (to_string(status) == name) return status;
    }
    leaf.note("status");
    return ChainStatus::kActive;
}

Status read_slots(const nlohmann::json& leaves, const std::filesystem::path& file,
                  RegistrySlots& out) {
    for (const nlohmann::json& entry : leaves) {
        Members m(entry);
        const std::uint64_t slot = m.number("slot");
        ChainLeaf leaf;
        leaf.chain_id = m.fixed<ChainId>("chain_id");
        leaf.link = m.fixed<Link>("link");
        leaf.link_height = Height(m.number("link_height"));
        leaf.status = status_of(m);
        const std::string where = "leaf " + std::to_string(out.slots.size());
        if (!m.bad().empty()) return malformed(file, where + ": " + m.bad());
        if (slot >= kSlotsEnd || (!out.slots.empty() && slot <= out.slots.rbegin()->first)) {
            return malformed(file, where + ": its slot is out of range or does not ascend",
                             Reason::kBadIndex);
        }
        out.slots.emplace_hint(out.slots.end(), slot, leaf);
    }
    return {};
}

void read_disagreement(const Members& document, RegistrySlots& out) {
    const nlohmann::json* found = document.find("disagreement");
    if (found == nullptr || !found->is_array()) return;
    const auto says = [&](const char* what) {
        return std::find(found->begin(), found->end(), what) != found->end();
    };
    out.disagreement = {says("block"), says("y"), says("previous")};
}

}  // namespace

std::string begin_leaves_text(const LeavesDocument& document) {
    const RegistrySlots& s = document.slots;
    Json head = {{"format", kFormat},
                 {"network", to_hex(wrap_object(Kind::kNetwork, document.network.encode()))},
                 {"network_id", to_hex(s.network_id)},
                 {"height", nullptr}};
    if (s.digest_height) {
        head["height"] = s.digest_height->value;
        head["block_hash"] = to_hex(s.block_hash);
        head["y"] = s.y.is_zero() ? Json(nullptr) : Json(to_hex(s.y));
        head["previous_global"] = to_hex(s.previous);
        if (document.global) head["global"] = to_hex(*document.global);
    }
    for (const auto& [name, is] :
         {std::pair("block", s.disagreement.block), std::pair("y", s.disagreement.y),
          std::pair("previous", s.disagreement.previous)}) {
        if (is) head["disagreement"].push_back(name);
    }
    std::string out = dump(head, 1);
    out.resize(out.size() - 2);  // without "\n}"
    out += ",\n \"leaves\": [";
    const char* separator = "\n";
    for (const auto& [slot, leaf] : s.slots) {
        const Json line = {{"slot", slot},
                           {"chain_id", to_hex(leaf.chain_id)},
                           {"link", to_hex(leaf.link)},
                           {"link_height", leaf.link_height.value},
                           {"status", to_string(leaf.status)}};
        out += separator + ("  " + dump(line));
        separator = ",\n";
    }
    return out + "\n ]";
}

Result<LeavesDocument> read_leaves(const std::filesystem::path& file) {
    HOLDFAST_ASSIGN(json, read_json(file));
    Members m(json);
    if (m.text("format") != kFormat) return malformed(file, "not a document of leaves");
    const Bytes object = m.object("network");
    const Checked<ByteView> body = unwrap_object(Kind::kNetwork, object);
    if (!body) return malformed(file, "its network", body.error().reason);
    const Checked<NetworkParams> params = NetworkParams::decode(*body);
    if (!params) return malformed(file, "its network", params.error().reason);
    if (const Verdict v = params->validate(); !v) return malformed(file, "its network", v.reason);
    LeavesDocument out;
    out.network = *params;
    out.slots.network_id = params->id();
    if (m.fixed<NetworkId>("network_id") != out.slots.network_id) {
        return malformed(file, "network_id is not that of the network", Reason::kWrongNetwork);
    }
    const nlohmann::json* leaves = m.find("leaves");
    if (leaves == nullptr || !leaves->is_array()) m.note("leaves");
    if (m.find("height") != nullptr) {
        out.slots.digest_height = Height(m.number("height"));
        out.slots.block_hash = m.fixed<BlockHash>("block_hash");
        if (m.find("y") != nullptr) out.slots.y = m.fixed<VdfOutput>("y");
        out.slots.previous = m.fixed<GlobalDigest>("previous_global");
        if (m.find("global") != nullptr) out.global = m.fixed<GlobalDigest>("global");
    } else if (leaves != nullptr && !leaves->empty()) {
        m.note("height");
    }
    if (!m.bad().empty()) return malformed(file, m.bad());
    read_disagreement(m, out.slots);
    HOLDFAST_TRY(read_slots(*leaves, file, out.slots));
    return out;
}

Result<std::vector<std::pair<ChainId, Receipt>>> read_receipts(const std::filesystem::path& file) {
    HOLDFAST_ASSIGN(json, read_json(file));
    if (!json.is_array()) return malformed(file, "not an array of receipts");
    std::vector<std::pair<ChainId, Receipt>> out;
    for (const nlohmann::json& entry : json) {
        Members m(entry);
        const auto chain_id = m.fixed<ChainId>("chain_id");
        const Bytes object = m.object("receipt");
        const std::string where = "receipt " + std::to_string(out.size());
        if (!m.bad().empty()) return malformed(file, where + ": " + m.bad());
        const Checked<ByteView> body = unwrap_object(Kind::kReceipt, object);
        if (!body) return malformed(file, where, body.error().reason);
        const Checked<Receipt> receipt = Receipt::decode(*body);
        if (!receipt) return malformed(file, where, receipt.error().reason);
        out.emplace_back(chain_id, *receipt);
    }
    return out;
}

}  // namespace holdfast::json
