// Attack 29: signatures and keys on which libraries disagree: S beyond L, R or keys in another
// encoding, points of small order, parts that only a cofactor hides. Where two validators judge one
// of them differently, whoever made it splits them.
//
// Cost: nothing. Bound: one rule, one verdict for each case, the same at every place that verifies
// a signature; the vectors of signatures.json pin it. The naive scheme beside it is the lenient
// rule of RFC 8032's other reading: multiplied by the cofactor, S reduced, encodings reduced.
#include <gtest/gtest.h>

#include "support/ed25519_math.hpp"
#include "support/json.hpp"
#include "support/signed_objects.hpp"

namespace holdfast::test {
namespace {

using ed25519::Int;
using ed25519::Point;

Digest edge_secret() { return sha256(view("edges")); }
const KeyPair& edge_key() {
    static const KeyPair pair = KeyPair::from_secret(view(edge_secret()));
    return pair;
}

/// A point of order 8, made as one would: any point of the curve times L.
const Point& torsion() {
    static const Point t = [] {
        for (const auto& c : load_vectors("signatures.json")["cases"]["keys"]) {
            if (c["why"] == "1 T") return ed25519::decode(fixed<PublicKey>(c["public_key"]));
        }
        ADD_FAILURE() << "the vectors lack T";
        return Point{};
    }();
    return t;
}

PublicKey plus_torsion(const PublicKey& key) {
    return ed25519::encode(ed25519::add(ed25519::decode(key), torsion()));
}
PublicKey identity(bool canonical) {
    PublicKey out;
    if (canonical) {
        out[0] = 1;
    } else {  // y = p + 1
        out.bytes.fill(0xff);
        out[0] = 0xee;
        out[31] = 0x7f;
    }
    return out;
}
/// S for a given R, by the key's owner: r the discrete logarithm of R's large part.
Signature sign_with(const PublicKey& r_bytes, const Int& r, const PublicKey& key,
                    const Digest& message) {
    const Int k = ed25519::challenge(r_bytes, key, view(message));
    return ed25519::join(r_bytes,
                         (r + k * ed25519::secret_scalar(edge_secret())) % ed25519::order());
}

/// Naive: 8·S·B = 8·R + 8·k·A over whatever the bytes reduce to.
bool naive_accepts(const PublicKey& key, const Digest& message, const Signature& signature) {
    PublicKey r;
    std::copy_n(signature.begin(), 32, r.begin());
    const Int s = ed25519::from_le({signature.data() + 32, 32});
    const Int k = ed25519::challenge(r, key, view(message));
    const Point left = ed25519::times(s * 8, ed25519::base());
    const Point right = ed25519::add(ed25519::times(8, ed25519::decode(r)),
                                     ed25519::times(k * 8, ed25519::decode(key)));
    return ed25519::equal(left, right);
}

struct Edge {
    const char* why;  // as in signatures.json
    PublicKey key;
    SignWith sign;
    bool valid;
    bool naive;
};

std::vector<Edge> edges() {
    const PublicKey key = edge_key().public_key();
    const PublicKey mixed = plus_torsion(key);
    const auto honest = [](const Digest& d) { return edge_key().sign(view(d)).value(); };
    const auto mixed_with = [mixed](bool multiple) {
        return [mixed, multiple](const Digest& d) {
            for (Int r = 1;; ++r) {
                const PublicKey bytes = ed25519::encode(ed25519::times(r, ed25519::base()));
                const bool eighth = ed25519::challenge(bytes, mixed, view(d)) % 8 == 0;
                if (eighth == multiple) return sign_with(bytes, r, mixed, d);
            }
        };
    };
    return {
        {"honest", key, honest, true, true},
        {"another message", key,
         [honest](const Digest& d) {
             Digest other = d;
             other[0] ^= 1;
             return honest(other);
         },
         false, false},
        {"S + L", key,
         [honest](const Digest& d) {
             Signature s = honest(d);
             ed25519::to_le32(ed25519::from_le({s.data() + 32, 32}) + ed25519::order(), s, 32);
             return s;
         },
         false, true},
        {"all zero", key, [](const Digest&) { return Signature{}; }, false, false},
        {"R is the identity", key,
         [key](const Digest& d) { return sign_with(identity(true), 0, key, d); }, true, true},
        {"R is the identity, not canonical", key,
         [key](const Digest& d) { return sign_with(identity(false), 0, key, d); }, false, true},
        {"R + T: holds only times the cofactor", key,
         [key](const Digest& d) {
             const PublicKey r =
                 ed25519::encode(ed25519::add(ed25519::times(7, ed25519::base()), torsion()));
             return sign_with(r, 7, key, d);
         },
         false, true},
        {"key A + T, k a multiple of 8", mixed, mixed_with(true), true, true},
        {"key A + T, not k a multiple of 8", mixed, mixed_with(false), false, true},
    };
}

TEST(AttackEd25519Edges, HaveOneVerdictEverywhere) {
    const EvidenceWorld& w = evidence_world();
    std::size_t judged = 0;
    std::size_t split = 0;
    for (const Edge& edge : edges()) {
        bool naive = true;
        for (const SignedObject& object : all_signed_objects()) {
            const VerifierView here = VerifierView::at(w, edge.key);
            const SignWith watched = [&](const Digest& d) {
                const Signature s = edge.sign(d);
                naive = naive && naive_accepts(edge.key, d, s);
                return s;
            };
            const Verdict v = object.examine(w, edge.key, watched, here);
            const bool vdf = v.reason == Reason::kVdfSignature;  // its own name for the same
            EXPECT_EQ(vdf ? Reason::kBadSignature : v.reason,
                      edge.valid ? Reason::kOk : Reason::kBadSignature)
                << edge.why << ": " << object.name;
            ++judged;
        }
        EXPECT_EQ(naive, edge.naive) << edge.why;
        split += naive != edge.valid ? 1 : 0;
    }
    std::printf("%zu edges at %zu places: one verdict each; the lenient rule differs on %zu\n",
                edges().size(), all_signed_objects().size(), split);
    EXPECT_EQ(judged, edges().size() * all_signed_objects().size());
    EXPECT_EQ(split, 4U);
}

TEST(AttackEd25519Edges, TheVectorsNameTheSameCasesAndVerdicts) {
    std::map<std::string, bool> made;
    for (const Edge& edge : edges()) made[edge.why] = edge.valid;
    std::map<std::string, bool> told;
    for (const auto& c : load_vectors("signatures.json")["cases"]["edges"]) {
        told[c["why"]] = c["valid"];
    }
    EXPECT_EQ(made, told);
}

/// A signature that holds for a key of small order, whoever asks: k·A vanishes.
SignWith anybody(const PublicKey& key) {
    return [key](const Digest& d) {
        for (Int r = 1;; ++r) {
            const PublicKey bytes = ed25519::encode(ed25519::times(r, ed25519::base()));
            if (ed25519::challenge(bytes, key, view(d)) % 8 == 0) return ed25519::join(bytes, r);
        }
    };
}

TEST(AttackEd25519Edges, KeysThatManyCouldSignForAreNeverRegistered) {
    const EvidenceWorld& w = evidence_world();
    std::size_t small = 0;
    std::size_t odd = 0;
    for (const auto& c : load_vectors("signatures.json")["cases"]["keys"]) {
        const std::string why = c["why"];
        const auto key = fixed<PublicKey>(c["public_key"]);
        if (c["acceptable"].get<bool>() || why == "not on the curve") continue;
        const bool canonical = key_is_canonical(key);
        (canonical ? small : odd) += 1;
        for (const SignedObject& object : all_signed_objects()) {
            const Reason reason =
                object.examine(w, key, anybody(key), VerifierView::at(w, key)).reason;
            // Where no key is registered, the key on record has passed a registration: that one of
            // small order verifies there is without effect (spec appendix B5).
            const bool refused = !canonical || object.registers_key;
            EXPECT_EQ(reason, refused ? Reason::kBadKey : Reason::kOk) << why << object.name;
        }
        if (canonical) {  // naive: whoever takes such a key takes everybody's signatures
            const Digest d = sha256(view("anything"));
            EXPECT_TRUE(naive_accepts(key, d, anybody(key)(d)));
        }
    }
    EXPECT_EQ(small, 8U);
    EXPECT_GE(odd, 4U);
    // A key that is off the curve has no signature at all, whichever of the two is said.
    PublicKey nowhere;
    nowhere[0] = 2;
    const SignWith nothing = [](const Digest&) { return Signature{}; };
    for (const SignedObject& object : all_signed_objects()) {
        const Reason reason =
            object.examine(w, nowhere, nothing, VerifierView::at(w, nowhere)).reason;
        EXPECT_TRUE(reason == Reason::kBadKey || reason == Reason::kBadSignature) << object.name;
    }
}

}  // namespace
}  // namespace holdfast::test
