// files and erasure: file headers, trees, record files, coding matrices, shards, manifests.
#include <iterator>

#include "chunking/erasure.hpp"
#include "chunking/file_header.hpp"
#include "chunking/seal.hpp"
#include "conformance/replica_case.hpp"
#include "conformance/vector_file.hpp"
#include "core/hash.hpp"
#include "storage/file.hpp"
#include "storage/record_log.hpp"

namespace holdfast::conformance {
namespace {

void check_header(Checker& check, const Value& v, const Network& network,
                  const FileHeader& header) {
    const std::uint8_t byte = v["kind"].u8();
    const Kind kind = static_cast<Kind>(byte);
    if (kind != Kind::kReplicaFile && kind != Kind::kTreeFile) {
        v["kind"].malformed("is not a kind of file with a header");
    }
    check.equal(v["header"], encode_file_header(kind, header));
    check.refusals_if_any(v, "refused", v["header"].bytes(), [&](ByteView bytes) -> Verdict {
        const auto decoded = decode_file_header(kind, bytes);
        if (!decoded) return decoded.error();
        return check_file_header(*decoded, network.params);
    });
}

void check_replica_files(Checker& check, const Value& v, const Network& network) {
    const SealedCase sealed = check_sealed_chain(check, v, network);
    for (const Value& header : v["headers"].items()) {
        check_header(check, header, network, sealed.replica.header());
    }
    const std::uint64_t limit = 3 * kMaxDataBytes;
    const Bytes replica = check.need(v.where(), read_file(sealed.replica_file, limit));
    const Bytes tree = check.need(v.where(), read_file(sealed.tree_file, limit));
    check.equal(v["replica_file_sha256"], sha256(replica));
    check.equal(v["tree_file_sha256"], sha256(tree));
    check.equal(v["trees"], ByteView(tree).subspan(kFileHeaderBytes));
}

/// What a torn or damaged file keeps: in memory, and on the disk after opening it for writing.
void check_record_file(Checker& check, const Value& v, const std::vector<Bytes>& bodies) {
    const std::string where = v.where() + " (" + v["why"].text() + ")";
    const Bytes file = v["file"].bytes();
    std::vector<Bytes> kept;
    const RecordScan scan = scan_records(file, kMaxRecordBodyBytes, [&](ByteView body) {
        kept.emplace_back(body.begin(), body.end());
    });
    check.equal(v["records"], scan.records);
    check.equal(v["good_bytes"], scan.good_bytes);
    const bool prefix =
        kept.size() <= bodies.size() && std::equal(kept.begin(), kept.end(), bodies.begin());
    check.holds(where, prefix, "the records kept are not the first ones of \"bodies\"");

    Writer again;
    Digest before;
    for (const Bytes& body : kept) {
        const Bytes record = encode_record(before, body);
        before = sha256(record);
        again.raw(record);
    }
    check.holds(where,
                scan.good_bytes <= file.size() &&
                    again.bytes() == Bytes(file.begin(),
                                           std::next(file.begin(),
                                                     static_cast<std::ptrdiff_t>(scan.good_bytes))),
                "the records kept do not encode to the bytes kept");

    const std::filesystem::path path = check.scratch_path(".records");
    check.need(where, write_file(path, file));
    const RecordLog log = check.need(where, RecordLog::open(path));
    check.equal(v["records"], log.recovery().records);
    check.equal(v["good_bytes"], log.size_bytes());
    check.equal(v["good_bytes"], std::filesystem::file_size(path));
}

void check_records(Checker& check, const Value& v) {
    std::vector<Bytes> bodies;
    for (const Value& body : v["bodies"].items()) bodies.push_back(body.bytes());
    for (const Value& file : v["files"].items()) {
        check.run_case(file, [&] { check_record_file(check, file, bodies); });
    }
}

// --- erasure -------------------------------------------------------------------------------------

using Shards = std::vector<Bytes>;

Shards make_shards(const Bytes& data, CodeShape shape, std::uint64_t length) {
    Shards shards(shape.shards(), Bytes(length));
    std::vector<ByteView> data_shards;
    std::vector<MutByteView> parity_shards;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        if (i >= shape.data) {
            parity_shards.emplace_back(shards[i]);
            continue;
        }
        const std::uint64_t first = std::min<std::uint64_t>(i * length, data.size());
        const std::uint64_t bytes = std::min<std::uint64_t>(length, data.size() - first);
        std::copy_n(std::next(data.begin(), static_cast<std::ptrdiff_t>(first)), bytes,
                    shards[i].begin());
        data_shards.emplace_back(shards[i]);
    }
    encode_parity(shape, data_shards, parity_shards);
    return shards;
}

void check_recovery(Checker& check, const Value& v, CodeShape shape, const Shards& shards) {
    std::vector<unsigned> have;
    std::vector<ByteView> have_bytes;
    for (const Value& index : v.items()) {
        if (index.u64() >= shards.size()) index.malformed("is no shard");
        have.push_back(index.u8());
        have_bytes.emplace_back(shards[index.u8()]);
    }
    std::vector<unsigned> wanted;
    Shards restored;
    for (unsigned i = 0; i < shards.size(); ++i) {
        if (std::find(have.begin(), have.end(), i) == have.end()) wanted.push_back(i);
    }
    restored.assign(wanted.size(), Bytes(shards.front().size()));
    const std::vector<MutByteView> out(restored.begin(), restored.end());
    check.need(v.where(), recover_shards(shape, have, have_bytes, wanted, out));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        check.holds(v.where(), restored[i] == shards[wanted[i]],
                    "shard " + std::to_string(wanted[i]) + " is not restored");
    }
}

/// The same through files: the shards and the manifest, and the file back from the shards named.
void check_shard_files(Checker& check, const Value& v, CodeShape shape, const Bytes& data,
                       const Shards& shards) {
    const std::filesystem::path source = check.scratch_path(".data");
    check.need(v.where(), write_file(source, data));
    std::vector<std::filesystem::path> paths;
    for (std::size_t i = 0; i < shards.size(); ++i) paths.push_back(check.scratch_path(".shard"));
    const Manifest manifest = check.need(v.where(), shard_file(source, shape, paths));
    check.equal(v["manifest"], manifest.encode());
    for (std::size_t i = 0; i < shards.size(); ++i) {
        const Bytes file = check.need(v.where(), read_file(paths[i], shards[i].size() + 1));
        check.equal(v["shards"][i], file);
    }
    std::vector<std::optional<std::filesystem::path>> given(shards.size());
    for (const std::uint64_t i : v["restore_from"].u64s()) given[i] = paths[i];
    const std::filesystem::path restored = check.scratch_path(".restored");
    const ShardSet set = check.need(v.where(), ShardSet::open(manifest, given));
    check.need(v.where(), recover_file(set, restored));
    const Bytes back = check.need(v.where(), read_file(restored, data.size() + 1));
    check.holds(v["restore_from"].where(), back == data, "the file is not restored");
}

void check_code(Checker& check, const Value& v) {
    const CodeShape shape{v["k"].u8(), v["m"].u8()};
    const Verdict shape_verdict = shape.validate();
    if (!shape_verdict.accepted()) v.malformed(to_string(shape_verdict));
    const Bytes data = v["data"].bytes();
    if (data.empty()) v["data"].malformed("should not be empty");

    const Bytes matrix = coding_matrix(shape);
    const std::vector<Value> rows = v["matrix"].items();
    check.holds(v["matrix"].where(), rows.size() * shape.data == matrix.size(),
                "should have k + m rows");
    for (std::size_t i = 0; i < rows.size() && (i + 1) * shape.data <= matrix.size(); ++i) {
        check.equal(rows[i], ByteView(matrix).subspan(i * shape.data, shape.data));
    }
    const Shards shards = make_shards(data, shape, shard_length(data.size(), shape));
    const std::vector<Value> expected = v["shards"].items();
    if (expected.size() != shards.size()) v["shards"].malformed("should be k + m shards");
    for (std::size_t i = 0; i < shards.size(); ++i) check.equal(expected[i], shards[i]);
    check_recovery(check, v["restore_from"], shape, shards);
    check_shard_files(check, v, shape, data, shards);

    const Bytes body = v["manifest"].bytes();
    const Manifest decoded = check.need(v["manifest"].where(), Manifest::decode(body));
    check.equal(v["manifest_id"], decoded.id());
    check.refusals_if_any(v, "refused", body,
                          [](ByteView bytes) { return verdict_of(Manifest::decode(bytes)); });
}

}  // namespace

void check_files(Checker& check, const Network& file_network, const Value& cases) {
    for (const Value& v : cases["replicas"].items()) {
        check.run_case(v,
                       [&] { check_replica_files(check, v, check.network_or(v, file_network)); });
    }
    for (const Value& v : cases["crc32c"].items()) {
        check.run_case(v, [&] { check.equal(v["crc"], std::uint64_t{crc32c(v["data"].bytes())}); });
    }
    const Value records = cases["records"];
    check.run_case(records, [&] { check_records(check, records); });
}

void check_erasure(Checker& check, const Network&, const Value& cases) {
    for (const Value& v : cases.items()) {
        check.run_case(v, [&] { check_code(check, v); });
    }
}

}  // namespace holdfast::conformance
