/// What `ameron-sidecar dev-kafka` is told.
public struct DevKafkaOptions: Sendable {
    public struct Topic: Sendable, Equatable {
        public let name: String
        public let partitions: Int

        public init(name: String, partitions: Int) {
            self.name = name
            self.partitions = partitions
        }
    }

    public var host = "127.0.0.1"
    /// 0: any free port.
    public var port = 9092
    public var brokers = 1
    public var topics: [Topic] = []

    public init() {}
}

/// A stand-in for Kafka to try things out with: librdkafka's mock cluster behind a port of one's choice.
public enum DevKafka {
    /// Serves until SIGTERM or SIGINT, and returns the exit code of the process. The main thread.
    public static func run(_ options: DevKafkaOptions) -> Int32 {
        // Before the cluster starts its threads.
        Signals.prepare()
        do {
            try serve(options)
            return 0
        } catch {
            StandardError.print("dev-kafka: \(error)")
            return 1
        }
    }

    private static func serve(_ options: DevKafkaOptions) throws {
        _ = FileDescriptors.raiseLimit()
        let socket = try ListeningSocket(host: options.host, port: options.port)
        let cluster = try KafkaMockCluster(brokers: options.brokers)
        for topic in options.topics {
            do {
                try cluster.createTopic(topic.name, partitions: topic.partitions)
            } catch {
                throw DevKafkaError(description: "topic \(topic.name) cannot be made: \(error)")
            }
        }
        guard let target = firstPort(in: cluster.bootstrapServers) else {
            throw DevKafkaError(description: "no port in \(cluster.bootstrapServers)")
        }
        let stopSignal = try EventFD()
        let forwarder = Handover(value: try TCPForwarder(socket, target: target, stopSignal: stopSignal))
        let failure = LockedValue<SystemError?>(nil)
        let thread = try ThreadHandle(name: "dev-kafka") {
            do {
                try forwarder.value.run()
            } catch {
                failure.withLock { $0 = error as? SystemError }
                Signals.raiseTerminate()
            }
        }
        describe(options, port: socket.port, cluster)
        Signals.waitForEnd()
        stopSignal.signal()
        thread.join()
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// The library chooses the ports of its brokers: `127.0.0.1:34567,127.0.0.1:45678`.
    private static func firstPort(in servers: String) -> Int? {
        servers.split(separator: ",").first?.split(separator: ":").last.flatMap { Int($0) }
    }

    private static func describe(_ options: DevKafkaOptions, port: Int, _ cluster: KafkaMockCluster) {
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        StandardError.print(
            """
            dev-kafka listening on \(host):\(port), which is the address to give to clients (bootstrap.servers)
            It is a stand-in to try things out with, not Kafka: records are in memory only and gone when it ends, of each
            partition the last 5 MB or so are kept, transactions have no effect, and there is neither SASL nor TLS.
            Clients must be on this machine: they are sent on to the brokers at \(cluster.bootstrapServers).
            A topic is made when it is first named, with 4 partitions\(topics(options)).
            """
        )
    }

    private static func topics(_ options: DevKafkaOptions) -> String {
        if options.topics.isEmpty { return "" }
        return "; made already: " + options.topics.map { "\($0.name):\($0.partitions)" }.joined(separator: ", ")
    }
}

private struct DevKafkaError: Error, CustomStringConvertible {
    let description: String
}

/// Carries the forwarder to its thread.
private struct Handover: @unchecked Sendable {
    // Sendable although the forwarder is not: the main thread makes it, and lets it be once the forwarder's own starts.
    let value: TCPForwarder
}
