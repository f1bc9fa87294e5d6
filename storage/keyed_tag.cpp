#include "storage/keyed_tag.hpp"

#include <openssl/evp.h>

#include <memory>

#include "core/codec.hpp"
#include "core/keys.hpp"
#include "storage/randomness.hpp"

namespace holdfast {

Result<KeyedTagger> KeyedTagger::create() {
    KeyedTagger tagger;
    HOLDFAST_TRY(random_bytes(tagger.key_));
    return tagger;
}

Result<KeyedTag> KeyedTagger::tag(std::uint32_t series, std::uint64_t index, ByteView bytes) const {
    std::array<std::uint8_t, 12> nonce{};
    store_le32(nonce.data(), series);
    store_le64(nonce.data() + 4, index);
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    KeyedTag out{};
    int ignored = 0;
    HOLDFAST_CHECK(bytes.size() < (std::size_t{1} << 30));
    const bool done = context != nullptr &&
                      EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, key_.data(),
                                         nonce.data()) == 1 &&
                      EVP_EncryptUpdate(context.get(), nullptr, &ignored, bytes.data(),
                                        static_cast<int>(bytes.size())) == 1 &&
                      EVP_EncryptFinal_ex(context.get(), out.data(), &ignored) == 1 &&
                      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG,
                                          static_cast<int>(out.size()), out.data()) == 1;
    if (!done) return fail(ErrorCode::kOutOfMemory, "no memory for a tag");
    return out;
}

}  // namespace holdfast
