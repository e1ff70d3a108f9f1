import Foundation
import TestSupport

/// The limit is the process's: one test at a time sets it.
private let limitLock = NSLock()

/// Runs `body` while no file of this process may grow beyond a size (RLIMIT_FSIZE). Large, for other tests run beside it.
func withFileSizeLimit(_ bytes: Int, _ body: () throws -> Void) throws {
    limitLock.lock()
    defer { limitLock.unlock() }
    // Without this, the signal would end the process.
    signal(SIGXFSZ, SIG_IGN)
    var before = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before) == 0 else { throw TestFailure("getrlimit") }
    var limit = before
    limit.rlim_cur = rlim_t(bytes)
    guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { throw TestFailure("setrlimit") }
    defer { setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before) }
    try body()
}

/// A small file system in memory, mounted while the object lives.
final class Mount {
    private let directory = TemporaryDirectory()
    var path: String { directory.path }

    static let isAllowed = (try? Mount(bytes: 4096)) != nil

    init(bytes: Int) throws {
        guard mount("tmpfs", directory.path, "tmpfs", 0, "size=\(bytes)") == 0 else { throw TestFailure("mount") }
    }

    deinit { umount2(directory.path, Int32(MNT_DETACH)) }
}
