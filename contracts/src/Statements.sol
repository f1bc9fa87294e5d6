// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ed25519} from "./Ed25519.sol";
import {Network} from "./Network.sol";
import {Wire} from "./Wire.sol";

/// What a verifier knows of one chain. `known` false: it knows nothing.
struct Chain {
    bool known;
    bytes32 id;
    bytes32 replicaId;
    bytes32 prover;
    bytes32 sealedRoot;
    uint64 chunks;
    bool hasReveals; // false: the chain has no commitment
    uint64 revealBase;
    uint64 revealIndex; // the last known reveal
    bytes32 reveal;
}

/// A receipt, or a member of a bundle (spec 7): one link under its prover's signature.
struct Statement {
    bytes32 link;
    uint64 height;
    bytes32 anchor;
    bytes32 digest; // what is signed
    bytes32 r;
    bytes32 s;
}

library Statements {
    using Wire for bytes;

    uint256 internal constant RECEIPT_BYTES = 136;

    /// Reads the statement at `at` and says where it ends.
    function read(
        bytes calldata b,
        uint256 pos,
        bool bundled,
        bytes32 networkId,
        Chain memory chain,
        bytes32 blockHash
    ) internal view returns (Statement memory st, uint256 end) {
        Wire.need(b.length >= pos + RECEIPT_BYTES, "truncated");
        st.link = b.word(pos);
        st.height = b.u64(pos + 32);
        st.anchor = b.word(pos + 40);
        bytes memory head = abi.encodePacked(Wire.le64(st.height), blockHash, st.anchor);
        if (!bundled) {
            st.digest =
                Wire.tagged("holdfast/1/receipt", abi.encodePacked(networkId, chain.id, head, st.link));
            end = pos + RECEIPT_BYTES;
        } else {
            uint32 n = b.u32(pos + 72);
            uint32 index = b.u32(pos + 76);
            Wire.need(n >= 1 && n <= 16384, "bundle-size");
            Wire.need(index < n, "index");
            uint256 pathEnd = pos + 80 + 32 * Wire.pathLength(n, index);
            end = pathEnd + 64;
            Wire.need(b.length >= end, "truncated");
            bytes32 root =
                Wire.root(b[pos + 80:pathEnd], Wire.leaf(abi.encodePacked(chain.id, st.link)), n, index);
            st.digest = Wire.tagged(
                "holdfast/1/bundle", abi.encodePacked(networkId, chain.prover, head, Wire.le32(n), root)
            );
        }
        st.r = b.word(end - 64);
        st.s = b.word(end - 32);
    }

    function needSigned(Statement memory st, bytes32 prover) internal view {
        Wire.need(Ed25519.verify(prover, st.digest, st.r, st.s), "signature");
    }

    /// E of a chain (spec 5).
    function entropy(bytes32 networkId, bytes32 y, bytes32 chainId, bytes32 reveal) internal pure returns (bytes32) {
        return Wire.tagged("holdfast/1/entropy/chain", abi.encodePacked(networkId, y, chainId, reveal));
    }

    /// The j-th selected chunk and the cell opened in it (spec 4.1).
    function opened(bytes32 e, uint64 chunks, uint8 j) internal pure returns (uint64 chunk, uint8 cell) {
        uint64[] memory drawn = Wire.selectFirst(e, chunks, 16, uint32(j) + 1);
        chunk = drawn[j];
        cell = uint8(Wire.tagged("holdfast/1/select/cell", abi.encodePacked(e, Wire.le32(j)))[0]) & 15;
    }

    function opening(bytes32 e, uint64 chunk, uint8 cell, bytes calldata bytesOfCell)
        internal
        pure
        returns (bytes32)
    {
        return Wire.tagged("holdfast/1/opening", abi.encodePacked(e, Wire.le64(chunk), cell, bytesOfCell));
    }

    /// Whether `reveal` is that of the height (spec 5, reveal chains), and what is then the last known one.
    function needReveal(Network memory n, Chain memory chain, uint64 height, bytes32 reveal) internal pure {
        if (!chain.hasReveals) {
            Wire.need(reveal == 0, "reveal");
            return;
        }
        Wire.need(height >= chain.revealBase && height - chain.revealBase <= 2 ** 20, "reveal-exhausted");
        uint64 index = height - chain.revealBase;
        bool later = index > chain.revealIndex;
        (uint64 low, uint64 high) = later ? (chain.revealIndex, index) : (index, chain.revealIndex);
        (bytes32 lowest, bytes32 a) = later ? (chain.reveal, reveal) : (reveal, chain.reveal);
        Wire.need(high - low <= uint64(n.rateWindow) + 1, "reveal-too-far");
        for (uint64 i = high; i > low; i--) {
            a = Wire.tagged(
                "holdfast/1/reveal", abi.encodePacked(n.id, chain.replicaId, Wire.le64(i), a)
            );
        }
        Wire.need(a == lowest, "reveal");
        if (later) (chain.revealIndex, chain.reveal) = (index, reveal);
    }
}
