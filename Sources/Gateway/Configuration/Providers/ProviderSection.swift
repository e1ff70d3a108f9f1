/// What the configuration says of one Provider beside REST, and all that the start must know of it: its keys, checks, summary,
/// descriptors, bounds. One type for each, in this folder; `Configuration.Providers` lists them.
///
/// Whatever walks the Providers asks this and knows none of them. Who makes one is `ProviderBlueprint`.
protocol ProviderSection: Sendable {
    /// Nothing set.
    init()

    /// Such as `providers.kafka`.
    static var path: ConfigurationPath { get }
    /// Its rows of the table of keys.
    static var keys: [ConfigurationKey] { get }

    /// Its line of what the program would do, without anything secret.
    var summary: String { get }

    /// The most requests at once, over all shards.
    var maxInFlight: Int { get }
    /// What its requests may hold in memory at most; nil: it is among the bodies.
    var memoryBound: (what: String, bytes: Int, from: String)? { get }
    /// How many descriptors it needs at most, connections to models not counted.
    func descriptors(shards: Int) -> Int
    /// How many clients of librdkafka it has.
    func kafkaClients(shards: Int) -> Int

    /// Reports what no key can check by itself.
    func check(_ configuration: Configuration, _ all: inout ConfigurationSettings)
}

extension ProviderSection {
    var memoryBound: (what: String, bytes: Int, from: String)? { nil }
    func kafkaClients(shards: Int) -> Int { 0 }
    func check(_ configuration: Configuration, _ all: inout ConfigurationSettings) {}
}

extension ConfigurationPlace {
    /// Of a Provider, which is there as soon as one of its values is written.
    static func provider<Section: ProviderSection>(
        _ section: any WritableKeyPath<Configuration.Providers, Section?> & Sendable,
        _ path: Path<Section>
    ) -> Self {
        Self(
            defaultValue: Section()[keyPath: path],
            modify: { configuration, _, change in
                var values = configuration.providers[keyPath: section] ?? Section()
                change(&values[keyPath: path])
                configuration.providers[keyPath: section] = values
            }
        )
    }
}
