#include "node/http_admission.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>

#include "core/hash.hpp"
#include "storage/file.hpp"
#include "storage/randomness.hpp"

namespace holdfast::node {
namespace {

constexpr std::size_t kLeastToken = 16;
constexpr std::size_t kMostToken = 512;

Digest token_hash(std::string_view token) { return tagged_hash("http/token", view(token)); }

bool is_token_character(char c) { return c > 0x20 && c < 0x7f; }

/// A new secret, written before it is used.
Status make_token(const std::filesystem::path& file) {
    std::array<std::uint8_t, 32> secret{};
    HOLDFAST_TRY(random_bytes(secret));
    std::string line = to_hex(secret) + "\n";
    OPENSSL_cleanse(secret.data(), secret.size());
    HOLDFAST_ASSIGN(made, File::open(file, File::Mode::kCreateNew, 0600));
    const Status written = made.write_at(0, view(line));
    OPENSSL_cleanse(line.data(), line.size());
    HOLDFAST_TRY(written);
    return made.sync();
}

Status check_private(const std::filesystem::path& file) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0) return fail_errno(errno, file.string());
    if (!S_ISREG(found.st_mode)) {
        return fail(ErrorCode::kInvalidArgument, file.string() + " is no file");
    }
    if ((found.st_mode & 077) != 0) {
        return fail(ErrorCode::kPermission, "others can read the token in " + file.string() +
                                                ": chmod 600 it, or let a new one be made");
    }
    return {};
}

/// The password of "user:password" in base64; empty where it is none.
std::string basic_password(std::string_view encoded) {
    if (encoded.empty() || encoded.size() % 4 != 0 || encoded.size() > 2 * kMostToken) return {};
    std::string text(encoded.size() / 4 * 3 + 1, '\0');
    const int bytes = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                      reinterpret_cast<const unsigned char*>(encoded.data()),
                                      static_cast<int>(encoded.size()));
    if (bytes < 0) return {};
    const auto padding = encoded.size() - encoded.find_last_not_of('=') - 1;
    text.resize(static_cast<std::size_t>(bytes) -
                std::min<std::size_t>(padding, static_cast<std::size_t>(bytes)));
    const std::size_t colon = text.find(':');
    return colon == std::string::npos ? std::string() : text.substr(colon + 1);
}

bool has_scheme(std::string_view authorization, std::string_view scheme) {
    return authorization.size() > scheme.size() &&
           boost::beast::iequals({authorization.data(), scheme.size()},
                                 {scheme.data(), scheme.size()}) &&
           authorization[scheme.size()] == ' ';
}

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// "." and ".." between slashes, however they were written.
bool has_dots(std::string_view path) {
    for (std::size_t begin = 1; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view part = path.substr(begin, end - begin);
        if (part == "." || part == "..") return true;
        begin = end + 1;
    }
    return false;
}

}  // namespace

Result<AccessToken> AccessToken::open(const std::filesystem::path& file) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) HOLDFAST_TRY(make_token(file));
    HOLDFAST_TRY(check_private(file));
    HOLDFAST_ASSIGN(content, read_file(file, kMostToken + 2));
    std::string token(content.begin(), content.end());
    OPENSSL_cleanse(content.data(), content.size());
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
    const bool good = token.size() >= kLeastToken && token.size() <= kMostToken &&
                      std::all_of(token.begin(), token.end(), is_token_character);
    const Digest hash = token_hash(token);
    OPENSSL_cleanse(token.data(), token.size());
    if (good) return AccessToken(hash);
    return fail(ErrorCode::kInvalidArgument,
                file.string() +
                    " holds no token: one line of 16 to 512 printable characters "
                    "without spaces");
}

/// Hashes are compared: of one length, and nothing of the token shows in when they differ.
bool AccessToken::given_by(std::string_view authorization) const {
    Digest given{};
    if (has_scheme(authorization, "bearer")) {
        given = token_hash(authorization.substr(7));
    } else if (has_scheme(authorization, "basic")) {
        std::string password = basic_password(authorization.substr(6));
        given = token_hash(password);
        OPENSSL_cleanse(password.data(), password.size());
    } else {
        return false;
    }
    return CRYPTO_memcmp(given.data(), hash_.data(), Digest::size()) == 0;
}

std::optional<std::string> unescape(std::string_view text, bool plus_is_space) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? digit_of(text[i + 2]) : -1;
            if (high < 0 || low < 0) return std::nullopt;
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    return out;
}

TargetFault parse_target(std::string_view target, HttpTarget& out) {
    const std::size_t end = std::min(target.find('?'), target.size());
    const std::string_view raw = target.substr(0, end);
    if (raw.empty() || raw.front() != '/') return TargetFault::kMalformed;
    auto path = unescape(raw, false);
    if (!path) return TargetFault::kMalformed;
    // An escaped slash would make other parts of the path than whoever stands in front of us saw.
    if (std::count(path->begin(), path->end(), '/') != std::count(raw.begin(), raw.end(), '/')) {
        return TargetFault::kMalformed;
    }
    const bool plain = std::all_of(path->begin(), path->end(), [](char c) {
        return static_cast<std::uint8_t>(c) >= 0x20 && c != 0x7f && c != '\\';
    });
    if (!plain) return TargetFault::kMalformed;
    if (has_dots(*path)) return TargetFault::kDots;
    out.path = *std::move(path);
    out.query = end < target.size() ? std::string(target.substr(end + 1)) : std::string();
    return TargetFault::kNone;
}

std::string_view host_without_port(std::string_view host) {
    if (!host.empty() && host.front() == '[') {
        const std::size_t end = host.find(']');
        return end == std::string_view::npos ? host : host.substr(1, end - 1);
    }
    return host.substr(0, host.find(':'));
}

bool is_unbendable_host(std::string_view host, bool any_address) {
    if (boost::beast::iequals({host.data(), host.size()}, "localhost")) return true;
    boost::system::error_code failed;
    const auto address = boost::asio::ip::make_address(std::string(host), failed);
    return !failed && (any_address || address.is_loopback());
}

}  // namespace holdfast::node
