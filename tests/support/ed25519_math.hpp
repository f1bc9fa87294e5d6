// Ed25519 from its definition (RFC 8032), to make the signatures that no library makes: with a
// nonce of one's own, with parts of small order, with encodings that are not canonical. For tests
// only: slow, and not in constant time.
#pragma once

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <boost/multiprecision/cpp_int.hpp>

#include "core/types.hpp"

namespace holdfast::test::ed25519 {

using Int = boost::multiprecision::cpp_int;

inline const Int& prime() {
    static const Int p = (Int(1) << 255) - 19;
    return p;
}
/// Order of the base point.
inline const Int& order() {
    static const Int l = (Int(1) << 252) + Int("27742317777372353535851937790883648493");
    return l;
}
inline Int mod(const Int& a, const Int& m) {
    const Int r = a % m;
    return r < 0 ? Int(r + m) : r;
}
inline Int power(const Int& a, const Int& e) {
    return boost::multiprecision::powm(mod(a, prime()), e, prime());
}
inline Int inverse(const Int& a) { return power(a, prime() - 2); }

inline Int from_le(ByteView bytes) {
    Int out = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) out = (out << 8) | bytes[i];
    return out;
}
template <class Fixed>
void to_le32(Int value, Fixed& out, std::size_t at) {
    for (std::size_t i = 0; i < 32; ++i, value >>= 8) {
        out[at + i] = static_cast<std::uint8_t>(Int(value & 0xff));
    }
}

/// A point in extended coordinates: x = X/Z, y = Y/Z, T = XY/Z.
struct Point {
    Int x = 0, y = 1, z = 1, t = 0;
};
inline const Int& curve_d() {
    static const Int d = mod(Int(-121665) * inverse(121666), prime());
    return d;
}
inline Point add(const Point& p, const Point& q) {
    const Int& m = prime();
    const Int a = p.x * q.x % m;
    const Int b = p.y * q.y % m;
    const Int c = p.t * q.t % m * curve_d() % m;
    const Int d = p.z * q.z % m;
    const Int e = mod((p.x + p.y) * (q.x + q.y) - a - b, m);
    const Int f = mod(d - c, m);
    const Int g = (d + c) % m;
    const Int h = (b + a) % m;
    return {e * f % m, g * h % m, f * g % m, e * h % m};
}
inline Point times(Int scalar, Point p) {
    Point out;
    for (; scalar > 0; scalar >>= 1) {
        if ((scalar & 1) != 0) out = add(out, p);
        p = add(p, p);
    }
    return out;
}
inline bool equal(const Point& p, const Point& q) {
    return mod(p.x * q.z - q.x * p.z, prime()) == 0 && mod(p.y * q.z - q.y * p.z, prime()) == 0;
}
/// Takes any encoding: y is reduced, as lenient libraries do. The point must be on the curve.
inline Point decode(const PublicKey& bytes) {
    const Int& m = prime();
    Int y = from_le(view(bytes));
    const bool negative = bytes[31] >> 7 != 0;
    y = mod(y & ((Int(1) << 255) - 1), m);
    const Int u = mod(y * y - 1, m);
    const Int v = mod(curve_d() * y * y + 1, m);
    const Int square = u * inverse(v) % m;
    Int x = power(square, (m + 3) / 8);
    if (mod(x * x - square, m) != 0) x = x * power(2, (m - 1) / 4) % m;
    EXPECT_EQ(mod(x * x - square, m), 0) << "not on the curve";
    if (((x & 1) != 0) != negative) x = mod(-x, m);
    return {x, y, 1, x * y % m};
}
inline PublicKey encode(const Point& p) {
    const Int z = inverse(p.z);
    const Int x = p.x * z % prime();
    PublicKey out;
    to_le32(p.y * z % prime(), out, 0);
    if ((x & 1) != 0) out[31] |= 0x80;
    return out;
}
inline const Point& base() {
    static const Point b = [] {
        PublicKey y;
        to_le32(Int(4) * inverse(5) % prime(), y, 0);
        return decode(y);
    }();
    return b;
}

/// a of a 32-byte secret.
inline Int secret_scalar(const Digest& secret) {
    std::uint8_t hash[SHA512_DIGEST_LENGTH];
    SHA512(secret.data(), secret.size(), hash);
    hash[0] &= 0xf8;
    hash[31] = static_cast<std::uint8_t>((hash[31] & 0x7f) | 0x40);
    return from_le({hash, 32});
}
/// k = SHA-512(R || A || message) mod L.
inline Int challenge(const PublicKey& r, const PublicKey& key, ByteView message) {
    Bytes all(r.begin(), r.end());
    all.insert(all.end(), key.begin(), key.end());
    all.insert(all.end(), message.begin(), message.end());
    std::uint8_t hash[SHA512_DIGEST_LENGTH];
    SHA512(all.data(), all.size(), hash);
    return from_le(hash) % order();
}
inline Signature join(const PublicKey& r, const Int& s) {
    Signature out;
    std::copy(r.begin(), r.end(), out.begin());
    to_le32(s, out, 32);
    return out;
}
/// A signature with this nonce, as valid as the one that a library makes.
inline Signature sign(const Digest& secret, const PublicKey& key, const Int& nonce,
                      ByteView message) {
    const PublicKey r = encode(times(nonce, base()));
    const Int k = challenge(r, key, message);
    return join(r, (nonce + k * secret_scalar(secret)) % order());
}

}  // namespace holdfast::test::ed25519
