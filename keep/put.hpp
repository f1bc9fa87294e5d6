// Puts a file with provers: encrypted, coded, a shard to each, in one pass over the file and
// without a copy of it on disk.
//
// The file's k regions are read side by side (spec 9), encrypted by number of segment, coded and
// sent to all provers at once, piece by piece. What a put has decided (salt, deposits, terms) and a
// tag of every segment that it encrypts are durable in its journal before anything of it leaves. So
// it goes on after a stop or kill -9: the file is read again from its beginning, every segment held
// against its tag, and only what has not arrived is sent. A file that has changed meanwhile starts
// over with a new salt: no nonce is ever used for two plaintexts.
//
// Threading   one put of one file at a time, by lock on its journal (kBusy). `ask`, `stop` and
//             `progress` are called from several threads.
// Memory      (k + m) * rows in flight + k MiB; rows are chosen so that it stays below 160 MiB, and
//             at least one: beyond 150 shards it is more.
// Errors      kInvalidArgument, kUnavailable (too few provers, one that does not answer for too
//             long: its key is named), kRefused (a prover that changes its terms, or says what
//             cannot be), kCorrupt (the file changed meanwhile), kInterrupted. After every one but
//             kInvalidArgument the same put may be repeated and goes on.
// Spec: docs/spec.md section 16.
#pragma once

#include "deposit/client.hpp"
#include "keep/catalogue.hpp"
#include "keep/provers.hpp"

namespace holdfast {

/// What one prover asks and offers, before anything is sent to it.
struct PutOffer {
    ProverAddress prover;
    unsigned shard = 0;
    DepositTerms terms;  // of the shard's first segment
};

struct PutOptions {
    CodeShape shape;
    bool encrypt = true;
    std::string name;                    // for the manifest
    bool wait = true;                    // until every deposit is proven
    bool need_hot = true;                // only provers that keep the data readable
    unsigned workers = 0;                // 0: one for each core
    std::uint32_t patience_ms = 60'000;  // for a prover that does not answer
    std::uint32_t poll_ms = 1'000;       // between questions while waiting
    StopCheck stop = {};
    /// Shown what is about to be agreed on; false ends the put (kInterrupted), nothing sent.
    std::function<bool(std::span<const PutOffer>)> agree = {};
    /// Of all shards together; then, with `wait`, deposits proven of all.
    std::function<void(const std::string& phase, std::uint64_t done, std::uint64_t total)>
        progress = {};
};

struct PutReport {
    KeptFile file;
    bool resumed = false;
    bool started_over = false;     // the file had changed since an earlier run
    std::uint64_t sent_bytes = 0;  // by this run
    std::uint64_t proven = 0;      // deposits that the provers call proven
};

/// Where put_file() keeps what it has begun: a folder in the catalogue's.
[[nodiscard]] std::filesystem::path put_journals(const std::filesystem::path& catalogue);

/// `provers`: candidates, at least k + m, in the order of preference; distinct keys, and distinct
/// places where they are named. The manifest is in `catalogue` when this returns, and when what was
/// sent is agreed on with all provers.
[[nodiscard]] Result<PutReport> put_file(const std::filesystem::path& source, const KeyPair& owner,
                                         const NetworkId& network,
                                         std::span<const ProverAddress> provers,
                                         const AskProverOf& ask, Catalogue& catalogue,
                                         const std::filesystem::path& journals,
                                         const PutOptions& options);

struct KeptStates {
    std::vector<Result<DepositState>> states;  // in the order of KeptFile::shards
    bool changed = false;                      // the manifest
};
/// Asks the provers how the deposits of a file stand and puts the replicas and chains that they
/// name into its manifest, which is signed anew with the next counter if something changed.
/// Unreachable ones stay as they were.
[[nodiscard]] Result<KeptStates> refresh_kept_file(KeptFile& file, const KeyPair& owner,
                                                   const AskProverOf& ask,
                                                   const DepositClientOptions& options);

}  // namespace holdfast
