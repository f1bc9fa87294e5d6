#include "capi/signer.hpp"

#include "callbacks/signer.hpp"
#include "capi/host.hpp"
#include "storage/key_file.hpp"

namespace holdfast::capi {
namespace {

/// A host's key store. What it answers is verified by the key that key_of() makes of it.
class HostSigner final : public Signer, public Host<holdfast_signer_callbacks> {
  public:
    using Host::Host;
    [[nodiscard]] PublicKey public_key() const override { return key_; }
    [[nodiscard]] Result<Signature> sign(ByteView message) override {
        Signature out;
        std::size_t bytes = Signature::kSize;
        HOLDFAST_TRY(ask_host("sign", [&] {
            return c_.sign(c_.user_data, message.data(), message.size(), out.bytes.data(), &bytes);
        }));
        if (bytes == Signature::kSize) return out;
        return fail(ErrorCode::kUnavailable,
                    "the signer gave a signature of " + std::to_string(bytes) + " bytes");
    }
    [[nodiscard]] Status ask_key() {
        return ask_host("public_key",
                        [&] { return c_.public_key(c_.user_data, key_.bytes.data()); });
    }

  private:
    PublicKey key_;
};

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_signer_generate(holdfast_signer** out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(key, generate_key_pair());
        *out = new holdfast_signer(std::move(key), false);
        return {};
    });
}

holdfast_status holdfast_signer_from_secret(const uint8_t secret[32], holdfast_signer** out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        if (secret == nullptr) return missing("secret");
        *out = new holdfast_signer(KeyPair::from_secret({secret, HOLDFAST_KEY_BYTES}), false);
        return {};
    });
}

holdfast_status holdfast_signer_load(const char* path, holdfast_signer** out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(name, text_of(path, "path"));
        HOLDFAST_ASSIGN(key, load_key_pair(name));
        *out = new holdfast_signer(std::move(key), false);
        return {};
    });
}

holdfast_status holdfast_signer_from_callbacks(const holdfast_signer_callbacks* callbacks,
                                               holdfast_signer** out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(given, read_struct(callbacks, "callbacks"));
        if (given.public_key == nullptr || given.sign == nullptr) {
            return missing("a function of the signer");
        }
        const auto host = std::make_shared<HostSigner>(given);
        HOLDFAST_TRY(host->ask_key());
        HOLDFAST_ASSIGN(key, key_of(host));
        *out = new holdfast_signer(std::move(key), true);
        host->adopt();
        return {};
    });
}

void holdfast_signer_free(holdfast_signer* signer) { free_handle(signer); }

holdfast_status holdfast_signer_save(const holdfast_signer* signer, const char* path) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(signer, "signer"));
        HOLDFAST_ASSIGN(name, text_of(path, "path"));
        if (signer->of_host) {
            return failure(HOLDFAST_UNSUPPORTED, "a host's signer has no key to be saved here");
        }
        HOLDFAST_TRY(save_key_pair(*signer->key, name));
        return {};
    });
}

holdfast_status holdfast_signer_public_key(const holdfast_signer* signer, uint8_t out[32]) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(signer, "signer"));
        if (out == nullptr) return missing("out");
        put_fixed(out, signer->key->public_key());
        return {};
    });
}

holdfast_status holdfast_signer_sign(const holdfast_signer* signer, const uint8_t* message,
                                     size_t message_bytes, uint8_t out[64]) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(signer, "signer"));
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(bytes, view_of(message, message_bytes, "message"));
        HOLDFAST_ASSIGN(signature, signer->key->sign(bytes));
        put_fixed(out, signature);
        return {};
    });
}

holdfast_status holdfast_signature_verify(const uint8_t public_key[32], const uint8_t* message,
                                          size_t message_bytes, const uint8_t signature[64],
                                          holdfast_verdict* out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(key, fixed_of<PublicKey>(public_key, "public_key"));
        HOLDFAST_ASSIGN(signed_with, fixed_of<Signature>(signature, "signature"));
        HOLDFAST_ASSIGN(bytes, view_of(message, message_bytes, "message"));
        *out = to_c(verify_signature(key, bytes, signed_with));
        return {};
    });
}
