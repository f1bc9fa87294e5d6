// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ed25519} from "./Ed25519.sol";
import {Header, Hierarchy} from "./Hierarchy.sol";
import {Network, Networks} from "./Network.sol";
import {Chain, Statement, Statements} from "./Statements.sol";
import {Refused, Wire} from "./Wire.sol";

/// What a judge knows when it judges evidence; zero: it does not know.
struct Facts {
    Network network;
    Chain chain;
    bytes32 blockHash; // of the final block at the height of the offence
    bytes32 y; // of that height
}

/// What a registration says (spec 3), after its checks (1) to (7).
struct Registered {
    Chain chain;
    uint64 genesisHeight;
    bytes32 genesisBlockHash;
    uint8 retention;
    bytes32 bondId;
}

/// The verifier as a contract: no state, no owner, no balance. Refuses by reverting with Refused(reason).
contract Judge {
    using Wire for bytes;

    uint256 private constant CHECKPOINT_BYTES = 208;

    function verify(bytes32 key, bytes calldata message, bytes32 r, bytes32 s) external view returns (bool) {
        return Ed25519.verify(key, message, r, s);
    }

    function acceptable(bytes32 key) external view returns (bool) {
        return Ed25519.acceptable(key);
    }

    function network(bytes calldata body) external pure returns (Network memory) {
        return Networks.read(body);
    }

    /// Spec 3, checks (1) to (7).
    function registration(Network calldata n, bytes calldata b) external view returns (Registered memory out) {
        Wire.need(b.length == 302, "length");
        out.retention = b.u8(205);
        Wire.need(b.u8(80) == 1 && out.retention >= 1 && out.retention <= 3, "field");
        bool preset = false;
        for (uint256 i = 0; i < n.sealPresets.length; i += 13) {
            preset = preset || bytes13(n.sealPresets[i:i + 13]) == bytes13(b[80:93]);
        }
        Wire.need(preset, "seal-params");
        uint64 length = b.u64(64);
        Wire.need(length >= 1 && length <= 2 ** 32, "geometry");
        uint64 chunks = (length + 4095) / 4096;
        if (chunks < 16) chunks = 16;
        Wire.need(b.u64(72) == chunks, "geometry");
        Wire.need(chunks >= n.minChunks, "too-small");
        Chain memory chain = out.chain;
        chain.prover = b.word(0);
        Wire.need(Ed25519.acceptable(chain.prover), "key");
        bytes32 digest = Wire.tagged("holdfast/1/registration", abi.encodePacked(n.id, b[0:238]));
        Wire.need(Ed25519.verify(chain.prover, digest, b.word(238), b.word(270)), "signature");
        chain.known = true;
        chain.chunks = chunks;
        chain.sealedRoot = b.word(101);
        chain.replicaId = Wire.tagged("holdfast/1/replica", abi.encodePacked(n.id, b[0:101]));
        bytes32 ownership =
            Wire.tagged("holdfast/1/ownership", abi.encodePacked(chain.replicaId, chain.sealedRoot));
        chain.id = Wire.tagged("holdfast/1/chain", abi.encodePacked(ownership, b[133:173]));
        out.genesisHeight = b.u64(133);
        out.genesisBlockHash = b.word(141);
        chain.reveal = b.word(173);
        chain.hasReveals = chain.reveal != 0;
        chain.revealBase = out.genesisHeight;
        out.bondId = b.word(206);
    }

    /// Whether a checkpoint (spec 10.6) is its submitter's.
    function checkpointSigned(bytes32 networkId, bytes calldata b) public view returns (bool) {
        Wire.need(b.length == CHECKPOINT_BYTES, "length");
        bytes32 digest = Wire.tagged("holdfast/1/checkpoint", abi.encodePacked(networkId, b[0:144]));
        return Ed25519.verify(b.word(80), digest, b.word(144), b.word(176));
    }

    /// Whom evidence accuses, of what kind of offence and at which height (spec 11): what facts it needs.
    function accused(bytes calldata evidence) public pure returns (uint8 kind, bytes32 offender, uint64 height) {
        Wire.need(evidence.length >= 9 + 81, "truncated");
        Wire.need(evidence.length == 9 + uint256(evidence.u64(1)), "length");
        uint8 stated = evidence.u8(0);
        bytes calldata b = evidence[9:];
        if (stated == 5) {
            Wire.need(b.length >= 1 + CHECKPOINT_BYTES, "truncated");
            return (5, b.word(81), b.u64(1));
        }
        offender = b.word(0);
        if (stated == 6) return (6, offender, b.u64(32));
        Wire.need(b.length >= 105, "truncated");
        if (stated == 9) return (1, offender, b.u64(97));
        Wire.need(stated == 1 || stated == 2 || stated == 10, "kind");
        return (stated == 10 ? 2 : stated, offender, b.u64(96));
    }

    /// Judges evidence of kinds 1, 2, 5, 6, 9 and 10. The offence's id; reverts where there is no offence.
    function judge(Facts calldata facts, bytes calldata evidence) external view returns (bytes32) {
        (uint8 kind, bytes32 offender, uint64 height) = accused(evidence);
        uint8 stated = evidence.u8(0);
        Facts memory f = facts;
        if (kind == 5) {
            _badCheckpoint(f, evidence[9:]);
        } else {
            Wire.need(f.chain.known && f.chain.id == offender, "unknown-chain");
            if (kind == 1) _equivocation(f, evidence[9:], stated == 9);
            else if (kind == 2) _badOpening(f, evidence[9:], stated == 10);
            else _badResponse(f, evidence[9:]);
        }
        return offenceId(f.network.id, kind, offender, height);
    }

    function offenceId(bytes32 networkId, uint8 kind, bytes32 offender, uint64 height) public pure returns (bytes32) {
        return Wire.tagged(
            "holdfast/1/offence", abi.encodePacked(networkId, kind, offender, Wire.le64(height))
        );
    }

    function _equivocation(Facts memory f, bytes calldata b, bool marked) private view {
        bytes32 blockHash = b.word(32);
        uint256 pos = 64;
        bool bundled;
        bool any;
        Statement[2] memory pair;
        for (uint256 i = 0; i < 2; i++) {
            bundled = false;
            if (marked) {
                Wire.need(b.length > pos, "truncated");
                uint8 form = b.u8(pos++);
                Wire.need(form == 1 || form == 2, "field");
                bundled = form == 2;
            }
            any = any || bundled;
            (pair[i], pos) = Statements.read(b, pos, bundled, f.network.id, f.chain, blockHash);
        }
        Wire.need(pos == b.length, "trailing");
        Wire.need(any == marked, "kind");
        Wire.need(pair[0].height == pair[1].height && pair[0].anchor == pair[1].anchor, "no-offence");
        Wire.need(pair[0].link < pair[1].link, "evidence-order");
        Statements.needSigned(pair[0], f.chain.prover);
        Statements.needSigned(pair[1], f.chain.prover);
    }

    /// The fields of a link that evidence of kinds 2 and 10 names.
    struct Claim {
        bytes32 e;
        bytes32 openings;
        uint64 height;
    }

    function _badOpening(Facts memory f, bytes calldata b, bool bundled) private view {
        Wire.need(f.blockHash != 0 && b.word(32) == f.blockHash, "wrong-block");
        (Statement memory st, uint256 pos) = Statements.read(b, 64, bundled, f.network.id, f.chain, f.blockHash);
        Wire.need(b.length >= pos + 97, "truncated");
        Claim memory claim = Claim(b.word(pos + 32), b.word(pos + 64), st.height);
        bytes32 link = Hierarchy.linkOf(
            f.network.id, f.chain.id, st.height, f.blockHash, st.anchor, b.word(pos), claim.e, claim.openings
        );
        Wire.need(link == st.link, "link");
        uint8 form = b.u8(pos + 96);
        if (form == 1) _falseOpening(f, claim, b[pos + 97:]);
        else if (form == 2) _falseEntropy(f, claim, b[pos + 97:]);
        else revert Refused("field");
        Statements.needSigned(st, f.chain.prover);
    }

    function _falseOpening(Facts memory f, Claim memory claim, bytes calldata b) private view {
        Wire.need(b.length >= 417, "truncated");
        uint8 j = b.u8(0);
        Wire.need(j < 16, "index");
        bytes32 o = b.word(1);
        bytes32 root = Wire.root(b[33:161], Wire.leaf(abi.encodePacked(o)), 16, j);
        Wire.need(root == claim.openings, "opening");
        (uint64 chunk, uint8 cell) = Statements.opened(claim.e, f.chain.chunks, j);
        bytes calldata bytesOfCell = b[161:417];
        root = Wire.root(
            b[417:], Wire.leaf(bytesOfCell), uint256(f.chain.chunks) * 16, uint256(chunk) * 16 + cell
        );
        Wire.need(root == f.chain.sealedRoot, "sealed-mismatch");
        Wire.need(Statements.opening(claim.e, chunk, cell, bytesOfCell) != o, "no-offence");
    }

    function _falseEntropy(Facts memory f, Claim memory claim, bytes calldata b) private pure {
        Wire.need(b.length == 32, "length");
        Wire.need(f.y != 0, "no-entropy");
        bytes32 reveal = b.word(0);
        Statements.needReveal(f.network, f.chain, claim.height, reveal);
        Wire.need(Statements.entropy(f.network.id, f.y, f.chain.id, reveal) != claim.e, "no-offence");
    }

    function _badCheckpoint(Facts memory f, bytes calldata b) private view {
        bytes calldata first = b[1:1 + CHECKPOINT_BYTES];
        uint8 form = b.u8(0);
        if (form == 2) {
            _doubleSlot(f, first, b[1 + CHECKPOINT_BYTES:]);
            return;
        }
        Wire.need(form == 1, "field");
        Wire.need(b.length == 1 + 2 * CHECKPOINT_BYTES, "length");
        bytes calldata second = b[1 + CHECKPOINT_BYTES:];
        // Submitter, height and block are equal; two bonds under one statement are no offence.
        Wire.need(
            first.word(80) == second.word(80) && first.u64(0) == second.u64(0) && first.word(8) == second.word(8),
            "no-offence"
        );
        uint256 a = uint256(first.word(40));
        uint256 c = uint256(second.word(40));
        // Bytes 72 to 79 are compared as bytes, as they stand.
        uint64 totalA = uint64(bytes8(first[72:80]));
        uint64 totalC = uint64(bytes8(second[72:80]));
        Wire.need(a != c || totalA != totalC, "no-offence");
        Wire.need(a < c || (a == c && totalA < totalC), "evidence-order");
        Wire.need(checkpointSigned(f.network.id, first), "signature");
        Wire.need(checkpointSigned(f.network.id, second), "signature");
    }

    function _doubleSlot(Facts memory f, bytes calldata checkpoint, bytes calldata b) private view {
        Wire.need(b.length >= 64, "truncated");
        Header memory h = Header(checkpoint.u64(0), checkpoint.word(8), b.word(0), b.word(32));
        bytes calldata paths = b[64:];
        uint256 half = Hierarchy.pathBytes(f.network, paths);
        Wire.need(paths.length > half, "truncated");
        (bytes32 g1, bytes32 id1, uint256 place1,) = Hierarchy.path(f.network, h, paths[:half]);
        (bytes32 g2, bytes32 id2, uint256 place2,) = Hierarchy.path(f.network, h, paths[half:]);
        Wire.need(id1 == id2, "no-offence");
        Wire.need(place1 < place2, "evidence-order");
        Wire.need(g1 == checkpoint.word(40) && g2 == g1, "global-mismatch");
        Wire.need(checkpointSigned(f.network.id, checkpoint), "signature");
    }

    function _badResponse(Facts memory f, bytes calldata b) private view {
        bool second = f.network.version == 2;
        uint256 signedBytes = second ? 168 : 136; // spec 8: kinds 29 and 11
        Wire.need(b.length >= signedBytes + 64 + 96, "truncated");
        Wire.need(f.blockHash != 0 && b.word(40) == f.blockHash, "wrong-block");
        Wire.need(f.y != 0, "no-entropy");
        if (second) Wire.need(b.word(72) == f.y, "wrong-y");
        bytes32 id = Wire.tagged(
            second ? bytes("holdfast/1/availability/challenge2") : bytes("holdfast/1/availability/challenge"),
            abi.encodePacked(f.network.id, b[:signedBytes])
        );
        bytes32 challenger = b.word(signedBytes - 64);
        Wire.need(Ed25519.verify(challenger, id, b.word(signedBytes), b.word(signedBytes + 32)), "signature");
        bytes calldata payload = _signedPayload(f.chain.prover, id, b[signedBytes + 64:]);
        uint256[] memory chunks = _challenged(f, challenger, b.word(signedBytes - 32));
        Wire.need(!_holds(f.chain, chunks, payload), "no-offence");
    }

    /// Spec 8, checks (1) and (2) of a response: chunks and siblings that the prover has signed for this challenge.
    function _signedPayload(bytes32 prover, bytes32 id, bytes calldata response)
        private
        view
        returns (bytes calldata payload)
    {
        Wire.need(response.word(0) == id, "wrong-challenge");
        uint256 end = response.length - 64;
        payload = response[32:end];
        bytes32 digest = Wire.tagged("holdfast/1/availability/response", abi.encodePacked(id, sha256(payload)));
        Wire.need(Ed25519.verify(prover, digest, response.word(end), response.word(end + 32)), "signature");
    }

    /// The chunks that a challenge asks for (spec 8, draw), ascending.
    function _challenged(Facts memory f, bytes32 challenger, bytes32 nonce) private pure returns (uint256[] memory) {
        bytes32 e = Wire.tagged(
            "holdfast/1/availability/chunks", abi.encodePacked(f.network.id, f.y, f.chain.id, challenger, nonce)
        );
        return _ascending(Wire.select(e, f.chain.chunks, f.network.availabilityChunks));
    }

    /// Spec 8, checks (3) and (4) of a response: all 16 cells of each chunk, so the multiproof is over chunks.
    function _holds(Chain memory chain, uint256[] memory chunks, bytes calldata payload) private view returns (bool) {
        if (payload.length < chunks.length * 4096) return false;
        bytes32[] memory roots = new bytes32[](chunks.length);
        for (uint256 i = 0; i < chunks.length; i++) {
            roots[i] = Wire.rootOf16(payload, i * 4096, 256);
        }
        (bool exact, bytes32 root) =
            Wire.multiRoot(payload[chunks.length * 4096:], roots, chunks, chain.chunks);
        return exact && root == chain.sealedRoot;
    }

    function _ascending(uint64[] memory drawn) private pure returns (uint256[] memory out) {
        out = new uint256[](drawn.length);
        for (uint256 i = 0; i < drawn.length; i++) {
            uint256 pos = i;
            while (pos > 0 && out[pos - 1] > drawn[i]) {
                out[pos] = out[pos - 1];
                pos--;
            }
            out[pos] = drawn[i];
        }
    }
}
