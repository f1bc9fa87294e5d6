#include "node/config_settings_impl.hpp"
#include "node/monitor.hpp"
#include "proofs/registration.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint64_t kMillion = 1'000'000;
constexpr std::uint64_t kDayMs = 86'400'000;
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 40;
constexpr std::uint64_t kMaxNumber = INT64_MAX;  // the largest that the file's format has
constexpr std::uint64_t kMaxU32 = UINT32_MAX;

template <auto Field>
constexpr PathSlot path() {
    return {[](Config& config) -> std::filesystem::path& { return Field(config); }};
}
template <auto Field>
constexpr TextSlot text(TextProblem problem) {
    return {[](Config& config) -> std::string& { return Field(config); }, problem};
}
template <auto Field>
constexpr FlagSlot flag() {
    return {[](Config& config) -> bool& { return Field(config); }};
}
template <auto Field>
constexpr NumberSlot number(std::uint64_t min, std::uint64_t max) {
    return {[](Config& config) { return std::uint64_t{Field(config)}; },
            [](Config& config, std::uint64_t value) {
                auto& field = Field(config);
                field = static_cast<std::remove_reference_t<decltype(field)>>(value);
            },
            min, max};
}

#define HOLDFAST_FIELD(name) [](Config& config) -> auto& { return config.name; }

const char* listen_problem(const std::string& value) {
    return value.empty() ? nullptr : address_problem(value);
}

const char* monitor_problem(const std::string& value) {
    return value.empty() ? nullptr : monitor_address_problem(value);
}

const char* bond_problem(const std::string& value) {
    BondId id;
    return value.empty() || from_hex(value, MutByteView(id.bytes)) ? nullptr
                                                                   : "a bond's id, 64 hex digits";
}
const char* seal_preset_problem(const std::string& value) {
    return value.empty() || seal_preset(value) ? nullptr
                                               : "standard, hardened, economy, dev or empty";
}
const char* retention_problem(const std::string& value) {
    return retention_from_name(value) ? nullptr : "temporary, default or archival";
}

const Section kSections[] = {
    {"network", "Which network this node belongs to."},
    {"identity", "Who this node is."},
    {"transport", "Connections to other nodes: TCP and TLS 1.3, each side known by its key."},
    {"transport.limits",
     "Ceilings on what peers can cost. Above one a peer is refused as busy, or not read until\n"
     "there is room."},
    {"hosts",
     "Nodes that this one follows: they say what is final, and take what this one publishes. The\n"
     "first that is live is followed; everything is handed to all of them, and two that tell\n"
     "different histories are believed no more. A node is trusted as one's own chain node is, but\n"
     "a prover does not take its word for y. A challenger follows the first alone."},
    {"output",
     "How a prover comes to y, from which the chunks follow that it signs for. The followed node "
     "hands\n"
     "over a proof."},
    {"peers", "Nodes that may connect. One with an address is dialled and kept connected."},
    {"replicas", "Sealed data that this node answers for. Used by prover."},
    {"folders",
     "Folders, each on a disk of its own if so wished, whose replicas this node answers for: "
     "every\n"
     "*.replica below. Looked at again while it runs. Used by prover."},
    {"prover", "What a prover does of its own accord."},
    {"scrub", "Reading whole replicas for damage, in the background. Used by prover."},
    {"deposits",
     "Data of others that this prover takes in, seals and proves. Used by prover. Who may bring "
     "them\n"
     "is in [[depositors]]; a bond in [prover] is what they are registered with."},
    {"depositors",
     "Keys that may bring data, each with what it may have here at a time. They may connect, as\n"
     "those of [[peers]] may."},
    {"control", "The socket for commands to this process, on this machine alone. Used by prover."},
    {"reading", "What readers may take from this node. Used by prover."},
    {"answering", "Answers to availability challenges. Used by prover."},
    {"challenger", "Challenging provers. Used by challenger."},
    {"keeper",
     "Mending the files of a catalogue. Shards are put with the [[peers]] that have an address.\n"
     "Used by keeper."},
    {"node", "The chain node itself. Used by node."},
    {"monitor", "/metrics, /health, /status, the page and /api/v1 over HTTP."},
    {"public",
     "What anybody may know (network, heights, digests, chains, paths, proofs), over HTTP, for\n"
     "light clients and pages of any site: /public/ and nothing else. Used by node."},
    {"log", "One line for each event."},
};

const Setting kSettings[] = {
    {"network", "params", path<HOLDFAST_FIELD(params)>(),
     "A node folder, a folder of public data, or a network.params file."},
    {"identity", "key", path<HOLDFAST_FIELD(key)>(),
     "Key file of this node (holdfast keygen): a prover's, a challenger's, or a node's own."},

    {"transport", "listen", text<HOLDFAST_FIELD(listen)>(listen_problem),
     "Address and port for connections of others; port 0: any that is free. \"\": it only dials."},
    {"transport", "accept_anyone", flag<HOLDFAST_FIELD(accept_anyone)>(),
     "Whether keys that stand in no [[peers]] may connect: readers, and challengers that are not\n"
     "listed."},
    {"transport", "workers", number<HOLDFAST_FIELD(workers)>(1, 64), "Threads that answer."},
    {"transport", "drain_ms", number<HOLDFAST_FIELD(drain_ms)>(0, 600'000),
     "How long a stop waits for answers that are in flight."},

    {"transport.limits", "max_request_bytes",
     number<HOLDFAST_FIELD(limits.bounds.max_request_bytes)>(1'024, kMostRequestBytes),
     "Of a request or post. Each kind has a bound of its own, which this can only lower."},
    {"transport.limits", "max_response_bytes",
     number<HOLDFAST_FIELD(limits.bounds.max_response_bytes)>(1'024, kMaxResponseBytes),
     "Of an answer."},
    {"transport.limits", "max_connections",
     number<HOLDFAST_FIELD(limits.max_connections)>(1, kMillion), "Of all peers."},
    {"transport.limits", "max_per_address",
     number<HOLDFAST_FIELD(limits.max_per_address)>(1, kMillion),
     "Connections from one IPv4 address, or one IPv6 /64."},
    {"transport.limits", "max_per_key", number<HOLDFAST_FIELD(limits.max_per_key)>(1, kMillion),
     "Connections of one key; the oldest gives way."},
    {"transport.limits", "max_handshakes",
     number<HOLDFAST_FIELD(limits.max_handshakes)>(1, kMillion),
     "Accepted connections whose handshake is not complete yet. For one more, one of the address\n"
     "with most of them gives way."},
    {"transport.limits", "connects_per_second",
     number<HOLDFAST_FIELD(limits.connects_per_second)>(1, kMillion),
     "New connections from one address (IPv6: /64); eight seconds' worth at once."},
    {"transport.limits", "network_connects_per_second",
     number<HOLDFAST_FIELD(limits.network_connects_per_second)>(1, kMillion),
     "New connections from one /24 (IPv6: /48); eight seconds' worth at once."},
    {"transport.limits", "max_sources", number<HOLDFAST_FIELD(limits.max_sources)>(1, kMillion),
     "Addresses, and networks, whose rates of new connections are remembered."},
    {"transport.limits", "max_peers", number<HOLDFAST_FIELD(limits.max_peers)>(1, kMillion),
     "Keys remembered."},
    {"transport.limits", "max_requests_per_peer",
     number<HOLDFAST_FIELD(limits.max_requests_per_peer)>(1, kMillion),
     "In flight at once, in each direction."},
    {"transport.limits", "max_requests", number<HOLDFAST_FIELD(limits.max_requests)>(1, kMillion),
     "Of all peers, waiting to be answered."},
    {"transport.limits", "max_queue_bytes_per_peer",
     number<HOLDFAST_FIELD(limits.max_queue_bytes_per_peer)>(1'024, kMaxBytes),
     "Waiting to be sent to one peer."},
    {"transport.limits", "max_bytes", number<HOLDFAST_FIELD(limits.max_bytes)>(1'024, kMaxBytes),
     "Of all peers, arriving or waiting to be sent."},
    {"transport.limits", "frames_per_second",
     number<HOLDFAST_FIELD(limits.frames_per_second)>(1, kMaxU32),
     "That a peer may send; a second's worth at once."},
    {"transport.limits", "bytes_per_second",
     number<HOLDFAST_FIELD(limits.bytes_per_second)>(1, kMaxU32),
     "That a peer may send; a second's worth at once."},
    {"transport.limits", "handshake_timeout_ms",
     number<HOLDFAST_FIELD(limits.handshake_timeout_ms)>(1, kDayMs),
     "From the connection to the peer's hello."},
    {"transport.limits", "frame_timeout_ms",
     number<HOLDFAST_FIELD(limits.frame_timeout_ms)>(1, kDayMs),
     "From a message's first byte to its last, in both directions."},
    {"transport.limits", "keepalive_ms", number<HOLDFAST_FIELD(limits.keepalive_ms)>(1, kDayMs),
     "A ping after so long a silence."},
    {"transport.limits", "idle_timeout_ms",
     number<HOLDFAST_FIELD(limits.idle_timeout_ms)>(2, kDayMs),
     "Silence, pings unanswered, that ends a connection; above keepalive_ms."},
    {"transport.limits", "backoff_first_ms",
     number<HOLDFAST_FIELD(limits.backoff_first_ms)>(1, kDayMs),
     "First wait before dialling again."},
    {"transport.limits", "backoff_max_ms", number<HOLDFAST_FIELD(limits.backoff_max_ms)>(1, kDayMs),
     "Longest wait; not below backoff_first_ms."},

    {"output", "trust",
     WordSlot{[](const Config& config) { return to_string(config.output.trust); },
              [](Config& config, std::string_view word) {
                  const auto trust = parse_output_trust(word);
                  if (trust) config.output.trust = *trust;
                  return trust.has_value();
              },
              "verified or operator"},
     "verified: every y is verified here in full. operator: a head of the network's operator must\n"
     "cover it, and a look at spot_segments segments of its proof must not refute it."},
    {"output", "folder", path<HOLDFAST_FIELD(output.folder)>(),
     "Folder of proofs that were verified; \"\": the key file's name with .y behind it."},
    {"output", "threads", number<HOLDFAST_FIELD(output.threads)>(0, 1'024),
     "That verify; 0: all cores."},
    {"output", "spot_segments", number<HOLDFAST_FIELD(output.spot_segments)>(1, 65'536),
     "Looked at where the operator is trusted."},

    {"prover", "bond", text<HOLDFAST_FIELD(proving.bond)>(bond_problem),
     "Id of the bond (holdfast ledger bond) with which a replica is registered that the followed\n"
     "node does not know; \"\": none is registered."},
    {"prover", "retention", text<HOLDFAST_FIELD(proving.retention)>(retention_problem),
     "Of new chains: temporary, default or archival."},
    {"prover", "commitment", flag<HOLDFAST_FIELD(proving.commitment)>(),
     "Whether new chains commit to the local entropy source."},
    {"prover", "rescan_s", number<HOLDFAST_FIELD(proving.rescan_s)>(1, 86'400),
     "Seconds between two looks at folders and missing replicas."},
    {"prover", "threads", number<HOLDFAST_FIELD(proving.threads)>(0, 1'024),
     "That read and hash links; 0: one for each core."},
    {"prover", "seal_threads", number<HOLDFAST_FIELD(proving.seal_threads)>(1, 64),
     "That fill windows for one seal proof or audit; one proof is made at a time."},
    {"prover", "open_files", number<HOLDFAST_FIELD(proving.open_files)>(2, kMillion),
     "Replicas and trees open at one time for links."},
    {"prover", "kept_heights", number<HOLDFAST_FIELD(proving.kept_heights)>(16, kMillion),
     "Heights whose links stay on record, and can be proven to readers; 64 bytes each for each\n"
     "chain, on disk and in memory."},
    {"prover", "records", path<HOLDFAST_FIELD(proving.records)>(),
     "Folder of signed links and acknowledgements; \"\": the key file's name with .records behind\n"
     "it. Never run two provers with one key and different folders."},
    {"scrub", "every_hours", number<HOLDFAST_FIELD(scrub.every_hours)>(0, 87'600),
     "Hours until every replica has been read and checked once; 0: only when told to."},
    {"scrub", "rate", number<HOLDFAST_FIELD(scrub.rate)>(1, 100'000), "MiB/s at most."},
    {"scrub", "repair", flag<HOLDFAST_FIELD(scrub.repair)>(),
     "Whether what is damaged is made whole again from the raw file of [[replicas]], or without\n"
     "one where the tree alone is damaged."},
    {"deposits", "folder", path<HOLDFAST_FIELD(deposits.folder)>(),
     "Where they lie, looked at as [[folders]] are. \"\": none are taken."},
    {"deposits", "limit_bytes",
     number<HOLDFAST_FIELD(deposits.limit_bytes)>(std::uint64_t{1} << 20, kMaxNumber),
     "Of the folder: data, replicas and trees, counted from the moment that a deposit is opened."},
    {"deposits", "reserve_bytes", number<HOLDFAST_FIELD(deposits.reserve_bytes)>(0, kMaxNumber),
     "Of the folder's file system that stay free."},
    {"deposits", "min_bytes", number<HOLDFAST_FIELD(deposits.min_bytes)>(1, kMaxDataBytes),
     "Of one deposit."},
    {"deposits", "max_bytes", number<HOLDFAST_FIELD(deposits.max_bytes)>(1, kMaxDataBytes),
     "Of one deposit; at most 4 GiB."},
    {"deposits", "price", number<HOLDFAST_FIELD(deposits.price)>(0, kMaxNumber),
     "Smallest units of the host's token for a GiB and 1,000 heights. Signed in the terms and "
     "shown;\n"
     "no money is moved."},
    {"deposits", "seal", text<HOLDFAST_FIELD(deposits.seal)>(seal_preset_problem),
     "Preset that deposits are sealed with; \"\": the network's first."},
    {"deposits", "hot", flag<HOLDFAST_FIELD(deposits.hot)>(),
     "Whether the data stay beside the replica, for readers. Without, they are read by unsealing\n"
     "what is sealed, which readers do themselves."},
    {"deposits", "heights", number<HOLDFAST_FIELD(deposits.heights)>(1, kMaxNumber),
     "Blocks for which a deposit is held, from its terms on. Afterwards it says that it expires; "
     "it\n"
     "is removed by its owner's wish or by command alone."},
    {"deposits", "expiring_heights",
     number<HOLDFAST_FIELD(deposits.expiring_heights)>(0, kMaxNumber),
     "So many blocks before it says so."},
    {"deposits", "upload_s", number<HOLDFAST_FIELD(deposits.upload_s)>(1, kMaxU32),
     "Seconds from its opening after which a deposit that is not complete is dropped."},
    {"deposits", "terms_s", number<HOLDFAST_FIELD(deposits.terms_s)>(1, kMaxU32),
     "Seconds for which terms may be taken up."},
    {"deposits", "unregistered_s", number<HOLDFAST_FIELD(deposits.unregistered_s)>(60, kMaxU32),
     "Seconds after which a sealed deposit is dropped for which no registration has been written."},
    {"deposits", "bytes_per_second",
     number<HOLDFAST_FIELD(deposits.bytes_per_second)>(4'096, kMaxNumber), "Taken from one key."},
    {"deposits", "seal_bytes_per_second",
     number<HOLDFAST_FIELD(deposits.seal_bytes_per_second)>(0, kMaxNumber),
     "Sealed at most; 0: as fast as it goes."},
    {"deposits", "seal_threads", number<HOLDFAST_FIELD(deposits.seal_threads)>(1, 64),
     "That seal deposits, one deposit at a time."},
    {"control", "socket", path<HOLDFAST_FIELD(control)>(),
     "\"\": X.sock beside the key file X.key."},

    {"reading", "chunks_per_second", number<HOLDFAST_FIELD(reading.chunks.per_second)>(1, kMaxU32),
     "Chunks of 4,096 bytes for each peer: 8192 are 32 MiB/s."},
    {"reading", "chunks_at_once", number<HOLDFAST_FIELD(reading.chunks.burst)>(1, kMaxU32),
     "Chunks that a peer may take at once after a pause."},
    {"reading", "peers", number<HOLDFAST_FIELD(reading.chunks.peers)>(1, kMillion),
     "Peers whose budgets are remembered."},
    {"reading", "bytes_in_flight",
     number<HOLDFAST_FIELD(reading.bytes_in_flight)>(std::uint64_t{1} << 20, kMaxBytes),
     "Being read for all peers together; above it a reader is told to retry."},
    {"reading", "busy_retry_ms", number<HOLDFAST_FIELD(reading.busy_retry_ms)>(1, 60'000),
     "After how long it is then told to retry."},

    {"answering", "answers_at_once", number<HOLDFAST_FIELD(responding.answers_at_once)>(1, 65'536),
     "Answers being read and signed at a time."},
    {"answering", "bad_per_second", number<HOLDFAST_FIELD(responding.bad.per_second)>(1, kMaxU32),
     "Bad challenges that a peer may send before it is ignored for a while."},
    {"answering", "bad_at_once", number<HOLDFAST_FIELD(responding.bad.burst)>(1, kMaxU32),
     "The same, of a peer that has sent none for a while."},
    {"answering", "peers", number<HOLDFAST_FIELD(responding.bad.peers)>(1, kMillion),
     "Peers whose budgets are remembered."},

    {"challenger", "journal", path<HOLDFAST_FIELD(journal)>(),
     "Folder in which every challenge is noted before it is sent."},
    {"challenger", "at_once", number<HOLDFAST_FIELD(challenging.at_once)>(1, 1'024),
     "Answers waited for at a time."},
    {"challenger", "kept_blocks", number<HOLDFAST_FIELD(challenging.kept_blocks)>(1, kMaxU32),
     "Blocks for which outcomes stay in the journal."},

    {"keeper", "catalogue", path<HOLDFAST_FIELD(keeping.catalogue)>(),
     "Folder of the owner's catalogue; \"\": the key file's name with .catalogue behind it."},
    {"keeper", "folder", path<HOLDFAST_FIELD(keeping.folder)>(),
     "Folder of what is under way; \"\": the key file's name with .keeper behind it."},
    {"keeper", "unreachable_s", number<HOLDFAST_FIELD(keeping.unreachable_s)>(1, kMaxU32),
     "For how long a prover does not answer until its shard is rebuilt."},
    {"keeper", "late_s", number<HOLDFAST_FIELD(keeping.late_s)>(0, kMaxU32),
     "For how long a chain is late until its shard is rebuilt. Late are those that have missed "
     "too\n"
     "many heights already."},
    {"keeper", "proving_s", number<HOLDFAST_FIELD(keeping.proving_s)>(1, kMaxU32),
     "For how long a shard may have been put and not be proven."},
    {"keeper", "expiring_heights", number<HOLDFAST_FIELD(keeping.expiring_heights)>(0, kMaxNumber),
     "A shard is put elsewhere so many heights before its prover lets go of it."},
    {"keeper", "retry_s", number<HOLDFAST_FIELD(keeping.retry_s)>(1, kMaxU32),
     "Until a rebuild that failed is tried again, and a prover asked again to let go of a shard."},
    {"keeper", "file_heals_at_once", number<HOLDFAST_FIELD(keeping.file_heals_at_once)>(1, 254),
     "Shards of one file rebuilt at a time; never more than its parity shards."},
    {"keeper", "heals_at_once", number<HOLDFAST_FIELD(keeping.heals_at_once)>(1, 64),
     "Shards of all files rebuilt at a time; each takes up to 90 MiB of memory."},
    {"keeper", "probes", number<HOLDFAST_FIELD(keeping.probes)>(0, 1'024),
     "Reads of 4 KiB of a random place of a random shard each block."},
    {"node", "dir", path<HOLDFAST_FIELD(dir)>(), "The node's folder (holdfast network init)."},
    {"node", "block_ms", number<HOLDFAST_FIELD(block_ms)>(0, kDayMs),
     "Between two blocks; 0: the network's block time."},
    {"node", "journal_heights", number<HOLDFAST_FIELD(journal_heights)>(0, kMaxNumber),
     "Heights of which the journal's entries stay, hashes aside; 0: all. Never less than the\n"
     "protocol asks for, so that 1 stands for that. 100,000 chains write 130 MB a height."},
    {"node", "served_reward", number<HOLDFAST_FIELD(terms.prover_reward)>(0, kMaxNumber),
     "Units to the prover for each challenge served."},
    {"node", "challenger_reward", number<HOLDFAST_FIELD(terms.challenger_reward)>(0, kMaxNumber),
     "Units to the challenger for each outcome that counts, whatever it says."},
    {"node", "map_bytes", number<HOLDFAST_FIELD(map_bytes)>(std::uint64_t{1} << 20, kMaxBytes),
     "Largest size of the registry's file, of which the system must allow as much address space\n"
     "(ulimit -v). The file grows only as needed."},
    {"monitor", "listen", text<HOLDFAST_FIELD(monitor)>(monitor_problem),
     "Address and port, e.g. 127.0.0.1:9100 for programs of this machine; any other needs a\n"
     "token and a certificate. \"\": none."},
    {"monitor", "token", path<HOLDFAST_FIELD(monitor_token)>(),
     "A file of mode 0600 with the token that who steers this process gives; made where it is\n"
     "missing. \"\": none, and nothing can be steered over HTTP."},
    {"monitor", "certificate", path<HOLDFAST_FIELD(monitor_certificate)>(),
     "The certificate's chain in PEM, for TLS. \"\": none."},
    {"monitor", "certificate_key", path<HOLDFAST_FIELD(monitor_certificate_key)>(),
     "Its key in PEM, which others cannot read."},
    {"monitor", "public", flag<HOLDFAST_FIELD(monitor_public)>(),
     "Whether /public/ is for everybody who reaches the address, without the token."},
    {"public", "listen", text<HOLDFAST_FIELD(public_listen)>(listen_problem),
     "Address and port, e.g. 0.0.0.0:9180. \"\": none."},
    {"public", "certificate", path<HOLDFAST_FIELD(public_certificate)>(),
     "The certificate's chain in PEM, for TLS, which pages served by https need. \"\": none."},
    {"public", "certificate_key", path<HOLDFAST_FIELD(public_certificate_key)>(),
     "Its key in PEM, which others cannot read."},

    {"log", "level",
     WordSlot{[](const Config& config) { return to_string(config.log.level); },
              [](Config& config, std::string_view word) {
                  const auto level = parse_log_level(word);
                  if (level) config.log.level = *level;
                  return level.has_value();
              },
              "debug, info, warn, error or off"},
     "debug, info, warn, error or off: events of this kind and worse ones."},
    {"log", "format",
     WordSlot{[](const Config& config) { return to_string(config.log.format); },
              [](Config& config, std::string_view word) {
                  const auto format = parse_log_format(word);
                  if (format) config.log.format = *format;
                  return format.has_value();
              },
              "text or json"},
     "text, or json: one object a line."},
    {"log", "file", path<HOLDFAST_FIELD(log.file)>(), "Appended to. \"\": standard error."},
};

#undef HOLDFAST_FIELD

}  // namespace

std::span<const Section> config_sections() { return kSections; }
std::span<const Setting> config_settings() { return kSettings; }

const char* address_problem(const std::string& value) {
    return is_tcp_address(value) ? nullptr : "host:port or [v6]:port";
}

}  // namespace holdfast::node
