// An operator's registry that lives a random history, the service over it, and replicas that follow
// it through that service: what tests of replicas and of monitors share.
#pragma once

#include "follow/history_client.hpp"
#include "follow/service.hpp"
#include "node/replica_reader.hpp"
#include "support/quiet_log.hpp"
#include "support/random_history.hpp"

namespace holdfast::test {

class OperatorWorld {
  public:
    explicit OperatorWorld(std::uint64_t seed, std::uint64_t journal_heights = UINT64_MAX)
        : params(history_network()),
          host(params, seed, /*repeatable=*/true),
          registry(must(Registry::open(folder / "operator", params, options(journal_heights)))),
          history(
              params, seed, host, [this]() -> Registry& { return *registry; },
              [this](const HistoryInput& input) { return must(apply_input(*registry, input)); }),
          service(source(), host, [] { return std::uint64_t{1'000'000'000}; }, unlimited()) {}

    static RegistryOptions options(std::uint64_t journal_heights = UINT64_MAX) {
        RegistryOptions out;
        out.map_bytes = std::uint64_t{1} << 26;
        out.threads = 1;
        out.journal_heights = journal_heights;
        out.check_on_open = false;
        return out;
    }
    void live(std::uint64_t blocks) {
        for (std::uint64_t n = 0; n < blocks; ++n) {
            history.next_block();
            carry_out();
        }
    }
    /// The operator's head of a closed height.
    [[nodiscard]] JournalHead head(Height height) const {
        Bytes body = must(registry->head_of(height));
        body.resize(kHeadBytes);
        return sign_head(params.id(), JournalHead::decode(body).value(), test_operator()).value();
    }
    /// The transport: what a replica asks, and what it is told.
    FollowRequest request() {
        return [this](ByteView message) -> Result<Bytes> {
            if (away) return fail(ErrorCode::kUnavailable, "away");
            Result<Bytes> answer = service.handle(follower, message);
            if (!answer || !falsify) return answer;
            FollowAnswer said = decode_answer(*answer).value();
            falsify(said);
            return encode_answer(said);
        };
    }
    /// Changes answers of one type.
    template <class T>
    void lie(std::function<void(T&)> how) {
        falsify = [how](FollowAnswer& said) {
            if (auto* history_answer = std::get_if<HistoryAnswer>(&said)) {
                if (T* wanted = std::get_if<T>(history_answer)) how(*wanted);
            }
        };
    }
    [[nodiscard]] Digest state() const { return must(registry->export_state()); }

    TempFolder folder;
    NetworkParams params;
    HistoryHost host;
    std::unique_ptr<Registry> registry;
    RandomHistory history;
    FollowService service;
    PublicKey follower = KeyPair::from_secret(Bytes(32, 77)).public_key();
    std::set<Height> unseen;  // heights whose heads nobody has
    bool away = false;
    std::function<void(FollowAnswer&)> falsify;

  private:
    static FollowServiceOptions unlimited() {
        FollowServiceOptions out;
        out.questions = {.per_second = UINT32_MAX, .burst = UINT32_MAX};
        return out;
    }
    FollowSource source() {
        FollowSource out = follow_source(*registry, host);
        out.history.head = [this](Height h) -> Result<std::optional<JournalHead>> {
            if (unseen.contains(h)) return std::optional<JournalHead>();
            return std::optional(head(h));
        };
        out.history.block = [this](Height h) -> Result<WholeBlock> {
            HOLDFAST_ASSIGN(block, host.block_by_height(h));
            HOLDFAST_ASSIGN(listed, host.listed_at(h));
            return WholeBlock{block, std::move(listed)};
        };
        return out;
    }
    void carry_out() {
        for (const Decision& d : must(registry->decisions(settled_, 4'096))) {
            host.carry_out(d);
            ++settled_;
        }
    }
    std::uint64_t settled_ = 0;
};

/// A replica of it, with a folder of its own, that can be stopped and started.
class ReplicaOf {
  public:
    ReplicaOf(OperatorWorld& world, const std::string& name)
        : world_(world), dir_(world.folder / name), log_(quiet_log()) {}

    /// Errors of opening.
    Status start() {
        reader.reset();
        stores.reset();
        history.emplace(world_.request());
        follow.emplace(world_.request());
        const node::PeerEntry followed{world_.follower, "127.0.0.1:1"};
        auto opened = node::ReplicaStores::open(dir_, world_.params, followed, *history);
        if (!opened) return fail(opened.error());
        stores.emplace(std::move(*opened));
        HOLDFAST_TRY(
            node::begin_registry(*stores, *history, *follow, OperatorWorld::options(), *log_, {}));
        HOLDFAST_TRY(stores->open_registry(OperatorWorld::options(), 1, *follow));
        node::ReaderOptions options;
        options.copy_ledger = false;
        options.check_seal = history_seal_check();
        options.check_y = [this](Height h, const VdfOutput& y) -> Result<Verdict> {
            HOLDFAST_ASSIGN(block, stores->repeated->block_by_height(h));
            return Verdict(history_y(world_.params, h, block.hash) == y ? Reason::kOk
                                                                        : Reason::kWrongOutput);
        };
        reader.emplace(*stores, *history, *follow, options, *log_);
        return {};
    }
    /// Until there is nothing more, or an error.
    Status catch_up() {
        for (;;) {
            HOLDFAST_ASSIGN(more, reader->step({}));
            if (!more) return {};
        }
    }
    void stop() {
        reader.reset();
        stores.reset();
    }
    [[nodiscard]] const std::filesystem::path& dir() const { return dir_; }
    [[nodiscard]] Digest state() const { return must(stores->registry->export_state()); }

    std::optional<HistoryClient> history;
    std::optional<FollowClient> follow;
    std::optional<node::ReplicaStores> stores;
    std::optional<node::ReplicaReader> reader;

  private:
    OperatorWorld& world_;
    std::filesystem::path dir_;
    std::unique_ptr<node::Log> log_;
};

}  // namespace holdfast::test
