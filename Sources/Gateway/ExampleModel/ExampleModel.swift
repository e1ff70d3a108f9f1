import Logging
import Synchronization

/// A small real Model Service, to try the Sidecar with.
public enum ExampleModel {
    private static let hasFailed = Atomic<Bool>(false)

    /// Serves until SIGTERM or SIGINT, and returns the exit code of the process. The main thread.
    public static func run(_ options: ExampleModelOptions) -> Int32 {
        Signals.prepare()
        do {
            let processLog = try ProcessLog.start(Configuration.Log())
            defer { processLog.finish() }
            return run(options, log: Logger(label: "example-model"))
        } catch {
            StandardError.print("example-model: \(error)")
            return 1
        }
    }

    private static func run(_ options: ExampleModelOptions, log: Logger) -> Int32 {
        do {
            try serve(options, log: log)
            return hasFailed.load(ordering: .acquiring) ? 1 : 0
        } catch {
            log.critical("\(error)")
            return 1
        }
    }

    private static func serve(_ options: ExampleModelOptions, log: Logger) throws(SystemError) {
        let limit = FileDescriptors.raiseLimit()
        let socket = try ListeningSocket(host: options.host, port: options.port)
        let stopSignal = try EventFD()
        let server = Handover(
            try ExampleModelServer(
                options,
                socket: socket,
                maxConnections: min(max(limit - 32, 64), 20_000),
                stopSignal: stopSignal
            ) { message in log.debug("libmicrohttpd: \(message)") }
        )
        let thread = try ThreadHandle(name: "example-model") {
            do {
                try server.value.run()
            } catch {
                log.critical("the example model failed: \(error)")
                hasFailed.store(true, ordering: .releasing)
                Signals.raiseTerminate()
            }
        }
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        log.notice(
            "example model listening on http://\(host):\(socket.port) \(ExampleSpeech(options.protocol).codec.help)"
        )
        Signals.waitForEnd()
        stopSignal.signal()
        thread.join()
        log.notice("stopped")
    }
}

/// Carries the server to its thread.
private struct Handover: @unchecked Sendable {
    // Sendable although the server is not: the main thread makes it, and lets it be once the server's own starts.
    let value: ExampleModelServer

    init(_ value: ExampleModelServer) { self.value = value }
}
