// N4: a light client, from a network's parameters and an address to a verified compact proof, over
// TLS on loopback: what it fetches, and how long it takes beside the spot check of y. The VDF has
// as many checkpoints as the default network's, so that its proofs have the same size; its walk and
// its arena are short. The proof is compared with the one that the prover handed over.
#include <chrono>
#include <fstream>
#include <map>

#include "api/aggregator.hpp"
#include "api/light_client.hpp"
#include "api/recorded_link.hpp"
#include "bench/result.hpp"
#include "bench/scratch.hpp"
#include "chunking/seal.hpp"
#include "embedded/bond_ledger.hpp"
#include "embedded/local_chain.hpp"
#include "follow/public_source.hpp"
#include "transport/tcp_network.hpp"

namespace {

using namespace holdfast;

constexpr std::uint64_t kBlocks = 36;
constexpr std::size_t kDataBytes = 4U << 20;
constexpr std::uint32_t kLimitMs = 10'000;

using bench::expect;

KeyPair key_of(std::uint8_t n) { return KeyPair::from_secret(Bytes(32, n)); }

NetworkParams bench_network() {
    NetworkParams params = NetworkParams::preset(kParamsVersion2);
    params.name = "light";
    params.seal_windows = 2;
    params.least_chain_part = 100;
    params.operator_key = key_of(200).public_key();
    params.seal_presets = {kSealDev};
    params.vdf.arena_kib = 1'024;
    params.vdf.passes = 1;
    params.vdf.steps_per_checkpoint = 16;
    return params;
}

/// A node with one chain that has lived for some heights.
struct World {
    World()
        : params(bench_network()),
          chain(expect(LocalChain::create(scratch / "chain", params, 1'700'000'000'000))),
          ledger(expect(BondLedger::open(scratch / "ledger", params.id()))),
          clock(expect(VdfClock::open(params, *chain, nullptr, key_of(9), {scratch / "vdf", 0}))) {
        AggregatorOptions options;
        options.registry = scratch / "registry";
        options.operator_key = &operator_key;
        node.emplace(
            expect(Aggregator::open(params, *chain, clock, ledger.get(), nullptr, options)));
        live(4);
        prover.emplace(enlist());
        live(kBlocks);
        bench::require(!compact.empty(), "a height with a compact proof");
    }

    Prover enlist() {
        const KeyPair key = key_of(1);
        const std::filesystem::path source = scratch / "data";
        std::ofstream(source, std::ios::binary) << std::string(kDataBytes, 'h');
        const ProverFiles files = ProverFiles::beside(scratch / "a.replica");
        SealRequest request;
        request.network = params;
        request.prover = key.public_key();
        request.seal = kSealDev;
        request.source = source;
        request.replica_path = files.replica;
        request.tree_path = files.tree;
        const SealedReplica sealed = expect(seal(request));
        const auto once = [](const char* what) { return IdempotencyKey(tagged_hash(what)); };
        expect(ledger->issue(key.public_key(), 100, once("issue")));
        const BondId bond =
            expect(ledger->create_bond(key.public_key(), 100, BondPurpose::kStorage, once("bond")));
        const Height tip = expect(chain->current_height());
        const BlockInfo genesis = expect(chain->block_by_height(tip - params.finality_blocks));
        const Registration registration = expect(make_registration(
            params, sealed.header, {genesis.height, genesis.hash, Retention::kDefault, bond, true},
            key));
        expect(chain->submit_registration(wrap_object(Kind::kRegistration, registration.encode())));
        return expect(Prover::open(params, files, registration, key_of(1)));
    }
    void live(std::uint64_t blocks) {
        std::vector<Prover*> provers;
        if (prover) provers.push_back(&*prover);
        for (std::uint64_t i = 0; i < blocks; ++i) {
            expect(list_bond_events(*chain, *ledger));
            expect(chain->append_block());
            while (const std::optional<BlockReport> report = expect(node->advance(provers))) {
                for (const MadeProof& made : report->proofs) {
                    if (*peek_kind(made.object) == Kind::kCompact)
                        compact[made.height] = made.object;
                }
            }
        }
    }
    Result<Bytes> prove(ByteView message) {
        const auto question = decode_question(message);
        const auto& q = std::get<RecordedLinkQuestion>(std::get<PublicQuestion>(*question));
        HOLDFAST_ASSIGN(proof, prove_recorded(*prover, {q.chain_id,
                                                        {q.height, q.block_hash, q.y, q.anchor,
                                                         q.link_before, q.reveal_base},
                                                        q.y_compact,
                                                        q.path}));
        return encode_answer(PublicAnswer(PublicLinkProof{std::move(proof)}));
    }

    bench::Folder scratch;
    NetworkParams params;
    KeyPair operator_key = key_of(200);
    std::unique_ptr<LocalChain> chain;
    std::unique_ptr<BondLedger> ledger;
    VdfClock clock;
    std::optional<Aggregator> node;
    std::optional<Prover> prover;
    std::map<Height, Bytes> compact;
};

struct Measured {
    double bytes = 0;
    double ms = 0;         // in all
    double beside_ms = 0;  // without the spot check
};

/// One client that knows nothing yet, before a node that keeps no proof yet.
Measured measure(World& world, Height height) {
    PublicSourceHooks hooks;
    hooks.head = [&](Height h) { return world.node->head(h); };
    hooks.output_proof = [&](Height h) { return world.clock.proof(h); };
    hooks.ask_prover = [&](const PublicKey&, ByteView message) { return world.prove(message); };
    PublicSource source(world.node->registry(), *world.chain, std::move(hooks));
    TcpNetworkOptions options;
    options.network = world.params.id();
    options.listen = "127.0.0.1:0";
    options.accept_anyone = true;
    options.handler = [&](const PublicKey&, ByteView message) -> Result<Bytes> {
        const auto question = decode_question(message);
        const auto* data = question ? std::get_if<PublicQuestion>(&*question) : nullptr;
        if (data == nullptr) return fail_refused(Reason::kBadKind, "question");
        HOLDFAST_ASSIGN(answer, source.answer(*data));
        return encode_answer(answer);
    };
    const auto server = expect(TcpNetwork::start(key_of(2), options));
    const PublicKey peer = key_of(2).public_key();

    const auto start = std::chrono::steady_clock::now();
    TcpNetworkOptions dialling;
    dialling.network = world.params.id();
    const auto here = expect(TcpNetwork::start(key_of(3), dialling));
    expect(here->add_peer({peer, server->address()}));
    expect(here->wait_connected(peer, kLimitMs));
    const auto client = expect(
        LightClient::open(world.params,
                          {{"node",
                            [&](ByteView message) -> Result<Bytes> {
                                HOLDFAST_ASSIGN(reply, here->request(peer, message, kLimitMs));
                                return std::move(reply.response);
                            }}},
                          {}));
    const LightReport report = expect(client->verify_link(world.prover->chain_id(), height));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    bench::require(report.judged.verdict && report.object == world.compact.at(height),
                   "the prover's own proof, accepted");
    const LightTraffic traffic = client->traffic();
    return {static_cast<double>(traffic.bytes_fetched), took.count() * 1e3,
            (took.count() - traffic.output_seconds) * 1e3};
}

void light(const bench::Options& options) {
    World world;
    std::vector<Height> heights;
    for (const auto& [height, object] : world.compact) heights.push_back(height);
    const std::size_t samples = options.full ? 31 : 9;
    std::vector<double> bytes;
    bench::Samples all;
    bench::Samples beside;
    for (std::size_t i = 0; i < samples; ++i) {
        const Measured one = measure(world, heights[i % heights.size()]);
        bytes.push_back(one.bytes);
        all.seconds.push_back(one.ms);
        beside.seconds.push_back(one.beside_ms);
    }
    bench::report({.id = "N4/bytes",
                   .what = "light client: fetched for one compact proof, y by 16 segments, at most",
                   .value = *std::max_element(bytes.begin(), bytes.end()),
                   .unit = "bytes",
                   .target = bench::Target::value_at_most(64 * 1024),
                   .samples = samples});
    bench::report({.id = "N4/time",
                   .what = "light client: from parameters and an address to a verified compact "
                           "proof, without the spot check of y",
                   .value = beside.median(),
                   .unit = "ms",
                   .peer = "with it (short arena)",
                   .peer_value = all.median(),
                   .target = bench::Target::value_at_most(100),
                   .samples = samples});
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, {{"N4", light}}); }
