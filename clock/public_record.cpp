#include "clock/public_record.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "embedded/local_beacon.hpp"
#include "storage/file.hpp"

namespace holdfast {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxNetworkBytes = 4096;

/// Reads members of JSON objects with errors that name them; nothing throws out of it.
class Fields {
  public:
    Fields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

    Result<const Json*> member(const char* name) const {
        const auto found = object_.is_object() ? object_.find(name) : object_.end();
        if (!object_.is_object() || found == object_.end()) return wrong(name, "is missing");
        return &*found;
    }
    bool has(const char* name) const { return object_.is_object() && object_.contains(name); }
    Result<std::uint64_t> number(const char* name) const {
        HOLDFAST_ASSIGN(value, member(name));
        if (!value->is_number_unsigned()) return wrong(name, "must be an unsigned integer");
        return value->template get<std::uint64_t>();
    }
    template <class T>
    Result<T> fixed(const char* name) const {
        HOLDFAST_ASSIGN(value, member(name));
        T out;
        if (!value->is_string() ||
            !from_hex(value->template get_ref<const std::string&>(), MutByteView(out.bytes))) {
            return wrong(name, "must be hexadecimal of the right length");
        }
        return out;
    }
    template <class T>
    Result<std::optional<T>> optional_fixed(const char* name) const {
        if (!has(name)) return std::optional<T>();
        HOLDFAST_ASSIGN(value, fixed<T>(name));
        return std::optional<T>(value);
    }
    Result<Bytes> bytes(const char* name) const {
        HOLDFAST_ASSIGN(value, member(name));
        Bytes out;
        if (!value->is_string() || !from_hex(value->template get_ref<const std::string&>(), out)) {
            return wrong(name, "must be hexadecimal");
        }
        return out;
    }
    Result<const Json*> array(const char* name) const {
        HOLDFAST_ASSIGN(value, member(name));
        if (!value->is_array()) return wrong(name, "must be an array");
        return value;
    }
    tl::unexpected<Error> wrong(const char* name, const char* what) const {
        return fail(ErrorCode::kCorrupt, where_ + ": \"" + name + "\" " + what);
    }

  private:
    const Json& object_;
    std::string where_;
};

Json json_of(const PublicHeight& h) {
    Json out = {{"height", h.block.height.value},
                {"block_hash", to_hex(h.block.hash)},
                {"parent", to_hex(h.block.parent)},
                {"time_ms", h.block.time_ms}};
    if (h.beacon) {
        out["beacon"] = {{"round", h.beacon->round},
                         {"randomness", to_hex(h.beacon->randomness)},
                         {"proof", to_hex(h.beacon->proof)}};
    }
    if (h.y) out["y"] = to_hex(*h.y);
    if (h.global) out["global"] = to_hex(*h.global);
    return out;
}

Result<PublicHeight> height_from(const Json& json, const std::string& where) {
    const Fields f(json, where);
    PublicHeight out;
    HOLDFAST_ASSIGN(height, f.number("height"));
    HOLDFAST_ASSIGN(hash, f.fixed<BlockHash>("block_hash"));
    HOLDFAST_ASSIGN(parent, f.fixed<BlockHash>("parent"));
    HOLDFAST_ASSIGN(time_ms, f.number("time_ms"));
    out.block = {Height(height), hash, parent, time_ms, true};
    if (f.has("beacon")) {
        HOLDFAST_ASSIGN(member, f.member("beacon"));
        const Fields b(*member, where + ".beacon");
        HOLDFAST_ASSIGN(round, b.number("round"));
        HOLDFAST_ASSIGN(randomness, b.fixed<Digest>("randomness"));
        HOLDFAST_ASSIGN(proof, b.bytes("proof"));
        if (proof.size() > kMaxBeaconProofBytes) return b.wrong("proof", "is too long");
        out.beacon = BeaconRound{round, randomness, proof};
    }
    HOLDFAST_ASSIGN(y, f.optional_fixed<VdfOutput>("y"));
    HOLDFAST_ASSIGN(global, f.optional_fixed<GlobalDigest>("global"));
    out.y = y;
    out.global = global;
    return out;
}

Json json_of(const ChainId& id, const PublicChain& c) {
    Json updates = Json::array();
    for (const Update& u : c.updates) updates.push_back(to_hex(u.encode()));
    Json reveals = Json::array();
    for (const RevealState& r : c.reveals) {
        reveals.push_back({{"base", r.base.value}, {"i", r.known.i}, {"a", to_hex(r.known.a)}});
    }
    return {{"chain_id", to_hex(id)},
            {"accepted", c.accepted.value},
            {"registration", to_hex(c.registration.encode())},
            {"updates", updates},
            {"reveals", reveals}};
}

Result<PublicChain> chain_from(const Json& json, const std::string& where) {
    const Fields f(json, where);
    PublicChain out;
    HOLDFAST_ASSIGN(accepted, f.number("accepted"));
    HOLDFAST_ASSIGN(body, f.bytes("registration"));
    HOLDFAST_ASSIGN(updates, f.array("updates"));
    out.accepted = Height(accepted);
    const Checked<Registration> registration = Registration::decode(body);
    if (!registration) return fail_refused(registration.error(), where + ".registration");
    out.registration = *registration;
    for (const Json& u : *updates) {
        Bytes raw;
        if (!u.is_string() || !from_hex(u.get_ref<const std::string&>(), raw)) {
            return f.wrong("updates", "must hold hexadecimal");
        }
        const Checked<Update> update = Update::decode(raw);
        if (!update) return fail_refused(update.error(), where + ".updates");
        out.updates.push_back(*update);
    }
    HOLDFAST_ASSIGN(reveals, f.array("reveals"));
    for (const Json& reveal : *reveals) {
        const Fields r(reveal, where + ".reveals");
        HOLDFAST_ASSIGN(base, r.number("base"));
        HOLDFAST_ASSIGN(i, r.number("i"));
        HOLDFAST_ASSIGN(a, r.fixed<Reveal>("a"));
        out.reveals.push_back({Height(base), {i, a}});
    }
    return out;
}

/// The commitment in force at `height`, as a reveal state whose last known reveal is a_0.
/// Spec 5: the newest commitment with base <= h.
std::optional<RevealState> commitment_at(const PublicChain& chain, Height height) {
    RevealState state{chain.registration.genesis_height, {0, chain.registration.local_commitment}};
    for (const Update& u : chain.updates) {
        if (u.effective_height <= height) state = {u.effective_height, {0, u.local_commitment}};
    }
    if (state.known.a.is_zero()) return std::nullopt;
    return state;
}

}  // namespace

PublicRecord::PublicRecord(NetworkParams params)
    : params_(std::move(params)), network_id_(params_.id()) {}

void PublicRecord::set_height(PublicHeight height) {
    const Height at = height.block.height;
    heights_.insert_or_assign(at, std::move(height));
}

// Spec 3, registration and update: form and signature.
Result<ChainId> PublicRecord::add_chain(PublicChain chain) {
    if (const Verdict v = check_registration(params_, network_id_, chain.registration); !v) {
        return fail_refused(v, "a registration of the public record");
    }
    const ChainId id = chain.registration.chain_id(network_id_);
    for (const Update& u : chain.updates) {
        if (u.chain_id != id)
            return fail_refused(Reason::kWrongChain, "an update of the public record");
        const Digest digest = u.digest(network_id_);
        if (const Verdict v =
                verify_signature(chain.registration.header.prover, digest, u.signature);
            !v) {
            return fail_refused(v, "an update of the public record");
        }
    }
    const Digest owner = chain.registration.replica_id(network_id_);
    for (const RevealState& reveal : chain.reveals) {
        // It must hash down to the commitment; a record cannot vouch for it.
        const std::optional<RevealState> committed =
            commitment_at(chain, reveal.base + reveal.known.i);
        const Verdict v = committed && committed->base == reveal.base
                              ? check_reveal(network_id_, owner, committed->known, reveal.known.i,
                                             reveal.known.a, kRevealChainLength)
                              : Verdict(Reason::kBadReveal);
        if (!v) return fail_refused(v, "a reveal of the public record");
    }
    chains_.insert_or_assign(id, std::move(chain));
    return id;
}

// Spec 7, what a verifier brings itself.
Result<KnownHeight> PublicRecord::known_height(Height height) const {
    const auto found = heights_.find(height);
    if (found == heights_.end()) {
        return fail(ErrorCode::kNotFound, "the public record has no final block of height " +
                                              std::to_string(height.value) +
                                              "; export it again from a node that has");
    }
    KnownHeight known;
    known.height = height;
    known.block_hash = found->second.block.hash;
    known.y = found->second.y;
    known.global = found->second.global;
    const auto global_of = [&](Height h) -> std::optional<GlobalDigest> {
        const auto at = heights_.find(h);
        return at == heights_.end() ? std::nullopt : at->second.global;
    };
    const std::optional<Height> anchored = anchor_height(params_, height);
    const std::optional<GlobalDigest> anchor =
        anchored ? global_of(*anchored) : std::optional(genesis_global(network_id_));
    if (!anchor) {
        return fail(ErrorCode::kNotFound, "the public record lacks the global digest of height " +
                                              std::to_string(anchored->value) +
                                              ", the anchor of height " +
                                              std::to_string(height.value));
    }
    known.anchor = *anchor;
    known.previous_global = height == params_.genesis_height
                                ? std::optional(genesis_global(network_id_))
                                : global_of(height - 1);
    const auto draw = heights_.find(compact_draw_height(params_, height));
    if (draw != heights_.end()) known.y_compact = draw->second.y;
    return known;
}

// Spec 7, what a verifier brings itself.
Result<KnownChain> PublicRecord::known_chain(const ChainId& id, Height height) const {
    const auto found = chains_.find(id);
    if (found == chains_.end()) {
        return fail(ErrorCode::kNotFound,
                    "the public record has no registration of chain " + to_hex(id));
    }
    KnownChain known = KnownChain::of(network_id_, found->second.registration);
    known.reveals = commitment_at(found->second, height);
    if (!known.reveals) return known;
    // Of the two that are known under this commitment, a_0 and the newest, the nearer one: it may
    // be at most rate_window + 1 away.
    const std::uint64_t i = height.since(known.reveals->base);
    for (const RevealState& reveal : found->second.reveals) {
        if (reveal.base != known.reveals->base) continue;
        const std::uint64_t away = std::max(i, reveal.known.i) - std::min(i, reveal.known.i);
        if (away < i) known.reveals = reveal;
    }
    return known;
}

std::string PublicRecord::to_text() const {
    Json heights = Json::array();
    for (const auto& [height, facts] : heights_) heights.push_back(json_of(facts));
    Json chains = Json::array();
    for (const auto& [id, facts] : chains_) chains.push_back(json_of(id, facts));
    const Json record = {{"format", "holdfast-public/1"},
                         {"network_id", to_hex(network_id_)},
                         {"heights", heights},
                         {"chains", chains}};
    return record.dump(1) + "\n";
}

Status PublicRecord::save(const std::filesystem::path& folder) const {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail_errno(error.value(), folder.string());
    HOLDFAST_TRY(
        write_file(folder / kNetworkFile, wrap_object(Kind::kNetwork, params_.encode()), true));
    const std::string text = to_text();
    return write_file(folder / kRecordFile, view(std::string_view(text)), true);
}

Result<PublicRecord> PublicRecord::load(const std::filesystem::path& folder) {
    HOLDFAST_ASSIGN(object, read_stored_file(folder / kNetworkFile, kMaxNetworkBytes));
    const Checked<ByteView> body = unwrap_object(Kind::kNetwork, object);
    if (!body) return fail_refused(body.error(), (folder / kNetworkFile).string());
    const Checked<NetworkParams> params = NetworkParams::decode(*body);
    if (!params) return fail_refused(params.error(), (folder / kNetworkFile).string());
    PublicRecord record(*params);

    const std::string where = (folder / kRecordFile).string();
    HOLDFAST_ASSIGN(raw, read_stored_file(folder / kRecordFile, kMaxFileBytes));
    const Json json = Json::parse(raw.begin(), raw.end(), nullptr, false);
    if (json.is_discarded()) return fail(ErrorCode::kCorrupt, where + ": not valid JSON");
    const Fields f(json, where);
    HOLDFAST_ASSIGN(network_id, f.fixed<NetworkId>("network_id"));
    if (network_id != record.network_id_) return fail_refused(Reason::kWrongNetwork, where);
    HOLDFAST_ASSIGN(heights, f.array("heights"));
    for (const Json& h : *heights) {
        HOLDFAST_ASSIGN(facts, height_from(h, where + ": heights"));
        record.set_height(std::move(facts));
    }
    HOLDFAST_ASSIGN(chains, f.array("chains"));
    for (const Json& c : *chains) {
        HOLDFAST_ASSIGN(facts, chain_from(c, where + ": chains"));
        HOLDFAST_TRY(record.add_chain(std::move(facts)));
    }
    return record;
}

Result<Height> PublicBlockchain::current_height() {
    if (record_.heights().empty())
        return fail(ErrorCode::kNotFound, "the public record has no blocks");
    return record_.heights().rbegin()->first;
}

Result<BlockInfo> PublicBlockchain::block_by_height(Height height) {
    const auto found = record_.heights().find(height);
    if (found == record_.heights().end()) {
        return fail(ErrorCode::kNotFound,
                    "the public record has no block of height " + std::to_string(height.value));
    }
    return found->second.block;
}

Status PublicBlockchain::submit(Kind, ByteView) {
    return fail(ErrorCode::kPermission, "a public record is for reading");
}

Result<std::vector<BondEvent>> PublicBlockchain::bond_events_at(Height) {
    return fail(ErrorCode::kUnsupported, "a public record holds no bonds");
}

Result<std::vector<Submission>> PublicBlockchain::submissions_at(Height height) {
    std::vector<Submission> out;
    for (const auto& [id, chain] : record_.chains()) {
        if (chain.accepted != height) continue;
        out.push_back(
            {Kind::kRegistration, wrap_object(Kind::kRegistration, chain.registration.encode())});
    }
    return out;
}

Result<BeaconRound> PublicBeacon::randomness(std::uint64_t round) {
    for (const auto& [height, facts] : record_.heights()) {
        if (facts.beacon && facts.beacon->round == round) return *facts.beacon;
    }
    return fail(ErrorCode::kUnavailable,
                "the public record has no beacon round " + std::to_string(round));
}

Status PublicBeacon::verify(std::uint64_t round, const BeaconRound& value) {
    PublicKey key;
    const Bytes& raw = record_.params().beacon_key;
    if (raw.size() != key.size()) {
        return fail(ErrorCode::kUnsupported,
                    "the network's beacon is of a kind this build cannot check");
    }
    std::copy(raw.begin(), raw.end(), key.bytes.begin());
    return check_beacon_round(key, round, value);
}

}  // namespace holdfast
