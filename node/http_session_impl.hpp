// One connection of the HTTP server, over TCP or TLS: reads requests, one after another, hands them
// to its server, writes responses and streams. Not installed.
//
// Threading: everything is called on the server's thread. A session lives in its server's list
// until it is closed, and as long as something of it is under way.
#pragma once

#include <array>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <list>
#include <optional>
#include <sstream>
#include <type_traits>

#include "node/http_server.hpp"

namespace holdfast::node {

class HttpSession;
using HttpSessionPtr = std::shared_ptr<HttpSession>;

namespace http = boost::beast::http;
using HttpMessage = http::request<http::string_body>;

/// What a session asks of its server.
class HttpSessionHost {
  public:
    virtual ~HttpSessionHost() = default;
    /// Calls respond() sooner or later.
    virtual void handle(const HttpSessionPtr& session, HttpMessage message) = 0;
    /// Whether one more stream is within the bounds.
    [[nodiscard]] virtual bool room_for_stream() const = 0;
    virtual void forget(HttpSession& session) = 0;
    [[nodiscard]] virtual const HttpLimits& limits() const = 0;
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
  public:
    enum class State : std::uint8_t { kReading, kAnswering, kWriting, kStreaming, kEnding };
    virtual ~HttpSession() = default;
    virtual void begin() = 0;
    virtual void respond(HttpResponse response) = 0;
    /// Sends what the stream has now.
    virtual void pull() = 0;
    virtual void close() = 0;

    [[nodiscard]] State state() const { return state_; }
    std::list<HttpSessionPtr>::iterator place;  // in the server's list

  protected:
    State state_ = State::kReading;
};

/// A stream that was quiet for so long is asked for a sign of life.
inline constexpr auto kQuietStream = std::chrono::seconds(15);

template <class Stream>
class HttpSessionOn final : public HttpSession {
    using Failure = boost::system::error_code;
    using Clock = std::chrono::steady_clock;
    static constexpr bool kSecure = !std::is_same_v<Stream, boost::asio::ip::tcp::socket>;

  public:
    template <class... StreamArguments>
    HttpSessionOn(HttpSessionHost& host, boost::asio::io_context& io, StreamArguments&&... stream)
        : host_(host),
          stream_(std::forward<StreamArguments>(stream)...),
          deadline_(io),
          buffer_(host.limits().request_bytes) {}

    void begin() override {
        arm(host_.limits().exchange_ms);
        if constexpr (kSecure) {
            stream_.async_handshake(boost::asio::ssl::stream_base::server,
                                    [this, self = shared_from_this()](const Failure& failed) {
                                        if (failed || closed_) return close();
                                        read();
                                    });
        } else {
            read();
        }
    }

    void respond(HttpResponse response) override {
        if (state_ == State::kEnding) return;
        if (response.stream && !host_.room_for_stream()) {
            response = http_error(503, "too many streams at once; try again later");
        }
        if (response.stream) return begin_stream(std::move(response));
        state_ = State::kWriting;
        encode(std::move(response));
        arm(host_.limits().response_ms);
        const auto written = [this, self = shared_from_this()](const Failure& failed, std::size_t) {
            serializer_.reset();
            if (failed || closed_) return close();
            if (!response_.keep_alive()) return finish();
            arm(host_.limits().idle_ms);
            read();
        };
        serializer_.emplace(response_);
        if (head_only_) {
            http::async_write_header(stream_, *serializer_, written);
        } else {
            http::async_write(stream_, *serializer_, written);
        }
    }

    void pull() override {
        if (state_ != State::kStreaming || writing_) return;
        auto part = source_->next(Clock::now() - wrote_at_ > kQuietStream);
        if (!part) return finish();
        if (part->empty()) return;
        out_ = *std::move(part);
        writing_ = true;
        arm(host_.limits().stream_write_ms);
        boost::asio::async_write(
            stream_, boost::asio::buffer(out_),
            [this, self = shared_from_this()](const Failure& failed, std::size_t) {
                writing_ = false;
                if (failed || closed_) return close();
                deadline_.cancel();
                wrote_at_ = Clock::now();
                pull();
            });
    }

    void close() override {
        if (closed_) return;
        closed_ = true;
        state_ = State::kEnding;
        Failure ignored;
        deadline_.cancel();
        socket().close(ignored);
        source_.reset();
        host_.forget(*this);
    }

  private:
    [[nodiscard]] boost::asio::ip::tcp::socket& socket() {
        if constexpr (kSecure) {
            return stream_.next_layer();
        } else {
            return stream_;
        }
    }

    void arm(std::uint32_t ms) {
        deadline_.expires_after(std::chrono::milliseconds(ms));
        deadline_.async_wait([this, self = shared_from_this()](const Failure& failed) {
            if (!failed) close();
        });
    }

    void read() {
        state_ = State::kReading;
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(host_.limits().request_bytes));
        parser_->body_limit(host_.limits().body_bytes);
        http::async_read(stream_, buffer_, *parser_,
                         [this, self = shared_from_this()](const Failure& failed, std::size_t) {
                             if (closed_) return;  // while this was on its way
                             if (failed) return not_read(failed);
                             state_ = State::kAnswering;
                             deadline_.cancel();
                             keep_alive_ = parser_->get().keep_alive();
                             head_only_ = parser_->get().method() == http::verb::head;
                             host_.handle(self, parser_->release());
                         });
    }

    /// A word where something was said that is no request of ours; otherwise it is gone.
    void not_read(const Failure& failed) {
        keep_alive_ = false;
        head_only_ = false;
        if (failed == http::error::header_limit || failed == http::error::buffer_overflow) {
            return respond(http_error(431, "too long a request"));
        }
        if (failed == http::error::body_limit) {
            return respond(http_error(413, "too large a body"));
        }
        const bool gone =
            failed == http::error::end_of_stream || failed == http::error::partial_message;
        if (gone || failed.category() != make_error_code(http::error::bad_target).category()) {
            return close();
        }
        respond(http_error(400, "not HTTP"));
    }

    template <class Message>
    static void put_headers(Message& message, const HttpResponse& response) {
        message.set(http::field::content_type, response.type);
        message.set(http::field::cache_control, "no-store");
        message.set("X-Content-Type-Options", "nosniff");
        message.set("Referrer-Policy", "no-referrer");
        message.set("X-Frame-Options", "DENY");
        for (const auto& [name, value] : response.headers) message.set(name, value);
    }

    void encode(HttpResponse response) {
        response_ = {static_cast<http::status>(response.status), 11};
        put_headers(response_, response);
        response_.keep_alive(keep_alive_);
        response_.body() = std::move(response.body);
        response_.prepare_payload();
    }

    /// The head and then whatever comes, until one of both closes.
    void begin_stream(HttpResponse response) {
        http::response<http::empty_body> head{static_cast<http::status>(response.status), 11};
        put_headers(head, response);
        head.keep_alive(false);
        std::ostringstream text;
        text << head.base();
        out_ = text.str();
        if (!head_only_) out_ += response.body;
        source_ = std::move(response.stream);
        state_ = State::kStreaming;
        writing_ = true;
        arm(host_.limits().stream_write_ms);
        boost::asio::async_write(
            stream_, boost::asio::buffer(out_),
            [this, self = shared_from_this()](const Failure& failed, std::size_t) {
                writing_ = false;
                if (failed || closed_) return close();
                deadline_.cancel();
                wrote_at_ = Clock::now();
                if (head_only_) return finish();
                notice_end();
                pull();
            });
    }

    /// Of a stream's client, which has nothing more to say.
    void notice_end() {
        stream_.async_read_some(
            boost::asio::buffer(drained_),
            [this, self = shared_from_this()](const Failure& failed, std::size_t) {
                if (failed) return close();
                notice_end();
            });
    }

    /// After the response: takes what still comes until the other side has closed. Closing with
    /// bytes unread would reset the connection, and the client might lose the response.
    void finish() {
        const bool reads = state_ == State::kStreaming;  // notice_end() drains already
        state_ = State::kEnding;
        source_.reset();
        arm(host_.limits().exchange_ms);
        if constexpr (kSecure) {
            stream_.async_shutdown([this, self = shared_from_this()](const Failure&) { close(); });
        } else {
            Failure ignored;
            socket().shutdown(boost::asio::socket_base::shutdown_send, ignored);
            if (!reads || head_only_) notice_end();
        }
    }

    HttpSessionHost& host_;
    Stream stream_;
    boost::asio::steady_timer deadline_;
    boost::beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    http::response<http::string_body> response_;
    std::optional<http::response_serializer<http::string_body>> serializer_;
    std::shared_ptr<HttpStream> source_;
    std::string out_;  // of a stream, being written
    Clock::time_point wrote_at_;
    std::array<char, 1'024> drained_{};
    bool keep_alive_ = false;
    bool head_only_ = false;
    bool writing_ = false;
    bool closed_ = false;
};

}  // namespace holdfast::node
