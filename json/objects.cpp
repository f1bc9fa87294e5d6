#include "json/objects.hpp"

#include "core/codec.hpp"
#include "json/param_fields.hpp"

namespace holdfast::json {
namespace {

Json hex_list(std::span<const Digest> digests) {
    Json out = Json::array();
    for (const Digest& d : digests) out.push_back(to_hex(d));
    return out;
}

Json cell_list(std::span<const Cell> cells) {
    Json out = Json::array();
    for (const Cell& cell : cells) out.push_back(to_hex(cell));
    return out;
}

Json reveal_json(const Reveal& reveal) {
    return reveal.is_zero() ? Json(nullptr) : Json(to_hex(reveal));
}

template <class T>
Checked<Json> decoded(ByteView body) {
    HOLDFAST_ASSIGN(object, T::decode(body));
    return to_json(object);
}

Json proof_head(const Receipt& receipt, const ChainId& chain_id, const Link& before,
                const Reveal& reveal) {
    return {{"chain_id", to_hex(chain_id)},          {"height", receipt.height.value},
            {"link", to_hex(receipt.link)},          {"link_before", to_hex(before)},
            {"anchor", to_hex(receipt.anchor)},      {"reveal", reveal_json(reveal)},
            {"signature", to_hex(receipt.signature)}};
}

}  // namespace

Json to_json(const Update& u) {
    return {{"chain_id", to_hex(u.chain_id)},
            {"sequence", u.sequence},
            {"effective_height", u.effective_height.value},
            {"local_commitment", reveal_json(u.local_commitment)},
            {"signature", to_hex(u.signature)}};
}

Json to_json(const Removal& r) {
    return {{"chain_id", to_hex(r.chain_id)},
            {"sequence", r.sequence},
            {"height", r.height.value},
            {"signature", to_hex(r.signature)}};
}

Json to_json(const Checkpoint& c) {
    return {{"height", c.height.value},         {"block_hash", to_hex(c.block_hash)},
            {"global", to_hex(c.global)},       {"total_chains", c.total_chains},
            {"submitter", to_hex(c.submitter)}, {"bond_id", to_hex(c.bond_id)},
            {"signature", to_hex(c.signature)}};
}

Json to_json(const Bundle& b) {
    Json members = Json::array();
    for (const BundleEntry& m : b.members) {
        members.push_back({{"chain_id", to_hex(m.chain_id)}, {"link", to_hex(m.link)}});
    }
    return {{"prover", to_hex(b.prover)}, {"height", b.height.value},
            {"anchor", to_hex(b.anchor)}, {"n", b.members.size()},
            {"members", members},         {"signature", to_hex(b.signature)}};
}

Json to_json(const Member& m) {
    return {{"chain_id", to_hex(m.chain_id)},
            {"link", to_hex(m.bundled.link)},
            {"height", m.bundled.height.value},
            {"anchor", to_hex(m.bundled.anchor)},
            {"n", m.bundled.n},
            {"index", m.bundled.index},
            {"path", hex_list(m.bundled.path)},
            {"signature", to_hex(m.bundled.signature)}};
}

Json to_json(const ShortCompact& proof) {
    return {
        {"chain_id", to_hex(proof.chain_id)},     {"height", proof.height.value},
        {"reveal", reveal_json(proof.reveal)},    {"cell", to_hex(proof.cell)},
        {"cell_path", hex_list(proof.cell_path)}, {"opening_path", hex_list(proof.opening_path)}};
}

Json to_json(const ShortFull& proof) {
    return {{"chain_id", to_hex(proof.chain_id)},
            {"height", proof.height.value},
            {"reveal", reveal_json(proof.reveal)},
            {"cells", cell_list(proof.cells)},
            {"siblings", hex_list(proof.siblings)}};
}

Json to_json(const Acknowledgement& a) {
    return {{"host", to_hex(a.host)},
            {"object_sha256", to_hex(a.object)},
            {"height", a.height.value},
            {"block_hash", to_hex(a.block_hash)},
            {"signature", to_hex(a.signature)}};
}

Json to_json(const Challenge2& c) {
    return {{"chain_id", to_hex(c.chain_id)},     {"height", c.height.value},
            {"block_hash", to_hex(c.block_hash)}, {"y", to_hex(c.y)},
            {"challenger", to_hex(c.challenger)}, {"nonce", to_hex(c.nonce)},
            {"signature", to_hex(c.signature)}};
}

Json to_json(const Outcome2& o) {
    Json out = {{"challenge_id", to_hex(o.id)},
                {"reveal", to_hex(o.reveal)},
                {"outcome", static_cast<unsigned>(o.outcome)},
                {"service_us", o.service_us},
                {"ping_us", o.ping_us}};
    const bool named = o.has_response();
    out["response_hash"] = named ? Json(to_hex(o.response_hash)) : Json(nullptr);
    out["response_signature"] = named ? Json(to_hex(o.response_signature)) : Json(nullptr);
    out["signature"] = to_hex(o.signature);
    return out;
}

Json to_json(const JournalHead& h) {
    return {{"operator", to_hex(h.operator_key)},
            {"height", h.height.value},
            {"block_hash", to_hex(h.block_hash)},
            {"global", to_hex(h.global)},
            {"state", h.state.is_zero() ? Json(nullptr) : Json(to_hex(h.state))},
            {"size", h.size},
            {"root", to_hex(h.root)},
            {"signature", to_hex(h.signature)}};
}

Json to_json(const Evidence& e) {
    return {{"evidence", static_cast<unsigned>(e.kind())}, {"offence", to_string(e.kind())}};
}

Json to_json(const NetworkParams& params) {
    Json out = params_json(params);
    out["network_id"] = to_hex(params.id());
    return out;
}

Json to_json(const VdfSegment& s) {
    return {{"params", to_json(s.params)},  {"height", s.height.value},
            {"input", to_hex(s.input)},     {"i", s.i},
            {"d_i", to_hex(s.d_i)},         {"d_i1", to_hex(s.d_i1)},
            {"path_i", hex_list(s.path_i)}, {"path_i1", hex_list(s.path_i1)}};
}

Json to_json(const Registration& r) {
    return {{"prover", to_hex(r.header.prover)},
            {"raw_root", to_hex(r.header.raw_root)},
            {"data_len", r.header.data_len},
            {"chunks", r.header.chunks.value},
            {"window_chunks", r.header.seal.window_chunks},
            {"work_blocks", r.header.seal.work_blocks},
            {"preset", seal_preset_name(r.header.seal)},
            {"nonce", r.header.nonce},
            {"sealed_root", to_hex(r.sealed_root)},
            {"genesis_height", r.genesis_height.value},
            {"genesis_block_hash", to_hex(r.genesis_block_hash)},
            {"local_commitment", reveal_json(r.local_commitment)},
            {"retention", to_string(r.retention)},
            {"bond_id", to_hex(r.bond_id)},
            {"signature", to_hex(r.signature)}};
}

Json to_json(const Receipt& r) {
    return {{"link", to_hex(r.link)},
            {"height", r.height.value},
            {"anchor", to_hex(r.anchor)},
            {"signature", to_hex(r.signature)}};
}

Json to_json(const HierarchyPath& p) {
    return {{"region", p.region},
            {"group", p.group},
            {"slot", p.slot},
            {"slots", p.slots},
            {"active", p.active},
            {"groups", p.groups},
            {"region_active", p.region_active},
            {"regions", p.regions},
            {"total_chains", p.total_chains},
            {"slot_path", hex_list(p.slot_path)},
            {"group_path", hex_list(p.group_path)},
            {"region_path", hex_list(p.region_path)}};
}

Json to_json(const PathProof& proof) {
    Json out = {{"chain_id", to_hex(proof.leaf.chain_id)},
                {"link", to_hex(proof.leaf.link)},
                {"link_height", proof.leaf.link_height.value},
                {"status", to_string(proof.leaf.status)}};
    out["path"] = to_json(proof.path);
    return out;
}

Json to_json(const Compact& proof) {
    Json out = proof_head(proof.receipt, proof.chain_id, proof.link_before, proof.reveal);
    out["status"] = to_string(proof.status);
    out["path"] = to_json(proof.path);
    out["cell"] = to_hex(proof.cell);
    out["cell_path"] = hex_list(proof.cell_path);
    out["opening_path"] = hex_list(proof.opening_path);
    return out;
}

Json to_json(const Full& proof) {
    Json out = proof_head(proof.receipt, proof.chain_id, proof.link_before, proof.reveal);
    out["cells"] = cell_list(proof.cells);
    out["siblings"] = hex_list(proof.siblings);
    return out;
}

Json to_json(const ProofWindow& window) {
    Json commitments = Json::array();
    for (const AnyProof& link : window.links) {
        Json entry = std::visit([](const auto& proof) { return to_json(proof); }, link);
        entry["format"] = std::holds_alternative<Compact>(link) ? "compact" : "full";
        commitments.push_back(entry);
    }
    return {{"commitments", commitments}};
}

Json to_json(const VdfParams& p) {
    return {{"arena_kib", p.arena_kib},
            {"passes", p.passes},
            {"lanes", p.lanes},
            {"steps_per_checkpoint", p.steps_per_checkpoint},
            {"checkpoints", p.checkpoints}};
}

Json to_json(const VdfProof& proof) {
    return {{"params", to_json(proof.params)},
            {"height", proof.height.value},
            {"input", to_hex(proof.input)},
            {"checkpoints", hex_list(proof.checkpoints)},
            {"y", to_hex(proof.y)},
            {"evaluator", to_hex(proof.evaluator)},
            {"signature", to_hex(proof.signature)}};
}

Checked<Json> describe_trusted_object(ByteView object) {
    HOLDFAST_ASSIGN(kind, peek_kind(object));
    const ByteView body = object.subspan(2);
    Json out = {{"kind", to_string(kind)}, {"bytes", body.size()}};
    const auto with = [&](Checked<Json> fields) -> Checked<Json> {
        if (!fields) return refuse(fields.error());
        out.update(*fields);
        return out;
    };
    switch (kind) {
        case Kind::kRegistration:
            return with(decoded<Registration>(body));
        case Kind::kUpdate:
            return with(decoded<Update>(body));
        case Kind::kRemoval:
            return with(decoded<Removal>(body));
        case Kind::kReceipt:
            return with(decoded<Receipt>(body));
        case Kind::kCompact:
            return with(decoded<Compact>(body));
        case Kind::kFull:
            return with(decoded<Full>(body));
        case Kind::kPath:
            return with(decoded<PathProof>(body));
        case Kind::kWindow:
            return with(decoded<ProofWindow>(body));
        case Kind::kVdfProof:
            return with(decoded<VdfProof>(body));
        case Kind::kVdfSegment:
            return with(decoded<VdfSegment>(body));
        case Kind::kCheckpoint:
            return with(decoded<Checkpoint>(body));
        case Kind::kEvidence:
            return with(decoded<Evidence>(body));
        case Kind::kBundle:
            return with(decoded<Bundle>(body));
        case Kind::kMember:
            return with(decoded<Member>(body));
        case Kind::kShortCompact:
            return with(decoded<ShortCompact>(body));
        case Kind::kShortFull:
            return with(decoded<ShortFull>(body));
        case Kind::kAcknowledgement:
            return with(decoded<Acknowledgement>(body));
        case Kind::kChallenge2:
            return with(decoded<Challenge2>(body));
        case Kind::kOutcome2:
            return with(decoded<Outcome2>(body));
        case Kind::kHead:
            return with(decoded<JournalHead>(body));
        case Kind::kNetwork:
            return with(decoded<NetworkParams>(body));
        case Kind::kSealProof: {
            Reader r(body);
            out["chain_id"] = to_hex(r.fixed<ChainId>());
            out["y_height"] = r.u64();
            if (r.failed()) return refuse(r.verdict());
            return out;
        }
        default:
            return out;
    }
}

}  // namespace holdfast::json
