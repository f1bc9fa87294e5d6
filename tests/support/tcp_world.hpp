// Nodes on loopback sockets, and a peer that speaks TLS properly and everything above it as a test
// says.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "core/hash.hpp"
#include "transport/tcp_network.hpp"
#include "transport/tls_identity_impl.hpp"

namespace holdfast::test {

inline KeyPair node_key(std::uint8_t n) { return KeyPair::from_secret(Bytes(32, n)); }
inline NetworkId test_network() { return NetworkId(tagged_hash("test/tcp")); }
inline constexpr std::uint8_t kEchoKind = 64;

/// A message of an application: u8 version || u8 kind || …
inline Bytes message_of(std::size_t bytes, std::uint8_t fill = 7) {
    Bytes out(bytes, fill);
    out[0] = kProtocolVersion;
    out[1] = kEchoKind;
    return out;
}

/// Limits under which nothing takes long.
inline TcpNetworkOptions node_options() {
    TcpNetworkOptions out;
    out.network = test_network();
    out.listen = "127.0.0.1:0";
    out.limits.backoff_first_ms = 20;
    out.limits.backoff_max_ms = 100;
    out.handler = [](const PublicKey&, ByteView message) -> Result<Bytes> {
        return Bytes(message.begin(), message.end());
    };
    return out;
}

using TcpNode = std::unique_ptr<TcpNetwork>;
inline TcpNode start_node(std::uint8_t key, TcpNetworkOptions options = node_options()) {
    auto node = TcpNetwork::start(node_key(key), std::move(options));
    if (!node) throw std::runtime_error(node.error().message);
    return std::move(*node);
}
inline Peer peer_at(std::uint8_t key, const TcpNetwork& node) {
    return {node_key(key).public_key(), node.address()};
}

/// Whether it holds within some seconds.
template <class Condition>
bool soon(Condition condition, unsigned ms = 10'000) {
    for (unsigned waited = 0; waited < ms; waited += 5) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return condition();
}

inline std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator("/proc/self/fd")) {
        ++count;
    }
    return count;
}

/// A blocking TCP connection from an address of 127.0.0.0/8.
class RawSocket {
  public:
    explicit RawSocket(const std::string& address, const std::string& from = "127.0.0.1")
        : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in local{};
        local.sin_family = AF_INET;
        ::inet_pton(AF_INET, from.c_str(), &local.sin_addr);
        sockaddr_in there = local;
        ::inet_pton(AF_INET, "127.0.0.1", &there.sin_addr);
        there.sin_port =
            htons(static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1))));
        // Small, so that what is not read piles up at the other side.
        const int room = 64 * 1024;
        ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
        const int at_once = 1;  // what follows a handshake does not wait for its acknowledgement
        ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
        const timeval limit{10, 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        connected_ =
            ::bind(descriptor_, reinterpret_cast<sockaddr*>(&local), sizeof(local)) == 0 &&
            ::connect(descriptor_, reinterpret_cast<sockaddr*>(&there), sizeof(there)) == 0;
    }
    ~RawSocket() { ::close(descriptor_); }
    RawSocket(const RawSocket&) = delete;
    RawSocket& operator=(const RawSocket&) = delete;

    [[nodiscard]] int descriptor() const { return descriptor_; }
    [[nodiscard]] bool connected() const { return connected_; }
    bool write(ByteView bytes) const {
        return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
    }
    /// Until the other side closes; false when it has not after ten seconds.
    [[nodiscard]] bool ends() const {
        std::array<std::uint8_t, 4'096> scrap{};
        while (true) {
            const ssize_t got = ::recv(descriptor_, scrap.data(), scrap.size(), 0);
            if (got == 0 || (got < 0 && errno == ECONNRESET)) return true;
            if (got < 0) return false;
        }
    }

  private:
    int descriptor_;
    bool connected_ = false;
};

/// TLS as it should be; frames as the test likes.
class RawPeer {
  public:
    RawPeer(const std::string& address, const KeyPair& key, const std::string& from = "127.0.0.1")
        : socket_(address, from) {
        std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that are gone
        auto context = make_tls_context(key);
        if (!context) throw std::runtime_error(context.error().message);
        context_ = std::move(*context);
        ssl_ = make_tls_session(context_.get(), socket_.descriptor(), true);
        secure_ = SSL_do_handshake(ssl_.get()) == 1;
    }

    [[nodiscard]] bool secure() const { return secure_; }
    [[nodiscard]] const RawSocket& socket() const { return socket_; }
    bool write(ByteView bytes) {
        std::size_t wrote = 0;
        return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &wrote) == 1;
    }
    bool frame(const FrameHeader& header, ByteView payload = {}) {
        Bytes bytes = encode_frame_header(header);
        bytes.insert(bytes.end(), payload.begin(), payload.end());
        return write(bytes);
    }
    bool hello(Hello hello) {
        hello.incarnation = 5;
        return frame({kHelloBytes, FrameType::kHello, 0, 0}, encode_hello(hello));
    }
    /// The next frame; none when the other side has closed or says nothing for ten seconds.
    std::optional<std::pair<FrameHeader, Bytes>> read() {
        std::array<std::uint8_t, kFrameHeaderBytes> head{};
        if (!read_all(head)) return std::nullopt;
        const auto header = decode_frame_header(head, {});
        if (!header) return std::nullopt;
        Bytes payload(header->length);
        if (!read_all(payload)) return std::nullopt;
        return std::pair{*header, payload};
    }
    /// Through the handshake.
    bool greet() {
        if (!secure_ || !hello({kTransportVersion, test_network(), kRoleChallenger, 0}))
            return false;
        const auto answer = read();
        return answer && answer->first.type == FrameType::kHello;
    }
    /// Reads on until a goodbye; its code and detail.
    std::optional<Notice> goodbye() {
        while (const auto next = read()) {
            if (next->first.type != FrameType::kGoodbye) continue;
            const auto notice = decode_notice(FrameType::kGoodbye, next->second);
            if (notice) return *notice;
        }
        return std::nullopt;
    }

  private:
    bool read_all(MutByteView into) {
        while (!into.empty()) {
            std::size_t got = 0;
            if (SSL_read_ex(ssl_.get(), into.data(), into.size(), &got) != 1) return false;
            into = into.subspan(got);
        }
        return true;
    }

    RawSocket socket_;
    SslContext context_;
    Ssl ssl_;
    bool secure_ = false;
};

}  // namespace holdfast::test
