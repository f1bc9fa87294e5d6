#include "conformance/replica_case.hpp"

#include "chunking/seal.hpp"
#include "chunking/unseal.hpp"
#include "core/geometry.hpp"
#include "storage/file.hpp"

namespace holdfast::conformance {
namespace {

SealParams read_seal_params(Checker& check, const Value& v) {
    const Bytes bytes = v.bytes();
    Reader r(bytes);
    const SealParams params = SealParams::decode(r);
    check.accepted(v.where(), r.finish());
    Writer w;
    params.encode(w);
    check.equal(v, w.bytes());
    return params;
}

Retention read_retention(const Value& v) {
    const std::uint8_t retention = v.u8();
    if (retention < 1 || retention > 3) v.malformed("should be 1, 2 or 3");
    return static_cast<Retention>(retention);
}

std::filesystem::path write_source(Checker& check, const Value& v, const Bytes& data) {
    const std::filesystem::path source = check.scratch_path(".data");
    check.need(v.where(), write_file(source, data));
    return source;
}

void check_unsealed(Checker& check, const Value& v, const SealedCase& sealed) {
    const std::filesystem::path restored = check.scratch_path(".restored");
    UnsealOptions options;
    options.workers = 1;
    check.need(v.where(), unseal(sealed.replica, restored, options));
    const Bytes back = check.need(v.where(), read_file(restored, sealed.chain.data.size() + 1));
    check.holds(v.where(), back == sealed.chain.data, "unsealing does not give the data back");
}

}  // namespace

ChainCase check_chain(Checker& check, const Value& v, const Network& network) {
    ChainCase out{KeyPair::from_secret(view(v["secret_key"].digest())), {}, {}, {}, {}};
    out.data = v["data"].bytes();
    const std::filesystem::path source = write_source(check, v, out.data);
    const Registration encoded =
        check.need(v["registration"].where(), Registration::decode(v["registration"].bytes()));

    Registration r;
    r.header.prover = out.key.public_key();
    r.header.raw_root =
        check.need(v["data"].where(), raw_root_of_file(source, 0, out.data.size(), check.stop()));
    r.header.data_len = out.data.size();
    r.header.chunks = chunk_count(out.data.size());
    r.header.seal = read_seal_params(check, v["seal_params"]);
    // Where a case tells an exchange, its "nonce" is that of the exchange.
    r.header.nonce = encoded.header.nonce;
    if (v["nonce"].is_integer()) {
        r.header.nonce = v["nonce"].u64();
    } else {
        static_cast<void>(v["nonce"].digest());
    }
    r.sealed_root = v["sealed_root"].id<Root>();
    r.genesis_height = v["genesis_height"].height();
    r.genesis_block_hash = v["genesis_block_hash"].id<BlockHash>();
    r.local_commitment = v["local_commitment"].id<Reveal>();
    r.retention = read_retention(v["retention"]);
    r.bond_id = v["bond_id"].id<BondId>();
    out.registration = sign_registration(network.id, r, out.key).value();
    out.replica_id = r.replica_id(network.id);
    out.chain_id = r.chain_id(network.id);

    check.equal(v["prover_pk"], r.header.prover);
    check.equal(v["chunks"], r.header.chunks.value);
    check.equal(v["raw_root"], r.header.raw_root);
    check.equal(v["replica_id"], out.replica_id);
    check.equal(v["ownership"], ownership(out.replica_id, r.sealed_root));
    check.equal(v["chain_id"], out.chain_id);
    check.equal(v["registration"], out.registration.encode());
    check.equal(v["registration"], encoded.encode());
    // What follows may rely on its geometry and preset.
    const Verdict verdict = check_registration(network.params, network.id, out.registration);
    check.accepted(v["registration"].where(), verdict);
    if (!verdict.accepted()) v.malformed("tells a registration that cannot be accepted");
    std::filesystem::remove(source);
    return out;
}

SealedCase check_sealed_chain(Checker& check, const Value& v, const Network& network) {
    ChainCase chain = check_chain(check, v, network);
    SealRequest request;
    request.network = network.params;
    request.prover = chain.key.public_key();
    request.seal = chain.registration.header.seal;
    request.nonce = chain.registration.header.nonce;
    request.source = write_source(check, v, chain.data);
    request.replica_path = check.scratch_path(".replica");
    request.tree_path = check.scratch_path(".tree");
    SealOptions options;
    options.workers = 1;
    options.stop = check.stop();
    const SealedReplica sealed = check.need(v.where(), seal(request, options));
    check.equal(v["sealed_root"], sealed.header.sealed_root);
    check.equal(v["replica_id"], sealed.header.replica_id);
    SealedCase out{std::move(chain),
                   check.need(v.where(), Replica::open(request.replica_path, request.tree_path,
                                                       network.params)),
                   request.replica_path, request.tree_path};
    check_unsealed(check, v, out);
    return out;
}

Bytes read_sealed(Checker& check, const Value& v, const Replica& replica) {
    Bytes out(replica.chunks().value * kChunkBytes);
    check.need(v.where(), replica.read_sealed(ChunkIndex(0), out));
    return out;
}

}  // namespace holdfast::conformance
