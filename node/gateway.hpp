// Public data for light clients over HTTP: what a page in a browser or a script needs to check a
// proof itself. For reading alone, by anybody; nothing of it need be believed.
//
//   GET /public/                       what there is, as JSON
//   GET /public/network.params         the network's parameters (kind 19)
//   GET /public/tip                    the newest final and the newest closed height
//   GET /public/heights/FIRST/COUNT    a public record with these final heights, COUNT 1 to 256
//   GET /public/digests/HEIGHT         what the digest of a closed height is made of (spec 10.2)
//   GET /public/heads/HEIGHT           the operator's head of it; ?older=SIZE: and that the journal
//                                      goes on from one of so many entries
//   GET /public/chains/ID              a public record with this chain; ?first=N: its updates from
//   GET /public/replicas/ID            place N on, at most 256; the chain of a replica
//   GET /public/chains/ID/paths/HEIGHT    its path under the digest of a closed height (kind 7)
//   GET /public/chains/ID/proofs/HEIGHT   a proof of its link (kind 5 or 6), made by its prover
//
// A public record is the form of public.json (clock/public_record.hpp); objects stand alone, as
// application/octet-stream. Every answer allows any site's page to read it, without credentials;
// what never changes says so ("immutable"), what does has a short age; each has an ETag. An error
// is {"error", "reason"}, with a name of docs/verdicts.md: 400 a question that makes no sense, 404
// not there (yet), 410 not kept any more, 503 the chain's prover is not to be had now.
//
// Threading: any thread. A proof waits for its prover as PublicSource does. Ownership: registry and
// source must outlive it. Memory: one answer, at most 256 heights or updates. Spec: section 14.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "follow/public_source.hpp"
#include "hierarchy/registry.hpp"
#include "node/config.hpp"
#include "node/monitor.hpp"

namespace holdfast::node {

class Gateway {
  public:
    static constexpr std::string_view kPrefix = "/public/";

    Gateway(const Registry& registry, PublicSource& source);

    /// The response to GET or HEAD of a path below kPrefix; a function of the request and of what
    /// is known, and nothing else.
    [[nodiscard]] HttpResponse answer(const HttpRequest& request);

  private:
    [[nodiscard]] HttpResponse index() const;
    [[nodiscard]] HttpResponse tip();
    [[nodiscard]] HttpResponse heights(Height first, std::uint32_t count);
    [[nodiscard]] HttpResponse digest(Height height);
    [[nodiscard]] HttpResponse head(const HeadQuestion& question);
    [[nodiscard]] HttpResponse chain(const ChainQuestion& question);
    [[nodiscard]] HttpResponse path(const PathQuestion& question);
    [[nodiscard]] HttpResponse proof(const LinkProofQuestion& question);
    [[nodiscard]] HttpResponse route(const HttpRequest& request);

    const Registry& registry_;
    PublicSource& source_;
    const std::string network_id_;
};

/// For the daemon's own HTTP address. The gateway must outlive what serves it.
[[nodiscard]] MonitorMount gateway_mount(Gateway& gateway);
/// The server of [public] listen, which serves the gateway and nothing else, to anybody; null where
/// none is wanted. The gateway must outlive it.
[[nodiscard]] Result<std::unique_ptr<HttpServer>> start_gateway(const Config& config,
                                                                Gateway& gateway);

/// For ready lines: its address, or null.
[[nodiscard]] json::Json gateway_address(const std::unique_ptr<HttpServer>& server);

}  // namespace holdfast::node
