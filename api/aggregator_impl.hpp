// The aggregator's state and steps, for its own files: entries, heads and settling
// (aggregator.cpp), what provers and sets owe (aggregator_drive.cpp).
#pragma once

#include <mutex>

#include "api/aggregator.hpp"
#include "storage/signed_statements.hpp"

namespace holdfast {

struct Aggregator::Impl {
    NetworkParams params;
    NetworkId network_id;
    Blockchain* chain = nullptr;
    VdfClock* clock = nullptr;
    Token* token = nullptr;
    const KeyPair* checkpointer = nullptr;
    AggregatorOptions options;
    std::unique_ptr<Registry> registry;
    std::unique_ptr<SealIntake> intake;
    std::mutex statements_mutex;                  // guards the next two
    std::optional<SignedStatements> heads;        // of the operator's key, where there is one
    std::optional<SignedStatements> checkpoints;  // of the checkpointer's, where it is another
    std::unique_ptr<DutySource> set_duties;       // what the sets are driven from
    std::optional<BlockProcessor> processor;      // made with the first set
    std::optional<BlockForecaster> forecaster;
    double listed_seconds = 0;  // of the newest block, for what it listed and for settlements
    double shortest_wait = kNoWait;
    static constexpr double kNoWait = 1e9;         // none seen yet
    bool resumed = false;                          // what a run before this one left undone is done
    std::unique_ptr<SettlementLedger> settlement;  // where there is a token

    Result<std::optional<Height>> newest_final() const;
    Status note_missing_y(const VdfClockWork& work, BlockReport& report);
    Status publish_y(Height height);
    Status take_block(Height height, const VdfClockWork& work, BlockReport& report);
    Result<JournalHead> head(Height height);
    Status submit_checkpoint(Height closed);
    Result<ObjectOutcome> submit(const std::string& peer, ByteView object, const StopCheck& stop);
    Result<ObjectOutcome> list(const Checked<Kind>& kind, ByteView object);

    void drive(Prover& prover, Height height, const VdfClockWork& work, BlockReport& report);
    Status answer_seal_duties(Prover& prover, const VdfClockWork& work, BlockReport& report);
    Status make_links(Prover& prover, BlockReport& report);
    Status make_link(Prover& prover, Height height, BlockReport& report);
    Status make_proofs(Prover& prover, BlockReport& report);
    Status make_proof(Prover& prover, Height height, BlockReport& report);
    Status hand_over(Kind kind, const Bytes& body, const char* what, BlockReport& report);
    Status drive(ProverSet& set, Height height, const VdfClockWork& work, BlockReport& report);

    Status take_decisions();
    void settle(const VdfClockWork& work, BlockReport& report);
    Status open_stores();
    Status open_statements();
    Status work_on_tip(Height height, std::span<Prover* const> provers,
                       std::span<ProverSet* const> sets, const VdfClockWork& work,
                       BlockReport& report);
    void foresee(std::uint64_t chains, BlockReport& report);
};

}  // namespace holdfast
