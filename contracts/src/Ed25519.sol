// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Ed25519 under the one acceptance rule of the protocol (spec 0, Signatures): canonical public key, S < L,
/// cofactorless, R compared byte by byte. Messages of at most 47 bytes: then SHA-512 of R || A || M is one
/// block, and the protocol signs 32 bytes only.
library Ed25519 {
    uint256 private constant P = 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed;
    uint256 private constant L = 2 ** 252 + 27742317777372353535851937790883648493;
    uint256 private constant TWO_256_MOD_L = 7237005577332262213973186563042994240413239274941949949428319933631315875101;
    uint256 private constant D = 37095705934669439343138083508754565189542113879843219016388785533085940283555;
    uint256 private constant TWO_D = 16295367250680780974490674513165176452449235426866156013048779062215315747161;
    uint256 private constant SQRT_MINUS_ONE =
        19681161376707505956807079304988542015446066515923890162744021073123829784752;
    uint256 private constant BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202;
    uint256 private constant BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960;
    uint256 private constant SIGN_BIT = 1 << 255;
    // The y of the points whose order divides 8, beside 0, 1 and p - 1.
    uint256 private constant ORDER_8_Y = 55188659117513257062467267217118295137698188065244968500265048394206261417927;
    uint256 private constant ORDER_8_Y_BELOW = P - ORDER_8_Y;
    uint256 private constant MESSAGE_LIMIT = 47;

    /// Whether the signature (r, s as they stand in the 64 bytes) of `message` holds under `key`.
    function verify(bytes32 key, bytes memory message, bytes32 r, bytes32 s) internal view returns (bool) {
        uint256 scalar = _reversed(uint256(s));
        if (scalar >= L || message.length > MESSAGE_LIMIT) return false;
        (bool onCurve, uint256 x, uint256 y) = _decode(key);
        if (!onCurve) return false;
        uint256 k = _hashModL(r, key, message);
        return _combination(scalar, k, x == 0 ? 0 : P - x, y) == r;
    }

    /// As above, over a digest.
    function verify(bytes32 key, bytes32 digest, bytes32 r, bytes32 s) internal view returns (bool) {
        return verify(key, abi.encodePacked(digest), r, s);
    }

    /// Whether the protocol lets `key` be registered: canonical, on the curve, not of small order.
    function acceptable(bytes32 key) internal view returns (bool) {
        (bool onCurve,, uint256 y) = _decode(key);
        return onCurve && y > 1 && y != P - 1 && y != ORDER_8_Y && y != ORDER_8_Y_BELOW;
    }

    function _decode(bytes32 key) private view returns (bool, uint256 x, uint256 y) {
        y = _reversed(uint256(key));
        bool odd = y & SIGN_BIT != 0;
        y &= ~SIGN_BIT;
        if (y >= P) return (false, 0, 0);
        uint256 yy = mulmod(y, y, P);
        uint256 xx = mulmod(addmod(yy, P - 1, P), _power(addmod(mulmod(D, yy, P), 1, P), P - 2), P);
        x = _power(xx, (P + 3) / 8);
        if (mulmod(x, x, P) != xx) x = mulmod(x, SQRT_MINUS_ONE, P);
        if (mulmod(x, x, P) != xx || (x == 0 && odd)) return (false, 0, 0);
        if ((x & 1 == 1) != odd) x = P - x;
        return (true, x, y);
    }

    function _power(uint256 base, uint256 exponent) private view returns (uint256 result) {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, 32)
            mstore(add(m, 0x20), 32)
            mstore(add(m, 0x40), 32)
            mstore(add(m, 0x60), base)
            mstore(add(m, 0x80), exponent)
            mstore(add(m, 0xa0), P)
            if iszero(staticcall(gas(), 5, m, 0xc0, 0, 0x20)) { revert(0, 0) }
            result := mload(0)
        }
    }

    /// The encoding of s·B + k·(x, y): Straus' method, two bits of both scalars a step, on extended coordinates
    /// (X : Y : Z : T) of the curve with a = -1, whose addition is complete.
    function _combination(uint256 s, uint256 k, uint256 x, uint256 y) private view returns (bytes32) {
        uint256 table = _table(x, y);
        uint256 px;
        uint256 py;
        uint256 pz;
        assembly ("memory-safe") {
            px := 0
            py := 1
            pz := 1
            for { let shift := 254 } lt(shift, 256) { shift := sub(shift, 2) } {
                // Doubling without T: what follows it does not read it.
                {
                    let a := mulmod(px, px, P)
                    let b := mulmod(py, py, P)
                    let e := mulmod(add(px, px), py, P)
                    let g := addmod(b, sub(P, a), P)
                    let f := add(g, sub(P, mulmod(add(pz, pz), pz, P)))
                    let h := addmod(sub(P, a), sub(P, b), P)
                    px := mulmod(e, f, P)
                    py := mulmod(g, h, P)
                    pz := mulmod(f, g, P)
                }
                let pt
                {
                    let a := mulmod(px, px, P)
                    let b := mulmod(py, py, P)
                    let e := mulmod(add(px, px), py, P)
                    let g := addmod(b, sub(P, a), P)
                    let f := add(g, sub(P, mulmod(add(pz, pz), pz, P)))
                    let h := addmod(sub(P, a), sub(P, b), P)
                    px := mulmod(e, f, P)
                    py := mulmod(g, h, P)
                    pz := mulmod(f, g, P)
                    pt := mulmod(e, h, P)
                }
                let digit := or(and(shr(shift, s), 3), shl(2, and(shr(shift, k), 3)))
                if digit {
                    let entry := add(table, shl(7, digit))
                    let a := mulmod(add(py, sub(P, px)), mload(entry), P)
                    let b := mulmod(add(py, px), mload(add(entry, 0x20)), P)
                    let c := mulmod(pt, mload(add(entry, 0x40)), P)
                    let d := mulmod(pz, mload(add(entry, 0x60)), P)
                    let e := add(b, sub(P, a))
                    let f := add(d, sub(P, c))
                    let g := add(d, c)
                    let h := add(b, a)
                    px := mulmod(e, f, P)
                    py := mulmod(g, h, P)
                    pz := mulmod(f, g, P)
                }
            }
        }
        uint256 inverse = _power(pz, P - 2);
        px = mulmod(px, inverse, P);
        py = mulmod(py, inverse, P);
        return bytes32(_reversed(py | ((px & 1) << 255)));
    }

    /// Entry i + 4·j is i·B + j·(x, y) as (Y - X, Y + X, 2d·T, 2·Z), 128 bytes each.
    function _table(uint256 x, uint256 y) private pure returns (uint256 table) {
        assembly ("memory-safe") {
            table := mload(0x40)
            mstore(0x40, add(table, 0x820))
        }
        uint256[4] memory base = [BASE_X, BASE_Y, 1, mulmod(BASE_X, BASE_Y, P)];
        uint256[4] memory other = [x, y, 1, mulmod(x, y, P)];
        uint256[4] memory sum = [uint256(0), 1, 1, 0];
        for (uint256 j = 0; j < 4; j++) {
            uint256[4] memory row = [sum[0], sum[1], sum[2], sum[3]];
            for (uint256 i = 0; i < 4; i++) {
                _cache(table, i + 4 * j, row);
                if (i < 3) _add(row, base);
            }
            _add(sum, other);
        }
    }

    function _cache(uint256 table, uint256 index, uint256[4] memory point) private pure {
        assembly ("memory-safe") {
            let entry := add(table, shl(7, index))
            let x := mload(point)
            let y := mload(add(point, 0x20))
            mstore(entry, add(y, sub(P, x)))
            mstore(add(entry, 0x20), add(y, x))
            mstore(add(entry, 0x40), mulmod(mload(add(point, 0x60)), TWO_D, P))
            let z := mload(add(point, 0x40))
            mstore(add(entry, 0x60), add(z, z))
        }
    }

    /// a becomes a + b.
    function _add(uint256[4] memory a, uint256[4] memory b) private pure {
        assembly ("memory-safe") {
            let x1 := mload(a)
            let y1 := mload(add(a, 0x20))
            let x2 := mload(b)
            let y2 := mload(add(b, 0x20))
            let m := mulmod(add(y1, sub(P, x1)), add(y2, sub(P, x2)), P)
            let n := mulmod(add(y1, x1), add(y2, x2), P)
            let c := mulmod(mulmod(mload(add(a, 0x60)), TWO_D, P), mload(add(b, 0x60)), P)
            let z := mload(add(b, 0x40))
            let d := mulmod(mload(add(a, 0x40)), add(z, z), P)
            let e := add(n, sub(P, m))
            let f := add(d, sub(P, c))
            let g := add(d, c)
            let h := add(n, m)
            mstore(a, mulmod(e, f, P))
            mstore(add(a, 0x20), mulmod(g, h, P))
            mstore(add(a, 0x40), mulmod(f, g, P))
            mstore(add(a, 0x60), mulmod(e, h, P))
        }
    }

    /// SHA-512(r || key || message), its 64 bytes read as a number least byte first, modulo L.
    function _hashModL(bytes32 r, bytes32 key, bytes memory message) private pure returns (uint256) {
        (uint256 first, uint256 second) = _sha512OneBlock(r, key, message);
        return addmod(_reversed(first), mulmod(_reversed(second), TWO_256_MOD_L, L), L);
    }

    bytes private constant ROUND_CONSTANTS =
        hex"428a2f98d728ae227137449123ef65cdb5c0fbcfec4d3b2fe9b5dba58189dbbc3956c25bf348b538"
        hex"59f111f1b605d019923f82a4af194f9bab1c5ed5da6d8118d807aa98a303024212835b0145706fbe"
        hex"243185be4ee4b28c550c7dc3d5ffb4e272be5d74f27b896f80deb1fe3b1696b19bdc06a725c71235"
        hex"c19bf174cf692694e49b69c19ef14ad2efbe4786384f25e30fc19dc68b8cd5b5240ca1cc77ac9c65"
        hex"2de92c6f592b02754a7484aa6ea6e4835cb0a9dcbd41fbd476f988da831153b5983e5152ee66dfab"
        hex"a831c66d2db43210b00327c898fb213fbf597fc7beef0ee4c6e00bf33da88fc2d5a79147930aa725"
        hex"06ca6351e003826f142929670a0e6e7027b70a8546d22ffc2e1b21385c26c9264d2c6dfc5ac42aed"
        hex"53380d139d95b3df650a73548baf63de766a0abb3c77b2a881c2c92e47edaee692722c851482353b"
        hex"a2bfe8a14cf10364a81a664bbc423001c24b8b70d0f89791c76c51a30654be30d192e819d6ef5218"
        hex"d69906245565a910f40e35855771202a106aa07032bbd1b819a4c116b8d2d0c81e376c085141ab53"
        hex"2748774cdf8eeb9934b0bcb5e19b48a8391c0cb3c5c95a634ed8aa4ae3418acb5b9cca4f7763e373"
        hex"682e6ff3d6b2b8a3748f82ee5defb2fc78a5636f43172f6084c87814a1f0ab728cc702081a6439ec"
        hex"90befffa23631e28a4506cebde82bde9bef9a3f7b2c67915c67178f2e372532bca273eceea26619c"
        hex"d186b8c721c0c207eada7dd6cde0eb1ef57d4f7fee6ed17806f067aa72176fba0a637dc5a2c898a6"
        hex"113f9804bef90dae1b710b35131c471b28db77f523047d8432caab7b40c724933c9ebe0a15c9bebc"
        hex"431d67c49c100d4c4cc5d4becb3e42b6597f299cfc657e2a5fcb6fab3ad6faec6c44198c4a475817";

    /// FIPS 180-4 for at most 111 bytes: one block. The result in two halves, big-endian.
    function _sha512OneBlock(bytes32 r, bytes32 key, bytes memory message)
        private
        pure
        returns (uint256 first, uint256 second)
    {
        bytes memory constants = ROUND_CONSTANTS;
        uint256 schedule;
        assembly ("memory-safe") {
            let mask := 0xffffffffffffffff
            let m := mload(0x40)
            // The padded block, then the 80 words of the schedule, 32 bytes each.
            mstore(m, r)
            mstore(add(m, 0x20), key)
            let n := mload(message)
            mstore(add(m, 0x40), 0)
            mstore(add(m, 0x60), 0)
            mcopy(add(m, 0x40), add(message, 0x20), n)
            mstore8(add(add(m, 0x40), n), 0x80)
            mstore(add(m, 0x70), shl(131, add(n, 64)))
            schedule := add(m, 0x80)
            mstore(0x40, add(schedule, 0xa00))
            for { let i := 0 } lt(i, 16) { i := add(i, 1) } {
                mstore(add(schedule, shl(5, i)), shr(192, mload(add(m, shl(3, i)))))
            }
            for { let pos := add(schedule, 0x200) } lt(pos, add(schedule, 0xa00)) { pos := add(pos, 0x20) } {
                let w15 := mload(sub(pos, 0x1e0))
                let w2 := mload(sub(pos, 0x40))
                let d15 := or(w15, shl(64, w15))
                let d2 := or(w2, shl(64, w2))
                let sum := add(mload(sub(pos, 0x200)), mload(sub(pos, 0xe0)))
                sum := add(sum, and(xor(xor(shr(1, d15), shr(8, d15)), shr(7, w15)), mask))
                sum := add(sum, and(xor(xor(shr(19, d2), shr(61, d2)), shr(6, w2)), mask))
                mstore(pos, and(sum, mask))
            }
        }
        assembly ("memory-safe") {
            let a := 0x6a09e667f3bcc908
            let b := 0xbb67ae8584caa73b
            let c := 0x3c6ef372fe94f82b
            let d := 0xa54ff53a5f1d36f1
            let e := 0x510e527fade682d1
            let f := 0x9b05688c2b3e6c1f
            let g := 0x1f83d9abfb41bd6b
            let h := 0x5be0cd19137e2179
            for { let i := 0 } lt(i, 80) { i := add(i, 1) } {
                let t := or(e, shl(64, e))
                t := and(xor(xor(shr(14, t), shr(18, t)), shr(41, t)), 0xffffffffffffffff)
                t := add(t, add(h, xor(and(e, f), and(not(e), g))))
                t := add(t, add(mload(add(schedule, shl(5, i))), shr(192, mload(add(add(constants, 0x20), shl(3, i))))))
                h := g
                g := f
                f := e
                e := and(add(d, t), 0xffffffffffffffff)
                d := c
                let u := or(a, shl(64, a))
                u := and(xor(xor(shr(28, u), shr(34, u)), shr(39, u)), 0xffffffffffffffff)
                t := add(t, add(u, or(and(a, b), and(or(a, b), c))))
                c := b
                b := a
                a := and(t, 0xffffffffffffffff)
            }
            function word(x, start, shift) -> y { y := shl(shift, and(add(x, start), 0xffffffffffffffff)) }
            first := or(or(word(a, 0x6a09e667f3bcc908, 192), word(b, 0xbb67ae8584caa73b, 128)),
                or(word(c, 0x3c6ef372fe94f82b, 64), word(d, 0xa54ff53a5f1d36f1, 0)))
            second := or(or(word(e, 0x510e527fade682d1, 192), word(f, 0x9b05688c2b3e6c1f, 128)),
                or(word(g, 0x1f83d9abfb41bd6b, 64), word(h, 0x5be0cd19137e2179, 0)))
        }
    }

    function _reversed(uint256 v) private pure returns (uint256) {
        v = ((v >> 8) & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff)
            | ((v & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff) << 8);
        v = ((v >> 16) & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff)
            | ((v & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff) << 16);
        v = ((v >> 32) & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff)
            | ((v & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff) << 32);
        v = ((v >> 64) & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff)
            | ((v & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff) << 64);
        return (v >> 128) | (v << 128);
    }
}
