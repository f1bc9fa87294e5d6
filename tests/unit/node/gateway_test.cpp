// The gateway: every answer is what the registry holds, readable by any site's page, and nothing
// that is asked makes it fail.
#include "node/gateway.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/recorded_link.hpp"
#include "proofs/digests.hpp"
#include "support/tcp_world.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast::test {
namespace {

using node::Config;
using node::Gateway;
using node::HttpRequest;
using node::HttpResponse;
using Json = nlohmann::ordered_json;

std::string header_of(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return value;
    }
    return {};
}

class Gateways : public Node {
  protected:
    void SetUp() override {
        Node::SetUp();
        new_blocks(4);
        registration_ = seal_and_register("a", 1, 100'000);
        chain_id_ = registration_.chain_id(params_.id());
        clock_.emplace(clock(key_of(9)));
        node_.emplace(aggregator(*clock_));
        prover_.emplace(value_of(Prover::open(params_, files("a"), registration_, key_of(1))));
        Prover* const provers[] = {&*prover_};
        live(*node_, provers, 30);
        PublicSourceHooks hooks;
        hooks.head = [this](Height h) { return node_->head(h); };
        hooks.ask_prover = [this](const PublicKey&, ByteView message) {
            return prover_is_there_ ? prove(message)
                                    : fail(ErrorCode::kUnavailable, "it is not connected");
        };
        source_.emplace(node_->registry(), *chain_, std::move(hooks));
        gateway_.emplace(node_->registry(), *source_);
        closed_ = *value_of(node_->registry().closed());
    }
    void TearDown() override {
        gateway_.reset();
        source_.reset();
        prover_.reset();
        node_.reset();
        clock_.reset();
        Node::TearDown();
    }
    Result<Bytes> prove(ByteView message) {
        const auto question = decode_question(message);
        const auto& q = std::get<RecordedLinkQuestion>(std::get<PublicQuestion>(*question));
        const Result<AnyProof> proof = prove_recorded(
            *prover_, {q.chain_id,
                       {q.height, q.block_hash, q.y, q.anchor, q.link_before, q.reveal_base},
                       q.y_compact,
                       q.path});
        if (!proof) return encode_answer(FollowRefused{proof.error().verdict.reason});
        return encode_answer(PublicAnswer(PublicLinkProof{*proof}));
    }

    HttpResponse get(const std::string& path, const std::string& query = {},
                     const std::string& tag = {}) {
        HttpRequest request;
        request.method = "GET";
        request.path = "/public/" + path;
        request.query = query;
        if (!tag.empty()) request.headers = {{"if-none-match", tag}};
        HttpResponse out = gateway_->answer(request);
        EXPECT_EQ(header_of(out, "Access-Control-Allow-Origin"), "*") << path;
        EXPECT_EQ(header_of(out, "Access-Control-Allow-Credentials"), "") << path;
        return out;
    }
    Json json(const std::string& path, const std::string& query = {}) {
        const HttpResponse response = get(path, query);
        EXPECT_EQ(response.status, 200U) << path << response.body;
        EXPECT_EQ(response.type, "application/json") << path;
        return Json::parse(response.body);
    }
    Bytes object(const std::string& path) {
        const HttpResponse response = get(path);
        EXPECT_EQ(response.status, 200U) << path << response.body;
        EXPECT_EQ(response.type, "application/octet-stream") << path;
        return {response.body.begin(), response.body.end()};
    }
    std::string reason(const std::string& path, unsigned status, const std::string& query = {}) {
        const HttpResponse response = get(path, query);
        EXPECT_EQ(response.status, status) << path << response.body;
        EXPECT_EQ(header_of(response, "Cache-Control"), "no-store") << path;
        EXPECT_EQ(header_of(response, "ETag"), "") << path;
        return Json::parse(response.body).at("reason");
    }

    Registration registration_;
    ChainId chain_id_;
    std::optional<VdfClock> clock_;
    std::optional<Aggregator> node_;
    std::optional<Prover> prover_;
    std::optional<PublicSource> source_;
    std::optional<Gateway> gateway_;
    Height closed_;
    bool prover_is_there_ = true;
};

TEST_F(Gateways, WhatIsServedIsEnoughToVerifyAProofAndNothingElse) {
    EXPECT_EQ(object("network.params"), wrap_object(Kind::kNetwork, params_.encode()));
    const Json tip = json("tip");
    EXPECT_EQ(tip["closed"], closed_.value);
    const std::string id = to_hex(chain_id_);
    const Height height(closed_.value - 8);
    // The record's files, as anybody may keep them.
    const std::filesystem::path folder = dir_ / "public";
    std::filesystem::create_directories(folder);
    Json record = json("heights/1/" + std::to_string(closed_.value));
    record["chains"] = json("chains/" + id)["chains"];
    std::ofstream(folder / "network.params", std::ios::binary) << get("network.params").body;
    std::ofstream(folder / "public.json") << record.dump();
    const PublicRecord known = value_of(PublicRecord::load(folder));
    const KnownHeight at = value_of(known.known_height(height));
    const KnownChain chain = value_of(known.known_chain(chain_id_, height));
    const std::string of_height = std::to_string(height.value);
    const Bytes proof = object("chains/" + id + "/proofs/" + of_height);
    const auto body = ByteView(proof).subspan(2);
    ASSERT_EQ(proof[0], 1);
    const bool compact = *peek_kind(proof) == Kind::kCompact;
    const AnyProof decoded =
        compact ? AnyProof(*Compact::decode(body)) : AnyProof(*Full::decode(body));
    const Verdict verdict = verify_proof(known.params(), known.network_id(), chain, at, decoded);
    EXPECT_TRUE(verdict) << to_string(verdict);
    const Bytes path = object("chains/" + id + "/paths/" + of_height);
    EXPECT_EQ(path, wrap_object(Kind::kPath,
                                value_of(node_->registry().path(chain_id_, height)).encode()));
    EXPECT_EQ(json("replicas/" + to_hex(registration_.replica_id(params_.id()))),
              json("chains/" + id));
}

TEST_F(Gateways, HeadsAreTheOperatorsAndGoOnFromOlderOnes) {
    const JournalHead older = value_of(node_->head(Height(closed_.value - 5)));
    const Json answer =
        json("heads/" + std::to_string(closed_.value), "older=" + std::to_string(older.size));
    Bytes object;
    ASSERT_TRUE(from_hex(answer["head"].get<std::string>(), object));
    const auto head = JournalHead::decode(*unwrap_object(Kind::kHead, object));
    ASSERT_TRUE(head);
    EXPECT_TRUE(check_head(params_, params_.id(), *head));
    std::vector<Digest> hashes;
    for (const Json& hash : answer["consistency"]) {
        ASSERT_TRUE(from_hex(hash.get<std::string>(), MutByteView(hashes.emplace_back().bytes)));
    }
    EXPECT_TRUE(check_extension(older, *head, hashes));
}

TEST_F(Gateways, ADigestComesWithAllThatItIsMadeOf) {
    const Json d = json("digests/" + std::to_string(closed_.value));
    const Json two = json("heights/" + std::to_string(closed_.value - 1) + "/2")["heights"];
    EXPECT_EQ(d["previous_global"], two[0]["global"]);
    EXPECT_EQ(d["global"], two[1]["global"]);
    EXPECT_EQ(d["y"], two[1]["y"]);
    GlobalDigest previous;
    Digest root;
    ASSERT_TRUE(from_hex(d["previous_global"].get<std::string>(), MutByteView(previous.bytes)));
    ASSERT_TRUE(from_hex(d["regions_root"].get<std::string>(), MutByteView(root.bytes)));
    const auto facts = value_of(node_->registry().block(closed_));
    const GlobalHeader header{closed_,  facts->hash,  facts->y.value_or(VdfOutput{}),
                              previous, d["regions"], d["total_chains"]};
    EXPECT_EQ(d["global"], to_hex(global_digest(params_.id(), header, root)));
}

TEST_F(Gateways, WhatIsClosedMayBeKeptForGoodAndTheTipMayNot) {
    const std::string first = "heights/1/4";
    EXPECT_EQ(header_of(get(first), "Cache-Control"), "public, max-age=31536000, immutable");
    const std::string at_tip = "heights/" + std::to_string(closed_.value) + "/200";
    EXPECT_EQ(header_of(get(at_tip), "Cache-Control"), "public, max-age=1");
    EXPECT_EQ(header_of(get("tip"), "Cache-Control"), "public, max-age=1");
    const std::string tag = header_of(get(first), "ETag");
    ASSERT_FALSE(tag.empty());
    const HttpResponse again = get(first, {}, tag);
    EXPECT_EQ(again.status, 304U);
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(get(first, {}, "\"other\"").status, 200U);
}

TEST_F(Gateways, WhatIsNotThereIsRefusedByName) {
    const std::string id = to_hex(chain_id_);
    EXPECT_EQ(reason("heights/1000/1", 404), "too-early");
    EXPECT_EQ(reason("digests/1000", 404), "too-early");
    EXPECT_EQ(reason("heads/1000", 404), "too-early");
    EXPECT_EQ(reason("chains/" + std::string(64, '0'), 404), "unknown-chain");
    EXPECT_EQ(reason("chains/" + id + "/paths/1000", 404), "too-early");
    EXPECT_EQ(reason("heads/" + std::to_string(closed_.value), 404, "older=999999"), "index");
    EXPECT_EQ(reason("chains/" + id, 404, "first=7"), "index");
    prover_is_there_ = false;
    const std::string proof = "chains/" + id + "/proofs/" + std::to_string(closed_.value - 8);
    EXPECT_EQ(reason(proof, 503), "busy");
    EXPECT_EQ(header_of(get(proof), "Retry-After"), "1");
}

TEST_F(Gateways, SenselessQuestionsAreErrorsOfTheirOwn) {
    for (const char* path : {"heights/x/1", "heights/1/0", "heights/1/257", "heights/-1/1",
                             "heights/18446744073709551616/1", "digests/", "digests/0x10",
                             "heads/1e3", "chains/12", "chains/zz", "replicas/"}) {
        const HttpResponse response = get(path);
        EXPECT_TRUE(response.status == 400 || response.status == 404) << path << response.status;
    }
    const std::string id = to_hex(chain_id_);
    EXPECT_EQ(reason("heads/1", 400, "older=x"), "invalid-argument");
    EXPECT_EQ(reason("chains/" + id, 400, "first=-1"), "invalid-argument");
    const std::string chains = "chains/" + id;
    const std::vector<std::string> unknown = {"none",
                                              "tip/1",
                                              "heights/1",
                                              chains + "/paths",
                                              chains + "/paths/1/2",
                                              "replicas/" + id + "/paths/1",
                                              "//",
                                              "network.params/x"};
    for (const std::string& path : unknown) {
        EXPECT_EQ(reason(path, 404), "not-found") << path;
    }
    HttpRequest post;
    post.method = "POST";
    post.path = "/public/tip";
    EXPECT_EQ(gateway_->answer(post).status, 405U);
}

TEST_F(Gateways, ItsOwnServerNeedsNoTokenAtAnyAddressAndServesNothingElse) {
    Config config;
    config.public_listen = "0.0.0.0:0";
    const auto server = value_of(start_gateway(config, *gateway_));
    const std::string port = server->address().substr(server->address().rfind(':'));
    const auto converse = [&](const std::string& request) {
        RawSocket socket("127.0.0.1" + port);
        EXPECT_TRUE(socket.write(view(request)));
        std::string out;
        std::array<char, 4'096> part{};
        while (true) {
            const ssize_t got = ::recv(socket.descriptor(), part.data(), part.size(), 0);
            if (got <= 0) return out;
            out.append(part.data(), static_cast<std::size_t>(got));
        }
    };
    const std::string rest = " HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n\r\n";
    const std::string tip = converse("GET /public/tip" + rest);
    EXPECT_TRUE(tip.starts_with("HTTP/1.1 200 ")) << tip;
    EXPECT_NE(tip.find("Access-Control-Allow-Origin: *\r\n"), std::string::npos) << tip;
    EXPECT_NE(tip.find("Cache-Control: public, max-age=1\r\n"), std::string::npos) << tip;
    EXPECT_EQ(tip.find("no-store"), std::string::npos) << tip;
    const std::string head = converse("HEAD /public/tip" + rest);
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n")) << head;
    for (const char* path : {"/metrics", "/status", "/api/v1/status", "/", "/public"}) {
        const std::string answer = converse(std::string("GET ") + path + rest);
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 404 ")) << path << answer;
    }
    EXPECT_TRUE(converse("POST /public/tip" + rest).starts_with("HTTP/1.1 405 "));
}

}  // namespace
}  // namespace holdfast::test
