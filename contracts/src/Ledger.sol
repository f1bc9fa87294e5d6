// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Judge} from "./Judge.sol";
import {Network} from "./Network.sol";
import {Wire} from "./Wire.sol";

/// What a bond is for.
enum Role {
    None,
    Chain,
    Challenger,
    Submitter
}

/// What a deployment asks beside the network's parameters. Amounts in wei.
struct Terms {
    uint128 chainBond;
    uint128 challengerBond;
    uint128 submitterBond;
    uint32 disputeBlocks; // how long a checkpoint may be disputed
    uint32 releaseBlocks; // from the notice to the release of a bond
    uint32 provingBlocks; // a chain shows possession once in so many blocks
}

/// Networks, bonds and what is owed to whom. A bond leaves by its owner's notice and the release delay, or is taken
/// for an offence; nobody else can touch it.
abstract contract Ledger {
    struct Bond {
        address owner;
        uint64 releaseAt; // 0: no notice given
        Role role;
        uint128 amount; // 0: released or taken
        uint64 engagedUntil; // held by a contest up to this block
        bytes32 deployment;
        bytes32 subject; // chain_id, or the key of a challenger or submitter
    }

    Judge public immutable judge;
    uint256 private transient entered;

    mapping(bytes32 deployment => Network) internal networks;
    mapping(bytes32 deployment => Terms) public terms;
    mapping(bytes32 bondId => Bond) public bonds;
    mapping(bytes32 deployment => mapping(Role => mapping(bytes32 subject => bytes32 bondId))) public bondOf;
    mapping(address => uint256) public owed;
    /// What was taken and is nobody's: it stays here for good.
    uint256 public burnt;

    event NetworkOpened(bytes32 indexed deployment, bytes32 indexed networkId, Terms terms, bytes parameters);
    event BondOpened(
        bytes32 indexed deployment, bytes32 indexed bondId, address indexed owner, Role role, bytes32 subject, uint128 amount
    );
    event NoticeGiven(bytes32 indexed bondId, uint64 releaseAt);
    event BondReleased(bytes32 indexed bondId, address indexed owner, uint128 amount);
    event BondTaken(bytes32 indexed bondId, address indexed accuser, uint128 amount, uint128 reward);
    event Withdrawn(address indexed from, address indexed to, uint256 amount);

    modifier guarded() {
        Wire.need(entered == 0, "reentered");
        entered = 1;
        _;
        entered = 0;
    }

    constructor(Judge judge_) {
        judge = judge_;
    }

    /// Anybody may open any network on any terms: the terms are part of the deployment's name, so nobody can take a
    /// network's place with bad ones.
    function openNetwork(bytes calldata parameters, Terms calldata t) external returns (bytes32 deployment) {
        Network memory n = judge.network(parameters);
        deployment = keccak256(abi.encode(n.id, t));
        Wire.need(networks[deployment].id == 0, "duplicate");
        Wire.need(t.chainBond > 0 && t.challengerBond > 0 && t.submitterBond > 0, "terms");
        Wire.need(t.disputeBlocks > 0 && t.provingBlocks > 0, "terms");
        // A bond outlives the time in which its owner's offences can be shown.
        Wire.need(t.releaseBlocks >= 2 * uint256(t.disputeBlocks), "terms");
        Wire.need(t.releaseBlocks >= uint256(n.removalDelay) + n.liabilityBlocks, "terms");
        networks[deployment] = n;
        terms[deployment] = t;
        emit NetworkOpened(deployment, n.id, t, parameters);
    }

    function networkOf(bytes32 deployment) external view returns (Network memory) {
        return networks[deployment];
    }

    /// The id of the bond that `owner` opens with this salt, for the objects that must name it beforehand.
    function bondIdOf(bytes32 deployment, address owner, bytes32 salt) public view returns (bytes32) {
        return Wire.tagged(
            "holdfast/1/ethereum/bond", abi.encodePacked(block.chainid, address(this), deployment, owner, salt)
        );
    }

    /// The bond of a challenger or submitter, whose key has signed the bond's id.
    function openBond(bytes32 deployment, Role role, bytes32 key, bytes32 salt, bytes32 r, bytes32 s)
        external
        payable
        guarded
        returns (bytes32 bondId)
    {
        Terms memory t = _terms(deployment);
        Wire.need(role == Role.Challenger || role == Role.Submitter, "role");
        bondId = bondIdOf(deployment, msg.sender, salt);
        Wire.need(judge.acceptable(key), "key");
        Wire.need(judge.verify(key, abi.encodePacked(bondId), r, s), "signature");
        Wire.need(bonds[bondOf[deployment][role][key]].amount == 0, "duplicate");
        _openBond(deployment, role, key, bondId, role == Role.Challenger ? t.challengerBond : t.submitterBond);
    }

    /// The owner's notice that a bond shall leave.
    function giveNotice(bytes32 bondId) external {
        Bond storage bond = bonds[bondId];
        Wire.need(bond.owner == msg.sender && bond.amount > 0, "bond");
        Wire.need(bond.releaseAt == 0, "already-removed");
        bond.releaseAt = uint64(block.number) + terms[bond.deployment].releaseBlocks;
        emit NoticeGiven(bondId, bond.releaseAt);
    }

    /// What is left of a bond goes to its owner's account.
    function releaseBond(bytes32 bondId) external guarded {
        Bond storage bond = bonds[bondId];
        uint128 amount = bond.amount;
        Wire.need(bond.owner == msg.sender && amount > 0, "bond");
        Wire.need(bond.releaseAt != 0 && block.number >= bond.releaseAt, "too-early");
        Wire.need(bond.engagedUntil < block.number, "engaged");
        bond.amount = 0;
        owed[msg.sender] += amount;
        emit BondReleased(bondId, msg.sender, amount);
        if (bond.role == Role.Chain) _ended(bond.deployment, bond.subject, false);
    }

    /// Pays what is owed to the sender.
    function withdraw(address payable to) external guarded {
        uint256 amount = owed[msg.sender];
        Wire.need(amount > 0, "nothing-owed");
        owed[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        (bool paid,) = to.call{value: amount}("");
        Wire.need(paid, "not-paid");
    }

    function _terms(bytes32 deployment) internal view returns (Terms memory t) {
        t = terms[deployment];
        Wire.need(t.chainBond > 0, "unknown-network");
    }

    function _openBond(bytes32 deployment, Role role, bytes32 subject, bytes32 bondId, uint128 least) internal {
        Wire.need(msg.value >= least && msg.value <= type(uint128).max, "bond");
        Wire.need(bonds[bondId].owner == address(0), "bond-taken");
        bonds[bondId] = Bond(msg.sender, 0, role, uint128(msg.value), 0, deployment, subject);
        bondOf[deployment][role][subject] = bondId;
        emit BondOpened(deployment, bondId, msg.sender, role, subject, uint128(msg.value));
    }

    /// Takes a bond: a tenth to the accuser (spec 15.6), the rest to nobody.
    function _take(bytes32 bondId, address accuser) internal {
        Bond storage bond = bonds[bondId];
        uint128 amount = bond.amount;
        uint128 reward = amount / 10;
        bond.amount = 0;
        owed[accuser] += reward;
        burnt += amount - reward;
        emit BondTaken(bondId, accuser, amount, reward);
        if (bond.role == Role.Chain) _ended(bond.deployment, bond.subject, true);
    }

    function _ended(bytes32 deployment, bytes32 chainId, bool taken) internal virtual;
}
