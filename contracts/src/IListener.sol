// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a contract that pays for storage, or insures it, is told of a chain that named it as its listener. A call has
/// a bounded amount of gas and what it answers or throws changes nothing.
interface IListener {
    function chainRegistered(bytes32 deployment, bytes32 chainId, address owner, uint64 chunks, uint8 retention)
        external;
    function possessionProven(bytes32 deployment, bytes32 chainId, uint64 height, uint64 nextDeadline) external;
    function periodsMissed(bytes32 deployment, bytes32 chainId, uint64 periods, uint64 nextDeadline) external;
    function chainEnded(bytes32 deployment, bytes32 chainId, bool bondTaken) external;
}
