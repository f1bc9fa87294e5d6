// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Says why an object is refused, by the reason's name in docs/verdicts.md where it has one there.
error Refused(bytes32 reason);

/// Reading bodies (spec 0, Numbers and bytes) and hashing (Tagged hashes, Merkle trees).
library Wire {
    function need(bool holds, bytes32 reason) internal pure {
        if (!holds) revert Refused(reason);
    }

    function u8(bytes calldata b, uint256 pos) internal pure returns (uint8) {
        return uint8(b[pos]);
    }

    function u32(bytes calldata b, uint256 pos) internal pure returns (uint32) {
        return uint32(bytes4(le32(uint32(bytes4(b[pos:pos + 4])))));
    }

    function u64(bytes calldata b, uint256 pos) internal pure returns (uint64) {
        return uint64(le64(uint64(bytes8(b[pos:pos + 8]))));
    }

    function word(bytes calldata b, uint256 pos) internal pure returns (bytes32) {
        return bytes32(b[pos:pos + 32]);
    }

    /// The eight bytes of an integer, least first; its own inverse.
    function le64(uint64 v) internal pure returns (bytes8) {
        v = ((v >> 8) & 0x00ff00ff00ff00ff) | ((v & 0x00ff00ff00ff00ff) << 8);
        v = ((v >> 16) & 0x0000ffff0000ffff) | ((v & 0x0000ffff0000ffff) << 16);
        return bytes8((v >> 32) | (v << 32));
    }

    function le32(uint32 v) internal pure returns (bytes4) {
        return bytes4(le64(v));
    }

    /// H(tag; fields) of spec 0; `tag` with its "holdfast/1/" in front.
    function tagged(bytes memory tag, bytes memory fields) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(tag.length), tag, fields));
    }

    function leaf(bytes memory data) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(0), data));
    }

    function node(bytes32 left, bytes32 right) internal view returns (bytes32 result) {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore8(m, 1)
            mstore(add(m, 1), left)
            mstore(add(m, 33), right)
            if iszero(staticcall(gas(), 2, m, 65, 0, 32)) { revert(0, 0) }
            result := mload(0)
        }
    }

    /// How many hashes the inclusion path of leaf `index` of `size` has; index < size.
    function pathLength(uint256 size, uint256 index) internal pure returns (uint256 count) {
        while (size > 1) {
            if (index ^ 1 < size) count++;
            index >>= 1;
            size = (size + 1) >> 1;
        }
    }

    /// The root over a leaf's hash and its path, which is all of `path`.
    function root(bytes calldata path, bytes32 hash, uint256 size, uint256 index) internal view returns (bytes32) {
        need(index < size, "index");
        uint256 pos = 0;
        while (size > 1) {
            if (index ^ 1 < size) {
                need(pos + 32 <= path.length, "proof-length");
                bytes32 partner = word(path, pos);
                pos += 32;
                hash = index & 1 == 0 ? node(hash, partner) : node(partner, hash);
            }
            index >>= 1;
            size = (size + 1) >> 1;
        }
        need(pos == path.length, "proof-length");
        return hash;
    }

    /// The root over several leaves, ascending by index, and a multiproof (spec 0). Overwrites both lists. False
    /// where the number of siblings is not the one that size and indices give.
    function multiRoot(bytes calldata siblings, bytes32[] memory hashes, uint256[] memory indices, uint256 size)
        internal
        view
        returns (bool, bytes32)
    {
        uint256 pos = 0;
        uint256 n = hashes.length;
        while (size > 1) {
            uint256 kept = 0;
            for (uint256 i = 0; i < n; kept++) {
                uint256 index = indices[i];
                bytes32 hash = hashes[i++];
                if (index & 1 == 0 && i < n && indices[i] == index + 1) {
                    hash = node(hash, hashes[i++]);
                } else if (index ^ 1 < size) {
                    if (pos + 32 > siblings.length) return (false, 0);
                    bytes32 partner = word(siblings, pos);
                    pos += 32;
                    hash = index & 1 == 0 ? node(hash, partner) : node(partner, hash);
                }
                hashes[kept] = hash;
                indices[kept] = index >> 1;
            }
            n = kept;
            size = (size + 1) >> 1;
        }
        return (pos == siblings.length, hashes[0]);
    }

    /// MTH over 16 pieces of `piece` bytes each, as they stand in `data` from `at`.
    function rootOf16(bytes calldata data, uint256 pos, uint256 piece) internal view returns (bytes32) {
        bytes32[16] memory level;
        for (uint256 i = 0; i < 16; i++) {
            level[i] = leaf(data[pos + i * piece:pos + (i + 1) * piece]);
        }
        for (uint256 n = 8; n > 0; n >>= 1) {
            for (uint256 i = 0; i < n; i++) {
                level[i] = node(level[2 * i], level[2 * i + 1]);
            }
        }
        return level[0];
    }

    /// select(E, n, count) of spec 4.1, in its order.
    function select(bytes32 e, uint64 n, uint32 count) internal pure returns (uint64[] memory out) {
        uint32 k = uint64(count) < n ? count : uint32(n);
        return selectFirst(e, n, k, k);
    }

    /// The first `wanted` of the `k` that select(e, n, k) gives; k <= n.
    function selectFirst(bytes32 e, uint64 n, uint32 k, uint32 wanted) internal pure returns (uint64[] memory out) {
        out = new uint64[](wanted);
        // The places of a that no longer hold their own number, at most one for each step.
        uint64[] memory places = new uint64[](wanted);
        uint64[] memory values = new uint64[](wanted);
        uint256[3] memory words; // the digest, how many of its words are left, the next digest's number
        for (uint32 j = 0; j < wanted; j++) {
            uint64 r = j + _uniform(e, n, k, n - j, words);
            // Place j is never read again: what it held goes to place r.
            uint64 held = j;
            uint64 drawn = r;
            uint256 slot = j;
            for (uint256 i = 0; i < j; i++) {
                if (places[i] == j) held = values[i];
                if (places[i] == r) (drawn, slot) = (values[i], i);
            }
            (places[slot], values[slot]) = (r, held);
            if (slot != j) places[j] = type(uint64).max;
            out[j] = drawn;
        }
    }

    function _uniform(bytes32 e, uint64 n, uint32 k, uint64 m, uint256[3] memory words)
        private
        pure
        returns (uint64)
    {
        uint256 product = _nextWord(e, n, k, words) * m;
        if (uint64(product) < m) {
            uint256 threshold = (2 ** 64 - uint256(m)) % m;
            while (uint64(product) < threshold) product = _nextWord(e, n, k, words) * m;
        }
        return uint64(product >> 64);
    }

    function _nextWord(bytes32 e, uint64 n, uint32 k, uint256[3] memory words) private pure returns (uint256) {
        if (words[1] == 0) {
            words[0] = uint256(
                tagged("holdfast/1/select/2", abi.encodePacked(e, le64(n), le32(k), le32(uint32(words[2]))))
            );
            words[1] = 4;
            words[2]++;
        }
        words[1]--;
        uint64 next = uint64(words[0] >> (64 * words[1]));
        return uint64(le64(next));
    }
}
