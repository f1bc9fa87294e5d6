#include "json/json.hpp"

#include <algorithm>
#include <cstdint>

namespace holdfast::json {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::string_view kHexDigits = "0123456789abcdef";

/// Bytes of the character that `text` begins with (RFC 3629); 0 where it is not UTF-8.
std::size_t character_bytes(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
    }
    // Forms that are too long, halves of surrogate pairs, numbers above U+10FFFF.
    const bool is_canonical =
        !(first == 0xe0 && byte(1) < 0xa0) && !(first == 0xed && byte(1) > 0x9f) &&
        !(first == 0xf0 && byte(1) < 0x90) && !(first == 0xf4 && byte(1) > 0x8f);
    return is_canonical ? size : 0;
}

bool is_clean(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = character_bytes(text.substr(at));
        if (size == 0 || text.substr(at, size) == kReplacement) return false;
        at += size;
    }
    return true;
}

bool is_clean(const Json& value) {
    if (value.is_string()) return is_clean(std::string_view(value.get_ref<const std::string&>()));
    if (!value.is_structured()) return true;
    const auto items = value.items();
    return std::all_of(items.begin(), items.end(), [](const auto& item) {
        return is_clean(std::string_view(item.key())) && is_clean(item.value());
    });
}

Json cleaned(const Json& value) {
    if (value.is_string()) return utf8_text(value.get_ref<const std::string&>());
    if (value.is_array()) {
        Json out = Json::array();
        for (const Json& inner : value) out.push_back(cleaned(inner));
        return out;
    }
    if (!value.is_object()) return value;
    Json out = Json::object();
    for (const auto& [key, inner] : value.items()) out[utf8_text(key)] = cleaned(inner);
    return out;
}

/// The value of a hexadecimal digit as utf8_text() writes them; none for anything else.
std::size_t digit_value(char c) { return kHexDigits.find(c); }

}  // namespace

std::string utf8_text(std::string_view bytes) {
    if (is_clean(bytes)) return std::string(bytes);
    std::string out;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t size = character_bytes(bytes.substr(at));
        const std::string_view character = bytes.substr(at, std::max<std::size_t>(size, 1));
        at += character.size();
        if (size != 0 && character != kReplacement) {
            out += character;
            continue;
        }
        for (const char c : character) {
            const auto byte = static_cast<std::uint8_t>(c);
            out += kReplacement;
            out += {kHexDigits[byte >> 4], kHexDigits[byte & 15]};
        }
    }
    return out;
}

std::string original_bytes(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t at = std::min(text.find(kReplacement), text.size());
        out += text.substr(0, at);
        text.remove_prefix(at);
        if (text.empty()) break;
        const std::string_view digits = text.substr(kReplacement.size(), 2);
        const bool is_byte = digits.size() == 2 &&
                             digit_value(digits[0]) != std::string_view::npos &&
                             digit_value(digits[1]) != std::string_view::npos;
        const std::size_t used = kReplacement.size() + (is_byte ? digits.size() : 0);
        if (is_byte) {
            out += static_cast<char>(digit_value(digits[0]) << 4 | digit_value(digits[1]));
        } else {
            out += kReplacement;
        }
        text.remove_prefix(used);
    }
    return out;
}

std::string dump(const Json& value, int indent, Charset charset) {
    const bool ascii = charset == Charset::kAscii;
    return is_clean(value) ? value.dump(indent, ' ', ascii)
                           : cleaned(value).dump(indent, ' ', ascii);
}

}  // namespace holdfast::json
