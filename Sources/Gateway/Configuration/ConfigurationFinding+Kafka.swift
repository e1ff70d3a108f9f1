// What librdkafka has against the settings of its clients.
extension ConfigurationFinding {
    /// Of an open map of librdkafka's properties: each by itself, so that all that are wrong are told.
    ///
    /// - Parameter key: of the section that holds the map, such as `providers.kafka`.
    static func kafkaProperties(_ properties: [String: String], _ key: String) -> [Self] {
        properties.sorted { $0.key < $1.key }.compactMap { name, value in
            do throws(KafkaSettingError) {
                try KafkaSettings([(name, value)]).validate()
                return nil
            } catch {
                return Self("\(key).properties.\(name)", error.reason)
            }
        }
    }

    /// What the settings must be together, and files that they name, only the making of a client tells; it connects to nobody
    /// in the moment that it lives.
    static func kafkaClient(_ key: String, _ make: () throws(KafkaSettingError) -> Void) -> [Self] {
        do throws(KafkaSettingError) {
            try make()
            return []
        } catch {
            let name =
                switch error.property {
                case "bootstrap.servers": "brokers"
                case "group.id": "group"
                default: "properties.\(error.property)"
                }
            return [Self("\(key).\(name)", error.reason)]
        }
    }
}
