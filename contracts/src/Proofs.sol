// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Header, Hierarchy} from "./Hierarchy.sol";
import {Network} from "./Network.sol";
import {Chain, Statements} from "./Statements.sol";
import {Wire} from "./Wire.sol";

/// The verifier of what stands under a digest. As Judge without state, owner or balance, and with its refusals.
contract Proofs {
    using Wire for bytes;

    /// A path proof against a digest: the chain and the number of chains that it shows.
    function path(Network calldata n, Header calldata h, bytes32 digest, bytes calldata body)
        external
        view
        returns (bytes32 chainId, uint64 total)
    {
        bytes32 global;
        (global, chainId,, total) = Hierarchy.path(n, h, body);
        Wire.need(global == digest, "global-mismatch");
    }

    /// What of a compact proof rests on hashes (spec 7, B), against the digest of its height, and its reveal: the
    /// chain with its new last known one.
    function possession(
        Network calldata n,
        Chain calldata chain,
        Header calldata h,
        bytes32 digest,
        bytes32 yc,
        bytes calldata body
    ) external view returns (Chain memory) {
        Chain memory c = chain;
        Network memory net = n;
        Statements.needReveal(net, c, h.height, Hierarchy.compact(net, c, h, digest, yc, body));
        return c;
    }

    /// Goes from a digest down to older ones: 140 bytes a height, newest first: block hash, y, previous digest,
    /// regions, total chains, root. What the last of them says, and its digest.
    function walk(bytes32 networkId, uint64 height, bytes32 digest, bytes calldata headers)
        external
        pure
        returns (Header memory h, bytes32)
    {
        Wire.need(headers.length > 0 && headers.length % 140 == 0, "length");
        h.height = height;
        for (uint256 pos = 0; pos < headers.length; pos += 140) {
            if (pos > 0) {
                digest = h.previous;
                h.height--;
            }
            h.blockHash = headers.word(pos);
            h.y = headers.word(pos + 32);
            h.previous = headers.word(pos + 64);
            bytes32 shown = Hierarchy.globalDigest(
                networkId, h, headers.u32(pos + 96), headers.u64(pos + 100), headers.word(pos + 108)
            );
            Wire.need(shown == digest, "global-mismatch");
        }
        return (h, digest);
    }
}
