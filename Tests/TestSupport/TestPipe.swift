import Foundation

/// A small pipe for the output of a child, which a test reads when it likes: until then, what does not fit waits.
package final class TestPipe: Sendable {
    /// The end that children get, as they get it: with or without O_NONBLOCK, which they share.
    let writer: Int32
    private let reader: Int32

    package init(writerBlocks: Bool = true) throws {
        var ends: [Int32] = [-1, -1]
        try inheritance.withLock {
            guard pipe(&ends) == 0 else { throw TestFailure("pipe: \(errorText())") }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        (reader, writer) = (ends[0], ends[1])
        _ = fcntl(reader, F_SETFL, O_NONBLOCK)
        if !writerBlocks { _ = fcntl(writer, F_SETFL, O_NONBLOCK) }
        // One page, the least there is (pipe(7)).
        _ = fcntl(writer, Self.setPipeSize, 4096)
    }

    /// F_SETPIPE_SZ of fcntl(2), which the Glibc module leaves out.
    private static let setPipeSize: Int32 = 1031

    deinit {
        close(reader)
        close(writer)
    }

    /// Leaves no room in it: from now on whoever writes waits until the test reads.
    package func fill() throws {
        // Opened anew, so that O_NONBLOCK is not the child's.
        let filler = open("/proc/self/fd/\(writer)", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard filler >= 0 else { throw TestFailure("open: \(errorText())") }
        defer { close(filler) }
        for size in [1024, 1] {
            while write(filler, Array(repeating: UInt8(ascii: "."), count: size), size) > 0 {}
        }
    }

    /// What is in it.
    package func read() -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(reader, &buffer, buffer.count)
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
