// The tables of the export with their forms, and state files in a registry's folder.
#include "hierarchy/registry_state.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

#include "core/merkle.hpp"
#include "hierarchy/availability_records.hpp"
#include "hierarchy/registry_state_impl.hpp"
#include "proofs/checkpoint.hpp"
#include "proofs/evidence_format.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

// --- the forms of records ------------------------------------------------------------------------

bool equal(ByteView a, ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

/// Decodes, and is how this build encodes it.
template <class T>
std::optional<T> canonical(ByteView value) {
    Result<T> record = T::decode(value);
    if (!record || !equal(record->encode(), value)) return std::nullopt;
    return std::move(*record);
}

template <class T>
bool is_a(const NetworkId&, ByteView, ByteView value) {
    return canonical<T>(value).has_value();
}

template <std::size_t N>
bool is_bytes(const NetworkId&, ByteView, ByteView value) {
    return value.size() == N;
}

bool is_block(const NetworkId&, ByteView key, ByteView value) {
    const auto block = canonical<StoredBlock>(value);
    return block && block->info.height == KeyReader(key).height();
}

bool is_chain(const NetworkId& network_id, ByteView key, ByteView value) {
    const auto chain = canonical<ChainRecord>(value);
    return chain && equal(view(chain->registration.chain_id(network_id)), key);
}

bool is_agenda(const NetworkId&, ByteView key, ByteView value) {
    const auto item = static_cast<std::uint8_t>(AgendaEntry::of_key(key).item);
    return value.empty() && item >= static_cast<std::uint8_t>(AgendaItem::kVacate) &&
           item <= static_cast<std::uint8_t>(AgendaItem::kLiabilityEnd);
}

bool is_reveal(const NetworkId&, ByteView, ByteView value) {
    const Result<KnownReveal> known = decode_known_reveal(value);
    return known && equal(encode_known_reveal(*known), value);
}

bool is_checkpoint(const NetworkId&, ByteView key, ByteView value) {
    const Checked<Checkpoint> c = Checkpoint::decode(value);
    return c && equal(Key().height(c->height).fixed(c->submitter).bytes(), key);
}

bool is_waiting(const NetworkId&, ByteView, ByteView value) {
    const auto waiting = canonical<WaitingEvidence>(value);
    return waiting && Evidence::decode(waiting->body).has_value();
}

bool is_challenger_due(const NetworkId&, ByteView key, ByteView value) {
    KeyReader r(key);
    (void)r.height();
    const std::uint8_t item = r.u8();
    return value.empty() && item >= static_cast<std::uint8_t>(ChallengerItem::kBegins) &&
           item <= static_cast<std::uint8_t>(ChallengerItem::kJudgeQuorum);
}

bool is_in_force(const NetworkId&, ByteView, ByteView value) {
    const auto parts = decode_in_force(value);
    if (!parts || !equal(encode_in_force(*parts), value)) return false;
    const auto out_of_order = [](const ChallengerPart& a, const ChallengerPart& b) {
        return !(a.key < b.key);
    };
    return std::adjacent_find(parts->begin(), parts->end(), out_of_order) == parts->end();
}

bool is_challenge(const NetworkId&, ByteView key, ByteView value) {
    const auto listed = canonical<ListedChallenge>(value);
    return listed &&
           equal(height_chain_key(listed->challenge.height, listed->challenge.chain_id).bytes(),
                 key);
}

bool is_outcome(const NetworkId&, ByteView key, ByteView value) {
    const Result<OutcomeRecord> outcome = decode_outcome(key, value);
    return outcome && equal(encode_outcome(*outcome), value);
}

bool is_unpaid(const NetworkId& network_id, ByteView key, ByteView value) {
    const auto unpaid = canonical<UnpaidOutcome>(value);
    KeyReader r(key);
    (void)r.height();
    return unpaid && unpaid->about.challenge.id(network_id) == r.fixed<ChallengeId>();
}

constexpr std::size_t kHeightChain = 8 + 32;

constexpr StateTable kStateTables[] = {
    {2, Table::kBlocks, 8, is_block},
    {3, Table::kChains, 32, is_chain},
    {4, Table::kReplicas, 32, is_bytes<32>},
    {5, Table::kStates, 32, is_a<ChainState>},
    {6, Table::kAgenda, 8 + 1 + 32 + 8, is_agenda},
    {7, Table::kAudits, kHeightChain, is_a<AuditRecord>},
    {8, Table::kCommitments, kHeightChain, is_bytes<32>},
    {9, Table::kReveals, kHeightChain, is_reveal},
    {10, Table::kLinks, kHeightChain, is_a<LinkState>},
    {11, Table::kMisses, kHeightChain, is_a<MissRecord>},
    {12, Table::kBonds, 32, is_a<BondRecord>},
    {13, Table::kParts, 1 + 32, is_a<PartRecord>},
    {14, Table::kOffences, 32, is_bytes<8>},
    {15, Table::kDeposits, 32, is_bytes<32>},
    {16, Table::kCheckpoints, kHeightChain, is_checkpoint},
    {17, Table::kWaiting, 8 + 8, is_waiting},
    {18, Table::kChallengers, 32, is_a<ChallengerRecord>},
    {19, Table::kChallengerDue, 8 + 1 + 32, is_challenger_due},
    {20, Table::kRanks, kHeightChain, is_bytes<0>},
    {21, Table::kInForce, 8, is_in_force},
    {22, Table::kChallenges, kHeightChain, is_challenge},
    {23, Table::kChallengeIds, 32, is_bytes<kHeightChain>},
    {24, Table::kOutcomes, kHeightChain, is_outcome},
    {25, Table::kSuspended, 32, is_bytes<0>},
    {26, Table::kUnpaid, kHeightChain, is_unpaid},
};

// --- files ---------------------------------------------------------------------------------------

constexpr std::uint8_t kStateForm = 1;
constexpr std::size_t kFixedBytes = 1 + kDigestBytes + kHeadBytes;  // before the parts
constexpr std::size_t kCopyBytes = std::size_t{1} << 20;
constexpr std::string_view kStatesFolder = "states";
constexpr std::string_view kStateSuffix = ".state";

Bytes encode_state_head(const NetworkId& network_id, const JournalHead& head,
                        std::span<const Digest> parts) {
    Writer w(kFixedBytes + parts.size() * kDigestBytes);
    w.u8(kStateForm).fixed(network_id);
    head.encode(w);
    w.digests(parts);
    return w.take();
}

/// Heights of the files that lie there, ascending.
Result<std::vector<Height>> list_state_files(const fs::path& registry) {
    std::vector<Height> out;
    const fs::path folder = registry / kStatesFolder;
    std::error_code failed;
    if (!fs::exists(folder, failed)) return out;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed)) {
        if (at->path().extension() != kStateSuffix) continue;
        const std::string stem = at->path().stem().string();
        std::uint64_t height = 0;
        const auto [rest, error] = std::from_chars(stem.data(), stem.data() + stem.size(), height);
        if (error == std::errc() && rest == stem.data() + stem.size()) {
            out.push_back(Height(height));
        }
    }
    if (failed) return fail_errno(failed.value(), "cannot read the folder " + folder.string());
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

std::span<const StateTable> state_tables() { return kStateTables; }

Height oldest_exported(const NetworkParams& params, Height closed) {
    return std::max(params.genesis_height, closed - params.link_lag);
}

Digest root_of_parts(std::span<const Digest> parts) {
    if (parts.empty()) return empty_tree_root();
    Digest root = parts.back();
    for (std::size_t i = parts.size() - 1; i > 0; --i) root = node_hash(parts[i - 1], root);
    return root;
}

fs::path state_path(const fs::path& registry, Height height) {
    return registry / kStatesFolder / (std::to_string(height.value) + std::string(kStateSuffix));
}

Result<StateFileHead> read_state_head(const fs::path& path) {
    HOLDFAST_ASSIGN(file, File::open(path, File::Mode::kRead));
    Bytes bytes(kFixedBytes + 64 * kDigestBytes);
    HOLDFAST_ASSIGN(got, file.read_some_at(0, bytes));
    bytes.resize(got);
    Reader r(bytes);
    const std::uint8_t form = r.u8();
    StateFileHead out;
    out.network_id = r.fixed<NetworkId>();
    out.head = JournalHead::decode(r);
    if (!r.failed() && form != kStateForm) r.refuse(Reason::kBadMagic);
    for (int i = std::popcount(out.head.size); i > 0 && !r.failed(); --i) {
        out.parts.push_back(r.fixed<Digest>());
    }
    if (r.failed()) return fail_refused(r.verdict(), path.string() + ", a state file");
    if (root_of_parts(out.parts) != Digest(out.head.root)) {
        return fail_refused(Reason::kBadPath, path.string() + ", its journal");
    }
    out.export_at = kFixedBytes + out.parts.size() * kDigestBytes;
    return out;
}

// --- writing -------------------------------------------------------------------------------------

StateFileWriter::StateFileWriter(const fs::path& registry, const NetworkId& network_id,
                                 JournalHead head, std::vector<Digest> parts)
    : registry_(registry), network_id_(network_id), head_(head), parts_(std::move(parts)) {
    fault_ = open();
}

/// Under a name of its own until it is whole. It is not waited for: what a power cut leaves of it
/// does not hash to what the head says.
Status StateFileWriter::open() {
    std::error_code failed;
    fs::create_directories(registry_ / kStatesFolder, failed);
    if (failed) return fail_errno(failed.value(), "cannot make a folder for states");
    HOLDFAST_ASSIGN(file, File::open(registry_ / kStatesFolder / "partial", File::Mode::kCreate));
    HOLDFAST_TRY(file.truncate(0));
    file_.emplace(std::move(file));
    at_ = kFixedBytes + parts_.size() * kDigestBytes;
    return {};
}

void StateFileWriter::add(ByteView piece) {
    if (!fault_) return;
    fault_ = file_->write_at(at_, piece);
    at_ += piece.size();
}

Status StateFileWriter::finish(const Digest& state) {
    head_.state = state;
    if (fault_) fault_ = file_->write_at(0, encode_state_head(network_id_, head_, parts_));
    if (!fault_) return fault_;
    std::error_code failed;
    fs::rename(file_->path(), state_path(registry_, head_.height), failed);
    return failed ? fail_errno(failed.value(), "cannot publish a state") : Status{};
}

Status keep_state_file(const fs::path& file, const fs::path& registry, Height height) {
    std::error_code failed;
    fs::create_directories(registry / kStatesFolder, failed);
    if (!failed) fs::copy_file(file, state_path(registry, height), failed);
    return failed ? fail_errno(failed.value(), "cannot keep a copy of " + file.string()) : Status{};
}

Status forget_state_files(const fs::path& registry, std::size_t most, Height closed) {
    HOLDFAST_ASSIGN(heights, list_state_files(registry));
    const auto above = std::upper_bound(heights.begin(), heights.end(), closed);
    const auto kept = static_cast<std::size_t>(above - heights.begin());
    for (std::size_t i = 0; i < heights.size(); ++i) {
        if (i < kept && kept - i <= most) continue;
        std::error_code failed;
        fs::remove(state_path(registry, heights[i]), failed);
        if (failed) return fail_errno(failed.value(), "cannot remove an old state");
    }
    return {};
}

fs::path Registry::state_file(Height height) const { return state_path(impl_->home, height); }

Result<std::vector<Height>> Registry::states() const {
    HOLDFAST_ASSIGN(heights, list_state_files(impl_->home));
    std::vector<Height> out;
    for (const Height height : heights) {
        const Result<StateFileHead> found = read_state_head(state_path(impl_->home, height));
        const Result<Bytes> own = head_of(height);
        if (!found || !own) continue;
        Bytes its = found->head.encode();
        its.resize(kHeadSignedBytes);
        // Another one is what a run left that ended before its entry was durable.
        if (its == *own) out.push_back(height);
    }
    return out;
}

Status Registry::save_state(Height height, const fs::path& to,
                            const std::optional<Signature>& signature) const {
    HOLDFAST_ASSIGN(heights, states());
    if (!std::binary_search(heights.begin(), heights.end(), height)) {
        return fail(ErrorCode::kNotFound,
                    "no state of height " + std::to_string(height.value) + " lies here");
    }
    const fs::path from = state_path(impl_->home, height);
    HOLDFAST_ASSIGN(found, read_state_head(from));
    HOLDFAST_ASSIGN(source, File::open(from, File::Mode::kRead));
    HOLDFAST_ASSIGN(pending, PendingFile::create(to));
    if (signature) found.head.signature = *signature;
    HOLDFAST_TRY(
        pending.file().write_at(0, encode_state_head(found.network_id, found.head, found.parts)));
    Sha256 hash;
    Bytes piece(kCopyBytes);
    for (std::uint64_t at = found.export_at;;) {
        HOLDFAST_ASSIGN(got, source.read_some_at(at, piece));
        if (got == 0) break;
        const ByteView read = ByteView(piece).first(got);
        hash.update(read);
        HOLDFAST_TRY(pending.file().write_at(at, read));
        at += got;
    }
    if (hash.finish() != found.head.state) {
        return fail(ErrorCode::kCorrupt, from.string() +
                                             " is damaged: it is not the state that its head "
                                             "names. The next checkpoint height makes another");
    }
    return pending.publish();
}

}  // namespace holdfast
