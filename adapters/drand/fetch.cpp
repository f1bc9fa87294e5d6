#include "adapters/drand/fetch.hpp"

#include <curl/curl.h>

#include <memory>

namespace holdfast {
namespace {

struct Received {
    std::string body;
    std::size_t max_bytes = 0;
};

/// libcurl's callback: taking fewer bytes than there are ends the transfer.
std::size_t keep(char* data, std::size_t, std::size_t size, void* to) {
    auto& received = *static_cast<Received*>(to);
    if (size > received.max_bytes - received.body.size()) return 0;
    received.body.append(data, size);
    return size;
}

bool curl_is_ready() {
    static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    return ready;
}

}  // namespace

Result<std::string> fetch(const std::string& url, const FetchLimits& limits) {
    if (!curl_is_ready()) return fail(ErrorCode::kUnavailable, "libcurl does not start");
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
    if (!curl) return fail(ErrorCode::kOutOfMemory, "no memory for a request");
    Received received{{}, limits.max_bytes};
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(limits.timeout_ms));
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &received);
    const CURLcode code = curl_easy_perform(curl.get());
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return fail(ErrorCode::kTimeout,
                    "no answer within " + std::to_string(limits.timeout_ms) + " ms");
    }
    if (code == CURLE_WRITE_ERROR) {
        return fail(ErrorCode::kUnavailable,
                    "the answer has more than " + std::to_string(limits.max_bytes) + " bytes");
    }
    if (code != CURLE_OK) return fail(ErrorCode::kUnavailable, curl_easy_strerror(code));
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) return std::move(received.body);
    return fail(status == 404 || status == 425 ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                "HTTP status " + std::to_string(status));
}

}  // namespace holdfast
