// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Network} from "./Network.sol";
import {Chain, Statements} from "./Statements.sol";
import {Wire} from "./Wire.sol";

/// What the global digest of a height covers beside its tree (spec 10.2).
struct Header {
    uint64 height;
    bytes32 blockHash;
    bytes32 y;
    bytes32 previous;
}

/// Path proofs and what of a compact proof rests on hashes (spec 7, D and B).
library Hierarchy {
    using Wire for bytes;

    uint256 private constant COUNTS = 44; // region … total_chains
    uint256 private constant COMPACT_HEAD = 233;

    function globalDigest(bytes32 networkId, Header memory h, uint32 regions, uint64 total, bytes32 root)
        internal
        pure
        returns (bytes32)
    {
        return Wire.tagged(
            "holdfast/1/global",
            abi.encodePacked(
                networkId, Wire.le64(h.height), h.blockHash, h.y, h.previous, Wire.le32(regions), Wire.le64(total), root
            )
        );
    }

    /// A D (kind 7): the leaf, its slot number and the global digest that it leads to.
    function path(Network memory n, Header memory h, bytes calldata d)
        internal
        view
        returns (bytes32 global, bytes32 chainId, uint256 place, uint64 total)
    {
        Wire.need(d.length >= 73 + COUNTS, "truncated");
        uint256 end;
        (global, end) = _global(n, h, d.word(0), d.word(32), d.u64(64), d[72:]);
        Wire.need(72 + end == d.length, "proof-length");
        chainId = d.word(0);
        place = (uint256(d.u32(73)) << 64) | (uint256(d.u32(77)) << 32) | d.u32(81);
        total = d.u64(109);
    }

    /// How long the D at the start of `b` is that begins with its leaf.
    function pathBytes(Network memory n, bytes calldata b) internal pure returns (uint256) {
        Wire.need(b.length >= 73 + COUNTS, "truncated");
        return 72 + _ends(n, b[72:])[2];
    }

    /// `d` begins with the status byte. The digest, and where the paths end in `d`.
    function _global(
        Network memory n,
        Header memory h,
        bytes32 chainId,
        bytes32 link,
        uint64 linkHeight,
        bytes calldata d
    ) private view returns (bytes32, uint256 end) {
        bytes32 hash = Wire.leaf(abi.encodePacked(chainId, link, Wire.le64(linkHeight), d.u8(0)));
        uint256[3] memory ends = _ends(n, d);
        end = ends[2];
        Wire.need(d.length >= end, "proof-length");
        bytes calldata counts = d[1:1 + COUNTS];
        hash = Wire.root(d[1 + COUNTS:ends[0]], hash, counts.u32(12), counts.u32(8));
        hash = Wire.tagged("holdfast/1/group", abi.encodePacked(counts[0:8], counts[12:20], hash));
        hash = _above(d[ends[0]:ends[1]], hash, counts.u32(20), counts.u32(4));
        hash = Wire.tagged("holdfast/1/region", abi.encodePacked(counts[0:4], counts[20:32], hash));
        hash = _above(d[ends[1]:end], hash, counts.u32(32), counts.u32(0));
        return (globalDigest(n.id, h, counts.u32(32), counts.u64(36), hash), end);
    }

    /// The root of the tree over digests in which `digest` is leaf `index`.
    function _above(bytes calldata path_, bytes32 digest, uint32 size, uint32 index) private view returns (bytes32) {
        return Wire.root(path_, Wire.leaf(abi.encodePacked(digest)), size, index);
    }

    /// Checks (1) and (2) of D, and where its three paths end, counted from the status byte.
    function _ends(Network memory n, bytes calldata d) private pure returns (uint256[3] memory ends) {
        uint8 status = d.u8(0);
        Wire.need(status >= 1 && status <= 4, "status");
        Wire.need(d.u32(13) <= n.groupSlots && d.u32(21) <= n.regionGroups, "index");
        ends[0] = 1 + COUNTS + _pathBytes(d.u32(13), d.u32(9));
        ends[1] = ends[0] + _pathBytes(d.u32(21), d.u32(5));
        ends[2] = ends[1] + _pathBytes(d.u32(33), d.u32(1));
    }

    function _pathBytes(uint32 size, uint32 index) private pure returns (uint256) {
        Wire.need(index < size, "index");
        return 32 * Wire.pathLength(size, index);
    }

    /// Checks (1), (2) and (7) to (11) of B: everything but the receipt's signature, and what the link covers
    /// anyway (anchor, link_before, E). The reveal is the caller's to check. Returns the reveal; reverts otherwise.
    function compact(Network memory n, Chain memory chain, Header memory h, bytes32 digest, bytes32 yc, bytes calldata b)
        internal
        view
        returns (bytes32 reveal)
    {
        Wire.need(b.length >= COMPACT_HEAD + COUNTS, "truncated");
        Wire.need(b.word(136) == chain.id, "wrong-chain");
        Wire.need(b.u64(32) == h.height, "wrong-height");
        reveal = b.word(200);
        (bytes32 global, uint256 end) = _global(n, h, chain.id, b.word(0), h.height, b[232:]);
        bytes32 drawn = Wire.tagged("holdfast/1/compact", abi.encodePacked(n.id, yc, chain.id));
        bytes32 link = _compactLink(n.id, chain, h, uint8(drawn[0]) & 15, b, 232 + end);
        Wire.need(link == b.word(0), "link");
        Wire.need(global == digest, "global-mismatch");
        Wire.need(uint8(drawn[1]) >= 16, "full-required");
    }

    /// The link that the opening of B makes; `at` is where its cell begins.
    function _compactLink(
        bytes32 networkId,
        Chain memory chain,
        Header memory h,
        uint8 j,
        bytes calldata b,
        uint256 pos
    ) private view returns (bytes32) {
        bytes32 e = Statements.entropy(networkId, h.y, chain.id, b.word(200));
        Wire.need(b.length >= pos + 256 + 128, "proof-length");
        (uint64 chunk, uint8 cell) = Statements.opened(e, chain.chunks, j);
        bytes calldata bytesOfCell = b[pos:pos + 256];
        bytes32 root = Wire.root(
            b[pos + 256:b.length - 128], Wire.leaf(bytesOfCell), uint256(chain.chunks) * 16, uint256(chunk) * 16 + cell
        );
        Wire.need(root == chain.sealedRoot, "sealed-mismatch");
        bytes32 o = Statements.opening(e, chunk, cell, bytesOfCell);
        o = Wire.root(b[b.length - 128:], Wire.leaf(abi.encodePacked(o)), 16, j);
        return linkOf(networkId, chain.id, h.height, h.blockHash, b.word(40), b.word(168), e, o);
    }

    function linkOf(
        bytes32 networkId,
        bytes32 chainId,
        uint64 height,
        bytes32 blockHash,
        bytes32 anchor,
        bytes32 linkBefore,
        bytes32 e,
        bytes32 o
    ) internal pure returns (bytes32) {
        return Wire.tagged(
            "holdfast/1/link",
            abi.encodePacked(networkId, chainId, Wire.le64(height), blockHash, anchor, linkBefore, e, o)
        );
    }
}
