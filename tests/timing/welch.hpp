#pragma once

#include <cmath>
#include <cstddef>

namespace octavo::timing {

/// Welch's t-test over two classes of measurements, running means and variances (Welford).
class Welch {
public:
    void add(int which, double value) noexcept {
        Class& c = classes_[which];
        c.num += 1;
        const double delta = value - c.mean;
        c.mean += delta / c.num;
        c.squares += delta * (value - c.mean);
    }
    /// Measurements in the smaller class.
    double num() const noexcept { return std::fmin(classes_[0].num, classes_[1].num); }
    /// 0 where there is too little to tell.
    double t() const noexcept {
        if (num() < 2) return 0;
        const double variance = classes_[0].variance() / classes_[0].num + classes_[1].variance() / classes_[1].num;
        return variance > 0 ? (classes_[0].mean - classes_[1].mean) / std::sqrt(variance) : 0;
    }
    double difference() const noexcept { return classes_[0].mean - classes_[1].mean; }

private:
    struct Class {
        double num = 0, mean = 0, squares = 0;
        double variance() const noexcept { return squares / (num - 1); }
    };
    Class classes_[2];
};

}  // namespace octavo::timing
