/// `ameron-sidecar health`: asks the Sidecar of this configuration how it is, from the same machine or container.
public enum HealthTool {
    /// Prints what it found on standard error where that is not good, and returns the exit code: 0, or 1.
    ///
    /// - Parameter ready: Whether it must be ready for requests (`/readyz`), not only alive (`/livez`).
    public static func run(_ configuration: Configuration, ready: Bool, timeout: Duration) -> Int32 {
        let url = "http://\(authority(configuration.server))\(ready ? "/readyz" : "/livez")"
        let milliseconds = max(1, Int(timeout / .milliseconds(1)))
        do {
            let status = try CurlProbe(target: .init(url: url)).get(timeoutMilliseconds: milliseconds)
            if status == 200 { return 0 }
            StandardError.print("\(url) answered \(status)")
        } catch {
            StandardError.print("\(url): \(error.reason)")
        }
        return 1
    }

    /// Where a server that listens there is reached: one that listens on all addresses, at the loopback's.
    static func authority(_ server: Configuration.Server) -> String {
        let host =
            switch server.host {
            case "", "0.0.0.0": "127.0.0.1"
            case "::": "[::1]"
            case let host where host.utf8.contains(UInt8(ascii: ":")): "[\(host)]"
            default: server.host
            }
        return "\(host):\(server.port)"
    }
}
