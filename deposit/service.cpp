#include "deposit/service.hpp"

#include <algorithm>

#include "chunking/tree_file.hpp"
#include "core/geometry.hpp"
#include "storage/randomness.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kWaitForTipMs = 1'000;

BudgetLimits byte_budget(const DepositSettings& settings) {
    BudgetLimits out;
    out.per_second = std::max<std::uint64_t>(1, settings.bytes_per_second);
    out.burst = std::max<std::uint64_t>(2 * kPieceBytes, settings.bytes_per_second);
    return out;
}

/// Of the replica and its tree on disk.
std::uint64_t sealed_bytes(std::uint64_t bytes) {
    const ChunkCount chunks = chunk_count(bytes);
    return kChunkBytes + chunks.value * kChunkBytes + TreeLayout(chunks).file_bytes();
}

/// Of everything that will lie here because of a deposit.
std::uint64_t cost_of(const DepositFile& file) {
    if (!file.live()) return 0;
    const bool with_raw = file.stage() != DepositPhase::kSealed || file.terms().hot;
    return (with_raw ? file.bytes() : 0) + sealed_bytes(file.bytes());
}

/// Of it, what is not on the disk yet.
std::uint64_t outstanding(const DepositFile& file) {
    if (file.stage() == DepositPhase::kReceiving) {
        return cost_of(file) - std::min(file.bytes(), file.arrived().size() * kPieceBytes);
    }
    return file.stage() == DepositPhase::kSealing ? sealed_bytes(file.bytes()) : 0;
}

Status write_piece(const fs::path& path, std::uint64_t index, ByteView piece) {
    HOLDFAST_ASSIGN(file, File::open(path, File::Mode::kCreate, 0600));
    HOLDFAST_TRY(file.write_at(index * kPieceBytes, piece));
    return file.sync();
}

}  // namespace

DepositService::DepositService(DepositSettings settings, const NetworkParams& params,
                               const KeyPair& key, DepositHost host)
    : settings_(std::move(settings)),
      params_(params),
      network_(params.id()),
      key_(key),
      host_(std::move(host)),
      budget_(byte_budget(settings_), host_.clock) {}
DepositService::~DepositService() = default;

Result<std::unique_ptr<DepositService>> DepositService::open(DepositSettings settings,
                                                             const NetworkParams& params,
                                                             const KeyPair& key, DepositHost host) {
    SealParams seal = params.seal_presets.front();
    if (!settings.seal.empty()) {
        const auto preset = seal_preset(settings.seal);
        if (!preset || !params.check_seal(*preset)) {
            return fail(ErrorCode::kInvalidArgument,
                        "[deposits] seal: the network has no preset " + settings.seal);
        }
        seal = *preset;
    }
    std::error_code error;
    fs::create_directories(settings.folder, error);
    if (error) return fail_errno(error.value(), "cannot make " + settings.folder.string());
    std::unique_ptr<DepositService> out(
        new DepositService(std::move(settings), params, key, std::move(host)));
    out->seal_ = seal;
    HOLDFAST_TRY(out->take_up());
    return out;
}

/// What a process before this one has left. A record that was torn before anything of it held was
/// never acknowledged; one that is damaged is named and its data left alone.
Status DepositService::take_up() {
    std::error_code error;
    std::vector<fs::path> files;
    for (fs::directory_iterator at(settings_.folder, error), end; !error && at != end;
         at.increment(error)) {
        if (at->path().extension() == kDepositSuffix) files.push_back(at->path());
    }
    if (error) return fail_errno(error.value(), "cannot list " + settings_.folder.string());
    for (const fs::path& path : files) {
        auto file = DepositFile::open(path);
        if (!file && file.error().code == ErrorCode::kNotFound) continue;
        if (!file && file.error().code == ErrorCode::kCorrupt) {
            note_error({}, "deposit.damaged", file.error().message);
            continue;
        }
        if (!file) return fail(file.error());
        if (!file->live()) file->remove_data();
        const auto held = std::make_shared<Deposit>(std::move(*file));
        held->removing = held->file.wish() != 0;
        deposits_.emplace(held->file.id(), held);
    }
    return {};
}

// --- answers -------------------------------------------------------------------------------------

Bytes DepositService::handle(const PublicKey& from, ByteView message) {
    const Checked<DepositQuestion> question = decode_deposit_question(message);
    const DepositAnswer out = question ? answer(from, *question)
                                       : DepositAnswer(DepositRefused{DepositReason::kMalformed});
    if (std::holds_alternative<DepositRefused>(out)) ++refused_;
    return encode_answer(out);
}

DepositAnswer DepositService::answer(const PublicKey& from, const DepositQuestion& question) {
    // Reading what one has here stays allowed to a key that is on the list no more.
    const auto* piece = std::get_if<SendPiece>(&question);
    const std::uint64_t units = piece != nullptr ? piece->bytes.size() : kChunkBytes;
    if (quota_of(from) == nullptr && std::holds_alternative<AskTerms>(question)) {
        return DepositRefused{DepositReason::kNotAllowed};
    }
    if (const std::uint32_t wait = budget_.take(from, units)) {
        return DepositBusy{std::clamp<std::uint32_t>(wait, 1, 60'000)};
    }
    return std::visit([&](const auto& q) { return on(from, q); }, question);
}

const DepositClientQuota* DepositService::quota_of(const PublicKey& key) const {
    const auto found = std::find_if(settings_.clients.begin(), settings_.clients.end(),
                                    [&](const DepositClientQuota& one) { return one.key == key; });
    return found == settings_.clients.end() ? nullptr : &*found;
}

/// Under mutex_. kNone: so many bytes of this key have room.
DepositReason DepositService::room_for(const DepositClientQuota& quota, std::uint64_t bytes) const {
    if (paused_) return DepositReason::kStopped;
    std::uint64_t own_bytes = 0;
    std::uint64_t own_count = 0;
    std::uint64_t reserved = 0;
    std::uint64_t coming = 0;
    for (const auto& [id, held] : deposits_) {
        const std::lock_guard lock(held->mutex);
        if (!held->file.live()) continue;
        reserved += cost_of(held->file);
        coming += outstanding(held->file);
        if (held->file.terms().client != quota.key) continue;
        own_bytes += held->file.bytes();
        ++own_count;
    }
    if (own_count >= quota.count) return DepositReason::kQuotaCount;
    if (own_bytes + bytes > quota.bytes) return DepositReason::kQuotaBytes;
    const std::uint64_t needed = bytes + sealed_bytes(bytes);
    if (reserved + needed > settings_.limit_bytes) return DepositReason::kNoSpace;
    std::error_code error;
    const fs::space_info space = fs::space(settings_.folder, error);
    if (error || space.available < coming + needed + settings_.reserve_bytes) {
        return DepositReason::kNoSpace;
    }
    return DepositReason::kNone;
}

DepositAnswer DepositService::on(const PublicKey& from, const AskTerms& q) {
    if (q.bytes < settings_.min_bytes || q.bytes > settings_.max_bytes) {
        return DepositRefused{DepositReason::kSize};
    }
    const auto tip = host_.tip();
    if (!tip) return DepositBusy{kWaitForTipMs};
    {
        const std::lock_guard lock(mutex_);
        const DepositReason full = room_for(*quota_of(from), q.bytes);
        if (full != DepositReason::kNone) return DepositRefused{full};
    }
    DepositTerms terms;
    terms.network = network_;
    terms.prover = key_.public_key();
    terms.client = from;
    terms.max_bytes = std::min(settings_.max_bytes, kMaxDataBytes);
    terms.price = settings_.price;
    terms.seal = seal_;
    terms.hot = settings_.hot;
    terms.until = *tip + settings_.heights;
    terms.upload_s = settings_.upload_s;
    terms.valid_until_ms = host_.now_ms() + std::uint64_t{settings_.terms_s} * 1'000;
    if (const Status drawn = random_bytes(MutByteView(terms.nonce.bytes)); !drawn) {
        return failed({}, "deposit.terms", drawn.error());
    }
    const auto signature = key_.sign(view(terms.digest()));
    if (!signature) return failed({}, "deposit.terms", signature.error());
    terms.signature = *signature;
    return terms;
}

DepositAnswer DepositService::on(const PublicKey& from, const OpenDeposit& q) {
    const std::lock_guard lock(mutex_);
    if (const auto found = deposits_.find(q.id); found != deposits_.end()) {
        const std::lock_guard lock_one(found->second->mutex);
        const DepositFile& file = found->second->file;
        const bool same =
            file.terms() == q.terms && file.terms().client == from && file.bytes() == q.bytes;
        if (!same) return DepositRefused{DepositReason::kConflict};
        return state_of(file);
    }
    const DepositClientQuota* const quota = quota_of(from);
    if (quota == nullptr) return DepositRefused{DepositReason::kNotAllowed};
    if (!check_terms(q.terms, network_, key_.public_key(), from) ||
        host_.now_ms() > q.terms.valid_until_ms) {
        return DepositRefused{DepositReason::kBadTerms};
    }
    if (q.bytes < settings_.min_bytes || q.bytes > q.terms.max_bytes) {
        return DepositRefused{DepositReason::kSize};
    }
    const DepositReason full = room_for(*quota, q.bytes);
    if (full != DepositReason::kNone) return DepositRefused{full};
    auto file = DepositFile::create(settings_.folder, q.id, q.terms, q.bytes, host_.now_ms());
    if (!file) return failed(q.id, "deposit.open", file.error());
    const auto held = std::make_shared<Deposit>(std::move(*file));
    deposits_.emplace(q.id, held);
    host_.tell("deposit.opened", q.id, std::to_string(q.bytes) + " bytes of " + to_hex(from),
               false);
    return state_of(held->file);
}

DepositAnswer DepositService::on(const PublicKey& from, const SendPiece& q) {
    const Held held = find(q.id, from);
    if (!held) return DepositRefused{DepositReason::kUnknown};
    const std::lock_guard lock(held->mutex);
    DepositFile& file = held->file;
    if (q.bytes.size() != piece_bytes(file.bytes(), q.index)) {
        return DepositRefused{DepositReason::kWrongPiece};
    }
    const Digest root = piece_root(file.bytes(), q.index, q.bytes);
    if (const auto& before = file.piece(q.index)) {
        if (*before != root) return DepositRefused{DepositReason::kWrongPiece};
        return state_of(file);  // repeated: the answer was lost
    }
    if (file.stage() != DepositPhase::kReceiving || held->removing) {
        return DepositRefused{DepositReason::kNotReceiving};
    }
    // Spec 16.1: on the device first, then on record, then acknowledged.
    if (const Status written = write_piece(file.file(".part"), q.index, q.bytes); !written) {
        return failed(q.id, "deposit.piece", written.error());
    }
    if (const Status noted = file.note_piece(q.index, root); !noted) {
        return failed(q.id, "deposit.piece", noted.error());
    }
    ++pieces_;
    return state_of(file);
}

DepositAnswer DepositService::on(const PublicKey& from, const AskState& q) {
    const Held held = find(q.id, from);
    if (!held) return DepositRefused{DepositReason::kUnknown};
    const std::lock_guard lock(held->mutex);
    return state_of(held->file);
}

DepositAnswer DepositService::on(const PublicKey& from, const FinishDeposit& q) {
    const Held held = find(q.id, from);
    if (!held) return DepositRefused{DepositReason::kUnknown};
    const std::lock_guard lock(held->mutex);
    DepositFile& file = held->file;
    const Digest message =
        finish_message(network_, key_.public_key(), q.id, file.bytes(), q.raw_root);
    if (!verify_signature(from, view(message), q.signature)) {
        return DepositRefused{DepositReason::kBadSignature};
    }
    if (!file.live()) return DepositRefused{DepositReason::kNotReceiving};
    const std::vector<Digest> roots = file.arrived();
    if (roots.size() != piece_count(file.bytes())) {
        return DepositRefused{DepositReason::kIncomplete};
    }
    if (root_of_pieces(roots) != q.raw_root) return DepositRefused{DepositReason::kWrongRoot};
    if (file.stage() == DepositPhase::kReceiving) {
        const Status noted =
            file.note_stage(DepositPhase::kSealing, DepositReason::kNone, host_.now_ms());
        if (!noted) return failed(q.id, "deposit.finish", noted.error());
        host_.tell("deposit.arrived", q.id, std::to_string(file.bytes()) + " bytes", false);
        news_ = true;
    }
    return state_of(file);
}

/// The signature says whose wish it is, whoever brings it.
DepositAnswer DepositService::on(const PublicKey&, const RemoveDeposit& q) {
    const Held held = find(q.id);
    if (!held) return DepositRefused{DepositReason::kUnknown};
    const std::lock_guard lock(held->mutex);
    DepositFile& file = held->file;
    const Digest message = remove_message(network_, key_.public_key(), q.id, q.counter);
    if (!verify_signature(file.terms().client, view(message), q.signature)) {
        return DepositRefused{DepositReason::kBadSignature};
    }
    if (file.live() && q.counter > file.wish()) {
        if (const Status noted = file.note_wish(q.counter); !noted) {
            return failed(q.id, "deposit.remove", noted.error());
        }
        host_.tell("deposit.remove", q.id, "its owner wishes it to be removed", false);
    }
    if (file.wish() != 0) held->removing = true;
    news_ = true;
    return state_of(file);
}

DepositAnswer DepositService::on(const PublicKey& from, const ListDeposits& q) {
    DepositList out;
    const std::lock_guard lock(mutex_);
    for (auto at = deposits_.upper_bound(q.after); at != deposits_.end(); ++at) {
        const std::lock_guard lock_one(at->second->mutex);
        if (at->second->file.terms().client != from) continue;
        if (out.deposits.size() == q.most) {
            out.more = true;
            break;
        }
        out.deposits.push_back(state_of(at->second->file));
    }
    return out;
}

// --- views ---------------------------------------------------------------------------------------

DepositService::Held DepositService::find(const DepositId& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = deposits_.find(id);
    return found == deposits_.end() ? nullptr : found->second;
}

/// Whether a deposit of another client exists is nobody's business.
DepositService::Held DepositService::find(const DepositId& id, const PublicKey& client) const {
    Held held = find(id);
    if (!held) return nullptr;
    const std::lock_guard lock(held->mutex);
    return held->file.terms().client == client ? held : nullptr;
}

std::vector<DepositService::Held> DepositService::all() const {
    const std::lock_guard lock(mutex_);
    std::vector<Held> out;
    out.reserve(deposits_.size());
    for (const auto& [id, held] : deposits_) out.push_back(held);
    return out;
}

DepositState DepositService::state_of(const DepositFile& file) const {
    DepositState s;
    s.id = file.id();
    s.phase = file.stage();
    s.reason = file.reason();
    s.bytes = file.bytes();
    const std::vector<Digest> roots = file.arrived();
    s.arrived = std::min(file.bytes(), roots.size() * kPieceBytes);
    s.arrived_root = root_of_pieces(roots);
    s.terms = file.terms_digest();
    s.until = file.terms().until;
    s.replica = file.replica_id();
    s.counter = file.wish();
    s.tip = host_.tip().value_or(Height(0));
    if (s.phase != DepositPhase::kSealed) return s;
    const auto chain = host_.chain(s.replica);
    if (!chain) return s;
    s.chain = chain->chain;
    s.accepted = chain->accepted;
    s.linked = chain->linked;
    s.phase = chain->proven ? DepositPhase::kProven : DepositPhase::kRegistered;
    const bool ends = s.counter != 0 || s.tip + settings_.expiring_heights >= s.until;
    if (ends) s.phase = DepositPhase::kExpiring;
    if (chain->over) {
        s.phase = DepositPhase::kEnded;
        s.reason = DepositReason::kChainEnded;
    }
    return s;
}

std::vector<DepositService::View> DepositService::deposits() const {
    std::vector<View> out;
    for (const Held& held : all()) {
        const std::lock_guard lock(held->mutex);
        out.push_back({held->file.terms().client, state_of(held->file)});
    }
    return out;
}

DepositCounts DepositService::counts() const {
    DepositCounts out;
    for (const Held& held : all()) {
        const std::lock_guard lock(held->mutex);
        const DepositFile& file = held->file;
        out.receiving += file.stage() == DepositPhase::kReceiving ? 1 : 0;
        out.sealing += file.stage() == DepositPhase::kSealing ? 1 : 0;
        out.held += file.stage() == DepositPhase::kSealed ? 1 : 0;
        out.failed += file.stage() == DepositPhase::kFailed ? 1 : 0;
        out.bytes += file.live() ? file.bytes() : 0;
        out.reserved_bytes += cost_of(file);
    }
    out.pieces = pieces_;
    out.sealed = sealed_;
    out.refused = refused_;
    const std::lock_guard lock(error_mutex_);
    out.error = error_;
    return out;
}

DepositAnswer DepositService::failed(const DepositId& id, const char* event, const Error& error) {
    note_error(id, event, error.message);
    return DepositRefused{error.code == ErrorCode::kOutOfSpace ? DepositReason::kNoSpace
                                                               : DepositReason::kProverFailed};
}

void DepositService::note_error(const DepositId& id, const char* event, const std::string& what) {
    host_.tell(event, id, what, true);
    const std::lock_guard lock(error_mutex_);
    error_ = what;
}

}  // namespace holdfast
