// What the C ABI costs: a compact and a full proof judged through it and by the C++ verifier, in
// turns.

#include <holdfast/holdfast.h>

#include <fstream>

#include "api/link_prover.hpp"
#include "api/prover.hpp"
#include "api/verifier.hpp"
#include "bench/result.hpp"
#include "bench/scratch.hpp"
#include "chunking/seal.hpp"
#include "core/hash.hpp"
#include "hierarchy/tree.hpp"

namespace holdfast::bench {
namespace {

constexpr unsigned kVerifications = 4;  // per sample: many short ones, of which the least counts
constexpr Height kLinked{10};

/// One chain, one link, and everything public about both.
class Case {
  public:
    Case() : key_(KeyPair::from_secret(Bytes(32, 1))) {
        params_.seal_presets = {kSealDev};
        id_ = params_.id();
        std::ofstream(folder_ / "data", std::ios::binary) << std::string(std::size_t{1} << 20, 'x');
        SealRequest request{params_,          key_.public_key(),     kSealDev,          0, {},
                            folder_ / "data", folder_ / "r.replica", folder_ / "r.tree"};
        const SealedReplica sealed = expect(seal(request));
        const Replica replica =
            expect(Replica::open(request.replica_path, request.tree_path, params_));
        RegistrationTerms terms{Height(0), hash_of(Height(0)), Retention::kDefault, {}, false};
        registration_ = expect(make_registration(params_, sealed.header, terms, key_));
        const ChainId chain = registration_.chain_id(id_);
        VdfOutput draw = y_of(compact_draw_height(params_, kLinked));
        for (std::uint64_t i = 0; full_required(id_, draw, chain); ++i) {
            draw = VdfOutput(tagged_hash("bench/draw", i));
        }
        LinkRecords records = expect(LinkRecords::open(folder_ / "r.chain"));
        const LinkFacts facts{chain,        kLinked,     hash_of(kLinked), y_of(kLinked),
                              global_of(7), Link(chain), Reveal{}};
        const SignedLink link = expect(make_link(id_, replica, facts, key_, records));
        HierarchyTree tree(HierarchyShape::of(params_));
        for (std::uint64_t s = 0; s < 2'000; ++s) {
            tree.set(s, {ChainId(tagged_hash("bench/chain", s)), Link(tagged_hash("bench/link", s)),
                         Height(9)});
        }
        tree.set(1'234, {chain, link.receipt.link, kLinked});
        tree.rehash();
        const GlobalDigest global =
            tree.global(id_, {kLinked, hash_of(kLinked), y_of(kLinked), global_of(9), 0, 0});
        const Compact proof = expect(to_compact(id_, replica, link, *tree.path(1'234), draw));
        compact = wrap_object(Kind::kCompact, proof.encode());
        full = wrap_object(Kind::kFull, to_full(link).encode());
        record = record_with(global, draw);
        expect(record->save(folder_ / "public"));
    }
    [[nodiscard]] std::string public_folder() const { return (folder_ / "public").string(); }

    Bytes compact;
    Bytes full;
    std::optional<PublicRecord> record;

  private:
    static BlockHash hash_of(Height h) { return BlockHash(tagged_hash("bench/block", h)); }
    static VdfOutput y_of(Height h) { return VdfOutput(tagged_hash("bench/y", h)); }
    static GlobalDigest global_of(std::uint64_t h) {
        return GlobalDigest(tagged_hash("bench/global", h));
    }
    PublicRecord record_with(const GlobalDigest& global, const VdfOutput& draw) const {
        PublicRecord out(params_);
        const Height drawn = compact_draw_height(params_, kLinked);
        for (Height h(0); h <= drawn; ++h) {
            PublicHeight facts;
            facts.block = {h, hash_of(h), hash_of(h - 1), h.value, true};
            facts.y = h == drawn ? draw : y_of(h);
            facts.global = h == kLinked ? global : global_of(h.value);
            out.set_height(std::move(facts));
        }
        expect(out.add_chain({registration_, Height(1), {}, {}}));
        return out;
    }

    Folder folder_;
    NetworkParams params_;
    NetworkId id_;
    KeyPair key_;
    Registration registration_;
};

void verify(const Options& options) {
    const Case c;
    const Verifier ours(*c.record);
    holdfast_verifier* theirs = nullptr;
    require(holdfast_verifier_load(c.public_folder().c_str(), &theirs) == HOLDFAST_OK,
            "the C ABI loads the public data");
    const auto in_c = [&](const Bytes& proof) {
        holdfast_verify_report report{};
        report.struct_size = sizeof report;
        const holdfast_status status =
            holdfast_verifier_verify(theirs, proof.data(), proof.size(), nullptr, nullptr, &report);
        require(status == HOLDFAST_OK && report.verdict.reason == HOLDFAST_REASON_OK,
                "the C ABI accepts the proof");
    };
    const auto in_cpp = [&](const Bytes& proof) {
        require(expect(ours.verify(proof)).verdict.accepted(),
                "the C++ verifier accepts the proof");
    };
    for (const auto& [id, what, proof] :
         {std::tuple{"C1/compact", "verify a compact proof through the C ABI", &c.compact},
          std::tuple{"C1/full", "verify a full proof through the C ABI", &c.full}}) {
        const auto many = [&, object = proof](const auto& judge) {
            return [&judge, object] {
                for (unsigned i = 0; i < kVerifications; ++i) judge(*object);
            };
        };
        const auto times = interleave(options.rounds(801, 4'001), {many(in_c), many(in_cpp)});
        const auto us = [](const Samples& s) { return s.least() / kVerifications * 1e6; };
        report({.id = id,
                .what = what,
                .value = us(times[0]),
                .unit = "us",
                .peer = "the C++ verifier on the same proof (the least of both)",
                .peer_value = us(times[1]),
                .target = Target::ratio_at_least(0.98),
                .kernel = std::string(best_sha256_kernel().name),
                .samples = times[0].size()});
    }
    holdfast_verifier_free(theirs);
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
    return holdfast::bench::run(argc, argv, {{"C1", holdfast::bench::verify}});
}
