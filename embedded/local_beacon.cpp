#include "embedded/local_beacon.hpp"

#include <mutex>
#include <unordered_map>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "embedded/record_follower.hpp"
#include "storage/record_log.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t kRoundBytes = 8 + 64;  // u64 round || signature

Result<PublicKey> beacon_key(const NetworkParams& params) {
    PublicKey key;
    if (!params.has_beacon || params.beacon_key.size() != key.size()) {
        return fail(ErrorCode::kInvalidArgument, "the network has no beacon with an Ed25519 key");
    }
    std::copy(params.beacon_key.begin(), params.beacon_key.end(), key.bytes.begin());
    if (const Verdict v = check_registrable_key(key); !v) return fail_refused(v, "beacon key");
    return key;
}

Digest signed_digest(const PublicKey& key, std::uint64_t round) {
    return tagged_hash("local-beacon/round", key, round);
}

BeaconRound make_round(std::uint64_t round, const Signature& signature) {
    const ByteView proof = view(signature);
    return {round, sha256(proof), Bytes(proof.begin(), proof.end())};
}

/// For writing; makes the folder.
Result<RecordLog> open_log(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directory(folder, error);
    if (error) return fail_errno(error.value(), "cannot make folder " + folder.string());
    RecordLog::Options options;
    options.max_body_bytes = kRoundBytes;
    return RecordLog::open(folder / LocalBeacon::kLogFile, options);
}

}  // namespace

Status check_beacon_round(const PublicKey& key, std::uint64_t round, const BeaconRound& value) {
    const bool fits = round >= 1 && value.round == round && value.proof.size() == Signature::size();
    if (fits) {
        Signature signature;
        std::copy(value.proof.begin(), value.proof.end(), signature.bytes.begin());
        const Digest message = signed_digest(key, round);
        if (verify_signature(key, view(message), signature).accepted() &&
            value.randomness == sha256(value.proof)) {
            return {};
        }
    }
    return fail_refused(Reason::kBadBeacon, "beacon round " + std::to_string(round));
}

class LocalBeacon::Impl {
  public:
    Impl(const NetworkParams& params, const PublicKey& key, RecordFollower follower)
        : genesis_s_(params.beacon_genesis_s),
          period_s_(params.beacon_period_s),
          key_(key),
          follower_(std::move(follower)) {}

    void publish_with(KeyPair key, ClockSeconds clock, RecordLog log) {
        secret_.emplace(std::move(key));
        clock_ = std::move(clock);
        log_.emplace(std::move(log));
    }

    Result<BeaconRound> randomness(std::uint64_t round) {
        if (round == 0) return fail(ErrorCode::kInvalidArgument, "beacon rounds begin with 1");
        const std::lock_guard lock(mutex_);
        HOLDFAST_TRY(refresh());
        if (const auto found = rounds_.find(round); found != rounds_.end()) {
            BeaconRound value = make_round(round, found->second);
            if (!verify(round, value)) {
                return fail(ErrorCode::kCorrupt, "a published beacon round fails its check");
            }
            return value;
        }
        if (!secret_ || !is_due(round)) {
            return fail(ErrorCode::kUnavailable,
                        "beacon round " + std::to_string(round) + " is not published yet");
        }
        HOLDFAST_ASSIGN(signature, secret_->sign(view(signed_digest(key_, round))));
        HOLDFAST_TRY(log_->append(Writer(kRoundBytes).u64(round).fixed(signature).bytes()));
        HOLDFAST_TRY(refresh());
        return make_round(round, signature);
    }

    void keep_with(RecordLog log) { log_.emplace(std::move(log)); }

    Status keep(const BeaconRound& value) {
        HOLDFAST_TRY(verify(value.round, value));
        const std::lock_guard lock(mutex_);
        HOLDFAST_TRY(refresh());
        if (rounds_.contains(value.round)) return {};
        if (!log_) return fail(ErrorCode::kPermission, "the beacon is open for reading only");
        HOLDFAST_TRY(log_->append(Writer(kRoundBytes).u64(value.round).raw(value.proof).bytes()));
        return refresh();
    }

    [[nodiscard]] Status verify(std::uint64_t round, const BeaconRound& value) const {
        return check_beacon_round(key_, round, value);
    }

    Status refresh() {
        return follower_.poll([this](std::uint64_t, ByteView body) -> Status {
            Reader r(body);
            const std::uint64_t round = r.u64();
            const auto signature = r.fixed<Signature>();
            if (!r.finish()) return fail(ErrorCode::kCorrupt, "a beacon record is malformed");
            rounds_.insert_or_assign(round, signature);
            return {};
        });
    }

  private:
    [[nodiscard]] bool is_due(std::uint64_t round) const {
        const std::uint64_t now_s = clock_();
        return now_s >= genesis_s_ && (now_s - genesis_s_) / period_s_ >= round - 1;
    }

    std::uint64_t genesis_s_;
    std::uint32_t period_s_;
    PublicKey key_;
    std::mutex mutex_;
    RecordFollower follower_;
    std::unordered_map<std::uint64_t, Signature> rounds_;
    std::optional<KeyPair> secret_;
    ClockSeconds clock_;
    std::optional<RecordLog> log_;
};

LocalBeacon::LocalBeacon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LocalBeacon::~LocalBeacon() = default;

Result<std::unique_ptr<LocalBeacon>> LocalBeacon::publisher(const std::filesystem::path& folder,
                                                            const NetworkParams& params,
                                                            KeyPair key, ClockSeconds clock) {
    HOLDFAST_ASSIGN(expected, beacon_key(params));
    if (key.public_key() != expected) return fail_refused(Reason::kWrongNetwork, "beacon key");
    HOLDFAST_ASSIGN(log, open_log(folder));
    HOLDFAST_ASSIGN(follower, RecordFollower::open(folder / kLogFile, kRoundBytes));
    auto impl = std::make_unique<Impl>(params, expected, std::move(follower));
    HOLDFAST_TRY(impl->refresh());
    impl->publish_with(std::move(key), std::move(clock), std::move(log));
    return std::unique_ptr<LocalBeacon>(new LocalBeacon(std::move(impl)));
}

Result<std::unique_ptr<LocalBeacon>> LocalBeacon::keeper(const std::filesystem::path& folder,
                                                         const NetworkParams& params) {
    HOLDFAST_ASSIGN(key, beacon_key(params));
    HOLDFAST_ASSIGN(log, open_log(folder));
    HOLDFAST_ASSIGN(follower, RecordFollower::open(folder / kLogFile, kRoundBytes));
    auto impl = std::make_unique<Impl>(params, key, std::move(follower));
    HOLDFAST_TRY(impl->refresh());
    impl->keep_with(std::move(log));
    return std::unique_ptr<LocalBeacon>(new LocalBeacon(std::move(impl)));
}

Status LocalBeacon::keep(const BeaconRound& value) { return impl_->keep(value); }

Result<std::unique_ptr<LocalBeacon>> LocalBeacon::reader(const std::filesystem::path& folder,
                                                         const NetworkParams& params) {
    HOLDFAST_ASSIGN(key, beacon_key(params));
    HOLDFAST_ASSIGN(follower, RecordFollower::open(folder / kLogFile, kRoundBytes));
    auto impl = std::make_unique<Impl>(params, key, std::move(follower));
    HOLDFAST_TRY(impl->refresh());
    return std::unique_ptr<LocalBeacon>(new LocalBeacon(std::move(impl)));
}

Result<BeaconRound> LocalBeacon::randomness(std::uint64_t round) {
    return impl_->randomness(round);
}

Status LocalBeacon::verify(std::uint64_t round, const BeaconRound& value) {
    return impl_->verify(round, value);
}

}  // namespace holdfast
