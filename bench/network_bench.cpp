// P5/transport: the transport between two nodes on loopback, beside what plain TCP and bare TLS
// take for the same bytes: a challenge of 202 bytes and a response of 42,000. Responses are
// compared before any time is reported.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "bench/result.hpp"
#include "core/hash.hpp"
#include "transport/tcp_network.hpp"
#include "transport/tls_identity_impl.hpp"

namespace {

using namespace holdfast;

constexpr std::size_t kQuestionBytes = 202;
constexpr std::size_t kAnswerBytes = 42'000;
constexpr std::uint32_t kLimitMs = 10'000;
constexpr unsigned kAtOnce = 8;
constexpr unsigned kMessages = 4'000;

template <class T>
T must(Result<T> result) {
    bench::require(result.has_value(), result ? "" : result.error().message);
    return std::move(*result);
}

KeyPair key_of(std::uint8_t n) { return KeyPair::from_secret(Bytes(32, n)); }
Bytes question(std::size_t bytes = kQuestionBytes) {
    Bytes out(bytes, 3);
    out[0] = kProtocolVersion;
    out[1] = kFirstApplicationKind;
    return out;
}
Bytes answer(std::size_t bytes) { return Bytes(bytes, 5); }

/// Two nodes, connected.
struct Nodes {
    explicit Nodes(std::size_t answer_bytes) {
        TcpNetworkOptions options;
        options.network = NetworkId(tagged_hash("bench/network"));
        options.limits.frames_per_second = 10'000'000;
        options.limits.bytes_per_second = UINT32_MAX;
        client = must(TcpNetwork::start(key_of(1), options));
        options.listen = "127.0.0.1:0";
        options.accept_anyone = true;
        options.handler = [answer_bytes](const PublicKey&, ByteView) -> Result<Bytes> {
            return answer(answer_bytes);
        };
        server = must(TcpNetwork::start(key_of(2), options));
        const bool up = client->add_peer({peer, server->address()}).has_value() &&
                        client->wait_connected(peer, kLimitMs).has_value();
        bench::require(up, "two nodes connect");
    }
    const PublicKey peer = key_of(2).public_key();
    std::unique_ptr<TcpNetwork> client;
    std::unique_ptr<TcpNetwork> server;
};

/// Two connected sockets, and a thread that answers on one of them, with or without TLS.
class PlainPair {
  public:
    explicit PlainPair(bool tls) {
        const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(here);
        auto* const address = reinterpret_cast<sockaddr*>(&here);
        const bool listening = ::bind(listener, address, length) == 0 &&
                               ::listen(listener, 1) == 0 &&
                               ::getsockname(listener, address, &length) == 0;
        near_ = ::socket(AF_INET, SOCK_STREAM, 0);
        bench::require(listening && ::connect(near_, address, length) == 0, "a connection");
        far_ = ::accept(listener, nullptr, nullptr);
        ::close(listener);
        const int one = 1;
        for (const int end : {near_, far_}) {
            ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        }
        if (tls) {
            near_context_ = must(make_tls_context(key_of(1)));
            far_context_ = must(make_tls_context(key_of(2)));
            near_tls_ = make_tls_session(near_context_.get(), near_, true);
            far_tls_ = make_tls_session(far_context_.get(), far_, false);
        }
        answering_ = std::thread([this] {
            Bytes asked(kQuestionBytes);
            const Bytes said = answer(kAnswerBytes);
            while (read(far_, far_tls_.get(), asked) && write(far_, far_tls_.get(), said)) {
            }
        });
    }
    ~PlainPair() {
        ::shutdown(near_, SHUT_RDWR);
        answering_.join();
        ::close(near_);
        ::close(far_);
    }
    PlainPair(const PlainPair&) = delete;
    PlainPair& operator=(const PlainPair&) = delete;

    void round_trip() {
        static const Bytes kAsk = question();
        Bytes got(kAnswerBytes);
        const bool done = write(near_, near_tls_.get(), kAsk) && read(near_, near_tls_.get(), got);
        bench::require(done && got == answer(kAnswerBytes), "the answer comes back");
    }

  private:
    static bool write(int socket, SSL* tls, ByteView bytes) {
        std::size_t done = 0;
        for (std::size_t some = 0; done < bytes.size(); done += some) {
            const ByteView rest = bytes.subspan(done);
            if (tls != nullptr) {
                if (SSL_write_ex(tls, rest.data(), rest.size(), &some) != 1) return false;
                continue;
            }
            const ssize_t sent = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            some = static_cast<std::size_t>(sent);
        }
        return true;
    }
    static bool read(int socket, SSL* tls, MutByteView into) {
        std::size_t some = 0;
        for (; !into.empty(); into = into.subspan(some)) {
            if (tls != nullptr) {
                if (SSL_read_ex(tls, into.data(), into.size(), &some) != 1) return false;
                continue;
            }
            const ssize_t got = ::recv(socket, into.data(), into.size(), 0);
            if (got <= 0) return false;
            some = static_cast<std::size_t>(got);
        }
        return true;
    }

    int near_ = -1;
    int far_ = -1;
    SslContext near_context_;
    SslContext far_context_;
    Ssl near_tls_;
    Ssl far_tls_;
    std::thread answering_;
};

void round_trip(const bench::Options& options) {
    constexpr unsigned kTrips = 200;
    Nodes nodes(kAnswerBytes);
    PlainPair plain(false);
    PlainPair tls(true);
    const Bytes ask = question();
    const auto trips = [](auto&& once) {
        return [once] {
            for (unsigned i = 0; i < kTrips; ++i) once();
        };
    };
    const auto times = bench::interleave(
        options.rounds(7, 25),
        {trips([&] {
             const auto reply = nodes.client->request(nodes.peer, ask, kLimitMs);
             bench::require(reply && reply->response == answer(kAnswerBytes), "the answer");
         }),
         trips([&] { plain.round_trip(); }), trips([&] { tls.round_trip(); })});
    const auto us = [](const bench::Samples& s) { return s.median() / kTrips * 1e6; };
    const std::string what = "ask with 202 bytes, answer with 42,000, one at a time, loopback";
    bench::report({.id = "P5/transport/round_trip/tcp",
                   .what = what,
                   .value = us(times[0]),
                   .unit = "us",
                   .peer = "plain TCP, blocking",
                   .peer_value = us(times[1]),
                   .threads = 2,
                   .samples = times[0].size()});
    bench::report({.id = "P5/transport/round_trip/tls",
                   .what = what,
                   .value = us(times[0]),
                   .unit = "us",
                   .peer = "bare TLS 1.3, blocking",
                   .peer_value = us(times[2]),
                   .threads = 2,
                   .samples = times[0].size()});
}

void messages(const bench::Options& options) {
    Nodes nodes(1);
    const Bytes ask = question();
    const auto flood = [&] {
        std::atomic<unsigned> left = kMessages;
        std::atomic<unsigned> wrong = 0;
        std::vector<std::thread> threads;
        for (unsigned t = 0; t < kAtOnce; ++t) {
            threads.emplace_back([&] {
                while (left.fetch_sub(1) - 1 < kMessages) {
                    const auto reply = nodes.client->request(nodes.peer, ask, kLimitMs);
                    if (!reply || reply->response != answer(1)) ++wrong;
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        bench::require(wrong == 0, "every message is answered");
    };
    const auto times = bench::interleave(options.rounds(5, 15), {flood});
    bench::report({.id = "P5/transport/messages",
                   .what = "requests of 202 bytes answered with 1, 8 at once, loopback",
                   .value = kMessages / times[0].median(),
                   .unit = "messages/s",
                   .threads = options.threads,
                   .samples = times[0].size()});
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(
        argc, argv, {{"P5/transport/round_trip", round_trip}, {"P5/transport/messages", messages}});
}
