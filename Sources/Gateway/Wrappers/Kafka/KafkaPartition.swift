private import CKafka

/// A partition of a topic, and an offset in it where one is meant.
struct KafkaPartition: Hashable, Sendable {
    /// No offset is given: a group continues where it left off (RD_KAFKA_OFFSET_INVALID).
    static let noOffset: Int64 = -1001
    /// The oldest record that is still there.
    static let beginning: Int64 = -2
    /// After the newest record.
    static let end: Int64 = -1

    var topic: String
    var partition: Int32
    /// The next record to read; or one of the constants.
    var offset: Int64

    init(topic: String, partition: Int32, offset: Int64 = KafkaPartition.noOffset) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
    }
}

/// Partitions that a group gives to this consumer or takes from it. The consumer waits until it is answered by
/// `KafkaConsumer.accept`, or by the assign or unassign call that fits the protocol of the group.
struct KafkaRebalance: Sendable {
    enum Kind: Sendable {
        case assign, revoke
    }

    let kind: Kind
    let partitions: [KafkaPartition]
}

/// An rd_kafka_topic_partition_list_t of ours.
final class KafkaPartitionList {
    private let list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    /// For calls of C; valid as long as this object.
    var pointer: UnsafeMutableRawPointer { UnsafeMutableRawPointer(list) }

    init(_ partitions: [KafkaPartition]) {
        list = rd_kafka_topic_partition_list_new(Int32(partitions.count))
        for partition in partitions {
            let element = rd_kafka_topic_partition_list_add(list, partition.topic, partition.partition)
            element?.pointee.offset = partition.offset
        }
    }

    /// Takes over a list that a call has made.
    init(consuming pointer: UnsafeMutableRawPointer) {
        list = pointer.assumingMemoryBound(to: rd_kafka_topic_partition_list_t.self)
    }

    deinit { rd_kafka_topic_partition_list_destroy(list) }

    var partitions: [KafkaPartition] { Self.partitions(list) }

    /// The first error among the elements.
    var firstError: KafkaError? {
        let elements = UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt))
        return elements.first { $0.err != RD_KAFKA_RESP_ERR_NO_ERROR }.map { KafkaError(code: $0.err.rawValue) }
    }

    /// The elements of an rd_kafka_topic_partition_list_t that somebody else owns.
    static func partitions(_ list: UnsafeRawPointer?) -> [KafkaPartition] {
        guard let list = list?.assumingMemoryBound(to: rd_kafka_topic_partition_list_t.self) else { return [] }
        return UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt)).map { element in
            KafkaPartition(
                topic: String(cString: element.topic),
                partition: element.partition,
                offset: element.offset
            )
        }
    }
}

@available(*, unavailable)
extension KafkaPartitionList: Sendable {}
