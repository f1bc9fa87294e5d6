#include "callbacks/place.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace holdfast {
namespace {

double radians(std::int32_t udeg) { return udeg * 1e-6 * std::numbers::pi / 180.0; }

}  // namespace

bool is_on_earth(const Place& p) {
    return std::abs(std::int64_t{p.latitude_udeg}) <= 90'000'000 &&
           std::abs(std::int64_t{p.longitude_udeg}) <= 180'000'000;
}

std::uint64_t place_distance_m(const Place& a, const Place& b) {
    // Haversine on a sphere of the smallest radius of curvature of the Earth, so never too far.
    constexpr double kLeastRadiusKm = 6'335.0;
    const double lat_a = radians(a.latitude_udeg);
    const double lat_b = radians(b.latitude_udeg);
    const double sin_lat = std::sin((lat_b - lat_a) / 2);
    const double sin_lon = std::sin((radians(b.longitude_udeg) - radians(a.longitude_udeg)) / 2);
    const double h = sin_lat * sin_lat + std::cos(lat_a) * std::cos(lat_b) * sin_lon * sin_lon;
    const double km = 2 * kLeastRadiusKm * std::asin(std::sqrt(std::clamp(h, 0.0, 1.0)));
    return static_cast<std::uint64_t>(std::floor(km)) * 1'000;
}

}  // namespace holdfast
