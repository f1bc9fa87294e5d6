// A node whose chains another process serves, and the prover that follows it: the parts that both
// daemons have, in one process and without a socket.
#pragma once

#include <map>
#include <optional>

#include "api/block_processor.hpp"
#include "follow/service.hpp"
#include "node/follow_duties.hpp"
#include "node/journal_door.hpp"
#include "node/verified_output.hpp"
#include "support/quiet_log.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast::test {

/// Whether a message to a node hands over objects, alone or in a batch; otherwise it asks.
inline bool brings_objects(ByteView message) {
    const auto question = decode_question(message);
    return message[1] != kFollowRequestKind ||
           (question && std::holds_alternative<HandOver>(*question));
}

/// Processes blocks and answers; drives no prover of its own.
class ServedNode {
  public:
    ServedNode(const NetworkParams& params, Blockchain& chain, VdfClock& clock,
               const KeyPair& operator_key, const KeyPair& host,
               const std::filesystem::path& registry)
        : chain_(chain),
          clock_(clock),
          aggregator_(value_of(Aggregator::open(params, chain, clock, nullptr, nullptr,
                                                options(operator_key, registry)))),
          door_(aggregator_, host),
          service_(source(), chain, [] { return std::uint64_t{0}; }, service_options()) {}

    /// The next final block; false where there is none.
    bool advance() {
        const auto report = value_of(aggregator_.advance({}, {}, {}));
        succeed(service_.refresh());
        if (report && report->closed) globals[*report->closed] = report->global;
        return report.has_value();
    }
    Result<Bytes> handle(const PublicKey& from, ByteView message) {
        return service_.handle(from, message);
    }
    Registry& registry() { return aggregator_.registry(); }

    std::map<Height, GlobalDigest> globals;

  private:
    static AggregatorOptions options(const KeyPair& operator_key,
                                     const std::filesystem::path& registry) {
        AggregatorOptions out;
        out.registry = registry;
        out.operator_key = &operator_key;
        return out;
    }
    /// The clock of the service stands still.
    static FollowServiceOptions service_options() {
        FollowServiceOptions out;
        out.questions.burst = out.submissions.burst = 1'000'000'000;
        return out;
    }
    FollowSource source() {
        FollowSource out = follow_source(aggregator_.registry(), chain_);
        out.hand_over = [this](const PublicKey& from, ByteView message,
                               std::span<const ByteView> objects) -> Result<HandedOvers> {
            HOLDFAST_ASSIGN(taken, door_.take(from, message, objects));
            return std::move(taken.answer);
        };
        out.output = [this](Height height) -> Result<FollowOutput> {
            FollowOutput said;
            HOLDFAST_ASSIGN(block, chain_.block_by_height(height));
            said.block = block;
            HOLDFAST_ASSIGN(record, registry().block(height));
            if (!record || !record->y) return said;
            HOLDFAST_ASSIGN(proof, clock_.proof(height));
            said.proof = wrap_object(Kind::kVdfProof, proof.encode());
            return said;
        };
        return out;
    }

    Blockchain& chain_;
    VdfClock& clock_;
    Aggregator aggregator_;
    node::JournalDoor door_;
    FollowService service_;
};

/// One key's replicas in a folder, driven by what a followed node says.
class FollowingProver {
  public:
    using Carry = FollowClient::Request;
    using Duties = node::FollowDuties;

    /// What outlives it lies in `dir`. `verified`: empty, and y is verified in full here.
    FollowingProver(const NetworkParams& params, KeyPair key, const PublicKey& host,
                    const std::filesystem::path& dir, Carry carry, Duties::VerifiedY verified = {})
        : client(std::move(carry)),
          duties(client, params.id(), host),
          store(value_of(Acknowledgements::open(dir / "acks", params.id(), key.public_key()))),
          set(value_of(ProverSet::open(params, std::move(key), dir / "links"))),
          log_(quiet_log()) {
        if (!verified) {
            node::VerifiedOutputOptions options;
            options.folder = dir / "y";
            options.threads = 1;
            output_ = value_of(node::VerifiedOutput::open(params, client, options, *log_,
                                                          [](Height, const VdfOutput&) {}));
            verified = [this](Height height) { return output_->verify(height, {}); };
        }
        source.emplace(params, set.key().public_key(),
                       std::vector<node::DutyNode>{{host, &client, &duties}}, std::move(verified),
                       store, set.records().places());
        BlockProcessorOptions processing;
        processing.threads = 1;
        processor.emplace(value_of(BlockProcessor::make(params, *source, processing)));
    }
    /// Everything that is owed at the node's tip.
    Result<SetReport> work() {
        const Status begun = source->begin_pass();
        if (!begun && begun.error().code == ErrorCode::kUnavailable) return SetReport();
        HOLDFAST_TRY(begun);
        return processor->process(set, *client.newest_told());
    }

    FollowClient client;
    DutyClient duties;
    Acknowledgements store;
    ProverSet set;
    std::optional<Duties> source;
    std::optional<BlockProcessor> processor;

  private:
    std::unique_ptr<node::Log> log_;
    std::unique_ptr<node::VerifiedOutput> output_;
};

}  // namespace holdfast::test
