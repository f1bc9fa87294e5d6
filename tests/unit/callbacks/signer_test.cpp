// Keys whose secret is elsewhere: signers that sign, and those that lie, throw, stumble and wobble.

#include "callbacks/signer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <stdexcept>

#include "core/hash.hpp"
#include "proofs/bundle.hpp"
#include "proofs/reveal.hpp"
#include "storage/key_file.hpp"
#include "support/ed25519_math.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

KeyPair local_key() { return KeyPair::from_secret(view(tagged_hash("test/signer"))); }

/// A key store whose answers the test sets.
class ScriptedSigner final : public Signer {
  public:
    PublicKey key = local_key().public_key();
    std::function<Result<Signature>(ByteView, unsigned time)> answer =
        [](ByteView message, unsigned) { return local_key().sign(message); };
    std::atomic<unsigned> asked = 0;

    PublicKey public_key() const override { return key; }
    Result<Signature> sign(ByteView message) override { return answer(message, asked++); }
};

TEST(Signer, SignsTheSameBytesAsTheSecretItself) {
    const KeyPair key = key_of(std::make_shared<ScriptedSigner>()).value();
    const NetworkId network(tagged_hash("test/network"));
    const BlockHash block(tagged_hash("test/block"));
    const std::vector<BundleEntry> members{{ChainId(tagged_hash("a")), Link(tagged_hash("b"))}};
    const Bundle local =
        make_bundle(network, block, Height(7), GlobalDigest(), members, local_key()).value();
    EXPECT_EQ(make_bundle(network, block, Height(7), GlobalDigest(), members, key).value(), local);
    const Digest owner = tagged_hash("test/owner");
    EXPECT_EQ(reveal_end(network, view(owner), Height(5), key).value(),
              reveal_end(network, view(owner), Height(5), local_key()).value());
}

TEST(Signer, OfAnotherKeyIsNotUsed) {
    const auto signer = std::make_shared<ScriptedSigner>();
    signer->key = KeyPair::from_secret(view(tagged_hash("test/other"))).public_key();
    EXPECT_EQ(key_of(signer).error().code, ErrorCode::kUnavailable);
    signer->key = PublicKey();  // of small order
    EXPECT_EQ(key_of(signer).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(key_of(nullptr).error().code, ErrorCode::kInvalidArgument);
}

TEST(Signer, ThatSignsInTwoWaysIsNotUsed) {
    const auto signer = std::make_shared<ScriptedSigner>();
    // Every answer holds; the nonce is another each time.
    signer->answer = [](ByteView message, unsigned time) -> Result<Signature> {
        const Digest secret = tagged_hash("test/signer");
        return test::ed25519::sign(secret, local_key().public_key(), test::ed25519::Int(time + 1),
                                   message);
    };
    const auto key = key_of(signer);
    ASSERT_FALSE(key);
    EXPECT_NE(key.error().message.find("two ways"), std::string::npos) << key.error().message;
    EXPECT_EQ(signer->asked, 2u);
}

TEST(Signer, ThatIsLockedGivesItsOwnError) {
    const auto signer = std::make_shared<ScriptedSigner>();
    signer->answer = [](ByteView, unsigned) -> Result<Signature> {
        return fail(ErrorCode::kBusy, "one session at a time");
    };
    EXPECT_EQ(key_of(signer).error().code, ErrorCode::kBusy);
}

TEST(Signer, WhatItThrowsOrForgesLaterIsAnErrorAndNoSignature) {
    const auto signer = std::make_shared<ScriptedSigner>();
    const KeyPair key = key_of(signer).value();
    const Digest message = tagged_hash("test/message");
    signer->answer = [](ByteView, unsigned) -> Result<Signature> {
        throw std::runtime_error("the module is gone");
    };
    const auto thrown = key.sign(view(message));
    ASSERT_FALSE(thrown);
    EXPECT_EQ(thrown.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(thrown.error().message.find("the module is gone"), std::string::npos);
    signer->answer = [](ByteView, unsigned) -> Result<Signature> { throw 1; };
    EXPECT_EQ(key.sign(view(message)).error().code, ErrorCode::kUnavailable);
    signer->answer = [](ByteView, unsigned) -> Result<Signature> { return Signature(); };
    EXPECT_EQ(key.sign(view(message)).error().code, ErrorCode::kUnavailable);
    signer->answer = [](ByteView, unsigned) -> Result<Signature> {
        return fail(ErrorCode::kTimeout, "no answer");
    };
    EXPECT_EQ(key.sign(view(message)).error().code, ErrorCode::kTimeout);
    EXPECT_FALSE(RevealChain::make(NetworkId(), Digest(), Height(1), key));
}

TEST(Signer, ItsSecretCannotBeSaved) {
    const test::TempFolder folder;
    const KeyPair key = key_of(std::make_shared<ScriptedSigner>()).value();
    EXPECT_EQ(key.openssl_key(), nullptr);
    const Status saved = save_key_pair(key, folder.path() / "key");
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace holdfast
