#include "callbacks/signer.hpp"

#include <exception>
#include <string>

#include "core/hash.hpp"

namespace holdfast {
namespace {

/// Whatever a signer does, an answer.
template <class Ask>
auto asked(const Ask& ask) -> decltype(ask()) {
    try {
        return ask();
    } catch (const std::exception& e) {
        return fail(ErrorCode::kUnavailable, "the signer threw: " + std::string(e.what()));
    } catch (...) {
        return fail(ErrorCode::kUnavailable, "the signer threw");
    }
}

}  // namespace

Result<KeyPair> key_of(const std::shared_ptr<Signer>& signer) {
    if (!signer) return fail(ErrorCode::kInvalidArgument, "there is no signer");
    HOLDFAST_ASSIGN(public_key, asked([&]() -> Result<PublicKey> { return signer->public_key(); }));
    if (!check_registrable_key(public_key)) {
        return fail(ErrorCode::kInvalidArgument,
                    "the signer's key " + to_hex(public_key) + " may not be registered");
    }
    KeyPair key = KeyPair::external(public_key, [signer](ByteView message) {
        return asked([&] { return signer->sign(message); });
    });
    const Digest question = tagged_hash("signer/probe", public_key);
    HOLDFAST_ASSIGN(first, key.sign(view(question)));
    HOLDFAST_ASSIGN(second, key.sign(view(question)));
    if (first != second) {
        return fail(ErrorCode::kUnavailable,
                    "the signer signs one message in two ways; only deterministic signatures (RFC "
                    "8032) can be used");
    }
    return key;
}

}  // namespace holdfast
