#include "adapters/drand/chain.hpp"

#include <blst.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/hash.hpp"

namespace holdfast {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kG1Bytes = 48;
constexpr std::size_t kG2Bytes = 96;
constexpr std::size_t kMaxBeaconId = 64;
constexpr std::string_view kChainedScheme = "pedersen-bls-chained";
constexpr std::string_view kQuicknetScheme = "bls-unchained-g1-rfc9380";
// RFC 9380, the suites that drand hashes a message to its signature's group with.
constexpr std::string_view kG1Suite = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
constexpr std::string_view kG2Suite = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";

std::size_t key_bytes(DrandScheme scheme) {
    return scheme == DrandScheme::kChained ? kG1Bytes : kG2Bytes;
}
std::size_t signature_bytes(DrandScheme scheme) {
    return scheme == DrandScheme::kChained ? kG2Bytes : kG1Bytes;
}

template <class T>
void append_big_endian(Bytes& out, T v) {
    for (std::size_t i = sizeof v; i-- > 0;) out.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
}

void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

ByteView text_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// What comes before the signature of a round in the message of the chained scheme.
std::size_t previous_bytes(const DrandChain& chain, std::uint64_t round) {
    if (chain.scheme != DrandScheme::kChained) return 0;
    return round == 1 ? kDigestBytes : kG2Bytes;
}

bool quicknet_holds(ByteView key, ByteView signature, ByteView message) {
    blst_p2_affine public_key;
    blst_p1_affine point;
    if (blst_p2_uncompress(&public_key, key.data()) != BLST_SUCCESS) return false;
    if (blst_p1_uncompress(&point, signature.data()) != BLST_SUCCESS) return false;
    // Both points' groups are checked within.
    return blst_core_verify_pk_in_g2(&public_key, &point, true, message.data(), message.size(),
                                     text_bytes(kG1Suite).data(), kG1Suite.size(), nullptr,
                                     0) == BLST_SUCCESS;
}

bool chained_holds(ByteView key, ByteView signature, ByteView message) {
    blst_p1_affine public_key;
    blst_p2_affine point;
    if (blst_p1_uncompress(&public_key, key.data()) != BLST_SUCCESS) return false;
    if (blst_p2_uncompress(&point, signature.data()) != BLST_SUCCESS) return false;
    return blst_core_verify_pk_in_g1(&public_key, &point, true, message.data(), message.size(),
                                     text_bytes(kG2Suite).data(), kG2Suite.size(), nullptr,
                                     0) == BLST_SUCCESS;
}

/// The member of this name as text; empty where there is none.
std::string text_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

Json parsed(std::string_view json) {
    // Bounded by who fetched it; what is no document becomes a discarded value, not an exception.
    return Json::parse(json.begin(), json.end(), nullptr, false);
}

bool well_formed(const DrandChain& chain) {
    return (chain.scheme == DrandScheme::kChained || chain.scheme == DrandScheme::kQuicknet) &&
           chain.public_key.size() == key_bytes(chain.scheme) &&
           chain.beacon_id.size() <= kMaxBeaconId && chain.period_s > 0;
}

}  // namespace

Digest DrandChain::chain_hash() const {
    Bytes all;
    append_big_endian(all, period_s);
    append_big_endian(all, genesis_s);
    append(all, public_key);
    append(all, view(group_hash));
    append(all, text_bytes(beacon_id));
    return sha256(all);
}

Bytes DrandChain::beacon_key() const {
    Bytes out{static_cast<std::uint8_t>(scheme)};
    append(out, view(group_hash));
    append(out, public_key);
    append(out, text_bytes(beacon_id));
    return out;
}

Result<DrandChain> DrandChain::from_params(const NetworkParams& params) {
    if (!params.has_beacon) {
        return fail(ErrorCode::kInvalidArgument, "the network has no beacon");
    }
    DrandChain chain;
    const ByteView key(params.beacon_key);
    constexpr std::size_t kHead = 1 + kDigestBytes;
    if (key.size() > kHead) {
        chain.scheme = static_cast<DrandScheme>(key[0]);
        std::copy_n(key.begin() + 1, kDigestBytes, chain.group_hash.bytes.begin());
        const std::size_t end = std::min(key.size(), kHead + key_bytes(chain.scheme));
        chain.public_key.assign(key.begin() + kHead,
                                key.begin() + static_cast<std::ptrdiff_t>(end));
        chain.beacon_id.assign(key.begin() + static_cast<std::ptrdiff_t>(end), key.end());
    }
    chain.genesis_s = params.beacon_genesis_s;
    chain.period_s = params.beacon_period_s;
    if (!well_formed(chain)) {
        return fail(ErrorCode::kInvalidArgument,
                    "the network's beacon_key is not that of a drand chain");
    }
    return chain;
}

Result<DrandChain> DrandChain::from_info(std::string_view json) {
    const Json info = parsed(json);
    if (!info.is_object()) return fail(ErrorCode::kCorrupt, "the chain's info is no JSON object");
    DrandChain chain;
    const std::string scheme = text_of(info, "schemeID");
    if (scheme == kQuicknetScheme) {
        chain.scheme = DrandScheme::kQuicknet;
    } else if (scheme == kChainedScheme || scheme.empty()) {  // servers of old name none
        chain.scheme = DrandScheme::kChained;
    } else {
        return fail(ErrorCode::kUnsupported,
                    "drand's scheme '" + scheme.substr(0, 64) + "' is not known here");
    }
    const auto metadata = info.find("metadata");
    if (metadata != info.end() && metadata->is_object()) {
        chain.beacon_id = text_of(*metadata, "beaconID");
    }
    if (chain.beacon_id == "default") chain.beacon_id.clear();
    chain.genesis_s = number_of(info, "genesis_time");
    const std::uint64_t period = number_of(info, "period");
    chain.period_s = period <= UINT32_MAX ? static_cast<std::uint32_t>(period) : 0;
    if (!from_hex(text_of(info, "public_key"), chain.public_key) ||
        !from_hex(text_of(info, "groupHash"), chain.group_hash.bytes) || !well_formed(chain)) {
        return fail(ErrorCode::kCorrupt, "the chain's info lacks a field or has a wrong one");
    }
    return chain;
}

Result<BeaconRound> drand_round(const DrandChain& chain, std::string_view json) {
    const Json told = parsed(json);
    if (!told.is_object()) return fail(ErrorCode::kCorrupt, "the round is no JSON object");
    BeaconRound value;
    value.round = number_of(told, "round");
    Bytes previous;
    const bool chained = chain.scheme == DrandScheme::kChained;
    if (value.round == 0 || !from_hex(text_of(told, "signature"), value.proof) ||
        value.proof.size() != signature_bytes(chain.scheme) ||
        (chained && (!from_hex(text_of(told, "previous_signature"), previous) ||
                     previous.size() != previous_bytes(chain, value.round)))) {
        return fail(ErrorCode::kCorrupt, "the round lacks a field or has a wrong one");
    }
    // What a server says the randomness is, is not read: it follows from the signature.
    value.randomness = sha256(value.proof);
    append(value.proof, previous);
    return value;
}

Status verify_drand(const DrandChain& chain, std::uint64_t round, const BeaconRound& value) {
    const auto refused = [] { return fail_refused(Reason::kBadBeacon, "the round of drand"); };
    const std::size_t signed_bytes = signature_bytes(chain.scheme);
    if (!well_formed(chain) || round == 0 || value.round != round ||
        value.proof.size() != signed_bytes + previous_bytes(chain, round)) {
        return refused();
    }
    const ByteView proof(value.proof);
    const ByteView signature = proof.subspan(0, signed_bytes);
    const ByteView previous = proof.subspan(signed_bytes);
    if (sha256(signature) != value.randomness) return refused();
    const bool first = chain.scheme == DrandScheme::kChained && round == 1;
    if (first && !std::equal(previous.begin(), previous.end(), chain.group_hash.bytes.begin())) {
        return refused();
    }
    Bytes message(previous.begin(), previous.end());
    append_big_endian(message, round);
    const Digest digest = sha256(message);
    const bool holds = chain.scheme == DrandScheme::kChained
                           ? chained_holds(chain.public_key, signature, view(digest))
                           : quicknet_holds(chain.public_key, signature, view(digest));
    return holds ? Status() : refused();
}

}  // namespace holdfast
