// The HTTP server: who is let in, what is refused, and that nobody who connects can make it wait.
#include "node/http_server.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <stdexcept>

#include "node/api.hpp"
#include "node/events.hpp"
#include "node/http_admission.hpp"
#include "node/monitor.hpp"
#include "support/tcp_world.hpp"
#include "support/temp_folder.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::node;
using holdfast::test::RawSocket;
using holdfast::test::soon;
using json::Json;

const std::string kToken = "planted-token-0123456789abcdef";

void write_text(const std::filesystem::path& file, const std::string& text, mode_t mode = 0600) {
    std::ofstream(file) << text;
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
}

std::string read_all(const RawSocket& socket) {
    std::string out;
    std::array<char, 4'096> part{};
    while (true) {
        const ssize_t got = ::recv(socket.descriptor(), part.data(), part.size(), 0);
        if (got <= 0) return out;
        out.append(part.data(), static_cast<std::size_t>(got));
    }
}

std::string ask(const HttpServer& server, const std::string& head, const std::string& body = {}) {
    RawSocket socket(server.address());
    EXPECT_TRUE(socket.write(view(head + "Connection: close\r\n\r\n" + body)));
    return read_all(socket);
}
std::string get(const HttpServer& server, const std::string& path, const std::string& more = {}) {
    return ask(server, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more);
}
std::string post(const HttpServer& server, const std::string& path, const std::string& body,
                 const std::string& more) {
    return ask(server,
               "POST " + path +
                   " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
                   "Content-Length: " + std::to_string(body.size()) + "\r\n" + more,
               body);
}
unsigned status_of(const std::string& response) {
    return response.size() < 12 ? 0 : static_cast<unsigned>(std::stoul(response.substr(9, 3)));
}
std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

HttpResponse echo_request(const HttpRequest& request) {
    Json out = {{"method", request.method},         {"path", request.path},
                {"query", request.query},           {"body", request.body},
                {"authorized", request.authorized}, {"headers", Json::object()}};
    for (const auto& [name, value] : request.headers) out["headers"][name] = value;
    return {200, "application/json", json::dump(out), {}, nullptr};
}

std::unique_ptr<HttpServer> serve(HttpOptions options, HttpServer::Handler handler = echo_request) {
    if (options.address.empty()) options.address = "127.0.0.1:0";
    auto server = HttpServer::start(options, std::move(handler));
    if (!server) throw std::runtime_error(server.error().message);
    return std::move(*server);
}

class HttpServerTest : public ::testing::Test {
  protected:
    test::TempFolder folder_;
    std::filesystem::path token() {
        write_text(folder_ / "token", kToken + "\n");
        return folder_ / "token";
    }
};

TEST_F(HttpServerTest, PathsWithDotsAreRefusedHoweverTheyAreWritten) {
    const auto server = serve({});
    for (const char* const path : {"/../etc/passwd", "/a/../b", "/.", "/a/..", "/%2e%2e/etc/passwd",
                                   "/a/%2E./b", "/./status", "/a/.%2e"}) {
        EXPECT_EQ(status_of(get(*server, path)), 404) << path;
    }
    for (const char* const path :
         {"/a%2fb", "/a%00b", "/a\\b", "/a%5cb", "/%zz", "/a%2", "/%0d%0a"}) {
        EXPECT_EQ(status_of(get(*server, path)), 400) << path;
    }
    EXPECT_EQ(status_of(get(*server, "/..a/b..c/...")), 200);
}

TEST_F(HttpServerTest, AConnectionCarriesManyRequests) {
    const auto server = serve({});
    RawSocket socket(server->address());
    std::string all;
    for (int i = 0; i < 3; ++i) {
        all += "GET /" + std::to_string(i) + "?q=1 HTTP/1.1\r\nHost: localhost\r\n" +
               (i == 2 ? "Connection: close\r\n" : "") + "\r\n";
    }
    ASSERT_TRUE(socket.write(view(all)));
    const std::string answers = read_all(socket);
    for (const char* const path : {"\"/0\"", "\"/1\"", "\"/2\""}) {
        EXPECT_NE(answers.find(path), std::string::npos) << answers;
    }
}

TEST_F(HttpServerTest, WrongTokensAreRefusedAndTheRightOneIsKeptFromHandlers) {
    HttpOptions options;
    options.token = token();
    const auto server = serve(options);
    // planted:TOKEN in base64, made here.
    const std::string pair = "user:" + kToken;
    std::string encoded(4 * ((pair.size() + 2) / 3) + 1, '\0');
    const int bytes = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                      reinterpret_cast<const unsigned char*>(pair.data()),
                                      static_cast<int>(pair.size()));
    encoded.resize(static_cast<std::size_t>(bytes));
    for (const std::string& good : {bearer(kToken), "authorization: Basic " + encoded + "\r\n"}) {
        const std::string answer = get(*server, "/x", good);
        EXPECT_EQ(status_of(answer), 200) << answer;
        EXPECT_NE(answer.find("\"authorized\":true"), std::string::npos) << answer;
        EXPECT_EQ(answer.find(kToken), std::string::npos);
        EXPECT_EQ(answer.find(encoded), std::string::npos);
    }
    for (const std::string& wrong :
         {bearer("x"), bearer(kToken + "x"), bearer(kToken.substr(1)), bearer(""),
          std::string("Authorization: Basic !!!!\r\n"), std::string("Authorization: Basic =\r\n"),
          std::string("Authorization: Digest " + kToken + "\r\n"),
          std::string("Authorization: " + kToken + "\r\n")}) {
        const std::string answer = get(*server, "/x", wrong);
        EXPECT_EQ(status_of(answer), 401) << wrong << answer;
        EXPECT_EQ(answer.find(kToken), std::string::npos);
    }
    EXPECT_NE(get(*server, "/x").find("\"authorized\":false"), std::string::npos);
}

TEST_F(HttpServerTest, ATokenFileThatOthersReadIsRefusedAndAMissingOneIsMade) {
    HttpOptions options;
    options.address = "127.0.0.1:0";
    options.token = folder_ / "made";
    ASSERT_TRUE(HttpServer::start(options, echo_request));
    struct stat found{};
    ASSERT_EQ(::stat(options.token.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600U);
    ASSERT_TRUE(HttpServer::start(options, echo_request)) << "what was made is read again";
    ASSERT_EQ(::chmod(options.token.c_str(), 0640), 0);
    const auto open = HttpServer::start(options, echo_request);
    ASSERT_FALSE(open);
    EXPECT_EQ(open.error().code, ErrorCode::kPermission);
    for (const std::string& bad : {std::string("short"), std::string(600, 'a'),
                                   std::string("two words in a token"), std::string()}) {
        write_text(folder_ / "bad", bad);
        options.token = folder_ / "bad";
        const auto refused = HttpServer::start(options, echo_request);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
        if (bad.empty()) continue;
        EXPECT_EQ(refused.error().message.find(bad), std::string::npos);
    }
}

TEST_F(HttpServerTest, ABrowsersPageOfAnotherSiteCanNeitherReadNorSteer) {
    HttpOptions options;
    options.token = token();
    options.public_prefix = "/public/";
    const auto server = serve(options);
    const std::string rebound = "GET /status HTTP/1.1\r\nHost: evil.example:9100\r\n";
    EXPECT_EQ(status_of(ask(*server, rebound)), 403);
    EXPECT_EQ(status_of(ask(*server, rebound + bearer(kToken))), 403);
    EXPECT_EQ(status_of(ask(*server, "GET /x HTTP/1.1\r\nHost: 192.0.2.7\r\n")), 403);
    EXPECT_EQ(status_of(ask(*server, "GET /public/x HTTP/1.1\r\nHost: evil.example\r\n")), 200);
    EXPECT_EQ(status_of(ask(*server, "POST /public/x HTTP/1.1\r\nHost: evil.example\r\n")), 403);
    // A form of another site, sent with what the browser has stored for this one.
    EXPECT_EQ(
        status_of(post(*server, "/x", "{}", "Origin: https://evil.example\r\n" + bearer(kToken))),
        403);
    EXPECT_EQ(status_of(post(*server, "/x", "{}", "Origin: null\r\n" + bearer(kToken))), 403);
    EXPECT_EQ(
        status_of(post(*server, "/x", "{}", "Sec-Fetch-Site: cross-site\r\n" + bearer(kToken))),
        403);
    EXPECT_EQ(status_of(post(*server, "/x", "{}", "Origin: http://localhost\r\n" + bearer(kToken))),
              200);
}

TEST_F(HttpServerTest, SlowAndEndlessRequestsAreCutOff) {
    HttpOptions options;
    options.limits.exchange_ms = 300;
    options.limits.body_bytes = 10'000;
    const auto server = serve(options);
    RawSocket slow(server->address());
    const std::string head = "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n";
    ASSERT_TRUE(slow.write(view(head + "begin")));
    EXPECT_EQ(read_all(slow), "") << "a body that does not come ends the connection";
    EXPECT_EQ(status_of(post(*server, "/x", std::string(10'001, 'a'), "")), 413);
    EXPECT_EQ(status_of(post(*server, "/x", std::string(10'000, 'a'), "")), 200);
    RawSocket endless(server->address());
    ASSERT_TRUE(endless.write(
        view("POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")));
    const std::string chunk = "1000\r\n" + std::string(4'096, 'z') + "\r\n";
    for (int i = 0; i < 100 && endless.write(view(chunk)); ++i) {
    }
    EXPECT_TRUE(endless.ends());
    EXPECT_EQ(status_of(get(*server, "/x")), 200);
}

TEST_F(HttpServerTest, AThousandConnectionsThatSendNothingKeepNobodyOut) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    const auto server = serve({});
    std::vector<std::unique_ptr<RawSocket>> silent;
    for (int i = 0; i < 1'000; ++i) {
        silent.push_back(std::make_unique<RawSocket>(server->address()));
        ASSERT_TRUE(silent.back()->connected()) << i;
        if (i % 100 != 99) continue;
        EXPECT_EQ(status_of(get(*server, "/x")), 200) << i;
    }
    EXPECT_EQ(status_of(get(*server, "/x")), 200);
}

TEST_F(HttpServerTest, ACommandThatTakesLongDelaysNoPage) {
    std::atomic<bool> go{false};
    std::atomic<bool> begun{false};
    const auto server = serve({}, [&](const HttpRequest& request) {
        begun = begun || request.method == "POST";
        while (request.method == "POST" && !go) std::this_thread::yield();
        return echo_request(request);
    });
    std::thread waiting([&] { EXPECT_EQ(status_of(post(*server, "/slow", "{}", "")), 200); });
    ASSERT_TRUE(soon([&] { return begun.load(); }));
    EXPECT_EQ(status_of(get(*server, "/fast")), 200);
    go = true;
    waiting.join();
}

// --- TLS -----------------------------------------------------------------------------------------

void write_certificate(const std::filesystem::path& folder) {
    EVP_PKEY* const key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    X509* const certificate = X509_new();
    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3'600);
    X509_set_pubkey(certificate, key);
    X509_EXTENSION* const names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:prover.example");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    std::FILE* file = std::fopen((folder / "cert.pem").c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen((folder / "cert.key").c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    ASSERT_EQ(::chmod((folder / "cert.key").c_str(), 0600), 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

std::string ask_over_tls(const HttpServer& server, const std::string& text) {
    const RawSocket socket(server.address());
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    SSL* const session = SSL_new(context);
    SSL_set_fd(session, socket.descriptor());
    std::string out;
    if (SSL_connect(session) == 1) {
        SSL_write(session, text.data(), static_cast<int>(text.size()));
        std::array<char, 4'096> part{};
        for (int got = 0; (got = SSL_read(session, part.data(), part.size())) > 0;) {
            out.append(part.data(), static_cast<std::size_t>(got));
        }
    }
    SSL_free(session);
    SSL_CTX_free(context);
    return out;
}

TEST_F(HttpServerTest, OtherMachinesAreServedWithTlsAndTheTokenAlone) {
    write_certificate(folder_.path());
    HttpOptions options;
    options.address = "0.0.0.0:0";
    ASSERT_FALSE(HttpServer::start(options, echo_request));
    options.token = token();
    ASSERT_FALSE(HttpServer::start(options, echo_request)) << "a token goes over no open line";
    options.certificate = folder_ / "cert.pem";
    ASSERT_FALSE(HttpServer::start(options, echo_request));
    options.certificate_key = folder_ / "cert.key";
    options.public_prefix = "/public/";
    const auto server = serve(options);
    const auto request = [&](const std::string& path, const std::string& host,
                             const std::string& more) {
        return status_of(ask_over_tls(*server, "GET " + path + " HTTP/1.1\r\nHost: " + host +
                                                   "\r\nConnection: close\r\n" + more + "\r\n"));
    };
    EXPECT_EQ(request("/x", "127.0.0.1", ""), 401);
    EXPECT_EQ(request("/x", "127.0.0.1", bearer("wrong-token-0123456789")), 401);
    EXPECT_EQ(request("/x", "127.0.0.1", bearer(kToken)), 200);
    EXPECT_EQ(request("/x", "prover.example", bearer(kToken)), 200);
    EXPECT_EQ(request("/x", "evil.example", bearer(kToken)), 403);
    EXPECT_EQ(request("/public/x", "evil.example", ""), 200);
    EXPECT_EQ(get(*server, "/x", bearer(kToken)), "") << "without TLS nothing is said";
    ASSERT_EQ(::chmod(options.certificate_key.c_str(), 0644), 0);
    const auto open = HttpServer::start(options, echo_request);
    ASSERT_FALSE(open);
    EXPECT_EQ(open.error().code, ErrorCode::kPermission);
}

// --- events --------------------------------------------------------------------------------------

TEST(Events, AreFilteredReplayedAndNeverGivenTwice) {
    EventLog log;
    const std::uint64_t first = log.next();
    for (int i = 0; i < 10; ++i) {
        const bool odd = i % 2 == 1;
        log.append(odd ? LogLevel::kWarn : LogLevel::kInfo, odd ? "links.fault" : "links.made",
                   R"({"level":"x","event":"y"})");
    }
    log.append(LogLevel::kError, "disk.away", R"({"level":"error","event":"disk.away"})");
    EXPECT_EQ(log.read(0, {}, 1 << 20).events.size(), 11U);
    EXPECT_EQ(log.read(0, {{"links."}, LogLevel::kWarn}, 1 << 20).events.size(), 5U);
    const auto tail = log.read(first + 9, {}, 1 << 20);
    ASSERT_EQ(tail.events.size(), 2U);
    EXPECT_EQ(tail.events[0].sequence, first + 9);
    EXPECT_TRUE(log.read(tail.next, {}, 1 << 20).events.empty());
    const Json one = Json::parse(*tail.events[1].json);
    EXPECT_EQ(one["event"], "disk.away");
    EXPECT_EQ(one["sequence"], first + 10);
    for (int i = 0; i < 5'000; ++i) log.append(LogLevel::kInfo, "many", R"({"event":"many"})");
    const auto late = log.read(first, {}, 1);
    EXPECT_EQ(late.missed, 5'011U - 4'096U);
    ASSERT_EQ(late.events.size(), 1U);
    EXPECT_EQ(late.events[0].sequence, first + late.missed);
}

struct EventWorld {
    EventLog log;
    std::unique_ptr<HttpServer> server;
    explicit EventWorld(HttpLimits limits = {}) {
        HttpOptions options;
        options.limits = limits;
        server = serve(options, [this](const HttpRequest& r) { return answer_events(log, r); });
        log.on_append([this] { server->wake_streams(); });
    }
    ~EventWorld() { log.on_append({}); }
    void tell(int n) {
        log.append(LogLevel::kInfo, "test", R"({"event":"test","n":)" + std::to_string(n) + "}");
    }
};
const std::string kStream =
    "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n";

TEST(Events, AFollowerIsToldAtOnceAndGoesOnWhereItWas) {
    EventWorld world;
    const RawSocket live(world.server->address());
    ASSERT_TRUE(live.write(view(kStream + "\r\n")));
    std::string seen;
    std::array<char, 4'096> part{};
    const auto read_until = [&](const RawSocket& socket, const std::string& what) {
        while (seen.find(what) == std::string::npos) {
            const ssize_t got = ::recv(socket.descriptor(), part.data(), part.size(), 0);
            if (got <= 0) return false;
            seen.append(part.data(), static_cast<std::size_t>(got));
        }
        return true;
    };
    ASSERT_TRUE(read_until(live, "retry: 2000"));
    for (int i = 0; i < 3; ++i) world.tell(i);
    ASSERT_TRUE(read_until(live, "\"n\":2}"));
    EXPECT_NE(seen.find("text/event-stream"), std::string::npos);
    const std::string last = seen.substr(seen.rfind("id: ") + 4, 16);
    world.tell(3);
    seen.clear();
    const RawSocket again(world.server->address());
    ASSERT_TRUE(again.write(view(kStream + "Last-Event-ID: " + last + "\r\n\r\n")));
    ASSERT_TRUE(read_until(again, "\"n\":3}"));
    EXPECT_EQ(seen.find("\"n\":2}"), std::string::npos) << seen;
    EXPECT_EQ(status_of(get(*world.server, "/api/v1/events?from=x")), 400);
    EXPECT_EQ(status_of(get(*world.server, "/api/v1/events?level=x")), 400);
}

TEST(Events, TenThousandASecondToAClientThatDoesNotReadCostTheDaemonNothing) {
    HttpLimits limits;
    limits.stream_write_ms = 500;
    EventWorld world(limits);
    const RawSocket deaf(world.server->address());
    ASSERT_TRUE(deaf.write(view(kStream + "\r\n")));
    const std::string padding(400, 'p');
    const auto begin = std::chrono::steady_clock::now();
    std::chrono::nanoseconds slowest{0};
    for (int i = 0; i < 20'000; ++i) {
        const auto before = std::chrono::steady_clock::now();
        world.log.append(LogLevel::kInfo, "flood", R"({"event":"flood","p":")" + padding + "\"}");
        slowest = std::max(slowest, std::chrono::steady_clock::now() - before);
        std::this_thread::sleep_until(begin + std::chrono::microseconds(100) * i);
    }
    EXPECT_LT(slowest, std::chrono::milliseconds(500)) << "no append has waited for the client";
    EXPECT_EQ(status_of(get(*world.server, "/api/v1/events?name=none")), 200);
    EXPECT_TRUE(soon([&] {
        // The server has let go of it: a peek finds an end behind what was sent.
        std::array<char, 65'536> scrap{};
        const ssize_t got = ::recv(deaf.descriptor(), scrap.data(), scrap.size(), MSG_DONTWAIT);
        return got == 0 || (got < 0 && errno == ECONNRESET);
    }));
}

TEST(Events, StreamsAreBoundedAndTheServerEndsWithThemOpen) {
    HttpLimits limits;
    limits.streams = 2;
    EventWorld world(limits);
    std::vector<std::unique_ptr<RawSocket>> streams;
    for (int i = 0; i < 2; ++i) {
        streams.push_back(std::make_unique<RawSocket>(world.server->address()));
        ASSERT_TRUE(streams.back()->write(view(kStream + "\r\n")));
        std::array<char, 16> first{};
        ASSERT_GT(::recv(streams.back()->descriptor(), first.data(), first.size(), 0), 0);
    }
    EXPECT_EQ(status_of(ask(*world.server, kStream)), 503);
    world.log.on_append({});
    world.server.reset();
    EXPECT_TRUE(streams[0]->ends());
}

}  // namespace
