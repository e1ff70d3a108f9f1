import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Kafka itself misbehaves: nothing is lost, nothing is stuck, and the order of each key is kept.
@Suite struct ClusterFaultTests {
    enum Fault: String, CaseIterable, CustomTestStringConvertible {
        case retriableProduceErrors, fatalProduceErrors, brokenConnections, leaderChanges, coordinatorMoves
        case slowBrokers, allBrokersDownAndUp

        var testDescription: String { rawValue }

        /// All, or those that AMERON_FAULTS names.
        static let chosen: [Fault] =
            ProcessInfo.processInfo.environment["AMERON_FAULTS"]?.split(separator: ",").compactMap {
                Fault(rawValue: String($0))
            } ?? allCases
    }

    @Test(.timeLimit(.minutes(20)), arguments: Fault.chosen) func losesNothing(_ fault: Fault) throws {
        let world = try KafkaWorld()
        let model = try SidecarProcess(arguments: ["example-model", "--port", "0"])
        let directory = TemporaryDirectory()
        var configuration = FaultConfiguration(
            world: world,
            modelURL: "http://127.0.0.1:\(model.port)/predict/iris",
            spoolPath: directory.file("spool")
        )
        if [.retriableProduceErrors, .fatalProduceErrors, .leaderChanges].contains(fault) {
            // A broker refuses what follows a batch that it has refused (its sequence numbers have a gap), so librdkafka
            // takes a later batch's acknowledgement for those before it as well ("implicit ack"). The mock cluster does
            // not look at sequence numbers: with several batches under way, an error made for one of them would lose it.
            configuration.producerProperties = ["max.in.flight.requests.per.connection": "1"]
        }
        let sidecar = try configuration.start(in: directory)
        let rest = RESTLoad(port: sidecar.port, clients: 2, perSecond: 100)
        let kafka = RequestLoad(world.bootstrap, perSecond: 100)
        #expect(eventually(within: 60) { world.replies.count > 50 })
        for round in 0..<4 {
            let (before, answered) = (kafka.count, rest.count)
            try inject(fault, round, world, rest)
            // REST goes on in any case; Kafka's own senders wait while all brokers are down.
            #expect(eventually { rest.count > answered + 50 })
            if fault != .allBrokersDownAndUp { #expect(eventually { kafka.count > before + 50 }) }
            try heal(fault, world)
        }
        try rest.stop()
        try kafka.stop()
        Accounts.settle(world, rest: rest, kafka: kafka, fault.rawValue)
        Accounts.expectOrderPerKey(world)
        let sent = try sidecar.metrics().total("ameron_report_events_total", ["result": "sent"])
        #expect(Double(world.events.count) >= Double(sent), "the broker acknowledged what it does not have")
        #expect(rest.refusals == [:])
        #expect(sidecar.stop() == .code(0), "\(sidecar.process.standardErrorTail)")
        try Accounts.expectCommittedAreAnswered(world, kafka)
    }

    private func inject(_ fault: Fault, _ round: Int, _ world: KafkaWorld, _ rest: RESTLoad) throws {
        let produce: Int16 = 0
        let other = Int32(round % world.brokerCount + 1)
        switch fault {
        case .retriableProduceErrors:
            // NOT_LEADER, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS, NOT_ENOUGH_REPLICAS_AFTER_APPEND
            world.cluster.pushErrors(apiKey: produce, [6, 7, 19, 20, 6, 7, 19, 20])
        case .fatalProduceErrors:
            // INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID
            world.cluster.pushErrors(apiKey: produce, [47, 45, 59])
        case .brokenConnections: world.cluster.pushErrors(apiKey: produce, [-195, -195, -195])
        case .leaderChanges:
            // A new leader is elected after the old one is gone, and by then what was under way to the old one is answered. Were it
            // there at once, it would take a later batch before the old one has refused an earlier: see above. A producer goes on
            // sending to the old one until it has asked who leads, which it does 250 ms after a refusal at the earliest
            // (topic.metadata.refresh.fast.interval.ms): so this takes two seconds of the load.
            try setLeaders(-1, world)
            let answered = rest.count
            #expect(eventually { rest.count > answered + 200 })
            try setLeaders(other, world)
        case .coordinatorMoves: try world.cluster.setCoordinator(group: KafkaWorld.group, broker: other)
        case .slowBrokers:
            for broker in 1...world.brokerCount { try world.cluster.setBroker(Int32(broker), rttMilliseconds: 500) }
        case .allBrokersDownAndUp: try world.setAllBrokers(down: true)
        }
    }

    private func setLeaders(_ broker: Int32, _ world: KafkaWorld) throws {
        for topic in KafkaWorld.allTopics {
            for partition in 0..<world.partitionCount {
                try world.cluster.setPartitionLeader(topic: topic, partition: Int32(partition), broker: broker)
            }
        }
    }

    private func heal(_ fault: Fault, _ world: KafkaWorld) throws {
        switch fault {
        case .slowBrokers:
            for broker in 1...world.brokerCount { try world.cluster.setBroker(Int32(broker), rttMilliseconds: 0) }
        case .allBrokersDownAndUp: try world.setAllBrokers(down: false)
        default: break
        }
    }
}
