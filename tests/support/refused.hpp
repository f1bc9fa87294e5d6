// The forms of the vector files: expanded data and `refused` lists.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "support/json.hpp"

namespace holdfast::test {

/// SHA-256(seed || LE64(0)) || SHA-256(seed || LE64(1)) || …, cut to `bytes`.
inline Bytes expand(ByteView seed, std::size_t bytes) {
    Bytes out;
    for (std::uint64_t i = 0; out.size() < bytes; ++i) {
        std::uint8_t counter[8];
        store_le64(counter, i);
        const Digest block = Sha256().update(seed).update(counter).finish();
        out.insert(out.end(), block.begin(), block.end());
    }
    out.resize(bytes);
    return out;
}

/// Hex, or {"expand": seed, "len": n}.
inline Bytes data_of(const nlohmann::json& value) {
    if (value.is_string()) return hex(value);
    return expand(hex(value.at("expand")), value.at("len").get<std::size_t>());
}

/// body[:at] || insert || body[at + remove:].
inline Bytes splice(const Bytes& body, const nlohmann::json& entry) {
    const auto at = static_cast<std::ptrdiff_t>(entry.at("at").get<std::size_t>());
    const auto remove = static_cast<std::ptrdiff_t>(entry.at("remove").get<std::size_t>());
    Bytes out(body.begin(), body.begin() + at);
    const Bytes insert = hex(entry.at("insert"));
    out.insert(out.end(), insert.begin(), insert.end());
    out.insert(out.end(), body.begin() + at + remove, body.end());
    return out;
}

/// `examine` accepts the encoding and refuses it with every change of the list.
inline void expect_refused(const nlohmann::json& list, const Bytes& body,
                           const std::function<Verdict(ByteView)>& examine) {
    const Verdict whole = examine(body);
    EXPECT_TRUE(whole.accepted()) << to_string(whole);
    for (const auto& entry : list) {
        EXPECT_FALSE(examine(splice(body, entry)).accepted()) << entry.at("why");
    }
}

/// The network of a vector file or case.
struct VectorNetwork {
    NetworkParams params;
    NetworkId id;
};
inline VectorNetwork network_of(const nlohmann::json& holder) {
    auto params = NetworkParams::decode(hex(holder.at("network")));
    EXPECT_TRUE(params.has_value());
    return {*params, params->id()};
}

}  // namespace holdfast::test
