#include "storage/paper_key.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/hash.hpp"

namespace holdfast {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::string_view kTitle = "holdfast key on paper, version 1";
constexpr std::string_view kPublicLine = "public key ";
constexpr std::uint8_t kPaperVersion = 1;
constexpr std::size_t kPaperLines = 4;
constexpr std::size_t kLineBytes = 10;  // sixteen characters
constexpr std::size_t kLineCharacters = 16;
constexpr std::size_t kCheckCharacters = 4;
constexpr std::size_t kPaperBytes = kPaperLines * kLineBytes;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kWholeCheckBytes = kPaperBytes - 1 - kSecretBytes;

/// 40 bytes of which 33 are secret: wiped when they go.
struct PaperBytes {
    std::array<std::uint8_t, kPaperBytes> bytes{};
    PaperBytes() = default;
    PaperBytes(const PaperBytes&) = delete;
    PaperBytes& operator=(const PaperBytes&) = delete;
    ~PaperBytes() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
    [[nodiscard]] ByteView secret() const { return ByteView(bytes).subspan(1, kSecretBytes); }
    [[nodiscard]] ByteView line(std::size_t i) const {
        return ByteView(bytes).subspan(i * kLineBytes, kLineBytes);
    }
};

Digest whole_check(ByteView secret) { return tagged_hash("paper/key", secret); }

/// Five bits a character, the most significant first.
std::string base32(ByteView bytes, std::size_t characters) {
    std::string out;
    for (std::size_t i = 0; i < characters; ++i) {
        std::uint32_t value = 0;
        for (std::size_t bit = 5 * i; bit < 5 * i + 5; ++bit) {
            value = 2 * value + ((bytes[bit / 8] >> (7 - bit % 8)) & 1U);
        }
        out += kAlphabet[value];
    }
    return out;
}

std::string line_check(std::size_t number, ByteView line) {
    const auto n = static_cast<std::uint8_t>(number);
    return base32(view(tagged_hash("paper/line", n, line)), kCheckCharacters);
}

std::optional<std::uint8_t> value_of(char c) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const char read = upper == 'O'                   ? '0'
                      : upper == 'I' || upper == 'L' ? '1'
                      : upper == 'U'                 ? 'V'
                                                     : upper;
    const std::size_t at = kAlphabet.find(read);
    if (at == kAlphabet.npos) return std::nullopt;
    return static_cast<std::uint8_t>(at);
}

/// What stands behind a line's number, without spaces and hyphens, in the alphabet's own letters;
/// nothing for a character that is none.
std::optional<std::string> characters_of(std::string_view line) {
    std::string out;
    for (const char c : line) {
        if (c == ' ' || c == '-' || c == '\t') continue;
        const auto value = value_of(c);
        if (!value) return std::nullopt;
        out += kAlphabet[*value];
    }
    return out;
}

/// Whether line `number` checks; its bytes go to `out`.
bool read_line(std::size_t number, std::string_view text, MutByteView out) {
    const auto characters = characters_of(text);
    if (!characters || characters->size() != kLineCharacters + kCheckCharacters) return false;
    for (std::size_t bit = 0; bit < 8 * kLineBytes; ++bit) {
        const std::size_t value = kAlphabet.find((*characters)[bit / 5]);
        const auto one = static_cast<std::uint8_t>((value >> (4 - bit % 5)) & 1U);
        out[bit / 8] = static_cast<std::uint8_t>(2 * out[bit / 8] + one);
    }
    return characters->substr(kLineCharacters) == line_check(number, out);
}

std::string_view trimmed(std::string_view line) {
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r' || line.back() == '\t')) {
        line.remove_suffix(1);
    }
    return line;
}

struct PaperText {
    std::array<std::optional<std::string_view>, kPaperLines> lines;
    std::string_view public_key;  // as typed
};

PaperText split(std::string_view text) {
    PaperText out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.starts_with(kPublicLine)) out.public_key = line.substr(kPublicLine.size());
        const bool numbered = line.size() > 1 && (line[1] == ' ' || line[1] == '\t') &&
                              line[0] >= '1' && line[0] < static_cast<char>('1' + kPaperLines);
        if (numbered) out.lines[static_cast<std::size_t>(line[0] - '1')] = line.substr(2);
    }
    return out;
}

tl::unexpected<Error> bad_paper(const std::string& what) {
    return fail(ErrorCode::kCorrupt, "the key on paper: " + what);
}

}  // namespace

Result<std::string> key_to_paper(const KeyPair& key) {
    const std::shared_ptr<void> held = key.openssl_key();
    if (!held) {
        return fail(ErrorCode::kUnsupported,
                    "the secret of key " + to_hex(key.public_key()) + " is with its signer");
    }
    PaperBytes all;
    all.bytes[0] = kPaperVersion;
    std::size_t length = kSecretBytes;
    HOLDFAST_CHECK(EVP_PKEY_get_raw_private_key(static_cast<EVP_PKEY*>(held.get()),
                                                all.bytes.data() + 1, &length) == 1);
    const Digest check = whole_check(all.secret());
    std::copy_n(check.bytes.begin(), kWholeCheckBytes, all.bytes.begin() + 1 + kSecretBytes);
    std::string out =
        std::string(kTitle) + "\n" + std::string(kPublicLine) + to_hex(key.public_key()) + "\n";
    for (std::size_t i = 0; i < kPaperLines; ++i) {
        const std::string characters = base32(all.line(i), kLineCharacters);
        out += std::to_string(i + 1) + " ";
        for (std::size_t at = 0; at < kLineCharacters; at += 4) {
            out += " " + characters.substr(at, 4);
        }
        out += "  " + line_check(i + 1, all.line(i)) + "\n";
    }
    return out;
}

Result<KeyPair> key_from_paper(std::string_view text) {
    const PaperText typed = split(text);
    PaperBytes all;
    std::string wrong;
    for (std::size_t i = 0; i < kPaperLines; ++i) {
        const std::string number = std::to_string(i + 1);
        const MutByteView out = MutByteView(all.bytes).subspan(i * kLineBytes, kLineBytes);
        if (!typed.lines[i]) {
            wrong += (wrong.empty() ? "" : ", ") + ("line " + number + " is missing");
        } else if (!read_line(i + 1, *typed.lines[i], out)) {
            wrong += (wrong.empty() ? "" : ", ") + ("line " + number + " is mistyped");
        }
    }
    if (!wrong.empty()) return bad_paper(wrong);
    const Digest check = whole_check(all.secret());
    if (all.bytes[0] != kPaperVersion) return bad_paper("it is of a newer version");
    if (!std::equal(check.bytes.begin(), check.bytes.begin() + kWholeCheckBytes,
                    all.bytes.begin() + 1 + kSecretBytes)) {
        return bad_paper("each line checks and the whole does not: lines of different keys");
    }
    KeyPair key = KeyPair::from_secret(all.secret());
    if (!typed.public_key.empty() && typed.public_key != to_hex(key.public_key())) {
        return bad_paper("the public key above it is that of another key");
    }
    return key;
}

}  // namespace holdfast
