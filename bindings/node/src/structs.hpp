// Structs of the C ABI out of JavaScript's objects, and the other way. Field names are those of the
// header in camelCase; what `has_X` says there is null or left out here.
#pragma once

#include <optional>
#include <vector>

#include "value.hpp"

namespace holdfast_node {

template <class T>
T sized_struct() {
    T out{};
    out.struct_size = sizeof out;
    return out;
}

/// What is there, or nothing, with the memory that pointers of the C ABI need.
struct OptionalDigest {
    std::optional<Digest> value;
    [[nodiscard]] const std::uint8_t* data() const { return value ? value->data() : nullptr; }
};
OptionalDigest optional_digest(const In& in);
Bytes optional_bytes(const In& in);
std::optional<std::string> optional_text(const In& in);
inline const char* text_or_null(const std::optional<std::string>& text) {
    return text ? text->c_str() : nullptr;
}
std::uint64_t u64_or(const In& in, std::uint64_t otherwise);
std::uint32_t u32_or(const In& in, std::uint32_t otherwise);
bool flag_or(const In& in, bool otherwise);
inline holdfast_bytes bytes_view(const Bytes& bytes) { return {bytes.data(), bytes.size()}; }

/// Several byte strings, kept.
struct ByteStrings {
    std::vector<Bytes> owned;
    [[nodiscard]] std::vector<holdfast_bytes> views() const;
};
ByteStrings byte_strings(const In& in);
/// Several paths or settings, kept.
struct Texts {
    std::vector<std::string> owned;
    [[nodiscard]] std::vector<const char*> pointers() const;
};
Texts texts(const In& in);

struct Hints {
    OptionalDigest chain_id, link, link_before, host;
    Bytes path, acknowledged;
    std::optional<std::uint64_t> height;
    explicit Hints(const In& in);
    [[nodiscard]] holdfast_verify_hints view() const;
};

holdfast_link_place link_place(const In& in);
Value link_place_value(const holdfast_link_place& place);
holdfast_link_facts link_facts(const In& in);
Value link_facts_value(const holdfast_link_facts& facts);

/// A height as provers and challengers must know it.
struct ChallengeHeight {
    std::vector<holdfast_challenger_part> challengers;
    holdfast_challenge_height height;
    explicit ChallengeHeight(const In& in);
    [[nodiscard]] holdfast_challenge_height view() const;
};

Value report_value(const holdfast_verify_report& report);
Value replica_value(const holdfast_replica_info& info);

}  // namespace holdfast_node
