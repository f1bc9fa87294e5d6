// A prover with many chains in every state, as its page is made from it: made-up facts, the real
// way to the page.
#pragma once

#include "core/hash.hpp"
#include "node/chain_book.hpp"
#include "node/page.hpp"
#include "node/prover_status.hpp"

namespace holdfast::test {

class PageWorld {
  public:
    explicit PageWorld(std::uint64_t chains) {
        std::vector<FollowedChain> told;
        const auto note = [&](Height tip, bool newest) {
            told.clear();
            for (std::uint64_t n = 0; n < chains; ++n) told.push_back(chain(n, newest));
            own_.take(told, tip);
        };
        note(Height(kTip - 60), false);
        note(Height(kTip), true);
        for (std::uint64_t n = 0; n < chains; ++n) {
            if (n % 997 == 3) continue;  // not at hand
            node::StockedReplica one;
            one.folder = "/mnt/disk" + std::to_string(n % 12);
            one.replica = *one.folder / (std::to_string(n) + ".replica");
            one.linked = n % 499 != 4;
            one.id = told[n].replica_id;
            one.chain = told[n].chain_id;
            if (!one.linked) one.error = "Input/output error";
            replicas_.push_back(one);
        }
        work_.tip = Height(kTip);
        for (std::uint64_t n = 7; n < chains; n += 1'009) {
            work_.faults[told[n].chain_id] = {Height(kTip - 1), "a cell cannot be read"};
        }
    }

    [[nodiscard]] node::ChainsView view() const {
        return node::chains_view(params_, work_, replicas_, own_);
    }
    [[nodiscard]] json::Json status(const node::ChainsView& view) const {
        json::Json out = json::Json::parse(kRest);
        out["tip"] = kTip;
        node::append_chains(out, view);
        std::uint64_t now_ns = 0;
        node::HeightTimeline line(params_, [&] { return now_ns; });
        for (std::uint64_t h = 0; h < 230; ++h) work_of(line, Height(kTip - 229 + h), h, now_ns);
        out["timeline"] = json::Json::array();
        for (const auto& one : line.times(24)) out["timeline"].push_back(node::to_json(one));
        out["misses"] = node::misses_json(line.counts());
        out["disks"] = json::Json::array();
        for (std::uint64_t n = 0; n < 12; ++n) {
            out["disks"].push_back(node::to_json(disk(n), 3 * std::uint64_t{params_.block_ms}));
        }
        return out;
    }
    [[nodiscard]] json::Json page(const node::ChainsView& view, const std::string& state) const {
        return node::chain_page(params_, view, state, 1);
    }

  private:
    static constexpr std::uint64_t kTip = 184'311;
    static constexpr const char* kRest = R"({"role":"prover","key":
      "5b1e9d0f6c3a27489be1d25f8a90c47e13f6d82b7a5c90e4412d6fb8930ace57","address":"203.0.113.7:9001",
      "proving":{"links":18211044,"compact_proofs":17073101,"full_proofs":1137902,"seal_proofs":1204,
        "seal_proofs_waiting":3,"faults":12,"newest_linked":184311,
        "warnings":["links of the last heights took up to 118.2 s of the 156.0 s that they have: a faster disk, more threads ([prover] threads), or fewer replicas on this machine"]},
      "handed_over":{"acknowledged":184201,"unsettled":2,"refused":1},
      "promises":{"kept":184190},"registrations":{"made":3,"waiting":1},
      "challenges":{"answered":40211,"failed":0,"ignored":{"too-early":4,"not-assigned":11}},
      "scrub":{"replica":"/mnt/disk7/8035.replica","done_bytes":912680550,"total_bytes":2147483648,
        "scrubbed":41022,"damaged":2,"repaired":1,"due":311,"bad":[{"replica":"/mnt/disk7/19.replica",
        "damaged_chunks":3,"problem":"3 chunks are not what was sealed; nothing to repair them from"}]},
      "readers":{"answers":81723,"bytes":334737408,"failed":0},
      "hosts":{"nodes":[{"key":"aa11","address":"node.example:9000","reachable":true,"followed":true,"tip":184311},
        {"key":"bb22","address":"<script>alert(1)</script>:9000","reachable":false,"followed":false,
         "tip":null,"error":"connection refused \"<img src=x onerror=alert(1)>\""}]},
      "peers":[{"key":"cc33","address":"203.0.113.9:9001","connected":true}],
      "network":{"connections":14,"peers_connected":9,"bytes_in":81231231,"bytes_out":912312312,
        "timed_out":2,"throttled":0,"refused":{"tls":1,"key":0}}})";

    static FollowedChain chain(std::uint64_t n, bool newest) {
        FollowedChain c;
        c.chain_id = ChainId(tagged_hash("test/page-chain", n));
        c.replica_id = ReplicaId(tagged_hash("test/page-replica", n));
        c.accepted = Height(1'000 + n);
        c.phase = ChainPhase::kSealed;
        c.status = ChainStatus::kActive;
        if (n % 211 == 5) c.misses = newest ? 90 : 40;  // late before long
        if (n % 307 == 6) {
            c.status = ChainStatus::kLate;
            c.misses = newest ? 140 : 160;  // mending
        }
        if (n % 401 == 8) {
            c.status = ChainStatus::kRemoving;
            c.removal_at = Height(kTip - 5);
        }
        if (n % 503 == 9) {
            c.phase = ChainPhase::kPending;
            c.status.reset();
            c.accepted = Height(kTip - 8);
        }
        if (n % 5'003 == 10) {
            c.phase = ChainPhase::kVoid;
            c.status.reset();
        }
        if (n % 2'003 == 11) {
            c.status = ChainStatus::kExpired;
            c.misses = 1'040;
            c.liable_until = Height(kTip + 2'070);
        }
        return c;
    }
    static void work_of(node::HeightTimeline& line, Height height, std::uint64_t n,
                        std::uint64_t& now_ns) {
        constexpr std::uint64_t kMs = 1'000'000;
        const std::uint64_t begin = now_ns;
        line.block(height);
        line.owed(height, 99'412);
        now_ns = begin + (21'000 + n % 7 * 450) * kMs;
        line.step(height, node::HeightStep::kOutput);
        now_ns = begin + (30'000 + n % 13 * 900) * kMs;
        line.step(height, node::HeightStep::kMade);
        line.step(height, node::HeightStep::kHandedOver);
        now_ns += 1'100 * kMs;
        if (n % 23 != 21) line.step(height, node::HeightStep::kAcknowledged);
        line.taken(height, 99'412 - (n % 31 == 0 ? 8'200 : n % 17 == 0 ? 40 : 0));
        now_ns = begin + 52'000 * kMs;
    }
    static node::DiskFacts disk(std::uint64_t n) {
        node::DiskFacts out;
        out.path = "/mnt/disk" + std::to_string(n);
        out.replicas = 8'284;
        out.total_bytes = std::uint64_t{18} << 40;
        out.free_bytes = (std::uint64_t{n} << 36) + (std::uint64_t{700} << 30);
        out.probes = 64;
        out.median_us = n == 4 ? 240'000 : 6'100 + n * 170;
        out.worst_us = 4 * out.median_us;
        out.failed_reads = n == 7 ? 3 : 0;
        if (n == 9) out.error = "cannot read /mnt/disk9/9.replica: Input/output error";
        return out;
    }

    const NetworkParams params_;
    node::OwnChains own_;
    std::vector<node::StockedReplica> replicas_;
    node::WorkFacts work_;
};

}  // namespace holdfast::test
