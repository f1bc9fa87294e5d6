// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Wire} from "./Wire.sol";

/// What the contracts need of a network's parameters (spec 1, kind 19).
struct Network {
    bytes32 id;
    uint8 version;
    uint64 genesisHeight;
    uint32 finalityBlocks;
    uint32 linkLag;
    uint32 rateWindow;
    uint32 availabilityChunks;
    uint32 groupSlots;
    uint32 regionGroups;
    uint32 removalDelay;
    uint32 liabilityBlocks;
    uint32 checkpointBlocks;
    uint32 minChunks;
    bytes sealPresets; // 13 bytes each
}

library Networks {
    using Wire for bytes;

    /// Reads an encoded body of parameters of either version. The bounds of spec 1 that the contracts rely on are
    /// checked; the others are nothing to them.
    function read(bytes calldata b) internal pure returns (Network memory n) {
        Wire.need(b.length > 9, "truncated");
        n.version = b.u8(0);
        Wire.need(n.version == 1 || n.version == 2, "version");
        uint256 pos = 9 + uint256(b.u64(1));
        Wire.need(pos <= 73 && b.length >= pos + 25, "truncated");
        n.genesisHeight = b.u64(pos);
        n.finalityBlocks = b.u32(pos + 12);
        uint256 beaconKey = b.u64(pos + 17);
        Wire.need(beaconKey <= 256, "field");
        pos += 25 + beaconKey + 16 + 25 + 8; // beacon, VDF, epochs
        Wire.need(b.length >= pos + 4, "truncated");
        uint256 presets = b.u32(pos);
        Wire.need(presets >= 1 && presets <= 16, "field");
        uint256 first = pos + 4;
        pos = first + 13 * presets;
        Wire.need(b.length == pos + 96 + (n.version == 2 ? 76 : 0), "length");
        n.sealPresets = b[first:pos];
        n.linkLag = b.u32(pos + 24);
        n.rateWindow = b.u32(pos + 28);
        n.availabilityChunks = b.u32(pos + 52);
        n.groupSlots = b.u32(pos + 72);
        n.regionGroups = b.u32(pos + 76);
        n.removalDelay = b.u32(pos + 80);
        n.liabilityBlocks = b.u32(pos + 84);
        n.checkpointBlocks = b.u32(pos + 88);
        n.minChunks = b.u32(pos + 92);
        Wire.need(n.groupSlots > 0 && n.regionGroups > 0 && n.checkpointBlocks > 0, "field");
        Wire.need(n.availabilityChunks > 0 && n.minChunks >= 16 && n.minChunks <= 2 ** 20, "field");
        n.id = Wire.tagged("holdfast/1/network", b);
    }
}
