#include "core/hash.hpp"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "core/codec.hpp"

namespace holdfast {
namespace {

Bytes pattern(std::size_t bytes) {
    Bytes out(bytes);
    for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::uint8_t>(i * 31 + i / 251);
    return out;
}

std::string hex_of(const Digest& d) { return to_hex(view(d)); }

TEST(Hash, Fips1804Vectors) {
    EXPECT_EQ(hex_of(sha256({})),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex_of(sha256(view("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex_of(sha256(view("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(hex_of(sha256(Bytes(1'000'000, 'a'))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hash, EqualsOpensslAtEveryLength) {
    const Bytes data = pattern(300);
    for (std::size_t n = 0; n <= data.size(); ++n) {
        Digest expected;
        SHA256(data.data(), n, expected.data());
        EXPECT_EQ(sha256(ByteView(data).first(n)), expected) << n;
    }
}

TEST(Hash, StreamsInAnyPieces) {
    const Bytes data = pattern(200);
    const Digest expected = sha256(data);
    for (std::size_t cut = 0; cut <= data.size(); ++cut) {
        Sha256 h;
        h.update(ByteView(data).first(cut));
        Sha256 copy = h;  // goes on from the same state
        EXPECT_EQ(h.update(ByteView(data).subspan(cut)).finish(), expected);
        EXPECT_EQ(copy.update(ByteView(data).subspan(cut)).finish(), expected);
    }
}

TEST(Hash, TaggedIsItsDefinition) {
    const Digest d = sha256(view("some digest"));
    Bytes message;
    message.push_back(16);
    for (const char c : std::string_view("holdfast/1/chain")) message.push_back(std::uint8_t(c));
    message.insert(message.end(), d.begin(), d.end());
    for (const int byte : {0x7f,                                            // u8
                           0x04, 0x03, 0x02, 0x01,                          // u32
                           0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,  // u64
                           0x02, 0,    0,    0,    0,    0,    0,    0,     // Height
                           0x78, 0x79}) {                                   // "xy"
        message.push_back(static_cast<std::uint8_t>(byte));
    }
    EXPECT_EQ(tagged_hash("chain", d, std::uint8_t{0x7f}, std::uint32_t{0x01020304},
                          std::uint64_t{0x0102030405060708}, Height(2), view("xy")),
              sha256(message));
    // As another implementation of SHA-256 has it.
    EXPECT_EQ(hex_of(tagged_hash("global/genesis")),
              "e684145af6d7d8326b7bb099e599614bfeb5a5987a5c7cc24406756c126b616d");
}

TEST(Hash, TagsSeparate) {
    EXPECT_NE(tagged_hash("a", view("bc")), tagged_hash("ab", view("c")));
    EXPECT_NE(tagged_hash("a"), tagged_hash("b"));
    EXPECT_NE(tagged_hash("a", std::uint32_t{1}), tagged_hash("a", std::uint64_t{1}));
}

TEST(Hash, LongestTag) {
    const std::string longest(kMaxTagBytes - kTagPrefix.size(), 't');
    Bytes message{63};
    for (const char c : std::string(kTagPrefix) + longest) message.push_back(std::uint8_t(c));
    EXPECT_EQ(tagged_hash(longest), sha256(message));
    EXPECT_DEATH((void)tagged_hash(longest + "t"), "kMaxTagBytes");
}

TEST(Hash, LeafAndNodePrefixes) {
    const Bytes data = pattern(70);
    Bytes leaf{0};
    leaf.insert(leaf.end(), data.begin(), data.end());
    EXPECT_EQ(leaf_hash(data), sha256(leaf));
    const Digest a = sha256(view("a"));
    const Digest b = sha256(view("b"));
    Bytes node{1};
    node.insert(node.end(), a.begin(), a.end());
    node.insert(node.end(), b.begin(), b.end());
    EXPECT_EQ(node_hash(a, b), sha256(node));
    EXPECT_NE(node_hash(a, b), node_hash(b, a));
}

TEST(Hash, HitsAtTheEdges) {
    const auto digest = [](std::uint64_t word) {
        Digest d;
        d.bytes.fill(0xff);  // the other bytes do not matter
        store_le64(d.data(), word);
        return d;
    };
    EXPECT_FALSE(hits(digest(0), 0, 1));
    EXPECT_TRUE(hits(digest(UINT64_MAX), 1, 1));
    EXPECT_TRUE(hits(digest(0), 1, UINT64_MAX));
    EXPECT_FALSE(hits(digest(UINT64_MAX), UINT64_MAX - 1, UINT64_MAX));
    // 2^64 / 2 and 2^64 / 10 exactly.
    EXPECT_TRUE(hits(digest((std::uint64_t{1} << 63) - 1), 1, 2));
    EXPECT_FALSE(hits(digest(std::uint64_t{1} << 63), 1, 2));
    EXPECT_TRUE(hits(digest(1844674407370955161), 1, 10));
    EXPECT_FALSE(hits(digest(1844674407370955162), 1, 10));
}

}  // namespace
}  // namespace holdfast
