// Attack 12, on an honest prover's own disk: the process is killed around a signature, an old
// backup of its records comes back, two processes run with one key.
//
// Cost: nothing, it happens. Bound: the record is on the device before the signature exists, a
// recorded triple is never signed with another link, the records are locked, and a link follows
// from public state alone, so that whoever forgot it makes the same bytes. The naive schemes beside
// it sign first and record then, and chain links by what their own file says.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/court.hpp"
#include "support/sealed_chain.hpp"

namespace holdfast::test {
namespace {

NetworkParams crash_network() {
    NetworkParams p = short_network();
    p.name = "crash";
    return p;
}

/// The same height, told by somebody who wants a second link for it.
KnownHeight lured(const SealedChain& chain, Height h) {
    KnownHeight known = made_up_height(chain, h);
    known.link_before = Link(tagged_hash("test/lure", h));
    return known;
}

using Signer = std::function<Receipt(const KnownHeight&)>;
using Sent = std::map<Height, Receipt>;

/// Runs `child` in a process of its own until it ends, or until `kill_after` receipts have come;
/// returns all that left it.
Sent run_and_kill(const std::function<void(int pipe)>& child, std::size_t kill_after) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::close(ends[0]);
        child(ends[1]);
        ::_exit(0);
    }
    ::close(ends[1]);
    Sent sent;
    std::array<std::uint8_t, kReceiptBytes> body;
    while (::read(ends[0], body.data(), body.size()) == static_cast<ssize_t>(body.size())) {
        const Receipt receipt = *Receipt::decode(ByteView(body));
        sent[receipt.height] = receipt;
        if (sent.size() == kill_after) ::kill(pid, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return sent;
}
void send(int pipe, const Receipt& receipt) {
    const Bytes body = receipt.encode();
    if (::write(pipe, body.data(), body.size()) < 0) ::_exit(3);
}

Result<Receipt> ask(const SealedChain& chain, LinkRecords& records, const KnownHeight& known) {
    HOLDFAST_ASSIGN(made, make_link(chain.network_id(), chain.replica(), chain.facts(known),
                                    chain.key(), records));
    return made.receipt;
}

/// Both receipts as evidence against the chain.
Verdict judged(const NetworkParams& params, const SealedChain& chain, const KnownHeight& known,
               const Receipt& a, const Receipt& b) {
    const EvidenceFacts facts{params, chain.network_id(), chain.known(), known.block_hash, {}, {},
                              {}};
    return judge_without_fill(facts, make_equivocation(chain.id(), known.block_hash, a, b));
}

TEST(AttackCrashBeforeRecord, WhatLeftBeforeTheKillIsNeverSignedOtherwise) {
    const NetworkParams params = crash_network();
    const SealedChain chain(params, 1, {16, 1, false, Height(110), {}});
    std::size_t left = 0;
    std::size_t refused = 0;
    for (std::size_t n = 1; n <= 12; ++n) {
        const auto file = chain.folder() / ("x" + std::to_string(n) + ".chain");
        const Sent sent = run_and_kill(
            [&](int pipe) {
                LinkRecords records = must(LinkRecords::open(file));
                for (Height h(120); h < Height(2'000); ++h) {
                    send(pipe, must(ask(chain, records, made_up_height(chain, h))));
                }
            },
            n * 3);
        ASSERT_GE(sent.size(), n * 3);
        LinkRecords records = must(LinkRecords::open(file));
        for (const auto& [h, receipt] : sent) {
            ++left;
            const auto second = ask(chain, records, lured(chain, h));
            ASSERT_FALSE(second) << "a second link for " << h.value;
            EXPECT_EQ(second.error().verdict.reason, Reason::kBadLink);
            ++refused;
            EXPECT_EQ(must(ask(chain, records, made_up_height(chain, h))).encode(),
                      receipt.encode());
        }
    }
    std::printf("12 kills: %zu receipts had left, %zu second links refused, 0 signed\n", left,
                refused);
}

TEST(AttackCrashBeforeRecord, SigningFirstIsSlashedAfterOneKill) {
    // Naive: sign, hand over, then record. Killed between the two it has forgotten what it said.
    const NetworkParams params = crash_network();
    const SealedChain chain(params, 1, {16, 1, false, Height(110), {}});
    const Height h(120);
    std::map<Height, Link> recorded;  // what its file would hold after the kill: nothing
    const auto naive = [&](const KnownHeight& known) -> std::optional<Receipt> {
        const Link link = chain.honest(known).opening.link;
        const auto at = recorded.find(known.height);
        if (at != recorded.end() && at->second != link) return std::nullopt;
        return chain.sign(known, link);
    };
    const Sent sent = run_and_kill(
        [&](int pipe) {
            send(pipe, *naive(made_up_height(chain, h)));
            ::raise(SIGKILL);  // the record would be written here
        },
        SIZE_MAX);
    ASSERT_EQ(sent.size(), 1U);
    const auto second = naive(lured(chain, h));
    ASSERT_TRUE(second);
    EXPECT_EQ(judged(params, chain, made_up_height(chain, h), sent.at(h), *second), Verdict::ok());
    std::printf("sign first, record then: one kill, one offence\n");
}

TEST(AttackCrashBeforeRecord, EveryTornTailIsAnUnsignedLinkOrARecordedOne) {
    const NetworkParams params = crash_network();
    const SealedChain chain(params, 1, {16, 1, false, Height(110), {}});
    const auto file = chain.folder() / "x.chain";
    std::vector<Receipt> receipts;
    {
        LinkRecords records = must(LinkRecords::open(file));
        for (Height h(120); h < Height(123); ++h) {
            receipts.push_back(must(ask(chain, records, made_up_height(chain, h))));
        }
    }
    const Bytes whole = slurp(file);
    const std::size_t record = kRecordHeaderBytes + kLinkRecordBytes;
    ASSERT_EQ(whole.size(), 3 * record);
    for (std::size_t size = 2 * record; size <= whole.size(); ++size) {
        // The kill came while the third record was being written: its signature had not left.
        spill(file, ByteView(whole).first(size));
        LinkRecords records = must(LinkRecords::open(file));
        EXPECT_EQ(records.size(), size == whole.size() ? 3U : 2U);
        EXPECT_FALSE(ask(chain, records, lured(chain, Height(121))));
        if (size == whole.size()) {
            EXPECT_FALSE(ask(chain, records, lured(chain, Height(122))));
        }
        EXPECT_EQ(must(ask(chain, records, made_up_height(chain, Height(122)))), receipts[2]);
        EXPECT_EQ(slurp(file), whole);
    }
    // More than the last record lost is no kill but damage: nothing is signed.
    spill(file, ByteView(whole).subspan(0, record - 1));
    Bytes damaged = whole;
    damaged[record / 2] ^= 1;
    spill(file, damaged);
    EXPECT_EQ(LinkRecords::open(file).error().code, ErrorCode::kCorrupt);
}

TEST(AttackCrashBeforeRecord, AnOldBackupMakesTheSameBytes) {
    const NetworkParams params = crash_network();
    RegistryWorld world(params);
    const SealedChain chain(params, 1, {16, 1, false, Height(110), {}});
    enrol(world, {&chain});
    const Court court(world);
    const auto file = chain.folder() / "x.chain";
    const auto backup = chain.folder() / "old.chain";
    struct Told {
        KnownHeight known;
        Receipt receipt;
        Receipt naive;
    };
    std::vector<Told> story;
    Link naive_before(chain.id());
    {
        LinkRecords records = must(LinkRecords::open(file));
        for (int n = 0; n < 10; ++n) {
            world.feed();
            Told told;
            told.known = known_height(world, chain, world.tip());
            told.receipt = must(ask(chain, records, told.known));
            ASSERT_EQ(submit(world, chain, told.receipt), Verdict::ok());
            // Naive: link_before is the last link in the prover's own file.
            KnownHeight naive = told.known;
            naive.link_before = naive_before;
            told.naive = chain.honest(naive).receipt;
            naive_before = told.naive.link;
            story.push_back(told);
            if (n == 4) std::filesystem::copy_file(file, backup);
        }
    }
    std::filesystem::copy_file(backup, file, std::filesystem::copy_options::overwrite_existing);
    LinkRecords records = must(LinkRecords::open(file));
    EXPECT_EQ(records.size(), 5U);
    std::size_t naive_offences = 0;
    naive_before = story[4].naive.link;
    for (std::size_t n = 5; n < story.size(); ++n) {
        EXPECT_EQ(must(ask(chain, records, story[n].known)).encode(), story[n].receipt.encode());
        // The naive prover missed one height while its backup was fetched, and goes on from there.
        KnownHeight naive = story[n].known;
        naive.link_before = naive_before;
        if (n == 5) continue;
        const Receipt again = chain.honest(naive).receipt;
        naive_before = again.link;
        const Verdict v =
            court.judge(make_equivocation(chain.id(), naive.block_hash, story[n].naive, again))
                .verdict;
        naive_offences += v ? 1 : 0;
    }
    std::printf(
        "old backup: 5 of 5 links again with the same bytes; links that follow the "
        "prover's own file: %zu of 4 an offence\n",
        naive_offences);
    EXPECT_EQ(naive_offences, 4U);
}

TEST(AttackCrashBeforeRecord, TwoProcessesOneSigns) {
    const NetworkParams params = crash_network();
    const SealedChain chain(params, 1, {16, 1, false, Height(110), {}});
    const auto file = chain.folder() / "x.chain";
    LinkRecords records = must(LinkRecords::open(file));
    const Receipt first = must(ask(chain, records, made_up_height(chain, Height(120))));
    const Sent sent = run_and_kill(
        [&](int pipe) {
            auto second = LinkRecords::open(file);
            if (!second && second.error().code == ErrorCode::kBusy) ::_exit(0);
            if (second) send(pipe, must(ask(chain, *second, lured(chain, Height(120)))));
        },
        SIZE_MAX);
    EXPECT_TRUE(sent.empty());

    // On another machine there is no lock to see. Asked the same, it makes the same bytes.
    const auto elsewhere = chain.folder() / "elsewhere.chain";
    const Sent twin = run_and_kill(
        [&](int pipe) {
            LinkRecords other = must(LinkRecords::open(elsewhere));
            send(pipe, must(ask(chain, other, made_up_height(chain, Height(120)))));
        },
        SIZE_MAX);
    ASSERT_EQ(twin.size(), 1U);
    EXPECT_EQ(twin.at(Height(120)).encode(), first.encode());
}

}  // namespace
}  // namespace holdfast::test
