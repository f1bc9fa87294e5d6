#include "structs.hpp"

#include <algorithm>

namespace holdfast_node {

OptionalDigest optional_digest(const In& in) {
    if (!in.present()) return {};
    return {in.digest()};
}

Bytes optional_bytes(const In& in) { return in.present() ? in.bytes() : Bytes{}; }

std::optional<std::string> optional_text(const In& in) {
    if (!in.present()) return std::nullopt;
    return in.text();
}

std::uint64_t u64_or(const In& in, std::uint64_t otherwise) {
    return in.present() ? in.u64() : otherwise;
}
std::uint32_t u32_or(const In& in, std::uint32_t otherwise) {
    return in.present() ? in.u32() : otherwise;
}
bool flag_or(const In& in, bool otherwise) { return in.present() ? in.flag() : otherwise; }

std::vector<holdfast_bytes> ByteStrings::views() const {
    std::vector<holdfast_bytes> out;
    for (const Bytes& bytes : owned) out.push_back(bytes_view(bytes));
    return out;
}

ByteStrings byte_strings(const In& in) {
    ByteStrings out;
    for (const In& item : in.items()) out.owned.push_back(item.bytes());
    return out;
}

std::vector<const char*> Texts::pointers() const {
    std::vector<const char*> out;
    for (const std::string& text : owned) out.push_back(text.c_str());
    return out;
}

Texts texts(const In& in) {
    Texts out;
    for (const In& item : in.items()) out.owned.push_back(item.text());
    return out;
}

Hints::Hints(const In& in) {
    if (!in.present()) return;
    chain_id = optional_digest(in.field("chainId"));
    link = optional_digest(in.field("link"));
    link_before = optional_digest(in.field("linkBefore"));
    host = optional_digest(in.field("host"));
    path = optional_bytes(in.field("path"));
    acknowledged = optional_bytes(in.field("acknowledged"));
    const In at = in.field("height");
    if (at.present()) height = at.u64();
}

holdfast_verify_hints Hints::view() const {
    auto out = sized_struct<holdfast_verify_hints>();
    out.chain_id = chain_id.data();
    out.link = link.data();
    out.link_before = link_before.data();
    out.host = host.data();
    out.path = bytes_view(path);
    out.acknowledged = bytes_view(acknowledged);
    out.has_height = height ? 1 : 0;
    out.height = height.value_or(0);
    return out;
}

holdfast_link_place link_place(const In& in) {
    auto out = sized_struct<holdfast_link_place>();
    out.height = in.field("height").u64();
    copy_to<Digest>(out.block_hash, in.field("blockHash").digest());
    copy_to<Digest>(out.y, in.field("y").digest());
    copy_to<Digest>(out.anchor, in.field("anchor").digest());
    return out;
}

Value link_place_value(const holdfast_link_place& place) {
    return Fields{{"height", place.height},
                  {"blockHash", bytes_of(place.block_hash)},
                  {"y", bytes_of(place.y)},
                  {"anchor", bytes_of(place.anchor)}};
}

holdfast_link_facts link_facts(const In& in) {
    auto out = sized_struct<holdfast_link_facts>();
    copy_to<Digest>(out.chain_id, in.field("chainId").digest());
    copy_to<Digest>(out.link_before, in.field("linkBefore").digest());
    const In base = in.field("revealBase");
    if (base.present()) {
        out.reveal_base = base.u64();
        out.has_reveal_base = 1;
    }
    return out;
}

Value link_facts_value(const holdfast_link_facts& facts) {
    return Fields{{"chainId", bytes_of(facts.chain_id)},
                  {"linkBefore", bytes_of(facts.link_before)},
                  {"revealBase", facts.has_reveal_base != 0 ? Value{facts.reveal_base} : Value{}}};
}

ChallengeHeight::ChallengeHeight(const In& in) : height(sized_struct<holdfast_challenge_height>()) {
    height.height = in.field("height").u64();
    copy_to<Digest>(height.block_hash, in.field("blockHash").digest());
    const In y = in.field("y");
    if (y.present()) {
        copy_to<Digest>(height.y, y.digest());
        height.has_y = 1;
    }
    const In list = in.field("challengers");
    if (!list.present()) return;
    for (const In& item : list.items()) {
        holdfast_challenger_part part{};
        copy_to<Digest>(part.key, item.field("key").digest());
        part.part = item.field("part").u64();
        challengers.push_back(part);
    }
}

holdfast_challenge_height ChallengeHeight::view() const {
    holdfast_challenge_height out = height;
    out.challengers = challengers.data();
    out.challengers_count = challengers.size();
    return out;
}

Value report_value(const holdfast_verify_report& r) {
    const bool accepted = r.verdict.reason == HOLDFAST_REASON_OK;
    Value window;
    if (r.has_window != 0) {
        window = Fields{{"first", r.first},      {"last", r.last},        {"links", r.links},
                        {"full", r.full},        {"leftOut", r.left_out}, {"heights", r.heights},
                        {"openings", r.openings}};
    }
    return Fields{{"accepted", accepted},
                  {"reason", accepted ? Value{} : name(holdfast_reason_name(r.verdict.reason))},
                  {"index", r.verdict.has_index != 0 ? Value{r.verdict.index} : Value{}},
                  {"kind", r.kind != 0 ? name(holdfast_kind_name(r.kind)) : Value{}},
                  {"chainId", r.has_chain_id != 0 ? bytes_of(r.chain_id) : Value{}},
                  {"height", r.has_height != 0 ? Value{r.height} : Value{}},
                  {"window", std::move(window)},
                  {"totalChains", r.has_total != 0 ? Value{r.total_chains} : Value{}},
                  {"totalIsProven", r.total_is_proven != 0}};
}

Value replica_value(const holdfast_replica_info& info) {
    return Fields{{"replicaId", bytes_of(info.replica_id)},
                  {"prover", bytes_of(info.prover)},
                  {"rawRoot", bytes_of(info.raw_root)},
                  {"sealedRoot", bytes_of(info.sealed_root)},
                  {"dataBytes", info.data_bytes},
                  {"chunks", info.chunks},
                  {"windows", info.windows},
                  {"windowsTakenOver", info.windows_taken_over}};
}

}  // namespace holdfast_node
