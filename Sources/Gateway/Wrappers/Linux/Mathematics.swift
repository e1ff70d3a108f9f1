private import Glibc

/// What the C library computes and Swift's own does not.
enum Mathematics {
    /// e to the power of `exponent` (exp(3)).
    static func exp(_ exponent: Double) -> Double { Glibc.exp(exponent) }
}
