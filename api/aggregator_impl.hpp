// The aggregator's state and steps, for its own files: advancing and settling (aggregator.cpp),
// what blocks list (aggregator_listed.cpp), what provers and sets owe (aggregator_drive.cpp).
#pragma once

#include "api/aggregator.hpp"

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
    std::optional<BlockProcessor> processor;  // made with the first set
    std::optional<BlockForecaster> forecaster;
    double listed_seconds = 0;  // of the newest block, for what it listed and for settlements
    double shortest_wait = kNoWait;
    static constexpr double kNoWait = 1e9;  // none seen yet
    bool tip_resumed = false;
    std::unique_ptr<SettlementLedger> settlement;  // where there is a token
    std::optional<Court> court;                    // likewise
    std::optional<Height> settled;                 // effects up to here have been decided
    std::unique_ptr<AvailabilityBook> book;
    std::optional<AvailabilityJudge> judge;

    Result<std::optional<Height>> newest_final() const;
    Status note_missing_y(Height newest, const VdfClockWork& work, BlockReport& report);
    Status feed(Height height, BlockReport& report);
    Status take_submissions(Height height, const VdfClockWork& work, BlockReport& report);
    Result<Verdict> take(const Submission& submission, ObjectOutcome& out);
    Status take_registrations(std::span<const Submission> submissions, BlockReport& report);
    Status take_seal_proofs(std::span<const Checked<ByteView>> bodies, const VdfClockWork& work,
                            BlockReport& report);
    Result<Verdict> take_checkpoint(const Checkpoint& checkpoint);
    Result<Verdict> check_bond(const BondId& bond_id, BondPurpose purpose, const PublicKey& owner,
                               std::uint64_t least);
    void drive(Prover& prover, Height height, const VdfClockWork& work, BlockReport& report);
    Status answer_seal_duties(Prover& prover, const VdfClockWork& work, BlockReport& report);
    Status make_link(Prover& prover, Height height, BlockReport& report);
    Status make_proof(Prover& prover, Height height, BlockReport& report);
    Result<LinkRequest> link_request(const ChainId& chain_id, Height height) const;
    void settle(const VdfClockWork& work, BlockReport& report);
    Status settle_height(Height height);
    Status settle_to(Height closed);
    Status open_stores();
    Status submit_checkpoint(Height closed);
    Status repeat_checkpoint();
    Status drive(ProverSet& set, Height height, const VdfClockWork& work, BlockReport& report);
    Status work_on_tip(Height height, std::span<Prover* const> provers,
                       std::span<ProverSet* const> sets, const VdfClockWork& work,
                       BlockReport& report);
    void foresee(std::uint64_t chains, BlockReport& report);
};

}  // namespace holdfast
