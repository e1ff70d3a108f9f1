import Foundation
import Testing

@testable import Gateway

@Suite struct GatherListTests {
    @Test func `a short write is gone on with where it stopped`() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)

        let source = ByteBuffer()
        for number in 0..<20_000 {
            source.append(decimal: number)
            source.append("\n")
        }
        let list = GatherList()
        var start = 0
        while start < source.count {
            let end = min(source.count, start + 1_237)
            list.append(source[start..<end])
            start = end
        }
        #expect(list.byteCount == source.count)

        var received: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 5_003)
        while !list.isWritten {
            switch list.write(to: ends[1]) {
            case .progress:
                let prefix = source[0..<list.written].array
                #expect(list.writtenLines == prefix.filter { $0 == 0x0a }.count)
                #expect(list.endsWithinLine == (prefix.last != 0x0a))
            case .wouldBlock:
                let count = read(ends[0], &bytes, bytes.count)
                received += bytes.prefix(count)
            case .failed(let error): throw error
            }
        }
        while received.count < source.count {
            let count = read(ends[0], &bytes, bytes.count)
            received += bytes.prefix(count)
        }
        #expect(received == source.view.array)
    }

    @Test func `a descriptor that is closed gives the error`() {
        let list = GatherList()
        list.append(ByteView("x\n"))
        guard case .failed(let error) = list.write(to: -1) else {
            Issue.record("no error")
            return
        }
        #expect(error == SystemError(call: "write", code: EBADF))
        #expect(error.description == "write: Bad file descriptor")
        #expect(list.writtenLines == 0)
        #expect(!list.endsWithinLine)
    }
}
