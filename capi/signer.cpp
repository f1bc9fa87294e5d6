#include "capi/signer.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "callbacks/guard.hpp"
#include "callbacks/signer.hpp"
#include "capi/host.hpp"
#include "storage/key_file.hpp"

namespace holdfast::capi {
namespace {

/// A host's key store, within the time that a guard leaves it. What it answers is verified by the
/// key that key_of() makes of it. A call that is given up writes to nothing that anybody else has.
class HostSigner final : public Signer,
                         public Host<holdfast_signer_callbacks>,
                         public std::enable_shared_from_this<HostSigner> {
  public:
    HostSigner(const holdfast_signer_callbacks& callbacks, std::shared_ptr<Interceptor> guard)
        : Host(callbacks), guard_(std::move(guard)) {}
    [[nodiscard]] PublicKey public_key() const override { return key_; }
    [[nodiscard]] Result<Signature> sign(ByteView message) override {
        const auto ask = [self = shared_from_this(), copy = Bytes(message.begin(), message.end())] {
            return self->ask_signature(copy);
        };
        HOLDFAST_ASSIGN(answer, guard_->around({HostFunction::kSign, {}}, ask));
        Signature out;
        std::copy(answer.begin(), answer.end(), out.bytes.begin());
        return out;
    }
    [[nodiscard]] Status ask_key() {
        const auto ask = [self = shared_from_this()]() -> Result<Bytes> {
            Bytes key(PublicKey::kSize);
            HOLDFAST_TRY(ask_host(
                "public_key", [&] { return self->c_.public_key(self->c_.user_data, key.data()); }));
            return key;
        };
        HOLDFAST_ASSIGN(key, guard_->around({HostFunction::kSignerKey, {}}, ask));
        std::copy(key.begin(), key.end(), key_.bytes.begin());
        return {};
    }

  private:
    [[nodiscard]] Result<Bytes> ask_signature(ByteView message) const {
        Bytes out(Signature::kSize);
        std::size_t bytes = out.size();
        HOLDFAST_TRY(ask_host("sign", [&] {
            return c_.sign(c_.user_data, message.data(), message.size(), out.data(), &bytes);
        }));
        if (bytes == out.size()) return out;
        return fail(ErrorCode::kUnavailable,
                    "the signer gave a signature of " + std::to_string(bytes) + " bytes");
    }

    const std::shared_ptr<Interceptor> guard_;
    PublicKey key_;
};

/// What was given up holds the host until it returns; then user_data is the caller's again.
void wait_for_calls(const std::shared_ptr<HostSigner>& host) {
    constexpr std::chrono::milliseconds kPause{5};
    while (host.use_count() > 1) std::this_thread::sleep_for(kPause);
}

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
        GuardOptions options;
        if (given.timeout_ms != 0) options.timeout_ms = given.timeout_ms;
        if (given.max_calls != 0) options.max_calls = given.max_calls;
        HOLDFAST_ASSIGN(guard, make_guard(options));
        const auto host = std::make_shared<HostSigner>(given, std::move(guard));
        const Status asked = host->ask_key();
        Result<KeyPair> key = asked ? key_of(host) : fail(asked.error());
        if (!key) {
            wait_for_calls(host);
            return fail(key.error());
        }
        *out = new holdfast_signer(std::move(*key), true);
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
