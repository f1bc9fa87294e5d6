// The one settings file of the daemons: TOML, every setting with a documented default.
//
// `example_config()` is the documentation; it parses to the defaults. Reading is strict: a section
// or key that does not exist, a value of another type or out of range is kInvalidArgument with
// file, line, key and what is allowed, so that a misspelt limit is never silently the default.
// Relative paths are relative to the file's folder. Secrets do not stand in the file: it names the
// key's file.
//
// Plain values; any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "availability/challenger.hpp"
#include "availability/chunk_server.hpp"
#include "availability/responder.hpp"
#include "core/result.hpp"
#include "deposit/service.hpp"
#include "json/json.hpp"
#include "node/log.hpp"
#include "node/output_options.hpp"
#include "settlement/settlement_ledger.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::node {

struct PeerEntry {
    PublicKey key;
    std::string address;  // "host:port"; empty in [[peers]]: it dials
    friend bool operator==(const PeerEntry&, const PeerEntry&) = default;
};

struct FolderEntry {
    std::filesystem::path path;  // every *.replica below it
    friend bool operator==(const FolderEntry&, const FolderEntry&) = default;
};

struct ReplicaEntry {
    std::filesystem::path replica;  // X.replica, with X.tree and X.registration beside it
    std::filesystem::path raw;      // the data as before sealing; empty: not served
    friend bool operator==(const ReplicaEntry&, const ReplicaEntry&) = default;
};

/// What a prover does of its own accord.
struct ProverSettings {
    std::string bond;  // id of the bond that new replicas are registered with; empty: none are
    std::string retention = "default";
    bool commitment = true;           // new chains have the local entropy source
    std::uint32_t rescan_s = 60;      // between two looks at the folders
    unsigned threads = 0;             // that read and hash links; 0: one for each core
    unsigned seal_threads = 1;        // that fill windows for seal proofs and audits
    std::uint32_t open_files = 512;   // replicas and trees open at one time for links
    std::uint32_t kept_heights = 64;  // of links on record, which can be proven on demand
    std::filesystem::path records;    // of links and acknowledgements; empty: beside the key file
    friend bool operator==(const ProverSettings&, const ProverSettings&) = default;
};

/// Care for replicas in the background.
struct ScrubSettings {
    std::uint32_t every_hours = 720;
    std::uint32_t rate = 8;  // MiB/s at most
    bool repair = true;
    friend bool operator==(const ScrubSettings&, const ScrubSettings&) = default;
};

/// When a keeper mends what of its catalogue's files (keep/keeper.hpp).
struct KeeperSettings {
    std::filesystem::path catalogue;  // empty: beside the key file
    std::filesystem::path folder;     // of orders and wishes; empty: beside the key file
    std::uint32_t unreachable_s = 21'600;
    std::uint32_t late_s = 0;
    std::uint32_t proving_s = 86'400;
    std::uint64_t expiring_heights = 1'000;
    std::uint32_t retry_s = 600;
    unsigned file_heals_at_once = 1;
    unsigned heals_at_once = 2;
    unsigned probes = 4;
    friend bool operator==(const KeeperSettings&, const KeeperSettings&) = default;
};

struct Config {
    std::filesystem::path file;  // that it was read from; empty: none

    std::filesystem::path params;  // [network] node folder, public folder or network.params file
    std::filesystem::path key;     // [identity] this node's key file

    std::string listen;              // [transport] "127.0.0.1:9001"; empty: dials only
    bool accept_anyone = false;      // also keys that are in no [[peers]]
    unsigned workers = 2;            // threads that answer
    std::uint32_t drain_ms = 5'000;  // a stop waits so long for answers in flight
    TcpLimits limits;                // [transport.limits]

    std::vector<PeerEntry> peers;        // [[peers]]
    std::vector<PeerEntry> hosts;        // [[hosts]] nodes that are followed, the first one first
    VerifiedOutputOptions output;        // [output] y; folder empty: beside the key file
    std::vector<ReplicaEntry> replicas;  // [[replicas]]
    std::vector<FolderEntry> folders;    // [[folders]]
    ProverSettings proving;              // [prover]
    ScrubSettings scrub;                 // [scrub]
    DepositSettings deposits;            // [deposits] and [[depositors]]
    std::filesystem::path control;  // [control] socket; empty: beside the key, or in the folder

    ChunkServerOptions reading;   // [reading]
    ResponderOptions responding;  // [answering]

    std::filesystem::path journal;  // [challenger] folder of the journal of challenges
    ChallengerOptions challenging;

    KeeperSettings keeping;  // [keeper]

    std::filesystem::path dir;          // [node] the node's folder
    std::uint32_t block_ms = 0;         // between two blocks; 0: the network's block time
    std::uint64_t journal_heights = 0;  // of which the journal's entries stay; 0: all
    PayTerms terms;                     // served_reward, challenger_reward
    std::uint64_t map_bytes = std::uint64_t{64} << 30;  // largest size of the registry's file

    std::string monitor;                            // [monitor] address and port; empty: none
    std::filesystem::path monitor_token;            // 0600; empty: none
    std::filesystem::path monitor_certificate;      // PEM; empty: no TLS
    std::filesystem::path monitor_certificate_key;  // PEM
    bool monitor_public = false;                    // /public/ for everybody

    std::string public_listen;                     // [public] address and port; empty: none
    std::filesystem::path public_certificate;      // PEM; empty: no TLS
    std::filesystem::path public_certificate_key;  // PEM

    LogOptions log;  // [log]
};

/// kNotFound and the like where the file cannot be read; kInvalidArgument as above.
[[nodiscard]] Result<Config> load_config(const std::filesystem::path& file);
/// The same from text; `name` is what errors call the file, `folder` what paths are relative to.
[[nodiscard]] Result<Config> parse_config(std::string_view text, const std::string& name,
                                          const std::filesystem::path& folder);
/// The documented file; it parses to Config{}.
[[nodiscard]] std::string example_config();
/// What is in force, in the file's own names.
[[nodiscard]] json::Json to_json(const Config& config);

}  // namespace holdfast::node
