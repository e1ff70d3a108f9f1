import Foundation
import TestSupport

/// The one that AMERON_FUZZ names.
private let target = FuzzTarget.all.first { $0.description == ProcessInfo.processInfo.environment["AMERON_FUZZ"] }!

/// What libFuzzer calls with each input.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    if let violation = target.violation(Array(UnsafeBufferPointer(start: data, count: count))) { fatalError(violation) }
    return 0
}

/// libFuzzer's own changes, to bytes.
@_silgen_name("LLVMFuzzerMutate")
private func mutateBytes(_ data: UnsafeMutablePointer<UInt8>, _ count: Int, _ maxCount: Int) -> Int

/// What libFuzzer calls for a change to an input: half of them are its own.
@c(LLVMFuzzerCustomMutator)
public func customMutator(
    _ data: UnsafeMutablePointer<UInt8>,
    _ count: Int,
    _ maxCount: Int,
    _ seed: CUnsignedInt
) -> Int {
    if seed % 2 == 0 { return mutateBytes(data, count, maxCount) }
    var random = SeededGenerator(seed: UInt64(seed))
    var bytes = Array(UnsafeBufferPointer(start: data, count: count))
    for _ in 0...random.below(3) { target.mutate(&bytes, &random, bytes) }
    let changed = bytes.prefix(maxCount)
    _ = UnsafeMutableBufferPointer(start: data, count: changed.count).update(fromContentsOf: changed)
    return changed.count
}
