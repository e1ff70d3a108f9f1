import TestSupport
import Testing

@testable import Gateway

@Suite struct KafkaClientStatisticsTests {
    @Test func readsWhatAClientTells() throws {
        let cluster = try KafkaMockCluster(brokers: 2)
        let producer = try cluster.producer([("statistics.interval.ms", "50")])
        for ticket in 0..<10 { try producer.produce(to: "topic", "value \(ticket)", ticket: ticket) }
        let statistics = KafkaClientStatistics(client: "producer-0")
        #expect(statistics.reading == nil)
        let isTold = eventually {
            _ = producer.poll(timeoutMilliseconds: 20) { event in
                if case .statistics(let json) = event { statistics.note(json) }
            }
            guard let reading = statistics.reading else { return false }
            return reading.sentMessages == 10 && reading.queuedMessages == 0
        }
        #expect(isTold, "\(String(describing: statistics.reading))")
        let reading = try #require(statistics.reading)
        #expect(reading.sentBytes > 10)
        let addresses = cluster.bootstrapServers.split(separator: ",").map(String.init)
        #expect(Set(reading.brokers.map(\.name)) == Set(addresses))
        #expect(reading.brokers.contains { $0.isUp && $0.roundTripSeconds >= 0 })
    }

    @Test func namesEachBrokerOnce() throws {
        let statistics = KafkaClientStatistics(client: "consumer-0")
        let json = #"""
            {"brokers":{"h:1/1":{"nodename":"h:1","nodeid":1,"source":"learned","state":"UP","rtt":{"avg":1500}},
            "GroupCoordinator":{"nodename":"h:1","nodeid":1,"source":"logical","state":"UP","rtt":{"avg":9}},
            "h:1/bootstrap":{"nodename":"h:1","nodeid":-1,"source":"configured","state":"INIT","rtt":{"avg":0}}}}
            """#
        Array(json.utf8).withByteView { statistics.note($0) }
        #expect(statistics.reading?.brokers == [.init(name: "h:1", isUp: true, roundTripSeconds: 0.0015)])
    }

    @Test(arguments: ["", "[]", "{", #"{"msg_cnt":"no"}"#, #"{"brokers":[1],"txmsgs":-1.5}"#])
    func passesOverWhatIsNotOfTheirForm(_ text: String) {
        let statistics = KafkaClientStatistics(client: "x")
        Array(text.utf8).withByteView { statistics.note($0) }
        #expect(statistics.reading?.queuedMessages ?? 0 == 0)
        #expect(statistics.reading?.brokers ?? [] == [])
    }
}
