// network, merkle, signatures and fill.
#include "conformance/vector_file.hpp"
#include "core/codec.hpp"
#include "core/fill.hpp"
#include "core/keys.hpp"
#include "core/merkle.hpp"

namespace holdfast::conformance {
namespace {

/// Siblings as they stand joined in an encoding.
Checked<std::vector<Digest>> split_siblings(ByteView joined) {
    if (joined.size() % kDigestBytes != 0) return refuse(Reason::kProofLength);
    Reader r(joined);
    std::vector<Digest> out(joined.size() / kDigestBytes);
    for (Digest& d : out) d = r.fixed<Digest>();
    return out;
}

Verdict leads_to(const Digest& root, const Checked<Digest>& reached) {
    if (!reached) return reached.error();
    return *reached == root ? Reason::kOk : Reason::kBadMultiproof;
}

void check_multiproof(Checker& check, const Value& v, const MerkleTree& tree,
                      const std::vector<Digest>& leaves) {
    const std::vector<std::uint64_t> opened = v["opened"].u64s();
    for (std::size_t i = 0; i < opened.size(); ++i) {
        if (opened[i] >= leaves.size() || (i > 0 && opened[i - 1] >= opened[i])) {
            v["opened"].malformed("should ascend and stay below the number of leaves");
        }
    }
    if (opened.empty()) v["opened"].malformed("should not be empty");
    const std::vector<Digest> siblings = tree.multiproof(opened);
    check.equal(v["siblings"], siblings);
    check.holds(v.where(), multiproof_length(leaves.size(), opened) == siblings.size(),
                "multiproof_length() differs from the multiproof's length");
    std::vector<Digest> opened_leaves;
    for (const std::uint64_t i : opened) opened_leaves.push_back(leaves[i]);
    Writer joined;
    joined.digests(v["siblings"].digests());
    check.refusals_if_any(v, "refused", joined.bytes(), [&](ByteView bytes) -> Verdict {
        const auto split = split_siblings(bytes);
        if (!split) return split.error();
        return leads_to(tree.root(),
                        root_from_multiproof(leaves.size(), opened, opened_leaves, *split));
    });
}

void check_tree(Checker& check, const Value& v) {
    std::vector<Digest> leaves;
    for (const Value& leaf : v["leaves"].items()) leaves.push_back(leaf_hash(leaf.bytes()));
    const MerkleTree tree(leaves);
    check.equal(v["root"], tree.root());
    check.equal(v["root"], merkle_root(leaves));
    const std::vector<Value> paths = v["paths"].items();
    check.holds(v["paths"].where(), paths.size() == leaves.size(), "should have a path per leaf");
    for (std::size_t i = 0; i < paths.size() && i < leaves.size(); ++i) {
        check.equal(paths[i], tree.path(i));
        check.accepted(
            paths[i].where(),
            leads_to(tree.root(), root_from_path(leaves.size(), i, leaves[i], paths[i].digests())));
    }
    for (const Value& proof : v["multiproofs"].items()) {
        check_multiproof(check, proof, tree, leaves);
    }
}

void check_signed(Checker& check, const Value& v) {
    const KeyPair key = KeyPair::from_secret(view(v["secret_key"].digest()));
    const Bytes message = v["message"].bytes();
    check.equal(v["public_key"], key.public_key());
    check.equal(v["signature"], key.sign(message).value());
    check.accepted(v.where(),
                   verify_signature(key.public_key(), message, v["signature"].fixed<Signature>()));
}

void check_one_fill(Checker& check, const Value& v, const FillKernel& kernel) {
    const Bytes password = v["password"].bytes();
    const Bytes salt = v["salt"].bytes();
    const Bytes ad = v["ad"].bytes();
    const FillSpec spec{v["p"].u32(), v["t"].u32(), v["blocks"].u64(), password, salt, ad};
    // At most what the protocol can ask for: the largest arena, or the largest window.
    if (spec.blocks > std::uint64_t{kMaxArenaKib}) v["blocks"].malformed("is over 2^22");
    const FillMemory memory =
        check.need(v.where(), FillMemory::allocate(spec.blocks * kBlockBytes));
    const MutByteView bytes{memory.data(), static_cast<std::size_t>(memory.size())};
    FillOptions options;
    options.kernel = &kernel;
    options.stop = check.stop();
    check.need(v.where() + " (kernel " + std::string(kernel.name) + ")",
               fill(spec, bytes, options));
    check.equal(v["matrix_sha256"], sha256(bytes));
    check.equal(v["matrix_first_64"], ByteView(bytes).first(64));
    check.equal(v["matrix_last_64"], ByteView(bytes).last(64));
    check.equal(v["tag"], argon2d_tag(spec, bytes));
}

}  // namespace

void check_network(Checker& check, const Network&, const Value& cases) {
    for (const Value& v : cases.items()) {
        check.run_case(v, [&] {
            check.network(v);
            check.refusals_if_any(v, "refused", v["network"].bytes(), [](ByteView bytes) {
                return verdict_of(NetworkParams::decode(bytes));
            });
        });
    }
}

void check_merkle(Checker& check, const Network&, const Value& cases) {
    for (const Value& v : cases.items()) {
        check.run_case(v, [&] { check_tree(check, v); });
    }
}

void check_signatures(Checker& check, const Network&, const Value& cases) {
    for (const Value& v : cases["signed"].items()) {
        check.run_case(v, [&] { check_signed(check, v); });
    }
    for (const Value& v : cases["edges"].items()) {
        check.run_case(v, [&] {
            const Verdict verdict =
                verify_signature(v["public_key"].fixed<PublicKey>(), v["message"].bytes(),
                                 v["signature"].fixed<Signature>());
            static_cast<void>(v["why"].text());
            check.flag(v["valid"], verdict.accepted());
        });
    }
    for (const Value& v : cases["keys"].items()) {
        check.run_case(v, [&] {
            const Verdict verdict = check_registrable_key(v["public_key"].fixed<PublicKey>());
            static_cast<void>(v["why"].text());
            check.flag(v["acceptable"], verdict.accepted());
        });
    }
}

void check_fill(Checker& check, const Network&, const Value& cases) {
    for (const Value& v : cases.items()) {
        check.run_case(v, [&] {
            for (const FillKernel& kernel : fill_kernels()) {
                if (kernel.usable()) check_one_fill(check, v, kernel);
            }
        });
    }
}

}  // namespace holdfast::conformance
