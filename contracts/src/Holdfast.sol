// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ledger, Role, Terms} from "./Ledger.sol";
import {Header} from "./Hierarchy.sol";
import {IListener} from "./IListener.sol";
import {Facts, Judge, Registered} from "./Judge.sol";
import {Network} from "./Network.sol";
import {Proofs} from "./Proofs.sol";
import {Chain} from "./Statements.sol";
import {Wire} from "./Wire.sol";

/// What is known of a height: its digest and block hash from an accepted checkpoint or from a walk down from one; y and
/// the digest before from a walk alone.
struct Known {
    bytes32 digest;
    bytes32 blockHash;
    bytes32 y;
    bytes32 previous;
}

/// A checkpoint that waits for its window to pass.
struct Submission {
    bytes32 digest;
    bytes32 bodyHash;
    uint64 total;
    uint64 until; // the last block in which it may be disputed
}

/// Holdfast on an Ethereum chain whose blocks are the network's heights: chains with their bonds, checkpoints, proofs
/// of possession, and evidence. It has no owner and no upgrade. docs/security.md says what it believes and what not.
contract Holdfast is Ledger {
    using Wire for bytes;

    uint256 private constant CHECKPOINT_BYTES = 208;
    uint256 private constant LISTENER_GAS = 150_000;

    mapping(bytes32 deployment => mapping(bytes32 chainId => Chain)) internal chains;
    mapping(bytes32 deployment => mapping(bytes32 replicaId => bool)) internal replicas;
    mapping(bytes32 deployment => mapping(bytes32 chainId => address)) public listeners;
    mapping(bytes32 deployment => mapping(bytes32 chainId => uint64)) public deadlines;
    mapping(bytes32 deployment => mapping(bytes32 chainId => uint64)) public provenHeights;
    mapping(bytes32 deployment => mapping(uint64 height => Known)) public known;
    mapping(bytes32 deployment => mapping(uint64 height => Submission[2])) public submissions;
    mapping(bytes32 commitment => uint64 blockNumber) public commitments;
    mapping(bytes32 deployment => mapping(bytes32 offence => bool)) public settled;

    event ChainRegistered(bytes32 indexed deployment, bytes32 indexed chainId, bytes32 bondId, bytes registration);
    event CheckpointSubmitted(bytes32 indexed deployment, uint64 indexed height, bytes body);
    event CheckpointContested(bytes32 indexed deployment, uint64 indexed height, bytes body);
    event CheckpointDropped(bytes32 indexed deployment, uint64 indexed height, bytes32 bodyHash);
    event CheckpointAccepted(bytes32 indexed deployment, uint64 indexed height, bytes32 digest, uint64 total);
    event HeightShown(bytes32 indexed deployment, uint64 indexed height, bytes32 digest, bytes32 y);
    event PathShown(bytes32 indexed deployment, bytes32 indexed chainId, uint64 indexed height, uint64 total);
    event PossessionProven(bytes32 indexed deployment, bytes32 indexed chainId, uint64 indexed height);
    event PeriodsMissed(bytes32 indexed deployment, bytes32 indexed chainId, uint64 periods);
    event OffenceSettled(bytes32 indexed deployment, bytes32 indexed offence, uint8 kind, bytes32 offender, bytes evidence);

    Proofs public immutable proofs;

    constructor(Judge judge_, Proofs proofs_) Ledger(judge_) {
        proofs = proofs_;
    }

    // --- chains ---

    /// A registration (spec 3) with its bond. The bond_id that it names is bondIdOf(deployment, sender, salt). Its
    /// genesis block must be one of the newest 100.
    function register(bytes32 deployment, bytes calldata body, bytes32 salt, address listener)
        external
        payable
        guarded
        returns (bytes32 chainId)
    {
        Terms memory terms = _terms(deployment);
        Registered memory said = judge.registration(networks[deployment], body);
        chainId = said.chain.id;
        Wire.need(said.bondId == bondIdOf(deployment, msg.sender, salt), "bond");
        Wire.need(said.genesisHeight < block.number && block.number - said.genesisHeight <= 100, "genesis-height");
        Wire.need(blockhash(said.genesisHeight) == said.genesisBlockHash, "wrong-block");
        Wire.need(!replicas[deployment][said.chain.replicaId], "duplicate");
        Wire.need(!chains[deployment][chainId].known, "duplicate");
        replicas[deployment][said.chain.replicaId] = true;
        chains[deployment][chainId] = said.chain;
        listeners[deployment][chainId] = listener;
        deadlines[deployment][chainId] = uint64(block.number) + 2 * terms.provingBlocks;
        _openBond(deployment, Role.Chain, chainId, said.bondId, terms.chainBond);
        emit ChainRegistered(deployment, chainId, said.bondId, body);
        _tell(
            listener,
            abi.encodeCall(
                IListener.chainRegistered, (deployment, chainId, msg.sender, said.chain.chunks, said.retention)
            )
        );
    }

    function chainOf(bytes32 deployment, bytes32 chainId) external view returns (Chain memory) {
        return chains[deployment][chainId];
    }

    /// A compact proof (spec 7, B) of a height whose digest and y are known, as are those of the height that draws
    /// its opening. Moves the deadline of the chain to one period from now.
    function provePossession(bytes32 deployment, uint64 height, bytes calldata body) external guarded {
        Network memory n = networks[deployment];
        Wire.need(body.length >= 168, "truncated");
        bytes32 chainId = body.word(136);
        Chain memory chain = chains[deployment][chainId];
        Wire.need(chain.known, "unknown-chain");
        Wire.need(bonds[bondOf[deployment][Role.Chain][chainId]].amount > 0, "bond");
        Wire.need(height > provenHeights[deployment][chainId], "duplicate");
        uint64 period = terms[deployment].provingBlocks;
        Wire.need(uint64(block.number) <= height + 2 * period, "too-late");
        Known memory k = known[deployment][height];
        bytes32 yc = known[deployment][height + 1 + n.linkLag + n.finalityBlocks].y;
        Wire.need(k.y != 0 && yc != 0, "no-entropy");
        Chain memory after_ = proofs.possession(
            n, chain, Header(height, k.blockHash, k.y, k.previous), k.digest, yc, body
        );
        if (after_.revealIndex != chain.revealIndex) {
            chains[deployment][chainId].revealIndex = after_.revealIndex;
            chains[deployment][chainId].reveal = after_.reveal;
        }
        provenHeights[deployment][chainId] = height;
        uint64 next = uint64(block.number) + period;
        deadlines[deployment][chainId] = next;
        emit PossessionProven(deployment, chainId, height);
        _tell(
            listeners[deployment][chainId],
            abi.encodeCall(IListener.possessionProven, (deployment, chainId, height, next))
        );
    }

    /// Notes the periods that a chain has let pass without a proof. Anybody's to call; costs no bond by itself.
    function noteMissed(bytes32 deployment, bytes32 chainId) external guarded returns (uint64 missed) {
        Wire.need(bonds[bondOf[deployment][Role.Chain][chainId]].amount > 0, "bond");
        uint64 deadline = deadlines[deployment][chainId];
        Wire.need(block.number > deadline, "too-early");
        uint64 period = terms[deployment].provingBlocks;
        missed = (uint64(block.number) - deadline - 1) / period + 1;
        deadline += missed * period;
        deadlines[deployment][chainId] = deadline;
        emit PeriodsMissed(deployment, chainId, missed);
        _tell(
            listeners[deployment][chainId],
            abi.encodeCall(IListener.periodsMissed, (deployment, chainId, missed, deadline))
        );
    }

    /// A path proof (spec 7, D) against a known height, for whoever reads events.
    function showPath(bytes32 deployment, uint64 height, bytes calldata body) external returns (bytes32 chainId) {
        Known memory k = known[deployment][height];
        Wire.need(k.previous != 0, "unknown-height");
        uint64 total;
        (chainId, total) =
            proofs.path(networks[deployment], Header(height, k.blockHash, k.y, k.previous), k.digest, body);
        emit PathShown(deployment, chainId, height, total);
    }

    // --- checkpoints ---

    /// A checkpoint (spec 10.6) by the owner of its submitter's bond. Its signature is not verified here: whoever sees
    /// that it does not hold takes the bond by disputeSignature.
    function submitCheckpoint(bytes32 deployment, bytes calldata body) external {
        uint64 height = _needSubmitter(deployment, body);
        Wire.need(body.word(8) != 0 && blockhash(height) == body.word(8), "wrong-block");
        Submission storage first = submissions[deployment][height][0];
        Wire.need(first.bodyHash == 0, "duplicate");
        _write(first, deployment, body);
        emit CheckpointSubmitted(deployment, height, body);
    }

    /// Another submitter's checkpoint against the one that stands. Neither is accepted until one of them is dropped;
    /// both bonds are held, for the release delay at most, until the digest of the height is shown from a later one.
    function contestCheckpoint(bytes32 deployment, bytes calldata standing, bytes calldata body) external {
        uint64 height = _needSubmitter(deployment, body);
        Submission[2] storage pair = submissions[deployment][height];
        Wire.need(pair[0].bodyHash == keccak256(standing) && pair[1].bodyHash == 0, "unknown-checkpoint");
        Wire.need(block.number <= pair[0].until, "too-late");
        // The standing one's block was compared when it came, and may be too old for the chain to know by now.
        Wire.need(standing.word(8) == body.word(8), "wrong-block");
        Wire.need(standing.word(80) != body.word(80), "own-checkpoint");
        Wire.need(keccak256(standing[0:80]) != keccak256(body[0:80]), "no-offence");
        Wire.need(_alive(deployment, standing), "bond");
        _write(pair[1], deployment, body);
        uint64 until = uint64(block.number) + terms[deployment].releaseBlocks;
        bonds[standing.word(112)].engagedUntil = until;
        bonds[body.word(112)].engagedUntil = until;
        emit CheckpointContested(deployment, height, body);
    }

    /// Accepts what nobody has contested in time.
    function acceptCheckpoint(bytes32 deployment, bytes calldata body) external {
        uint64 height = body.u64(0);
        Submission[2] storage pair = submissions[deployment][height];
        Wire.need(pair[0].bodyHash == keccak256(body), "unknown-checkpoint");
        Wire.need(pair[1].bodyHash == 0, "contested");
        Wire.need(block.number > pair[0].until, "too-early");
        Wire.need(_alive(deployment, body), "bond");
        bytes32 digest = known[deployment][height].digest;
        Wire.need(digest == 0 || digest == pair[0].digest, "global-mismatch");
        known[deployment][height].digest = pair[0].digest;
        known[deployment][height].blockHash = body.word(8);
        emit CheckpointAccepted(deployment, height, pair[0].digest, pair[0].total);
        delete pair[0];
    }

    /// Drops the checkpoint of a submitter whose bond has gone.
    function dropCheckpoint(bytes32 deployment, bytes calldata body) external {
        Wire.need(!_alive(deployment, body), "bond");
        _drop(deployment, body);
    }

    /// Takes the bond of a submitter who sent a checkpoint that is not signed by its key.
    function disputeSignature(bytes32 deployment, bytes calldata body) external guarded {
        _drop(deployment, body);
        Wire.need(_alive(deployment, body), "bond");
        Wire.need(!judge.checkpointSigned(networks[deployment].id, body), "no-offence");
        _take(body.word(112), msg.sender);
    }

    /// Takes the bond of a submitter whose checkpoint is not the digest that a later accepted one leads to.
    function refuteCheckpoint(bytes32 deployment, bytes calldata body) external guarded {
        bytes32 digest = known[deployment][body.u64(0)].digest;
        Wire.need(digest != 0 && digest != body.word(40), "no-offence");
        _drop(deployment, body);
        Wire.need(_alive(deployment, body), "bond");
        _take(body.word(112), msg.sender);
    }

    /// Lets go of the bond of a contest whose other side has gone or been refuted: `body` is the newer or only one.
    function disengage(bytes32 deployment, bytes calldata body) external {
        Submission[2] storage pair = submissions[deployment][body.u64(0)];
        Wire.need(pair[0].bodyHash == keccak256(body) && pair[1].bodyHash == 0, "unknown-checkpoint");
        bonds[body.word(112)].engagedUntil = 0;
    }

    /// Walks from a known height down to an older one by the digest before each (spec 10.2): 140 bytes a height, see
    /// Proofs.walk. What the last of them says is known from then on.
    function showHeight(bytes32 deployment, uint64 from, bytes calldata headers) external {
        bytes32 digest = known[deployment][from].digest;
        Wire.need(digest != 0, "unknown-height");
        Header memory h;
        (h, digest) = proofs.walk(networks[deployment].id, from, digest, headers);
        bytes32 before = known[deployment][h.height].digest;
        Wire.need(before == 0 || before == digest, "global-mismatch");
        known[deployment][h.height] = Known(digest, h.blockHash, h.y, h.previous);
        emit HeightShown(deployment, h.height, digest, h.y);
    }

    // --- evidence ---

    /// Announces evidence, so that nobody who sees it can be its accuser first: keccak256(abi.encode(sender,
    /// keccak256(evidence), salt)).
    function commit(bytes32 commitment) external {
        Wire.need(commitments[commitment] == 0, "duplicate");
        commitments[commitment] = uint64(block.number);
    }

    /// Evidence of kinds 1, 2 (form 1), 5, 6 (version 2), 9 and 10 (form 1), committed to in an earlier block. Takes the bond of
    /// the chain or submitter; a tenth is the accuser's.
    function accuse(bytes32 deployment, bytes calldata evidence, bytes32 salt) external guarded {
        uint64 committed = commitments[keccak256(abi.encode(msg.sender, keccak256(evidence), salt))];
        Wire.need(committed != 0 && committed < block.number, "commitment");
        (uint8 kind, bytes32 offender, uint64 height) = judge.accused(evidence);
        Facts memory facts;
        facts.network = networks[deployment];
        if (kind != 5) {
            facts.chain = chains[deployment][offender];
            facts.blockHash = _blockHash(deployment, height);
        }
        // Without y form 2 of kinds 2 and 10 is refused: nothing is taken for it (spec 15.6).
        if (kind == 6) {
            // A challenge of version 1 names no y, so whoever got a false digest accepted could accuse the honest.
            Wire.need(facts.network.version == 2, "no-offence");
            facts.y = known[deployment][height].y;
        }
        bytes32 offence = judge.judge(facts, evidence);
        Wire.need(!settled[deployment][offence], "already-settled");
        bytes32 bondId = bondOf[deployment][kind == 5 ? Role.Submitter : Role.Chain][offender];
        Wire.need(bonds[bondId].amount > 0, "bond");
        settled[deployment][offence] = true;
        emit OffenceSettled(deployment, offence, kind, offender, evidence);
        _take(bondId, msg.sender);
    }

    // --- helpers ---

    function _blockHash(bytes32 deployment, uint64 height) private view returns (bytes32) {
        bytes32 shown = known[deployment][height].blockHash;
        if (shown != 0) return shown;
        if (height + networks[deployment].finalityBlocks >= block.number) return 0;
        return blockhash(height); // zero beyond 256 blocks
    }

    /// The checks of a checkpoint that the chain itself can make; its height.
    function _needSubmitter(bytes32 deployment, bytes calldata body) private view returns (uint64 height) {
        Wire.need(body.length == CHECKPOINT_BYTES, "length");
        Network storage n = networks[deployment];
        uint32 spacing = n.checkpointBlocks;
        Wire.need(spacing != 0, "unknown-network");
        height = body.u64(0);
        Wire.need(height % spacing == 0 && height >= n.genesisHeight, "height");
        Wire.need(uint256(height) + 1 + n.linkLag + n.finalityBlocks < block.number, "too-early");
        Wire.need(known[deployment][height].digest == 0, "already-settled");
        Wire.need(_alive(deployment, body), "bond");
        Bond storage bond = bonds[body.word(112)];
        Wire.need(bond.owner == msg.sender && bond.releaseAt == 0, "bond");
        Wire.need(bond.engagedUntil < block.number, "engaged");
    }

    /// Whether the bond that a checkpoint names is its submitter's and still there.
    function _alive(bytes32 deployment, bytes calldata body) private view returns (bool) {
        bytes32 bondId = body.word(112);
        return bondOf[deployment][Role.Submitter][body.word(80)] == bondId && bonds[bondId].amount > 0;
    }

    function _write(Submission storage to, bytes32 deployment, bytes calldata body) private {
        to.digest = body.word(40);
        to.bodyHash = keccak256(body);
        to.total = body.u64(72);
        to.until = uint64(block.number) + terms[deployment].disputeBlocks;
    }

    /// What remains of a contest has a window of its own from then on: it was in no danger while it was contested.
    function _drop(bytes32 deployment, bytes calldata body) private {
        uint64 height = body.u64(0);
        bytes32 hash = keccak256(body);
        Submission[2] storage pair = submissions[deployment][height];
        if (pair[0].bodyHash == hash) {
            pair[0] = pair[1];
        } else {
            Wire.need(pair[1].bodyHash == hash, "unknown-checkpoint");
        }
        delete pair[1];
        if (pair[0].bodyHash != 0) pair[0].until = uint64(block.number) + terms[deployment].disputeBlocks;
        emit CheckpointDropped(deployment, height, hash);
    }

    function _ended(bytes32 deployment, bytes32 chainId, bool taken) internal override {
        _tell(listeners[deployment][chainId], abi.encodeCall(IListener.chainEnded, (deployment, chainId, taken)));
    }

    /// The listener gets its gas or the call fails; what it answers is not even read.
    function _tell(address listener, bytes memory message) private {
        if (listener == address(0)) return;
        Wire.need(gasleft() > LISTENER_GAS + LISTENER_GAS / 32 + 10_000, "gas");
        assembly ("memory-safe") {
            pop(call(LISTENER_GAS, listener, 0, add(message, 0x20), mload(message), 0, 0))
        }
    }
}
