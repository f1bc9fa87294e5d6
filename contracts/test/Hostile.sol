// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Called in any way, calls one target back with what it was told to, and counts. Can be told to burn its gas or to
/// answer with a lot of bytes.
contract Hostile {
    address public target;
    bytes public payload;
    bool public burns;
    uint256 public calls;
    uint256 public successes;
    bytes4 public lastSelector;

    function arm(address target_, bytes calldata payload_, bool burns_) external {
        (target, payload, burns) = (target_, payload_, burns_);
    }

    function run(address to, bytes calldata data) external payable {
        (bool ok, bytes memory answer) = to.call{value: msg.value}(data);
        if (ok) return;
        assembly { revert(add(answer, 0x20), mload(answer)) }
    }

    receive() external payable {
        _react();
    }

    fallback() external {
        lastSelector = msg.sig;
        _react();
    }

    function _react() private {
        calls++;
        if (burns) {
            assembly { return(0, 1000000) }
        }
        if (target == address(0)) return;
        (bool ok,) = target.call(payload);
        if (ok) successes++;
    }
}
